/* bounce_template: files as bounce(5) has them, what is wrong with some, and names in their text. */
#include "fmt/bounce_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void note(void *ctx, int line, const char *text)
{
    buf_printf(ctx, "%d: %s\n", line, text);
}

static enum rc parse(const char *text, struct bounce_template ret[BOUNCE_TEMPLATES], struct buf *faults)
{
    memcpy(ret, bounce_template_own, sizeof *ret * BOUNCE_TEMPLATES);
    return bounce_template_parse(str_c(text), ret, note, faults);
}

static void there_and_back(void **state)
{
    AUTO(buf_deinit) struct buf faults = BUF_INIT(1000), one = BUF_INIT(4000), two = BUF_INIT(4000);
    struct bounce_template t[BOUNCE_TEMPLATES];
    for (size_t i = 0; i < BOUNCE_TEMPLATES; i++)
        bounce_template_put(&one, (enum bounce_template_kind)i, &bounce_template_own[i]);
    assert_int_equal(parse(buf_cstr(&one), t, &faults), RC_OK);
    for (size_t i = 0; i < BOUNCE_TEMPLATES; i++)
        bounce_template_put(&two, (enum bounce_template_kind)i, &t[i]);
    assert_string_equal(buf_cstr(&one), buf_cstr(&two));
    assert_int_equal(faults.n, 0);
}

static void a_file(void **state)
{
    AUTO(buf_deinit) struct buf faults = BUF_INIT(1000);
    struct bounce_template t[BOUNCE_TEMPLATES];
    assert_int_equal(
        parse("# comment\n\n  \ndelay_template = <<END OF IT\nSUBJECT:  late \ncharset: utf-8\r\n\n"
              " indented\n\nEOF\nEND OF IT\nsuccess_template=<<X\nFrom: me\nX\n",
              t, &faults),
        RC_OK);
    assert_int_equal(faults.n, 0);
    const struct bounce_template *d = &t[BOUNCE_TEMPLATE_DELAY];
    assert_true(str_eq(d->subject, S("late")) && str_eq(d->charset, S("utf-8")));
    assert_true(str_eq(d->postmaster_subject, S("Postmaster Warning: Delayed Mail")));
    assert_true(str_eq(d->text, S(" indented\n\nEOF\n")));
    assert_true(str_eq(t[BOUNCE_TEMPLATE_SUCCESS].from, S("me")) && t[BOUNCE_TEMPLATE_SUCCESS].text.n == 0);
    assert_memory_equal(&t[BOUNCE_TEMPLATE_FAILURE], &bounce_template_own[BOUNCE_TEMPLATE_FAILURE],
                        sizeof *t);
}

static void faults_are_told(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        const char *faults;
    } rows[] = {
        {"nonsense\n", RC_INVALID, "1: expected name = <<EOF, found \"nonsense\"\n"},
        {"delay_template = EOF\n", RC_INVALID, "1: expected name = <<EOF, found \"delay_template = EOF\"\n"},
        {"x_template = <<EOF\na\nEOF\n", RC_OK,
         "3: unknown template name: x_template -- ignoring this template\n"},
        {"delay_template = <<EOF\n\na\n", RC_OK, "3: missing \"EOF\" end marker\n"},
        {"delay_template = <<EOF\nFoo: a\n\nb\nEOF\n", RC_OK,
         "5: unknown header \"Foo: a\" in a template -- ignoring this template\n"},
        {"delay_template = <<EOF\nSubject: \xe9\n\nb\nEOF\n", RC_OK,
         "5: unknown header \"Subject: \xe9\" in a template -- ignoring this template\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf faults = BUF_INIT(1000);
        struct bounce_template t[BOUNCE_TEMPLATES];
        assert_int_equal(parse(rows[i].text, t, &faults), rows[i].rc);
        assert_string_equal(buf_cstr(&faults), rows[i].faults);
        assert_memory_equal(t, bounce_template_own, sizeof t);
    }
}

static bool find(void *ctx, str name, str *ret)
{
    *ret = S("mail.example.com");
    return str_eq(name, S("myhostname"));
}

static bool find_seconds(void *ctx, str name, int64_t *ret)
{
    *ret = 2 * 86400;
    return str_eq(name, S("delay_warning_time"));
}

static void names_are_expanded(void **state)
{
    static const struct {
        const char *text, *out; /* out NULL: the text is the line that is wrong */
    } rows[] = {
        {"at $myhostname: $$1\n", "at mail.example.com: $1\n"},
        {"${myhostname}\n\n$delay_warning_time_hours $delay_warning_time_days", "mail.example.com\n\n48 2\n"},
        {"$delay_warning_time_minutes $delay_warning_time_seconds $delay_warning_time_weeks\n",
         "2880 172800 0\n"},
        {"$nothing", NULL},
        {"$delay_warning_time", NULL},
        {"$delay_warning_time_years", NULL}};
    const struct bounce_template_env env = {find, find_seconds, NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000), small = BUF_INIT(3);
        str line;
        enum rc rc = bounce_template_expand(str_c(rows[i].text), &env, &out, &line);
        assert_int_equal(rc, rows[i].out ? RC_OK : RC_INVALID);
        if (rows[i].out)
            assert_string_equal(buf_cstr(&out), rows[i].out);
        else
            assert_true(str_eq(line, str_c(rows[i].text)));
        assert_int_not_equal(bounce_template_expand(str_c(rows[i].text), &env, &small, &line), RC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(a_file),
                                       cmocka_unit_test(faults_are_told),
                                       cmocka_unit_test(names_are_expanded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
