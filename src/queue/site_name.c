#include "queue/site_name.h"

#include "queue/queue.h"

static const struct {
    const char *word;
    enum site_transport transport;
    bool text; /* is for people, and may be cut */
} words[] = {
    {"smtp:", SITE_SMTP, false},      {"lmtp:", SITE_LMTP, false},  {"route:", SITE_ROUTE, false},
    {"error:", SITE_ERROR, true},     {"retry:", SITE_RETRY, true}, {"discard:", SITE_DISCARD, true},
    {"command:", SITE_COMMAND, true}, {"pipe:", SITE_PIPE, false},
};

enum { WORDS = sizeof words / sizeof *words };

static size_t find_word(str name)
{
    size_t i = 0;
    while (i < WORDS && !str_starts(name, str_c(words[i].word)))
        i++;
    return i;
}

/* "smtp/NAME:next" or "lmtp/NAME:next". */
static bool parse_service(str name, struct site_name *ret)
{
    enum site_transport transport = str_starts(name, S("smtp/")) ? SITE_SMTP : SITE_LMTP;
    if (transport == SITE_LMTP && !str_starts(name, S("lmtp/")))
        return false;
    ptrdiff_t colon = str_chr(name, ':');
    if (colon < 0)
        return false;
    *ret =
        (struct site_name){transport, str_from(name, (size_t)colon + 1), str_sub(name, 5, (size_t)colon - 5)};
    return true;
}

static str service_of(enum site_transport transport, str next)
{
    return transport == SITE_SMTP   ? S("smtp")
           : transport == SITE_LMTP ? S("lmtp")
           : transport == SITE_PIPE ? str_take(&next, ':')
                                    : S("");
}

struct site_name site_name_parse(str name)
{
    struct site_name named;
    size_t i = find_word(name);
    if (i < WORDS) {
        str next = str_from(name, strlen(words[i].word));
        return (struct site_name){words[i].transport, next, service_of(words[i].transport, next)};
    }
    if (str_eq(name, S("local")))
        return (struct site_name){SITE_LOCAL, STR_NONE, S("")};
    if (parse_service(name, &named))
        return named;
    return (struct site_name){SITE_SMTP, name, S("smtp")};
}

enum rc site_name_put_service(struct buf *b, enum site_transport transport, str service, str next)
{
    if (str_eq(service, service_of(transport, next)))
        return site_name_put(b, transport, next);
    if (service.n + next.n + 6 > QUEUE_SITE_MAX)
        return RC_LIMIT;
    buf_printf(b, "%s/" STR_FMT ":" STR_FMT, transport == SITE_LMTP ? "lmtp" : "smtp", STR_ARG(service),
               STR_ARG(next));
    return RC_OK;
}

enum rc site_name_put(struct buf *b, enum site_transport transport, str next)
{
    size_t i = 0;
    if (transport == SITE_LOCAL) {
        buf_puts(b, S("local"));
        return RC_OK;
    }
    while (i < WORDS && words[i].transport != transport)
        i++;
    must(i < WORDS);
    str word = str_c(words[i].word);
    if (transport == SITE_SMTP && site_name_parse(next).next.p == next.p)
        word = STR_NONE; /* only a host that is called as a word needs one in front: "smtp:lmtp:24" */
    if (next.n > QUEUE_SITE_MAX - word.n) {
        if (!words[i].text)
            return RC_LIMIT;
        next = str_sub(next, 0, QUEUE_SITE_MAX - word.n);
    }
    buf_puts(b, word);
    buf_puts(b, next);
    return RC_OK;
}

bool site_name_is_remote(str name)
{
    enum site_transport t = site_name_parse(name).transport;
    return t == SITE_SMTP || t == SITE_LMTP;
}

bool site_name_is_command(str name)
{
    enum site_transport t = site_name_parse(name).transport;
    return t == SITE_COMMAND || t == SITE_PIPE;
}
