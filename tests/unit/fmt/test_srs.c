/* srs: addresses that other implementations make, the way back, and everything that must not come back. */
#include "fmt/mailaddr.h"
#include "fmt/srs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const str secrets[] = {S("tops3cr3t"), S("older"), S("oldest")};

static struct srs settings(void)
{
    return (struct srs){.domain = S("example.com"),
                        .secrets = secrets,
                        .secret_count = 3,
                        .separator = '=',
                        .hash_length = 4,
                        .max_age_days = 21,
                        .now = 1577836860}; /* 2020-01-01 00:01:00 UTC */
}

/* The first three are postsrsd's: same secret, same day. */
static void forward(void **state)
{
    static const struct {
        const char *sender, *want;
        enum rc rc;
    } rows[] = {
        {"test@otherdomain.com", "SRS0=vmyz=2W=otherdomain.com=test@example.com", RC_OK},
        {"SRS0=opaque+string@otherdomain.com", "SRS1=chaI=otherdomain.com==opaque+string@example.com", RC_OK},
        {"SRS1=X=thirddomain.com==opaque+string@otherdomain.com",
         "SRS1=JIBX=thirddomain.com==opaque+string@example.com", RC_OK},
        {"test@example.com", "test@example.com", RC_OK},
        {"SRS0=XjO9=2V=otherdomain.com=test@EXAMPLE.com", "SRS0=XjO9=2V=otherdomain.com=test@EXAMPLE.com",
         RC_OK},
        {"foo", "", RC_INVALID},
        {"", "", RC_INVALID},
        {"@b", "", RC_INVALID},
        {"a@", "", RC_INVALID},
        {"\"a b\"@c", "", RC_INVALID},
        {"a@[192.0.2.1]", "", RC_INVALID},
        {"SRS1=X=thirddomain.com=opaque@b", "", RC_INVALID},
        {"SRS1=X==y=z@b", "", RC_INVALID},
        {"a@b=c", "", RC_INVALID},
        {"SRS0=x@b=c", "", RC_INVALID},
        {"a-very-long-local-part-indeed-for-this@a-domain-of-some-length.example", "", RC_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(MAILADDR_MAX);
        struct srs s = settings();
        assert_int_equal(srs_forward(&s, str_c(rows[i].sender), &out), rows[i].rc);
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

static void reverse(void **state)
{
    static const struct {
        const char *local, *want;
        enum rc rc;
    } rows[] = {
        {"SRS0=vmyz=2W=otherdomain.com=test", "test@otherdomain.com", RC_OK},
        {"srs0=VMYZ=2w=otherdomain.com=test", "test@otherdomain.com", RC_OK}, /* folded on its way */
        {"SRS0+vmyz=2W=otherdomain.com=test", "test@otherdomain.com", RC_OK},
        {"SRS1=JIBX=thirddomain.com==opaque+string", "SRS0=opaque+string@thirddomain.com", RC_OK},
        {"SRS0=vmyz=2W=otherdomain.com=tesT2", "", RC_PERM},
        {"SRS0=vmyz=2W=otherdomain.org=test", "", RC_PERM},
        {"SRS0=vmyz=2V=otherdomain.com=test", "", RC_PERM},
        {"SRS0=vmy=2W=otherdomain.com=test", "", RC_PERM}, /* shorter than we make them */
        {"SRS0==2W=otherdomain.com=test", "", RC_PERM},
        {"SRS1=JIBY=thirddomain.com==opaque+string", "", RC_PERM},
        {"SRS0=vmyz=2W=otherdomain.com", "", RC_INVALID},
        {"SRS0=vmyz", "", RC_INVALID},
        {"SRS0=", "", RC_INVALID},
        {"SRS2=vmyz=2W=otherdomain.com=test", "", RC_INVALID},
        {"test", "", RC_INVALID},
        {"SRS0=vmyz=2W=other domain.com=test", "", RC_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(MAILADDR_MAX);
        struct srs s = settings();
        assert_int_equal(srs_reverse(&s, str_c(rows[i].local), &out), rows[i].rc);
        assert_string_equal(buf_cstr(&out), rows[i].want);
    }
}

/* What is made on one day comes back until max_age_days later, whatever the day modulo 1024. */
static void ages(void **state)
{
    for (int64_t day = 0; day < 1100; day++) {
        AUTO(buf_deinit) struct buf made = BUF_INIT(MAILADDR_MAX), out = BUF_INIT(MAILADDR_MAX);
        struct srs s = settings();
        s.now = day * 86400;
        assert_int_equal(srs_forward(&s, S("a@b.example"), &made), RC_OK);
        str local = str_sub(buf_str(&made), 0, (size_t)str_chr(buf_str(&made), '@'));
        s.now += 21 * 86400 + 86399;
        assert_int_equal(srs_reverse(&s, local, &out), RC_OK);
        s.now++;
        assert_int_equal(srs_reverse(&s, local, &out), RC_GONE);
        if (day < 2)
            continue;
        s.now = (day - 1) * 86400; /* another machine's clock is behind */
        assert_int_equal(srs_reverse(&s, local, &out), RC_OK);
        s.now--;
        assert_int_equal(srs_reverse(&s, local, &out), RC_GONE);
    }
}

static void secrets_change(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf_deinit) struct buf made = BUF_INIT(MAILADDR_MAX), out = BUF_INIT(MAILADDR_MAX);
        struct srs s = settings();
        s.secrets = secrets + i;
        s.secret_count = 1;
        s.hash_length = 8;
        s.separator = '-';
        assert_int_equal(srs_forward(&s, S("joe+tag=x@b.example"), &made), RC_OK);
        str local = str_sub(buf_str(&made), 0, (size_t)str_chr(buf_str(&made), '@'));
        assert_true(str_starts(local, S("SRS0-")) && srs_is_rewritten(local));
        s = settings();
        assert_int_equal(srs_reverse(&s, local, &out), RC_OK);
        assert_string_equal(buf_cstr(&out), "joe+tag=x@b.example");
        s.secret_count = 1;
        assert_int_equal(srs_reverse(&s, local, &out), i == 0 ? RC_OK : RC_PERM);
    }
    assert_false(srs_is_rewritten(S("SRS0")) || srs_is_rewritten(S("SRS0x=")) || srs_is_rewritten(S("joe")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forward), cmocka_unit_test(reverse),
                                       cmocka_unit_test(ages), cmocka_unit_test(secrets_change)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
