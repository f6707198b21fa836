/* The list of issues that a load found, bounded, and its text form. */
#include "conf/report.h"

#include <stdarg.h>

enum { ISSUES_MAX = 200 };

void conf_report_add(struct conf_report *r, bool warning, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    if (warning)
        r->warnings++;
    else
        r->errors++;
    if (!r->v) {
        r->v = calloc(ISSUES_MAX, sizeof *r->v);
        must(r->v);
    }
    if (r->n == ISSUES_MAX)
        return;
    struct conf_issue *issue = &r->v[r->n++];
    issue->warning = warning;
    issue->line = line;
    snprintf(issue->file, sizeof issue->file, "%s", file);
    va_start(ap, fmt);
    vsnprintf(issue->text, sizeof issue->text, fmt, ap);
    va_end(ap);
}

void conf_report_deinit(struct conf_report *r)
{
    free(r->v);
    *r = (struct conf_report){NULL, 0, 0, 0};
}

void conf_report_format(const struct conf_report *r, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct conf_issue *issue = &r->v[i];
        buf_printf(out, "%s:", issue->file);
        if (issue->line)
            buf_printf(out, "%d:", issue->line);
        buf_printf(out, " %s%s\n", issue->warning ? "warning: " : "", issue->text);
    }
    if (r->errors + r->warnings > r->n)
        buf_printf(out, "and %zu more\n", r->errors + r->warnings - r->n);
}

void conf_report_drop_warnings(struct conf_report *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!r->v[i].warning)
            r->v[kept++] = r->v[i];
    r->n = kept;
    r->warnings = 0;
}
