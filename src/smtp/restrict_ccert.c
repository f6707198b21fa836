/* Restrictions on the client's certificate, which tables know by its fingerprint or by that of the public key
 * in it. */
#include "base/log.h"
#include "smtp/restrict_impl.h"
#include "table/settings.h"

enum { FINGERPRINT_MAX = 200 };

const struct tls_ccert *restrict_ccert(const struct smtp_session *s)
{
    const struct tls_info *tls = stream_tls_info(s->io);
    return tls && tls->ccert && tls->ccert->present ? tls->ccert : NULL;
}

str smtp_fingerprint(struct smtp_session *s, bool of_key, struct arena *a)
{
    static const char *const digests[] = {"md5", "sha1", "sha256", "sha384", "sha512"};
    AUTO(buf_deinit) struct buf text = BUF_INIT(FINGERPRINT_MAX);
    if (stream_tls_fingerprint(s->io, digests[s->conf->smtpd_tls_fingerprint_digest], of_key, &text) != RC_OK)
        return S("");
    return arena_str(a, buf_str(&text));
}

enum rc restrict_find_ccert(struct smtp_session *s, struct table_list *table, struct maps_found *ret,
                            struct err *e)
{
    struct arena *a = s->restrict_.arena;
    enum rc rc = RC_GONE;
    for (int of_key = 0; of_key <= 1 && rc == RC_GONE; of_key++) {
        ret->key = smtp_fingerprint(s, of_key, a);
        rc = ret->key.n > 0 ? table_list_find(table, TABLE_WHOLE_KEY, ret->key, a, &ret->value, e) : RC_TEMP;
    }
    return rc;
}

enum verdict restrict_permit_ccert(struct smtp_session *s, bool all)
{
    const struct tls_ccert *c = restrict_ccert(s);
    struct table_list *table = smtp_tables(s, TABLES_RELAY_CCERT);
    struct maps_found found = {.value = STR_NONE};
    struct err e = {0};
    if (!c || (all && c->trusted))
        return c ? PERMITTED : DUNNO;
    enum rc rc = table ? restrict_find_ccert(s, table, &found, &e) : RC_GONE;
    if (rc == RC_OK || rc == RC_GONE)
        return rc == RC_OK ? PERMITTED : DUNNO;
    log_warn("relay_clientcerts: lookup error for fingerprint '" STR_FMT "': %s", STR_ARG(found.key),
             err_text(&e));
    return restrict_refuse(s, BY_FAULT, 451, "4.3.0", "<" SMTP_CLIENT_FMT ">: Temporary lookup failure",
                           SMTP_CLIENT_ARG(s));
}
