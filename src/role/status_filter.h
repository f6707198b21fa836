/* status_filter: smtp_delivery_status_filter and its like (postconf(5)): another status or other words for
 * what became of a recipient, before it is logged and reported. What was delivered stays so, and what was
 * not. */
#ifndef ROLE_STATUS_FILTER_H
#define ROLE_STATUS_FILTER_H

#include "base/arena.h"
#include "queue/queue.h"
#include "table/table.h"

/* Looks up "STATUS TEXT" and changes *o and *text, which the log has, in the arena. tables: NULL for none;
 * setting: their name, for the log. While they do not answer nothing fails for good. */
void status_filter_apply(struct table_list *tables, const char *setting, struct arena *a,
                         struct queue_outcome *o, str *text);

#endif
