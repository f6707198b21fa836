/* restriction: the words of Postfix's SMTP access restriction lists (postconf(5), SMTPD_ACCESS_README), read
 * off a text one by one.
 *
 *   list        = *( restriction separator )           ; separators are commas and white space
 *   restriction = name [ argument ] / type ":" table   ; the latter in lists that say what is looked up
 *   classes     = *( name "=" list ";" )               ; restrictions of one's own, of which each is a list
 *
 * An argument in braces is one word. Names are compared without case. Pure; all results are views. */
#ifndef FMT_RESTRICTION_H
#define FMT_RESTRICTION_H

#include "base/str.h"

enum {
    RESTRICTION_SLEEP_MAX = 600,  /* seconds */
    RESTRICTION_NESTING_MAX = 100 /* lists within lists */
};

/* Where a list stands, which decides what a table without a restriction's name is asked for. */
enum restriction_list {
    RESTRICTION_CLIENT,
    RESTRICTION_HELO,
    RESTRICTION_SENDER,
    RESTRICTION_RELAY,
    RESTRICTION_RECIPIENT,
    RESTRICTION_DATA,
    RESTRICTION_END_OF_DATA,
    RESTRICTION_LISTS
};

enum restriction_kind {
    RESTRICTION_UNKNOWN, /* no such name */
    RESTRICTION_UNSUPPORTED,
    RESTRICTION_CLASS, /* one of the classes */
    RESTRICTION_PERMIT,
    RESTRICTION_REJECT,
    RESTRICTION_DEFER,
    RESTRICTION_WARN_IF_REJECT,
    RESTRICTION_DEFER_IF_PERMIT,
    RESTRICTION_DEFER_IF_REJECT,
    RESTRICTION_SLEEP,
    RESTRICTION_REJECT_PLAINTEXT,
    RESTRICTION_REJECT_PIPELINING,
    RESTRICTION_POLICY,
    RESTRICTION_ACCESS, /* a table is asked for `subject`, or for its servers */
    RESTRICTION_RBL,    /* a DNS list is asked for the client's address */
    RESTRICTION_DNSWL,
    RESTRICTION_RHSBL, /* ... for the domain of `subject` */
    RESTRICTION_RHSWL,
    RESTRICTION_PERMIT_INTERFACES,
    RESTRICTION_PERMIT_NETWORKS,
    RESTRICTION_PERMIT_SASL,
    RESTRICTION_PERMIT_CCERT,     /* whose certificate relay_clientcerts has */
    RESTRICTION_PERMIT_ALL_CCERT, /* or is trusted */
    RESTRICTION_PERMIT_DESTINATION,
    RESTRICTION_PERMIT_MX_BACKUP,
    RESTRICTION_REJECT_DESTINATION,
    RESTRICTION_DEFER_DESTINATION,
    RESTRICTION_UNKNOWN_CLIENT,
    RESTRICTION_UNKNOWN_REVERSE,
    RESTRICTION_INVALID_HELO,
    RESTRICTION_NON_FQDN_HELO,
    RESTRICTION_UNKNOWN_HELO,
    RESTRICTION_NON_FQDN_ADDRESS, /* of subject: sender or recipient */
    RESTRICTION_UNKNOWN_DOMAIN,
    RESTRICTION_UNLISTED,
    RESTRICTION_UNVERIFIED,
    RESTRICTION_LOGIN_MISMATCH,
    RESTRICTION_MULTI_RECIPIENT_BOUNCE
};

enum restriction_subject {
    RESTRICTION_NOBODY,
    RESTRICTION_OF_CLIENT,
    RESTRICTION_OF_REVERSE_CLIENT,
    RESTRICTION_OF_HELO,
    RESTRICTION_OF_SENDER,
    RESTRICTION_OF_RECIPIENT,
    RESTRICTION_OF_SASL,
    RESTRICTION_OF_CCERT /* the fingerprints of its certificate and of the key in it */
};

enum restriction_servers { RESTRICTION_ITSELF, RESTRICTION_ITS_NS, RESTRICTION_ITS_MX, RESTRICTION_ITS_A };

enum {                                 /* struct restriction.logins */
       RESTRICTION_LOGINS_WITH = 1,    /* clients that logged in */
       RESTRICTION_LOGINS_WITHOUT = 2, /* those that did not */
       RESTRICTION_LOGINS_KNOWN = 4    /* only senders that have an owner */
};

enum restriction_argument {
    RESTRICTION_NO_ARGUMENT,
    RESTRICTION_TABLE,
    RESTRICTION_DOMAIN,
    RESTRICTION_SERVER,
    RESTRICTION_NUMBER
};

struct restriction {
    enum restriction_kind kind;
    enum restriction_subject subject;
    enum restriction_servers servers;
    unsigned logins;
    enum restriction_argument takes;
    str name;     /* as it stands there; of a table without a name: that of the restriction that is meant */
    str argument; /* of a policy service its "inet:host:port" or "unix:path" */
    str options;  /* of a policy service in braces: what follows, "name = value" separated by commas */
    unsigned seconds; /* of sleep */
};

/* Takes the next restriction off *list. RC_GONE: no more. RC_INVALID with e: unknown (*ret has the name), an
 * argument that is missing or wrong, a table that is not after a name where one is needed, a brace that is
 * not closed (*list is then empty). RC_PERM with e: a restriction that malle does not have. */
MUST_USE enum rc restriction_take(str *list, enum restriction_list where, str classes,
                                  struct restriction *ret, struct err *e);

/* The list of a class. False: there is none of this name. */
bool restriction_find_class(str classes, str name, str *ret_list);
/* Takes the next class. RC_GONE: no more; RC_INVALID with e: no "=", no name, or the name of a restriction.
 */
MUST_USE enum rc restriction_take_class(str *classes, str *ret_name, str *ret_list, struct err *e);

/* One option of a policy service, "name = value" or "name=value", off *options. RC_GONE, RC_INVALID. */
MUST_USE enum rc restriction_take_option(str *options, str *ret_name, str *ret_value);

/* The names of all restrictions, for those who guess what was meant; NULL behind the last. */
const char *restriction_name(size_t i);

#endif
