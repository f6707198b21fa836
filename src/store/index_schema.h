/* index_schema: the tables of malle.index; doc/storage.md explains each column. A file with another version
 * is set aside and built anew from the Maildir, so a change here only needs a new number. */
#ifndef STORE_INDEX_SCHEMA_H
#define STORE_INDEX_SCHEMA_H

#define INDEX_VERSION     4
#define INDEX_VERSION_SQL "PRAGMA user_version = 4;"

extern const char index_schema[];
/* Version 1 lacked text.refs: its cache of texts is made anew, and all else stays. */
extern const char index_from_1[];
/* Version 2 lacked the tables header and signature. */
extern const char index_from_2[];
/* Version 3 lacked the index of unseen messages, and noted below which UID there is none. */
extern const char index_from_3[];

#endif
