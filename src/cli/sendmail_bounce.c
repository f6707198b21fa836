/* What a local program dropped while no server ran, and the server then refuses for good: nobody waits for an
 * exit status any more, so a delivery status notification (RFC 3464) tells the sender, over the connection on
 * which it was refused. */
#include "base/clock.h"
#include "cli/sendmail_impl.h"
#include "fmt/dsn.h"
#include "os/crypto.h"

enum { NOTE_MAX = 64 << 20, RCPTS_MAX = 1000 /* that are told of */ };

static bool is_8bit(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

/* --- the notification --- */

static size_t fill_rcpts(const struct sendmail_refused *r, str hostname, struct dsn_rcpt *ret)
{
    size_t n = 0;
    for (; n < r->n && n < RCPTS_MAX; n++) {
        const struct smtp_outcome *o = &r->rcpts[n].outcome;
        bool replied = o->said.n > 0;
        ret[n] = (struct dsn_rcpt){.recipient = r->rcpts[n].address,
                                   .action = DSN_FAILED,
                                   .status = str_c(o->enhanced),
                                   .remote_mta = replied ? hostname : STR_NONE,
                                   .diagnostic = replied ? o->said : o->text,
                                   .last_attempt = clock_seconds()};
    }
    return n;
}

static void put_note(const struct sendmail_refused *r, const struct sendmail_way *way, str to,
                     struct buf *out)
{
    unsigned char seed[DSN_SEED_MIN];
    AUTO(buf_deinit) struct buf message = BUF_INIT(r->header.n + r->body.n + 1);
    struct dsn_rcpt *rcpts = calloc(RCPTS_MAX, sizeof *rcpts);
    must(rcpts);
    crypto_random(seed, sizeof seed);
    struct dsn d = {.hostname = way->hostname,
                    .to = to,
                    .envid = r->envid,
                    .now = {.seconds = clock_seconds()},
                    .seed = str_mem(seed, sizeof seed),
                    .rcpts = rcpts,
                    .rcpt_count = fill_rcpts(r, way->hostname, rcpts)};
    for (size_t i = 0; i < d.rcpt_count; i++)
        d.utf8 |= is_8bit(rcpts[i].recipient);
    buf_puts(&message, r->header);
    buf_puts(&message, r->body);
    d.content = dsn_content_for(&d, r->ret, message.n, way->bounce_limit);
    dsn_put(out, &d, buf_str(&message));
    free(rcpts);
}

static enum rc send_note(struct smtp_client *c, const struct sendmail_refused *r,
                         const struct sendmail_way *way, str to, struct arena *a)
{
    AUTO(buf_deinit) struct buf note = BUF_INIT(NOTE_MAX);
    struct smtp_client_rcpt rcpt = {.address = to, .notify = SMTP_NOTIFY_NEVER};
    if (!smtp_client_is_usable(c))
        return RC_TEMP;
    put_note(r, way, to, &note);
    if (note.overflow)
        return RC_PERM;
    struct smtp_client_message m = {.sender = S(""),
                                    .content =
                                        is_8bit(buf_str(&note)) ? SMTP_CONTENT_8BIT : SMTP_CONTENT_7BIT,
                                    .smtputf8 = is_8bit(to),
                                    .header = buf_str(&note),
                                    .body = S(""),
                                    .fd = -1,
                                    .rcpts = &rcpt,
                                    .n_rcpts = 1};
    smtp_client_send(c, a, &m);
    return rcpt.outcome.rc;
}

/* A sender that its writer may not use is nobody's who would know of the message. */
static bool is_forged(const struct sendmail_refused *r)
{
    const struct smtp_outcome *o = &r->rcpts[0].outcome;
    return o->phase == SMTP_PHASE_MAIL && str_starts(str_c(o->enhanced), S("5.7."));
}

enum rc sendmail_bounce(struct smtp_client *c, const struct sendmail_refused *r,
                        const struct sendmail_way *way, struct arena *a)
{
    bool forged = r->sender.n > 0 && r->n > 0 && is_forged(r);
    str postmaster = arena_printf(a, "postmaster@" STR_FMT, STR_ARG(way->hostname));
    str to[] = {forged ? STR_NONE : r->sender, r->sender.n > 0 ? r->owner : STR_NONE, postmaster};
    enum rc rc = RC_PERM;
    for (size_t i = 0; i < sizeof to / sizeof *to && rc == RC_PERM; i++)
        if (to[i].n > 0)
            rc = send_note(c, r, way, to[i], a);
    return rc;
}
