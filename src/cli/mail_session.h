/* mail_session: an IMAP session of one account for a command, as doc/tools.md says: a child of this process
 * becomes the owner of the mail and enters the cage that sessions of the server run in; this process is its
 * client. No server has to run. */
#ifndef CLI_MAIL_SESSION_H
#define CLI_MAIL_SESSION_H

#include "account/identity.h"
#include "cli/cli.h"
#include "imap/client.h"

#include <sys/types.h>

struct mail_session {
    struct imap_client *client;
    const char *account;
    pid_t pid;
};

enum mail_rights {
    MAIL_RIGHTS_DROP, /* this process becomes the owner of the mail, too */
    MAIL_RIGHTS_KEEP  /* it stays who it is: it has files of its caller to read or to write */
};

/* A session of whom cli_who_is found. CLI_FINE; else a sentence was printed. */
int mail_session_start(struct cli *cli, const char *account, const struct account_identity *id,
                       enum mail_rights rights, struct mail_session *ret);
/* The same for a name that a log-in may say. */
int mail_session_open(struct cli *cli, const char *account, enum mail_rights rights,
                      struct mail_session *ret);
/* Ends the session, which then finishes what it has in hand. CLI_FINDING after a sentence when it did not end
 * well. */
int mail_session_close(struct mail_session *s);

/* Prints why a command of the session failed. */
int mail_session_fail(const struct mail_session *s, const char *what, const struct err *e);

/* Puts a mailbox name, UTF-8, into the command. */
void mail_session_put_mailbox(struct mail_session *s, str name);

struct mail_box {
    str name; /* UTF-8 */
    bool selectable, subscribed;
    char separator;
    str use;
    bool counted; /* the counts are there */
    uint64_t counts[IMAP_COUNTED];
    str id; /* likewise */
};
struct mail_boxes {
    struct arena *arena; /* owns all */
    struct mail_box *v;
    size_t n;
};
void mail_boxes_init(struct mail_boxes *b);
void mail_boxes_deinit(struct mail_boxes *b); /* also of a zeroed one */
/* For imap_client_run, with a struct mail_boxes: adds what LIST says, and STATUS of the mailbox before. */
imap_client_data mail_boxes_take;
/* The mailboxes that a mask of LIST ("*" and "%") means, sorted as the server does; counts: with those of
 * STATUS. RC_GONE: a name without "*" or "%" that is no mailbox. Not RC_OK: e says why. */
MUST_USE enum rc mail_boxes_find(struct mail_session *s, const char *mask, bool counts,
                                 struct mail_boxes *ret, struct err *e);

/* Selects it, read-only by EXAMINE. */
MUST_USE enum rc mail_session_select(struct mail_session *s, str mailbox, bool read_only, struct err *e);

/* Whether what was typed is flags of IMAP with spaces between them, for STORE. */
bool mail_session_are_flags(const char *words);

#endif
