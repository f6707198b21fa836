#include "fmt/bounce_template.h"

#include "fmt/macro.h"

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
#define HOST "This is the mail server $myhostname.\n\n"
#define FROM TEXT("Mail Delivery System <MAILER-DAEMON>")

const struct bounce_template bounce_template_own[BOUNCE_TEMPLATES] = {
    [BOUNCE_TEMPLATE_FAILURE] =
        {TEXT("us-ascii"), FROM, TEXT("Undelivered Mail Returned to Sender"),
         TEXT("Postmaster Copy: Undelivered Mail"),
         TEXT(HOST "Your message could not be delivered to everybody it was sent to. Where it\n"
                   "says \"not delivered\" below, it will not be tried again.\n")},
    [BOUNCE_TEMPLATE_DELAY] =
        {TEXT("us-ascii"), FROM, TEXT("Delayed Mail (still being retried)"),
         TEXT("Postmaster Warning: Delayed Mail"),
         TEXT(HOST "Your message has not been delivered to everybody yet. You need not do\n"
                   "anything: it will be tried again, and you will be told if that fails in the\n"
                   "end.\n")},
    [BOUNCE_TEMPLATE_SUCCESS] = {TEXT("us-ascii"), FROM, TEXT("Successful Mail Delivery Report"), TEXT(""),
                                 TEXT(HOST "Your message has arrived, as you asked to be told.\n")},
    [BOUNCE_TEMPLATE_VERIFY] = {TEXT("us-ascii"), FROM, TEXT("Mail Delivery Status Report"), TEXT(""),
                                TEXT(HOST "This is what you asked for: where your message would go.\n")},
};

static const char *const names[] = {"failure", "delay", "success", "verify"};

const char *bounce_template_name(enum bounce_template_kind kind)
{
    must(kind < BOUNCE_TEMPLATES);
    return names[kind];
}

/* --- files --- */

struct reader {
    str rest;
    int line;
    bounce_template_fault_fn *fn;
    void *ctx;
};

static str next_line(struct reader *r)
{
    r->line++;
    str line = str_take(&r->rest, '\n');
    if (str_ends(line, S("\r")))
        line.n--;
    return line;
}

static void fault(const struct reader *r, const char *before, str about, const char *after)
{
    char text[200];
    snprintf(text, sizeof text, "%s" STR_FMT "%s", before, STR_ARG(str_sub(about, 0, 60)), after);
    r->fn(r->ctx, r->line, text);
}

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

/* One header line into t; false: it is none that is known. */
static bool take_header(str line, struct bounce_template *t)
{
    str value = line, name = str_trim(str_take(&value, ':'));
    const struct {
        const char *name;
        str *to;
    } known[] = {{"Charset", &t->charset},
                 {"From", &t->from},
                 {"Subject", &t->subject},
                 {"Postmaster-Subject", &t->postmaster_subject}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_ieq(name, str_c(known[i].name)) && is_plain(line)) {
            *known[i].to = str_trim(value);
            return true;
        }
    return false;
}

/* What stands between the markers. */
static bool take_template(struct reader *r, str body, struct bounce_template *t)
{
    bool fine = true;
    while (body.n > 0) {
        str line = str_trim(str_take(&body, '\n'));
        if (line.n == 0)
            break;
        if (take_header(line, t))
            continue;
        fault(r, "unknown header \"", line, "\" in a template -- ignoring this template");
        fine = false;
    }
    t->text = body.p ? body : S("");
    return fine;
}

/* The lines up to the marker; p NULL: it does not come. */
static str take_body(struct reader *r, str marker)
{
    str begin = r->rest;
    while (r->rest.n > 0) {
        size_t n = begin.n - r->rest.n;
        if (str_eq(next_line(r), marker))
            return str_sub(begin, 0, n);
    }
    fault(r, "missing \"", marker, "\" end marker");
    return STR_NONE;
}

static bool find_kind(str name, size_t *ret)
{
    for (*ret = 0; *ret < BOUNCE_TEMPLATES; ++*ret)
        if (str_starts(name, str_c(names[*ret])) &&
            str_eq(str_from(name, strlen(names[*ret])), S("_template")))
            return true;
    return false;
}

static enum rc take_definition(struct reader *r, str line, struct bounce_template ret[BOUNCE_TEMPLATES])
{
    str value = line, name = str_trim(str_take(&value, '='));
    size_t kind;
    value = str_trim(value);
    if (str_chr(line, '=') < 0 || !str_starts(value, S("<<")) || str_trim(str_from(value, 2)).n == 0) {
        fault(r, "expected name = <<EOF, found \"", line, "\"");
        return RC_INVALID;
    }
    str body = take_body(r, str_trim(str_from(value, 2)));
    bool known = find_kind(name, &kind);
    if (!known)
        fault(r, "unknown template name: ", name, " -- ignoring this template");
    if (!known || !body.p)
        return RC_OK;
    struct bounce_template t = ret[kind];
    if (take_template(r, body, &t))
        ret[kind] = t;
    return RC_OK;
}

enum rc bounce_template_parse(str text, struct bounce_template ret[BOUNCE_TEMPLATES],
                              bounce_template_fault_fn *fn, void *ctx)
{
    struct reader r = {.rest = text, .fn = fn, .ctx = ctx};
    enum rc rc = RC_OK;
    while (rc == RC_OK && r.rest.n > 0) {
        str line = next_line(&r);
        if (str_trim(line).n > 0 && line.p[0] != '#')
            rc = take_definition(&r, line, ret);
    }
    return rc;
}

void bounce_template_put(struct buf *out, enum bounce_template_kind kind, const struct bounce_template *t)
{
    buf_printf(out, "%s_template = <<EOF\nCharset: " STR_FMT "\nFrom: " STR_FMT "\nSubject: " STR_FMT "\n",
               names[kind], STR_ARG(t->charset), STR_ARG(t->from), STR_ARG(t->subject));
    if (t->postmaster_subject.n > 0)
        buf_printf(out, "Postmaster-Subject: " STR_FMT "\n", STR_ARG(t->postmaster_subject));
    buf_printf(out, "\n" STR_FMT "EOF\n", STR_ARG(t->text));
}

/* --- settings --- */

struct expansion {
    const struct bounce_template_env *env;
    char number[24];
    bool undefined;
};

static bool find_time(struct expansion *x, str name, str *ret)
{
    static const struct {
        const char *end;
        int64_t seconds;
    } units[] = {
        {"_seconds", 1}, {"_minutes", 60}, {"_hours", 3600}, {"_days", 86400}, {"_weeks", 7 * 86400}};
    int64_t seconds;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        str end = str_c(units[i].end);
        if (!str_ends(name, end) ||
            !x->env->find_seconds(x->env->ctx, str_sub(name, 0, name.n - end.n), &seconds))
            continue;
        int n = snprintf(x->number, sizeof x->number, "%lld", (long long)(seconds / units[i].seconds));
        *ret = str_mem(x->number, (size_t)n);
        return true;
    }
    return false;
}

static bool find_name(void *ctx, str name, str *ret)
{
    struct expansion *x = ctx;
    bool found = find_time(x, name, ret) || x->env->find(x->env->ctx, name, ret);
    x->undefined |= !found;
    return found;
}

enum rc bounce_template_expand(str text, const struct bounce_template_env *env, struct buf *out,
                               str *ret_line)
{
    struct expansion x = {.env = env};
    const struct macro_env names_env = {.find = find_name, .ctx = &x};
    while (text.n > 0) {
        str line = str_take(&text, '\n');
        *ret_line = line;
        enum rc rc = macro_expand(line, &names_env, out, NULL);
        if (rc != RC_OK || x.undefined)
            return rc == RC_LIMIT ? rc : RC_INVALID;
        buf_putc(out, '\n');
    }
    return out->overflow ? RC_LIMIT : RC_OK;
}
