/* doveconf_filter: what doveconf -f says of a session, and which blocks of the kinds protocol, local,
 * local_name and remote hold for it. */
#ifndef CLI_DOVECONF_FILTER_H
#define CLI_DOVECONF_FILTER_H

#include "fmt/dovecot_conf.h"
#include "fmt/ip.h"

struct doveconf_filter {
    str protocol, local_name;          /* p NULL: not said */
    str local, remote;                 /* as they were said ... */
    struct ip_net at_local, at_remote; /* ... and the address that is meant */
};

/* "protocol=imap", "service=imap", which is the same, "lname=HOST", "local=ADDRESS" or "remote=ADDRESS". The
 * text must outlive f. RC_GONE: there is no such filter; RC_TEMP: a name of a host has no address, *e says
 * why. */
MUST_USE enum rc doveconf_filter_take(struct doveconf_filter *f, const char *text, struct err *e);

/* Whether what was said is otherwise than the filter block, or one around it, wants. */
bool doveconf_filter_misses(const struct doveconf_filter *f, const struct dovecot_block *b);

/* conf as it is for such a session: dovecot_conf_lift. */
MUST_USE enum rc doveconf_filter_apply(const struct doveconf_filter *f, const struct dovecot_conf *conf,
                                       struct arena *a, struct dovecot_conf *ret);

/* Whether a is printed before b, and whose settings count less: as Dovecot sorts filter blocks. */
bool doveconf_filter_is_less(const struct dovecot_block *a, const struct dovecot_block *b);

#endif
