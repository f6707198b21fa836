/* The names are what Thunderbird, mutt, K-9, Roundcube and Apple Mail ask for in their lists (HEADER.FIELDS
 * of RFC 9051 §6.4.5), and Date, which SEARCH SENTSINCE looks at. A change of them asks for a new version of
 * the index (store/index_schema.h). */
#include "fmt/header_common.h"

#include "fmt/header.h"

static const str names[] = {
    S("Bcc"),
    S("Cc"),
    S("Chat-Version"),
    S("Content-Description"),
    S("Content-Transfer-Encoding"),
    S("Content-Type"),
    S("Date"),
    S("Delivered-To"),
    S("Disposition-Notification-To"),
    S("Envelope-To"),
    S("From"),
    S("Importance"),
    S("In-Reply-To"),
    S("Lines"),
    S("List-Id"),
    S("List-Post"),
    S("List-Subscribe"),
    S("List-Unsubscribe"),
    S("Mail-Followup-To"),
    S("Mail-Reply-To"),
    S("Message-ID"),
    S("Newsgroups"),
    S("Priority"),
    S("References"),
    S("Reply-To"),
    S("Return-Path"),
    S("Sender"),
    S("Subject"),
    S("To"),
    S("X-Draft-Info"),
    S("X-K9mail-Identity"),
    S("X-Label"),
    S("X-Original-To"),
    S("X-Priority"),
};

bool header_common_has(str name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_ieq(name, names[i]))
            return true;
    return false;
}

void header_common_put(struct buf *out, str raw)
{
    struct header_iter it = header_iter(raw);
    struct header_field f;
    while (header_next(&it, &f))
        if (header_common_has(f.name))
            buf_puts(out, str_sub(raw, f.start, f.end - f.start));
}
