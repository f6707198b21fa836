/* dovecot.conf from disk: its includes are patterns of glob(3). */
#include "conf/dovecot_files.h"

#include "os/file.h"

#include <glob.h>
#include <stdlib.h>

struct reading {
    dovecot_shipped_fn *shipped;
    void *ctx;
};

/* What Debian ships beside conf.d/10-auth.conf, for a folder that has the edited files only. */
static bool of_debian(str pattern, str *ret)
{
    *ret = S("passdb {\n driver = pam\n}\nuserdb {\n driver = passwd\n}\n");
    return str_ends(pattern, S("auth-system.conf.ext"));
}

static enum rc feed(struct dovecot_reader *r, const char *path, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOVECOT_FILE_MAX);
    enum rc rc = file_read(path, &text);
    if (rc != RC_OK)
        return err_set(e, rc, 0, "", "Couldn't open include file %s", path);
    dovecot_conf_feed(r, str_c(path), buf_str(&text));
    return RC_OK;
}

static enum rc include(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e)
{
    const struct reading *reading = ctx;
    AUTO(buf_deinit) struct buf path = BUF_INIT(4096);
    glob_t found;
    str text;
    dovecot_conf_path(&path, pattern, from);
    if (glob(buf_cstr(&path), GLOB_BRACE, NULL, &found) != 0) {
        if (!of_debian(pattern, &text))
            return RC_GONE;
        if (reading->shipped)
            reading->shipped(reading->ctx, from, pattern);
        dovecot_conf_feed(r, buf_str(&path), text);
        return RC_OK;
    }
    enum rc rc = RC_OK;
    for (size_t i = 0; i < found.gl_pathc && rc == RC_OK; i++)
        rc = feed(r, found.gl_pathv[i], e);
    globfree(&found);
    return rc;
}

static bool find_env(void *ctx, str name, str *ret)
{
    AUTO(str_freep) char *z = str_dup(name);
    *ret = str_c(getenv(z));
    return ret->p != NULL;
}

enum rc dovecot_files_read(const char *file, str text, dovecot_shipped_fn *shipped, void *ctx,
                           struct arena *a, struct dovecot_conf *ret)
{
    struct reading reading = {shipped, ctx};
    const struct dovecot_env env = {.include = include, .find_env = find_env, .ctx = &reading};
    enum rc rc = dovecot_conf_read(str_c(file), text, &env, a, ret);
    return rc == RC_OK ? dovecot_conf_merge(ret, a) : rc;
}

void dovecot_param_path(const struct dovecot_block *b, struct buf *out)
{
    if (!b)
        return;
    dovecot_param_path(b->parent, out);
    buf_printf(out, STR_FMT "/", STR_ARG(b->kind));
}

void dovecot_param_name(const struct dovecot_setting *s, struct buf *out)
{
    dovecot_param_path(s->block, out);
    buf_puts(out, s->name);
}
