/* One transaction of a client (client.h): who is tried, what was left open before, the results (RFC 5321
 * §3.3). */
#include "smtp/client_transaction.h"

enum { SMALL_BDAT = 8192 }; /* a message up to this size goes along with its envelope */

void transaction_settle(struct transaction *t, struct rcpt_entry *e, const struct smtp_outcome *o)
{
    e->rcpt->outcome = *o;
    if (e->state == RCPT_ACCEPTED)
        t->accepted--;
    e->state = RCPT_SETTLED;
}

void transaction_settle_all(struct transaction *t, const struct smtp_outcome *o)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->entries[i].state != RCPT_SETTLED)
            transaction_settle(t, &t->entries[i], o);
    t->m->outcome = *o;
    t->over = true;
}

void transaction_settle_lost(struct transaction *t, enum smtp_phase phase, enum rc rc)
{
    struct smtp_outcome o;
    client_outcome_lost(t->c, t->arena, phase, rc, &o);
    transaction_settle_all(t, &o);
}

static void leave_untried(struct transaction *t, struct smtp_client_rcpt *rcpt)
{
    client_outcome_own(t->arena, SMTP_PHASE_RCPT, RC_TEMP, "4.5.3", &rcpt->outcome,
                       "host " STR_FMT " takes no more recipients with one message", STR_ARG(t->c->p.peer));
}

/* RFC 9422 §4.4: whether one more recipient of this domain is within RCPTDOMAINMAX. */
static bool domain_fits(const struct transaction *t, str *domains, size_t *n, str address)
{
    size_t max = t->c->offers.rcpt_domain_max;
    if (max == 0)
        return true;
    str domain = str_from(address, (size_t)(str_rchr(address, '@') + 1));
    for (size_t i = 0; i < *n; i++)
        if (str_ieq(domains[i], domain))
            return true;
    if (*n == max)
        return false;
    domains[(*n)++] = domain;
    return true;
}

static void choose_rcpts(struct transaction *t)
{
    struct smtp_client_message *m = t->m;
    size_t max = SMTP_CLIENT_RCPT_MAX, n_domains = 0;
    if (t->c->offers.rcpt_max && t->c->offers.rcpt_max < max)
        max = t->c->offers.rcpt_max;
    str *domains = calloc(m->n_rcpts + 1, sizeof *domains);
    t->entries = calloc(m->n_rcpts + 1, sizeof *t->entries);
    must(domains && t->entries);
    for (size_t i = 0; i < m->n_rcpts; i++) {
        struct smtp_client_rcpt *rcpt = &m->rcpts[i];
        rcpt->tried = true;
        if (client_check_rcpt(m, t->arena, rcpt) != RC_OK)
            continue;
        rcpt->tried = t->n < max && domain_fits(t, domains, &n_domains, rcpt->address);
        if (rcpt->tried)
            t->entries[t->n++] = (struct rcpt_entry){.rcpt = rcpt};
        else
            leave_untried(t, rcpt);
    }
    free(domains);
}

/* RFC 5321 §4.1.1.5: whatever the last transaction left behind. */
static bool begin(struct transaction *t)
{
    struct smtp_client *c = t->c;
    if (c->broken || c->closing) {
        transaction_settle_lost(t, SMTP_PHASE_MAIL, RC_GONE);
        return false;
    }
    if (!c->needs_reset)
        return true;
    struct smtp_outcome o;
    stream_write(c->io, S("RSET\r\n"));
    bool replied = client_ask(c, t->arena, SMTP_PHASE_RSET, c->p.timeouts.rset, NULL, &o) == RC_OK;
    if (replied && o.rc == RC_OK) {
        c->needs_reset = false;
        return true;
    }
    o.rc = RC_TEMP; /* no fault of the message */
    o.enhanced[0] = '4';
    c->broken = true;
    transaction_settle_all(t, &o);
    return false;
}

static void run(struct transaction *t)
{
    bool last = false;
    client_content_init(&t->content, t->m, !t->bdat);
    if (t->bdat) { /* how the message goes depends on whether it is small */
        if (client_content_next(&t->content, &last) != RC_OK) {
            struct smtp_outcome o;
            client_outcome_own(t->arena, SMTP_PHASE_CHECK, RC_TEMP, "4.3.0", &o,
                               "the message content cannot be read");
            transaction_settle_all(t, &o);
            return;
        }
        t->inline_bdat = last && t->content.wire.n <= SMALL_BDAT;
    }
    t->c->transactions++;
    transaction_run_envelope(t);
    if (t->over || t->c->broken)
        return;
    if (!t->bdat)
        transaction_send_dots(t);
    else if (!t->inline_bdat)
        transaction_send_chunks(t, last);
}

static void refuse_all(struct smtp_client_message *m)
{
    for (size_t i = 0; i < m->n_rcpts; i++) {
        m->rcpts[i].tried = true;
        m->rcpts[i].outcome = m->outcome;
    }
}

static bool was_accepted(const struct smtp_client_message *m)
{
    for (size_t i = 0; i < m->n_rcpts; i++)
        if (m->rcpts[i].outcome.rc == RC_OK)
            return true;
    return false;
}

void smtp_client_send(struct smtp_client *c, struct arena *arena, struct smtp_client_message *m)
{
    struct transaction t = {
        .c = c, .arena = arena, .m = m, .bdat = ehlo_has(&c->offers, EHLO_CHUNKING) && !m->probe};
    m->outcome = (struct smtp_outcome){0};
    m->passed = 0;
    m->needs_7bit = m->uncertain = false;
    if (client_check(c, arena, m) != RC_OK) {
        refuse_all(m);
        return;
    }
    choose_rcpts(&t);
    if (t.n == 0) {
        if (m->n_rcpts)
            m->outcome = m->rcpts[0].outcome;
    } else if (begin(&t) && transaction_tell_origin(&t)) {
        run(&t);
    }
    if (was_accepted(m))
        m->passed = t.passes;
    client_content_deinit(&t.content);
    free(t.entries);
}
