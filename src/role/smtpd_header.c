/* The header of a message from a client of ours (local_header_rewrite_clients): it is held until its end is
 * there, and goes on with its addresses in their canonical form. One that is too long, has too many
 * addresses, or is signed, goes on as it is. */
#include "account/identity.h"
#include "base/log.h"
#include "base/utf8.h"
#include "fmt/header_rewrite.h"
#include "fmt/mailaddr.h"
#include "role/header_canonical.h"
#include "role/ipc.h"
#include "role/smtpd_impl.h"
#include "smtp/rules.h"

enum { ARENA_MAX = 4 << 20, REWRITTEN_MAX = CONTENT_HELD_MAX + HEADER_REWRITE_ADDRESSES_MAX * MAILADDR_MAX };

/* --- what auth says --- */

/* What a table says must be an address, and ASCII where what it replaces is. */
static void take_answer(struct header_address *one, str to, struct arena *a)
{
    struct mailaddr addr;
    if (str_eq(to, one->address) || mailaddr_parse(to, a, &addr) != RC_OK)
        return;
    to = mailaddr_str(a, &addr);
    if (to.n > 0 && (utf8_is_ascii(to) || !utf8_is_ascii(one->address)))
        one->to = to;
}

static enum rc ask(struct smtpd_session *s, struct header_address *list, size_t n, struct arena *a)
{
    struct ipc_msg m;
    struct err answer = {0};
    ipc_begin(&s->ipc, MSG_HEADER_CANONICAL);
    ipc_put_u32(&s->ipc, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ipc_put_u32(&s->ipc, list[i].recipient ? 1 : 0);
        ipc_put_str(&s->ipc, list[i].address);
    }
    if (channel_pool_ask(s->server->auth, &s->ipc, MSG_HEADER_CANONICAL_REPLY, &m,
                         clock_mono() + SMTPD_IPC_TIMEOUT_MS) != RC_OK)
        return RC_TEMP;
    ipc_get_err(&m, &answer);
    enum rc rc = answer.rc == RC_OK && ipc_get_u32(&m) == n ? RC_OK : RC_TEMP;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        str to = ipc_get_str(&m, IDENTITY_ACCOUNT_MAX);
        if (m.malformed)
            rc = RC_TEMP;
        else
            take_answer(&list[i], to, a);
    }
    ipc_msg_deinit(&m);
    return rc;
}

static enum rc ask_all(struct smtpd_session *s, const struct header_addresses *list, struct arena *a)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < list->n && rc == RC_OK && rules_any_canonical(s->conf);
         i += HEADER_CANONICAL_MAX) {
        size_t left = list->n - i;
        rc = ask(s, &list->v[i], left < HEADER_CANONICAL_MAX ? left : HEADER_CANONICAL_MAX, a);
    }
    return rc;
}

/* --- rewriting --- */

static struct header_completion completion(const struct conf *c)
{
    str parent = str_c(c->hostname);
    (void)str_take(&parent, '.');
    return (struct header_completion){.origin = c->append_at_myorigin ? rules_origin(c) : STR_NONE,
                                      .parent_domain = c->append_dot_mydomain ? parent : STR_NONE};
}

/* Ends the holding: what is held goes on. */
static enum rc release(struct smtpd_session *s, str bytes)
{
    struct content *c = &s->content;
    c->holds = false;
    c->grown += (int64_t)bytes.n - (int64_t)c->held.n;
    enum rc rc = content_keep(s, bytes);
    buf_deinit(&c->held);
    return rc;
}

static enum rc release_rewritten(struct smtpd_session *s)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    AUTO(buf_deinit) struct buf out = BUF_INIT(REWRITTEN_MAX);
    const struct header_completion how = completion(s->conf);
    struct header_addresses list;
    str held = buf_str(&s->content.held);
    enum rc rc = header_rewrite_scan(held, &how, a, &list);
    if (rc != RC_OK)
        log_warn("a header has too many addresses and is not rewritten");
    if (rc != RC_OK || list.is_signed || list.n == 0)
        return release(s, held);
    rc = ask_all(s, &list, a);
    if (rc != RC_OK)
        return rc;
    header_rewrite_put(&out, held, &list);
    return release(s, out.overflow ? held : buf_str(&out));
}

enum rc content_hold(struct smtpd_session *s, str bytes)
{
    struct content *c = &s->content;
    if (c->held.n + bytes.n > CONTENT_HELD_MAX) {
        log_warn("a header is longer than %d bytes and is not rewritten", CONTENT_HELD_MAX);
        enum rc rc = release(s, buf_str(&c->held));
        return rc == RC_OK ? content_keep(s, bytes) : rc;
    }
    buf_puts(&c->held, bytes);
    headscan_feed(&c->head, bytes);
    return c->head.done ? release_rewritten(s) : RC_OK;
}

enum rc content_finish(struct smtpd_session *s)
{
    return s->content.holds ? release_rewritten(s) : RC_OK;
}
