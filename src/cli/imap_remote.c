#include "cli/imap_remote.h"

#include "base/enc.h"
#include "base/num.h"
#include "fmt/sasl.h"
#include "net/dial.h"
#include "os/socket.h"
#include "os/tls_client.h"

#include <netdb.h>

enum { CONNECT_MS = 30000, ANSWER_MS = 300000, HOST_MAX = 255 };

struct way {
    const struct imap_remote *r;
    char host[HOST_MAX + 1];
    uint32_t port;
};

static int parse_server(struct way *w)
{
    str rest = str_c(w->r->server), host = str_take(&rest, ':');
    if (str_starts(str_c(w->r->server), S("["))) { /* an IPv6 address */
        rest = str_from(str_c(w->r->server), 1);
        host = str_take(&rest, ']');
        (void)str_take(&rest, ':');
    }
    w->port = w->r->starttls ? 143 : 993;
    if (host.n == 0 || str_copy(w->host, sizeof w->host, host) != RC_OK ||
        (rest.n && (num_parse_u32(rest, 65535, &w->port) != RC_OK || w->port == 0)))
        return cli_usage("%s is no server such as imap.example.com or imap.example.com:993", w->r->server);
    return CLI_FINE;
}

/* Tries one address after the other. */
static enum rc connect_any(const struct way *w, const struct addrinfo *all, int *ret_fd, struct err *e)
{
    static const struct dial_way direct;
    enum rc rc = RC_TEMP;
    for (const struct addrinfo *a = all; a && rc != RC_OK; a = a->ai_next) {
        struct sockaddr_storage to = {0};
        memcpy(&to, a->ai_addr, a->ai_addrlen);
        socket_set_port(&to, (int)w->port);
        rc = dial(&to, &direct, w->host, clock_mono() + CONNECT_MS, ret_fd, e);
    }
    return rc;
}

static enum rc connect_to(const struct way *w, int *ret_fd, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *all = NULL;
    int why = getaddrinfo(w->host, NULL, &hints, &all);
    if (why != 0)
        return err_set(e, RC_TEMP, 0, "", "%s: %s", w->host, gai_strerror(why));
    enum rc rc = connect_any(w, all, ret_fd, e);
    freeaddrinfo(all);
    return rc;
}

/* The CAs are read for this one connection. */
static enum rc start_tls(const struct way *w, struct stream *io, struct err *e)
{
    const struct tls_client_settings set = {.ca_file = str_c(w->r->ca_file), .min_version = S("TLSv1.2")};
    const str name = str_c(w->host);
    const struct tls_client_params params = {
        .server_name = name, .verify = TLS_VERIFY_CA, .required = true, .names = &name, .n_names = 1};
    struct tls_client *tls = NULL;
    enum rc rc = tls_client_new(&set, &tls, e);
    if (rc != RC_OK)
        return rc;
    stream_set_deadline(io, clock_mono() + CONNECT_MS);
    rc = stream_start_tls_client(io, tls, &params, NULL, e);
    tls_client_unref(tls);
    return rc;
}

/* What came behind the answer was sent by somebody in between (RFC 9051 §11.1). */
static enum rc upgrade(const struct way *w, struct imap_client *c, struct err *e)
{
    enum rc rc = imap_client_greet(c, e);
    buf_puts(imap_client_command(c), S("STARTTLS"));
    if (rc == RC_OK)
        rc = imap_client_run(c, NULL, NULL, e);
    if (rc == RC_OK && stream_buffered(imap_client_stream(c)))
        rc = err_set(e, RC_INVALID, 0, "", "bytes came before TLS began");
    if (rc == RC_OK)
        rc = start_tls(w, imap_client_stream(c), e);
    imap_client_forget_capabilities(c);
    return rc;
}

/* --- logging in --- */

static enum rc learn_capabilities(struct imap_client *c, struct err *e)
{
    if (imap_client_capabilities(c).n)
        return RC_OK;
    buf_puts(imap_client_command(c), S("CAPABILITY"));
    return imap_client_run(c, NULL, NULL, e);
}

/* RFC 4616, with the initial response where the server takes it (RFC 4959). */
static enum rc authenticate_plain(const struct imap_remote *r, struct imap_client *c, struct err *e)
{
    AUTO(buf_wipe)
    struct buf plain = BUF_INIT(2 * SASL_PASSWORD_MAX), coded = BUF_INIT(4 * SASL_PASSWORD_MAX);
    struct buf *out = imap_client_command(c);
    buf_putc(&plain, '\0');
    buf_puts(&plain, str_c(r->user));
    buf_putc(&plain, '\0');
    buf_puts(&plain, r->password);
    enc_base64(&coded, buf_str(&plain));
    if (plain.overflow || coded.overflow)
        return err_set(e, RC_LIMIT, 0, "", "the name or the password is too long");
    buf_puts(out, S("AUTHENTICATE PLAIN"));
    if (imap_capability_has(imap_client_capabilities(c), S("SASL-IR"))) {
        buf_printf(out, " " STR_FMT, STR_ARG(buf_str(&coded)));
        return imap_client_run(c, NULL, NULL, e);
    }
    enum rc rc = imap_client_start(c, e);
    return rc ? rc : imap_client_answer(c, buf_str(&coded), e);
}

static enum rc log_in(const struct imap_remote *r, struct imap_client *c, struct err *e)
{
    enum rc rc = learn_capabilities(c, e);
    if (rc != RC_OK)
        return rc;
    if (imap_capability_has(imap_client_capabilities(c), S("AUTH=PLAIN")))
        return authenticate_plain(r, c, e);
    if (imap_capability_has(imap_client_capabilities(c), S("LOGINDISABLED")))
        return err_set(e, RC_PERM, 0, "", "the server takes no password");
    struct buf *out = imap_client_command(c);
    buf_puts(out, S("LOGIN "));
    imap_client_put_string(c, str_c(r->user));
    buf_putc(out, ' ');
    imap_client_put_string(c, r->password);
    return imap_client_run(c, NULL, NULL, e);
}

struct imap_client *imap_remote_open(const struct imap_remote *r, size_t response_max)
{
    struct way w = {.r = r};
    struct err e = {0};
    int fd = -1;
    if (parse_server(&w) != CLI_FINE)
        return NULL;
    if (connect_to(&w, &fd, &e) != RC_OK) {
        (void)cli_fail("%s", err_text(&e));
        return NULL;
    }
    struct stream *io = stream_new(fd, IMAP_CLIENT_IN_MAX);
    enum rc rc = r->starttls ? RC_OK : start_tls(&w, io, &e);
    struct imap_client *c = imap_client_new(io, response_max, ANSWER_MS);
    if (rc == RC_OK)
        rc = r->starttls ? upgrade(&w, c, &e) : imap_client_greet(c, &e);
    if (rc == RC_OK)
        rc = log_in(r, c, &e);
    if (rc == RC_OK)
        rc = imap_client_enable_utf8(c, &e);
    if (rc == RC_OK)
        return c;
    (void)cli_fail("%s: %s", w.host, err_text(&e));
    return imap_client_free(c);
}
