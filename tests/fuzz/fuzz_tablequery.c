/* Query templates: quoted parts stay inside their quotes. Input: template, NUL, key, NUL, value. */
#include "fmt/tablequery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A part that was quoted ends the literal it stands in nowhere: its quotes come in pairs. */
static void check_sql(str part)
{
    struct buf out = BUF_INIT(2 * part.n + 1);
    tablequery_quote_sql(NULL, &out, part);
    must(!out.overflow);
    for (size_t i = 0; i < out.n; i++) {
        if (out.p[i] == '\'')
            must(++i < out.n && out.p[i] == '\'');
    }
    buf_deinit(&out);
}

static void check_ldap(str part)
{
    struct buf filter = BUF_INIT(3 * part.n + 1), dn = BUF_INIT(3 * part.n + 1);
    tablequery_quote_filter(NULL, &filter, part);
    tablequery_quote_dn(NULL, &dn, part);
    must(!filter.overflow && !dn.overflow);
    for (size_t i = 0; i < filter.n; i++)
        must(filter.p[i] != '*' && filter.p[i] != '(' && filter.p[i] != ')' && filter.p[i] != '\0');
    for (size_t i = 0; i < dn.n; i++) {
        if (dn.p[i] == '\\')
            i++;
        else
            must(dn.p[i] != '\0' && !strchr("\"+,;<=>", dn.p[i]));
    }
    buf_deinit(&filter);
    buf_deinit(&dn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(4096);
    str value = str_mem(data, size), text = str_take(&value, '\0'), key = str_take(&value, '\0');
    check_sql(key);
    check_ldap(value);
    if (!tablequery_check(text)) {
        enum rc rc = tablequery_put(&out, text, key, tablequery_quote_sql, NULL);
        must(rc == RC_OK ? !out.overflow : rc == RC_GONE || rc == RC_LIMIT);
        buf_reset(&out);
        rc = tablequery_put_result(&out, text, key, value);
        must(rc != RC_GONE || out.n == 0);
    }
    buf_deinit(&out);
    return 0;
}
