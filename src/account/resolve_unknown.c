/* What is said of a recipient that does not exist, in Postfix's words: which of its tables would have to have
 * it hangs on what the domain is there. */
#include "account/resolve_impl.h"

#include "conf/conf.h"

enum kind { KIND_LOCAL, KIND_ALIAS, KIND_MAILBOX, KIND_RELAY };

static const char *const tables[] = {[KIND_LOCAL] = "local recipient",
                                     [KIND_ALIAS] = "virtual alias",
                                     [KIND_MAILBOX] = "virtual mailbox",
                                     [KIND_RELAY] = "relay recipient"};

static bool is_local(const struct conf *c, str domain)
{
    if (c->local_domains.n == 0)
        return c->system_users;
    return domain.n == 0 || str_ieq(domain, str_c(c->hostname)) ||
           conf_list_has_domain(&c->local_domains, domain);
}

static int code_of(const struct conf *c, enum kind kind)
{
    switch (kind) {
    case KIND_LOCAL:
        return c->unknown_local_recipient_reject_code;
    case KIND_ALIAS:
        return c->unknown_virtual_alias_reject_code;
    case KIND_MAILBOX:
        return c->unknown_virtual_mailbox_reject_code;
    case KIND_RELAY:
        break;
    }
    return c->unknown_relay_recipient_reject_code;
}

/* The status stays that of a failure, for mail that is in the queue already. Of aliases Postfix always says
 * it.
 */
static enum rc refuse(const struct conf *c, enum kind kind, struct err *e)
{
    if (!c->show_user_unknown_table_name && kind != KIND_ALIAS)
        return err_set(e, RC_PERM, code_of(c, kind), "5.1.1", "User unknown");
    return err_set(e, RC_PERM, code_of(c, kind), "5.1.1", "User unknown in %s table", tables[kind]);
}

static bool is_alias(const struct conf *c, str domain)
{
    return conf_list_has_domain(&c->alias_domains, domain) &&
           !conf_list_has_domain(&c->local_domains, domain);
}

bool resolve_aliases_only(const struct resolver *r, const struct step *s)
{
    return is_alias(r->l->conf, address_domain(s->key));
}

enum rc resolve_unknown(const struct resolver *r, str address, struct err *e)
{
    const struct conf *c = r->l->conf;
    ptrdiff_t at = str_rchr(address, '@');
    str domain = at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
    enum kind kind = is_alias(c, domain) ? KIND_ALIAS : is_local(c, domain) ? KIND_LOCAL : KIND_MAILBOX;
    return refuse(c, kind, e);
}

enum rc resolve_unknown_relay(const struct conf *c, struct err *e)
{
    return refuse(c, KIND_RELAY, e);
}
