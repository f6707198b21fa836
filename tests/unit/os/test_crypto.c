/* os/crypto: published vectors for each primitive; os/secret_pages: what children see. */
#include "base/enc.h"
#include "os/crypto.h"
#include "os/secret_pages.h"

#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_hex(const unsigned char *p, size_t n, const char *want)
{
    AUTO(buf_deinit) struct buf hex = BUF_INIT(200);
    enc_hex(&hex, str_mem(p, n));
    assert_string_equal(buf_cstr(&hex), want);
}

static void digests(void **state)
{
    unsigned char d[CRYPTO_DIGEST_MAX];
    crypto_digest(CRYPTO_MD5, S("abc"), d); /* RFC 1321 §A.5 */
    assert_hex(d, 16, "900150983cd24fb0d6963f7d28e17f72");
    crypto_digest(CRYPTO_SHA1, S("abc"), d); /* RFC 3174 §7.3 */
    assert_hex(d, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    crypto_digest2(CRYPTO_SHA256, S("a"), S("bc"), d); /* RFC 6234 §8.5 */
    assert_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_digest(CRYPTO_SHA512, STR_NONE, d);
    assert_hex(d, 64,
               "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
               "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
}

static void hmac(void **state)
{
    unsigned char d[CRYPTO_DIGEST_MAX];
    crypto_hmac(CRYPTO_SHA256, S("Jefe"), S("what do ya want for nothing?"), d); /* RFC 4231 §4.3 */
    assert_hex(d, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto_hmac(CRYPTO_SHA1, S("Jefe"), S("what do ya want for nothing?"), d); /* RFC 2202 §3 */
    assert_hex(d, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    crypto_hmac(CRYPTO_SHA256, STR_NONE, STR_NONE, d);
    assert_hex(d, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 8439 §2.5: of nothing it is s. Each bit counts. */
static void sum(void **state)
{
    const uint64_t key[2] = {0x8c4f0bd1e3a27785, 0x1122334455667788}, other[2] = {key[0] ^ 16, key[1]};
    char text[100] = "what strangers send";
    assert_true(crypto_sum(key, STR_NONE, STR_NONE) == key[0]);
    uint64_t whole = crypto_sum(key, str_mem(text, sizeof text), STR_NONE);
    assert_true(crypto_sum(key, str_mem(text, sizeof text), STR_NONE) == whole);
    assert_true(crypto_sum(key, str_mem(text, 5), str_mem(text + 5, sizeof text - 5)) == whole);
    assert_true(crypto_sum(other, str_mem(text, sizeof text), STR_NONE) != whole);
    assert_true(crypto_sum(key, str_mem(text, sizeof text - 1), STR_NONE) != whole);
    for (size_t i = 0; i < 8 * sizeof text; i++) {
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        assert_true(crypto_sum(key, str_mem(text, sizeof text), STR_NONE) != whole);
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
    }
}

static void pbkdf2(void **state)
{
    unsigned char d[CRYPTO_DIGEST_MAX];
    crypto_pbkdf2(CRYPTO_SHA1, S("password"), S("salt"), 4096, d, 20); /* RFC 6070 §2 */
    assert_hex(d, 20, "4b007901b765489abead49d926f721d065a429c1");
    crypto_pbkdf2(CRYPTO_SHA256, S("passwd"), S("salt"), 1, d, 64); /* RFC 7914 §11 */
    assert_hex(d, 64,
               "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
               "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

static void random_differs(void **state)
{
    unsigned char a[32] = {0}, b[32] = {0};
    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* A child that touches the parent's secret dies of it: the page is not there. */
static void secrets_stay_home(void **state)
{
    volatile char *p = secret_pages_new(4096);
    p[0] = 'x';
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fds[2];
        if (pipe(fds) != 0)
            _exit(3);
        /* the kernel answers EFAULT for a page that is not mapped */
        _exit(write(fds[1], (const void *)p, 1) == 1 ? 1 : 0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(p[0], 'x');
    assert_null(secret_pages_free((void *)p, 4096));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests), cmocka_unit_test(hmac),           cmocka_unit_test(sum),
        cmocka_unit_test(pbkdf2),  cmocka_unit_test(random_differs), cmocka_unit_test(secrets_stay_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
