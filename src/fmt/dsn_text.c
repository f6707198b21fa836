/* The part of a notification that people read: for each recipient what happened, in plain words and then in
 * those of the server that said so. */
#include "fmt/dsn_impl.h"

/* Meanings of enhanced status codes without their class (RFC 3463 §3 and the registry of RFC 5248). */
static const struct {
    const char *code, *words;
} meanings[] = {
    {"1.1", "There is no such mailbox."},
    {"1.2", "There is no such domain, or it takes no mail."},
    {"1.3", "The address is not written correctly."},
    {"1.4", "The address leads to more than one mailbox."},
    {"1.6", "The mailbox has moved to another address."},
    {"1.7", "The sender's address is not accepted."},
    {"1.8", "The domain of the sender's address cannot be found."},
    {"1.10", "The domain says that it takes no mail."},
    {"2.1", "The mailbox is disabled."},
    {"2.2", "The mailbox is full."},
    {"2.3", "The message is larger than the mailbox takes."},
    {"2.4", "The mailing list could not be expanded."},
    {"3.1", "The mail server has no space left."},
    {"3.2", "The mail server takes no messages now."},
    {"3.4", "The message is larger than the mail server takes."},
    {"4.1", "The mail server did not answer."},
    {"4.2", "The connection to the mail server broke."},
    {"4.3", "The name of the mail server could not be looked up."},
    {"4.4", "No mail server was found for the domain."},
    {"4.5", "The mail server is too busy."},
    {"4.6", "The message goes round in circles between mail servers."},
    {"4.7", "The time for delivering it has run out."},
    {"5.3", "The message has more recipients than the mail server takes."},
    {"6.1", "The mail server does not take this kind of content."},
    {"6.3", "The message would have to be converted, and cannot be."},
    {"6.7", "The mail server does not take addresses in other scripts than ASCII."},
    {"6.9", "The mail server does not take headers in other scripts than ASCII."},
    {"7.0", "The mail server refused it by a rule."},
    {"7.1", "The mail server refused it by a rule."},
    {"7.2", "You may not send to this mailing list."},
    {"7.10", "An encrypted connection is needed, and could not be made."},
    {"7.20", "The message has no valid DKIM signature that the mail server accepts."},
    {"7.23", "Your domain does not allow this server to send its mail (SPF)."},
    {"7.25", "The address that the message came from has no name (reverse DNS)."},
    {"7.26", "The message did not pass the checks of who sent it."},
    {"7.28", "Too much mail at once."},
    {"7.30", "The message must travel encrypted, and the mail server cannot."},
};

static const char *words_for(str status)
{
    str_take(&status, '.');
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (str_eq(status, str_c(meanings[i].code)))
            return meanings[i].words;
    return NULL;
}

/* What happened to one recipient, as the end of a sentence that begins with the address. */
static str outcome(const struct dsn_rcpt *r)
{
    switch (r->action) {
    case DSN_FAILED:
        return S("not delivered.");
    case DSN_DELAYED:
        return S("not delivered yet.");
    case DSN_DELIVERED:
        return S("delivered to the mailbox.");
    case DSN_RELAYED:
        return r->reports_follow ? S("passed on to the next server.")
                                 : S("passed on to a server that sends no reports of delivery.");
    default:
        return S("passed on to the addresses that it stands for.");
    }
}

static void put_line(struct buf *out, str words, str indent)
{
    buf_puts(out, indent);
    dsn_put_wrapped(out, words, indent.n, indent, false);
    buf_putc(out, '\n');
}

/* Each line of a reply on a line of its own. */
static void put_reply(struct buf *out, const struct dsn_rcpt *r, bool utf8)
{
    str rest = str_trim(str_sub(r->diagnostic, 0, DSN_DIAGNOSTIC_MAX));
    if (rest.n == 0)
        return;
    buf_puts(out, S("  "));
    if (r->remote_mta.n) {
        buf_puts(out, S("The server "));
        dsn_put_clean(out, str_sub(r->remote_mta, 0, DSN_NAME_MAX), false);
        buf_puts(out, S(" said:\n"));
    } else {
        buf_puts(out, S("The reason:\n"));
    }
    while (rest.n) {
        str line = str_take(&rest, '\n');
        buf_puts(out, S("      "));
        dsn_put_wrapped(out, line, 6, S("      "), utf8);
        buf_putc(out, '\n');
    }
}

static void put_rcpt(struct buf *out, const struct dsn_rcpt *r, const struct dsn *d)
{
    const char *words = r->action == DSN_FAILED || r->action == DSN_DELAYED ? words_for(dsn_status(r)) : NULL;
    bool other = r->orcpt.n && !str_eq(r->orcpt, r->recipient);
    buf_puts(out, S("\n<"));
    dsn_put_clean(out, str_sub(r->recipient, 0, SMTP_ORCPT_MAX), d->utf8);
    if (other) {
        buf_puts(out, S(">\n(you wrote to <"));
        dsn_put_clean(out, str_sub(r->orcpt, 0, SMTP_ORCPT_MAX), d->utf8);
        buf_puts(out, S(">)"));
    } else {
        buf_putc(out, '>');
    }
    buf_puts(out, S(":\n"));
    put_line(out, outcome(r), S("  "));
    if (words)
        put_line(out, str_c(words), S("  "));
    put_reply(out, r, d->utf8);
    if (r->action == DSN_DELAYED && r->will_retry_until) {
        buf_puts(out, S("  It will be tried until "));
        date_format_mail(out, (struct date){r->will_retry_until, d->now.zone_minutes});
        buf_puts(out, S(".\n"));
    }
}

const struct bounce_template *dsn_words(const struct dsn *d)
{
    enum dsn_action about = dsn_about(d);
    return d->words ? d->words
                    : &bounce_template_own[about == DSN_FAILED    ? BOUNCE_TEMPLATE_FAILURE
                                           : about == DSN_DELAYED ? BOUNCE_TEMPLATE_DELAY
                                                                  : BOUNCE_TEMPLATE_SUCCESS];
}

/* malle's own words name no other setting than the host. */
static void put_own_words(struct buf *out, str text, const struct dsn *d)
{
    str name = S("$myhostname");
    ptrdiff_t at = str_find(text, name);
    must(at >= 0);
    buf_puts(out, str_sub(text, 0, (size_t)at));
    dsn_put_clean(out, str_sub(d->hostname, 0, DSN_NAME_MAX), false);
    text = str_from(text, (size_t)at + name.n);
    buf_puts(out, d->postmaster ? S(".\n") : text);
}

static void put_ending(struct buf *out, const struct dsn *d)
{
    str returned = d->content == DSN_CONTENT_FULL     ? S("The message is attached.")
                   : d->content == DSN_CONTENT_HEADER ? S("The header of the message is attached.")
                                                      : STR_NONE;
    buf_putc(out, '\n');
    if (returned.n)
        put_line(out, returned, STR_NONE);
    buf_puts(out, S("If you need help, write to <postmaster@"));
    dsn_put_clean(out, str_sub(d->hostname, 0, DSN_NAME_MAX), false);
    buf_puts(out, S(">"));
    if (d->id.n) {
        buf_puts(out, S("\nand name the message's number, "));
        dsn_put_clean(out, str_sub(d->id, 0, DSN_NAME_MAX), false);
    }
    buf_puts(out, S(".\n"));
}

void dsn_put_text(struct buf *out, const struct dsn *d)
{
    if (!d->words)
        put_own_words(out, dsn_words(d)->text, d);
    else if (!d->postmaster)
        buf_puts(out, d->words->text);
    for (size_t i = 0; i < d->rcpt_count; i++)
        put_rcpt(out, &d->rcpts[i], d);
    if (!d->words)
        put_ending(out, d);
}
