#include "restrict_talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LINE = 600 };

static bool say(struct talk *t, char *reply, size_t size, const char *fmt, ...)
{
    char line[LINE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    talk_say(t, str_c(line));
    str heard = talk_hear(t);
    snprintf(reply, size, STR_FMT, STR_ARG(str_trim(heard)));
    return str_starts(heard, S("2"));
}

const char *restrict_reply_to(const struct restrict_case *c)
{
    static char reply[LINE];
    struct talk t;
    talk_init(&t, SMTP_KIND_MX, c->settings);
    if (c->client)
        t.params.client_address = str_c(c->client);
    talk_begin(&t);
    str greeting = talk_hear(&t);
    snprintf(reply, sizeof reply, STR_FMT, STR_ARG(str_trim(greeting)));
    if (str_starts(greeting, S("220")) &&
        say(&t, reply, sizeof reply, "HELO %s\r\n", c->helo ? c->helo : "client.example") &&
        say(&t, reply, sizeof reply, "MAIL FROM:<%s>\r\n", c->from ? c->from : "a@good.example"))
        (void)say(&t, reply, sizeof reply, "RCPT TO:<%s>\r\n", c->to ? c->to : "alice@example.org");
    talk_end(&t);
    fake_world_deinit(&t.world);
    return reply;
}

void restrict_run_cases(const struct restrict_case *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = restrict_reply_to(&v[i]);
        if (!str_starts(str_c(got), str_c(v[i].want)))
            fail_msg("row %zu: %s\nwanted: %s\n   got: %s", i, v[i].settings, v[i].want, got);
    }
}
