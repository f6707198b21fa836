/* Command lines as a stranger sends them: what is accepted keeps the limits, and an address that was accepted
 * is accepted again, and is the same, when it is formatted. The first byte chooses SMTPUTF8. */
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
    if (smtp_cmd_parse_mail(args, a, &mail, &e) == RC_OK && !mail.null_sender)
        check_address(&mail.from, a);
    if (smtp_cmd_parse_rcpt(args, data[0] & 1, a, &rcpt, &e) == RC_OK && !rcpt.postmaster)
        check_address(&rcpt.to, a);
    if (smtp_cmd_check_helo(args) == RC_OK)
        must(args.n > 0 && args.n <= MAILADDR_DOMAIN_MAX);
    arena_free(a);
    return 0;
}
