/* Sessions of local users: nobody logs in, the user may send as itself, and what is missing is added. */
#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct smtp_local_user alice = {.name = S("alice"), .uid = 1000},
                                    www = {.name = S("www-data"), .uid = 33},
                                    root = {.name = S("root"), .trusted = true};

static void run_as(const struct smtp_local_user *user, const struct talk_step *steps, size_t n,
                   struct fake_world *ret)
{
    struct talk t;
    talk_init(&t, SMTP_KIND_SUBMISSION, "");
    t.params.client_address = S("local");
    t.params.client_name = S("localhost");
    t.params.offer_auth = false;
    t.params.local = user;
    talk_begin(&t);
    talk_run(&t, steps, n);
    talk_end(&t);
    *ret = t.world;
}
#define RUN_AS(user, steps, ret) run_as((user), (steps), sizeof(steps) / sizeof *(steps), (ret))

static void origin_is_told(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"EHLO localhost\r\n", "250-mx.example.org"},
        {"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "503 5.5.1 "},
    };
    struct fake_world w;
    RUN_AS(&alice, steps, &w);
    fake_world_deinit(&w);
}

/* Its own address with and without a tag, what auth says is its own, and none; nobody else's. */
static void senders(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"EHLO localhost\r\n", "250-"},
        {"MAIL FROM:<www-data@example.org>\r\n", "250 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<www-data+tag@mx.example.org>\r\n", "250 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<>\r\n", "250 "},
        {"RSET\r\n", "250 "},
        {"MAIL FROM:<alice@example.org>\r\n", "553 5.7.1 "},
        {"MAIL FROM:<www-data@elsewhere.example>\r\n", "553 5.7.1 "},
    };
    static const struct talk_step trusted[] = {
        {NULL, "220 "},
        {"EHLO localhost\r\n", "250-"},
        {"MAIL FROM:<anybody@elsewhere.example>\r\n", "250 "},
    };
    struct fake_world w;
    RUN_AS(&www, steps, &w);
    fake_world_deinit(&w);
    RUN_AS(&root, trusted, &w);
    fake_world_deinit(&w);
}

static void what_is_missing_is_added(void **state)
{
    static const struct talk_step steps[] = {
        {NULL, "220 "},
        {"EHLO localhost\r\n", "250-"},
        {"MAIL FROM:<www-data@example.org>\r\n", "250 "},
        {"RCPT TO:<bob@example.org>\r\n", "250 "},
        {"DATA\r\n", "354 "},
        {"Subject: x\r\n\r\n.\r\n", "250 2.0.0 Ok: delivered as "},
    };
    struct fake_world w;
    (void)talk_log();
    RUN_AS(&www, steps, &w);
    const char *text = buf_cstr(&w.delivered);
    assert_non_null(strstr(text, "Received: by mx.example.org (malle, from user www-data, uid 33)\n"));
    assert_non_null(strstr(text, "\nFrom: www-data@example.org\n"));
    assert_non_null(strstr(text, "\nDate: "));
    assert_non_null(strstr(text, "\nMessage-ID: <"));
    assert_non_null(strstr(talk_log(), ": uid=33 from=<"));
    fake_world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(origin_is_told), cmocka_unit_test(senders),
                                       cmocka_unit_test(what_is_missing_is_added)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
