/* mime_walk: the events of a message, whatever pieces it comes in. */
#include "fmt/mime_walk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One letter for each event but FIELD's later pieces, then its bytes; pieces of one kind are joined. */
struct log {
    struct buf text;
    int last;
};

static void note(void *arg, const struct mime_walk *w, enum mime_walk_event event, str bytes)
{
    static const char letters[] = "FHTTLDR";
    struct log *log = arg;
    bool joined = log->last == letters[event] && !(event == MIME_WALK_FIELD && w->field_starts);
    if (!joined || event == MIME_WALK_HEADER_END || event == MIME_WALK_LEAF_END)
        buf_printf(&log->text, "|%c", letters[event]);
    log->last = letters[event];
    if (event == MIME_WALK_HEADER_END)
        buf_printf(&log->text, "%zu%s%s%s", mime_walk_current(w)->index,
                   mime_walk_current(w)->is_message ? "m" : "", mime_walk_current(w)->is_signed ? "s" : "",
                   mime_walk_current(w)->has_version ? "v" : "");
    for (size_t i = 0; i < bytes.n; i++)
        buf_putc(&log->text, bytes.p[i] == '\n' ? '/' : bytes.p[i]);
}

static void expect(str raw, const struct mime_limits *limits, const char *want)
{
    for (size_t step = 1; step <= raw.n; step++) {
        struct log log = {.text = BUF_INIT(1 << 16)};
        struct mime_walk w;
        mime_walk_init(&w, limits, note, &log);
        for (size_t at = 0; at < raw.n; at += step)
            mime_walk_feed(&w, str_sub(raw, at, step));
        mime_walk_finish(&w);
        mime_walk_deinit(&w);
        assert_string_equal(buf_cstr(&log.text), want);
        buf_deinit(&log.text);
    }
}

static void events(void **state)
{
    expect(S("Subject: x\n y\nMIME-Version: 1.0\n\nbody\n\n"), NULL,
           "|FSubject: x/ y/|FMIME-Version: 1.0/|H0mv/|Tbody//|L");
    expect(
        S("Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b \nA: b\n\n--x\n\n--b--\nepi\n"),
        NULL,
        "|FContent-Type: multipart/mixed; boundary=b/|H0m/|Rpre/|D--b|R/|H1/|Tone|L|D/--b|R /|FA: "
        "b/|H2/|T--x/|L|D/--b"
        "|R--/epi/");
    expect(
        S("Content-Type: message/rfc822\n\nContent-Type: multipart/signed; boundary=\"b\"\n\n--b\nno header "
          "end\n--b"),
        NULL,
        "|FContent-Type: message/rfc822/|H0m/|FContent-Type: multipart/signed; boundary=\"b\"/|H1m/|D--b|R/"
        "|Fno header end/|H2s|L|D--b|H3s|L");
    expect(S(""), NULL, "");
}

static void limited(void **state)
{
    static const struct mime_limits two = {.depth = 1, .parts = 2};
    expect(S("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n"), &two,
           "|FContent-Type: multipart/mixed; boundary=b/|H0m/|D--b|R/|H1/|Tone/--b//two|L|D/--b|R--/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events), cmocka_unit_test(limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
