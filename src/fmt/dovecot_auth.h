/* dovecot_auth: lines of Dovecot's authentication protocol, both ends: the client protocol 1.2 (Postfix, Exim
 * and login processes ask whether somebody may log in) and the master protocol 1.1 (delivery agents and tools
 * ask who a user is).
 *
 * Pure: one line without its LF in, one value out. Fields are separated by TAB; a value's TAB, LF, CR, NUL
 * and \001 are written as \001 and a letter. Views lie in the arena, but for base64, which stays in the line
 * (it may hold a password). */
#ifndef FMT_DOVECOT_AUTH_H
#define FMT_DOVECOT_AUTH_H

#include "base/buf.h"

struct arena;

enum {
    DOVECOT_AUTH_MAJOR = 1,
    DOVECOT_AUTH_CLIENT_MINOR = 2,
    DOVECOT_AUTH_MASTER_MINOR = 1,
    DOVECOT_AUTH_LINE_MAX = 8192, /* bytes; what Dovecot reads, too */
    DOVECOT_AUTH_COOKIE = 16      /* bytes of the server's cookie, which is sent in hexadecimal */
};

/* --- what clients say --- */
enum dovecot_auth_verb {
    DOVECOT_AUTH_VERSION,
    DOVECOT_AUTH_CPID,
    DOVECOT_AUTH_AUTH,
    DOVECOT_AUTH_CONT,
    DOVECOT_AUTH_CANCEL,
    DOVECOT_AUTH_USER,
    DOVECOT_AUTH_PASS,
    DOVECOT_AUTH_LIST,
    DOVECOT_AUTH_OTHER /* a verb that is not served here */
};

struct dovecot_auth_request {
    enum dovecot_auth_verb verb;
    uint32_t major; /* VERSION */
    uint32_t
        id; /* CPID: the client's process id; else the request's number, in all verbs but VERSION and OTHER */
    str name;              /* AUTH: the mechanism; USER and PASS: the user */
    str service;           /* AUTH, USER, PASS, LIST; may be empty */
    str client_ip;         /* AUTH: rip=; may be empty */
    str session;           /* AUTH: session=; may be empty */
    bool takes_final_data; /* AUTH: final-resp-ok: data with success, as resp= of OK */
    bool has_response;     /* AUTH; always with CONT */
    str response;          /* base64, not looked at; a view into the line */
};
/* RC_INVALID: malformed, with a NUL, or a number is missing; RC_LIMIT: the arena is exhausted. */
MUST_USE enum rc dovecot_auth_parse_request(str line, struct arena *a, struct dovecot_auth_request *ret);

/* --- what a server says: of the client protocol, and to USER of the master protocol --- */
enum dovecot_auth_answer {
    DOVECOT_AUTH_HAS_VERSION,
    DOVECOT_AUTH_HAS_MECHANISM,
    DOVECOT_AUTH_HELLO_DONE,
    DOVECOT_AUTH_OK,
    DOVECOT_AUTH_CHALLENGE,
    DOVECOT_AUTH_FAIL,
    DOVECOT_AUTH_FOUND, /* a user, whose fields follow */
    DOVECOT_AUTH_NOT_FOUND,
    DOVECOT_AUTH_OTHER_ANSWER /* SPID, CUID, COOKIE and what is to come */
};

struct dovecot_auth_reply {
    enum dovecot_auth_answer answer;
    uint32_t major; /* HAS_VERSION */
    uint32_t id;    /* OK, CHALLENGE, FAIL, FOUND, NOT_FOUND */
    str name;       /* HAS_MECHANISM */
    bool plaintext; /* HAS_MECHANISM: shows the password to whoever listens */
    bool hidden;    /* HAS_MECHANISM: anonymous, or not for everybody ("private") */
    str challenge;  /* CHALLENGE: base64; a view into the line */
    str user;       /* OK, FAIL: who it is, may be empty; FOUND */
    bool has_ids;   /* FOUND: uid and gid were told */
    uint32_t uid, gid;
    str home, mail; /* FOUND: may be empty */
    str quota_rule; /* FOUND: the first one; may be empty */
    str reason;     /* FAIL: may be empty */
    bool temporary; /* FAIL */
};
/* As dovecot_auth_parse_request. */
MUST_USE enum rc dovecot_auth_parse_reply(str line, struct arena *a, struct dovecot_auth_reply *ret);

/* --- writing: a verb, its fields, and LF by dovecot_auth_end --- */
void dovecot_auth_begin(struct buf *out, str verb);
void dovecot_auth_put(struct buf *out, str field); /* escaped */
void dovecot_auth_put_number(struct buf *out, uint64_t n);
void dovecot_auth_put_value(struct buf *out, str name, str value); /* name=value, the value escaped */
void dovecot_auth_end(struct buf *out);

/* A field as it was before it was escaped, in the arena. RC_INVALID: a NUL, which no value here may hold;
 * RC_LIMIT: the arena is exhausted. */
MUST_USE enum rc dovecot_auth_unescape(str field, struct arena *a, str *ret);

#endif
