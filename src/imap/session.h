/* session: one IMAP session after log-in (RFC 3501, RFC 9051 §3), from the tagged OK of AUTHENTICATE or LOGIN
 * to BYE.
 *
 * Runs single-threaded in the caged session process: straight-line code over a stream and the account's
 * store. A command is gathered, looked up in the table (command.h), run, announced for (announce.h) and
 * answered (reply.h) before the next one is read; pipelined commands wait in the stream. The arena is reset
 * per command. */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "fmt/imap_lex.h"
#include "fmt/imap_reader.h"
#include "fmt/mail_log.h"
#include "os/stream.h"
#include "store/store.h"

/* What the session tells and asks its process about changes of mailboxes. Members may be NULL (no
 * notification). */
struct imap_ops {
    void (*watch)(void *ctx, str mailbox,
                  const int fds[2]); /* replaces the watch: descriptors of box_watch_fds */
    void (*unwatch)(void *ctx);
    void (*changed)(void *ctx, str mailbox); /* we changed it: others must look; "": which there are */
    /* for NOTIFY, of other mailboxes than the selected one: drops all of their watches; adds one; adds one
       for the names, from store_names_fd, and wakes at once */
    void (*unwatch_others)(void *ctx);
    void (*watch_also)(void *ctx, str mailbox, const int fds[2]);
    void (*watch_names)(void *ctx, int fd);
    void (*wake_clear)(void *ctx); /* wake_fd was readable: take what is there */
    void (*give_back)(void *ctx);  /* UNAUTHENTICATE: all is said, the connection goes back to before log-in;
                                      NULL: it cannot, and the command is not offered */
    /* For mailboxes of others (imap/shared.h). A connection to a session in the owner's cage that serves this
       user, or -1; one that ends at once says that there is none. */
    int (*open_shared)(void *ctx, str owner);
    /* Who shares mailboxes with this user; in the arena. */
    enum rc (*find_shared)(void *ctx, struct arena *a, str **ret_owners, size_t *ret_n);
    void (*tell_shared)(void *ctx, const str *users, size_t n); /* all with whom this account shares any */
    void *ctx;
    int wake_fd; /* readable when a watched mailbox may have changed; -1: none */
};

enum { IMAP_WATCHES_MAX = 200 }; /* of watch_also, for one session */

struct imap_limits {       /* 0 takes the default */
    size_t line_max;       /* 64 KiB */
    size_t literal_max;    /* 64 KiB, of literals other than APPEND's */
    unsigned literals_max; /* 64 in one command */
    size_t set_ranges_max; /* 10,000 elements of a sequence-set */
    unsigned bad_max;      /* 20 commands in a row answered BAD */
    msec idle_ms;          /* 30 min without a command (RFC 9051 §5.4) */
    msec keepalive_ms;     /* 2 min between "Still here" lines of IDLE */
    uint32_t messages_max; /* in one command (RFC 9738); 0: any number */
    uint32_t saved_max;    /* the same of COPY and APPEND alone */
    msec progress_ms; /* 10 s between lines about a command's progress; below 0: at every step, for tests */
};

/* What an idle session leaves behind when it parks. */
enum { IMAP_END_MAX = 1000 };
#define IMAP_SIGN_OF_LIFE "* OK Still here\r\n"
struct imap_parked {
    struct buf record; /* made with PARKED_MAX; empty: it did not park */
    struct buf end;    /* made with IMAP_END_MAX: what the log says when the client goes meanwhile */
    msec deadline;     /* when it must go on at the latest, since the client was silent too long then */
    bool idling;       /* it goes on when the mailbox changes, too, and IMAP_SIGN_OF_LIFE is sent ... */
    msec sign_ms;      /* ... so often */
};

struct imap_start {
    struct stream *stream; /* belongs to the caller, as do all members */
    struct store *store;
    str tag;                          /* of the command that logged in */
    str account;                      /* "demo@malle.test": for logs, and who owns the mailboxes */
    str session_id, client;           /* for the log */
    str logout_format;                /* Dovecot's imap_logout_format; empty: nothing is told */
    str quota_name;                   /* of the one quota root */
    str server_comment, server_admin; /* /shared/comment and /shared/admin (RFC 5464 §6.2.1); empty: none */
    struct mail_log_terms mail_log;   /* what is told of messages */
    str capabilities;                 /* what is changed of those that are told (fmt/capability_list.h) */
    bool acl_anyone;                  /* owners may give rights to everybody */
    bool strict_headers;              /* UTF-8 in headers is for those alone who say that they know it */
    char separator;
    str shared_prefix; /* in front of the owner in names of mailboxes of others; empty: they are not served */
    uint64_t append_max; /* bytes of an APPEND, refused at its announcement */
    struct imap_limits limits;
    struct imap_ops ops;
    struct imap_parked *parked; /* filled by a session that parks; NULL: it never does */
    msec park_ms;               /* how long it is idle before */
    str resume; /* the record of the parked session that goes on here; empty: this is a new one */
};

/* Serves the session until LOGOUT, UNAUTHENTICATE, autologout, a broken connection, or until it parks: the
 * stream's descriptor is then for whoever goes on. Returns the process's exit status: 0 for any of these, 1
 * when the store failed so that the session could not go on. */
int imap_session(const struct imap_start *start);

/* What the client switched on (RFC 5161); CONDSTORE also by using it (RFC 7162 §3.1). */
enum imap_enabled {
    IMAP_CONDSTORE = 1,
    IMAP_QRESYNC = 2,
    IMAP_UIDONLY = 4, /* no message sequence numbers (RFC 9586) */
    IMAP_REV2 = 8, /* UTF-8 names, ESEARCH for SEARCH, LIST with SELECT, no \Recent (RFC 9051 Appendix E) */
    IMAP_UNTOLD = 16,   /* NOTIFY NONE: no changes are told (RFC 5465 §3.1) */
    IMAP_UTF8 = 32,     /* UTF8=ACCEPT: names and strings in UTF-8, headers as they are (RFC 9755 §3) */
    IMAP_METADATA = 64, /* changes of annotations are told (RFC 5464 §4.4) */
    IMAP_KNOWS_UTF8 = IMAP_REV2 | IMAP_UTF8 /* what RFC 9755 adds, IMAP4rev2 has */
};

struct imap_command;
struct context;
struct fetch_message;
struct notify;
struct shared_guest;

/* State that commands share. A command file may keep a struct of its own behind a member here. */
struct imap_session {
    const struct imap_start *start;
    struct imap_limits limits; /* defaults filled in */
    struct stream *io;
    struct store *store;
    struct arena *arena; /* of the command being run */
    struct imap_reader reader;
    struct buf out; /* the response line being made; imap_send empties it */
    str tag;        /* of the command being run; "" while there is none */
    const struct imap_command *command;

    struct box *box;     /* NULL in the authenticated state */
    char *box_name;      /* UTF-8, heap */
    struct uidset saved; /* result saved by SEARCH (RFC 5182); cleared by SELECT, expunged UIDs leave it */
    struct fetch_message *reading; /* the message that FETCH keeps open between slices; NULL: none yet */
    unsigned enabled;              /* enum imap_enabled */
    struct notify *notify;         /* since NOTIFY SET; else NULL */
    struct context *contexts;      /* searches with UPDATE (RFC 5267) */
    struct uidset touched; /* messages of which this client changed flags, not looked at by contexts yet */
    size_t keywords_told;  /* names that the last FLAGS response listed */

    struct imap_sent { /* headers and bodies that FETCH sent, for the log */
        uint64_t headers, header_bytes, bodies, body_bytes;
    } sent;
    struct imap_done {                                 /* messages, for the log */
        uint64_t deleted, expunged, trashed, appended; /* trashed: copied to where \Trash is */
    } done;
    struct stream_traffic earlier; /* of the sessions before this one, when it was parked */

    msec idle_end; /* of the IDLE under way: the client is silent too long then */
    bool unasked;  /* it goes on after parking in IDLE, and the client has said nothing since */
    struct {       /* of the command being run; imap/progress.h */
        msec next;
        uint32_t done, goal; /* told last; 0: none yet */
        bool vague;          /* another part has begun: no numbers */
    } progress;

    struct shared_guest *guests; /* that serve mailboxes of others (imap/shared.h) */

    unsigned bad_in_row;
    bool closing;         /* BYE was sent: end after this command */
    bool unauthenticated; /* the connection goes on without this session (RFC 8437) */
    bool lost;            /* the connection ended or timed out: nothing more can be said */
    int status;
};

/* The next event of the reader, for commands that take more from the client than their text (APPEND, IDLE).
 * Flushes before it waits. RC_GONE: the connection ended, or the client was silent too long (BYE was sent):
 * closing and lost are set; the command returns at once. */
MUST_USE enum rc imap_read_event(struct imap_session *s, enum imap_event *ret);

/* Sends s->out as it is and empties it; the commands build a line there and end it with CRLF. Past its
 * maximum of 1 MiB the line is cut off by BYE and the session ends: half a response must not be followed by
 * another. */
void imap_send(struct imap_session *s);

/* Whether the client gets and gives headers in ASCII alone (RFC 9755 §4, §8). */
static inline bool imap_headers_are_ascii(const struct imap_session *s)
{
    return s->start->strict_headers && !(s->enabled & IMAP_KNOWS_UTF8);
}

/* A cursor over text of the client's, which knows how this client writes. */
void imap_lex_begin(const struct imap_session *s, str text, struct imap_lex *ret);

/* Bytes since the log-in. */
struct stream_traffic imap_traffic(const struct imap_session *s);
/* The log's words for the end: "Disconnected: Logged out in=54 out=1334 ...". */
void imap_put_end(const struct imap_session *s, const char *how, struct buf *out);

/* The capabilities that hold after log-in, APPENDLIMIT among them (RFC 7889 §3), and MESSAGELIMIT (RFC 9738).
 */
void imap_put_capabilities(struct imap_session *s);

/* The selected mailbox: closes the present one, if any (`* OK [CLOSED]` is the caller's), and forgets all
 * about it. */
void imap_box_close(struct imap_session *s);
/* The same behind an expunge of so many messages that is not told. */
void imap_box_close_expunged(struct imap_session *s, uint32_t expunged);

/* sequence-set or, with uid, a set of UIDs (RFC 9051 §9), or "$": takes it off the lexer and gives the UIDs
 * of the view it names. In both forms "*" is the last message; a sequence number past the end is RC_INVALID;
 * UIDs that are not there are left out silently. *ret was initialised by the caller, who also frees it. */
MUST_USE enum rc imap_parse_set(struct imap_session *s, struct imap_lex *lex, bool uid, struct uidset *ret);

/* The same with the UIDs as they are named, whether they are in the view or not; "*" is the last message. */
MUST_USE enum rc imap_parse_uids(struct imap_session *s, struct imap_lex *lex, struct uidset *ret);

/* What a set names in a mailbox that is searched: numbers past its end are no error there (RFC 7377 §2), and
 * "$" is of the selected one. */
MUST_USE enum rc imap_search_set(const struct imap_session *s, const struct box *b, str text, bool uid,
                                 struct uidset *ret);

/* Tells other sessions that a mailbox was changed by this one. */
void imap_changed(struct imap_session *s, str mailbox);
/* The same of the names of mailboxes and of subscriptions: those that a command was about (or STR_NONE). */
void imap_names_changed(struct imap_session *s, str name, str other);

#endif
