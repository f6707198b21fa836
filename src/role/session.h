/* session: the life of a process that was forked for one session. It makes the account's Maildir as that
 * user, enters its cage, opens the store and speaks IMAP or POP3 on the stream. The role mailbox forks one
 * for each log-in, and commands fork one for what they do to an account (cli/mail_session.h): mail is never
 * touched by root, nor parsed outside a cage. */
#ifndef ROLE_SESSION_H
#define ROLE_SESSION_H

#include "account/identity.h"
#include "conf/conf.h"
#include "fmt/parked.h"

struct session_setup {
    const struct conf *conf;
    struct account_identity id;
    char mail_root[IDENTITY_PATH_MAX + 1]; /* role/mail_root.h */
    bool imap;                             /* else POP3 */
    int stream_fd;
    int notify_fd; /* to mailbox; -1: nobody is told of changes, and others are heard of at each command only
                    */
    int total_fd;  /* what its domain has together; -1: nothing is counted */
    char guest[IDENTITY_ACCOUNT_MAX + 1]; /* for whom the account's mailboxes are served that are shared with
                                             him; "": for the account itself */
    char tag[128], client[64], session_id[64];
    bool parks;          /* when it is idle */
    size_t record_bytes; /* of the session that goes on here; 0: a new one */
    char record[PARKED_MAX];
};

/* Ends the process. Started by root, it becomes the identity; else it must be that user already. */
_Noreturn void session_process(const struct session_setup *setup);

#endif
