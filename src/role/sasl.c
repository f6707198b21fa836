/* The sasl role: Postfix, Exim and other programs of this machine ask over Dovecot's client protocol whether
 * somebody may log in (listeners of the protocol auth-client). It parses their lines and hands what SASL says
 * to auth, so that who breaks in here finds the passwords that pass and nothing else: no account database, no
 * file, no network, no ticket.
 *
 * Whether the user's own connection is encrypted only the asking program knows, and it is the one that offers
 * or refuses mechanisms there, as with Dovecot; so passwords are taken here in any case, and the mechanisms
 * that look at the TLS channel or its certificates are not offered. */
#include "fmt/sasl.h"
#include "base/enc.h"
#include "base/log.h"
#include "fmt/ip.h"
#include "os/crypto.h"
#include "os/stream.h"
#include "role/dovecot_conn.h"
#include "role/sasl_ask.h"

#include <unistd.h>

enum { EXCHANGES_MAX = 4, CHANNELS_MAX = 4000, WORD_MAX = 32 };

struct exchange { /* one that waits for the client; channel and account are exclusive */
    bool open;
    uint32_t id;
    struct channel *channel;
    char account[IDENTITY_ACCOUNT_MAX + 1]; /* logged in: OK follows once the client has read the last data */
    msec deadline;
    bool takes_final_data;
    char mechanism[WORD_MAX + 1], service[WORD_MAX + 1], client[64]; /* for the log */
};

struct sasl_state {
    bool has_cpid;
    struct exchange exchanges[EXCHANGES_MAX];
};

static struct dovecot_server self;
static atomic_uint connections;

/* --- the greeting --- */

static void put_mechanisms(struct dovecot_conn *c)
{
    const struct conf_list *names = &c->conf->auth_mechanisms;
    for (size_t i = 0; i < names->n; i++) {
        enum sasl_mech mech;
        if (sasl_mech_parse(names->v[i], &mech) != RC_OK || sasl_mech_is_plus(mech) || mech == SASL_EXTERNAL)
            continue;
        dovecot_auth_begin(&c->out, S("MECH"));
        dovecot_auth_put(&c->out, sasl_mech_name(mech));
        dovecot_auth_put(&c->out, sasl_mech_is_plaintext(mech) ? S("plaintext") : S("mutual-auth"));
        dovecot_auth_end(&c->out);
    }
}

static void put_number_line(struct dovecot_conn *c, str verb, uint64_t n)
{
    dovecot_auth_begin(&c->out, verb);
    dovecot_auth_put_number(&c->out, n);
    dovecot_auth_end(&c->out);
}

static void sasl_greet(struct dovecot_conn *c)
{
    unsigned char cookie[DOVECOT_AUTH_COOKIE];
    AUTO(buf_deinit) struct buf hex = BUF_INIT(2 * DOVECOT_AUTH_COOKIE);
    c->state = calloc(1, sizeof(struct sasl_state));
    must(c->state);
    crypto_random(cookie, sizeof cookie);
    enc_hex(&hex, str_mem(cookie, sizeof cookie));
    put_mechanisms(c);
    put_number_line(c, S("SPID"), (uint64_t)getpid());
    put_number_line(c, S("CUID"), atomic_fetch_add(&connections, 1) + 1);
    dovecot_auth_begin(&c->out, S("COOKIE"));
    dovecot_auth_put(&c->out, buf_str(&hex));
    dovecot_auth_end(&c->out);
    dovecot_auth_begin(&c->out, S("DONE"));
    dovecot_auth_end(&c->out);
}

/* --- answers --- */

static void put_fail(struct dovecot_conn *c, uint32_t id, str user, bool temporary, str reason)
{
    dovecot_auth_begin(&c->out, S("FAIL"));
    dovecot_auth_put_number(&c->out, id);
    if (user.n > 0)
        dovecot_auth_put_value(&c->out, S("user"), user);
    if (temporary) { /* Dovecot says it twice, for clients of either age */
        dovecot_auth_put(&c->out, S("temp"));
        dovecot_auth_put_value(&c->out, S("code"), S("temp_fail"));
    }
    if (reason.n > 0)
        dovecot_auth_put_value(&c->out, S("reason"), reason);
    dovecot_auth_end(&c->out);
}

static void put_challenge(struct dovecot_conn *c, uint32_t id, str data)
{
    dovecot_auth_begin(&c->out, S("CONT"));
    dovecot_auth_put_number(&c->out, id);
    buf_putc(&c->out, '\t');
    enc_base64(&c->out, data);
    dovecot_auth_end(&c->out);
}

static void put_ok(struct dovecot_conn *c, uint32_t id, str account, str last_data)
{
    dovecot_auth_begin(&c->out, S("OK"));
    dovecot_auth_put_number(&c->out, id);
    dovecot_auth_put_value(&c->out, S("user"), account);
    if (last_data.n > 0) {
        buf_puts(&c->out, S("\tresp="));
        enc_base64(&c->out, last_data);
    }
    dovecot_auth_end(&c->out);
}

/* --- exchanges --- */

static struct exchange *find(struct sasl_state *s, uint32_t id)
{
    for (size_t i = 0; i < EXCHANGES_MAX; i++)
        if (s->exchanges[i].open && s->exchanges[i].id == id)
            return &s->exchanges[i];
    return NULL;
}

static struct exchange *find_free(struct sasl_state *s)
{
    for (size_t i = 0; i < EXCHANGES_MAX; i++)
        if (!s->exchanges[i].open)
            return &s->exchanges[i];
    return NULL;
}

static void close_exchange(struct exchange *x)
{
    channel_release(&x->channel, true);
    *x = (struct exchange){0};
}

static void fail(struct dovecot_conn *c, struct exchange *x, const struct sasl_answer *a)
{
    log_info("%s: %s(" STR_FMT ",%s): %s: " STR_FMT, c->listener->name, x->service, STR_ARG(a->account),
             x->client, x->mechanism, STR_ARG(a->reason));
    put_fail(c, x->id, a->account, a->result == AUTH_TEMP, STR_NONE);
    close_exchange(x);
}

static void succeed(struct dovecot_conn *c, struct exchange *x, const struct sasl_answer *a)
{
    must(a->account.n > 0 && str_copy(x->account, sizeof x->account, a->account) == RC_OK);
    if (a->data.n > 0 && !x->takes_final_data) { /* one more round (RFC 4422 §5) */
        put_challenge(c, x->id, a->data);
        return;
    }
    put_ok(c, x->id, a->account, a->data);
    close_exchange(x);
}

static void conclude(struct dovecot_conn *c, struct exchange *x, const struct sasl_answer *a)
{
    if (a->result == AUTH_CONTINUE)
        put_challenge(c, x->id, a->data);
    else if (a->result == AUTH_OK)
        succeed(c, x, a);
    else
        fail(c, x, a);
}

/* Decodes a response; false: malformed, and FAIL says so. */
static bool take_response(struct dovecot_conn *c, struct exchange *x, str base64, struct buf *ret)
{
    must(buf_room(ret, ret->max)); /* all of it, so that growing leaves no copy */
    if (enc_base64_decode(ret, base64) == RC_OK)
        return true;
    put_fail(c, x->id, STR_NONE, false, S("Invalid base64 data"));
    close_exchange(x);
    return false;
}

/* An address, or this machine's for a program that names none. */
static str client_of(const struct dovecot_auth_request *r)
{
    struct ip_net ip;
    return ip_parse(r->client_ip, &ip) == RC_OK ? r->client_ip : S("127.0.0.1");
}

static void open_exchange(struct dovecot_conn *c, struct exchange *x, const struct dovecot_auth_request *r)
{
    *x = (struct exchange){.open = true, .id = r->id, .takes_final_data = r->takes_final_data};
    x->deadline = clock_mono() + c->conf->auth_exchange_timeout_ms;
    snprintf(x->mechanism, sizeof x->mechanism, STR_FMT, STR_ARG(r->name));
    snprintf(x->service, sizeof x->service, STR_FMT, STR_ARG(r->service));
    snprintf(x->client, sizeof x->client, STR_FMT, STR_ARG(client_of(r)));
}

static enum rc begin(struct dovecot_conn *c, struct sasl_state *s, const struct dovecot_auth_request *r)
{
    AUTO(buf_wipe) struct buf initial = BUF_INIT(SASL_RESPONSE_MAX);
    struct sasl_answer a;
    struct exchange *x = find_free(s);
    if (!s->has_cpid || find(s, r->id))
        return RC_INVALID;
    if (!x || r->name.n > WORD_MAX) {
        put_fail(c, r->id, STR_NONE, !x,
                 x ? S("Unsupported authentication mechanism") : S("Too many requests"));
        return RC_OK;
    }
    open_exchange(c, x, r);
    if (!take_response(c, x, r->response, &initial))
        return RC_OK;
    /* no mechanism here has an empty first message: Exim writes "resp=" when its client sent none */
    const struct sasl_question q = {.service = str_c(x->service),
                                    .mechanism = r->name,
                                    .has_initial = initial.n > 0,
                                    .initial = buf_str(&initial),
                                    .client_address = str_c(x->client),
                                    .secured = true,
                                    .session_id = str_sub(r->session, 0, 64)};
    sasl_ask_start(c->server->auth, &x->channel, &c->ipc, &q, &a);
    conclude(c, x, &a);
    return RC_OK;
}

static enum rc step(struct dovecot_conn *c, struct sasl_state *s, const struct dovecot_auth_request *r)
{
    AUTO(buf_wipe) struct buf response = BUF_INIT(SASL_RESPONSE_MAX);
    struct sasl_answer a;
    struct exchange *x = find(s, r->id);
    if (!x) { /* its time is over, perhaps */
        put_fail(c, r->id, STR_NONE, false, S("Timed out"));
        return RC_OK;
    }
    if (!take_response(c, x, r->response, &response))
        return RC_OK;
    if (x->account[0]) { /* it has read the last data; whatever it says to them, it knows the password */
        put_ok(c, x->id, str_c(x->account), STR_NONE);
        close_exchange(x);
        return RC_OK;
    }
    sasl_ask_step(&x->channel, &c->ipc, buf_str(&response), &a);
    conclude(c, x, &a);
    return RC_OK;
}

static enum rc sasl_take(struct dovecot_conn *c, const struct dovecot_auth_request *r)
{
    struct sasl_state *s = c->state;
    struct exchange *x;
    switch (r->verb) {
    case DOVECOT_AUTH_CPID:
        if (s->has_cpid)
            return RC_INVALID;
        s->has_cpid = true;
        return RC_OK;
    case DOVECOT_AUTH_AUTH:
        return begin(c, s, r);
    case DOVECOT_AUTH_CONT:
        return step(c, s, r);
    case DOVECOT_AUTH_CANCEL:
        if ((x = find(s, r->id)))
            close_exchange(x);
        return RC_OK;
    default:
        return RC_INVALID;
    }
}

static msec sasl_due(const struct dovecot_conn *c)
{
    const struct sasl_state *s = c->state;
    msec due = STREAM_NO_DEADLINE;
    for (size_t i = 0; i < EXCHANGES_MAX; i++)
        if (s->exchanges[i].open && s->exchanges[i].deadline < due)
            due = s->exchanges[i].deadline;
    return due;
}

static void sasl_expire(struct dovecot_conn *c)
{
    struct sasl_state *s = c->state;
    for (size_t i = 0; i < EXCHANGES_MAX; i++) {
        struct exchange *x = &s->exchanges[i];
        if (!x->open || x->deadline > clock_mono())
            continue;
        put_fail(c, x->id, STR_NONE, false, S("Timed out"));
        close_exchange(x);
    }
}

static void sasl_end(struct dovecot_conn *c)
{
    struct sasl_state *s = c->state;
    for (size_t i = 0; i < EXCHANGES_MAX; i++)
        close_exchange(&s->exchanges[i]);
    free(s);
}

/* --- the role --- */

static const struct dovecot_protocol sasl_protocol = {.sandbox = ROLE_SASL,
                                                      .minor = DOVECOT_AUTH_CLIENT_MINOR,
                                                      .greet = sasl_greet,
                                                      .take = sasl_take,
                                                      .due = sasl_due,
                                                      .expire = sasl_expire,
                                                      .end = sasl_end};

static void sasl_start(struct role *r)
{
    unsigned most = (unsigned)r->conf->auth_client_limit * EXCHANGES_MAX;
    dovecot_server_start(&self, r, &sasl_protocol, r->conf->user_sasl,
                         most < CHANNELS_MAX ? most : CHANNELS_MAX);
}

static void sasl_link(struct role *r, const struct role_link *l)
{
    dovecot_server_link(&self, l);
}

static void sasl_serve(struct role *r)
{
    dovecot_server_serve(&self);
}

static void sasl_stop(struct role *r)
{
    atomic_store(&self.stopping, true);
}

int sasl_role(void)
{
    static const struct role_ops ops = {
        .start = sasl_start, .link = sasl_link, .serve = sasl_serve, .stop = sasl_stop};
    static struct role r = {.name = "sasl", .ops = &ops};
    role_begin(&r);
    role_control_loop(&r);
    return 0;
}
