/* restrict_impl: what the files of the restrictions (restrict*.c) share; nothing else includes it. */
#ifndef SMTP_RESTRICT_IMPL_H
#define SMTP_RESTRICT_IMPL_H

#include "conf/policy_service.h"
#include "conf/restrictions.h"
#include "fmt/access_result.h"
#include "net/resolver.h"
#include "smtp/restrict.h"
#include "smtp/session_impl.h"
#include "table/maps.h"

enum { RESTRICT_STEPS_MAX = 10000 }; /* restrictions that one command may be put to */

/* What a list or one restriction says. */
enum verdict { DUNNO, PERMITTED, REFUSED };

/* Whom a refusal is about, in its words: "<name>: Helo command rejected: ...". */
struct about {
    str name;
    const char *class;
    enum restriction_list list; /* whose words decide what a table without a name is asked */
};

#define CLASS_CLIENT    "Client host"
#define CLASS_REVERSE   "Unverified Client host"
#define CLASS_HELO      "Helo command"
#define CLASS_SENDER    "Sender address"
#define CLASS_RECIPIENT "Recipient address"
#define CLASS_SASL      "SASL login name"
#define CLASS_CCERT     "Client certificate"
#define CLASS_DATA      "Data command"
#define CLASS_END       "End-of-data"

/* --- the end of it (restrict.c) --- */
enum severity {
    BY_POLICY, /* warn_if_reject makes it a warning */
    BY_FAULT   /* of the configuration or the machine: nothing does */
};
/* Logs and becomes s->restrict_.refusal: REFUSED, or DUNNO where it was only warned of. The first digit of
 * the enhanced status becomes that of the code. */
enum verdict restrict_refuse(struct smtp_session *s, enum severity severity, int code, const char *enhanced,
                             const char *fmt, ...) PRINTF(5, 6);
/* 451 4.3.5, with a line for the log that says what is wrong. */
enum verdict restrict_misconfigured(struct smtp_session *s, const char *fmt, ...) PRINTF(2, 3);
/* Something could not be found out: what would be permitted is refused for now, unless the action is to
 * refuse at once. */
enum verdict restrict_if_permit(struct smtp_session *s, bool at_once, int code, const char *enhanced,
                                const char *fmt, ...) PRINTF(5, 6);
/* What would be refused for ever is refused for now. */
enum verdict restrict_if_reject(struct smtp_session *s, int code, const char *enhanced, const char *fmt, ...)
    PRINTF(4, 5);
/* "ID: info: RCPT from ...: text; ..." */
void restrict_log(struct smtp_session *s, const char *what, str text);
/* Applies a list. */
enum verdict restrict_run(struct smtp_session *s, str list, const struct about *about);

/* --- facts (restrict_address.c) --- */
/* RC_OK: mail for the recipient is accepted from anybody, as it is ours or of relay_domains; RC_GONE: not;
 * RC_TEMP. */
enum rc restrict_destination(struct smtp_session *s);
enum verdict restrict_dict_retry(struct smtp_session *s,
                                 str address); /* 451 4.3.0 Temporary lookup failure */

/* --- restrictions --- */
enum verdict restrict_client(struct smtp_session *s, const struct restriction *r);
enum verdict restrict_helo_name(struct smtp_session *s, const struct restriction *r);
enum verdict restrict_address(struct smtp_session *s, const struct restriction *r, const struct about *about);
enum verdict restrict_access(struct smtp_session *s, const struct restriction *r, const struct about *about);
enum verdict restrict_servers(struct smtp_session *s, const struct restriction *r, struct table_list *table,
                              str name, const struct about *about);
/* What the client showed, NULL: no certificate (restrict_ccert.c). */
const struct tls_ccert *restrict_ccert(const struct smtp_session *s);
/* Asks the table for its fingerprint, and then for that of its key; the value is in the arena. RC_GONE:
 * neither. */
enum rc restrict_find_ccert(struct smtp_session *s, struct table_list *table, struct maps_found *ret,
                            struct err *e);
enum verdict restrict_permit_ccert(struct smtp_session *s, bool all);
enum verdict restrict_dnsbl(struct smtp_session *s, const struct restriction *r);
enum verdict restrict_policy(struct smtp_session *s, const struct restriction *r, const struct about *about);
/* An address of which auth says rc and why: one that is not ours is verified where its mail goes. */
enum verdict restrict_verify(struct smtp_session *s, str address, const char *class, enum rc rc,
                             const struct err *why);
enum verdict restrict_mx_backup(struct smtp_session *s);
/* A right-hand side of access(5) that `source` gave for `key`. */
enum verdict restrict_apply(struct smtp_session *s, str value, const char *source, str key,
                            const struct about *about);
/* One look-up of a table of servers (restrict_dns.c): a name and its parents, or an address and its networks.
 * *ret_found: there was an entry. */
enum verdict restrict_find_host(struct smtp_session *s, struct table_list *table, str name, str address,
                                const struct about *about, bool *ret_found);

/* --- the DNS; each question within dns_timeout, all of one command within a minute and one more --- */
struct restrict_records {
    str *v; /* rdata, in the arena of the restrictions */
    size_t n;
};
/* RC_OK: at least one record; RC_GONE: none, or not a name that can be asked; RC_TEMP. */
enum rc restrict_dns(struct smtp_session *s, str name, enum dns_type type, struct restrict_records *ret);
/* The name of a record of type NS, PTR or (behind its preference) MX, without a dot at its end. */
str restrict_dns_name(struct smtp_session *s, str rdata, enum dns_type type);

/* The parts of a domain or an address behind its "@". */
static inline str restrict_domain(str address)
{
    ptrdiff_t at = str_rchr(address, '@');
    return at < 0 ? address : str_from(address, (size_t)at + 1);
}

#endif
