/* A client that logs in: each mechanism against a script or the server's own codecs, their order, what is not
 * sent. */
#include "account/scram_keys.h"
#include "base/enc.h"
#include "fmt/scram.h"
#include "scripted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <sys/socket.h>

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    arena = arena_free(arena);
    return 0;
}

static enum rc open_with(const struct smtp_client_auth *auth, const struct script_step *steps, size_t n,
                         struct smtp_client_failure *ret)
{
    struct scripted server = {0};
    struct smtp_client *c = NULL;
    struct smtp_client_params p = scripted_params;
    p.auth = auth;
    arena_reset(arena);
    enum rc rc = smtp_client_open(&p, scripted_begin(&server, steps, n), arena, &c, ret);
    if (rc == RC_OK)
        smtp_client_quit(c);
    scripted_end(&server);
    scripted_free(&server);
    return rc;
}
#define OPEN(auth, steps, ret) open_with((auth), (steps), sizeof(steps) / sizeof *(steps), (ret))

static const struct smtp_client_auth tim = {
    .user = {"tim", 3}, .password = {"tanstaaftanstaaf", 16}, .allow_plaintext = true};

static void plain_and_login(void **state)
{
    static const struct script_step plain[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH LOGIN PLAIN\r\n"},
        {"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "235 2.7.0 ok\r\n"}, /* RFC 4616 §4 */
        {"QUIT", "221 bye\r\n"},
    };
    static const struct script_step login[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH LOGIN PLAIN\r\n"},
        {"AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"},
        {"dGlt", "334 UGFzc3dvcmQ6\r\n"},
        {"dGFuc3RhYWZ0YW5zdGFhZg==", "235 2.7.0 ok\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    struct smtp_client_failure f;
    assert_int_equal(OPEN(&tim, plain, &f), RC_OK);
    struct smtp_client_auth a = tim;
    a.mechanisms = EHLO_AUTH_LOGIN;
    assert_int_equal(OPEN(&a, login, &f), RC_OK);
}

static void xoauth2(void **state)
{
    static const struct script_step good[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH PLAIN XOAUTH2\r\n"},
        {"AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdG9rZW4BAQ==", "235 ok\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    static const struct script_step bad[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH PLAIN XOAUTH2\r\n"},
        {"AUTH XOAUTH2 *", "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n"},
        {"", "535 5.7.8 token expired\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    struct smtp_client_failure f;
    struct smtp_client_auth a = {.user = S("tim"), .token = S("token"), .allow_plaintext = true};
    assert_int_equal(OPEN(&a, good, &f), RC_OK);
    assert_int_equal(OPEN(&a, bad, &f), RC_TEMP);
    assert_int_equal(f.outcome.code, 535);
}

static void refusals_wait_for_an_administrator(void **state)
{
    static const struct script_step wrong[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"},
        {"AUTH PLAIN *", "535 5.7.8 bad password\r\n"},
        {"QUIT", NULL}, /* no other mechanism: that would be a second wrong password */
    };
    struct smtp_client_failure f;
    assert_int_equal(OPEN(&tim, wrong, &f), RC_TEMP);
    assert_int_equal(f.outcome.phase, SMTP_PHASE_AUTH);
    assert_string_equal(f.outcome.enhanced, "4.7.8");
    assert_true(str_eq(f.outcome.text, S("SASL authentication failed; server mx.example[192.0.2.1] said: 535 "
                                         "5.7.8 bad password")));
    static const struct script_step weak[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"},
        {"AUTH PLAIN *", "504 5.5.4 not that one\r\n"},
        {"AUTH LOGIN", "334 \r\n"},
        {"dGlt", "334 \r\n"},
        {"dGFuc3RhYWZ0YW5zdGFhZg==", "235 ok\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    assert_int_equal(OPEN(&tim, weak, &f), RC_OK);
    static const struct script_step none[] = {{NULL, "220 mx\r\n"}, {"EHLO *", "250 mx\r\n"}, {"QUIT", NULL}};
    assert_int_equal(OPEN(&tim, none, &f), RC_TEMP);
    assert_true(str_ends(f.outcome.text, S("offers no authentication")));
}

static void passwords_are_not_sent_in_clear(void **state)
{
    static const struct script_step steps[] = {
        {NULL, "220 mx\r\n"}, {"EHLO *", "250-mx\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n"}, {"QUIT", NULL}};
    struct smtp_client_failure f;
    struct smtp_client_auth a = tim;
    a.allow_plaintext = false;
    a.token = S("token");
    assert_int_equal(OPEN(&a, steps, &f), RC_TEMP);
    assert_true(str_ends(f.outcome.text, S("offers no mechanism that may be used")));
}

static void endless_challenges_end(void **state)
{
    static const struct script_step steps[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO *", "250-mx\r\n250 AUTH LOGIN\r\n"},
        {"AUTH LOGIN", "334 \r\n"},
        {"dGlt", "334 \r\n"},
        {"dGFuc3RhYWZ0YW5zdGFhZg==", "334 \r\n"},
        {"\x2a", "334 \r\n"},
        {"\x2a", "334 \r\n"},
        {"\x2a", "334 \r\n"},
        {"\x2a", "334 \r\n"},
        {"\x2a", "334 \r\n"},
        {NULL, SAY_NOTHING},
    };
    struct smtp_client_failure f;
    assert_int_equal(OPEN(&tim, steps, &f), RC_TEMP);
}

/* --- SCRAM, with a server made of its codecs --- */

struct scram_server {
    struct stream *io;
    enum crypto_hash hash;
    bool lie;      /* shows a wrong signature */
    bool no_proof; /* says 235 without one */
    bool own_nonce;
    bool proven;
    pthread_t thread;
};

static str hear(struct stream *s, struct buf *decoded)
{
    str line = STR_NONE;
    enum line_end end;
    buf_reset(decoded);
    if (stream_read_line(s, 8000, &line, &end) != RC_OK)
        return STR_NONE;
    str b64 = str_istarts(line, S("AUTH ")) ? str_from(line, (size_t)str_rchr(line, ' ') + 1) : line;
    if (enc_base64_decode(decoded, b64) != RC_OK)
        return line;
    return buf_str(decoded);
}

static void challenge(struct stream *s, str message)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(8192);
    buf_puts(&b, S("334 "));
    enc_base64(&b, message);
    buf_puts(&b, S("\r\n"));
    stream_write(s, buf_str(&b));
    (void)!stream_flush(s);
}

static void scram_dialogue(struct scram_server *v, struct buf *in, struct buf *transcript)
{
    AUTO(buf_deinit)
    struct buf nonce = BUF_INIT(1000), first_out = BUF_INIT(1000), proof = BUF_INIT(100),
               final_out = BUF_INIT(1000);
    struct scram_client_first first;
    struct scram_client_final final;
    struct scram_keys keys;
    unsigned char signature[CRYPTO_DIGEST_MAX];
    scram_keys_derive(v->hash, S("tanstaaftanstaaf"), S("saltsalt"), 4096, &keys);
    if (scram_client_first_parse(hear(v->io, in), &first) != RC_OK || first.binding != SCRAM_BINDING_NONE)
        return;
    if (!v->own_nonce)
        buf_puts(&nonce, first.nonce);
    buf_puts(&nonce, S("server"));
    scram_server_first_put(&first_out, buf_str(&nonce), S("saltsalt"), 4096);
    buf_puts(transcript, first.bare);
    challenge(v->io, buf_str(&first_out));
    if (scram_client_final_parse(hear(v->io, in), &final) != RC_OK)
        return;
    buf_putc(transcript, ',');
    buf_puts(transcript, buf_str(&first_out));
    buf_putc(transcript, ',');
    buf_puts(transcript, final.without_proof);
    if (enc_base64_decode(&proof, final.proof) != RC_OK)
        return;
    v->proven = scram_keys_check_proof(&keys, buf_str(transcript), buf_str(&proof));
    if (!v->no_proof) {
        scram_keys_sign(&keys, buf_str(transcript), signature);
        signature[0] ^= v->lie;
        scram_server_final_put(&final_out, str_mem(signature, crypto_hash_size(v->hash)));
        challenge(v->io, buf_str(&final_out));
        (void)hear(v->io, in);
    }
    stream_write(v->io, v->proven ? S("235 2.7.0 ok\r\n") : S("535 5.7.8 no\r\n"));
    (void)!stream_flush(v->io);
}

static void *scram_serve(void *arg)
{
    struct scram_server *v = arg;
    AUTO(buf_deinit) struct buf in = BUF_INIT(8192), transcript = BUF_INIT(8192);
    stream_set_deadline(v->io, clock_mono() + 5000);
    stream_write(v->io, S("220 mx\r\n"));
    (void)!stream_flush(v->io);
    (void)hear(v->io, &in);
    stream_write(v->io, v->hash == CRYPTO_SHA1 ? S("250-mx\r\n250 AUTH PLAIN SCRAM-SHA-1\r\n")
                                               : S("250-mx\r\n250 AUTH SCRAM-SHA-1 SCRAM-SHA-256 PLAIN\r\n"));
    (void)!stream_flush(v->io);
    scram_dialogue(v, &in, &transcript);
    (void)hear(v->io, &in);
    stream_freep(&v->io);
    return NULL;
}

static enum rc scram_with(struct scram_server *v, struct smtp_client_failure *f, const char *password)
{
    struct smtp_client *c = NULL;
    struct smtp_client_params p = scripted_params;
    struct smtp_client_auth a = {.user = S("tim"), .password = str_c(password)}; /* in clear is fine */
    p.auth = &a;
    p.timeouts.helo = 3000;
    arena_reset(arena);
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    v->io = stream_new(fd[1], 8192);
    assert_int_equal(pthread_create(&v->thread, NULL, scram_serve, v), 0);
    enum rc rc = smtp_client_open(&p, stream_new(fd[0], SMTP_CLIENT_IN_MAX), arena, &c, f);
    smtp_client_free(c);
    pthread_join(v->thread, NULL);
    return rc;
}

static void scram(void **state)
{
    struct smtp_client_failure f;
    enum crypto_hash hashes[] = {CRYPTO_SHA1, CRYPTO_SHA256};
    for (size_t i = 0; i < 2; i++) {
        struct scram_server v = {.hash = hashes[i]};
        assert_int_equal(scram_with(&v, &f, "tanstaaftanstaaf"), RC_OK);
        assert_true(v.proven);
        struct scram_server wrong = {.hash = hashes[i]};
        assert_int_equal(scram_with(&wrong, &f, "other"), RC_TEMP);
        assert_false(wrong.proven);
        struct scram_server liar = {.hash = hashes[i], .lie = true};
        assert_int_equal(scram_with(&liar, &f, "tanstaaftanstaaf"), RC_TEMP);
        struct scram_server bluff = {.hash = hashes[i], .no_proof = true};
        assert_int_equal(scram_with(&bluff, &f, "tanstaaftanstaaf"), RC_TEMP);
        assert_true(str_ends(f.outcome.text, S("did not prove itself")));
        struct scram_server replay = {.hash = hashes[i], .own_nonce = true};
        assert_int_equal(scram_with(&replay, &f, "tanstaaftanstaaf"), RC_TEMP);
        assert_false(replay.proven);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_login),
        cmocka_unit_test(xoauth2),
        cmocka_unit_test(refusals_wait_for_an_administrator),
        cmocka_unit_test(passwords_are_not_sent_in_clear),
        cmocka_unit_test(endless_challenges_end),
        cmocka_unit_test(scram),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
