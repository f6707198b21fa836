/* What tables say of where mail goes: a result of transport(5) and a TLS policy. The first line is the
 * result, the second the policy. */
#include "queue/queue_impl.h"
#include "queue/site_name.h"
#include "role/smtp_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void route(str value)
{
    static struct conf conf = {
        .relayhost = "", .default_transport = "smtp", .relay_transport = "relay", .recipient_delimiter = "+"};
    AUTO(buf_deinit)
    struct buf name = BUF_INIT(QUEUE_SITE_MAX), again = BUF_INIT(QUEUE_SITE_MAX), spec = BUF_INIT(4096);
    struct table_settings tables = {0};
    struct err e = {0};
    buf_printf(&spec, "static:{" STR_FMT "}", STR_ARG(value));
    str one = buf_str(&spec);
    if (spec.overflow || table_list_open(&one, 1, NULL, &tables.v[TABLES_TRANSPORT], &e) != RC_OK)
        return;
    const struct queue_rcpt r = {.address = S("joe@Example.COM")};
    if (queue_route(&conf, &tables, S("ann@example.org"), &r, &name, &e) == RC_OK) {
        must(name.n > 0 && name.n <= QUEUE_SITE_MAX && !name.overflow);
        const struct site_name site = site_name_parse(buf_str(&name));
        must(site_name_put_service(&again, site.transport, site.service, site.next) == RC_OK);
        must(str_eq(buf_str(&again), buf_str(&name)));
    } else {
        must(e.rc == RC_TEMP && name.n == 0);
    }
    table_list_close(tables.v[TABLES_TRANSPORT]);
}

static void policy(str text)
{
    struct smtp_policy p = {.level = SMTP_POLICY_SECURE};
    struct smtp_client_params params = {.tls_level = SMTP_TLS_NONE};
    struct err e = {0};
    if (smtp_policy_parse(text, &p, &e) != RC_OK)
        return;
    must(p.n_match <= SMTP_POLICY_NAMES_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(64 << 10);
    const struct dane dane = {0};
    if (smtp_policy_apply(&p, &dane, NULL, S("example.com"), S("mx.example.com"), a, &params, &e) != RC_OK)
        return;
    bool verifies = p.level == SMTP_POLICY_VERIFY || p.level == SMTP_POLICY_SECURE;
    must(!verifies || (params.tls_level == SMTP_TLS_ENCRYPT && params.tls_params.verify == TLS_VERIFY_CA));
    must(params.tls_params.n_names > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str rest = str_mem(data, size), first = str_take(&rest, '\n');
    route(first);
    policy(rest);
    return 0;
}
