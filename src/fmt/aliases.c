/* Entries of aliases(5): lines are joined first, then cut at ":" and "," outside of quotes. */
#include "fmt/aliases.h"

#include "base/buf.h"

#define BROKEN(e, line, ...) broken((e), (line), RC_INVALID, __VA_ARGS__)

static enum rc broken(struct err *e, size_t line, enum rc rc, const char *reason)
{
    return err_set(e, rc, 0, "", "line %zu: %s", line, reason);
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes one physical line, without its line end, off the iterator. */
static str take_line(struct aliases_iter *it)
{
    str rest = str_from(it->text, it->pos), line = str_take(&rest, '\n');
    it->pos += line.n + (rest.p ? 1 : 0);
    it->line++;
    return line;
}

static bool is_comment(str line)
{
    line = str_trim(line);
    return line.n == 0 || line.p[0] == '#';
}

/* The lines that belong to the next entry, joined by spaces; false at the end. */
static bool take_entry(struct aliases_iter *it, struct buf *out, size_t *ret_line)
{
    buf_reset(out);
    while (it->pos < it->text.n) {
        struct aliases_iter before = *it;
        str line = take_line(it);
        if (is_comment(line))
            continue;
        if (out->n && !is_white(line.p[0])) {
            *it = before;
            break;
        }
        if (out->n == 0)
            *ret_line = it->line;
        else
            buf_putc(out, ' ');
        buf_puts(out, line);
    }
    return out->n > 0;
}

/* One name or target while it is read. */
struct word {
    struct buf text; /* without quotes */
    size_t kept;     /* of the text: up to the last byte that is not plain white space */
    bool starts_quoted;
    bool local_quoted; /* a quoted part stands in front of "@" */
    bool has_gap;      /* white space inside, outside of quotes */
    str raw;
};

/* A quoted part at s[0]: the bytes that it takes, 0 when it does not end. */
static size_t read_quoted(struct word *w, str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '"') {
            w->kept = w->text.n;
            return i + 1;
        }
        if (s.p[i] == '\\' && ++i == s.n)
            break;
        buf_putc(&w->text, s.p[i] == '\t' ? ' ' : s.p[i]);
    }
    return 0;
}

/* Reads up to `end` outside of quotes or the end of *rest; *rest becomes what follows, STR_NONE at its end.
 */
static enum rc read_word(struct word *w, str *rest, char end, size_t line, struct err *e)
{
    size_t i = 0;
    while (i < rest->n && is_white(rest->p[i]))
        i++;
    size_t start = i;
    w->starts_quoted = i < rest->n && rest->p[i] == '"';
    while (i < rest->n && rest->p[i] != end) {
        char c = rest->p[i];
        if (c == '"') {
            size_t n = read_quoted(w, str_from(*rest, i));
            if (n == 0)
                return BROKEN(e, line, "a quote has no end");
            i += n;
            w->local_quoted |= i < rest->n && rest->p[i] == '@';
            continue;
        }
        if (!is_white(c)) {
            w->has_gap |= w->kept < w->text.n;
            w->kept = w->text.n + 1;
        }
        buf_putc(&w->text, is_white(c) ? ' ' : c);
        i++;
    }
    w->raw = str_trim(str_sub(*rest, start, i - start));
    *rest = i < rest->n ? str_from(*rest, i + 1) : STR_NONE;
    if (w->text.overflow)
        return broken(e, line, RC_LIMIT, "a name or target is too long");
    buf_truncate(&w->text, w->kept);
    return RC_OK;
}

static bool has_controls(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

/* "Joe <joe@example.org>": what stands between the last brackets. */
static bool take_bracketed(str *text)
{
    ptrdiff_t open = str_rchr(*text, '<');
    if (open < 0 || !str_ends(*text, S(">")))
        return false;
    *text = str_trim(str_sub(*text, (size_t)open + 1, text->n - (size_t)open - 2));
    return true;
}

static enum rc read_address(const struct word *w, str text, struct alias_target *ret, size_t line,
                            struct err *e)
{
    bool bracketed = !w->starts_quoted && take_bracketed(&text);
    str raw = w->raw;
    if (w->starts_quoted && str_ends(raw, S(">")))
        bracketed = take_bracketed(&raw);
    if (w->starts_quoted && bracketed)
        text = raw;
    else if (w->local_quoted && !bracketed)
        text = w->raw;
    else if (w->has_gap && !bracketed)
        return BROKEN(e, line, "white space in an address");
    if (!w->starts_quoted && str_starts(text, S("\\"))) {
        ret->final = true;
        text = str_from(text, 1);
    }
    ret->kind = ALIAS_ADDRESS;
    ret->text = text;
    return RC_OK;
}

static enum rc read_target(const struct word *w, struct alias_target *ret, size_t line, struct err *e)
{
    str text = buf_str(&w->text);
    enum rc rc = RC_OK;
    if (str_starts(text, S("|"))) {
        *ret = (struct alias_target){.kind = ALIAS_COMMAND, .text = str_trim(str_from(text, 1))};
    } else if (str_starts(text, S("/"))) {
        *ret = (struct alias_target){.kind = ALIAS_FILE, .text = text};
    } else if (str_istarts(text, S(":include:"))) {
        *ret = (struct alias_target){.kind = ALIAS_INCLUDE,
                                     .text = str_trim(str_from(text, strlen(":include:")))};
        if (!str_starts(ret->text, S("/")))
            return BROKEN(e, line, ":include: needs an absolute path");
    } else if (str_starts(text, S(":"))) {
        return BROKEN(e, line, "unknown kind of target");
    } else {
        rc = read_address(w, text, ret, line, e);
    }
    if (rc == RC_OK && ret->text.n == 0)
        return BROKEN(e, line, "an empty target");
    if (rc == RC_OK && has_controls(ret->text)) /* a tab in what keeps its quotes */
        return BROKEN(e, line, "a control character");
    return rc;
}

/* Makes room for one more; false when the arena is exhausted. */
static bool grow(struct alias *alias, struct arena *a)
{
    bool full = alias->count == 0 || (alias->count >= 8 && (alias->count & (alias->count - 1)) == 0);
    if (!full)
        return true;
    struct alias_target *grown = arena_grow(a, alias->targets, alias->count, sizeof *grown);
    if (grown)
        alias->targets = grown;
    return grown != NULL;
}

static enum rc add_target(struct alias *alias, const struct word *w, struct arena *a, size_t line,
                          struct err *e)
{
    struct alias_target target = {.final = false};
    enum rc rc = read_target(w, &target, line, e);
    if (rc)
        return rc;
    if (alias->count == ALIASES_TARGETS_MAX)
        return broken(e, line, RC_LIMIT, "too many targets");
    target.text = arena_str(a, target.text);
    if (!target.text.p || !grow(alias, a))
        return broken(e, line, RC_LIMIT, "too large");
    alias->targets[alias->count++] = target;
    return RC_OK;
}

static enum rc parse_targets(str rest, struct alias *alias, struct arena *a, size_t line, struct err *e)
{
    while (rest.n) {
        struct word w = {.text = BUF_INIT(ALIASES_TEXT_MAX)};
        enum rc rc = read_word(&w, &rest, ',', line, e);
        if (rc == RC_OK && w.raw.n) /* nothing between two commas is nothing */
            rc = add_target(alias, &w, a, line, e);
        buf_deinit(&w.text);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static enum rc parse_name(str *rest, struct alias *alias, struct arena *a, struct err *e)
{
    struct word w = {.text = BUF_INIT(ALIASES_TEXT_MAX)};
    enum rc rc = read_word(&w, rest, ':', alias->line, e);
    if (rc == RC_OK && !rest->p)
        rc = BROKEN(e, alias->line, "no colon behind the name");
    else if (rc == RC_OK && (w.text.n == 0 || w.has_gap || has_controls(buf_str(&w.text))))
        rc = BROKEN(e, alias->line, "bad name");
    if (rc == RC_OK)
        alias->name = arena_str(a, buf_str(&w.text));
    if (rc == RC_OK && !alias->name.p)
        rc = broken(e, alias->line, RC_LIMIT, "too large");
    buf_deinit(&w.text);
    return rc;
}

enum rc aliases_next(struct aliases_iter *it, struct arena *a, struct alias *ret, struct err *e)
{
    struct alias alias = {.count = 0};
    AUTO(buf_deinit) struct buf entry = BUF_INIT(ALIASES_FILE_MAX);
    if (it->text.n > ALIASES_FILE_MAX) {
        it->text = STR_NONE;
        return broken(e, 1, RC_LIMIT, "the file is too large");
    }
    if (!take_entry(it, &entry, &alias.line))
        return RC_GONE;
    str rest = buf_str(&entry);
    if (is_white(rest.p[0]))
        return BROKEN(e, alias.line, "continues nothing");
    enum rc rc = parse_name(&rest, &alias, a, e);
    if (rc == RC_OK)
        rc = parse_targets(rest, &alias, a, alias.line, e);
    if (rc == RC_OK)
        alias.text = arena_str(a, str_trim(rest));
    if (rc == RC_OK && arena_exhausted(a))
        rc = broken(e, alias.line, RC_LIMIT, "too large");
    if (rc == RC_OK)
        *ret = alias;
    return rc;
}

enum rc aliases_parse_targets(str file, struct arena *a, struct alias *ret, struct err *e)
{
    struct aliases_iter it = aliases_iter(file);
    struct alias alias = {.name = S(""), .line = 1};
    if (file.n > ALIASES_FILE_MAX)
        return broken(e, 1, RC_LIMIT, "the file is too large");
    while (it.pos < file.n) {
        str line = take_line(&it);
        enum rc rc = is_comment(line) ? RC_OK : parse_targets(line, &alias, a, it.line, e);
        if (rc)
            return rc;
    }
    *ret = alias;
    return RC_OK;
}
