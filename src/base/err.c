/* Filling and reading struct err, and the end of the process on a broken invariant.
 * Texts are formatted aside first, because arguments often point into the struct that is being filled. */
#include "base/err.h"

#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>

/* One line of printable text; ascii_only because replies are US-ASCII (RFC 5321 §4.2, RFC 9051 §9). */
static void clean_text(char *text, bool ascii_only)
{
    for (char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c;
        if (u < 0x20 || u == 0x7f || (ascii_only && u > 0x7f))
            *c = '?';
    }
}

enum rc err_set(struct err *e, enum rc rc, int code, const char *enhanced, const char *fmt, ...)
{
    if (!e)
        return rc;
    struct err filled = {.rc = rc, .code = code};
    if (enhanced)
        snprintf(filled.enhanced, sizeof filled.enhanced, "%s", enhanced);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(filled.peer, sizeof filled.peer, fmt, ap);
    va_end(ap);
    clean_text(filled.peer, true);
    *e = filled;
    return rc;
}

void err_note(struct err *e, const char *fmt, ...)
{
    if (!e)
        return;
    char text[sizeof e->log];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    clean_text(text, false);
    memcpy(e->log, text, strlen(text) + 1);
}

const char *err_text(const struct err *e)
{
    return e->log[0] ? e->log : e->peer;
}

const char *rc_name(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "ok";
    case RC_TEMP:
        return "temp";
    case RC_PERM:
        return "perm";
    case RC_INVALID:
        return "invalid";
    case RC_LIMIT:
        return "limit";
    case RC_GONE:
        return "gone";
    }
    return "unknown";
}

_Noreturn void must_fail(const char *expr, const char *file, int line)
{
    log_error("panic: broken invariant at %s:%d: %s", file, line, expr);
    abort();
}
