#include "imap/metadata.h"

#include "base/map.h"
#include "fmt/imap_out.h"
#include "fmt/imapstring.h"
#include "imap/list.h"
#include "imap/special_use.h"

enum rc metadata_name_parse(struct imap_lex *lex, str *ret)
{
    enum rc rc = imap_astring(lex, ret);
    if (rc == RC_OK && !metadata_is_name(*ret))
        return imap_expect(lex, "the name of an entry, such as /private/comment");
    return rc;
}

struct places {
    str *v;
    size_t n;
};

static enum rc place_parse(struct imap_lex *lex, void *ctx)
{
    struct places *p = ctx;
    if (p->n == METADATA_ENTRIES_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer entries");
    enum rc rc = imap_astring(lex, &p->v[p->n]);
    if (rc == RC_OK && !metadata_is_place(p->v[p->n]))
        return imap_expect(lex, "the name of an entry, such as /private/comment");
    p->n++;
    return rc;
}

enum rc metadata_places_parse(struct imap_lex *lex, bool many, struct metadata_request *ret)
{
    struct places p = {.v = arena_array(lex->arena, METADATA_ENTRIES_MAX, sizeof(str))};
    if (!p.v)
        return imap_fail(lex, RC_LIMIT, "fewer entries");
    enum rc rc = many || imap_peek(lex) == '(' ? imap_list_of(lex, place_parse, &p) : place_parse(lex, &p);
    ret->places = p.v;
    ret->n = p.n;
    return rc;
}

void metadata_places_put(struct buf *out, const struct metadata_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        buf_putc(out, i == 0 ? '(' : ' ');
        imap_put_astring(out, r->places[i]);
    }
    buf_putc(out, ')');
}

/* --- what there is --- */

/* Takes the place of what stands there by this name. */
static void set_entry(struct metadata *v, size_t *n, str name, str value)
{
    size_t i = 0;
    while (i < *n && !str_ieq(v[i].name, name))
        i++;
    if (i == *n && value.n > 0)
        ++*n;
    if (i < *n)
        v[i] = (struct metadata){name, value};
}

enum { OWN_MAX = 2 }; /* entries beside those of the store */

static enum rc gather(struct imap_session *s, str mailbox, struct arena *a, struct metadata **ret,
                      size_t *ret_n, struct err *e)
{
    struct metadata *kept;
    enum special_use use;
    size_t n;
    enum rc rc = store_metadata(s->store, mailbox, a, &kept, &n, e);
    if (rc == RC_OK && mailbox.n > 0)
        rc = store_special_use(s->store, mailbox, &use, e);
    if (rc != RC_OK)
        return rc;
    struct metadata *all = arena_array(a, n + OWN_MAX, sizeof *all);
    if (!all)
        return err_set(e, RC_LIMIT, 0, "", "The annotations are too long");
    if (n > 0)
        memcpy(all, kept, n * sizeof *all);
    if (mailbox.n > 0) {
        set_entry(all, &n, METADATA_SPECIAL_USE, imap_special_use_name(use));
    } else {
        set_entry(all, &n, S("/shared/comment"), s->start->server_comment);
        set_entry(all, &n, S("/shared/admin"), s->start->server_admin);
    }
    *ret = all;
    *ret_n = n;
    return RC_OK;
}

/* --- telling it --- */

struct telling {
    struct imap_session *s;
    str mailbox;
    const struct metadata_request *r;
    size_t told, longest;
};

static void begin(struct imap_session *s, str mailbox)
{
    buf_puts(&s->out, S("* METADATA "));
    if (mailbox.n > 0)
        list_put_name(s, mailbox);
    else
        buf_puts(&s->out, S("\"\""));
}

/* metadata-resp = "METADATA" SP mailbox SP entry-values; entry-value = entry SP value */
static void tell_one(struct telling *t, str name, str value)
{
    struct buf *out = &t->s->out;
    if (t->r->bounded && value.n > t->r->most) {
        t->longest = value.n > t->longest ? value.n : t->longest;
        return;
    }
    if (t->told++ == 0)
        begin(t->s, t->mailbox);
    buf_puts(out, t->told == 1 ? S(" (") : S(" "));
    imap_put_astring(out, name);
    buf_putc(out, ' ');
    imapstring_put_nil8(out, value);
    imap_send(t->s);
}

enum rc metadata_tell(struct imap_session *s, str mailbox, const struct metadata_request *r,
                      size_t *ret_longest, struct err *e)
{
    struct telling t = {.s = s, .mailbox = mailbox, .r = r};
    struct metadata *all;
    size_t n;
    enum rc rc = gather(s, mailbox, s->arena, &all, &n, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < r->n; i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++) {
            if (!all[k].value.p || !metadata_is_at(all[k].name, r->places[i], r->depth))
                continue;
            found = true;
            tell_one(&t, all[k].name, all[k].value);
        }
        if (!found && r->depth == METADATA_ITSELF)
            tell_one(&t, r->places[i], STR_NONE);
    }
    if (t.told > 0) {
        buf_puts(&s->out, S(")\r\n"));
        imap_send(s);
    }
    *ret_longest = t.longest;
    return RC_OK;
}

/* --- telling what changed --- */

enum { GATHER_MAX = METADATA_FILE_MAX + (64 << 10) };

enum rc metadata_marks_take(struct imap_session *s, str mailbox, struct arena *a, struct metadata_marks *ret,
                            struct err *e)
{
    AUTO(arena_freep) struct arena *all_of_it = arena_new(GATHER_MAX);
    struct metadata_marks marks = {.taken = true};
    struct metadata *all = NULL;
    size_t n = 0;
    enum rc rc = gather(s, mailbox, all_of_it, &all, &n, e);
    if (rc == RC_GONE)
        return rc;
    marks.v = arena_array(a, rc == RC_OK ? n + 1 : 1, sizeof *marks.v);
    for (size_t i = 0; marks.v && rc == RC_OK && i < n; i++)
        if (all[i].value.p)
            marks.v[marks.n++] = (struct metadata_mark){arena_str(a, all[i].name), map_hash(all[i].value)};
    if (arena_exhausted(a))
        return err_set(e, RC_LIMIT, 0, "", "The annotations are too many");
    *ret = marks;
    return RC_OK;
}

static bool is_marked(const struct metadata_marks *marks, const struct metadata_mark *like)
{
    for (size_t i = 0; i < marks->n; i++)
        if (str_ieq(marks->v[i].name, like->name))
            return marks->v[i].value == like->value;
    return false;
}

static bool has_name(const struct metadata_marks *marks, str name)
{
    for (size_t i = 0; i < marks->n; i++)
        if (str_ieq(marks->v[i].name, name))
            return true;
    return false;
}

static void tell_name(struct imap_session *s, str mailbox, str name, size_t *told)
{
    if ((*told)++ == 0)
        begin(s, mailbox);
    buf_putc(&s->out, ' ');
    imap_put_astring(&s->out, name);
}

/* metadata-resp =/ "METADATA" SP mailbox SP entry-list */
void metadata_tell_changes(struct imap_session *s, str mailbox, const struct metadata_marks *before,
                           const struct metadata_marks *now)
{
    size_t told = 0;
    if (!before->taken || !now->taken)
        return;
    for (size_t i = 0; i < now->n; i++)
        if (!is_marked(before, &now->v[i]))
            tell_name(s, mailbox, now->v[i].name, &told);
    for (size_t i = 0; i < before->n; i++)
        if (!has_name(now, before->v[i].name))
            tell_name(s, mailbox, before->v[i].name, &told);
    if (told > 0)
        buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}
