/* new_id: names for messages, unique among all processes of the server and ascending with time. */
#ifndef QUEUE_NEW_ID_H
#define QUEUE_NEW_ID_H

#include "fmt/queue_id.h"

/* Processes that make ids at the same time have each a lane of its own, so that no two are the same. */
enum { QUEUE_ID_LANES = 4 };
enum { QUEUE_ID_OF_QUEUE, QUEUE_ID_OF_SMTPD, QUEUE_ID_OF_SUBMISSION };

/* Before the first id; QUEUE_ID_OF_QUEUE where nobody says. */
void queue_new_id_lane(unsigned lane);
str queue_new_id(char room[QUEUE_ID_SIZE]);

#endif
