/* smtp_cmd: SMTP command lines, and the arguments of MAIL and RCPT (RFC 5321 §4.1.1).
 *
 * Pure; results live in the arena they are parsed into. struct err carries the whole reply: 501, 553 or 555
 * with enhanced status. Parameters: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954),
 * RET ENVID NOTIFY ORCPT (RFC 3461, RFC 6533); and, where the server announces them, BODY=BINARYMIME (RFC
 * 3030), MT-PRIORITY (RFC 6710), HOLDFOR HOLDUNTIL (RFC 4865), BY (RFC 2852), REQUIRETLS (RFC 8689). A
 * parameter given twice is refused. Source routes are read and ignored (RFC 5321 Appendix C). Departure from
 * the grammar: spaces between "FROM:" and the path are accepted, because clients send them. */
#ifndef FMT_SMTP_CMD_H
#define FMT_SMTP_CMD_H

#include "fmt/mailaddr.h"

enum {
    SMTP_ENVID_MAX = 100, /* RFC 3461 §4.4, encoded */
    SMTP_ORCPT_MAX = 500  /* RFC 3461 §4.2, encoded with its type */
};

enum { /* extensions that not every server has; parameters of others are refused as unknown */
       SMTP_EXT_BINARYMIME = 1,
       SMTP_EXT_MT_PRIORITY = 2,
       SMTP_EXT_FUTURERELEASE = 4,
       SMTP_EXT_DELIVERBY = 8,
       SMTP_EXT_REQUIRETLS = 16
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };
enum smtp_by { SMTP_BY_UNSET, SMTP_BY_RETURN, SMTP_BY_NOTIFY };
enum smtp_ret { SMTP_RET_UNSET, SMTP_RET_FULL, SMTP_RET_HDRS };
enum { /* NOTIFY, 0 when not given; NEVER stands alone */
       SMTP_NOTIFY_NEVER = 1,
       SMTP_NOTIFY_SUCCESS = 2,
       SMTP_NOTIFY_FAILURE = 4,
       SMTP_NOTIFY_DELAY = 8
};

struct smtp_mail {
    bool null_sender; /* MAIL FROM:<>; from is empty */
    struct mailaddr from;
    uint64_t size; /* 0: not announced */
    enum smtp_body body;
    bool smtputf8;
    enum smtp_ret ret;
    str envid; /* decoded; p NULL: not given */
    str auth;  /* decoded mailbox, or "<>"; p NULL: not given */
    bool has_priority;
    int priority;       /* -9 (lowest) to 9, RFC 6710 §3 */
    uint32_t hold_for;  /* seconds, 0: not given */
    int64_t hold_until; /* seconds since 1970, 0: not given; never both; may be past */
    enum smtp_by by;    /* RETURN: undelivered by then, it goes back; NOTIFY: its sender is told */
    int32_t by_seconds; /* from now; negative only with NOTIFY, RFC 2852 §4 */
    bool by_trace;      /* relays are to be told of */
    bool require_tls;
};

struct smtp_rcpt {
    bool postmaster; /* RCPT TO:<postmaster> without a domain; to.local is "postmaster", to.domain empty */
    struct mailaddr to;
    unsigned notify;
    str orcpt_type, orcpt; /* decoded; p NULL: not given */
};

/* "VERB rest": the rest without surrounding spaces. */
void smtp_cmd_split(str line, str *ret_verb, str *ret_args);
/* args: what follows MAIL, "FROM:<...> ...". extensions: SMTP_EXT_... that were announced. RC_INVALID,
 * RC_PERM or RC_LIMIT with e filled. */
MUST_USE enum rc smtp_cmd_parse_mail(str args, unsigned extensions, struct arena *a, struct smtp_mail *ret,
                                     struct err *e);
/* args: what follows RCPT. smtputf8: MAIL had SMTPUTF8. */
MUST_USE enum rc smtp_cmd_parse_rcpt(str args, bool smtputf8, struct arena *a, struct smtp_rcpt *ret,
                                     struct err *e);
/* The argument of EHLO, HELO and LHLO: a domain or address literal, with whatever else of printable ASCII
 * real clients put there; 1 to 255 bytes, no spaces. */
MUST_USE enum rc smtp_cmd_check_helo(str args);
/* priority-value = (["-"] %x31-39) / "0"   (RFC 6710 §7) */
MUST_USE enum rc smtp_cmd_parse_priority(str text, int *ret);
/* xtext (RFC 3461 §4): "+2B" stands for "+". RC_INVALID: not xtext. The result may hold any byte. */
MUST_USE enum rc smtp_cmd_decode_xtext(str text, struct arena *a, str *ret);

#endif
