/* A client's transactions against a scripted server: DATA, BDAT, PIPELINING, LMTP, every phase that fails or
 * closes. */
#include "scripted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <unistd.h>

enum { RCPTS = 4 };

static struct arena *arena;

static int set_up(void **state)
{
    arena = arena_new(8 << 20);
    return 0;
}

static int tear_down(void **state)
{
    arena = arena_free(arena);
    return 0;
}

struct sent {
    struct scripted server;
    struct smtp_client *c;
    struct smtp_client_message m;
    struct smtp_client_rcpt rcpts[RCPTS];
    bool usable;
};

#define HELLO(offers)                                             \
    {NULL, "220 mx\r\n"},                                         \
    {                                                             \
        "EHLO client.example", "250-mx\r\n" offers "250 HELP\r\n" \
    }
#define HELLO_LMTP(offers)                                        \
    {NULL, "220 mx\r\n"},                                         \
    {                                                             \
        "LHLO client.example", "250-mx\r\n" offers "250 HELP\r\n" \
    }
#define BYE                   \
    {                         \
        "QUIT", "221 bye\r\n" \
    }

static void begin_with(struct sent *s, bool lmtp, size_t n_rcpts, const struct script_step *steps, size_t n)
{
    static const str addresses[RCPTS] = {
        {"a@example.org", 13}, {"b@example.org", 13}, {"c@example.net", 13}, {"d@example.com", 13}};
    struct smtp_client_params p = scripted_params;
    struct smtp_client_failure f;
    char peer[64];
    *s = (struct sent){0};
    p.lmtp = lmtp;
    assert_int_equal(str_copy(peer, sizeof peer, p.peer), RC_OK);
    p.peer = str_c(peer);
    arena_reset(arena);
    assert_int_equal(smtp_client_open(&p, scripted_begin(&s->server, steps, n), arena, &s->c, &f), RC_OK);
    memset(peer, 'x', sizeof peer); /* whoever made the connection is gone when another one goes on with it */
    for (size_t i = 0; i < n_rcpts; i++)
        s->rcpts[i].address = addresses[i];
    s->m = (struct smtp_client_message){.sender = S("from@example.net"),
                                        .header = S("Subject: x\n\n"),
                                        .body = S("one\n.two\nthree\n"),
                                        .fd = -1,
                                        .rcpts = s->rcpts,
                                        .n_rcpts = n_rcpts};
}
#define BEGIN(s, n_rcpts, steps) begin_with((s), false, (n_rcpts), (steps), sizeof(steps) / sizeof *(steps))
#define BEGIN_LMTP(s, n_rcpts, steps) \
    begin_with((s), true, (n_rcpts), (steps), sizeof(steps) / sizeof *(steps))

static void send_it(struct sent *s)
{
    smtp_client_send(s->c, arena, &s->m);
    for (size_t i = 0; i < s->m.n_rcpts; i++)
        assert_true(s->rcpts[i].outcome.text.n > 0 && s->rcpts[i].outcome.enhanced[0]);
}

static void finish(struct sent *s)
{
    s->usable = smtp_client_is_usable(s->c);
    smtp_client_quit(s->c);
    scripted_end(&s->server);
}

#define SEND(s, n_rcpts, steps)       \
    do {                              \
        BEGIN((s), (n_rcpts), steps); \
        send_it(s);                   \
        finish(s);                    \
    } while (0)

static void outcome_is(const struct smtp_outcome *o, enum rc rc, enum smtp_phase phase, int code,
                       const char *text)
{
    if (!str_eq(o->text, str_c(text)))
        fail_msg("wanted \"%s\", got \"" STR_FMT "\"", text, STR_ARG(o->text));
    assert_int_equal(o->rc, rc);
    assert_int_equal(o->phase, phase);
    assert_int_equal(o->code, code);
}

static void content_is(struct sent *s, const char *want)
{
    if (!str_eq(buf_str(&s->server.content), str_c(want)))
        fail_msg("content is \"%s\"", buf_cstr(&s->server.content));
    scripted_free(&s->server);
}

static void data_step_by_step(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 2.1.0 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 2.1.5 ok\r\n"},
        {"RCPT TO:<b@example.org>", "550 5.1.1 no such user\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 2.0.0 queued as X\r\n"},
        BYE,
    };
    struct sent s;
    SEND(&s, 2, steps);
    outcome_is(&s.rcpts[0].outcome, RC_OK, SMTP_PHASE_END, 250, "250 2.0.0 queued as X");
    outcome_is(&s.rcpts[1].outcome, RC_PERM, SMTP_PHASE_RCPT, 550,
               "host mx.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)");
    assert_string_equal(s.rcpts[1].outcome.enhanced, "5.1.1");
    assert_true(str_eq(s.rcpts[1].outcome.said, S("550 5.1.1 no such user")));
    assert_true(s.rcpts[0].tried && s.rcpts[1].tried && s.usable && !s.m.uncertain);
    outcome_is(&s.m.outcome, RC_OK, SMTP_PHASE_END, 250, "250 2.0.0 queued as X");
    content_is(&s, "Subject: x\r\n\r\none\r\n..two\r\nthree\r\n.\r\n");
}

static void commands_are_pipelined(void **state)
{
    static const struct script_step steps[] = {
        HELLO("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"DATA", "250 ok\r\n450 4.2.1 later\r\n250 ok\r\n354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        BYE,
    };
    struct sent s;
    SEND(&s, 2, steps);
    outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_RCPT, 450,
               "host mx.example[192.0.2.1] said: 450 4.2.1 later (in reply to RCPT TO command)");
    assert_int_equal(s.rcpts[1].outcome.rc, RC_OK);
    assert_true(s.usable);
    scripted_free(&s.server);
}

static void a_small_message_goes_with_its_envelope(void **state)
{
    static const struct script_step steps[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {HEAR_BDAT, "250 ok\r\n250 ok\r\n250 2.0.0 done\r\n"},
        BYE,
    };
    struct sent s;
    SEND(&s, 1, steps);
    outcome_is(&s.rcpts[0].outcome, RC_OK, SMTP_PHASE_END, 250, "250 2.0.0 done");
    assert_true(str_ends(buf_str(&s.server.lines), S("BDAT 32 LAST\nQUIT\n")));
    content_is(&s, "Subject: x\r\n\r\none\r\n.two\r\nthree\r\n");
}

/* 200,000 bytes in lines of 100, with dots at the front of each. */
static str big_body(void)
{
    static char body[200000];
    memset(body, '.', sizeof body);
    for (size_t i = 99; i < sizeof body; i += 100)
        body[i] = '\n';
    return str_mem(body, sizeof body);
}

static void big_messages_go_in_chunks(void **state)
{
    static const struct script_step pipelined[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", "250 ok\r\n250 ok\r\n"},
        {HEAR_BDAT, NULL}, /* two may be on their way */
        {HEAR_BDAT, "250 1\r\n250 2\r\n"},
        {HEAR_BDAT, "250 3\r\n"},
        {HEAR_BDAT, "250 all\r\n"},
        BYE,
    };
    static const struct script_step alone[] = {
        HELLO("250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {HEAR_BDAT, "250 1\r\n"},
        {HEAR_BDAT, "250 2\r\n"},
        {HEAR_BDAT, "250 3\r\n"},
        {HEAR_BDAT, "250 all\r\n"},
        BYE,
    };
    for (int i = 0; i < 2; i++) {
        struct sent s;
        if (i == 0)
            BEGIN(&s, 1, pipelined);
        else
            BEGIN(&s, 1, alone);
        s.m.body = big_body();
        send_it(&s);
        finish(&s);
        outcome_is(&s.rcpts[0].outcome, RC_OK, SMTP_PHASE_END, 250, "250 all");
        assert_int_equal(s.server.content.n, 200000 + 2000 + 14);
        assert_true(str_ends(buf_str(&s.server.content), S("...\r\n")));
        scripted_free(&s.server);
    }
}

static void a_refused_chunk_ends_the_transaction(void **state)
{
    static const struct script_step steps[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", "250 ok\r\n250 ok\r\n"},
        {HEAR_BDAT, NULL},
        {HEAR_BDAT, "552 5.3.4 too much\r\n503 5.5.1 no\r\n"},
        {"RSET", "250 ok\r\n"},
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {HEAR_BDAT, "250 ok\r\n250 ok\r\n250 fine\r\n"},
        BYE,
    };
    struct sent s;
    BEGIN(&s, 1, steps);
    s.m.body = big_body();
    send_it(&s);
    outcome_is(&s.rcpts[0].outcome, RC_PERM, SMTP_PHASE_BODY, 552,
               "host mx.example[192.0.2.1] said: 552 5.3.4 too much (in reply to message body)");
    s.m.body = S("x\n");
    send_it(&s);
    outcome_is(&s.rcpts[0].outcome, RC_OK, SMTP_PHASE_END, 250, "250 fine");
    finish(&s);
    scripted_free(&s.server);
}

static void content_comes_from_a_file(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        BYE,
    };
    char path[] = "/tmp/test_client.XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    str big = big_body();
    assert_int_equal(write(fd, "xyz", 3), 3);
    assert_int_equal(write(fd, big.p, big.n), big.n);
    struct sent s;
    BEGIN(&s, 1, steps);
    s.m.fd = fd;
    s.m.body_offset = 3;
    s.m.body_bytes = big.n;
    send_it(&s);
    finish(&s);
    assert_int_equal(s.rcpts[0].outcome.rc, RC_OK);
    assert_int_equal(s.server.content.n, 14 + 200000 + 2000 + 2000 + 3); /* CRs, dots, the end */
    scripted_free(&s.server);

    /* a file that is too short must not pass for the message */
    static const struct script_step cut[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
    };
    BEGIN(&s, 1, cut);
    s.m.fd = fd;
    s.m.body_bytes = big.n + 100;
    send_it(&s);
    finish(&s);
    outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_BODY, 0, "the message content cannot be read");
    assert_false(s.usable);
    assert_true(str_find(buf_str(&s.server.content), S("\r\n.\r\n")) < 0);
    scripted_free(&s.server);
    close(fd);
}

/* RFC 5321 §2.3.8, §4.5.2: whatever the content looks like, lines end with CRLF and no dot ends it early. */
static void line_ends_are_made_good(void **state)
{
    static const struct {
        str header, body;
        const char *dots, *bdat;
    } cases[] = {
        {{"", 0}, {"", 0}, ".\r\n", ""},
        {{"A: b\n", 5}, {"", 0}, "A: b\r\n.\r\n", "A: b\r\n"},
        {{"A: b\n\n", 6}, {"no end", 6}, "A: b\r\n\r\nno end\r\n.\r\n", "A: b\r\n\r\nno end"},
        {{"A: b\r\n\r\n", 8},
         {".\r\n..\r\n", 7},
         "A: b\r\n\r\n..\r\n...\r\n.\r\n",
         "A: b\r\n\r\n.\r\n..\r\n"},
        {{"A: b\n\n", 6}, {"x\r.\r\ny\r", 7}, "A: b\r\n\r\nx .\r\ny\r\n.\r\n", "A: b\r\n\r\nx .\r\ny"},
        {{"A: b\n\r", 6}, {"\n.\n", 3}, "A: b\r\n\r\n..\r\n.\r\n", "A: b\r\n\r\n.\r\n"},
        {{"\n", 1}, {"\r\r\n\r\r.\n", 7}, "\r\n \r\n  .\r\n.\r\n", "\r\n \r\n  .\r\n"},
    };
    static const struct script_step data[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        BYE,
    };
    static const struct script_step bdat[] = {
        HELLO("250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {HEAR_BDAT, "250 ok\r\n"},
        BYE,
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sent s;
        BEGIN(&s, 1, data);
        s.m.header = cases[i].header;
        s.m.body = cases[i].body;
        send_it(&s);
        finish(&s);
        content_is(&s, cases[i].dots);
        BEGIN(&s, 1, bdat);
        s.m.header = cases[i].header;
        s.m.body = cases[i].body;
        send_it(&s);
        finish(&s);
        content_is(&s, cases[i].bdat);
    }
}

static void mail_refused(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""), {"MAIL FROM:<from@example.net>", "451 4.7.1 greylisted\r\n"}, BYE};
    static const struct script_step piped[] = {
        HELLO("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"DATA", "451 4.7.1 greylisted\r\n503 no\r\n503 no\r\n503 no\r\n"},
        BYE,
    };
    const char *text =
        "host mx.example[192.0.2.1] said: 451 4.7.1 greylisted (in reply to MAIL FROM command)";
    for (int i = 0; i < 2; i++) {
        struct sent s;
        if (i == 0)
            SEND(&s, 2, steps);
        else
            SEND(&s, 2, piped);
        outcome_is(&s.m.outcome, RC_TEMP, SMTP_PHASE_MAIL, 451, text);
        outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_MAIL, 451, text);
        outcome_is(&s.rcpts[1].outcome, RC_TEMP, SMTP_PHASE_MAIL, 451, text);
        assert_true(s.usable);
        scripted_free(&s.server);
    }
}

static void nobody_accepted(void **state)
{
    /* the next message begins with RSET */
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "550 5.1.1 no\r\n"},
        {"RSET", "250 ok\r\n"},
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "550 5.1.1 no\r\n"},
        BYE,
    };
    struct sent s;
    BEGIN(&s, 1, steps);
    send_it(&s);
    assert_int_equal(s.m.outcome.rc, RC_PERM);
    send_it(&s);
    finish(&s);
    scripted_free(&s.server);

    /* DATA was pipelined and is refused, or accepted in spite of all */
    static const struct script_step refused[] = {
        HELLO("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"DATA", "250 ok\r\n550 5.1.1 no\r\n554 no valid recipients\r\n"},
        BYE,
    };
    SEND(&s, 1, refused);
    assert_int_equal(s.rcpts[0].outcome.code, 550);
    scripted_free(&s.server);
    static const struct script_step accepted[] = {
        HELLO("250-PIPELINING\r\n"),       {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL}, {"DATA", "250 ok\r\n550 5.1.1 no\r\n354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},         BYE,
    };
    SEND(&s, 1, accepted);
    assert_int_equal(s.rcpts[0].outcome.code, 550);
    assert_true(s.usable);
    content_is(&s, ".\r\n");
    static const struct script_step bdat[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {HEAR_BDAT, "250 ok\r\n550 5.1.1 no\r\n503 no\r\n"},
        {"RSET", "250 ok\r\n"},
        BYE,
    };
    BEGIN(&s, 1, bdat);
    send_it(&s);
    assert_int_equal(s.rcpts[0].outcome.code, 550);
    assert_int_equal(smtp_client_probe(s.c), RC_OK);
    finish(&s);
    scripted_free(&s.server);
}

static void data_refused(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"RCPT TO:<b@example.org>", "550 5.1.1 no\r\n"},
        {"DATA", "451 4.3.0 disk\r\n"},
        BYE,
    };
    struct sent s;
    SEND(&s, 2, steps);
    outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_DATA, 451,
               "host mx.example[192.0.2.1] said: 451 4.3.0 disk (in reply to DATA command)");
    assert_int_equal(s.rcpts[1].outcome.code, 550);
    assert_true(s.usable);
    scripted_free(&s.server);

    static const struct script_step end[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "554-5.7.1 spam\r\n554 5.7.1 really\r\n"},
        BYE,
    };
    SEND(&s, 1, end);
    outcome_is(
        &s.rcpts[0].outcome, RC_PERM, SMTP_PHASE_END, 554,
        "host mx.example[192.0.2.1] said: 554-5.7.1 spam 554 5.7.1 really (in reply to end of DATA command)");
    assert_true(s.usable);
    scripted_free(&s.server);
}

/* The connection ends, or falls silent, or the server says 421 or nonsense, at each point of a transaction.
 */
static void every_phase_can_end_it(void **state)
{
    static const struct {
        size_t steps; /* that go well behind EHLO */
        enum smtp_phase phase;
        const char *doing;
        bool uncertain;
    } phases[] = {
        {0, SMTP_PHASE_MAIL, "sending MAIL FROM", false},
        {1, SMTP_PHASE_RCPT, "sending RCPT TO", false},
        {2, SMTP_PHASE_DATA, "sending DATA command", false},
        {3, SMTP_PHASE_END, "sending end of data -- message may be sent more than once", true},
    };
    static const struct script_step all[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
    };
    static const char *ends[] = {SAY_CLOSE, SAY_NOTHING, "421 4.3.2 closing\r\n", "what?\r\n",
                                 "354 out of step\r\n"};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 5; k++) {
            struct script_step steps[8];
            struct sent s;
            char text[200];
            if (k == 4 && i == 2)
                continue; /* there 354 is right */
            memcpy(steps, all, sizeof all);
            steps[2 + phases[i].steps].say = ends[k];
            steps[3 + phases[i].steps] = (struct script_step){NULL, SAY_NOTHING};
            begin_with(&s, false, 1, steps, 4 + phases[i].steps);
            send_it(&s);
            finish(&s);
            const struct smtp_outcome *o = &s.rcpts[0].outcome;
            assert_int_equal(o->rc, RC_TEMP);
            assert_int_equal(o->enhanced[0], '4');
            assert_int_equal(o->phase, phases[i].phase);
            assert_false(s.usable);
            assert_int_equal(s.m.uncertain, phases[i].uncertain && (k < 2 || k == 3));
            if (k < 2) {
                snprintf(text, sizeof text,
                         k ? "conversation with mx.example[192.0.2.1] timed out while %s"
                           : "lost connection with mx.example[192.0.2.1] while %s",
                         phases[i].doing);
                outcome_is(o, RC_TEMP, phases[i].phase, 0, text);
            } else if (k == 2) {
                assert_int_equal(o->code, 421);
            }
            scripted_free(&s.server);
        }
}

static void closed_in_the_midst_of_pipelined_replies(void **state)
{
    static const struct script_step steps[] = {
        HELLO("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"RCPT TO:<c@example.net>", NULL},
        {"DATA", "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n"},
        {NULL, SAY_CLOSE},
    };
    struct sent s;
    SEND(&s, 3, steps);
    outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_RCPT, 0,
               "lost connection with mx.example[192.0.2.1] while sending RCPT TO");
    assert_int_equal(s.rcpts[1].outcome.code, 550); /* stays */
    assert_int_equal(s.rcpts[2].outcome.rc, RC_TEMP);
    assert_false(s.m.uncertain);
    scripted_free(&s.server);

    /* a BDAT that was all sent may have arrived */
    static const struct script_step bdat[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {HEAR_BDAT, "250 ok\r\n"},
        {NULL, SAY_CLOSE},
    };
    SEND(&s, 1, bdat);
    assert_int_equal(s.rcpts[0].outcome.rc, RC_TEMP);
    assert_true(s.m.uncertain);
    scripted_free(&s.server);
}

/* The server gives up while it is written to, and says why. */
static void last_words_are_read(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {"Subject: x", "552 5.3.4 too big\r\n"},
        {NULL, SAY_CLOSE},
    };
    static char huge[8 << 20];
    memset(huge, 'x', sizeof huge);
    for (size_t i = 99; i < sizeof huge; i += 100)
        huge[i] = '\n';
    struct sent s;
    BEGIN(&s, 1, steps);
    s.m.body = str_mem(huge, sizeof huge);
    send_it(&s);
    finish(&s);
    outcome_is(&s.rcpts[0].outcome, RC_PERM, SMTP_PHASE_BODY, 552,
               "host mx.example[192.0.2.1] said: 552 5.3.4 too big (in reply to message body)");
    assert_false(s.usable || s.m.uncertain);
    scripted_free(&s.server);

    static const struct script_step deaf[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
    };
    struct script_step stuck[sizeof deaf / sizeof *deaf + 1];
    memcpy(stuck, deaf, sizeof deaf);
    stuck[sizeof deaf / sizeof *deaf] = (struct script_step){NULL, SAY_DRIP}; /* reads nothing */
    BEGIN(&s, 1, stuck);
    s.m.body = str_mem(huge, sizeof huge);
    send_it(&s);
    finish(&s);
    outcome_is(&s.rcpts[0].outcome, RC_TEMP, SMTP_PHASE_BODY, 0,
               "conversation with mx.example[192.0.2.1] timed out while sending message body");
    scripted_free(&s.server);
}

static void lmtp_answers_for_each(void **state)
{
    static const struct script_step data[] = {
        HELLO_LMTP("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"RCPT TO:<c@example.net>", NULL},
        {"DATA", "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 go\r\n"},
        {HEAR_DOTS, "250 2.0.0 a\r\n452 4.2.2 full\r\n"},
        BYE,
    };
    static const struct script_step bdat[] = {
        HELLO_LMTP("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"RCPT TO:<c@example.net>", NULL},
        {HEAR_BDAT, "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n250 2.0.0 a\r\n452 4.2.2 full\r\n"},
        BYE,
    };
    for (int i = 0; i < 2; i++) {
        struct sent s;
        if (i == 0)
            BEGIN_LMTP(&s, 3, data);
        else
            BEGIN_LMTP(&s, 3, bdat);
        send_it(&s);
        finish(&s);
        outcome_is(&s.rcpts[0].outcome, RC_OK, SMTP_PHASE_END, 250, "250 2.0.0 a");
        assert_int_equal(s.rcpts[1].outcome.code, 550);
        outcome_is(&s.rcpts[2].outcome, RC_TEMP, SMTP_PHASE_END, 452,
                   "host mx.example[192.0.2.1] said: 452 4.2.2 full (in reply to end of DATA command)");
        assert_true(s.usable);
        scripted_free(&s.server);
    }
    static const struct script_step lost[] = {
        HELLO_LMTP(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"RCPT TO:<b@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 2.0.0 a\r\n"},
        {NULL, SAY_CLOSE},
    };
    struct sent s;
    BEGIN_LMTP(&s, 2, lost);
    send_it(&s);
    finish(&s);
    assert_int_equal(s.rcpts[0].outcome.rc, RC_OK);
    assert_int_equal(s.rcpts[1].outcome.rc, RC_TEMP);
    assert_true(s.m.uncertain);
    scripted_free(&s.server);
}

static void limits_leave_recipients_untried(void **state)
{
    static const struct script_step max[] = {
        HELLO("250-LIMITS RCPTMAX=2 MAILMAX=2\r\n"),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"RCPT TO:<b@example.org>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        {"MAIL FROM:<from@example.net>", "550 no\r\n"},
        BYE,
    };
    struct sent s;
    BEGIN(&s, 4, max);
    send_it(&s);
    assert_int_equal(s.rcpts[1].outcome.rc, RC_OK);
    for (size_t i = 2; i < 4; i++) {
        assert_false(s.rcpts[i].tried);
        assert_int_equal(s.rcpts[i].outcome.rc, RC_TEMP);
    }
    assert_true(smtp_client_is_usable(s.c));
    send_it(&s);
    finish(&s);
    assert_false(s.usable); /* RFC 9422: MAILMAX */
    scripted_free(&s.server);

    static const struct script_step domains[] = {
        HELLO("250-LIMITS RCPTDOMAINMAX=2\r\n"),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        {"RCPT TO:<b@example.org>", "250 ok\r\n"},
        {"RCPT TO:<c@example.net>", "250 ok\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        BYE,
    };
    SEND(&s, 4, domains);
    assert_int_equal(s.rcpts[2].outcome.rc, RC_OK);
    assert_false(s.rcpts[3].tried);
    scripted_free(&s.server);
}

static void too_many_recipients_are_left_for_later(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>",
         "452 4.5.3 too many\r\n"}, /* not before one is accepted: it would never end */
        {"RCPT TO:<b@example.org>", "250 ok\r\n"},
        {"RCPT TO:<c@example.net>", "552 too many\r\n"},
        {"RCPT TO:<d@example.com>", "452 4.2.2 mailbox full\r\n"},
        {"DATA", "354 go\r\n"},
        {HEAR_DOTS, "250 ok\r\n"},
        BYE,
    };
    struct sent s;
    SEND(&s, 4, steps);
    assert_true(s.rcpts[0].tried && s.rcpts[1].tried && !s.rcpts[2].tried && s.rcpts[3].tried);
    assert_int_equal(s.rcpts[2].outcome.rc, RC_TEMP);
    assert_string_equal(s.rcpts[2].outcome.enhanced, "4.0.0");
    scripted_free(&s.server);
}

/* To all or to none: no content is announced before the last one was accepted. */
static void whole_or_not_at_all(void **state)
{
    static const struct script_step accepted[] = {
        HELLO("250-PIPELINING\r\n250-CHUNKING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", "250 ok\r\n250 ok\r\n250 ok\r\n"},
        {HEAR_BDAT, "250 2.0.0 yes\r\n"},
        BYE,
    };
    static const struct script_step refused[] = {
        HELLO("250-PIPELINING\r\n"),
        {"MAIL FROM:<from@example.net>", NULL},
        {"RCPT TO:<a@example.org>", NULL},
        {"RCPT TO:<b@example.org>", NULL},
        {"RCPT TO:<c@example.net>", "250 ok\r\n250 ok\r\n550 5.7.1 no\r\n250 ok\r\n"},
        BYE,
    };
    static const struct script_step limited[] = {
        HELLO("250-LIMITS RCPTMAX=1\r\n"),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "250 ok\r\n"},
        BYE,
    };
    struct sent s;
    BEGIN(&s, 2, accepted);
    s.m.whole = true;
    send_it(&s);
    finish(&s);
    assert_int_equal(s.m.outcome.rc, RC_OK);
    scripted_free(&s.server);

    BEGIN(&s, 3, refused);
    s.m.whole = true;
    send_it(&s);
    finish(&s);
    for (size_t i = 0; i < 3; i++)
        outcome_is(&s.rcpts[i].outcome, RC_PERM, SMTP_PHASE_RCPT, 550,
                   "host mx.example[192.0.2.1] said: 550 5.7.1 no (in reply to RCPT TO command)");
    scripted_free(&s.server);

    BEGIN(&s, 2, limited);
    s.m.whole = true;
    send_it(&s);
    finish(&s);
    assert_int_equal(s.m.outcome.rc, RC_TEMP);
    assert_int_equal(s.rcpts[0].outcome.rc, RC_TEMP);
    scripted_free(&s.server);
}

/* More recipients than one window holds, and a server that answers only when a window is complete. */
static void many_recipients_go_in_windows(void **state)
{
    enum { MANY = 1000 };
    static struct smtp_client_rcpt rcpts[MANY];
    static char addresses[MANY][24], wants[MANY][48];
    static struct script_step steps[MANY + 8];
    size_t n = 0;
    steps[n++] = (struct script_step){NULL, "220 mx\r\n"};
    steps[n++] = (struct script_step){"EHLO client.example", "250-mx\r\n250 PIPELINING\r\n"};
    steps[n++] = (struct script_step){"MAIL FROM:<from@example.net>", "250 ok\r\n"};
    for (int i = 0; i < MANY; i++) {
        snprintf(addresses[i], sizeof *addresses, "user%d@example.org", i);
        snprintf(wants[i], sizeof *wants, "RCPT TO:<%s>", addresses[i]);
        rcpts[i] = (struct smtp_client_rcpt){.address = str_c(addresses[i])};
        steps[n++] = (struct script_step){wants[i], i % 10 == 3 ? "550 5.1.1 no\r\n" : "250 ok\r\n"};
    }
    steps[n++] = (struct script_step){"DATA", "354 go\r\n"};
    steps[n++] = (struct script_step){HEAR_DOTS, "250 ok\r\n"};
    steps[n++] = (struct script_step)BYE;
    struct sent s;
    begin_with(&s, false, 0, steps, n);
    s.m.rcpts = rcpts;
    s.m.n_rcpts = MANY;
    smtp_client_send(s.c, arena, &s.m);
    finish(&s);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rcpts[i].outcome.rc, i % 10 == 3 ? RC_PERM : RC_OK);
    scripted_free(&s.server);
}

static void a_server_that_speaks_unasked_is_not_used(void **state)
{
    static const struct script_step closing[] = {
        HELLO(""), {NULL, "421 4.4.2 idle\r\n"}, {NULL, SAY_NOTHING}};
    static const struct script_step closed[] = {HELLO(""), {NULL, SAY_CLOSE}};
    for (int i = 0; i < 2; i++) {
        struct sent s;
        if (i == 0)
            BEGIN(&s, 1, closing);
        else
            BEGIN(&s, 1, closed);
        for (int k = 0; k < 200 && smtp_client_is_usable(s.c); k++)
            usleep(5000);
        assert_false(smtp_client_is_usable(s.c));
        assert_int_equal(smtp_client_probe(s.c), RC_GONE);
        finish(&s);
        scripted_free(&s.server);
    }
}

static void a_refused_reset_is_no_fault_of_the_message(void **state)
{
    static const struct script_step steps[] = {
        HELLO(""),
        {"MAIL FROM:<from@example.net>", "250 ok\r\n"},
        {"RCPT TO:<a@example.org>", "550 5.1.1 no\r\n"},
        {"RSET", "500 what\r\n"},
    };
    struct sent s;
    BEGIN(&s, 1, steps);
    send_it(&s);
    send_it(&s);
    finish(&s);
    assert_int_equal(s.rcpts[0].outcome.rc, RC_TEMP);
    assert_int_equal(s.rcpts[0].outcome.phase, SMTP_PHASE_RSET);
    assert_int_equal(s.rcpts[0].outcome.enhanced[0], '4');
    assert_false(s.usable);
    scripted_free(&s.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_step_by_step),
        cmocka_unit_test(commands_are_pipelined),
        cmocka_unit_test(a_small_message_goes_with_its_envelope),
        cmocka_unit_test(big_messages_go_in_chunks),
        cmocka_unit_test(a_refused_chunk_ends_the_transaction),
        cmocka_unit_test(content_comes_from_a_file),
        cmocka_unit_test(line_ends_are_made_good),
        cmocka_unit_test(mail_refused),
        cmocka_unit_test(nobody_accepted),
        cmocka_unit_test(data_refused),
        cmocka_unit_test(every_phase_can_end_it),
        cmocka_unit_test(closed_in_the_midst_of_pipelined_replies),
        cmocka_unit_test(last_words_are_read),
        cmocka_unit_test(lmtp_answers_for_each),
        cmocka_unit_test(limits_leave_recipients_untried),
        cmocka_unit_test(too_many_recipients_are_left_for_later),
        cmocka_unit_test(whole_or_not_at_all),
        cmocka_unit_test(many_recipients_go_in_windows),
        cmocka_unit_test(a_server_that_speaks_unasked_is_not_used),
        cmocka_unit_test(a_refused_reset_is_no_fault_of_the_message),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
