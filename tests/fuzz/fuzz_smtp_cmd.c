/* Command lines as a stranger sends them: what is accepted keeps the limits, and an address that was accepted
 * is accepted again, and is the same, when it is formatted. The first byte chooses SMTPUTF8 and the
 * extensions. */
#include "fmt/smtp_cmd.h"

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct mailaddr *addr, struct arena *a)
{
    struct mailaddr again;
    must(addr->local.n <= MAILADDR_LOCAL_MAX && addr->domain.n <= MAILADDR_DOMAIN_MAX);
    str text = mailaddr_str(a, addr);
    must(utf8_valid(text) && str_chr(text, '\n') < 0 && str_chr(text, '\0') < 0);
    if (mailaddr_parse(text, a, &again) == RC_OK) /* A-labels may have made it too long */
        must(str_eq(again.local, addr->local) && str_eq(again.domain, addr->domain));
}

static void check_extensions(const struct smtp_mail *mail, unsigned extensions)
{
    must(mail->body != SMTP_BODY_BINARYMIME || extensions & SMTP_EXT_BINARYMIME);
    must(!mail->has_priority || extensions & SMTP_EXT_MT_PRIORITY);
    must(mail->priority >= -9 && mail->priority <= 9);
    must((!mail->hold_for && !mail->hold_until) || extensions & SMTP_EXT_FUTURERELEASE);
    must(!mail->hold_for || !mail->hold_until);
    must(!mail->by || extensions & SMTP_EXT_DELIVERBY);
    must(mail->by != SMTP_BY_RETURN || mail->by_seconds > 0);
    must(!mail->require_tls || extensions & SMTP_EXT_REQUIRETLS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *a = arena_new(1 << 20);
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
    struct err e;
    str verb, args;
    smtp_cmd_split(str_mem(data + 1, size - 1), &verb, &args);
    unsigned extensions = data[0] >> 1 & 31;
    if (smtp_cmd_parse_mail(args, extensions, a, &mail, &e) == RC_OK) {
        if (!mail.null_sender)
            check_address(&mail.from, a);
        check_extensions(&mail, extensions);
    }
    if (smtp_cmd_parse_rcpt(args, data[0] & 1, a, &rcpt, &e) == RC_OK && !rcpt.postmaster)
        check_address(&rcpt.to, a);
    if (smtp_cmd_check_helo(args) == RC_OK)
        must(args.n > 0 && args.n <= MAILADDR_DOMAIN_MAX);
    arena_free(a);
    return 0;
}
