/* sendmail_impl: shared by the files that send a message for sendmail(1), and by nobody else. */
#ifndef CLI_SENDMAIL_IMPL_H
#define CLI_SENDMAIL_IMPL_H

#include "cli/sendmail.h"
#include "fmt/smtp_cmd.h"
#include "smtp/client.h"

/* A message, and those of its recipients whom it will never reach. */
struct sendmail_refused {
    str header, body;
    str sender; /* "" for <> */
    str owner;  /* the address of who wrote it */
    str envid;  /* p NULL: none */
    enum smtp_ret ret;
    const struct smtp_client_rcpt *rcpts;
    size_t n;
};

/* Tells the sender; where it may not be used or takes nothing, the owner; else, and for a message without
 * sender, the postmaster. RC_OK: somebody was told; RC_TEMP: not now; RC_PERM: nobody takes it. */
MUST_USE enum rc sendmail_bounce(struct smtp_client *c, const struct sendmail_refused *r,
                                 const struct sendmail_way *way, struct arena *a);

#endif
