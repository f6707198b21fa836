/* doveconf -f: which blocks hold for a session. */
#include "cli/doveconf_filter.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

/* --- what was said --- */

/* The first address of a host. */
static enum rc find_address(const char *what, str host, struct ip_net *ret, struct err *e)
{
    AUTO(str_freep) char *name = str_dup(host);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    char text[NI_MAXHOST] = "";
    int why = getaddrinfo(name, NULL, &hints, &all);
    if (why != 0)
        return err_set(e, RC_TEMP, 0, "", "%s filter: %s has no address: %s", what, name, gai_strerror(why));
    why = getnameinfo(all->ai_addr, all->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(all);
    if (why != 0 || ip_parse(str_c(text), ret) != RC_OK)
        return err_set(e, RC_TEMP, 0, "", "%s filter: %s has no address", what, name);
    return RC_OK;
}

static enum rc take_address(const char *what, str value, str *said, struct ip_net *at, struct err *e)
{
    *said = value;
    return ip_net_parse(value, at) == RC_OK ? RC_OK : find_address(what, value, at, e);
}

enum rc doveconf_filter_take(struct doveconf_filter *f, const char *text, struct err *e)
{
    str value = str_c(text), key = str_take(&value, '=');
    if (str_eq(key, S("protocol")) || str_eq(key, S("service")))
        f->protocol = value;
    else if (str_eq(key, S("lname")))
        f->local_name = value;
    else if (str_eq(key, S("local")))
        return take_address("local", value, &f->local, &f->at_local, e);
    else if (str_eq(key, S("remote")))
        return take_address("remote", value, &f->remote, &f->at_remote, e);
    else
        return RC_GONE;
    return RC_OK;
}

/* --- the blocks --- */

enum fit { FIT_UNSAID, FIT_YES, FIT_NO };

static enum fit fit_of(str said, bool fits)
{
    return !said.p ? FIT_UNSAID : fits ? FIT_YES : FIT_NO;
}

/* "imap" or "!imap" */
static bool is_protocol(str wanted, str protocol)
{
    bool other = str_starts(wanted, S("!"));
    return str_eq(str_from(wanted, other), protocol) != other;
}

/* "mail.example.com", or "*.example.com" for one more label */
static bool is_name(str wanted, str name)
{
    ptrdiff_t dot = str_chr(name, '.');
    if (str_starts(wanted, S("*.")) && dot > 0)
        return str_ieq(str_from(wanted, 1), str_from(name, (size_t)dot));
    return str_ieq(wanted, name);
}

static bool is_address(str wanted, str said, const struct ip_net *at)
{
    struct ip_net net;
    return ip_net_parse(wanted, &net) == RC_OK ? ip_net_has(&net, at) : str_ieq(wanted, said);
}

static enum fit fit_one(const struct doveconf_filter *f, const struct dovecot_block *b)
{
    if (str_eq(b->kind, S("protocol")))
        return fit_of(f->protocol, is_protocol(b->name, f->protocol));
    if (str_eq(b->kind, S("local_name")))
        return fit_of(f->local_name, is_name(b->name, f->local_name));
    if (str_eq(b->kind, S("local")))
        return fit_of(f->local, is_address(b->name, f->local, &f->at_local));
    return fit_of(f->remote, is_address(b->name, f->remote, &f->at_remote));
}

bool doveconf_filter_misses(const struct doveconf_filter *f, const struct dovecot_block *b)
{
    for (; b; b = b->parent)
        if (fit_one(f, b) == FIT_NO)
            return true;
    return false;
}

static bool is_chosen(const struct doveconf_filter *f, const struct dovecot_block *b)
{
    for (; b; b = b->parent)
        if (fit_one(f, b) != FIT_YES)
            return false;
    return true;
}

/* --- their order --- */

/* The longer prefix, and what is behind it in: local_name, local, remote, protocol. */
static unsigned long weight(const struct dovecot_block *b)
{
    unsigned long sum = 0;
    for (; b; b = b->parent) {
        struct ip_net net = {.bits = 128}; /* of a host's name, too */
        (void)!ip_net_parse(b->name, &net);
        if (str_eq(b->kind, S("local_name")))
            sum += 1UL << 24;
        else if (str_eq(b->kind, S("local")))
            sum += (net.bits + 1UL) << 16;
        else if (str_eq(b->kind, S("remote")))
            sum += (net.bits + 1UL) << 8;
        else
            sum += 1;
    }
    return sum;
}

bool doveconf_filter_is_less(const struct dovecot_block *a, const struct dovecot_block *b)
{
    unsigned long of_a = weight(a), of_b = weight(b);
    return of_a != of_b ? of_a < of_b : a->id < b->id;
}

static int heaviest_first(const void *a, const void *b)
{
    const struct dovecot_block *const *x = a, *const *y = b;
    return doveconf_filter_is_less(*x, *y) ? 1 : -1;
}

enum rc doveconf_filter_apply(const struct doveconf_filter *f, const struct dovecot_conf *conf,
                              struct arena *a, struct dovecot_conf *ret)
{
    size_t n = 0;
    const struct dovecot_block **chosen = arena_array(a, conf->block_count + 1, sizeof *chosen);
    if (!chosen)
        return RC_LIMIT;
    for (size_t i = 0; i < conf->block_count; i++)
        if (dovecot_block_is_filter(conf->blocks[i]->kind) && is_chosen(f, conf->blocks[i]))
            chosen[n++] = conf->blocks[i];
    qsort(chosen, n, sizeof *chosen, heaviest_first);
    return dovecot_conf_lift(conf, chosen, n, a, ret);
}
