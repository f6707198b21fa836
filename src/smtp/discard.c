/* smtpd_discard_ehlo_keywords: extensions that a client is not offered, for instance because it, or a filter
 * on the way, has trouble with them. */
#include "base/log.h"
#include "fmt/ehlo.h"
#include "fmt/tablespec.h"
#include "smtp/session_impl.h"
#include "table/settings.h"

enum { WORDS_MAX = 500 };

static void add_word(str word, unsigned *bits, bool *silent, struct buf *said)
{
    *bits |= ehlo_keyword_find(word);
    *silent |= str_ieq(word, S("silent-discard"));
    buf_putc(said, ' ');
    for (size_t i = 0; i < word.n; i++)
        buf_putc(said, word.p[i] >= 'a' && word.p[i] <= 'z' ? (char)(word.p[i] - 'a' + 'A') : word.p[i]);
}

/* What the tables have for the client, instead of the setting. RC_GONE: nothing. */
static enum rc ask_tables(struct smtp_session *s, str *ret)
{
    struct table_list *t = smtp_tables(s, TABLES_DISCARD_EHLO);
    struct err e = {0};
    enum rc rc =
        t ? table_list_find(t, TABLE_WHOLE_KEY, s->p->client_address, s->cmd_arena, ret, &e) : RC_GONE;
    if (rc != RC_OK && rc != RC_GONE)
        log_warn("smtpd_discard_ehlo_keyword_address_maps: lookup error for " STR_FMT ": %s",
                 STR_ARG(s->p->client_address), err_text(&e));
    return rc;
}

bool smtp_discard_find(struct smtp_session *s)
{
    AUTO(buf_deinit) struct buf said = BUF_INIT(WORDS_MAX);
    str value = STR_NONE, word;
    unsigned bits = 0;
    bool silent = false;
    enum rc rc = ask_tables(s, &value);
    if (rc != RC_OK && rc != RC_GONE) {
        smtp_reply(s, 450, "4.3.0", "Try again later");
        return false;
    }
    while (rc == RC_OK && tablespec_take(&value, &word) == RC_OK)
        add_word(word, &bits, &silent, &said);
    const struct conf_list *words = &s->conf->smtpd_discard_ehlo_keywords;
    for (size_t i = 0; rc == RC_GONE && i < words->n; i++)
        add_word(words->v[i], &bits, &silent, &said);
    s->discarded = bits;
    if (bits && !silent)
        log_info("discarding EHLO keywords:%s", buf_cstr(&said));
    return true;
}

void smtp_discard_lines(const struct smtp_session *s, str lines, struct buf *out)
{
    buf_puts(out, str_take(&lines, '\n')); /* the server's name */
    while (lines.n > 0) {
        str line = str_take(&lines, '\n'), rest = line, name = str_word(&rest);
        if (str_istarts(name, S("AUTH=")))
            name = S("AUTH");
        if (ehlo_keyword_find(name) & s->discarded)
            continue;
        buf_putc(out, '\n');
        buf_puts(out, line);
    }
}
