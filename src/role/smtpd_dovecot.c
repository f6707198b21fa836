/* AUTH at a Dovecot: what clients say of themselves is verified at the socket of smtpd_sasl_path, over
 * Dovecot's client protocol (fmt/dovecot_auth). Runs in submission, whose connection to a Unix socket the
 * master makes.
 *
 * A connection for each exchange, so that a Dovecot that was started anew is no matter. The mechanisms that
 * it offers are remembered for a minute; those of the last time are offered while it is down, so that clients
 * get 454 and try again, and not "no authentication here". */
#include "base/arena.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "fmt/dovecot_auth.h"
#include "fmt/sasl.h"
#include "os/crypto.h"
#include "role/smtpd_impl.h"
#include "role/unix_connect.h"

enum {
    GREETING_MS = 5000,
    ANSWER_MS = 60000, /* a wrong password is answered late */
    KNOWN_MS = 60000,
    UNKNOWN_MS = 5000,
    LINES_MAX = 200, /* that answer one of ours */
    ARENA_MAX = 64 << 10,
    REQUEST_ID = 1
};

struct smtpd_dovecot {
    struct stream *io;   /* NULL: no exchange is open */
    struct arena *arena; /* of the last answer */
    struct buf data;     /* its challenge, decoded */
};

void smtpd_dovecot_init(struct smtpd *d)
{
    must(pthread_mutex_init(&d->mechanisms.lock, NULL) == 0);
    unix_connect_init();
}

/* --- a connection --- */

static enum rc no_answer(enum rc rc, struct err *e)
{
    return err_set(e, RC_TEMP, 0, "4.7.0", "%s",
                   rc == RC_GONE   ? "closed the connection"
                   : rc == RC_TEMP ? "does not answer in time"
                                   : "sent what is not of the protocol");
}

static enum rc read_reply(struct stream *io, struct arena *a, struct dovecot_auth_reply *ret, struct err *e)
{
    str line;
    enum line_end end;
    enum rc rc = stream_read_line(io, DOVECOT_AUTH_LINE_MAX, &line, &end);
    if (rc == RC_OK && (rc = dovecot_auth_parse_reply(line, a, ret)) != RC_OK)
        rc = RC_INVALID;
    return rc == RC_OK ? RC_OK : no_answer(rc, e);
}

/* Those that a client here can use: the protocol knows of no channel binding. */
static void add_mechanism(struct buf *names, const struct dovecot_auth_reply *r)
{
    if (r->hidden || !sasl_mech_is_name(r->name) || str_ends(r->name, S("-PLUS")) ||
        names->n + r->name.n + 1 > names->max)
        return;
    buf_putc(names, ' ');
    buf_puts(names, r->name);
}

/* Greets; names gets the mechanisms. The number that stands for our process is one for each connection, as
 * Dovecot takes only one of each; it is none that a process has. */
static enum rc greet(struct stream *io, struct arena *a, struct buf *names, struct err *e)
{
    AUTO(buf_deinit) struct buf hello = BUF_INIT(100);
    struct dovecot_auth_reply r = {.answer = DOVECOT_AUTH_OTHER_ANSWER};
    bool version = false;
    uint32_t number;
    crypto_random((unsigned char *)&number, sizeof number);
    buf_printf(&hello, "VERSION\t%d\t%d\nCPID\t%u\n", DOVECOT_AUTH_MAJOR, DOVECOT_AUTH_CLIENT_MINOR,
               number | 1u << 31);
    stream_write(io, buf_str(&hello));
    enum rc rc = stream_flush(io);
    if (rc != RC_OK)
        return no_answer(rc, e);
    for (int i = 0; i < LINES_MAX && r.answer != DOVECOT_AUTH_HELLO_DONE; i++) {
        if ((rc = read_reply(io, a, &r, e)) != RC_OK)
            return rc;
        if (r.answer == DOVECOT_AUTH_HAS_VERSION && r.major == DOVECOT_AUTH_MAJOR)
            version = true;
        if (r.answer == DOVECOT_AUTH_HAS_MECHANISM)
            add_mechanism(names, &r);
        arena_reset(a);
    }
    return version && r.answer == DOVECOT_AUTH_HELLO_DONE ? RC_OK : no_answer(RC_INVALID, e);
}

/* --- the mechanisms --- */

static void remember(struct smtpd *d, const struct conf *c, const struct buf *names)
{
    struct dovecot_mechanisms *m = &d->mechanisms;
    bool fine = str_copy(m->path, sizeof m->path, str_c(c->smtpd_sasl_path)) == RC_OK &&
                str_copy(m->names, sizeof m->names, buf_str(names)) == RC_OK;
    must(fine);
    m->due = clock_mono() + KNOWN_MS;
}

static enum rc open_there(struct smtpd *d, const struct conf *c, struct arena *a, struct stream **ret,
                          struct err *e)
{
    AUTO(buf_deinit) struct buf names = BUF_INIT(SMTP_MECHANISMS_MAX);
    enum rc rc = smtpd_connect(d, str_c(c->smtpd_sasl_path), clock_mono() + GREETING_MS,
                               2 * DOVECOT_AUTH_LINE_MAX, ret, e);
    if (rc == RC_OK)
        rc = greet(*ret, a, &names, e);
    pthread_mutex_lock(&d->mechanisms.lock);
    if (rc == RC_OK)
        remember(d, c, &names);
    else
        d->mechanisms.due = clock_mono() + UNKNOWN_MS;
    pthread_mutex_unlock(&d->mechanisms.lock);
    return rc;
}

static void look(struct smtpd *d, const struct conf *c)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct stream *io = NULL;
    struct err e = {0};
    if (open_there(d, c, a, &io, &e) != RC_OK)
        log_warn("SASL: %s: %s", c->smtpd_sasl_path, err_text(&e));
    stream_free(io);
}

void smtpd_dovecot_mechanisms(struct smtpd_session *s, struct buf *out)
{
    struct dovecot_mechanisms *m = &s->server->mechanisms;
    pthread_mutex_lock(&m->lock);
    bool known = str_eq(str_c(m->path), str_c(s->conf->smtpd_sasl_path));
    bool look_now = !m->asking && (clock_mono() >= m->due || !known);
    m->asking |= look_now;
    pthread_mutex_unlock(&m->lock);
    if (look_now)
        look(s->server, s->conf);
    pthread_mutex_lock(&m->lock);
    m->asking &= !look_now;
    known = str_eq(str_c(m->path), str_c(s->conf->smtpd_sasl_path));
    buf_puts(out, known ? str_c(m->names) : S(" PLAIN LOGIN"));
    pthread_mutex_unlock(&m->lock);
}

/* --- an exchange --- */

void smtpd_dovecot_cancel(struct smtpd_session *s)
{
    if (s->dovecot)
        s->dovecot->io = stream_free(s->dovecot->io);
}

void smtpd_dovecot_free(struct smtpd_session *s)
{
    smtpd_dovecot_cancel(s);
    if (!s->dovecot)
        return;
    arena_free(s->dovecot->arena);
    buf_wipe(&s->dovecot->data);
    free(s->dovecot);
    s->dovecot = NULL;
}

static void give_up(struct smtpd_session *s, const char *why, struct smtp_sasl_reply *ret)
{
    *ret = (struct smtp_sasl_reply){
        .result = SMTP_SASL_TEMP,
        .reason = arena_printf(s->dovecot->arena, "%s: %s", s->conf->smtpd_sasl_path, why)};
    smtpd_dovecot_cancel(s);
}

/* A name that logs and auth can take. */
static bool is_usable(str account)
{
    for (size_t i = 0; i < account.n; i++)
        if ((unsigned char)account.p[i] < ' ' || account.p[i] == 0x7f)
            return false;
    return account.n > 0 && account.n <= IDENTITY_ACCOUNT_MAX && utf8_valid(account);
}

static void take_reply(struct smtpd_session *s, const struct dovecot_auth_reply *r,
                       struct smtp_sasl_reply *ret)
{
    struct smtpd_dovecot *x = s->dovecot;
    buf_reset(&x->data);
    if (r->answer == DOVECOT_AUTH_CHALLENGE && enc_base64_decode(&x->data, r->challenge) == RC_OK) {
        *ret = (struct smtp_sasl_reply){.result = SMTP_SASL_CONTINUE, .data = buf_str(&x->data)};
        return;
    }
    if (r->answer == DOVECOT_AUTH_FAIL) {
        str reason = r->reason.n    ? r->reason
                     : r->temporary ? S("temporary failure")
                                    : S("wrong name or password");
        *ret = (struct smtp_sasl_reply){.result = r->temporary ? SMTP_SASL_TEMP : SMTP_SASL_FAIL,
                                        .reason = reason};
    } else if (r->answer == DOVECOT_AUTH_OK && is_usable(r->user)) {
        *ret = (struct smtp_sasl_reply){.result = SMTP_SASL_OK, .account = r->user};
    } else {
        give_up(s, r->answer == DOVECOT_AUTH_OK ? "no usable name of the user" : "no usable challenge", ret);
        return;
    }
    smtpd_dovecot_cancel(s);
}

/* Sends a line and waits for its answer. */
static void ask(struct smtpd_session *s, const struct buf *line, struct smtp_sasl_reply *ret)
{
    struct smtpd_dovecot *x = s->dovecot;
    struct dovecot_auth_reply r = {.answer = DOVECOT_AUTH_OTHER_ANSWER};
    struct err e = {0};
    stream_set_deadline(x->io, clock_mono() + ANSWER_MS);
    stream_write(x->io, buf_str(line));
    enum rc rc = stream_flush(x->io);
    if (rc != RC_OK)
        (void)no_answer(rc, &e);
    for (int i = 0; rc == RC_OK && i < LINES_MAX; i++) {
        arena_reset(x->arena);
        rc = read_reply(x->io, x->arena, &r, &e);
        if (r.id == REQUEST_ID)
            break;
    }
    if (rc == RC_OK && r.id != REQUEST_ID)
        rc = no_answer(RC_INVALID, &e);
    if (rc == RC_OK)
        take_reply(s, &r, ret);
    else
        give_up(s, err_text(&e), ret);
}

static void put_port(struct buf *out, str name, int port)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(16);
    buf_put_u64(&text, (uint64_t)port);
    dovecot_auth_put_value(out, name, buf_str(&text));
}

static void put_request(const struct smtpd_session *s, const struct smtp_sasl_start *start, struct buf *out)
{
    dovecot_auth_begin(out, S("AUTH"));
    dovecot_auth_put_number(out, REQUEST_ID);
    dovecot_auth_put(out, start->mechanism);
    dovecot_auth_put_value(out, S("service"), S("smtp"));
    dovecot_auth_put(out, S("nologin")); /* no session of Dovecot follows */
    dovecot_auth_put_value(out, S("session"), start->session_id);
    dovecot_auth_put_value(out, S("lip"), str_c(s->server_address));
    dovecot_auth_put_value(out, S("rip"), str_c(s->client_address));
    put_port(out, S("lport"), s->server_port);
    put_port(out, S("rport"), s->client_port);
    if (start->secured)
        dovecot_auth_put(out, S("secured"));
    if (start->has_initial) {
        buf_puts(out, S("\tresp="));
        enc_base64(out, start->initial);
    }
    dovecot_auth_end(out);
}

void smtpd_dovecot_start(struct smtpd_session *s, const struct smtp_sasl_start *start,
                         struct smtp_sasl_reply *ret)
{
    AUTO(buf_wipe) struct buf line = BUF_INIT(DOVECOT_AUTH_LINE_MAX);
    struct err e = {0};
    smtpd_dovecot_free(s);
    s->dovecot = calloc(1, sizeof *s->dovecot);
    must(s->dovecot &&
         buf_room(&line, line.max)); /* all of it, so that growing leaves no copy of a password */
    s->dovecot->arena = arena_new(ARENA_MAX);
    buf_init(&s->dovecot->data, SASL_RESPONSE_MAX);
    if (open_there(s->server, s->conf, s->dovecot->arena, &s->dovecot->io, &e) != RC_OK) {
        give_up(s, err_text(&e), ret);
        return;
    }
    put_request(s, start, &line);
    must(!line.overflow); /* a response has at most SASL_RESPONSE_MAX bytes */
    ask(s, &line, ret);
}

void smtpd_dovecot_step(struct smtpd_session *s, str response, struct smtp_sasl_reply *ret)
{
    AUTO(buf_wipe) struct buf line = BUF_INIT(DOVECOT_AUTH_LINE_MAX);
    if (!s->dovecot || !s->dovecot->io) {
        *ret = (struct smtp_sasl_reply){.result = SMTP_SASL_TEMP, .reason = S("no exchange is open")};
        return;
    }
    must(buf_room(&line, line.max));
    dovecot_auth_begin(&line, S("CONT"));
    dovecot_auth_put_number(&line, REQUEST_ID);
    buf_putc(&line, '\t');
    enc_base64(&line, response);
    dovecot_auth_end(&line);
    ask(s, &line, ret);
}
