#include "role/smtp_tls.h"

#include "base/log.h"
#include "os/ipc.h"
#include "role/keys.h"

#include <unistd.h>

struct tls_of_transport {
    char name[CONF_TRANSPORT_NAME_MAX + 1]; /* "": of all others */
    struct tls_client *any, *only_1_3;
};

struct smtp_tls {
    struct tls_of_transport *v; /* the first has no name */
    size_t n;
    struct tls_client *nobody;
};

static _Noreturn void give_up(const char *why)
{
    log_error("TLS: %s", why);
    _exit(1);
}

static struct tls_client *make(const struct conf *c, const struct tls_pem *pairs, size_t n, bool only_1_3)
{
    bool newest = only_1_3 || c->tls_min_version == CONF_TLS_1_3;
    const struct tls_client_settings set = {.min_version = newest ? S("TLSv1.3") : S("TLSv1.2"),
                                            .ca_file = str_c(c->smtp_tls_ca_file),
                                            .ciphers = str_c(c->smtp_tls_ciphers),
                                            .certificates = pairs,
                                            .n_certificates = n};
    struct tls_client *t = NULL;
    struct err e = {0};
    if (tls_client_new(&set, &t, &e) != RC_OK)
        give_up(err_text(&e));
    return t;
}

/* name, pairs: as keys.h has them. */
static void add(struct smtp_tls *t, const struct conf *c, str name, str pairs)
{
    struct tls_pem pem[KEYS_MAX];
    struct keys_ca none;
    size_t n;
    struct tls_of_transport *of = &t->v[t->n++];
    if (str_copy(of->name, sizeof of->name, name) != RC_OK ||
        keys_get(pairs, pem, KEYS_MAX, &n, &none) != RC_OK)
        give_up("malformed key pairs");
    of->any = make(c, pem, n, false);
    of->only_1_3 = table_settings_any(c, TABLES_TLS_POLICY) ? make(c, pem, n, true) : tls_client_ref(of->any);
}

struct smtp_tls *smtp_tls_new(const struct role *r)
{
    struct ipc_msg m = {.fields = buf_str(&r->keys)};
    uint32_t n = ipc_get_u32(&m);
    struct smtp_tls *t = calloc(1, sizeof *t);
    must(t);
    if (n == 0 || n > r->conf->transport_count + 1)
        give_up("malformed key pairs");
    t->v = calloc(n, sizeof *t->v);
    must(t->v);
    for (uint32_t i = 0; i < n; i++) {
        str name = ipc_get_str(&m, CONF_TRANSPORT_NAME_MAX);
        add(t, r->conf, name, ipc_get_str(&m, KEYS_BYTES_MAX));
    }
    if (ipc_end(&m) != RC_OK)
        give_up("malformed key pairs");
    bool shown = r->conf->smtp_tls_certificates.n > 0;
    t->nobody = shown ? make(r->conf, NULL, 0, false) : tls_client_ref(t->v[0].any);
    return t;
}

struct tls_client *smtp_tls_find(const struct smtp_tls *t, str transport, bool only_1_3)
{
    const struct tls_of_transport *of = &t->v[0];
    for (size_t i = 1; i < t->n; i++)
        if (str_eq(transport, str_c(t->v[i].name)))
            of = &t->v[i];
    return only_1_3 ? of->only_1_3 : of->any;
}

struct tls_client *smtp_tls_of_nobody(const struct smtp_tls *t)
{
    return t->nobody;
}
