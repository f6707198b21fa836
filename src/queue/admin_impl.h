/* What the files of admin.h share. */
#ifndef QUEUE_ADMIN_IMPL_H
#define QUEUE_ADMIN_IMPL_H

#include "queue/admin.h"
#include "queue/queue_impl.h"

struct queue_admin {
    struct queue q; /* a queue that runs nothing: conf, writer and next_row are used by rows.c */
    int spool_dir;
};

#endif
