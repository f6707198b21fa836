/* export: where malle export writes to. A sink makes a new folder, of its caller and closed to all others,
 * and writes there alone, so that nothing of anybody else can be followed or replaced. Every function returns
 * a status after a sentence. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "cli/mail_session.h"

struct export_sink;

struct export_message {
    const struct imap_fetched *fetched; /* its body is not used */
    str content;                        /* with LF line ends */
};

struct export_kind {
    /* Makes the folder. NULL: the status is *ret_status. */
    struct export_sink *(*open)(const struct conf *conf, const char *folder, int *ret_status);
    int (*begin)(struct export_sink *s, const struct mail_box *box); /* a mailbox, with its counts */
    int (*put)(struct export_sink *s, const struct export_message *m);
    int (*end)(struct export_sink *s);   /* of that mailbox */
    int (*close)(struct export_sink *s); /* everything is on the disk with CLI_FINE */
};
extern const struct export_kind
    export_maildir; /* Maildir++ with UIDs, flags and keywords, as Dovecot reads it */
extern const struct export_kind export_mbox; /* a file MAILBOX.mbox for each */

/* Makes a folder that is not there yet and opens it; -1 after a sentence. */
int export_folder(const char *path);

#endif
