/* fold: keys in the form in which fixed tables have them: without case (Unicode), other bytes as they are. */
#ifndef TABLE_FOLD_H
#define TABLE_FOLD_H

#include "base/buf.h"

/* Appends the key. RC_LIMIT: out is full. */
MUST_USE enum rc table_fold(str key, struct buf *out);

#endif
