/* sort_keys: see sort_keys.h. Texts compare by i;unicode-casemap (RFC 5051) in effect: folded and decomposed,
 * with ASCII letters in upper case, which decides where "_" stands. */
#include "imap/sort_keys.h"

#include "fmt/base_subject.h"
#include "fmt/casefold.h"
#include "fmt/date.h"
#include "fmt/rfc2047.h"

enum {
    VALUE_MAX = 16 * 1024, /* bytes of a raw field that are looked at */
    DECODED_MAX = 8 * VALUE_MAX,
    FOLDED_MAX = 16 * DECODED_MAX,
    SCRATCH_MAX = 8 << 20
};

void sort_maker_init(struct sort_maker *m, struct arena *keep)
{
    *m = (struct sort_maker){.keep = keep, .scratch = arena_new(SCRATCH_MAX)};
    buf_init(&m->decoded, DECODED_MAX);
    buf_init(&m->folded, FOLDED_MAX);
}

void sort_maker_deinit(struct sort_maker *m)
{
    m->scratch = arena_free(m->scratch);
    buf_deinit(&m->decoded);
    buf_deinit(&m->folded);
}

int64_t sort_sent_date(const struct envelope_fields *f, const struct box_msg *msg)
{
    struct date date;
    return date_parse_mail(f->date, &date) == RC_OK ? date.seconds : msg->internal_date;
}

/* What m->decoded holds, folded, in keep. */
static str keep_folded(struct sort_maker *m, str text)
{
    buf_reset(&m->folded);
    casefold_put(&m->folded, text);
    buf_truncate(&m->folded, m->folded.n < SORT_TEXT_MAX ? m->folded.n : SORT_TEXT_MAX);
    for (size_t i = 0; i < m->folded.n; i++)
        m->folded.p[i] = ascii_upper(m->folded.p[i]);
    return arena_str(m->keep, buf_str(&m->folded));
}

static void decode(struct sort_maker *m, str value)
{
    buf_reset(&m->decoded);
    rfc2047_decode(&m->decoded, str_sub(value, 0, VALUE_MAX));
}

str sort_subject(struct sort_maker *m, str subject, bool *ret_reply)
{
    decode(m, subject);
    AUTO(buf_deinit) struct buf base = BUF_INIT(DECODED_MAX);
    base_subject_put(&base, buf_str(&m->decoded), ret_reply);
    return keep_folded(m, buf_str(&base));
}

/* addr-mailbox of the first address (RFC 5256 §3). */
static str mailbox_text(struct sort_maker *m, const struct envelope_address *a)
{
    return keep_folded(m, str_sub(a->mailbox, 0, VALUE_MAX));
}

/* The name of the first address or group, else the address (RFC 5957 §3). */
static str display_text(struct sort_maker *m, const struct envelope_address *a)
{
    decode(m, a->name.n ? a->name : a->mailbox);
    if (!a->name.n && a->host.n) {
        buf_putc(&m->decoded, '@');
        buf_puts(&m->decoded, str_sub(a->host, 0, VALUE_MAX));
    }
    return keep_folded(m, buf_str(&m->decoded));
}

enum rc sort_value_make(struct sort_maker *m, enum sort_key key, const struct envelope_fields *f,
                        const struct box_msg *msg, unsigned score, struct sort_value *ret)
{
    struct sort_value v = {0};
    switch (key) {
    case SORT_ARRIVAL:
        v.number = msg->internal_date;
        break;
    case SORT_SIZE:
        v.number = (int64_t)msg->size;
        break;
    case SORT_DATE:
        v.number = sort_sent_date(f, msg);
        break;
    case SORT_RELEVANCY: /* the highest comes first */
        v.number = -(int64_t)score;
        break;
    case SORT_SUBJECT:
        v.text = sort_subject(m, f->subject, NULL);
        break;
    case SORT_FROM:
        v.text = mailbox_text(m, &f->from);
        break;
    case SORT_TO:
        v.text = mailbox_text(m, &f->to);
        break;
    case SORT_CC:
        v.text = mailbox_text(m, &f->cc);
        break;
    case SORT_DISPLAYFROM:
        v.text = display_text(m, &f->from);
        break;
    case SORT_DISPLAYTO:
        v.text = display_text(m, &f->to);
        break;
    }
    if (arena_exhausted(m->keep))
        return RC_LIMIT;
    *ret = v;
    return RC_OK;
}

bool sort_key_needs_envelope(enum sort_key key)
{
    return key != SORT_ARRIVAL && key != SORT_SIZE && key != SORT_RELEVANCY;
}

bool sort_key_needs_address(enum sort_key key)
{
    return sort_key_needs_envelope(key) && key != SORT_DATE && key != SORT_SUBJECT;
}
