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

struct site_name site_name_parse(str name)
{
    size_t i = find_word(name);
    if (i < WORDS)
        return (struct site_name){words[i].transport, str_from(name, strlen(words[i].word))};
    if (str_eq(name, S("local")))
        return (struct site_name){SITE_LOCAL, STR_NONE};
    return (struct site_name){SITE_SMTP, name};
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
