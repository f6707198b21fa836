/* Variables of Dovecot, 2.3 and 2.4: a failure has a reason and leaves nothing behind, the same text gives
 * the same, and a text of which each "%" is quoted is itself. */
#include "fmt/dovecot_var.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc find(void *ctx, str name, str *ret, struct err *e)
{
    *ret = str_c(ctx);
    if (str_eq(name, S("later")))
        return err_set(e, RC_TEMP, 0, "", "later");
    return name.n % 4 == 3 ? RC_GONE : RC_OK;
}

static enum rc find_user(void *ctx, str name, str *ret, struct err *e)
{
    str domain = str_c(ctx), local = str_take(&domain, '@');
    *ret = str_eq(name, S("username")) ? local : str_eq(name, S("domain")) ? domain : str_c(ctx);
    return str_eq(name, S("user")) || str_eq(name, S("username")) || str_eq(name, S("domain")) ? RC_OK
                                                                                               : RC_GONE;
}

static void check(str text, bool is_24)
{
    char value[] = "Joe.Do@Example.com";
    const struct dovecot_var_env env = {.is_24 = is_24, .find = find, .ctx = value};
    struct buf out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20), quoted = BUF_INIT(1 << 20);
    struct err e = {0};
    buf_puts(&out, S("in front"));
    enum rc rc = dovecot_var_expand(text, &env, &out, &e);
    must(str_starts(buf_str(&out), S("in front")) && rc == e.rc);
    must(rc == RC_OK || (out.n == strlen("in front") && e.peer[0]));
    must(dovecot_var_expand(text, &env, &again, NULL) == rc);
    must(str_eq(str_from(buf_str(&out), strlen("in front")), buf_str(&again)));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' && (!is_24 || (i + 1 < text.n && text.p[i + 1] == '{')))
            buf_putc(&quoted, '%');
        buf_putc(&quoted, text.p[i]);
    }
    buf_reset(&again);
    must(dovecot_var_expand(buf_str(&quoted), &env, &again, NULL) == RC_OK);
    must(str_eq(buf_str(&again), text));
    buf_deinit(&out);
    buf_deinit(&again);
    buf_deinit(&quoted);
}

/* In the words of 2.3 a text means what it means in 2.4, where both know its variables. */
static void check_older(str text)
{
    char value[] = "Joe.Do@Example.com";
    const struct dovecot_var_env env_24 = {.is_24 = true, .find = find_user, .ctx = value},
                                 env_23 = {.find = find_user, .ctx = value};
    struct buf older = BUF_INIT(1 << 20), now = BUF_INIT(1 << 20), then = BUF_INIT(1 << 20);
    if (dovecot_var_older(text, &older, NULL) != RC_OK)
        must(older.n == 0);
    else if (dovecot_var_expand(text, &env_24, &now, NULL) == RC_OK &&
             dovecot_var_expand(buf_str(&older), &env_23, &then, NULL) == RC_OK)
        must(str_eq(buf_str(&now), buf_str(&then)));
    buf_deinit(&older);
    buf_deinit(&now);
    buf_deinit(&then);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 10000)
        return 0;
    check(str_mem(data, size), false);
    check(str_mem(data, size), true);
    check_older(str_mem(data, size));
    return 0;
}
