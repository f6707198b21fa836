/* append_record: lines of malle.append; see append_record.h. The file lies where its owner's other programs
 * write, too, so no name in it leads out of its folder. */
#include "fmt/append_record.h"

#include "fmt/maildir_name.h"

enum { FOLDER_MAX = 255 };

void append_record_put_in(struct buf *out, str tmp, str name)
{
    buf_printf(out, "in " STR_FMT " " STR_FMT "\n", STR_ARG(tmp), STR_ARG(name));
}

void append_record_put_out(struct buf *out, str folder, str base)
{
    buf_printf(out, "out " STR_FMT "/" STR_FMT "\n", STR_ARG(folder), STR_ARG(base));
}

static bool is_tmp_name(str s)
{
    static const str begin = S("append.");
    if (!str_starts(s, begin) || s.n == begin.n)
        return false;
    for (size_t i = begin.n; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '.')
            return false;
    return true;
}

/* "" or ".A.B" */
static bool is_folder(str s)
{
    if (s.n == 0)
        return true;
    if (s.n < 2 || s.n > FOLDER_MAX || s.p[0] != '.' || s.p[1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '/' || s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

static bool is_base(str s)
{
    struct maildir_name name;
    return maildir_name_parse(s, &name) == RC_OK && name.info.n == 0;
}

static enum rc parse_in(str line, struct append_step *ret)
{
    struct maildir_name name;
    struct append_step step = {.tmp = str_take(&line, ' '), .name = line};
    if (!is_tmp_name(step.tmp) || maildir_name_parse(step.name, &name) != RC_OK)
        return RC_INVALID;
    *ret = step;
    return RC_OK;
}

static enum rc parse_out(str line, struct append_step *ret)
{
    ptrdiff_t slash = str_chr(line, '/');
    if (slash < 0)
        return RC_INVALID;
    struct append_step step = {
        .out = true, .folder = str_sub(line, 0, (size_t)slash), .base = str_from(line, (size_t)slash + 1)};
    if (!is_folder(step.folder) || !is_base(step.base))
        return RC_INVALID;
    *ret = step;
    return RC_OK;
}

enum rc append_record_next(str *text, struct append_step *ret)
{
    if (text->n == 0)
        return RC_GONE;
    if (str_chr(*text, '\n') < 0)
        return RC_INVALID;
    str rest = *text, line = str_take(&rest, '\n');
    enum rc rc = RC_INVALID;
    if (str_starts(line, S("in ")))
        rc = parse_in(str_from(line, 3), ret);
    else if (str_starts(line, S("out ")))
        rc = parse_out(str_from(line, 4), ret);
    if (rc == RC_OK)
        *text = rest;
    return rc;
}
