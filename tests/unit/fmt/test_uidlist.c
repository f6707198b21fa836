/* dovecot-uidlist as Dovecot 2.3 and 1.0 write it. */
#include "fmt/uidlist.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char sample[] = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1 Xfuture Y2\n"
                             "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394\n"
                             "rubbish\n"
                             "25017 W2481 P12.3 Gabc :name with space:2,S\n"
                             "0 :zero\n"
                             "25018 W1\n"
                             "25019 :../etc/passwd\n"
                             "25020 :cut by a crash";

static void test_version_3(void **state)
{
    str text = S("");
    struct uidlist_header h;
    struct uidlist_record r;
    (void)state;
    text = str_c(sample);
    assert_int_equal(uidlist_parse_header(&text, &h), RC_OK);
    assert_int_equal(h.version, 3);
    assert_int_equal(h.uidvalidity, 1275660208);
    assert_int_equal(h.uidnext, 25022);
    assert_true(str_eq(h.guid, S("3085f01b7f11094c501100008c4a11c1")));
    assert_true(str_eq(h.other, S("Xfuture Y2")));
    assert_int_equal(uidlist_parse_record(&text, 3, &r), RC_OK);
    assert_int_equal(r.uid, 25006);
    assert_true(str_eq(r.base, S("1276528487.M364837P9451.kurkku,S=1355,W=1394")));
    assert_int_equal(r.fields.n, 0);
    assert_int_equal(uidlist_parse_record(&text, 3, &r), RC_INVALID);
    assert_int_equal(uidlist_parse_record(&text, 3, &r), RC_OK);
    assert_int_equal(r.uid, 25017);
    assert_true(str_eq(r.base, S("name with space")));
    assert_true(str_eq(r.fields, S("W2481 P12.3 Gabc")));
    assert_true(str_eq(r.pop3_uidl, S("12.3")));
    assert_true(str_eq(uidlist_field(r.fields, 'G'), S("abc")));
    assert_int_equal(uidlist_field(S("P Gabc"), 'P').n, 0);
    assert_non_null(uidlist_field(S("P Gabc"), 'P').p); /* empty, which tells something, too */
    assert_null(uidlist_field(S("Gabc"), 'P').p);
    assert_true(r.has_crlf_size && r.crlf_size == 2481 && !r.has_size);
    for (int i = 0; i < 4; i++)
        assert_int_equal(uidlist_parse_record(&text, 3, &r), RC_INVALID);
    assert_int_equal(uidlist_parse_record(&text, 3, &r), RC_GONE);
}

static void test_version_1(void **state)
{
    str text = S("1 1275660208 9\n3 1276.M1.host:2,S\n7 1277.M1.host\n");
    struct uidlist_header h;
    struct uidlist_record r;
    (void)state;
    assert_int_equal(uidlist_parse_header(&text, &h), RC_OK);
    assert_int_equal(h.uidvalidity, 1275660208);
    assert_int_equal(h.uidnext, 9);
    assert_int_equal(uidlist_parse_record(&text, 1, &r), RC_OK);
    assert_true(r.uid == 3 && str_eq(r.base, S("1276.M1.host")));
    assert_int_equal(uidlist_parse_record(&text, 1, &r), RC_OK);
    assert_int_equal(uidlist_parse_record(&text, 1, &r), RC_GONE);
}

static void test_bad_headers(void **state)
{
    static const char *const bad[] = {"",          "\n",        "3\n",       "3 V1\n",
                                      "3 N1\n",    "3 V0 N1\n", "3 V1 N0\n", "2 V1 N1\n",
                                      "4 V1 N1\n", "3 Vx N1\n", "3 V1 N1",   "3 V99999999999 N1\n",
                                      "1 5\n"};
    struct uidlist_header h;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        str text = str_c(bad[i]);
        assert_int_equal(uidlist_parse_header(&text, &h), RC_INVALID);
    }
}

static void test_format(void **state)
{
    struct buf b = BUF_INIT(1000);
    (void)state;
    uidlist_format_header(&b, &(struct uidlist_header){3, 17, 9, S("00ff"), STR_NONE});
    uidlist_format_record(&b, 4, STR_NONE, S("1.a"));
    uidlist_format_record(&b, 8, S("W5 Px"), S("2.b"));
    assert_string_equal(buf_cstr(&b), "3 V17 N9 G00ff\n4 :1.a\n8 W5 Px :2.b\n");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_3),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
