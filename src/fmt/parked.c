/* parked: see parked.h. One walk over the members writes them and another reads them, in the same order. */
#include "fmt/parked.h"

enum { VERSION = 2, NUMBER_BITS = 7, NUMBER_MORE = 0x80, RANGE_BYTES_MIN = 2 };

/* --- writing --- */

static void put_number(struct buf *out, uint64_t v)
{
    for (; v >= NUMBER_MORE; v >>= NUMBER_BITS)
        buf_putc(out, (char)(v | NUMBER_MORE));
    buf_putc(out, (char)v);
}

static void put_str(struct buf *out, str s)
{
    put_number(out, s.n);
    buf_puts(out, s);
}

static void put_set(struct buf *out, const struct uidset *s)
{
    uid32 before = 0;
    put_number(out, s->n);
    for (size_t i = 0; i < s->n && !out->overflow; i++) {
        put_number(out, s->r[i].first - before);
        put_number(out, s->r[i].last - s->r[i].first);
        before = s->r[i].last;
    }
}

static void put_view(struct buf *out, const struct parked_view *v)
{
    put_number(out, v->read_only);
    put_number(out, v->uidvalidity);
    put_number(out, v->told);
    put_number(out, v->keywords);
    put_set(out, &v->uids);
    put_set(out, &v->recent);
    put_set(out, &v->gone);
}

void parked_put(struct buf *out, const struct parked *p)
{
    put_number(out, VERSION);
    put_number(out, p->deadline_ms);
    put_number(out, p->enabled);
    put_number(out, p->bad_in_row);
    for (size_t i = 0; i < PARKED_TRAFFIC; i++)
        put_number(out, p->traffic[i]);
    put_number(out, p->idling);
    put_str(out, p->tag);
    put_number(out, p->selected);
    if (!p->selected)
        return;
    put_str(out, p->mailbox);
    put_view(out, &p->view);
    put_number(out, p->keywords_told);
    put_set(out, &p->saved);
}

/* --- reading --- */

struct reader {
    str rest;
    bool malformed; /* sticky; everything reads as 0 then */
};

static uint64_t get_number(struct reader *r, uint64_t max)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && r->rest.n > 0 && !r->malformed; shift += NUMBER_BITS) {
        uint64_t byte = (unsigned char)r->rest.p[0], bits = byte & (NUMBER_MORE - 1);
        r->rest = str_from(r->rest, 1);
        if (bits << shift >> shift != bits)
            break;
        v |= bits << shift;
        if (byte & NUMBER_MORE)
            continue;
        if (v > max || (byte == 0 && shift > 0)) /* each number has one form */
            break;
        return v;
    }
    r->malformed = true;
    return 0;
}

static bool get_bool(struct reader *r)
{
    return get_number(r, 1) == 1;
}

static uint32_t get_u32(struct reader *r)
{
    return (uint32_t)get_number(r, UINT32_MAX);
}

static str get_str(struct reader *r)
{
    size_t n = get_number(r, PARKED_MAX);
    str s = str_sub(r->rest, 0, n);
    if (s.n < n)
        r->malformed = true;
    r->rest = str_from(r->rest, s.n);
    return s;
}

static void get_set(struct reader *r, struct uidset *ret)
{
    uint64_t before = 0;
    for (uint64_t n = get_number(r, r->rest.n / RANGE_BYTES_MIN); n > 0 && !r->malformed; n--) {
        uint64_t first = before + get_number(r, UINT32_MAX), last = first + get_number(r, UINT32_MAX);
        if (r->malformed || last > UINT32_MAX || first == 0 || (before > 0 && first <= before + 1)) {
            r->malformed = true; /* ranges rise and do not touch */
            return;
        }
        uidset_add(ret, (uid32)first, (uid32)last);
        before = last;
    }
}

static void get_view(struct reader *r, struct parked_view *v)
{
    v->read_only = get_bool(r);
    v->uidvalidity = get_u32(r);
    v->told = get_number(r, UINT64_MAX);
    v->keywords = get_u32(r);
    get_set(r, &v->uids);
    get_set(r, &v->recent);
    get_set(r, &v->gone);
}

static void get_selected(struct reader *r, struct parked *p)
{
    p->mailbox = get_str(r);
    get_view(r, &p->view);
    p->keywords_told = get_u32(r);
    get_set(r, &p->saved);
}

enum rc parked_parse(str bytes, struct parked *ret)
{
    struct reader r = {.rest = bytes, .malformed = bytes.n > PARKED_MAX};
    *ret = (struct parked){0};
    if (get_number(&r, VERSION) != VERSION)
        return RC_INVALID;
    ret->deadline_ms = get_number(&r, INT64_MAX);
    ret->enabled = get_u32(&r);
    ret->bad_in_row = get_u32(&r);
    for (size_t i = 0; i < PARKED_TRAFFIC; i++)
        ret->traffic[i] = get_number(&r, UINT64_MAX);
    ret->idling = get_bool(&r);
    ret->tag = get_str(&r);
    ret->selected = get_bool(&r);
    if (ret->selected)
        get_selected(&r, ret);
    return r.malformed || r.rest.n > 0 ? RC_INVALID : RC_OK;
}

void parked_deinit(struct parked *p)
{
    uidset_deinit(&p->view.uids);
    uidset_deinit(&p->view.recent);
    uidset_deinit(&p->view.gone);
    uidset_deinit(&p->saved);
}
