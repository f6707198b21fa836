/* Opening a client's session: greeting, EHLO and HELO, STARTTLS under each level, what goes wrong in each
 * phase. */
#include "os/tls.h"
#include "scripted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;
static struct tls_server *server_tls;
static struct tls_client *client_tls;

static int set_up(void **state)
{
    struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);
    struct err e = {0};
    arena = arena_new(1 << 20);
    assert_int_equal(tls_self_signed(S("mx.example"), &chain, &key), RC_OK);
    struct tls_pem pem = {.chain = buf_str(&chain), .key = buf_str(&key), .name = S("test")};
    assert_int_equal(tls_server_new(&pem, 1, S("TLSv1.2"), S(""), &server_tls, &e), RC_OK);
    struct tls_client_settings set = {.no_ca = true, .min_version = S("TLSv1.2")};
    assert_int_equal(tls_client_new(&set, &client_tls, &e), RC_OK);
    buf_deinit(&chain);
    buf_deinit(&key);
    return 0;
}

static int tear_down(void **state)
{
    tls_server_unref(server_tls);
    tls_client_unref(client_tls);
    arena = arena_free(arena);
    return 0;
}

struct opened {
    enum rc rc;
    struct smtp_client_failure failure;
    struct ehlo offers;
    bool tls, usable;
};

static struct opened open_with(const struct smtp_client_params *p, const struct script_step *steps, size_t n)
{
    struct scripted server = {.tls = server_tls};
    struct opened o = {0};
    struct smtp_client *c = NULL;
    arena_reset(arena);
    o.rc = smtp_client_open(p, scripted_begin(&server, steps, n), arena, &c, &o.failure);
    if (o.rc == RC_OK) {
        o.offers = *smtp_client_offers(c);
        o.tls = smtp_client_tls_info(c) != NULL;
        o.usable = smtp_client_is_usable(c);
        smtp_client_quit(c);
    } else {
        assert_int_equal(o.failure.outcome.rc, o.rc);
        assert_true(o.failure.outcome.text.n > 0 && o.failure.outcome.enhanced[0]);
    }
    scripted_end(&server);
    scripted_free(&server);
    return o;
}
#define OPEN(p, steps) open_with((p), (steps), sizeof(steps) / sizeof *(steps))

static void text_is(const struct opened *o, const char *want)
{
    str text = o->failure.outcome.text;
    if (!str_eq(text, str_c(want)))
        fail_msg("wanted \"%s\", got \"" STR_FMT "\"", want, STR_ARG(text));
}

static struct smtp_client_params with_tls(enum smtp_client_tls level)
{
    struct smtp_client_params p = scripted_params;
    p.tls_level = level;
    p.tls = client_tls;
    p.tls_params.server_name = S("mx.example");
    return p;
}

static void ehlo_is_spoken(void **state)
{
    static const struct script_step steps[] = {
        {NULL, "220-mx.example ESMTP\r\n220 welcome\r\n"},
        {"EHLO client.example", "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    struct opened o = OPEN(&scripted_params, steps);
    assert_int_equal(o.rc, RC_OK);
    assert_int_equal(o.offers.keywords, EHLO_PIPELINING | EHLO_SIZE);
    assert_string_equal(o.offers.name, "mx.example");
    assert_true(o.usable);
    assert_false(o.tls);
    struct smtp_client_params p = scripted_params;
    p.ignore_keywords = EHLO_PIPELINING;
    assert_int_equal(OPEN(&p, steps).offers.keywords, EHLO_SIZE);
}

static void helo_and_lhlo_are_spoken(void **state)
{
    static const struct script_step old[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO client.example", "502-5.5.1 unknown\r\n502 STARTTLS\r\n"},
        {"HELO client.example", "250-mx\r\n250 PIPELINING\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    struct opened o = OPEN(&scripted_params, old);
    assert_int_equal(o.rc, RC_OK);
    assert_int_equal(o.offers.keywords, 0);

    static const struct script_step lmtp[] = {
        {NULL, "220 mx\r\n"},
        {"LHLO client.example", "500 no\r\n"},
        {"QUIT", NULL},
    };
    struct smtp_client_params p = scripted_params;
    p.lmtp = true;
    o = OPEN(&p, lmtp);
    assert_int_equal(o.rc, RC_PERM);
    assert_int_equal(o.failure.outcome.phase, SMTP_PHASE_EHLO);
    text_is(&o, "host mx.example[192.0.2.1] refused to talk to me: 500 no");
}

static void refusals_have_their_code(void **state)
{
    static const struct {
        const char *greeting;
        enum rc rc;
        int code;
        const char *enhanced;
    } cases[] = {
        {"421 4.3.2 busy\r\n", RC_TEMP, 421, "4.3.2"},    {"451 later\r\n", RC_TEMP, 451, "4.0.0"},
        {"554 5.7.1 go away\r\n", RC_PERM, 554, "5.7.1"}, {"521 no mail here\r\n", RC_PERM, 521, "5.0.0"},
        {"250 hello\r\n", RC_TEMP, 250, "4.0.0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script_step steps[] = {{NULL, cases[i].greeting}, {NULL, SAY_NOTHING}};
        struct opened o = OPEN(&scripted_params, steps);
        assert_int_equal(o.rc, cases[i].rc);
        assert_int_equal(o.failure.outcome.code, cases[i].code);
        assert_int_equal(o.failure.outcome.phase, SMTP_PHASE_GREETING);
        assert_string_equal(o.failure.outcome.enhanced, cases[i].enhanced);
    }
    static const struct script_step ehlo[] = {{NULL, "220 mx\r\n"},
                                              {"EHLO *", "550 5.7.1 no\r\n"},
                                              {"HELO *", "550 5.7.1 still no\r\n"},
                                              {"QUIT", NULL}};
    struct opened o = OPEN(&scripted_params, ehlo);
    assert_int_equal(o.rc, RC_PERM);
    text_is(&o, "host mx.example[192.0.2.1] refused to talk to me: 550 5.7.1 still no");
    assert_true(str_eq(o.failure.outcome.said, S("550 5.7.1 still no")));
}

static void lost_connections_are_told(void **state)
{
    static const struct script_step greeting[] = {{NULL, SAY_CLOSE}};
    struct opened o = OPEN(&scripted_params, greeting);
    assert_int_equal(o.rc, RC_TEMP);
    assert_string_equal(o.failure.outcome.enhanced, "4.4.2");
    assert_int_equal(o.failure.outcome.code, 0);
    text_is(&o, "lost connection with mx.example[192.0.2.1] while receiving the initial server greeting");

    static const struct script_step ehlo[] = {{NULL, "220 mx\r\n"}, {"EHLO *", SAY_CLOSE}};
    o = OPEN(&scripted_params, ehlo);
    text_is(&o, "lost connection with mx.example[192.0.2.1] while performing the EHLO handshake");

    static const struct script_step silence[] = {{NULL, SAY_NOTHING}};
    o = OPEN(&scripted_params, silence);
    text_is(&o,
            "conversation with mx.example[192.0.2.1] timed out while receiving the initial server greeting");

    static const struct script_step garbage[] = {{NULL, "SSH-2.0-x\r\n"}, {NULL, SAY_NOTHING}};
    o = OPEN(&scripted_params, garbage);
    assert_int_equal(o.rc, RC_TEMP);
    text_is(&o,
            "protocol error: host mx.example[192.0.2.1] sent what is no reply while receiving the initial "
            "server greeting: SSH-2.0-x");
}

/* Progress does not extend the time for a reply. */
static void a_dripping_server_runs_out_of_time(void **state)
{
    static const struct script_step steps[] = {{NULL, "220 mx\r\n"}, {"EHLO *", SAY_DRIP}};
    msec before = clock_mono();
    struct opened o = OPEN(&scripted_params, steps);
    assert_int_equal(o.rc, RC_TEMP);
    assert_true(clock_mono() - before < 3000);
    text_is(&o, "conversation with mx.example[192.0.2.1] timed out while performing the EHLO handshake");
}

static void the_whole_deadline_counts(void **state)
{
    static const struct script_step steps[] = {{NULL, SAY_NOTHING}};
    struct smtp_client_params p = scripted_params;
    p.timeouts.greeting = 600000;
    p.deadline = clock_mono() + 100;
    assert_int_equal(OPEN(&p, steps).rc, RC_TEMP);
}

static void starttls_is_used_where_offered(void **state)
{
    static const struct script_step steps[] = {
        {NULL, "220 mx\r\n"},
        {"EHLO client.example", "250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"},
        {"STARTTLS", "220 go\r\n"},
        {NULL, SAY_TLS},
        {"EHLO client.example", "250-mx\r\n250 PIPELINING\r\n"},
        {"QUIT", "221 bye\r\n"},
    };
    enum smtp_client_tls levels[] = {SMTP_TLS_MAY, SMTP_TLS_ENCRYPT};
    for (size_t i = 0; i < 2; i++) {
        struct smtp_client_params p = with_tls(levels[i]);
        struct opened o = OPEN(&p, steps);
        assert_int_equal(o.rc, RC_OK);
        assert_true(o.tls && o.usable);
        assert_int_equal(o.offers.keywords, EHLO_PIPELINING); /* what was offered in clear is forgotten */
    }
    static const struct script_step clear[] = {
        {NULL, "220 mx\r\n"}, {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"}, {"QUIT", "221 bye\r\n"}};
    struct smtp_client_params p = with_tls(SMTP_TLS_NONE);
    assert_false(OPEN(&p, clear).tls);
}

static void tls_from_the_start(void **state)
{
    static const struct script_step steps[] = {
        {NULL, SAY_TLS}, {NULL, "220 mx\r\n"}, {"EHLO *", "250 mx\r\n"}, {"QUIT", "221 bye\r\n"}};
    struct smtp_client_params p = with_tls(SMTP_TLS_ENCRYPT);
    p.tls_implicit = true;
    struct opened o = OPEN(&p, steps);
    assert_int_equal(o.rc, RC_OK);
    assert_true(o.tls);
}

static void missing_starttls_stops_only_where_it_is_required(void **state)
{
    static const struct script_step steps[] = {
        {NULL, "220 mx\r\n"}, {"EHLO *", "250 mx\r\n"}, {"QUIT", "221 bye\r\n"}};
    struct smtp_client_params p = with_tls(SMTP_TLS_MAY);
    assert_int_equal(OPEN(&p, steps).rc, RC_OK);
    p = with_tls(SMTP_TLS_ENCRYPT);
    struct opened o = OPEN(&p, steps);
    assert_int_equal(o.rc, RC_TEMP);
    assert_true(o.failure.starttls_missing);
    assert_string_equal(o.failure.outcome.enhanced, "4.7.4");
    text_is(&o, "TLS is required, but was not offered by host mx.example[192.0.2.1]");

    static const struct script_step refused[] = {{NULL, "220 mx\r\n"},
                                                 {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"},
                                                 {"STARTTLS", "454 4.7.0 not now\r\n"},
                                                 {"QUIT", "221 bye\r\n"}};
    p = with_tls(SMTP_TLS_MAY);
    o = OPEN(&p, refused);
    assert_int_equal(o.rc, RC_OK);
    assert_false(o.tls);
    p = with_tls(SMTP_TLS_ENCRYPT);
    o = OPEN(&p, refused);
    assert_int_equal(o.rc, RC_TEMP);
    assert_false(o.failure.starttls_missing);
    assert_int_equal(o.failure.outcome.code, 454);
    text_is(&o, "TLS is required, but host mx.example[192.0.2.1] refused to start TLS: 454 4.7.0 not now");
}

static void a_failed_handshake_may_be_followed_by_none(void **state)
{
    static const struct script_step broken[] = {{NULL, "220 mx\r\n"},
                                                {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"},
                                                {"STARTTLS", "220 go\r\n"},
                                                {NULL, SAY_CLOSE}};
    struct smtp_client_params p = with_tls(SMTP_TLS_MAY);
    struct opened o = OPEN(&p, broken);
    assert_int_equal(o.rc, RC_TEMP);
    assert_int_equal(o.failure.outcome.phase, SMTP_PHASE_TLS);
    assert_true(o.failure.retry_without_tls);
    assert_int_equal(o.failure.tls_fault, TLS_FAULT_HANDSHAKE);
    p = with_tls(SMTP_TLS_ENCRYPT);
    assert_false(OPEN(&p, broken).failure.retry_without_tls);

    static const struct script_step closed[] = {
        {NULL, "220 mx\r\n"}, {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"}, {"STARTTLS", SAY_CLOSE}};
    p = with_tls(SMTP_TLS_MAY);
    assert_true(OPEN(&p, closed).failure.retry_without_tls);

    static const struct script_step after[] = {{NULL, "220 mx\r\n"},
                                               {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"},
                                               {"STARTTLS", "220 go\r\n"},
                                               {NULL, SAY_TLS},
                                               {"EHLO *", SAY_CLOSE}};
    assert_true(OPEN(&p, after).failure.retry_without_tls);
}

static void unverified_servers_get_nothing(void **state)
{
    static const struct script_step steps[] = {{NULL, "220 mx\r\n"},
                                               {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"},
                                               {"STARTTLS", "220 go\r\n"},
                                               {NULL, SAY_TLS},
                                               {"EHLO *", "250 mx\r\n"}};
    str name = S("mx.example");
    struct smtp_client_params p = with_tls(SMTP_TLS_ENCRYPT);
    p.tls_params.verify = TLS_VERIFY_CA;
    p.tls_params.required = true;
    p.tls_params.names = &name;
    p.tls_params.n_names = 1;
    struct opened o = OPEN(&p, steps);
    assert_int_equal(o.rc, RC_TEMP);
    assert_int_equal(o.failure.tls_fault, TLS_FAULT_NOT_TRUSTED);
    assert_false(o.failure.retry_without_tls);
    assert_true(str_starts(o.failure.outcome.text,
                           S("Server certificate not verified: host mx.example[192.0.2.1]: ")));
}

/* A reply that was put behind the 220 in clear must not be taken for one under TLS. */
static void injected_replies_are_refused(void **state)
{
    static const struct script_step steps[] = {{NULL, "220 mx\r\n"},
                                               {"EHLO *", "250-mx\r\n250 STARTTLS\r\n"},
                                               {"STARTTLS", "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"},
                                               {NULL, SAY_NOTHING}};
    enum smtp_client_tls levels[] = {SMTP_TLS_MAY, SMTP_TLS_ENCRYPT};
    for (size_t i = 0; i < 2; i++) {
        struct smtp_client_params p = with_tls(levels[i]);
        struct opened o = OPEN(&p, steps);
        assert_int_equal(o.rc, RC_TEMP);
        assert_false(o.failure.retry_without_tls);
        text_is(&o, "Cannot start TLS with host mx.example[192.0.2.1]: data follows its reply to STARTTLS");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ehlo_is_spoken),
        cmocka_unit_test(helo_and_lhlo_are_spoken),
        cmocka_unit_test(refusals_have_their_code),
        cmocka_unit_test(lost_connections_are_told),
        cmocka_unit_test(a_dripping_server_runs_out_of_time),
        cmocka_unit_test(the_whole_deadline_counts),
        cmocka_unit_test(starttls_is_used_where_offered),
        cmocka_unit_test(tls_from_the_start),
        cmocka_unit_test(missing_starttls_stops_only_where_it_is_required),
        cmocka_unit_test(a_failed_handshake_may_be_followed_by_none),
        cmocka_unit_test(unverified_servers_get_nothing),
        cmocka_unit_test(injected_replies_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
