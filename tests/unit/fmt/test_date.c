/* date: RFC 5322 appendix A, obsolete forms, IMAP's forms, and the calendar's corners. */
#include "fmt/date.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_parse_mail(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int zone;
    } rows[] = {
        {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360}, /* RFC 5322 §A.1.1 */
        {"Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120},  /* RFC 5322 §A.1.2 */
        {"Thu,\n      13\n        Feb\n          1969\n      23:32\n               -0330 (Newfoundland Time)",
         -27723480, -210},                                                    /* RFC 5322 §A.5 */
        {"21 Nov 97 09:55:06 GMT", 880106106, 0},                             /* RFC 5322 §A.6.2 */
        {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360}, /* RFC 5322 §A.6.3 */
        {"1 Jan 1970 00:00:00 +0000", 0, 0},
        {"31 Dec 1969 23:59:59 UT", -1, 0},
        {"1 Jan 49 00:00 GMT", 2493072000, 0},
        {"1 Jan 50 00:00 GMT", -631152000, 0},
        {"1 Jan 103 00:00 GMT", 1041379200, 0},
        {"1 Jan 2000 00:00 PDT", 946710000, -420},
        {"1 Jan 2000 00:00 Z", 946684800, 0},
        {"1 Jan 2000 00:00", 946684800, 0},
        {"29 February 2000 00:00:00 +0000", 951782400, 0},
        {"31 Dec 2016 23:59:60 +0000", 1483228799, 0},
        {"Mon,23 Nov 2026 8:00:00 +0100", 1795417200, 60},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct date d = {0};
        assert_int_equal(date_parse_mail(str_c(rows[i].text), &d), RC_OK);
        assert_int_equal(d.seconds, rows[i].seconds);
        assert_int_equal(d.zone_minutes, rows[i].zone);
    }
}

static void test_parse_mail_invalid(void **state)
{
    static const char *const rows[] = {
        "",
        "yesterday",
        "Fri, 21 Nov 1997",
        "21 Foo 1997 09:55:06 -0600",
        "30 Feb 2000 00:00:00 +0000",
        "29 Feb 1900 00:00:00 +0000",
        "0 Jan 2000 00:00:00 +0000",
        "1 Jan 2000 24:00:00 +0000",
        "1 Jan 2000 00:60:00 +0000",
        "1 Jan 2000 00: +0000",
        "1 Jan 0000 00:00:00 +0000",
    };
    struct date d = {7, 7};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(date_parse_mail(str_c(rows[i]), &d), RC_INVALID);
    assert_int_equal(d.seconds, 7);
}

static void test_format(void **state)
{
    static const struct {
        struct date d;
        const char *mail, *imap;
    } rows[] = {
        {{880127706, -360}, "Fri, 21 Nov 1997 09:55:06 -0600", "21-Nov-1997 09:55:06 -0600"},
        {{0, 0}, "Thu, 01 Jan 1970 00:00:00 +0000", " 1-Jan-1970 00:00:00 +0000"},
        {{-1, 0}, "Wed, 31 Dec 1969 23:59:59 +0000", "31-Dec-1969 23:59:59 +0000"},
        {{-1, 1}, "Thu, 01 Jan 1970 00:00:59 +0001", " 1-Jan-1970 00:00:59 +0001"},
        {{951782400, 345}, "Tue, 29 Feb 2000 05:45:00 +0545", "29-Feb-2000 05:45:00 +0545"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf b = BUF_INIT(100);
        date_format_mail(&b, rows[i].d);
        assert_string_equal(buf_cstr(&b), rows[i].mail);
        buf_reset(&b);
        date_format_imap(&b, rows[i].d);
        assert_string_equal(buf_cstr(&b), rows[i].imap);
        struct date again;
        assert_int_equal(date_parse_imap(buf_str(&b), &again), RC_OK);
        assert_int_equal(again.seconds, rows[i].d.seconds);
        buf_deinit(&b);
    }
}

static void test_parse_imap_invalid(void **state)
{
    static const char *const rows[] = {
        "",
        "17-Jul-1996 02:44:25",
        "1-Jul-1996 02:44:25 -0700",
        "17-Jul-1996 02:44:25 -0760",
        "17-Jul-1996 02:44:25 00700",
        "17-Foo-1996 02:44:25 -0700",
        "31-Jun-1996 02:44:25 -0700",
        "17-Jul-1996T02:44:25 -0700",
        "17-Jul-1996 02:44:2x -0700",
        "17-Jul-1996 02:44:25 -0700 ",
    };
    struct date d;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(date_parse_imap(str_c(rows[i]), &d), RC_INVALID);
    assert_int_equal(date_parse_imap(S("17-Jul-1996 02:44:25 -0700"), &d), RC_OK); /* RFC 9051 §7.5.2 */
    assert_int_equal(d.seconds, 837596665);
    assert_int_equal(d.zone_minutes, -420);
}

/* RFC 3339 §5.8 */
static void test_internet(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int zone;
    } rows[] = {
        {"1985-04-12T23:20:50.52Z", 482196050, 0}, {"1996-12-19T16:39:57-08:00", 851042397, -480},
        {"1990-12-31T23:59:60Z", 662687999, 0},    {"1937-01-01T12:00:27.87+00:20", -1041337173, 20},
        {"1996-12-20t00:39:57z", 851042397, 0},
    };
    static const char *const invalid[] = {"",
                                          "1985-04-12",
                                          "1985-04-12T23:20:50",
                                          "1985-04-12T23:20:50.Z",
                                          "1985-04-12T23:20:50.",
                                          "1985-04-12T23:20:50+0100",
                                          "1985-04-12T23:20:50+24:00",
                                          "1985-04-12T23:20:50ZZ",
                                          "1985-13-12T23:20:50Z",
                                          "1985-00-12T23:20:50Z",
                                          "1985-02-29T23:20:50Z",
                                          "1985-04-12T24:20:50Z",
                                          "1985-04-12 23:20:50Z",
                                          "-985-04-12T23:20:50Z",
                                          "1985-04-12T2a:20:50Z"};
    struct date d;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(date_parse_internet(str_c(rows[i].text), &d), RC_OK);
        assert_int_equal(d.seconds, rows[i].seconds);
        assert_int_equal(d.zone_minutes, rows[i].zone);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_int_equal(date_parse_internet(str_c(invalid[i]), &d), RC_INVALID);
}

static void test_imap_day(void **state)
{
    static const char *const invalid[] = {"",         "1-Feb",       "32-Jan-2000", "29-Feb-1999",
                                          "1-Feb-94", "1-Feb-19944", "x-Feb-1994",  "1 Feb 1994"};
    int64_t day;
    struct buf b = BUF_INIT(20);
    assert_int_equal(date_parse_imap_day(S("1-Feb-1994"), &day), RC_OK); /* RFC 9051 §6.4.4 */
    assert_int_equal(day, 8797);
    assert_int_equal(date_parse_imap_day(S("01-feb-1994"), &day), RC_OK);
    assert_int_equal(day, 8797);
    date_format_imap_day(&b, day);
    assert_string_equal(buf_cstr(&b), "1-Feb-1994");
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        assert_int_equal(date_parse_imap_day(str_c(invalid[i]), &day), RC_INVALID);
    buf_deinit(&b);
}

/* SENTON looks at the day as its sender wrote it. */
static void test_day_of_zone(void **state)
{
    struct date d;
    assert_int_equal(date_parse_mail(S("2 Jan 1970 00:30 +0100"), &d), RC_OK);
    assert_int_equal(date_day(d), 1);
    assert_int_equal(date_parse_mail(S("31 Dec 1969 23:30 -0100"), &d), RC_OK);
    assert_int_equal(date_day(d), -1);
}

/* Every day of 800 years goes through text and back. */
static void test_every_day(void **state)
{
    for (int64_t day = -135140; day < 157054; day++) {
        struct buf b = BUF_INIT(20);
        int64_t again;
        date_format_imap_day(&b, day);
        assert_int_equal(date_parse_imap_day(buf_str(&b), &again), RC_OK);
        assert_int_equal(again, day);
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_mail),  cmocka_unit_test(test_parse_mail_invalid),
        cmocka_unit_test(test_format),      cmocka_unit_test(test_parse_imap_invalid),
        cmocka_unit_test(test_internet),    cmocka_unit_test(test_imap_day),
        cmocka_unit_test(test_day_of_zone), cmocka_unit_test(test_every_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
