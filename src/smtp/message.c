/* A message while its bytes come in: decoded, measured, looked at, handed to the content sink. The first
 * thing wrong becomes the reply; from then on bytes are only counted. */
#include "smtp/rules.h"
#include "smtp/session_impl.h"

void smtp_set_data_rate(struct smtp_session *s, bool on)
{
    enum { PERIOD_S = 60 };
    size_t rate = (size_t)s->conf->smtpd_min_data_rate;
    stream_set_min_rate(s->io, on ? rate * PERIOD_S : 0, PERIOD_S * 1000);
}

void smtp_message_fail(struct smtp_session *s, int code, const char *enhanced, const char *text)
{
    struct smtp_message *m = &s->tx.msg;
    if (m->failed)
        return;
    m->failed = true;
    (void)err_set(&m->failure, code < 500 ? RC_TEMP : RC_PERM, code, enhanced, "%s", text);
}

void smtp_message_refuse(struct smtp_session *s, const struct restrict_refusal *r)
{
    char text[SMTP_REASON_MAX];
    if (s->tx.msg.failed)
        return;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(r->text));
    smtp_message_fail(s, r->code, r->enhanced, text);
    s->tx.msg.logged = true;
}

static void note_sink(struct smtp_session *s, enum rc rc)
{
    if (rc == RC_LIMIT)
        smtp_message_fail(s, 452, "4.3.1", "Error: insufficient system storage");
    else if (rc)
        smtp_message_fail(s, 451, "4.3.0", "Error: queue file write error");
}

/* Only what our own clients write; lines only. */
static bool rewrites_header(const struct smtp_session *s)
{
    if (!rules_any_rewriting(s->conf) || s->tx.mail.body == SMTP_BODY_BINARYMIME ||
        smtp_overrides(s, S("no_address_mappings")))
        return false;
    const struct rules_relay facts = {.kind = s->p->kind,
                                      .authenticated = smtp_is_authenticated(s),
                                      .in_mynetworks = smtp_in_mynetworks(s) == RC_OK};
    return rules_rewrites_header(s->conf, &facts, s->p->local != NULL, s->p->client_is_here);
}

void smtp_message_begin(struct smtp_session *s, bool dots)
{
    struct smtp_message *m = &s->tx.msg;
    smtp_gate_pass(s);
    m->open = true;
    m->failed = m->logged = false;
    m->grown_bytes = m->grown_lines = 0;
    m->deadline = clock_mono() + s->conf->smtpd_data_timeout_ms;
    headscan_init(&m->head);
    if (s->tx.mail.body == SMTP_BODY_BINARYMIME)
        dotstream_init_binary(&m->decoder);
    else if (dots)
        dotstream_init_dots(&m->decoder);
    else
        dotstream_init_counted(&m->decoder);
    smtp_checks_free(&m->checks);
    m->checks = smtp_checks_new(s);
    bool looks = !smtp_is_lmtp(s) && !smtp_overrides(s, S("no_header_body_checks"));
    smtp_characters_init(&m->characters, looks ? str_c(s->conf->message_reject_characters) : STR_NONE,
                         looks ? str_c(s->conf->message_strip_characters) : STR_NONE);
    headscan_init(&m->head_before);
    bool drops = !smtp_is_lmtp(s) && s->tx.mail.body != SMTP_BODY_BINARYMIME;
    header_drop_init(&m->drop, s->conf->message_drop_headers.v, drops ? s->conf->message_drop_headers.n : 0);
    note_sink(s, s->env->content_new(s->p->env_ctx, s->tx.mail.size, rewrites_header(s)));
}

static void check_header(struct smtp_session *s, const struct headscan *h)
{
    unsigned hops = (unsigned)s->conf->hop_count_limit;
    if (h->received > hops || h->delivered_to > hops) /* RFC 5321 §6.3 */
        smtp_message_fail(s, 554, "5.4.6", "Error: too many hops");
    else if (h->bytes > s->conf->header_size_limit)
        smtp_message_fail(s, 552, "5.3.4", "Error: message header too large");
    else if (h->fields > (uint64_t)s->conf->header_count_limit)
        smtp_message_fail(s, 552, "5.3.4", "Error: too many header fields");
}

static void scan_header(struct smtp_session *s, struct headscan *h, str content)
{
    if (h->done)
        return;
    headscan_feed(h, content);
    check_header(s, h);
}

static void append(struct smtp_session *s, str content)
{
    scan_header(s, &s->tx.msg.head, content);
    if (!s->tx.msg.failed && content.n)
        note_sink(s, s->env->content_append(s->p->env_ctx, content));
}

void smtp_message_store(struct smtp_session *s, str content, uint64_t crlf_bytes)
{
    struct smtp_message *m = &s->tx.msg;
    if (crlf_bytes > s->conf->message_size_limit)
        smtp_message_fail(s, 552, "5.3.4", "Error: message file too big");
    if (m->drop.state == HEADER_DROP_DONE) {
        append(s, content);
        return;
    }
    AUTO(buf_deinit) struct buf left = BUF_INIT(content.n + HEADER_DROP_NAME_MAX);
    header_drop_feed(&m->drop, content, &left);
    append(s, buf_str(&left));
}

void smtp_message_flush(struct smtp_session *s)
{
    AUTO(buf_deinit) struct buf left = BUF_INIT(HEADER_DROP_NAME_MAX);
    header_drop_finish(&s->tx.msg.drop, &left);
    append(s, buf_str(&left));
}

/* The content without what is to be stripped. */
static str without_characters(struct smtp_session *s, str content, char *out)
{
    struct smtp_message *m = &s->tx.msg;
    str left = content;
    if (!m->characters.any)
        return content;
    if (!smtp_characters_pass(&m->characters, &left, out))
        smtp_message_fail(s, 550, "5.7.1", "disallowed character");
    if (!m->checks) /* these count what they let through */
        m->grown_bytes -= (int64_t)(content.n - left.n);
    return left;
}

static void keep(struct smtp_session *s, str content)
{
    struct smtp_message *m = &s->tx.msg;
    char out[SMTP_CHUNK + 2];
    content = without_characters(s, content, out);
    if (!m->checks) {
        smtp_message_store(s, content, dotstream_crlf_bytes(&m->decoder));
        return;
    }
    scan_header(s, &m->head_before, content);
    if (dotstream_crlf_bytes(&m->decoder) > s->conf->message_size_limit)
        smtp_message_fail(s, 552, "5.3.4", "Error: message file too big");
    if (!m->failed)
        smtp_checks_feed(m->checks, content);
}

size_t smtp_message_feed(struct smtp_session *s, str in, bool *ret_end)
{
    char out[SMTP_CHUNK + 1];
    size_t taken = 0;
    *ret_end = false;
    while (taken < in.n && !*ret_end) {
        size_t n;
        taken += dotstream_feed(&s->tx.msg.decoder, str_sub(in, taken, SMTP_CHUNK), out, &n, ret_end);
        keep(s, str_mem(out, n));
    }
    return taken;
}

void smtp_message_end_counted(struct smtp_session *s)
{
    char out[2];
    keep(s, str_mem(out, dotstream_finish(&s->tx.msg.decoder, out)));
}
