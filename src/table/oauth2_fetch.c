/* One question to a server of tokens. */
#include "table/oauth2_impl.h"

#include "base/enc.h"
#include "fmt/ip.h"
#include "net/http.h"

enum { HEADER_MAX = 64 << 10 };

enum rc oauth2_set_place(struct table *t, const char *name, struct oauth2_place *ret, struct err *e)
{
    const struct oauth2 *o = t->state;
    AUTO(buf_deinit) struct buf where = BUF_INIT(SERVER_HOST_MAX + SERVER_PORT_MAX);
    str text = users_get(o->settings, name, "");
    struct http_url u;
    struct ip_net ip;
    if (text.n == 0)
        return RC_OK;
    if (http_url_parse(text, &u) != RC_OK)
        return table_fail(t, e, RC_PERM, "%s is no address of http: or https:", name);
    bool here = str_ieq(u.host, S("localhost")) || (ip_parse(u.host, &ip) == RC_OK && ip_is_loopback(&ip));
    if (!u.tls && !here)
        table_warn(t, "%s: tokens will go to " STR_FMT " unencrypted", name,
                   STR_ARG(str_sub(u.host, 0, 100)));
    ret->url = u;
    buf_printf(&where, "[" STR_FMT "]:%d", STR_ARG(u.host), u.port);
    return server_set_name(t, buf_str(&where), &ret->server, e);
}

/* "user:password" in the address, or client_id and client_secret where a form is posted (RFC 7662 §2.1). */
static enum rc put_own_authorization(const struct oauth2 *o, const struct oauth2_request *q, struct buf *out)
{
    AUTO(buf_wipe) struct buf pair = BUF_INIT(HEADER_MAX);
    str id = users_get(o->settings, "client_id", ""), secret = users_get(o->settings, "client_secret", "");
    (void)buf_room(&pair, HEADER_MAX);
    if (q->place->url.user_info.n > 0) {
        if (http_url_decode(q->place->url.user_info, &pair) != RC_OK)
            return RC_INVALID;
    } else if (q->form.n > 0 && id.n > 0 && secret.n > 0) {
        buf_printf(&pair, STR_FMT ":" STR_FMT, STR_ARG(id), STR_ARG(secret));
    } else {
        return RC_OK;
    }
    buf_puts(out, S("Basic "));
    enc_base64(out, buf_str(&pair));
    return RC_OK;
}

static enum rc connect_to(struct table *t, const struct oauth2_place *p, msec deadline, struct stream **ret,
                          struct err *e)
{
    const struct oauth2 *o = t->state;
    struct ip_net ip;
    struct err why = {0};
    enum rc rc = server_connect(t, &p->server, HTTP_INPUT_MAX, deadline, ret, e);
    if (rc != RC_OK)
        return rc;
    stream_set_deadline(*ret, deadline);
    if (!p->url.tls)
        return RC_OK;
    const struct tls_client_params params = {.server_name =
                                                 ip_parse(p->url.host, &ip) == RC_OK ? S("") : p->url.host,
                                             .verify = TLS_VERIFY_CA,
                                             .required = true,
                                             .names = &p->url.host,
                                             .n_names = 1};
    rc = stream_start_tls_client(*ret, o->tls, &params, NULL, &why);
    return rc == RC_OK ? RC_OK : table_fail(t, e, RC_TEMP, "%s: %s", p->server.host, err_text(&why));
}

static enum rc ask(struct table *t, struct stream *s, const struct oauth2_request *q, struct buf *body,
                   struct err *e)
{
    const struct http_url *u = &q->place->url;
    AUTO(buf_wipe) struct buf path = BUF_INIT(HEADER_MAX), own = BUF_INIT(2 * HEADER_MAX);
    AUTO(buf_deinit) struct buf host = BUF_INIT(SERVER_HOST_MAX + SERVER_PORT_MAX);
    bool v6 = str_chr(u->host, ':') >= 0;
    struct http_answer answer;
    const char *why;
    buf_puts(&path, u->path.n > 0 ? u->path : S("/"));
    buf_puts(&path, q->more);
    buf_printf(&host, "%s" STR_FMT "%s", v6 ? "[" : "", STR_ARG(u->host), v6 ? "]" : "");
    if (u->port != (u->tls ? 443 : 80))
        buf_printf(&host, ":%d", u->port);
    if (q->authorization.n == 0 && put_own_authorization(t->state, q, &own) != RC_OK)
        return table_fail(t, e, RC_TEMP, "the user and password of an address cannot be read");
    if (path.overflow || own.overflow || host.overflow)
        return table_fail(t, e, RC_TEMP, "a request is too long");
    const struct http_request request = {.host = buf_str(&host),
                                         .path = buf_str(&path),
                                         .accept = S("application/json"),
                                         .authorization =
                                             q->authorization.n > 0 ? q->authorization : buf_str(&own),
                                         .form = q->form};
    if (http_ask(s, &request, body, &answer, &why) != RC_OK)
        return table_fail(t, e, RC_TEMP, "%s: %s", q->place->server.host, why);
    if (answer.status == 400 || answer.status == 401 || answer.status == 403)
        return RC_GONE;
    if (answer.status != 200)
        return table_fail(t, e, RC_TEMP, "%s: status %d", q->place->server.host, answer.status);
    return RC_OK;
}

enum rc oauth2_fetch(struct table *t, const struct oauth2_request *q, msec deadline, struct buf *body,
                     struct err *e)
{
    AUTO(stream_freep) struct stream *s = NULL;
    enum rc rc = connect_to(t, q->place, deadline, &s, e);
    return rc == RC_OK ? ask(t, s, q, body, e) : rc;
}
