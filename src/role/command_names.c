/* What programs are told of a message: in their environment (local(8)), and in the arguments of transports
 * (pipe(8)). */
#include "role/command_impl.h"

#include "fmt/macro.h"
#include "fmt/mailaddr.h"

#include <stdio.h>

enum { NAMES_ARENA = 16 << 10 };

/* An address and its parts, without quotes. */
struct names {
    str local, domain, user, extension, plain;
};

/* Quotes are for SMTP and headers. What cannot be parsed stays as it is. */
static void split(str address, str delimiters, struct arena *a, struct names *ret)
{
    struct mailaddr m;
    ptrdiff_t at = str_rchr(address, '@');
    *ret = (struct names){.local = at < 0 ? address : str_sub(address, 0, (size_t)at),
                          .domain = at < 0 ? STR_NONE : str_from(address, (size_t)at + 1)};
    if (at >= 0 && mailaddr_parse(address, a, &m) == RC_OK)
        ret->local = m.local;
    ret->user = ret->local;
    if (!mailaddr_split_detail(ret->local, delimiters, &ret->user, &ret->extension))
        ret->extension = STR_NONE;
    ret->plain =
        arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(ret->local), at < 0 ? "" : "@", STR_ARG(ret->domain));
}

/* --- who handed it over --- */

struct client {
    str name, address, helo, protocol;
};

/* "name[address]", and our own Received field: "Received: from HELO (...) by ... with PROTOCOL id ...". */
static struct client client_of(const struct command_request *q)
{
    struct client c = {.address = q->client};
    c.name = str_take(&c.address, '[');
    if (str_ends(c.address, S("]")))
        c.address.n--;
    ptrdiff_t from = str_find(q->trace, S("Received: from ")), with;
    if (from >= 0) {
        str rest = str_from(q->trace, (size_t)from + strlen("Received: from "));
        c.helo = str_word(&rest);
        with = str_find(rest, S(" with "));
        if (with < 0)
            with = str_find(rest, S("\twith "));
        if (with >= 0) {
            rest = str_from(rest, (size_t)with + strlen(" with "));
            c.protocol = str_word(&rest);
        }
    }
    return c;
}

/* --- the environment --- */

static void put_env(struct buf *b, const char *name, str value, const char *safe)
{
    buf_printf(b, "%s=", name);
    macro_put_safe(b, value, safe);
    buf_putc(b, '\0');
}

/* What does not come with the message, but for bytes that no environment can hold. */
static void put_plain(struct buf *b, const char *name, str value)
{
    if (value.n > 0)
        put_env(b, name, value, NULL);
}

static void put_user(struct buf *b, const struct command_user *u)
{
    put_plain(b, "HOME", str_c(u->id.home));
    put_plain(b, "USER", str_c(u->id.account));
    put_plain(b, "LOGNAME", str_c(u->id.account));
    put_plain(b, "SHELL", str_c(u->shell));
}

static void put_message(const struct conf *c, const struct command_request *q, str tag, struct buf *b)
{
    AUTO(arena_freep) struct arena *a = arena_new(NAMES_ARENA);
    const char *safe = c->command_expansion_filter;
    const struct command_rcpt *r = &q->rcpts[0];
    const struct client client = client_of(q);
    struct names names, orig;
    split(r->address, str_c(c->recipient_delimiter), a, &names);
    split(r->orig.n > 0 ? r->orig : r->address, str_c(c->recipient_delimiter), a, &orig);
    put_env(b, "SENDER", q->sender, safe);
    put_env(b, "RECIPIENT", names.plain, safe);
    put_env(b, "ORIGINAL_RECIPIENT", orig.plain, safe);
    put_env(b, "LOCAL", names.local, safe);
    put_env(b, "DOMAIN", names.domain, safe);
    if (tag.n > 0)
        put_env(b, "EXTENSION", tag, safe);
    put_env(b, "CLIENT_ADDRESS", client.address, safe);
    put_env(b, "CLIENT_HOSTNAME", client.name, safe);
    put_env(b, "CLIENT_HELO", client.helo, safe);
    put_env(b, "CLIENT_PROTOCOL", client.protocol, safe);
}

void command_env_make(const struct conf *c, const struct command_request *q, const struct command_user *u,
                      str tag, struct command_env *ret)
{
    size_t n = 0, max = sizeof ret->v / sizeof *ret->v - 1;
    buf_init(&ret->text, COMMAND_ENV_TEXT_MAX);
    put_plain(&ret->text, "PATH", S("/usr/local/bin:/usr/bin:/bin"));
    put_plain(&ret->text, "TZ", str_c(getenv("TZ")));
    put_plain(&ret->text, "LANG", S("C"));
    if (u) {
        put_user(&ret->text, u);
        put_message(c, q, tag, &ret->text);
    }
    must(!ret->text.overflow);
    for (size_t at = 0; at < ret->text.n && n < max; at += strlen(ret->text.p + at) + 1)
        ret->v[n++] = ret->text.p + at;
    ret->v[n] = NULL;
}

/* --- arguments of transports --- */

struct expansion {
    const struct conf *conf;
    const struct pipe_def *def;
    const struct command_request *request;
    const struct command_rcpt *rcpt; /* whose turn it is */
    struct arena *arena;
    bool used_rcpt; /* a name was asked for that depends on it */
};

static str fold(const struct expansion *x, str s, unsigned flag)
{
    if (!(x->def->flags & flag) || s.n == 0)
        return s;
    char *copy = arena_alloc(x->arena, s.n);
    must(copy);
    for (size_t i = 0; i < s.n; i++)
        copy[i] = ascii_lower(s.p[i]);
    return str_mem(copy, s.n);
}

static str whole(const struct expansion *x, str address)
{
    struct names n;
    ptrdiff_t at = str_rchr(address, '@');
    split(address, S(""), x->arena, &n);
    str local = x->def->flags & PIPE_QUOTE_LOCAL && at >= 0 ? str_sub(address, 0, (size_t)at) : n.local;
    local = fold(x, local, PIPE_FOLD_USER);
    return at < 0 ? local
                  : arena_printf(x->arena, STR_FMT "@" STR_FMT, STR_ARG(local),
                                 STR_ARG(fold(x, n.domain, PIPE_FOLD_DOMAIN)));
}

static bool find_rcpt_name(struct expansion *x, str name, str *ret)
{
    const struct command_rcpt *r = x->rcpt;
    struct names n;
    split(r->address, str_c(x->conf->recipient_delimiter), x->arena, &n);
    x->used_rcpt = true;
    if (str_eq(name, S("recipient")))
        *ret = whole(x, r->address);
    else if (str_eq(name, S("original_recipient")))
        *ret = whole(x, r->orig.n > 0 ? r->orig : r->address);
    else if (str_eq(name, S("user")))
        *ret = fold(x, n.user, PIPE_FOLD_USER);
    else if (str_eq(name, S("extension")))
        *ret = fold(x, n.extension, PIPE_FOLD_USER);
    else if (str_eq(name, S("mailbox")))
        *ret = fold(x, n.local, PIPE_FOLD_USER);
    else if (str_eq(name, S("domain")))
        *ret = fold(x, n.domain, PIPE_FOLD_DOMAIN);
    else
        x->used_rcpt = false;
    return x->used_rcpt;
}

static bool find_message_name(struct expansion *x, str name, str *ret)
{
    const struct command_request *q = x->request;
    const struct client client = client_of(q);
    if (str_eq(name, S("sender")))
        *ret = q->sender.n > 0 ? whole(x, q->sender) : x->def->null_sender;
    else if (str_eq(name, S("nexthop")))
        *ret = fold(x, q->nexthop, PIPE_FOLD_DOMAIN);
    else if (str_eq(name, S("size")))
        *ret = arena_printf(x->arena, "%llu", (unsigned long long)(q->size + q->trace.n));
    else if (str_eq(name, S("queue_id")))
        *ret = q->id;
    else if (str_eq(name, S("client_address")))
        *ret = client.address;
    else if (str_eq(name, S("client_hostname")))
        *ret = client.name;
    else if (str_eq(name, S("client_helo")))
        *ret = client.helo;
    else if (str_eq(name, S("client_protocol")))
        *ret = client.protocol;
    else if (str_eq(name, S("sasl_username")))
        *ret = q->account;
    else if (str_eq(name, S("envid")))
        *ret = q->envid;
    else
        return false;
    return true;
}

static bool find_name(void *ctx, str name, str *ret)
{
    struct expansion *x = ctx;
    bool used = x->used_rcpt;
    bool found = find_rcpt_name(x, name, ret) || find_message_name(x, name, ret);
    x->used_rcpt |= used;
    return found;
}

/* One argument for the present recipient, in text with a NUL behind it. */
static enum rc put_argument(struct expansion *x, str word, struct command_argv *v, struct err *e)
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(8192);
    const struct macro_env env = {.find = find_name, .ctx = x};
    if (macro_expand(word, &env, &one, NULL) != RC_OK || v->n + 1 >= sizeof v->v / sizeof *v->v)
        return err_set(e, RC_TEMP, 450, "4.3.5", "Server configuration error");
    if (str_starts(word, S("$")) && str_starts(buf_str(&one), S("-")))
        return err_set(e, RC_PERM, 550, "5.1.3",
                       "an address that begins with - may not be handed to a program");
    if (str_chr(buf_str(&one), '\0') >= 0)
        return err_set(e, RC_PERM, 550, "5.1.3", "bad address");
    buf_puts(&v->text, buf_str(&one));
    buf_putc(&v->text, '\0');
    v->n++;
    return RC_OK;
}

/* An argument that names something of a recipient is there once for each. */
static enum rc put_word(struct expansion *x, str word, struct command_argv *v, struct err *e)
{
    x->used_rcpt = false;
    x->rcpt = &x->request->rcpts[0];
    enum rc rc = put_argument(x, word, v, e);
    for (size_t i = 1; rc == RC_OK && x->used_rcpt && i < x->request->n; i++) {
        x->rcpt = &x->request->rcpts[i];
        rc = put_argument(x, word, v, e);
    }
    return rc;
}

enum rc command_argv_make(const struct conf *c, const struct pipe_def *d, const struct command_request *q,
                          struct command_argv *ret, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct expansion x = {.conf = c, .def = d, .request = q, .arena = a};
    enum rc rc = RC_OK;
    buf_init(&ret->text, COMMAND_ARGV_TEXT_MAX);
    ret->n = 0;
    for (size_t i = 0; i < d->argc && rc == RC_OK; i++)
        rc = put_word(&x, d->argv[i], ret, e);
    if (rc == RC_OK && (ret->text.overflow || arena_exhausted(a)))
        rc = err_set(e, RC_TEMP, 450, "4.3.5", "Server configuration error");
    size_t at = 0;
    for (size_t i = 0; i < ret->n && rc == RC_OK; i++) {
        ret->v[i] = ret->text.p + at;
        at += strlen(ret->text.p + at) + 1;
    }
    ret->v[ret->n] = NULL;
    return rc;
}
