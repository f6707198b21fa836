/* base/enc: the vectors of RFC 4648 §10, every length, and every malformed shape. */
#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *plain, *base64, *hex;
} vectors[] = {
    /* RFC 4648 §10 */
    {"", "", ""},
    {"f", "Zg==", "66"},
    {"fo", "Zm8=", "666f"},
    {"foo", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "666f6f62"},
    {"fooba", "Zm9vYmE=", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "666f6f626172"},
    {"\xff\xfe\xfd", "//79", "fffefd"},
    {"\xfb\xf0", "+/A=", "fbf0"},
};

static void rfc4648_vectors(void **state)
{
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buf b = BUF_INIT(100);
        enc_base64(&b, str_c(vectors[i].plain));
        assert_string_equal(buf_cstr(&b), vectors[i].base64);
        buf_reset(&b);
        assert_int_equal(enc_base64_decode(&b, str_c(vectors[i].base64)), RC_OK);
        assert_string_equal(buf_cstr(&b), vectors[i].plain);
        buf_reset(&b);
        enc_hex(&b, str_c(vectors[i].plain));
        assert_string_equal(buf_cstr(&b), vectors[i].hex);
        buf_reset(&b);
        assert_int_equal(enc_hex_decode(&b, str_c(vectors[i].hex)), RC_OK);
        assert_string_equal(buf_cstr(&b), vectors[i].plain);
        buf_deinit(&b);
    }
}

static void every_length(void **state)
{
    char data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    for (size_t n = 0; n <= sizeof data; n++) {
        struct buf text = BUF_INIT(1000), back = BUF_INIT(n); /* the exact room is enough */
        enc_base64(&text, str_mem(data, n));
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_int_equal(enc_base64_decode(&back, buf_str(&text)), RC_OK);
        assert_true(str_eq(buf_str(&back), str_mem(data, n)));
        buf_reset(&text);
        buf_reset(&back);
        enc_hex(&text, str_mem(data, n));
        assert_int_equal(enc_hex_decode(&back, buf_str(&text)), RC_OK);
        assert_true(str_eq(buf_str(&back), str_mem(data, n)));
        buf_deinit(&text);
        buf_deinit(&back);
    }
}

static void malformed_base64(void **state)
{
    static const char *const rows[] = {
        "Z",
        "Zg",
        "Zg=",
        "====",
        "=g==",
        "Z===",
        "Zg==Zg==",
        "Zm9=",
        "Zh==",
        "Zm9v\n",
        "Zm9v Zm9v",
        "Zm\r\n",
        "Zm-_",
        "Zm9v====",
        "Z=9v",
        "Zm=v",
        "Zm9v=AAA",
        "*",
        "\xc3\xa9==",
        "Zg=\n",
        "Zm9vZm9!v",
        "AAAA\x80"
        "AAA",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(100);
        buf_puts(&b, S("kept"));
        assert_int_equal(enc_base64_decode(&b, str_c(rows[i])), RC_INVALID);
        assert_string_equal(buf_cstr(&b), "kept");
        assert_int_equal(b.n, 4);
        buf_deinit(&b);
    }
    struct buf b = BUF_INIT(100);
    assert_int_equal(enc_base64_decode(&b, str_mem("AA\0A", 4)), RC_INVALID);
    buf_deinit(&b);
}

/* Each of the 256 bytes at each place of a group is taken exactly when it is in the alphabet. */
static void alphabet(void **state)
{
    for (size_t at = 0; at < 4; at++) {
        for (unsigned c = 1; c < 256; c++) {
            char in[] = "AAAAAAAA";
            in[at] = (char)c;
            struct buf b = BUF_INIT(100);
            bool legal = c < 0x80 && (ascii_alnum((char)c) || c == '+' || c == '/');
            assert_int_equal(enc_base64_decode(&b, str_c(in)), legal ? RC_OK : RC_INVALID);
            buf_deinit(&b);
        }
    }
}

static void hex_forms(void **state)
{
    static const struct {
        const char *in;
        enum rc rc;
    } rows[] = {{"0aF9", RC_OK},    {"0", RC_INVALID},  {"0g", RC_INVALID},  {"g0", RC_INVALID},
                {"0x", RC_INVALID}, {" 0", RC_INVALID}, {"00:0", RC_INVALID}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF_INIT(100);
        buf_puts(&b, S("kept"));
        assert_int_equal(enc_hex_decode(&b, str_c(rows[i].in)), rows[i].rc);
        assert_string_equal(buf_cstr(&b), rows[i].rc == RC_OK ? "kept\x0a\xf9" : "kept");
        buf_deinit(&b);
    }
}

static void limits(void **state)
{
    struct buf b = BUF_INIT(5);
    assert_int_equal(enc_base64_decode(&b, S("Zm9vYmFy")), RC_LIMIT);
    assert_int_equal(b.n, 0);
    assert_true(b.overflow);
    buf_reset(&b);
    assert_int_equal(enc_hex_decode(&b, S("666f6f626172")), RC_LIMIT);
    buf_reset(&b);
    enc_base64(&b, S("foob"));
    assert_true(b.overflow);
    assert_int_equal(b.n, 0);
    buf_reset(&b);
    enc_hex(&b, S("foo"));
    assert_true(b.overflow);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4648_vectors), cmocka_unit_test(every_length), cmocka_unit_test(malformed_base64),
        cmocka_unit_test(alphabet),        cmocka_unit_test(hex_forms),    cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
