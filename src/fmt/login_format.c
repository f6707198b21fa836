/* Elements, and the line around them. */
#include "fmt/login_format.h"

#include "fmt/dovecot_var.h"

#define FAIL(e, rc, ...) err_set((e), (rc), 0, "", __VA_ARGS__)

enum { ELEMENTS_BYTES_MAX = 4096 };

struct finding {
    login_format_find *find;
    void *ctx;
    bool empty;    /* as if no variable had a value */
    bool has_user; /* a variable was the user's name, or a part of it */
};

static enum rc find_value(void *ctx, str name, str *ret, struct err *e)
{
    struct finding *f = ctx;
    str value = f->find(f->ctx, name);
    f->has_user |= str_eq(name, S("user")) || str_eq(name, S("username"));
    *ret = f->empty ? S("") : value;
    return value.p ? RC_OK : RC_GONE;
}

static enum rc put_element(str element, struct finding *f, struct buf *out, struct err *e)
{
    AUTO(buf_deinit) struct buf full = BUF_INIT(ELEMENTS_BYTES_MAX), empty = BUF_INIT(ELEMENTS_BYTES_MAX);
    const struct dovecot_var_env env = {.find = find_value, .ctx = f};
    f->has_user = f->empty = false;
    enum rc rc = dovecot_var_expand(element, &env, &full, e);
    f->empty = true;
    if (rc == RC_OK)
        rc = dovecot_var_expand(element, &env, &empty, e);
    if (rc != RC_OK || (!f->has_user && str_eq(buf_str(&full), buf_str(&empty))))
        return rc;
    buf_puts(out, out->n > 0 ? S(", ") : S(""));
    buf_puts(out, buf_str(&full));
    return RC_OK;
}

static enum rc put_elements(str rest, struct finding *f, struct buf *out, struct err *e)
{
    str element;
    for (unsigned n = 0; (element = str_word(&rest)).n > 0; n++) {
        if (n == LOGIN_FORMAT_ELEMENTS_MAX)
            return FAIL(e, RC_LIMIT, "more than %d elements", LOGIN_FORMAT_ELEMENTS_MAX);
        enum rc rc = put_element(element, f, out, e);
        if (rc != RC_OK)
            return rc;
    }
    return out->overflow ? FAIL(e, RC_LIMIT, "the elements are too long") : RC_OK;
}

static enum rc put_line(str format, str what, str elements, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%') {
            buf_putc(out, format.p[i]);
            continue;
        }
        char c = ++i < format.n ? format.p[i] : '\0';
        if (c != '%' && c != '$' && c != 's')
            return FAIL(e, RC_GONE, "there are only %%%%, %%$ and %%s in it");
        buf_puts(out, c == '%' ? S("%") : c == '$' ? what : elements);
    }
    return out->overflow ? FAIL(e, RC_LIMIT, "the line is too long") : RC_OK;
}

enum rc login_format_put(str format, str elements, str what, login_format_find *find, void *ctx,
                         struct buf *out, struct err *e)
{
    AUTO(buf_deinit) struct buf list = BUF_INIT(ELEMENTS_BYTES_MAX);
    struct finding f = {.find = find, .ctx = ctx};
    size_t before = out->n;
    enum rc rc = put_elements(elements, &f, &list, e);
    if (rc == RC_OK)
        rc = put_line(format, what, buf_str(&list), out, e);
    if (rc != RC_OK)
        buf_truncate(out, before);
    return rc;
}
