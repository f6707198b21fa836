/* The native dialect:
 *
 *   file       = *( blank / comment / section / assignment )
 *   comment    = *WSP "#" *char              ; also behind a value, after white space and outside quotes
 *   section    = "[" ("listener" / "transport" / "domain") 1*WSP name "]"
 *   assignment = name *WSP "=" value *( continuation )
 *   continuation = 1*WSP value               ; an indented line continues the one above; joined by a space
 *
 * All problems of a file are reported together. Reads memory only; load.c reads files. */
#include "base/utf8.h"
#include "conf/build.h"

enum { VALUE_MAX = 64 << 10 };

struct reader {
    struct conf_build *build;
    struct conf_section section;
    str name; /* of the assignment that may still be continued; empty when there is none */
    struct buf value;
    int name_line, line;
};

/* The line without its comment and the white space at its ends. */
static str strip(str line)
{
    bool quoted = false;
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '\\' && quoted)
            i++;
        else if (line.p[i] == '"')
            quoted = !quoted;
        else if (line.p[i] == '#' && !quoted && (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))
            return str_trim(str_sub(line, 0, i));
    }
    return str_trim(line);
}

static void flush(struct reader *r)
{
    if (r->value.overflow)
        conf_error(r->build->report, r->build->file, r->name_line, "the value is longer than %d KB",
                   VALUE_MAX >> 10);
    else if (r->name.n)
        conf_build_set(r->build, r->section, r->name, str_trim(buf_str(&r->value)), r->name_line);
    r->name = STR_NONE;
    buf_reset(&r->value);
}

static const char *nearest_kind(str word)
{
    static const char *const kinds[] = {"listener", "transport", "domain"};
    const char *nearest = kinds[0];
    for (size_t i = 1; i < sizeof kinds / sizeof *kinds; i++)
        if (conf_edit_distance(word, str_c(kinds[i])) < conf_edit_distance(word, str_c(nearest)))
            nearest = kinds[i];
    return nearest;
}

static void read_section(struct reader *r, str line)
{
    struct conf_build *b = r->build;
    r->section = (struct conf_section){CONF_SECTION_UNKNOWN, 0};
    if (!str_ends(line, S("]"))) {
        conf_error(b->report, b->file, r->line, "the section header has no closing ]");
        return;
    }
    str inner = str_trim(str_sub(line, 1, line.n - 2)), rest = inner;
    str word = str_word(&rest), name = str_trim(rest);
    enum conf_section_kind kind = conf_section_kind(word);
    if (!name.n || name.n > 253 || str_chr(name, ' ') >= 0)
        conf_error(b->report, b->file, r->line,
                   "a section header is [listener NAME], [transport NAME] or [domain NAME]");
    else if (kind == CONF_SECTION_UNKNOWN)
        conf_error(b->report, b->file, r->line, "there are no [%.*s] sections; did you mean %s?",
                   (int)(word.n < 40 ? word.n : 40), word.p, nearest_kind(word));
    else
        r->section = conf_build_section(b, kind, name, r->line);
}

static void read_assignment(struct reader *r, str line)
{
    str rest = line, name = str_trim(str_take(&rest, '='));
    if (str_chr(line, '=') < 0 || !name.n) {
        conf_error(r->build->report, r->build->file, r->line, "expected NAME = VALUE, found \"%.*s\"",
                   (int)(line.n < 60 ? line.n : 60), line.p);
        return;
    }
    r->name = name;
    r->name_line = r->line;
    buf_puts(&r->value, str_trim(rest));
}

static void read_line(struct reader *r, str raw)
{
    str line = strip(raw);
    bool indented = raw.n && (raw.p[0] == ' ' || raw.p[0] == '\t');
    if (!line.n)
        return;
    if (!utf8_valid(line)) {
        conf_error(r->build->report, r->build->file, r->line, "the line is not UTF-8 text");
        return;
    }
    if (indented && r->name.n) {
        buf_putc(&r->value, ' ');
        buf_puts(&r->value, line);
        return;
    }
    if (indented)
        conf_error(r->build->report, r->build->file, r->line,
                   "the line is indented but there is no value above that it could continue");
    flush(r);
    if (line.p[0] == '[')
        read_section(r, line);
    else if (!indented)
        read_assignment(r, line);
}

void conf_native_read(struct conf_build *b, str text)
{
    struct reader r = {.build = b, .section = {CONF_SECTION_MAIN, 0}, .value = BUF_INIT(VALUE_MAX)};
    while (text.n) {
        r.line++;
        read_line(&r, str_take(&text, '\n'));
    }
    flush(&r);
    buf_deinit(&r.value);
}
