/* The fake world. It checks the session's side of the contract with must(): content only after content_new,
 * sizes that agree with the content, recipients that were resolved. */
#include "fake_env.h"

#include "net/resolver.h"

enum { WORLD_MAX = 64 << 20, CROWD = 400 };

static const struct {
    str local;
    enum rc lookup, delivery;
} mailboxes[] = {
    {S("alice"), RC_OK, RC_OK},          {S("bob"), RC_OK, RC_OK},         {S("postmaster"), RC_OK, RC_OK},
    {S("full"), RC_TEMP, RC_TEMP},       {S("broken"), RC_OK, RC_TEMP},    {S("vanished"), RC_OK, RC_PERM},
    {S("alice.\"quoted"), RC_OK, RC_OK}, {S("jos\xc3\xa9"), RC_OK, RC_OK},
};

void fake_world_init(struct fake_world *w)
{
    *w = (struct fake_world){.sender_owner = S("alice@example.org")};
    buf_init(&w->content, WORLD_MAX);
    buf_init(&w->delivered, WORLD_MAX);
}

void fake_world_deinit(struct fake_world *w)
{
    buf_deinit(&w->content);
    buf_deinit(&w->delivered);
}

static size_t find_mailbox(str local)
{
    size_t i = 0;
    while (i < sizeof mailboxes / sizeof *mailboxes && !str_ieq(local, mailboxes[i].local))
        i++;
    return i;
}

static void set_target(struct smtp_target *t, struct arena *a, str account)
{
    t->account = account;
    t->uid = 1000;
    t->address = arena_printf(a, STR_FMT "@example.org", STR_ARG(account));
}

static enum rc fake_resolve(void *ctx, str address, struct arena *a, struct smtp_target **ret, size_t *ret_n,
                            struct err *e)
{
    struct fake_world *w = ctx;
    ptrdiff_t at = str_rchr(address, '@'); /* a quoted local part may hold others */
    str local = at < 0 ? address : str_sub(address, 0, (size_t)at);
    str domain = at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
    bool team = str_eq(local, S("team"));
    w->lookups++;
    if (domain.p && !str_eq(domain, S("example.org")) && !str_eq(domain, S("xn--bcher-kva.example")))
        return RC_GONE;
    struct smtp_target *targets = arena_array(a, CROWD, sizeof *targets);
    must(targets);
    if (str_eq(local, S("crowd"))) {
        for (size_t i = 0; i < CROWD; i++)
            set_target(&targets[i], a, arena_printf(a, "member%zu", i));
        *ret = targets;
        *ret_n = CROWD;
        return RC_OK;
    }
    size_t i = find_mailbox(local);
    if (!team && i == sizeof mailboxes / sizeof *mailboxes)
        return err_set(e, RC_PERM, 550, "5.1.1", "User unknown in virtual mailbox table");
    if (!team && mailboxes[i].lookup != RC_OK)
        return err_set(e, RC_TEMP, 452, "4.2.2", "Mailbox full");
    set_target(&targets[0], a, team ? S("alice") : mailboxes[i].local);
    set_target(&targets[1], a, S("bob"));
    *ret = targets;
    *ret_n = team ? 2 : 1;
    return RC_OK;
}

static void answer(struct smtp_sasl_reply *ret, bool ok)
{
    *ret = (struct smtp_sasl_reply){.result = ok ? SMTP_SASL_OK : SMTP_SASL_FAIL,
                                    .account = ok ? S("alice@example.org") : STR_NONE,
                                    .reason = S("password mismatch")};
}

static void ask(struct smtp_sasl_reply *ret, str challenge)
{
    *ret = (struct smtp_sasl_reply){.result = SMTP_SASL_CONTINUE, .data = challenge};
}

static void fake_sasl_step(void *ctx, str response, struct smtp_sasl_reply *ret)
{
    struct fake_world *w = ctx;
    switch (w->sasl_steps++) {
    case 0: /* PLAIN without an initial response */
        answer(ret, str_eq(response, str_mem("\0alice\0secret", 13)));
        return;
    case 10: /* LOGIN */
        ask(ret, S("Password:"));
        return;
    case 11:
        answer(ret, str_eq(response, S("secret")));
        return;
    default: /* SCRAM: whatever, with final data */
        answer(ret, true);
        ret->data = S("v=proof");
    }
}

static void fake_sasl_start(void *ctx, const struct smtp_sasl_start *start, struct smtp_sasl_reply *ret)
{
    struct fake_world *w = ctx;
    must(start->secured);
    w->sasl_steps = str_ieq(start->mechanism, S("LOGIN"))   ? 10
                    : str_ieq(start->mechanism, S("PLAIN")) ? 0
                                                            : 20;
    if (w->sasl_steps == 20)
        ask(ret, S("r=nonce"));
    else if (w->sasl_steps == 0 && start->has_initial)
        fake_sasl_step(ctx, start->initial, ret);
    else
        ask(ret, w->sasl_steps == 10 ? S("Username:") : S(""));
}

static void fake_sasl_cancel(void *ctx)
{
    struct fake_world *w = ctx;
    w->sasl_steps = -1;
}

static enum rc fake_check_sender(void *ctx, str account, str sender, struct err *e)
{
    struct fake_world *w = ctx;
    must(account.n && sender.n);
    if (str_eq(account, S("alice@example.org")) && str_eq(sender, w->sender_owner))
        return RC_OK;
    return err_set(e, RC_PERM, 553, "5.7.1", "not owned by user " STR_FMT, STR_ARG(account));
}

static enum rc fake_content_new(void *ctx, uint64_t announced, bool rewrites_header)
{
    struct fake_world *w = ctx;
    buf_reset(&w->content);
    return RC_OK;
}

static enum rc fake_content_append(void *ctx, str bytes)
{
    struct fake_world *w = ctx;
    must(bytes.n);
    if (w->sink_result)
        return w->sink_result;
    buf_puts(&w->content, bytes);
    return RC_OK;
}

static void fake_content_discard(void *ctx)
{
    struct fake_world *w = ctx;
    buf_reset(&w->content);
}

static void put_copy(struct fake_world *w, const struct smtp_delivery *d, size_t i)
{
    buf_printf(&w->delivered, "Return-Path: <" STR_FMT ">\n", STR_ARG(d->rcpts[i].sender));
    buf_printf(&w->delivered, "Delivered-To: " STR_FMT "\n", STR_ARG(d->rcpts[i].target->address));
    buf_puts(&w->delivered, d->trace);
    buf_puts(&w->delivered, buf_str(&w->content));
    w->deliveries++;
}

static enum rc fake_deliver(void *ctx, struct smtp_delivery *d)
{
    struct fake_world *w = ctx;
    enum rc worst = RC_OK;
    must(d->n > 0 && d->content_bytes == w->content.n);
    if (w->deliver_result != RC_OK)
        return w->deliver_result;
    w->last_bytes = d->content_bytes;
    w->last_lines = d->content_lines;
    must(str_copy(w->last_id, sizeof w->last_id, d->id) == RC_OK);
    for (size_t i = 0; i < d->n; i++) {
        size_t m = find_mailbox(d->rcpts[i].target->account); /* none: it goes to the queue */
        enum rc rc = m < sizeof mailboxes / sizeof *mailboxes ? mailboxes[m].delivery : RC_OK;
        if (rc == RC_TEMP)
            worst = err_set(&d->rcpts[i].result, rc, 451, "4.2.0", "mailbox is busy");
        else if (rc == RC_PERM)
            worst = err_set(&d->rcpts[i].result, rc, 550, "5.2.1", "mailbox is gone");
    }
    for (size_t i = 0; i < d->n; i++)
        if (d->rcpts[i].result.rc == RC_OK && (worst == RC_OK || d->each_alone))
            put_copy(w, d, i);
    return d->each_alone ? RC_OK : worst;
}

static const struct {
    const char *name;
    enum dns_type type;
    str rdata;
} records[] = {
    {"good.example", DNS_MX, S("\0\12\2mx\4good\7example\0")},
    {"good.example", DNS_NS, S("\2ns\4good\7example\0")},
    {"mx.good.example", DNS_A, S("\306\63\144\1")}, /* 198.51.100.1 */
    {"ns.good.example", DNS_A, S("\306\63\144\2")},
    {"address.example", DNS_A, S("\306\63\144\3")},
    {"null.example", DNS_MX, S("\0\0\0")},
    {"backup.example", DNS_MX, S("\0\12\2mx\4good\7example\0")},
    {"backup.example", DNS_MX, S("\0\24\4here\7example\0")},
    {"here.example", DNS_A, S("\313\0\161\1")}, /* 203.0.113.1 */
    {"7.2.0.192.bl.example", DNS_A, S("\177\0\0\4")},
    {"7.2.0.192.bl.example", DNS_TXT, S("\4seen\1!")},
    {"7.2.0.192.wl.example", DNS_A, S("\177\0\0\1")},
    {"evil.example.rhs.example", DNS_A, S("\177\0\0\2")},
    {"client.example.rhs.example", DNS_A, S("\177\0\0\2")},
};

static enum rc fake_dns(void *ctx, str name, int type, struct arena *a, str **ret, size_t *ret_n)
{
    enum { ALL = sizeof records / sizeof *records };
    str *v = arena_array(a, ALL, sizeof *v);
    size_t n = 0;
    if (str_ends(name, S("slow.example")))
        return RC_TEMP;
    for (size_t i = 0; i < ALL; i++)
        if (records[i].type == (enum dns_type)type && str_ieq(name, str_c(records[i].name)))
            v[n++] = records[i].rdata;
    *ret = v;
    *ret_n = n;
    return n > 0 ? RC_OK : RC_GONE;
}

/* What an address is, its name says. */
static enum rc fake_verify(void *ctx, str address, struct arena *a, enum smtp_verified *ret, str *ret_text)
{
    struct fake_world *w = ctx;
    if (str_starts(address, S("broken")))
        return RC_TEMP;
    *ret = str_starts(address, S("refused"))                      ? SMTP_UNDELIVERABLE
           : str_starts(address, S("later"))                      ? SMTP_DEFERRED
           : str_starts(address, S("slow")) || w->verifies++ == 0 ? SMTP_UNVERIFIED
                                                                  : SMTP_VERIFIED;
    *ret_text = S("host mx said: no");
    return RC_OK;
}

static void fake_pause(void *ctx, int64_t ms)
{
    struct fake_world *w = ctx;
    w->paused_ms += ms;
}

static bool fake_stopping(void *ctx)
{
    struct fake_world *w = ctx;
    return w->stopping;
}

const struct smtp_env fake_env = {
    .resolve = fake_resolve,
    .sasl_start = fake_sasl_start,
    .sasl_step = fake_sasl_step,
    .sasl_cancel = fake_sasl_cancel,
    .check_sender = fake_check_sender,
    .content_new = fake_content_new,
    .content_append = fake_content_append,
    .content_discard = fake_content_discard,
    .deliver = fake_deliver,
    .dns = fake_dns,
    .verify = fake_verify,
    .pause = fake_pause,
    .stopping = fake_stopping,
};
