/* index_schema: narrow rows for what commands change on many messages at once (message), wide ones for what
 * they seldom touch (file, text, header, signature). key = mailbox * 2^32 + UID, so that a mailbox's rows lie
 * together in the order of UIDs. */
#include "store/index_schema.h"

#define TEXT_TABLE                                                          \
    "CREATE TABLE text ("                                                   \
    " key INTEGER PRIMARY KEY, envelope TEXT NOT NULL, body TEXT NOT NULL," \
    " bodystructure TEXT NOT NULL, refs TEXT NOT NULL);"

#define OTHER_CACHES                                                       \
    "CREATE TABLE header (key INTEGER PRIMARY KEY, fields BLOB NOT NULL);" \
    "CREATE TABLE signature (key INTEGER PRIMARY KEY, bits BLOB NOT NULL);"

#define UNSEEN "CREATE INDEX message_unseen ON message (key) WHERE flags & 16 = 0;"
#define FROM_3 UNSEEN "ALTER TABLE mailbox DROP COLUMN unseen_floor;" INDEX_VERSION_SQL "COMMIT;"

const char index_from_1[] = "BEGIN IMMEDIATE; DROP TABLE text;" TEXT_TABLE OTHER_CACHES FROM_3;
const char index_from_2[] = "BEGIN IMMEDIATE;" OTHER_CACHES FROM_3;
const char index_from_3[] = "BEGIN IMMEDIATE;" FROM_3;

const char index_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE mailbox ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " dir TEXT NOT NULL UNIQUE,"
    " uidvalidity INTEGER NOT NULL,"
    " uidnext INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL,"
    " messages INTEGER NOT NULL DEFAULT 0,"
    " unseen INTEGER NOT NULL DEFAULT 0,"
    " deleted INTEGER NOT NULL DEFAULT 0,"
    " size INTEGER NOT NULL DEFAULT 0,"
    " new_time INTEGER NOT NULL DEFAULT 0,"
    " cur_time INTEGER NOT NULL DEFAULT 0,"
    " dirty INTEGER NOT NULL DEFAULT 0,"
    " uidlist_ino INTEGER NOT NULL DEFAULT 0,"
    " uidlist_size INTEGER NOT NULL DEFAULT 0,"
    " uidlist_time INTEGER NOT NULL DEFAULT 0,"
    " uidlist_records INTEGER NOT NULL DEFAULT 0,"
    " keyword_ino INTEGER NOT NULL DEFAULT 0,"
    " keyword_size INTEGER NOT NULL DEFAULT 0,"
    " keyword_time INTEGER NOT NULL DEFAULT 0,"
    " guid TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE keyword ("
    " mailbox INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (mailbox, bit)) WITHOUT ROWID;"
    "CREATE TABLE message ("
    " key INTEGER PRIMARY KEY, flags INTEGER NOT NULL, keywords INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL, internal_date INTEGER NOT NULL, save_date INTEGER NOT NULL,"
    " size INTEGER NOT NULL);" UNSEEN "CREATE TABLE file ("
    " key INTEGER PRIMARY KEY, base TEXT NOT NULL, info TEXT NOT NULL, in_new INTEGER NOT NULL,"
    " fields TEXT NOT NULL);"
    "CREATE INDEX file_base ON file (base);"
    "CREATE INDEX file_new ON file (in_new) WHERE in_new = 1;" TEXT_TABLE OTHER_CACHES "CREATE TABLE chunk ("
    " mailbox INTEGER NOT NULL, chunk INTEGER NOT NULL, ranges BLOB NOT NULL,"
    " modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, chunk)) WITHOUT ROWID;"
    "CREATE TABLE expunged ("
    " mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, PRIMARY KEY (mailbox, modseq, first)) WITHOUT ROWID;"
    "CREATE TABLE pending ("
    " mailbox INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (mailbox, first, last)) WITHOUT ROWID;"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('uidvalidity', 0);"
    "CREATE VIEW messages AS SELECT mailbox.dir AS folder, message.key & 0xffffffff AS uid,"
    " flags, keywords, message.modseq, internal_date, message.size, base, info, in_new"
    " FROM message JOIN file USING (key) JOIN mailbox ON mailbox.id = message.key >> 32;" INDEX_VERSION_SQL
    "COMMIT;";
