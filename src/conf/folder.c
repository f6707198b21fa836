/* A folder of foreign files: what both dialects need, and the order in which the files count. */
#include "conf/folder.h"

#include "os/file.h"

#include <errno.h>

enum { TEXT_MAX = 4 << 20, ARENA_MAX = 300 << 20, VALUE_MAX = 1 << 20 };

enum rc folder_text(struct folder *f, const char *name, str *ret, const char **ret_path)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    str path = arena_printf(f->b->conf->arena, "%s/%s", f->path, name);
    must(path.p);
    enum rc rc = file_read(path.p, &text);
    if (rc == RC_GONE)
        return rc;
    *ret_path = path.p;
    *ret = arena_str(f->a, buf_str(&text));
    if (rc == RC_OK && ret->p)
        return rc;
    if (rc == RC_LIMIT || text.overflow)
        conf_error(f->b->report, path.p, 0, "is larger than %d MB", TEXT_MAX >> 20);
    else
        conf_error(f->b->report, path.p, 0, "cannot be read: %s", strerror(errno));
    return RC_TEMP;
}

/* As conf_value_set reads it back: a text whole, on one line, of a list each word. */
static void put_value(struct buf *out, enum conf_type type, str value)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(VALUE_MAX);
    str rest = value, word;
    if (type == CONF_TYPE_STR || type == CONF_TYPE_PATH) {
        for (size_t i = 0; i < value.n; i++)
            buf_putc(&line, strchr("\t\r\n", value.p[i]) ? ' ' : value.p[i]);
        conf_value_quote(buf_str(&line), "", out);
        return;
    }
    if (type != CONF_TYPE_LIST)
        buf_puts(out, value);
    while (type == CONF_TYPE_LIST && (word = folder_word(&rest)).n) {
        buf_puts(out, out->n ? S(", ") : S(""));
        conf_value_quote(word, " \t,", out);
    }
}

bool folder_takes(const char *option, str value, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VALUE_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(VALUE_MAX);
    const struct conf_key *k = conf_key_find(conf_options, str_c(option));
    struct conf *scratch = arena_make(a, struct conf);
    must(k && scratch);
    put_value(&text, k->type, value);
    return conf_value_set(a, k, scratch, buf_str(&text), e) == RC_OK;
}

void folder_set_in(struct folder *f, struct conf_section s, const char *file, int line, const char *key,
                   str value)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(VALUE_MAX);
    const struct conf_key *k = s.kind == CONF_SECTION_LISTENER ? conf_key_find(conf_listener_keys, str_c(key))
                               : s.kind == CONF_SECTION_TRANSPORT
                                   ? conf_key_find(conf_transport_keys, str_c(key))
                                   : NULL;
    k = k ? k : conf_key_find(conf_options, str_c(key));
    must(k);
    put_value(&text, k->type, value);
    f->b->file = file;
    conf_build_set(f->b, s, str_c(key), buf_str(&text), line);
}

void folder_set(struct folder *f, const char *file, int line, const char *option, str value)
{
    folder_set_in(f, (struct conf_section){CONF_SECTION_MAIN, 0}, file, line, option, value);
}

struct conf_section folder_listener(struct folder *f, const char *file, int line, str name)
{
    f->b->file = file;
    struct conf_section s = conf_build_section(f->b, CONF_SECTION_LISTENER, name, line);
    if (s.kind == CONF_SECTION_LISTENER)
        f->b->conf->listeners[s.index].enabled = true;
    return s;
}

struct conf_section folder_transport(struct folder *f, const char *file, int line, str name)
{
    f->b->file = file;
    return conf_build_section(f->b, CONF_SECTION_TRANSPORT, name, line);
}

void folder_certificate(struct folder *f, const char *file, int line, str chain, str key)
{
    str pair = arena_printf(f->a, STR_FMT ":" STR_FMT, STR_ARG(chain), STR_ARG(key));
    for (size_t i = 0; i < f->n_certificates; i++)
        if (str_eq(f->certificates[i].pair, pair))
            return;
    if (f->n_certificates == FOLDER_CERTIFICATES_MAX || !pair.p) {
        conf_error(f->b->report, file, line, "more than %d certificates", FOLDER_CERTIFICATES_MAX);
        return;
    }
    f->certificates[f->n_certificates].pair = pair;
    f->certificates[f->n_certificates].file = file;
    f->certificates[f->n_certificates++].line = line;
}

str folder_word(str *list)
{
    size_t n = 0;
    while (list->n && strchr(", \t\r\n", list->p[0]))
        *list = str_from(*list, 1);
    while (n < list->n && !strchr(", \t\r\n", list->p[n]))
        n++;
    str word = str_sub(*list, 0, n);
    *list = str_from(*list, n);
    return word;
}

static void set_certificates(struct folder *f)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(VALUE_MAX);
    for (size_t i = 0; i < f->n_certificates; i++)
        buf_printf(&list, STR_FMT " ", STR_ARG(f->certificates[i].pair));
    if (f->n_certificates)
        folder_set(f, f->certificates[0].file, f->certificates[0].line, "tls_certificates", buf_str(&list));
}

/* What malle listens on by itself: only the socket of its own sendmail stays. */
static void switch_off(struct conf *c)
{
    for (size_t i = 0; i < c->listener_count; i++)
        c->listeners[i].enabled = c->listeners[i].protocol == CONF_LOCAL;
}

void folder_read(struct conf_build *b, const char *path)
{
    AUTO(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct folder f = {.b = b, .a = a, .path = path};
    const char *file;
    str text;
    switch_off(b->conf);
    folder_set(&f, path, 0, "log_programs", S("yes"));
    folder_read_dovecot(&f);
    folder_read_postfix(&f);
    if (!f.has_postfix && !f.has_dovecot)
        conf_error(b->report, path, 0, "the folder has neither postfix/main.cf nor dovecot/dovecot.conf");
    set_certificates(&f);
    if (folder_text(&f, "malle/local.conf", &text, &file) == RC_OK) {
        b->file = file;
        conf_native_read(b, text);
    }
}
