/* fmt/scram: the conversations of RFC 5802 §5 and RFC 7677 §3, the gs2 header, names, extensions, broken
 * messages. */
#include "fmt/scram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void assert_str(str got, str want)
{
    assert_int_equal(got.n, want.n);
    if (want.n > 0)
        assert_memory_equal(got.p, want.p, want.n);
}

/* RFC 5802 §5 */
static void example_messages(void **state)
{
    struct scram_client_first cf;
    assert_int_equal(scram_client_first_parse(S("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), &cf), RC_OK);
    assert_int_equal(cf.binding, SCRAM_BINDING_NONE);
    assert_str(cf.gs2_header, S("n,,"));
    assert_str(cf.bare, S("n=user,r=fyko+d2lbbFgONRv9qkxdawL"));
    assert_str(cf.name, S("user"));
    assert_str(cf.nonce, S("fyko+d2lbbFgONRv9qkxdawL"));
    assert_str(cf.authzid, S(""));

    struct scram_server_first sf;
    str server_first = S("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    assert_int_equal(scram_server_first_parse(server_first, &sf), RC_OK);
    assert_str(sf.nonce, S("fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"));
    assert_str(sf.salt, S("QSXCR+Q6sek8bf92"));
    assert_int_equal(sf.iterations, 4096);

    struct scram_client_final fin;
    assert_int_equal(scram_client_final_parse(S("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                                                "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="),
                                              &fin),
                     RC_OK);
    assert_str(fin.binding, S("biws"));
    assert_str(fin.nonce, sf.nonce);
    assert_str(fin.without_proof, S("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"));
    assert_str(fin.proof, S("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));

    struct scram_server_final sfin;
    assert_int_equal(scram_server_final_parse(S("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), &sfin), RC_OK);
    assert_str(sfin.verifier, S("rmF9pqV8S7suAoZWja4dJRkFsKQ="));
    assert_int_equal(scram_server_final_parse(S("e=invalid-proof"), &sfin), RC_OK);
    assert_str(sfin.error, S("invalid-proof"));
}

static void example_written(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    struct scram_client_first cf = {
        .binding = SCRAM_BINDING_NONE, .name = S("user"), .nonce = S("rOprNGfwEbeRWgbNEkqO")};
    scram_client_first_put(&b, &cf);
    assert_str(buf_str(&b), S("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")); /* RFC 7677 §3 */
    buf_reset(&b);
    cf = (struct scram_client_first){.binding = SCRAM_BINDING_USED,
                                     .binding_type = S("tls-exporter"),
                                     .authzid = S("a,b"),
                                     .name = S("x=y"),
                                     .nonce = S("N")};
    scram_client_first_put(&b, &cf);
    assert_str(buf_str(&b), S("p=tls-exporter,a=a=2Cb,n=x=3Dy,r=N"));
    buf_reset(&b);
    scram_server_first_put(&b, S("rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
                           S("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81"), 4096);
    assert_str(buf_str(&b),
               S("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
    buf_reset(&b);
    scram_client_final_put(&b, S("n,,"), S("abc"));
    scram_proof_put(&b, S("xyz"));
    assert_str(buf_str(&b), S("c=biws,r=abc,p=eHl6"));
    buf_reset(&b);
    scram_server_final_put(&b, S("xyz"));
    scram_server_error_put(&b, S("other-error"));
    assert_str(buf_str(&b), S("v=eHl6e=other-error"));
    buf_reset(&b);
    scram_put_auth_message(&b, S("n=u,r=c"), S("r=cs,s=AA==,i=1"), S("c=biws,r=cs"));
    assert_str(buf_str(&b), S("n=u,r=c,r=cs,s=AA==,i=1,c=biws,r=cs"));
}

static void client_first_forms(void **state)
{
    static const struct {
        str in;
        enum rc rc;
    } rows[] = {
        {S("y,,n=user,r=abc"), RC_OK},
        {S("p=tls-server-end-point,,n=user,r=abc"), RC_OK},
        {S("n,a=admin,n=user,r=abc"), RC_OK},
        {S("n,,n=user,r=abc,x=extension"), RC_OK},
        {S("n,,n=us=2Cer,r=abc"), RC_OK},
        {S("n,,m=ext,n=user,r=abc"), RC_PERM}, /* mandatory extension */
        {S(""), RC_INVALID},
        {S("n"), RC_INVALID},
        {S("n,"), RC_INVALID},
        {S("n,,"), RC_INVALID},
        {S("N,,n=user,r=abc"), RC_INVALID},
        {S("F,n,,n=user,r=abc"), RC_INVALID},
        {S("p,,n=user,r=abc"), RC_INVALID},
        {S("p=,,n=user,r=abc"), RC_INVALID},
        {S("p=tls exporter,,n=user,r=abc"), RC_INVALID},
        {S("n,admin,n=user,r=abc"), RC_INVALID},
        {S("n,a=,n=user,r=abc"), RC_INVALID},
        {S("n,,n=,r=abc"), RC_INVALID},
        {S("n,,n=user,r="), RC_INVALID},
        {S("n,,n=user"), RC_INVALID},
        {S("n,,r=abc,n=user"), RC_INVALID},
        {S("n,,n=user,r=a c"), RC_INVALID},
        {S("n,,n=us\0er,r=abc"), RC_INVALID},
        {S("n,,n=\xff,r=abc"), RC_INVALID},
        {S("n,,n=user,r=abc,"), RC_INVALID},
        {S("n,,n=user,r=abc,1=x"), RC_INVALID},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scram_client_first cf;
        assert_int_equal(scram_client_first_parse(rows[i].in, &cf), rows[i].rc);
    }
}

static void final_and_server_forms(void **state)
{
    static const struct {
        str in;
        enum rc rc;
    } finals[] = {
        {S("c=biws,r=abc,x=y,p=eHl6"), RC_OK},
        {S("c=biws,r=abc,m=y,p=eHl6"), RC_PERM},
        {S("c=biws,r=abc"), RC_INVALID},
        {S("c=biws,r=abc,p="), RC_INVALID},
        {S("c=biws,r=abc,p=eHl"), RC_INVALID},
        {S("r=abc,c=biws,p=eHl6"), RC_INVALID},
        {S("c=,r=abc,p=eHl6"), RC_INVALID},
        {S("c=biws,r=,p=eHl6"), RC_INVALID},
        {S("c=biws,r=abc,p=eHl6,x=y"), RC_INVALID},
        {S("p=eHl6"), RC_INVALID},
    };
    for (size_t i = 0; i < COUNT(finals); i++) {
        struct scram_client_final fin;
        assert_int_equal(scram_client_final_parse(finals[i].in, &fin), finals[i].rc);
    }
    static const struct {
        str in;
        enum rc rc;
    } firsts[] = {
        {S("r=a,s=AA==,i=1,x=y"), RC_OK},  {S("m=x,r=a,s=AA==,i=1"), RC_PERM},
        {S("r=a,s=AA==,i=0"), RC_INVALID}, {S("r=a,s=AA==,i=-1"), RC_INVALID},
        {S("r=a,s=A,i=1"), RC_INVALID},    {S("r=a,i=1,s=AA=="), RC_INVALID},
        {S("r=a,s=AA=="), RC_INVALID},     {S("r=a,s=AA==,i=99999999"), RC_LIMIT},
    };
    for (size_t i = 0; i < COUNT(firsts); i++) {
        struct scram_server_first sf;
        assert_int_equal(scram_server_first_parse(firsts[i].in, &sf), firsts[i].rc);
    }
    struct scram_server_final sfin;
    assert_int_equal(scram_server_final_parse(S("v="), &sfin), RC_INVALID);
    assert_int_equal(scram_server_final_parse(S("e="), &sfin), RC_INVALID);
    assert_int_equal(scram_server_final_parse(S("x=y"), &sfin), RC_INVALID);
}

/* Every prefix of a message is refused: nothing is taken for complete too early. */
static void prefixes(void **state)
{
    str final = S("c=biws,r=abcdef,p=eHl6");
    for (size_t n = 0; n < final.n; n++) {
        struct scram_client_final fin;
        assert_int_equal(scram_client_final_parse(str_sub(final, 0, n), &fin), RC_INVALID);
    }
}

static void limits(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(10000);
    buf_puts(&b, S("n,,n=user,r="));
    for (int i = 0; i < SCRAM_NONCE_MAX; i++)
        buf_putc(&b, 'x');
    struct scram_client_first cf;
    assert_int_equal(scram_client_first_parse(buf_str(&b), &cf), RC_OK);
    buf_putc(&b, 'x');
    assert_int_equal(scram_client_first_parse(buf_str(&b), &cf), RC_LIMIT);
}

static void names(void **state)
{
    static const struct {
        str escaped;
        enum rc rc;
        str name;
    } rows[] = {
        {S("user"), RC_OK, S("user")},   {S("a=2Cb=3Dc"), RC_OK, S("a,b=c")}, {S("=3D=2C"), RC_OK, S("=,")},
        {S("a=2c"), RC_INVALID, S("a")}, {S("a="), RC_INVALID, S("a")},       {S("a=3"), RC_INVALID, S("a")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(20), back = BUF_INIT(20);
        assert_int_equal(scram_name_decode(rows[i].escaped, &out), rows[i].rc);
        assert_str(buf_str(&out), rows[i].name);
        if (rows[i].rc != RC_OK)
            continue;
        scram_name_put(&back, buf_str(&out));
        assert_str(buf_str(&back), rows[i].escaped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_messages),
        cmocka_unit_test(example_written),
        cmocka_unit_test(client_first_forms),
        cmocka_unit_test(final_and_server_forms),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(limits),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
