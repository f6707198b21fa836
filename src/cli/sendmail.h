/* sendmail: what the files of the local programs share (cmd_sendmail.c and its parts). Exit statuses are
 * those of sysexits.h, which callers of sendmail know. */
#ifndef CLI_SENDMAIL_H
#define CLI_SENDMAIL_H

#include "cli/cli.h"

#include <sysexits.h>

enum sendmail_mode {
    SENDMAIL_DELIVER, /* a message on standard input */
    SENDMAIL_SMTP,    /* -bs: SMTP on standard input and output */
    SENDMAIL_LIST,    /* -bp */
    SENDMAIL_RETRY,   /* -q */
    SENDMAIL_ALIASES  /* -bi, -I */
};

struct sendmail_options {
    enum sendmail_mode mode;
    bool recipients_in_header; /* -t */
    bool ignore_dots;          /* -i, -oi, -O IgnoreDots */
    bool verbose;              /* -v */
    const char *sender;        /* -f, -r; NULL: the user */
    const char *full_name;     /* -F; NULL: what passwd says */
    unsigned notify;           /* -N: SMTP_NOTIFY_* bits; 0: not given */
    int ret;                   /* -R: enum smtp_ret */
    const char *envid;         /* -V; NULL: not given */
    char **recipients;
    int n_recipients;
};

/* The options of sendmail(1) as Postfix has them; those that mean nothing here are accepted. EX_OK, or
 * EX_USAGE after a sentence. */
int sendmail_parse(int argc, char **argv, struct cli *cli, struct sendmail_options *ret);

/* cmd_sendmail.c: NULL when there is none */
const char *sendmail_socket_path(const struct conf *c);

/* sendmail_send.c: they connect to the socket for local mail at path */
struct sendmail_way {
    const char *socket;
    const char *maildrop; /* where messages are kept that no server, or a server not now, takes */
    bool picked_up;       /* the message comes from there, and for it: */
    str hostname;
    uint64_t bounce_limit; /* larger messages are not returned whole */
};
/* The message on standard input. */
int sendmail_deliver(const struct sendmail_options *o, const struct sendmail_way *way);
/* A message that was read already, in LF form. Recipients who are refused for now get it later, from the
 * maildrop. With picked_up, who is refused for good is told of in a notification to the sender, and that
 * is EX_OK.
 * EX_TEMPFAIL with *ret_absent: no server answers; nothing was printed or kept, but why is told. EX_TEMPFAIL
 * otherwise: it could not be kept, or with picked_up: nobody was given anything, so it may stay as it is. */
int sendmail_send(const struct sendmail_options *o, const struct sendmail_way *way, str raw, bool *ret_absent,
                  struct err *why);
int sendmail_smtp(const char *path);

/* sendmail_drop.c: STATE/maildrop, where everybody may put files (mode 1733), and the master looks for them
 */
void sendmail_drop_path(const struct conf *c, struct buf *out);
/* RC_TEMP with e: the message could not be stored. */
MUST_USE enum rc sendmail_drop(const struct sendmail_options *o, const char *folder, str raw, struct err *e);

/* cmd_mailq.c */
int sendmail_list(struct cli *cli);
int sendmail_retry(struct cli *cli);

#endif
