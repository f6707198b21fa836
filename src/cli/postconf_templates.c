/* postconf -b, -t and -T: the words of notifications, and the library for TLS. */
#include "base/num.h"
#include "cli/cli.h"
#include "cli/postconf.h"
#include "conf/params.h"
#include "fmt/bounce_template.h"
#include "fmt/postfix_expand.h"
#include "os/file.h"
#include "os/tls.h"

enum { FILE_MAX = 1 << 20, VALUE_MAX = 64 << 10 };

/* --- values --- */

static bool find(void *ctx, str name, str *ret)
{
    const struct postconf *p = ctx;
    const struct postfix_expand_env env = {.find = postconf_find, .ctx = ctx};
    AUTO(buf_deinit) struct buf text = BUF_INIT(VALUE_MAX);
    struct err e = {0};
    str value;
    if (!postconf_find(ctx, name, &value) || postfix_expand(value, &env, &text, &e) != RC_OK)
        return false;
    *ret = arena_str(p->a, buf_str(&text));
    return ret->p != NULL;
}

/* Without a letter in the unit of the default. */
static bool find_seconds(void *ctx, str name, int64_t *ret)
{
    static const char letters[] = "smhdw";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
    const struct conf_param *known = conf_param_find(CONF_DIALECT_POSTFIX, name);
    str value, initial = S("");
    uint32_t n;
    if (!known || known->kind != CONF_PARAM_TIME || !find(ctx, name, &value) || value.n == 0)
        return false;
    (void)conf_postfix_default(NULL, name, &initial);
    bool has_unit = !ascii_digit(value.p[value.n - 1]);
    char unit = has_unit ? value.p[value.n - 1] : initial.n ? initial.p[initial.n - 1] : 's';
    const char *at = strchr(letters, ascii_lower(unit));
    if (!at || num_parse_u32(str_sub(value, 0, value.n - has_unit), UINT32_MAX, &n) != RC_OK)
        return false;
    *ret = n * seconds[at - letters];
    return true;
}

/* --- templates --- */

static void warn(void *ctx, int line, const char *text)
{
    fprintf(stderr, "postconf: warning: %s, line %d: %s\n", (const char *)ctx, line, text);
}

/* The file's text lives in the arena. */
static int read_templates(const struct postconf *p, struct bounce_template ret[BOUNCE_TEMPLATES])
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FILE_MAX);
    str path = S("");
    memcpy(ret, bounce_template_own, sizeof *ret * BOUNCE_TEMPLATES);
    if (p->n_names > 0)
        path = str_c(p->names[0]);
    else if (!find((void *)(uintptr_t)p, S("bounce_template_file"), &path) || path.n == 0)
        return CLI_FINE;
    path = arena_str(p->a, path);
    if (file_read(path.p, &text) != RC_OK)
        return postconf_fatal("open %s: No such file or directory", path.p);
    enum rc rc = bounce_template_parse(arena_str(p->a, buf_str(&text)), ret, warn, (void *)(uintptr_t)path.p);
    return rc == RC_OK ? CLI_FINE : postconf_fatal("%s is no file of templates", path.p);
}

static int expand(const struct postconf *p, enum bounce_template_kind kind, const struct bounce_template *t,
                  struct buf *out)
{
    const struct bounce_template_env env = {find, find_seconds, (void *)(uintptr_t)p};
    str line = STR_NONE;
    buf_printf(out, "expanded_%s_text = <<EOF\n", bounce_template_name(kind));
    if (bounce_template_expand(t->text, &env, out, &line) != RC_OK)
        return postconf_fatal("undefined $name in %s template: " STR_FMT, bounce_template_name(kind),
                              STR_ARG(line));
    buf_puts(out, S("EOF\n"));
    return CLI_FINE;
}

int postconf_templates(const struct postconf *p, struct buf *out)
{
    struct bounce_template all[BOUNCE_TEMPLATES];
    int status = read_templates(p, all);
    for (size_t i = 0; i < BOUNCE_TEMPLATES && status == CLI_FINE; i++) {
        enum bounce_template_kind kind = (enum bounce_template_kind)i;
        buf_puts(out, i > 0 ? S("\n") : S(""));
        if (p->mode == 'b')
            status = expand(p, kind, &all[i], out);
        else
            bounce_template_put(out, kind, &all[i]);
    }
    return status;
}

/* --- TLS --- */

int postconf_tls(const struct postconf *p, struct buf *out)
{
    if (strcmp(p->tls, "compile-version") == 0)
        buf_printf(out, "%s\n", tls_library_version(true));
    else if (strcmp(p->tls, "run-version") == 0)
        buf_printf(out, "%s\n", tls_library_version(false));
    else if (strcmp(p->tls, "public-key-algorithms") == 0)
        buf_puts(out, S("ecdsa\ned25519\nrsa\n"));
    else {
        fprintf(stderr, "postconf: warning: unknown 'postconf -T' mode: %s\n", p->tls);
        return CLI_FINDING;
    }
    return CLI_FINE;
}
