/* new_id: names for messages, unique among all processes of the server and ascending with time. */
#ifndef QUEUE_NEW_ID_H
#define QUEUE_NEW_ID_H

#include "fmt/queue_id.h"

str queue_new_id(char room[QUEUE_ID_SIZE]);

#endif
