/* A connection as a client from its greeting to its end (client.h): RFC 5321 §3.1, §3.2, §3.8, RFC 2033 §4.
 */
#include "smtp/client.h"

#include "smtp/client_impl.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static void fill(msec *timeout, msec standard)
{
    if (*timeout == 0)
        *timeout = standard;
}

/* RFC 5321 §4.5.3.2 */
static void fill_timeouts(struct smtp_client_timeouts *t)
{
    fill(&t->greeting, 5 * MINUTE);
    fill(&t->helo, 5 * MINUTE);
    fill(&t->handshake, 5 * MINUTE);
    fill(&t->mail, 5 * MINUTE);
    fill(&t->rcpt, 5 * MINUTE);
    fill(&t->data_init, 2 * MINUTE);
    fill(&t->block, 3 * MINUTE);
    fill(&t->data_done, 10 * MINUTE);
    fill(&t->rset, 20 * SECOND);
    fill(&t->quit, 10 * SECOND);
}

static enum rc greet(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    struct smtp_outcome *o = &failure->outcome;
    return client_ask(c, arena, SMTP_PHASE_GREETING, c->p.timeouts.greeting, NULL, o) == RC_OK ? o->rc
                                                                                               : RC_TEMP;
}

static enum rc say_hello(struct smtp_client *c, struct arena *arena, const char *verb, struct ehlo *into,
                         struct smtp_client_failure *failure)
{
    struct smtp_outcome *o = &failure->outcome;
    c->hello = verb;
    stream_printf(c->io, "%s " STR_FMT "\r\n", verb, STR_ARG(c->p.helo_name));
    if (client_ask(c, arena, SMTP_PHASE_EHLO, c->p.timeouts.helo, into, o) != RC_OK)
        return RC_TEMP;
    return o->rc;
}

enum rc client_hello(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    struct ehlo offers = {0};
    enum rc rc = say_hello(c, arena, c->p.lmtp ? "LHLO" : "EHLO", &offers, failure);
    if (rc == RC_PERM && !c->p.lmtp) { /* RFC 5321 §3.2: a server from before ESMTP */
        offers = (struct ehlo){0};
        rc = say_hello(c, arena, "HELO", NULL, failure);
    }
    offers.keywords &= ~c->p.ignore_keywords;
    c->offers = offers;
    return rc;
}

static enum rc open_session(struct smtp_client *c, struct arena *arena, struct smtp_client_failure *failure)
{
    enum rc rc = RC_OK;
    if (c->p.tls_implicit)
        rc = client_handshake(c, arena, failure);
    if (rc == RC_OK)
        rc = greet(c, arena, failure);
    if (rc == RC_OK)
        rc = client_hello(c, arena, failure);
    if (rc == RC_OK && !c->p.tls_implicit)
        rc = client_start_tls(c, arena, failure);
    if (rc == RC_OK && c->p.auth)
        rc = client_log_in(c, arena, failure);
    return rc;
}

/* QUIT without waiting for its answer. */
static void take_leave(struct smtp_client *c)
{
    if (c->broken || c->closing)
        return;
    stream_write(c->io, S("QUIT\r\n"));
    client_set_deadline(c, SECOND);
    if (stream_flush(c->io) != RC_OK)
        c->broken = true;
}

enum rc smtp_client_open(const struct smtp_client_params *params, struct stream *s, struct arena *arena,
                         struct smtp_client **ret, struct smtp_client_failure *ret_failure)
{
    must(params->tls || params->tls_level == SMTP_TLS_NONE);
    must(!params->tls_implicit || params->tls_level == SMTP_TLS_ENCRYPT);
    must(str_chr(params->helo_name, '\n') < 0 && str_chr(params->helo_name, '\r') < 0);
    struct smtp_client *c = calloc(1, sizeof *c);
    must(c);
    c->p = *params;
    (void)!str_copy(c->peer, sizeof c->peer, str_sub(params->peer, 0, sizeof c->peer - 1));
    c->p.peer = str_c(c->peer);
    c->io = s;
    c->hello = "EHLO";
    fill_timeouts(&c->p.timeouts);
    struct smtp_client_failure failure = {0};
    enum rc rc = open_session(c, arena, &failure);
    if (rc == RC_OK) {
        *ret = c;
        return RC_OK;
    }
    take_leave(c);
    smtp_client_free(c);
    failure.outcome.rc = rc;
    *ret_failure = failure;
    return rc;
}

struct smtp_client *smtp_client_free(struct smtp_client *c)
{
    if (c) {
        stream_freep(&c->io);
        explicit_bzero(&c->reply, sizeof c->reply); /* may hold a challenge */
        free(c);
    }
    return NULL;
}

void smtp_client_freep(struct smtp_client **c)
{
    *c = smtp_client_free(*c);
}

void smtp_client_quit(struct smtp_client *c)
{
    take_leave(c);
    if (!c->broken && !c->closing && client_read(c, c->p.timeouts.quit, NULL) != RC_OK)
        c->broken = true;
    smtp_client_free(c);
}

const struct ehlo *smtp_client_offers(const struct smtp_client *c)
{
    return &c->offers;
}

const struct tls_info *smtp_client_tls_info(const struct smtp_client *c)
{
    return stream_tls_info(c->io);
}

bool smtp_client_is_usable(struct smtp_client *c)
{
    if (c->broken || c->closing)
        return false;
    if (c->offers.mail_max && c->transactions >= c->offers.mail_max)
        return false;
    return !stream_readable(c->io); /* a server that speaks unasked says that it closes */
}

enum rc smtp_client_probe(struct smtp_client *c)
{
    if (!smtp_client_is_usable(c))
        return RC_GONE;
    stream_write(c->io, S("RSET\r\n"));
    if (client_flush(c, c->p.timeouts.rset) != RC_OK || client_read(c, c->p.timeouts.rset, NULL) != RC_OK)
        return RC_GONE;
    if (c->reply.code / 100 != 2)
        return RC_GONE;
    c->needs_reset = false;
    return RC_OK;
}
