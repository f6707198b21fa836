/* The words of RFC 8460, which reports hold and other programs read. */
#include "fmt/tlsrpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 8460 §4.2: "policy-type" */
static void policies(void **state)
{
    assert_string_equal(tlsrpt_policy_name(TLSRPT_NO_POLICY), "no-policy-found");
    assert_string_equal(tlsrpt_policy_name(TLSRPT_STS), "sts");
    assert_string_equal(tlsrpt_policy_name(TLSRPT_TLSA), "tlsa");
}

/* RFC 8460 §4.3; the numbers are in tls.db and must not change. */
static void results(void **state)
{
    static const char *const words[] = {
        "success",
        "starttls-not-supported",    /* §4.3.1 */
        "certificate-host-mismatch", /* §4.3.1 */
        "certificate-expired",       /* §4.3.1 */
        "certificate-not-trusted",   /* §4.3.1 */
        "validation-failure",        /* §4.3.1 */
        "tlsa-invalid",              /* §4.3.2.1 */
        "dnssec-invalid",            /* §4.3.2.1 */
        "dane-required",             /* §4.3.2.1 */
        "sts-policy-fetch-error",    /* §4.3.2.2 */
        "sts-policy-invalid",        /* §4.3.2.2 */
        "sts-webpki-invalid",        /* §4.3.2.2 */
    };
    assert_int_equal(sizeof words / sizeof *words, TLSRPT_RESULTS);
    for (int i = 0; i < TLSRPT_RESULTS; i++) {
        assert_string_equal(tlsrpt_result_name((enum tlsrpt_result)i), words[i]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(words[i], words[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(policies), cmocka_unit_test(results)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
