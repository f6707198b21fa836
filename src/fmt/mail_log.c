/* Names of events and fields, and the fields of a line. */
#include "fmt/mail_log.h"

#include "fmt/rfc2047.h"

enum { MSGID_MAX = 200, TEXT_MAX = 80, DECODED_MAX = 4096 }; /* as Dovecot cuts them */

struct word {
    str name;
    unsigned bit;
};

static const struct word events[] = {{S("delete"), MAIL_LOG_DELETE},
                                     {S("undelete"), MAIL_LOG_UNDELETE},
                                     {S("expunge"), MAIL_LOG_EXPUNGE},
                                     {S("save"), MAIL_LOG_SAVE},
                                     {S("copy"), MAIL_LOG_COPY},
                                     {S("mailbox_create"), MAIL_LOG_MAILBOX_CREATE},
                                     {S("mailbox_delete"), MAIL_LOG_MAILBOX_DELETE},
                                     {S("mailbox_rename"), MAIL_LOG_MAILBOX_RENAME},
                                     {S("flag_change"), MAIL_LOG_FLAG_CHANGE}};

static const struct word fields[] = {{S("box"), MAIL_LOG_BOX},         {S("uid"), MAIL_LOG_UID},
                                     {S("msgid"), MAIL_LOG_MSGID},     {S("size"), MAIL_LOG_SIZE},
                                     {S("vsize"), MAIL_LOG_VSIZE},     {S("from"), MAIL_LOG_FROM},
                                     {S("subject"), MAIL_LOG_SUBJECT}, {S("flags"), MAIL_LOG_FLAGS}};

static str next_word(str *rest)
{
    size_t n = 0;
    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == ',' || rest->p[0] == '\t'))
        *rest = str_from(*rest, 1);
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != ',' && rest->p[n] != '\t')
        n++;
    str word = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return word;
}

static unsigned bits_of(str text, const struct word *known, size_t n, str *unknown)
{
    unsigned bits = 0;
    for (str word; (word = next_word(&text)).n > 0;) {
        unsigned bit = 0;
        for (size_t i = 0; i < n; i++)
            bit |= str_eq(word, known[i].name) ? known[i].bit : 0;
        bits |= bit;
        if (bit == 0 && !unknown->p)
            *unknown = word;
    }
    return bits;
}

void mail_log_parse(str event_names, str field_names, struct mail_log_terms *ret, str *ret_unknown)
{
    str unknown = STR_NONE;
    ret->events = bits_of(event_names, events, sizeof events / sizeof *events, &unknown);
    ret->fields = bits_of(field_names, fields, sizeof fields / sizeof *fields, &unknown);
    if (ret_unknown)
        *ret_unknown = unknown;
}

static void put_name(struct buf *out, size_t begin, const char *name)
{
    buf_printf(out, "%s%s=", out->n > begin ? ", " : "", name);
}

static void put_cut(struct buf *out, str text, size_t max)
{
    bool long_one = text.n > max;
    size_t n = long_one ? max - 3 : text.n;
    while (long_one && n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) /* not within a character */
        n--;
    for (size_t i = 0; i < n; i++) /* a line is one line */
        buf_putc(out, (unsigned char)text.p[i] < ' ' ? '?' : text.p[i]);
    buf_puts(out, long_one ? S("...") : S(""));
}

static void put_decoded(struct buf *out, str value)
{
    AUTO(buf_deinit) struct buf decoded = BUF_INIT(DECODED_MAX);
    rfc2047_decode(&decoded, str_sub(value, 0, DECODED_MAX / 4));
    put_cut(out, str_trim(buf_str(&decoded)), TEXT_MAX);
}

void mail_log_put(unsigned chosen, str box, const struct mail_log_message *m, struct buf *out)
{
    const struct {
        unsigned bit;
        const char *name;
        uint64_t value;
    } numbers[] = {{m->uid ? MAIL_LOG_UID : 0, "uid", m->uid},
                   {MAIL_LOG_SIZE, "size", m->size},
                   {MAIL_LOG_VSIZE, "vsize", m->vsize}};
    size_t begin = out->n;
    if (chosen & MAIL_LOG_BOX) {
        put_name(out, begin, "box");
        buf_puts(out, box);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (chosen & numbers[i].bit) {
            put_name(out, begin, numbers[i].name);
            buf_put_u64(out, numbers[i].value);
        }
        if (i == 0 && chosen & MAIL_LOG_MSGID) {
            put_name(out, begin, "msgid");
            put_cut(out, str_trim(m->msgid), MSGID_MAX);
        }
    }
    if (chosen & MAIL_LOG_FROM) {
        put_name(out, begin, "from");
        put_decoded(out, m->from);
    }
    if (chosen & MAIL_LOG_SUBJECT) {
        put_name(out, begin, "subject");
        put_decoded(out, m->subject);
    }
    if (chosen & MAIL_LOG_FLAGS) {
        put_name(out, begin, "flags");
        buf_printf(out, "(" STR_FMT ")", STR_ARG(m->flags));
    }
}
