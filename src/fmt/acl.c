/* acl: rights of mailboxes in both directions; see the header. */
#include "fmt/acl.h"

/* In the order of the letters. */
static const char letters[] = ACL_LETTERS;
static const str names[] = {S("lookup"),        S("read"),    S("write-seen"), S("write"),
                            S("insert"),        S("post"),    S("create"),     S("delete"),
                            S("write-deleted"), S("expunge"), S("admin")};
enum { N_RIGHTS = sizeof names / sizeof *names };
_Static_assert(N_RIGHTS == sizeof letters - 1, "a name for each letter");

/* Letters of RFC 2086, each for several of today. */
static const struct {
    char letter;
    const char *means;
} old_letters[] = {{'c', "kx"}, {'d', "te"}};

/* --- rights --- */

static unsigned right_of(char letter)
{
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? 1u << (at - letters) : 0;
}

static unsigned rights_of(const char *means)
{
    unsigned rights = 0;
    for (; *means; means++)
        rights |= right_of(*means);
    return rights;
}

static unsigned old_rights_of(char letter)
{
    for (size_t i = 0; i < sizeof old_letters / sizeof *old_letters; i++)
        if (old_letters[i].letter == letter)
            return rights_of(old_letters[i].means);
    return 0;
}

enum rc acl_rights_parse(str text, unsigned *ret)
{
    unsigned rights = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned right = right_of(text.p[i]) | old_rights_of(text.p[i]);
        if (!right)
            return RC_INVALID;
        rights |= right;
    }
    *ret = rights;
    return RC_OK;
}

static void put_letters(struct buf *out, unsigned rights)
{
    for (int i = 0; i < N_RIGHTS; i++)
        if (rights >> i & 1)
            buf_putc(out, letters[i]);
}

void acl_rights_put(struct buf *out, unsigned rights)
{
    put_letters(out, rights);
    for (size_t i = 0; i < sizeof old_letters / sizeof *old_letters; i++)
        if (rights & rights_of(old_letters[i].means))
            buf_putc(out, old_letters[i].letter);
}

/* --- identifiers --- */

static const struct id_words {
    str file, imap; /* the whole identifier, or what stands before whom it means */
    bool names_who;
} WORDS[] = {
    [ACL_ANYONE] = {S("anyone"), S("anyone"), false},
    [ACL_AUTHENTICATED] = {S("authenticated"), S("authenticated"), false},
    [ACL_GROUP] = {S("group="), S("$"), true},
    [ACL_OWNER] = {S("owner"), S("owner"), false},
    [ACL_USER] = {S("user="), S(""), true},
    [ACL_GROUP_OVERRIDE] = {S("group-override="), S("!$"), true},
};
enum { N_KINDS = sizeof WORDS / sizeof *WORDS };

static bool who_valid(str who)
{
    if (who.n == 0 || who.n > ACL_WHO_MAX)
        return false;
    for (size_t i = 0; i < who.n; i++)
        if ((unsigned char)who.p[i] < ' ' || who.p[i] == 0x7f)
            return false;
    return true;
}

static bool id_matches(str text, enum acl_kind kind, bool in_file, struct acl_id *ret)
{
    str word = in_file ? WORDS[kind].file : WORDS[kind].imap;
    bool matches = WORDS[kind].names_who ? str_starts(text, word) && who_valid(str_from(text, word.n))
                                         : str_eq(text, word);
    ret->kind = kind;
    ret->who = WORDS[kind].names_who ? str_from(text, word.n) : STR_NONE;
    return matches;
}

static enum rc id_parse(str text, bool in_file, struct acl_id *ret)
{
    struct acl_id id = {.negative = str_starts(text, S("-"))};
    text = str_from(text, id.negative);
    for (int kind = 0; kind < N_KINDS; kind++) /* in IMAP whoever is nothing else is a user */
        if (kind != ACL_USER && id_matches(text, (enum acl_kind)kind, in_file, &id)) {
            *ret = id;
            return RC_OK;
        }
    if (!id_matches(text, ACL_USER, in_file, &id))
        return RC_INVALID;
    *ret = id;
    return RC_OK;
}

enum rc acl_id_parse(str text, struct acl_id *ret)
{
    return str_starts(text, S("#")) || str_starts(text, S("-#")) ? RC_INVALID : id_parse(text, false, ret);
}

void acl_id_put(struct buf *out, const struct acl_id *id)
{
    buf_puts(out, id->negative ? S("-") : S(""));
    buf_puts(out, WORDS[id->kind].imap);
    buf_puts(out, id->who);
}

/* In quotes where it has a space. */
static void put_file_id(struct buf *out, const struct acl_id *id)
{
    bool quoted = str_chr(id->who, ' ') >= 0;
    buf_printf(out, "%s%s" STR_FMT, quoted ? "\"" : "", id->negative ? "-" : "",
               STR_ARG(WORDS[id->kind].file));
    for (size_t i = 0; i < id->who.n; i++) {
        if (quoted && strchr("\"\\", id->who.p[i]))
            buf_putc(out, '\\');
        buf_putc(out, id->who.p[i]);
    }
    buf_puts(out, quoted ? S("\"") : S(""));
}

static int id_order(const struct acl_id *a, const struct acl_id *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = str_cmp(a->who, b->who);
    return order ? order : a->negative - b->negative;
}

/* --- entries --- */

/* The entry, or where it belongs. */
static size_t place_of(const struct acl *acl, const struct acl_id *id, bool *ret_there)
{
    size_t lo = 0, hi = acl->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (id_order(&acl->v[mid].id, id) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_there = lo < acl->n && id_order(&acl->v[lo].id, id) == 0;
    return lo;
}

static void insert(struct acl *acl, size_t at, const struct acl_id *id)
{
    memmove(&acl->v[at + 1], &acl->v[at], (acl->n - at) * sizeof *acl->v);
    acl->v[at] = (struct acl_entry){.id = *id};
    acl->n++;
}

void acl_apply(struct acl *acl, const struct acl_change *c)
{
    bool there;
    size_t at = place_of(acl, &c->id, &there);
    if (!there && (c->op == ACL_REMOVE || c->op == ACL_DELETE))
        return;
    if (!there)
        insert(acl, at, &c->id);
    struct acl_entry *x = &acl->v[at];
    switch (c->op) {
    case ACL_REPLACE:
        *x = (struct acl_entry){.id = x->id, .rights = c->rights};
        break;
    case ACL_ADD:
        x->rights |= c->rights;
        break;
    case ACL_REMOVE:
        x->rights &= ~c->rights;
        break;
    case ACL_DELETE:
        acl->n--;
        memmove(x, x + 1, (acl->n - at) * sizeof *x);
        break;
    }
}

static bool is_about(const struct acl_id *id, str user)
{
    return id->kind == ACL_ANYONE || id->kind == ACL_AUTHENTICATED ||
           (id->kind == ACL_USER && str_eq(id->who, user));
}

unsigned acl_rights_of(const struct acl *acl, str user)
{
    unsigned rights = 0, negative = 0;
    for (size_t i = 0; i < acl->n; i++) {
        const struct acl_entry *x = &acl->v[i];
        if (!is_about(&x->id, user))
            continue;
        if (x->id.negative)
            negative = x->rights;
        else
            rights = x->rights;
    }
    return rights & ~negative;
}

/* --- the file --- */

/* An identifier with the space behind it, off the line. */
static enum rc take_id(str *line, struct arena *a, str *ret)
{
    size_t i = 1, n = 0;
    if (!str_starts(*line, S("\""))) {
        *ret = str_take(line, ' ');
        return RC_OK;
    }
    char *plain = arena_alloc(a, line->n);
    if (!plain)
        return RC_LIMIT;
    for (; i < line->n && line->p[i] != '"'; i++) {
        i += line->p[i] == '\\';
        if (i < line->n)
            plain[n++] = line->p[i];
    }
    if (i >= line->n || (i + 1 < line->n && line->p[i + 1] != ' '))
        return RC_INVALID;
    *ret = str_mem(plain, n);
    *line = str_from(*line, i + 2);
    return RC_OK;
}

static str take_name(str *list)
{
    static const char gaps[] = ", \t\r"; /* and NUL */
    size_t from = 0, to;
    while (from < list->n && memchr(gaps, list->p[from], sizeof gaps))
        from++;
    for (to = from; to < list->n && !memchr(gaps, list->p[to], sizeof gaps);)
        to++;
    str name = str_sub(*list, from, to - from);
    *list = str_from(*list, to);
    return name;
}

static enum rc add_name(struct acl_entry *x, str name, struct arena *a)
{
    for (int i = 0; i < N_RIGHTS; i++)
        if (str_eq(name, names[i])) {
            x->rights |= 1u << i;
            return RC_OK;
        }
    x->others = x->others.n ? arena_printf(a, STR_FMT " " STR_FMT, STR_ARG(x->others), STR_ARG(name)) : name;
    return x->others.p ? RC_OK : RC_LIMIT;
}

/* The letters, or the names behind the colon: what stands twice is merged. */
static enum rc add_rights(struct acl_entry *x, str line, struct arena *a)
{
    enum rc rc = RC_OK;
    str text = str_trim(str_take(&line, ':')), name;
    for (size_t i = 0; i < text.n; i++) {
        if (!right_of(text.p[i]))
            return RC_INVALID;
        x->rights |= right_of(text.p[i]);
    }
    while (rc == RC_OK && (name = take_name(&line)).n > 0)
        rc = add_name(x, name, a);
    return rc;
}

static enum rc add_line(struct acl *acl, str line, struct arena *a)
{
    struct acl_id id;
    str text;
    bool there;
    enum rc rc = take_id(&line, a, &text);
    if (rc == RC_OK && str_eq(str_from(text, str_starts(text, S("-"))), S("anonymous")))
        text = str_starts(text, S("-")) ? S("-anyone") : S("anyone"); /* another word for it */
    if (rc == RC_OK)
        rc = id_parse(text, true, &id);
    if (rc != RC_OK)
        return rc;
    size_t at = place_of(acl, &id, &there);
    if (!there)
        insert(acl, at, &id);
    return add_rights(&acl->v[at], line, a);
}

enum rc acl_parse(str text, struct arena *a, struct acl *ret)
{
    struct acl acl = {0};
    size_t room = 2; /* the last line has no LF, and there may be one entry more */
    for (size_t i = 0; i < text.n; i++)
        room += text.p[i] == '\n';
    if (!(acl.v = arena_array(a, room, sizeof *acl.v)))
        return RC_LIMIT;
    while (text.n) {
        str line = str_take(&text, '\n');
        if (str_ends(line, S("\r")))
            line.n--;
        enum rc rc = line.n == 0 || line.p[0] == '#' ? RC_OK : add_line(&acl, line, a);
        if (rc != RC_OK)
            return rc;
    }
    *ret = acl;
    return RC_OK;
}

void acl_format(const struct acl *acl, struct buf *out)
{
    for (size_t i = 0; i < acl->n; i++) {
        const struct acl_entry *x = &acl->v[i];
        put_file_id(out, &x->id);
        buf_putc(out, ' ');
        put_letters(out, x->rights);
        if (x->others.n)
            buf_printf(out, " :" STR_FMT, STR_ARG(x->others));
        buf_putc(out, '\n');
    }
}
