/* Shared by the files imap/shared*.c only. */
#ifndef IMAP_SHARED_IMPL_H
#define IMAP_SHARED_IMPL_H

#include "imap/client.h"
#include "imap/shared.h"

struct shared_guest { /* the session in one owner's cage */
    struct shared_guest *next;
    char *owner;
    char *selected; /* the mailbox that the client has selected there; else NULL */
    struct imap_client *client;
    struct imap_reader reader; /* of responses that are passed on */
    bool within;               /* one of them, behind a literal */
    bool ending;               /* it said BYE */
    unsigned enabled;          /* enum imap_enabled, as far as it was told */
};

/* The owner of a mailbox by this name; STR_NONE: it is none of others. */
str shared_owner(const struct imap_session *s, str name);
struct shared_guest *shared_selected(const struct imap_session *s);
/* The owner's session, which is started where there is none. NULL: there is no such account, or none for this
 * user, or not now. */
struct shared_guest *shared_guest(struct imap_session *s, str owner);
/* It has ended, or does not speak IMAP; where its mailbox was the selected one this session ends as well. */
void shared_lose(struct imap_session *s, struct shared_guest *g);

/* Sends what was written with imap_client_command. take is called with each response that is data, and says
 * whether it is part of the answer; others tell what changed in the mailbox that the client has selected, and
 * are passed on. Results as imap_client_run has them; *ret of take ends the answer. */
typedef bool shared_take(void *ctx, const struct imap_response *r, struct imap_lex *lex, enum rc *ret);
MUST_USE enum rc shared_ask_client(struct imap_session *s, struct shared_guest *g, shared_take *take,
                                   void *ctx, struct err *e);

struct shared_relay {
    str tag;                  /* up to whose response */
    bool hides;               /* that one is not passed on */
    bool continues;           /* up to "+", too, which is not passed on */
    bool silent;              /* no continuation is */
    enum imap_condition said; /* how it ended */
};
/* Passes on what has come, or waits for something. *ret_done: the last of it. RC_GONE: shared_lose. */
MUST_USE enum rc shared_relay_some(struct imap_session *s, struct shared_guest *g, struct shared_relay *r,
                                   bool *ret_done);
/* Sends what was written, and passes on all up to the tagged response. */
MUST_USE enum rc shared_relay(struct imap_session *s, struct shared_guest *g, struct shared_relay *r);

/* shared_copy.c: COPY and MOVE between mailboxes of different owners. */
void shared_copy(struct imap_session *s, struct imap_lex *lex);
/* Answers as for a mailbox that does not exist. */
void shared_refuse_unknown(struct imap_session *s);

#endif
