/* downgrade: what becomes of each kind of part, what is reported, and messages larger than memory would
 * allow. */
#include "fmt/downgrade.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Both passes in pieces of `step` bytes. */
static struct downgrade_report convert_as(str raw, bool binary, size_t step, struct buf *out)
{
    struct downgrade d;
    downgrade_init(&d);
    d.binary = binary;
    for (size_t at = 0; at < raw.n; at += step)
        downgrade_scan(&d, str_sub(raw, at, step));
    downgrade_scan_end(&d);
    for (size_t at = 0; at < raw.n; at += step)
        downgrade_convert(&d, str_sub(raw, at, step), out);
    downgrade_convert_end(&d, out);
    struct downgrade_report report = d.report;
    downgrade_deinit(&d);
    return report;
}

static struct downgrade_report convert(str raw, size_t step, struct buf *out)
{
    return convert_as(raw, false, step, out);
}

/* RFC 3030 §3: in binary content a line ends with CRLF, and base64 keeps all else. */
static void binary_content(void **state)
{
    static const struct {
        str raw;
        const char *want;
    } rows[] = {
        {S("Content-Type: a/b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r\n\r"),
         "Content-Type: a/b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\n\r\nAAoNCg0=\n"},
        {S("MIME-Version: 1.0\r\n\r\nx\ny\r\n"),
         "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\n\r\neAp5DQo=\n"},
        {S("MIME-Version: 1.0\r\n\r\n\xe9\r\nx\ny\r\n"),
         "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\n\r\n6Q0KeAp5DQo=\n"},
        {S("MIME-Version: 1.0\r\n\r\n\xe9\r\nx\r\n"),
         "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\n\r\n=E9\r\nx\r\n"},
        {S("Content-Transfer-Encoding: base64\r\n\r\nAAAA\nAAAA\r\n"),
         "Content-Transfer-Encoding: base64\r\n\r\nAAAA\nAAAA\r\n"},
        {S("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: "
           "a/b\r\n\r\n\n\r\n--b--\r\n"),
         "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: "
         "a/b\r\nContent-Transfer-Encoding: base64\n\r\nCg==\r\n--b--\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 80; step++) {
            AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
            (void)convert_as(rows[i].raw, true, step, &out);
            if (!str_eq(buf_str(&out), str_c(rows[i].want)))
                fail_msg("%zu by %zu:\n%s", i, step, buf_cstr(&out));
        }
}

static void parts(void **state)
{
    static const struct {
        const char *raw, *want;
        size_t converted;
    } rows[] = {
        /* a message that is no MIME */
        {"Subject: x\n\n\xe9t\xe9 \nx=y\n",
         "Subject: x\nMIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n=E9t=E9=20\nx=3Dy\n",
         1},
        /* the label is written anew where it was, further ones go */
        {"MIME-Version: 1.0\nContent-Transfer-Encoding:\n 8bit\nX: y\ncontent-transfer-encoding: "
         "8bit\n\n\xe9\n",
         "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\nX: y\n\n=E9\n", 1},
        /* a label alone */
        {"Content-Transfer-Encoding: BINARY\n\nx\n", "Content-Transfer-Encoding: 7bit\n\nx\n", 0},
        /* nothing to do */
        {"Subject: x\n\nx=\n--\n", "Subject: x\n\nx=\n--\n", 0},
        /* base64 keeps the line ends that were on the wire; the one before the delimiter is not the part's */
        {"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\n--b\nContent-Type: "
         "a/b\n\n\xff\n\n--b--\n",
         "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 7bit\n\n--b\nContent-Type: "
         "a/b\n"
         "Content-Transfer-Encoding: base64\n\n/w0K\n--b--\n",
         1},
        {"Content-Type: a/b\nMIME-Version: 1.0\n\n\xff\n",
         "Content-Type: a/b\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n/w0K\n", 1},
        /* inside of an attached message, and not around it */
        {"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nMIME-Version: 1.0\n\n\xc3\xa9",
         "Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nMIME-Version: 1.0\n"
         "Content-Transfer-Encoding: quoted-printable\n\n=C3=A9",
         1},
        /* RFC 6532 §3.7: this one is encoded whole */
        {"MIME-Version: 1.0\nContent-Type: message/global\n\nSubject: \xc3\xa9\n\nx\n",
         "MIME-Version: 1.0\nContent-Type: message/global\nContent-Transfer-Encoding: quoted-printable\n\n"
         "Subject: =C3=A9\n\nx\n",
         1},
        /* encoded already, but not cleanly */
        {"Content-Transfer-Encoding: quoted-printable\n\n=C3\xa9=\n=41\n",
         "Content-Transfer-Encoding: quoted-printable\n\n=C3=A9=\n=41\n", 1},
        {"Content-Transfer-Encoding: base64\n\nAA\xe9 AA\n", "Content-Transfer-Encoding: base64\n\nAAAA\n",
         1},
        /* NUL, and a CR that ends no line */
        {"Subject: x\n\na\rb\r\n",
         "Subject: x\nMIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\na=0Db\r\n", 1},
        /* nothing that looks like a delimiter begins a line, before or after encoding */
        {"MIME-Version: 1.0\n\n--\xe9\n- -\n-\n\n",
         "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\n\n=2D-=E9\n- -\n-\n\n", 1},
        /* around the parts */
        {"Content-Type: multipart/mixed; boundary=\"b\"\n\n-\xe9\n--b\n\nx\n--b--\xe9\n\xe9\n",
         "Content-Type: multipart/mixed; boundary=\"b\"\n\n??\n--b\n\nx\n--b--?\n?\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 80; step++) {
            AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
            struct downgrade_report r = convert(str_c(rows[i].raw), step, &out);
            assert_string_equal(buf_cstr(&out), rows[i].want);
            assert_int_equal(r.converted, rows[i].converted);
            assert_int_equal(r.needed, strcmp(rows[i].raw, rows[i].want) != 0);
            assert_false(r.header_8bit || r.header_long || r.impossible || r.breaks_signed);
        }
}

static void reports(void **state)
{
    enum { HEADER_8BIT = 1, HEADER_LONG = 2, SIGNED = 4, IMPOSSIBLE = 8 };
    AUTO(buf_deinit) struct buf longest = BUF_INIT(4000);
    buf_puts(&longest, S("Subject: "));
    for (size_t i = 0; i < 990; i++)
        buf_putc(&longest, 'x');
    buf_puts(&longest, S("\n\nx\n"));
    const struct {
        const char *raw;
        int flags;
        bool needed;
    } rows[] = {
        {"Subject: \xe9\n\nx\n", HEADER_8BIT, false},
        {buf_cstr(&longest), HEADER_LONG, false},
        {"Content-Transfer-Encoding: uuencode\n\n\xe9\n", IMPOSSIBLE, false},
        {"Content-Transfer-Encoding: uuencode\n\nx\n", 0, false},
        {"Content-Type: multipart/signed; boundary=b\n\n--b\n\n\xe9\n--b\n\nx\n--b--\n", SIGNED, true},
        {"Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: multipart/mixed; "
         "boundary=c\n\n--c\n\nx\n"
         "--c\n\n\xe9\n--b\n\nx\n--b--\n",
         SIGNED, true},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/signed; "
         "boundary=c\n\n--c\n\nx\n"
         "--c--\n--b\n\n\xe9\n--b--\n",
         0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 16);
        struct downgrade_report r = convert(str_c(rows[i].raw), 7, &out);
        int flags = (r.header_8bit ? HEADER_8BIT : 0) | (r.header_long ? HEADER_LONG : 0) |
                    (r.breaks_signed ? SIGNED : 0) | (r.impossible ? IMPOSSIBLE : 0);
        assert_int_equal(flags, rows[i].flags);
        assert_int_equal(r.needed, rows[i].needed);
        assert_int_equal(strcmp(buf_cstr(&out), rows[i].raw) != 0, rows[i].needed);
    }
}

/* Lines over 998 bytes are reason enough, and soft line breaks keep to 76 (RFC 2045 §6.7). */
static void long_lines(void **state)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(4000), out = BUF_INIT(8000);
    buf_puts(&raw, S("MIME-Version: 1.0\n\n"));
    for (size_t i = 0; i < 998; i++)
        buf_putc(&raw, '-');
    struct downgrade_report r = convert(buf_str(&raw), 100, &out);
    assert_false(r.needed);
    buf_putc(&raw, '-');
    buf_reset(&out);
    r = convert(buf_str(&raw), 100, &out);
    assert_int_equal(r.converted, 1);
    str rest = buf_str(&out);
    while (rest.n) {
        str line = str_take(&rest, '\n');
        assert_true(line.n <= 76 && !str_starts(line, S("--")));
    }
}

/* 64 MB in small pieces, in the memory of one piece. */
static void streams(void **state)
{
    struct downgrade d;
    AUTO(buf_deinit) struct buf out = BUF_INIT(2 << 20);
    char piece[65536];
    uint64_t total = 0;
    memset(piece, '\xe9', sizeof piece);
    downgrade_init(&d);
    downgrade_scan(&d, S("Content-Type: a/b\n\n"));
    for (size_t i = 0; i < 1024; i++)
        downgrade_scan(&d, str_mem(piece, sizeof piece));
    downgrade_scan_end(&d);
    downgrade_convert(&d, S("Content-Type: a/b\n\n"), &out);
    buf_reset(&out);
    for (size_t i = 0; i < 1024; i++) {
        downgrade_convert(&d, str_mem(piece, sizeof piece), &out);
        assert_false(out.overflow);
        total += out.n;
        buf_reset(&out);
    }
    downgrade_convert_end(&d, &out);
    total += out.n;
    size_t encoded = (sizeof piece * 1024 + 2) / 3 * 4;
    assert_int_equal(total, encoded + (encoded + 75) / 76);
    assert_int_equal(d.report.converted, 1);
    downgrade_deinit(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(binary_content), cmocka_unit_test(parts),
                                       cmocka_unit_test(reports), cmocka_unit_test(long_lines),
                                       cmocka_unit_test(streams)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
