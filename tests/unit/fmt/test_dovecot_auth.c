/* fmt/dovecot_auth: lines as Postfix, Exim and Dovecot send them, the escapes, and what is no line of the
 * protocol. */
#include "fmt/dovecot_auth.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void requests(void **state)
{
    static const struct {
        str line;
        struct dovecot_auth_request want;
    } rows[] = {
        {S("VERSION\t1\t2"), {.verb = DOVECOT_AUTH_VERSION, .major = 1}},
        {S("VERSION\t1\t0\tmore"), {.verb = DOVECOT_AUTH_VERSION, .major = 1}},
        {S("CPID\t4711"), {.verb = DOVECOT_AUTH_CPID, .id = 4711}},
        /* Postfix 3.7 */
        {S("AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=192.0.2.7\tsecured\tresp="
           "AGpvZQBzZWNyZXQ="),
         {.verb = DOVECOT_AUTH_AUTH,
          .id = 1,
          .name = S("PLAIN"),
          .service = S("smtp"),
          .client_ip = S("192.0.2.7"),
          .has_response = true,
          .response = S("AGpvZQBzZWNyZXQ=")}},
        {S("AUTH\t4294967295\tLOGIN\tservice=smtp"),
         {.verb = DOVECOT_AUTH_AUTH, .id = UINT32_MAX, .name = S("LOGIN"), .service = S("smtp")}},
        /* Exim when its client sent no initial response */
        {S("AUTH\t2\tLOGIN\tservice=smtp\tsecured\tfinal-resp-ok\trip=::1\tresp="),
         {.verb = DOVECOT_AUTH_AUTH,
          .id = 2,
          .name = S("LOGIN"),
          .service = S("smtp"),
          .client_ip = S("::1"),
          .takes_final_data = true,
          .has_response = true}},
        {S("AUTH\t3\tPLAIN\tservice=a\001tb\0011\tsession=x=y\tservic=z"),
         {.verb = DOVECOT_AUTH_AUTH,
          .id = 3,
          .name = S("PLAIN"),
          .service = S("a\tb\001"),
          .session = S("x=y")}},
        {S("CONT\t7\tc2VjcmV0"),
         {.verb = DOVECOT_AUTH_CONT, .id = 7, .has_response = true, .response = S("c2VjcmV0")}},
        {S("CONT\t7\t"), {.verb = DOVECOT_AUTH_CONT, .id = 7, .has_response = true}},
        {S("CONT\t7"), {.verb = DOVECOT_AUTH_CONT, .id = 7, .has_response = true}},
        {S("CANCEL\t7"), {.verb = DOVECOT_AUTH_CANCEL, .id = 7}},
        {S("USER\t1\tjoe@malle.test\tservice=lmtp"),
         {.verb = DOVECOT_AUTH_USER, .id = 1, .name = S("joe@malle.test"), .service = S("lmtp")}},
        {S("PASS\t2\tj\001noe"), {.verb = DOVECOT_AUTH_PASS, .id = 2, .name = S("j\noe")}},
        {S("LIST\t3\tuser=*\tservice=doveadm"),
         {.verb = DOVECOT_AUTH_LIST, .id = 3, .service = S("doveadm")}},
        {S("CACHE-FLUSH\t1"), {.verb = DOVECOT_AUTH_OTHER}},
        {S("auth\t1"), {.verb = DOVECOT_AUTH_OTHER}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1000);
        struct dovecot_auth_request r;
        const struct dovecot_auth_request *want = &rows[i].want;
        assert_int_equal(dovecot_auth_parse_request(rows[i].line, a, &r), RC_OK);
        assert_int_equal(r.verb, want->verb);
        assert_int_equal(r.major, want->major);
        assert_int_equal(r.id, want->id);
        assert_true(str_eq(r.name, want->name) && str_eq(r.service, want->service));
        assert_true(str_eq(r.client_ip, want->client_ip) && str_eq(r.session, want->session));
        assert_true(r.has_response == want->has_response && str_eq(r.response, want->response));
        assert_int_equal(r.takes_final_data, want->takes_final_data);
    }
}

static void malformed_requests(void **state)
{
    static const str rows[] = {
        S(""),
        S("\t1"),
        S("VERSION"),
        S("VERSION\t1"),
        S("VERSION\tone\t2"),
        S("VERSION\t1\t"),
        S("CPID"),
        S("CPID\t"),
        S("CPID\t-1"),
        S("AUTH\t4294967296\tPLAIN"),
        S("AUTH\t1"),
        S("AUTH\t1\t"),
        S("AUTH\tPLAIN\t1"),
        S("AUTH\t1\tPLAIN\tservice=x\001"),
        S("AUTH\t1\tPLAIN\tservice=x\0010"),
        S("CONT\tx\tabc"),
        S("CANCEL"),
        S("USER\t1"),
        S("USER\t1\tjoe\0010"),
        S("USER\t1\tjo\0e"),
        S("OTHER\0"),
        S("LIST\t"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1000);
        struct dovecot_auth_request r;
        assert_int_equal(dovecot_auth_parse_request(rows[i], a, &r), RC_INVALID);
    }
    AUTO(arena_freep) struct arena *small = arena_new(16);
    struct dovecot_auth_request r;
    assert_int_equal(dovecot_auth_parse_request(S("USER\t1\tjoe-who-needs-more-room"), small, &r), RC_LIMIT);
}

static void replies(void **state)
{
    static const struct {
        str line;
        struct dovecot_auth_reply want;
    } rows[] = {
        {S("VERSION\t1\t2"), {.answer = DOVECOT_AUTH_HAS_VERSION, .major = 1}},
        {S("MECH\tPLAIN\tplaintext"),
         {.answer = DOVECOT_AUTH_HAS_MECHANISM, .name = S("PLAIN"), .plaintext = true}},
        {S("MECH\tSCRAM-SHA-256\tmutual-auth"),
         {.answer = DOVECOT_AUTH_HAS_MECHANISM, .name = S("SCRAM-SHA-256")}},
        {S("MECH\tANONYMOUS\tanonymous"),
         {.answer = DOVECOT_AUTH_HAS_MECHANISM, .name = S("ANONYMOUS"), .hidden = true}},
        {S("MECH\tDOVECOT-TOKEN\tprivate\tplaintext"),
         {.answer = DOVECOT_AUTH_HAS_MECHANISM,
          .name = S("DOVECOT-TOKEN"),
          .hidden = true,
          .plaintext = true}},
        {S("SPID\t12"), {.answer = DOVECOT_AUTH_OTHER_ANSWER}},
        {S("CUID\t1"), {.answer = DOVECOT_AUTH_OTHER_ANSWER}},
        {S("COOKIE\t0123456789abcdef0123456789abcdef"), {.answer = DOVECOT_AUTH_OTHER_ANSWER}},
        {S("DONE"), {.answer = DOVECOT_AUTH_HELLO_DONE}},
        {S("OK\t1\tuser=joe@malle.test\tnologin"),
         {.answer = DOVECOT_AUTH_OK, .id = 1, .user = S("joe@malle.test")}},
        {S("CONT\t1\tUGFzc3dvcmQ6"),
         {.answer = DOVECOT_AUTH_CHALLENGE, .id = 1, .challenge = S("UGFzc3dvcmQ6")}},
        {S("CONT\t1\t"), {.answer = DOVECOT_AUTH_CHALLENGE, .id = 1}},
        {S("FAIL\t1\tuser=joe"), {.answer = DOVECOT_AUTH_FAIL, .id = 1, .user = S("joe")}},
        {S("FAIL\t1\tuser=j\001toe\ttemp\treason=a b"),
         {.answer = DOVECOT_AUTH_FAIL, .id = 1, .user = S("j\toe"), .temporary = true, .reason = S("a b")}},
        {S("FAIL\t9\tcode=temp_fail"), {.answer = DOVECOT_AUTH_FAIL, .id = 9, .temporary = true}},
        {S("FAIL\t9\tcode=user_disabled"), {.answer = DOVECOT_AUTH_FAIL, .id = 9}},
        {S("NOTFOUND\t1"), {.answer = DOVECOT_AUTH_NOT_FOUND, .id = 1}},
        {S("USER\t1\tjoe\tquota_rule=*:bytes=5\tquota_rule2=x:ignore"),
         {.answer = DOVECOT_AUTH_FOUND, .id = 1, .user = S("joe"), .quota_rule = S("*:bytes=5")}},
        {S("USER\t1\tjoe"), {.answer = DOVECOT_AUTH_FOUND, .id = 1, .user = S("joe")}},
        {S("USER\t1\tjoe\tuid=5\thome=/h"),
         {.answer = DOVECOT_AUTH_FOUND, .id = 1, .user = S("joe"), .uid = 5, .home = S("/h")}},
        {S("USER\t3\tj\001te\tsystem_groups_user=joe\tuid=1000\tgid=1001\thome=/home/j=e\tmail=maildir:~/M"),
         {.answer = DOVECOT_AUTH_FOUND,
          .id = 3,
          .user = S("j\te"),
          .has_ids = true,
          .uid = 1000,
          .gid = 1001,
          .home = S("/home/j=e"),
          .mail = S("maildir:~/M")}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1000);
        struct dovecot_auth_reply r;
        const struct dovecot_auth_reply *want = &rows[i].want;
        assert_int_equal(dovecot_auth_parse_reply(rows[i].line, a, &r), RC_OK);
        assert_int_equal(r.answer, want->answer);
        assert_true(r.major == want->major && r.id == want->id && str_eq(r.name, want->name));
        assert_true(r.plaintext == want->plaintext && r.hidden == want->hidden);
        assert_true(str_eq(r.challenge, want->challenge) && str_eq(r.user, want->user));
        assert_true(str_eq(r.reason, want->reason) && r.temporary == want->temporary);
        assert_true(r.has_ids == want->has_ids && r.uid == want->uid && r.gid == want->gid);
        assert_true(str_eq(r.home, want->home) && str_eq(r.mail, want->mail));
        assert_true(str_eq(r.quota_rule, want->quota_rule));
    }
}

static void malformed_replies(void **state)
{
    static const str rows[] = {S("OK"),           S("OK\tuser=joe"), S("OK\t1\tuser=joe\0010"),
                               S("FAIL\t"),       S("CONT"),         S("VERSION\tx\t1"),
                               S("MECH\tA\001"),  S("DONE\0"),       S("FAIL\t1\treason=\001"),
                               S("USER\t1"),      S("USER\t1\t"),    S("USER\t1\tjoe\tuid=-1"),
                               S("USER\tx\tjoe"), S("NOTFOUND"),     S("USER\t1\tjoe\thome=/\0010")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(arena_freep) struct arena *a = arena_new(1000);
        struct dovecot_auth_reply r;
        assert_int_equal(dovecot_auth_parse_reply(rows[i], a, &r), RC_INVALID);
    }
}

/* What is written is one line, and reads as it was meant. */
static void written(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    AUTO(arena_freep) struct arena *a = arena_new(1000);
    struct dovecot_auth_request r;
    const str odd = S("a\tb\nc\rd\001e=f");
    dovecot_auth_begin(&b, S("USER"));
    dovecot_auth_put_number(&b, UINT32_MAX);
    dovecot_auth_put(&b, odd);
    dovecot_auth_put_value(&b, S("service"), odd);
    dovecot_auth_end(&b);
    assert_true(
        str_eq(buf_str(&b),
               S("USER\t4294967295\ta\001tb\001nc\001rd\0011e=f\tservice=a\001tb\001nc\001rd\0011e=f\n")));
    assert_int_equal(dovecot_auth_parse_request(str_sub(buf_str(&b), 0, b.n - 1), a, &r), RC_OK);
    assert_true(r.id == UINT32_MAX && str_eq(r.name, odd) && str_eq(r.service, odd));
    buf_reset(&b);
    dovecot_auth_put(&b, S("a\0b"));
    assert_true(str_eq(buf_str(&b), S("\ta\0010b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests), cmocka_unit_test(malformed_requests),
                                       cmocka_unit_test(replies), cmocka_unit_test(malformed_replies),
                                       cmocka_unit_test(written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
