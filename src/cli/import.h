/* import: what the sources of malle import share: putting messages into mailboxes of the account's session.
 * Every function returns a status after a sentence. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/mail_session.h"
#include "cli/progress.h"

struct importer {
    const struct conf *conf;
    struct mail_session s;
    const char *mailbox; /* --mailbox; NULL: not said */
    const char *parent;  /* below which all mailboxes go; "": none */
    struct progress progress;
    struct buf box; /* the mailbox into which messages go */
    uint64_t mailboxes, messages, failed;
};

struct import_message {
    const char *from; /* where it comes from, for sentences */
    str flags;        /* "\Seen $Forwarded" */
    int64_t date;     /* seconds since 1970 */
    str content;      /* CRLF or LF */
};

/* Messages go there from here on: a mailbox of that name, in which `separator` parts the levels (0: there are
 * none); it is made and subscribed where it is missing. Characters that no name here may have become "_". */
int importer_box(struct importer *i, str name, char separator);
/* CLI_FINE also when the message was refused, which is counted: the others can go on. */
int importer_put(struct importer *i, const struct import_message *m);
/* Counts and tells a message that could not be read. */
void importer_lost(struct importer *i, const char *from, const char *why);
/* Adds keywords (atoms) to the flags; others are told and left out. */
void importer_put_keyword(const struct importer *i, struct buf *flags, str keyword);

/* The names in a folder but "." and "..", sorted by bytes; they lie in the arena. */
struct import_names {
    struct arena *arena;
    const char **v;
    size_t n;
};
void import_names_deinit(struct import_names *n);
/* RC_TEMP with errno; RC_LIMIT: too many. */
MUST_USE enum rc import_names_read(int folder, struct import_names *ret);

int import_maildir(struct importer *i, const char *path); /* a Maildir++ as it is, with flags and keywords */
int import_mbox(struct importer *i, const char *path); /* a file, "-", or a folder with files MAILBOX.mbox */
/* Mailboxes of another server (--mailbox: a mask), over a connection that is logged in. */
int import_imap(struct importer *i, struct imap_client *c);

#endif
