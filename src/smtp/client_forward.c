/* XFORWARD (Postfix's XFORWARD_README): the next server's log gets to know where the message came from. It is
 * a courtesy: a server that does not want it gets the message all the same. */
#include "fmt/smtp_attr.h"
#include "smtp/client_transaction.h"

enum { LINE_MAX_BYTES = 2048 };

static void put(const struct transaction *t, enum smtp_attr_name name, str value, struct buf *out)
{
    if (t->c->offers.xforward & 1u << name)
        smtp_attr_put(out, name, value);
}

/* What queue does not keep is not said to be unknown. */
static void put_known(const struct transaction *t, enum smtp_attr_name name, str value, struct buf *out)
{
    if (value.n > 0)
        put(t, name, value, out);
}

bool transaction_tell_origin(struct transaction *t)
{
    struct smtp_client *c = t->c;
    const struct smtp_client_origin *from = &t->m->origin;
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    struct smtp_outcome o;
    if (!c->p.tells_origin || !transaction_has(t, EHLO_XFORWARD))
        return true;
    buf_puts(&line, S("XFORWARD"));
    put(t, SMTP_ATTR_NAME, from->name, &line);
    put(t, SMTP_ATTR_ADDR, from->address, &line);
    put_known(t, SMTP_ATTR_PORT, from->port, &line);
    put_known(t, SMTP_ATTR_PROTO, from->protocol, &line);
    put_known(t, SMTP_ATTR_HELO, from->helo, &line);
    put(t, SMTP_ATTR_IDENT, from->id, &line);
    put(t, SMTP_ATTR_SOURCE, from->local ? S("LOCAL") : S("REMOTE"), &line);
    buf_puts(&line, S("\r\n"));
    if (line.overflow || line.n <= sizeof "XFORWARD\r\n")
        return true;
    stream_write(c->io, buf_str(&line));
    if (client_ask(c, t->arena, SMTP_PHASE_XFORWARD, c->p.timeouts.mail, NULL, &o) == RC_OK && !c->closing)
        return true;
    o.rc = RC_TEMP;
    o.enhanced[0] = '4';
    transaction_settle_all(t, &o);
    return false;
}
