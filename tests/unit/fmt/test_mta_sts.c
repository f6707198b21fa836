/* fmt/mta_sts: records and policies, with the examples of RFC 8461. */
#include "fmt/mta_sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The data of a TXT record of one string. */
static str wire(const char *text, struct buf *b)
{
    buf_reset(b);
    buf_putc(b, (char)strlen(text));
    buf_puts(b, str_c(text));
    return buf_str(b);
}

static void records(void **state)
{
    static const struct {
        const char *text, *id; /* NULL: malformed; "": none */
    } rows[] = {
        {"v=STSv1; id=20160831085700Z;", "20160831085700Z"}, /* RFC 8461 §3.1 */
        {"v=STSv1;id=1", "1"},
        {"v=STSv1 ; x-1=a<b ;\tid=abc ; ", "abc"},
        {"v=STSv1; id=12345678901234567890123456789012", "12345678901234567890123456789012"},
        {"v=STSv1; id=123456789012345678901234567890123;", NULL},
        {"v=STSv1; id=;", NULL},
        {"v=STSv1; id=a-b;", NULL},
        {"v=STSv1; id=1; id=2;", NULL},
        {"v=STSv1; id=1;; x=1", NULL},
        {"v=STSv1; x=a=b; id=1", NULL},
        {"v=STSv1;", NULL},
        {"v=STSv1", ""},
        {"v=STSv10; id=1;", ""},
        {"V=stsv1; id=1;", ""},
        {" v=STSv1; id=1;", ""},
        {"v=spf1 -all", ""},
        {"", ""},
    };
    AUTO(buf_deinit) struct buf b = BUF_INIT(300);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[MTA_STS_ID_MAX + 1] = "";
        str rdata = wire(rows[i].text, &b);
        enum rc rc = mta_sts_record(&rdata, 1, id), expected = !rows[i].id     ? RC_INVALID
                                                               : rows[i].id[0] ? RC_OK
                                                                               : RC_GONE;
        if (rc != expected || (rc == RC_OK && !str_eq(str_c(id), str_c(rows[i].id))))
            fail_msg("\"%s\": %d \"%s\"", rows[i].text, rc, id);
    }
}

static void several_records(void **state)
{
    AUTO(buf_deinit) struct buf a = BUF_INIT(300), b = BUF_INIT(300);
    char id[MTA_STS_ID_MAX + 1] = "";
    str both[] = {wire("v=spf1 -all", &a), S("\010v=STSv1;\005 id=7")};
    assert_int_equal(mta_sts_record(both, 2, id), RC_OK); /* strings are joined */
    assert_string_equal(id, "7");
    both[0] = wire("v=STSv1; id=1", &b);
    assert_int_equal(mta_sts_record(both, 2, id), RC_GONE);
    assert_int_equal(mta_sts_record(both, 0, id), RC_GONE);
    both[0] = S("\011short");
    assert_int_equal(mta_sts_record(both, 1, id), RC_GONE);
}

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 604800\n"

static void policies(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        enum mta_sts_mode mode;
        uint32_t age;
        size_t mx;
    } rows[] = {
        /* RFC 8461 §3.2 */
        {"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: "
         "backupmx.example.com\r\n"
         "max_age: 604800\r\n",
         RC_OK, MTA_STS_ENFORCE, 604800, 3},
        {"max_age:5 \nmx:a.example\nversion:STSv1\nmode:testing", RC_OK, MTA_STS_TESTING, 5, 1},
        {"version: STSv1\nmode: none\nmax_age: 1\n\n", RC_OK, MTA_STS_NONE, 1, 0},
        {HEAD "mx: a.example\nmode: none\nx-new: a:b\n", RC_OK, MTA_STS_ENFORCE, 604800, 1},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 4000000000", RC_OK, MTA_STS_ENFORCE,
         MTA_STS_AGE_MAX, 1},
        {HEAD, RC_INVALID, 0, 0, 0},
        {"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1", RC_INVALID, 0, 0, 0},
        {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1", RC_INVALID, 0, 0, 0},
        {"version: STSv1\nmx: a.example\nmax_age: 1", RC_INVALID, 0, 0, 0},
        {"version: STSv1\nmode: enforce\nmx: a.example\n", RC_INVALID, 0, 0, 0},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1", RC_INVALID, 0, 0, 0},
        {HEAD "mx: a.*.example\n", RC_INVALID, 0, 0, 0},
        {HEAD "mx: *\n", RC_INVALID, 0, 0, 0},
        {HEAD "mx: a.example..\n", RC_INVALID, 0, 0, 0},
        {HEAD "mx: a.example\n<html>\n", RC_INVALID, 0, 0, 0},
        {"", RC_INVALID, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mta_sts_policy p, again;
        AUTO(buf_deinit) struct buf b = BUF_INIT(MTA_STS_TEXT_MAX);
        if (mta_sts_parse(str_c(rows[i].text), &p) != rows[i].rc)
            fail_msg("\"%s\"", rows[i].text);
        if (rows[i].rc != RC_OK)
            continue;
        assert_true(p.mode == rows[i].mode && p.max_age == rows[i].age && p.n_mx == rows[i].mx);
        mta_sts_format(&p, &b);
        assert_int_equal(mta_sts_parse(buf_str(&b), &again), RC_OK);
        assert_true(again.mode == p.mode && again.max_age == p.max_age && again.n_mx == p.n_mx);
    }
}

static void too_many(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(MTA_STS_POLICY_MAX + 1);
    struct mta_sts_policy p;
    buf_puts(&b, S(HEAD));
    for (size_t i = 0; i < MTA_STS_MX_MAX; i++)
        buf_puts(&b, S("mx: a.example\n"));
    assert_int_equal(mta_sts_parse(buf_str(&b), &p), RC_OK);
    buf_puts(&b, S("mx: a.example\n"));
    assert_int_equal(mta_sts_parse(buf_str(&b), &p), RC_LIMIT);
    while (b.n <= MTA_STS_POLICY_MAX)
        buf_putc(&b, '\n');
    assert_int_equal(mta_sts_parse(buf_str(&b), &p), RC_LIMIT);
}

static void hosts(void **state)
{
    struct mta_sts_policy p;
    static const char *const in[] = {"mail.example.com", "MAIL.example.COM.", "a.example.net",
                                     "A.EXAMPLE.NET"};
    static const char *const out[] = {"example.com",     "x.mail.example.com", "example.net",
                                      "a.b.example.net", ".example.net",       "",
                                      "example.org"};
    assert_int_equal(mta_sts_parse(S(HEAD "mx: mail.example.com\nmx: *.example.net.\n"), &p), RC_OK);
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(mta_sts_has_mx(&p, str_c(in[i])));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        if (mta_sts_has_mx(&p, str_c(out[i])))
            fail_msg("%s", out[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(records), cmocka_unit_test(several_records),
                                       cmocka_unit_test(policies), cmocka_unit_test(too_many),
                                       cmocka_unit_test(hosts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
