/* Reads the files of tls_certificates and smtp_tls_certificates, "chain.pem:key.pem"; the self-signed pair is
 * one file that holds both. */
#include "role/key_files.h"

#include "conf/report.h"
#include "os/file.h"
#include "os/ipc.h"
#include "os/tls_client.h"
#include "role/keys.h"

#include <errno.h>
#include <unistd.h>

enum { PEM_MAX = 1 << 16, EXPIRES_SOON_S = 7 * 86400 };

struct pem_store { /* the bytes behind an array of struct tls_pem */
    struct buf chain[KEYS_MAX], key[KEYS_MAX];
    struct tls_pem pairs[KEYS_MAX];
    size_t n;
    struct buf smtp_ca, login_ca;
};

struct reading {
    const struct conf *conf;
    struct conf_report *report;
    struct pem_store *store;
    enum conf_option option; /* that names the pairs */
};

static void pem_store_free(struct pem_store **sp)
{
    struct pem_store *s = *sp;
    for (size_t i = 0; i < KEYS_MAX; i++) {
        buf_deinit(&s->chain[i]);
        buf_wipe(&s->key[i]);
    }
    buf_deinit(&s->smtp_ca);
    buf_deinit(&s->login_ca);
    free(s);
    *sp = NULL;
}

static void complain(const struct reading *r, enum conf_option option, bool warning, const char *what,
                     const char *why)
{
    struct conf_origin at = r->conf->origin[option];
    struct conf_difference d;
    conf_describe(r->conf, option, &d);
    conf_report_add(r->report, warning, at.file ? at.file : "(default)", at.line, "%s: %s%s%s", d.name, what,
                    *what ? ": " : "", why);
}

static bool read_file(const struct reading *r, const char *path, struct buf *out)
{
    buf_init(out, PEM_MAX);
    if (file_read(path, out) == RC_OK)
        return true;
    complain(r, r->option, false, path, out->overflow ? "too large" : strerror(errno));
    return false;
}

static void read_pair(const struct reading *r, str spec)
{
    struct pem_store *s = r->store;
    struct tls_pem *pair = &s->pairs[s->n];
    struct err e = {0};
    int64_t expires_in = 0;
    str rest = spec, chain_path = str_take(&rest, ':');
    AUTO(str_freep) char *chain = str_dup(chain_path), *key = str_dup(rest.n ? rest : chain_path);
    bool both = read_file(r, chain, &s->chain[s->n]);
    both = read_file(r, key, &s->key[s->n]) && both;
    *pair = (struct tls_pem){.chain = buf_str(&s->chain[s->n]), .key = buf_str(&s->key[s->n]), .name = spec};
    s->n++;
    if (!both)
        return;
    if (tls_pem_check(pair, &expires_in, &e) != RC_OK)
        complain(r, r->option, false, "", err_text(&e));
    else if (expires_in < 0)
        complain(r, r->option, true, chain, "the certificate has expired");
    else if (expires_in < EXPIRES_SOON_S)
        complain(r, r->option, true, chain, "the certificate expires within a week");
}

static void read_list(const struct reading *r, struct conf_list wanted)
{
    for (size_t i = 0; i < wanted.n && i < KEYS_MAX; i++)
        read_pair(r, wanted.v[i]);
    if (wanted.n > KEYS_MAX)
        complain(r, r->option, false, "", "there are too many");
}

void key_files_self_signed_path(const struct conf *c, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s/tls/self-signed.pem", c->state_dir);
}

static void read_pairs(const struct reading *r)
{
    struct buf path AUTO(buf_deinit) = BUF_INIT(4096);
    struct conf_list wanted = r->conf->tls_certificates;
    read_list(r, wanted);
    key_files_self_signed_path(r->conf, &path);
    if (wanted.n > 0 || access(buf_cstr(&path), F_OK) != 0)
        return;
    read_pair(r, buf_str(&path));
    r->store->pairs[0].name = S("the self-signed certificate");
}

static enum conf_option client_ca_option(const struct conf *c)
{
    return c->smtpd_tls_ca_file[0] ? CONF_smtpd_tls_ca_file : CONF_smtpd_tls_ca_path;
}

static void read_ca(const struct reading *r, enum conf_option option, const char *file, const char *folder,
                    struct buf *out)
{
    struct err e = {0};
    buf_init(out, KEYS_BYTES_MAX / 3);
    if ((file[0] || folder[0]) && tls_ca_collect(file, folder, out, &e) != RC_OK)
        complain(r, option, false, "", err_text(&e));
}

/* What no single file shows: ciphers that OpenSSL does not know. */
static void check_settings(const struct reading *r)
{
    struct tls_server *t = NULL;
    struct err e = {0};
    str version = r->conf->tls_min_version == CONF_TLS_1_3 ? S("TLSv1.3") : S("TLSv1.2");
    if (tls_server_new(r->store->pairs, r->store->n, version, str_c(r->conf->tls_ciphers), &t, &e) != RC_OK)
        complain(r, CONF_tls_ciphers, false, "", err_text(&e));
    else if (tls_server_trust(t, buf_str(&r->store->smtp_ca), false, &e) != RC_OK)
        complain(r, client_ca_option(r->conf), false, "", err_text(&e));
    else if (tls_server_trust(t, buf_str(&r->store->login_ca), r->conf->ssl_require_crl, &e) != RC_OK)
        complain(r, CONF_ssl_ca, false, "", err_text(&e));
    tls_server_unref(t);
}

enum rc key_files_read(const struct conf *c, struct conf_report *report, struct buf *out)
{
    AUTO(pem_store_free) struct pem_store *s = calloc(1, sizeof *s);
    struct reading r = {.conf = c, .report = report, .store = s, .option = CONF_tls_certificates};
    size_t errors = report->errors;
    must(s);
    read_pairs(&r);
    read_ca(&r, client_ca_option(c), c->smtpd_tls_ca_file, c->smtpd_tls_ca_path, &s->smtp_ca);
    read_ca(&r, CONF_ssl_ca, c->ssl_ca, "", &s->login_ca);
    if (report->errors == errors && s->n > 0)
        check_settings(&r);
    if (report->errors != errors)
        return RC_PERM;
    const struct keys_ca ca = {buf_str(&s->smtp_ca), buf_str(&s->login_ca)};
    keys_put(out, s->pairs, s->n, &ca);
    if (out->overflow)
        complain(&r, CONF_tls_certificates, false, "", "they are too large together");
    return out->overflow ? RC_PERM : RC_OK;
}

/* --- what other servers see --- */

static void try_out(const struct reading *r, enum conf_option option, const struct tls_client_settings *set)
{
    struct tls_client *t = NULL;
    struct err e = {0};
    if (tls_client_new(set, &t, &e) != RC_OK)
        complain(r, option, false, "", err_text(&e));
    tls_client_unref(t);
}

static void check_ciphers(const struct conf *c, struct conf_report *report)
{
    const struct reading r = {.conf = c, .report = report};
    const struct tls_client_settings set = {
        .no_ca = true, .min_version = S("TLSv1.2"), .ciphers = str_c(c->smtp_tls_ciphers)};
    try_out(&r, CONF_smtp_tls_ciphers, &set);
}

/* name: of the transport whose settings c are, "" for those of all. */
static void put_transport(const struct conf *c, const char *name, struct conf_report *report, struct buf *out)
{
    AUTO(pem_store_free) struct pem_store *s = calloc(1, sizeof *s);
    const struct reading r = {.conf = c, .report = report, .store = s, .option = CONF_smtp_tls_certificates};
    const struct keys_ca none = {STR_NONE, STR_NONE};
    struct buf pairs = BUF_INIT(KEYS_BYTES_MAX);
    size_t errors = report->errors;
    must(s);
    read_list(&r, c->smtp_tls_certificates);
    const struct tls_client_settings set = {
        .no_ca = true, .min_version = S("TLSv1.2"), .certificates = s->pairs, .n_certificates = s->n};
    if (report->errors == errors)
        try_out(&r, r.option, &set);
    keys_put(&pairs, s->pairs, s->n, &none);
    ipc_put_str(out, str_c(name));
    ipc_put_str(out, buf_str(&pairs));
    if (pairs.overflow || out->overflow)
        complain(&r, r.option, false, "", "they are too large together");
    buf_wipe(&pairs);
}

static bool is_same_list(struct conf_list a, struct conf_list b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; i < a.n && same; i++)
        same = str_eq(a.v[i], b.v[i]);
    return same;
}

static const struct conf *own_of(const struct conf *c, const struct conf_transport *t)
{
    bool differs = t->own && !is_same_list(t->own->smtp_tls_certificates, c->smtp_tls_certificates);
    return differs ? t->own : NULL;
}

enum rc key_files_read_client(const struct conf *c, struct conf_report *report, struct buf *out)
{
    size_t errors = report->errors;
    uint32_t n = 1;
    for (size_t i = 0; i < c->transport_count; i++)
        n += own_of(c, &c->transports[i]) != NULL;
    check_ciphers(c, report);
    ipc_put_u32(out, n);
    put_transport(c, "", report, out);
    for (size_t i = 0; i < c->transport_count; i++)
        if (own_of(c, &c->transports[i]))
            put_transport(own_of(c, &c->transports[i]), c->transports[i].name, report, out);
    return report->errors == errors ? RC_OK : RC_PERM;
}
