/* tablequery: the % templates of Postfix's database tables (ldap_table(5), pgsql_table(5), sqlite_table(5)):
 * queries made from a key, results made from a value.
 *
 *   %s %u %d     the key (in a query) or the value (in a result), its local part, its domain
 *   %S %U %D     the same of the key, always
 *   %1 ... %9    labels of the key's domain, the last one first
 *   %%           a per cent sign */
#ifndef FMT_TABLEQUERY_H
#define FMT_TABLEQUERY_H

#include "base/buf.h"

/* NULL, or what is wrong with the template. */
const char *tablequery_check(str text);

/* Appends `part` so that it means nothing special where it stands. */
typedef void tablequery_quote(void *ctx, struct buf *out, str part);

/* Appends the query. RC_GONE: the key lacks what the template wants (a domain, enough labels, a local part
 * that is not empty), so that nothing can be found; what was appended is worthless then. RC_LIMIT: out is
 * full. */
MUST_USE enum rc tablequery_put(struct buf *out, str text, str key, tablequery_quote *quote, void *ctx);
/* Appends the result of one value; with more than one, a comma comes between. RC_GONE: the value is empty or
 * lacks what the template wants: it is skipped and nothing is appended. */
MUST_USE enum rc tablequery_put_result(struct buf *out, str text, str key, str value);

/* Quoting. */
void tablequery_quote_sql(void *unused, struct buf *out, str part);    /* ' becomes '' */
void tablequery_quote_filter(void *unused, struct buf *out, str part); /* RFC 4515 §3 */
void tablequery_quote_dn(void *unused, struct buf *out, str part);     /* RFC 4514 §2.4 */

#endif
