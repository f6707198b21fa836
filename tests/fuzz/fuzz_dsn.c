/* A notification about hostile words: three parts, lines that fit, no control characters, and the message
 * inside as it was. The input is texts separated by 0xff; the first byte chooses UTF-8, action and content.
 */
#include "base/utf8.h"
#include "fmt/dsn.h"
#include "fmt/header.h"
#include "fmt/mime.h"
#include "fmt/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(str text, bool utf8)
{
    must(utf8 ? utf8_valid(text) : utf8_is_ascii(text));
    while (text.n) {
        str line = str_take(&text, '\n');
        must(line.n <= 998);
        for (size_t i = 0; i < line.n; i++)
            must((unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f);
    }
}

static void check_xtext(str s, struct arena *a)
{
    struct buf text = BUF_INIT(12 * s.n + 1), back = BUF_INIT(12 * s.n + 1);
    str plain;
    xtext_put(&text, s);
    must(smtp_cmd_decode_xtext(buf_str(&text), a, &plain) == RC_OK && str_eq(plain, s));
    buf_reset(&text);
    if (xtext_decode_utf8_addr(&text, s) == RC_OK) {
        struct buf coded = BUF_INIT(12 * s.n + 1);
        must(utf8_valid(buf_str(&text)));
        xtext_put_utf8_addr(&coded, buf_str(&text));
        must(utf8_is_ascii(buf_str(&coded)));
        must(xtext_decode_utf8_addr(&back, buf_str(&coded)) == RC_OK &&
             str_eq(buf_str(&back), buf_str(&text)));
        buf_deinit(&coded);
    }
    buf_deinit(&text);
    buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    str rest = str_mem(data + 1, size - 1), text[9];
    for (size_t i = 0; i < 9; i++)
        text[i] = str_take(&rest, (char)0xff);
    struct arena *a = arena_new(64 << 20);
    struct buf out = BUF_INIT(16 << 20);
    struct dsn_rcpt r = {.recipient = str_sub(text[0], 0, 320),
                         .orcpt_type = str_sub(text[1], 0, 20),
                         .orcpt = str_sub(text[2], 0, 90),
                         .action = data[0] >> 1 & 3,
                         .status = text[3],
                         .remote_mta = text[4],
                         .diagnostic = text[5],
                         .last_attempt = 1,
                         .will_retry_until = 2};
    struct dsn d = {.hostname = S("mx.example"),
                    .to = S("a@b"),
                    .id = text[6],
                    .message_id = text[7],
                    .envid = text[8],
                    .received_from = text[6],
                    .now = {1, 60},
                    .seed = S("0123456789abcdef"),
                    .utf8 = data[0] & 1,
                    .content = data[0] & 8 ? DSN_CONTENT_FULL : DSN_CONTENT_HEADER,
                    .rcpts = &r,
                    .rcpt_count = 1};
    dsn_put_head(&out, &d);
    must(!out.overflow);
    check_lines(buf_str(&out), d.utf8);
    size_t head = out.n;
    buf_puts(&out, rest);
    dsn_put_tail(&out, &d);
    struct mime_part *root;
    must(mime_parse(buf_str(&out), a, NULL, &root) == RC_OK);
    must(root->kind == MIME_MULTIPART && root->child && root->child->next && root->child->next->next);
    must(root->child->next->next->header.end == head);
    size_t end = root->last_child->body.end - head; /* a header that never ended takes one line end more */
    if (str_find(rest, S("--=_3031")) < 0 && !str_ends(rest, S("\r")))
        must(end == rest.n || (d.content == DSN_CONTENT_FULL && end == rest.n + 1));
    check_xtext(text[0], a);
    buf_deinit(&out);
    arena_free(a);
    return 0;
}
