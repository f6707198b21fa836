/* Files, logical lines and what they say. */
#include "fmt/dovecot_conf_impl.h"

#define TEXT(s) STR_ARG(str_sub((s), 0, 100))

void *dovecot_array_room(struct arena *a, void *p, size_t count, size_t size)
{
    bool full = count == 0 || (count >= 8 && (count & (count - 1)) == 0); /* arena_grow doubles from 8 */
    return full ? arena_grow(a, p, count, size) : p;
}

bool dovecot_conf_add_setting(struct dovecot_conf *conf, struct arena *a, const struct dovecot_setting *s)
{
    struct dovecot_setting *room = dovecot_array_room(a, conf->settings, conf->count, sizeof *s);
    if (!room || conf->count == DOVECOT_SETTINGS_MAX)
        return false;
    conf->settings = room;
    conf->settings[conf->count++] = *s;
    return true;
}

void dovecot_conf_problem(struct dovecot_conf *conf, struct arena *a, const struct dovecot_problem *p)
{
    conf->error_count += !p->warning;
    if (conf->problem_count == DOVECOT_PROBLEMS_MAX)
        return;
    struct dovecot_problem *room = dovecot_array_room(a, conf->problems, conf->problem_count, sizeof *p);
    if (!room)
        return;
    conf->problems = room;
    conf->problems[conf->problem_count++] = *p;
}

void dovecot_reader_problem(struct dovecot_reader *r, bool warning, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1000);
    va_list ap;
    if (r->conf->problem_count == DOVECOT_PROBLEMS_MAX) {
        r->conf->error_count += !warning;
        return;
    }
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    struct dovecot_problem p = {r->source->file, r->source->line, warning,
                                arena_str(r->arena, buf_str(&text))};
    dovecot_conf_problem(r->conf, r->arena, &p);
    buf_deinit(&text);
}

/* dovecot_config_version decides on the syntax of all that follows. */
static void set_version(struct dovecot_reader *r, str value)
{
    struct dovecot_conf *conf = r->conf;
    bool known = value.n >= 5 && str_starts(value, S("2.")) && ascii_digit(value.p[2]) && value.p[2] >= '4';
    if (conf->version.n > 0 && !str_eq(conf->version, value))
        dovecot_reader_problem(r, false, "dovecot_config_version value can't be changed once set");
    else if (!known)
        dovecot_reader_problem(r, false, "Invalid dovecot_config_version: " STR_FMT, TEXT(value));
    else if (conf->version.n == 0 && (conf->count > 0 || conf->block_count > 0))
        dovecot_reader_problem(r, false, "The first setting must be dovecot_config_version");
    if (!known || conf->version.n > 0)
        return;
    conf->version = value;
    r->is_24 = true;
}

static void apply_setting(struct dovecot_reader *r, const struct dovecot_line *l)
{
    struct dovecot_setting s = {dovecot_reader_block(r), l->key,         l->value, l->kind,
                                r->source->file,         r->source->line};
    if (!s.block && str_eq(l->key, S("dovecot_config_version")))
        set_version(r, l->value);
    if (!s.block && str_eq(l->key, S("dovecot_storage_version")))
        r->conf->storage_version = l->value;
    if (!dovecot_reader_expand(r, l->key, &s.value, &s.kind))
        return;
    bool is_group = r->open_count > 0 && str_starts(r->open[0].block->kind, S("@"));
    if (r->is_24 && is_group && str_starts(l->key, S("@"))) {
        dovecot_reader_problem(r, false, "Recursive include groups not allowed");
        return;
    }
    if (dovecot_conf_add_setting(r->conf, r->arena, &s))
        dovecot_index_put_setting(&r->index, s.block, s.name, r->conf->count - 1);
    else
        r->limit = true;
}

static void include(struct dovecot_reader *r, str pattern, bool try)
{
    struct err e = {0};
    enum rc rc = RC_GONE;
    if (r->env->include && pattern.n > 0)
        rc = r->env->include(r->env->ctx, r, pattern, r->source->file, &e);
    if (rc == RC_GONE && !try)
        dovecot_reader_problem(r, false, "No matches");
    else if (rc != RC_OK && rc != RC_GONE)
        dovecot_reader_problem(r, false, "%s", err_text(&e));
}

/* In a block of which nothing counts only its end is of interest. */
static void skip_line(struct dovecot_reader *r, const struct dovecot_line *l)
{
    if (l->type == DOVECOT_LINE_CLOSE)
        r->skipped--;
    else if (l->type == DOVECOT_LINE_OPEN || l->opens)
        r->skipped++;
}

static void apply(struct dovecot_reader *r, str line)
{
    struct dovecot_line l = dovecot_line_parse(line, r->is_24, r->arena);
    if (l.type == DOVECOT_LINE_BROKEN)
        dovecot_reader_problem(r, false, "%s", l.problem);
    if (r->skipped > 0) {
        skip_line(r, &l);
        return;
    }
    switch (l.type) {
    case DOVECOT_LINE_SETTING:
        apply_setting(r, &l);
        break;
    case DOVECOT_LINE_OPEN:
        dovecot_reader_open(r, l.key, l.value);
        break;
    case DOVECOT_LINE_CLOSE:
        dovecot_reader_close(r);
        break;
    case DOVECOT_LINE_INCLUDE:
    case DOVECOT_LINE_INCLUDE_TRY:
        include(r, l.value, l.type == DOVECOT_LINE_INCLUDE_TRY);
        break;
    case DOVECOT_LINE_BROKEN:
        if (l.opens)
            dovecot_reader_skip(r);
        break;
    }
}

/* A comment or an empty line in a line that goes on makes Dovecot forget all of it. */
static void read_line(struct dovecot_reader *r, str line)
{
    struct dovecot_part part = dovecot_line_part(line);
    if (part.ambiguous)
        dovecot_reader_problem(r, true,
                               "Ambiguous '#' character in line, treating it as comment. Add a space before "
                               "it to remove this warning.");
    if (part.text.n == 0 && !part.continues) {
        if (r->joined.n > 0)
            dovecot_reader_problem(r, true, "The line before, which ends in a backslash, is lost");
        buf_reset(&r->joined);
        return;
    }
    buf_puts(&r->joined, part.text);
    if (part.continues) {
        if (part.text.n > 0)
            buf_putc(&r->joined, ' ');
        return;
    }
    str logical = arena_str(r->arena, buf_str(&r->joined));
    bool overflow = r->joined.overflow;
    buf_reset(&r->joined); /* an included file begins with lines of its own */
    if (overflow)
        dovecot_reader_problem(r, false, "Line is too long");
    else if (str_chr(logical, '\0') >= 0)
        dovecot_reader_problem(r, false, "Line contains a NUL");
    else if (logical.n > 0)
        apply(r, logical);
}

static void read_file(struct dovecot_reader *r, str text)
{
    while (text.n > 0 && !r->limit && !arena_exhausted(r->arena)) {
        str line = str_take(&text, '\n');
        if (str_ends(line, S("\r")))
            line.n--;
        r->source->line++;
        read_line(r, line);
    }
}

static const char *feed_problem(const struct dovecot_reader *r, str file, str text)
{
    for (const struct dovecot_source *s = r->source; s; s = s->from)
        if (str_eq(s->file, file))
            return "Recursive include file";
    if (r->depth == DOVECOT_INCLUDE_DEPTH_MAX)
        return "Include files are nested too deep";
    return text.n > DOVECOT_FILE_MAX ? "Include file is too large" : NULL;
}

void dovecot_conf_feed(struct dovecot_reader *r, str file, str text)
{
    const char *problem = feed_problem(r, file, text);
    if (problem) {
        dovecot_reader_problem(r, false, "%s: " STR_FMT, problem, TEXT(file));
        return;
    }
    if (++r->files > DOVECOT_FILES_MAX) {
        r->limit = true;
        return;
    }
    struct dovecot_source *from = r->source, source = {from, arena_str(r->arena, file), 0};
    r->source = &source;
    r->depth++;
    read_file(r, text);
    if (r->joined.n > 0)
        dovecot_reader_problem(r, true, "The last line ends in a backslash");
    r->depth--;
    r->source = from;
}

static void report_open_blocks(struct dovecot_reader *r)
{
    const struct dovecot_open *skip = &r->skip;
    if (r->skipped > 0)
        dovecot_reader_problem(r, false, "Missing '}' (section started at " STR_FMT ":%d)", TEXT(skip->file),
                               skip->line);
    for (size_t i = r->open_count; i-- > 0;)
        dovecot_reader_problem(r, false, "Missing '}' (section started at " STR_FMT ":%d)",
                               TEXT(r->open[i].file), r->open[i].line);
}

enum rc dovecot_conf_read(str file, str text, const struct dovecot_env *env, struct arena *a,
                          struct dovecot_conf *ret)
{
    struct dovecot_conf conf = {0};
    struct dovecot_source source = {NULL, arena_str(a, file), 0};
    struct dovecot_reader r = {.env = env, .arena = a, .conf = &conf, .source = &source, .depth = 1};
    if (text.n > DOVECOT_FILE_MAX)
        return RC_LIMIT;
    buf_init(&r.joined, DOVECOT_LINE_MAX);
    dovecot_index_init(&r.index);
    read_file(&r, text);
    if (r.joined.n > 0)
        dovecot_reader_problem(&r, true, "The last line ends in a backslash and is lost");
    report_open_blocks(&r);
    dovecot_index_deinit(&r.index);
    buf_deinit(&r.joined);
    if (r.limit || arena_exhausted(a))
        return RC_LIMIT;
    *ret = conf;
    return RC_OK;
}

void dovecot_conf_path(struct buf *out, str path, str from)
{
    ptrdiff_t slash = str_rchr(from, '/');
    if (!str_starts(path, S("/")) && slash >= 0)
        buf_puts(out, str_sub(from, 0, (size_t)slash + 1));
    buf_puts(out, path);
}
