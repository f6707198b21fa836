/* Trace lines: whatever a client called itself, Received is one header field with balanced comments, and what
 * the other lines say is what was put there. Input: the fields, separated by line feeds; the last may hold
 * any. */
#include "fmt/header.h"
#include "fmt/lex.h"
#include "fmt/mailaddr.h"
#include "fmt/received.h"

#define LINE_BYTES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The one field that the whole block consists of. */
static struct header_field only_field(str block, str name)
{
    struct header_iter it = header_iter(block);
    struct header_field field, more;
    must(header_next(&it, &field) && field.end == block.n && str_eq(field.name, name));
    must(!header_next(&it, &more));
    return field;
}

/* Comments close where they should: "by" and the words behind it stand outside of them (RFC 5321 §4.4). */
static void check_clauses(str value, const struct received *r)
{
    struct buf word = BUF_INIT(LINE_BYTES_MAX);
    struct lex l = {.s = value};
    lex_cfws(&l);
    must(lex_token(&l, &word) && str_eq(buf_str(&word), S("from")));
    lex_cfws(&l);
    while (lex_peek(&l) >= 0 && !strchr(" \t\n(", lex_peek(&l)))
        l.i++;
    lex_cfws(&l);
    must(lex_token(&l, &word) && str_eq(buf_str(&word), S("fromby")));
    ptrdiff_t date = str_rchr(value, ';');
    struct date got;
    must(date > 0 && date_parse_mail(str_from(value, (size_t)date + 1), &got) == RC_OK);
    must(got.seconds == r->date.seconds);
    buf_deinit(&word);
}

static void check_recipient(str text, struct received *r, struct arena *a, struct buf *out)
{
    struct mailaddr addr;
    if (mailaddr_parse(text, a, &addr) != RC_OK)
        return;
    r->recipient = mailaddr_str(a, &addr);
    received_put_return_path(out, r->recipient);
    str value = only_field(buf_str(out), S("Return-Path")).value;
    must(value.n == r->recipient.n + 3);
    buf_reset(out);
    received_put_delivered_to(out, r->recipient);
    value = only_field(buf_str(out), S("Delivered-To")).value;
    must(str_eq(str_trim(value), str_trim(r->recipient)));
    buf_reset(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > LINE_BYTES_MAX / 8)
        return 0;
    str in = str_mem(data + 1, size - 1);
    struct received_with w = {.lmtp = data[0] & 1,
                              .extended = data[0] & 2,
                              .tls = data[0] & 4,
                              .authenticated = data[0] & 8,
                              .utf8 = data[0] & 16};
    struct received r = {
        .with = received_with_keyword(w), .id = S("4bXkQ"), .date = {.seconds = data[0] * 7919}};
    struct buf out = BUF_INIT(LINE_BYTES_MAX);
    struct arena *a = arena_new(LINE_BYTES_MAX);
    r.name = str_take(&in, '\n');
    r.by = str_take(&in, '\n');
    r.address = str_take(&in, '\n');
    check_recipient(str_take(&in, '\n'), &r, a, &out);
    r.helo = in;
    if (w.tls) {
        r.tls_version = S("TLSv1.3");
        r.tls_cipher = S("TLS_AES_256_GCM_SHA384");
        r.tls_bits = r.tls_alg_bits = 256;
    }
    received_put(&out, &r);
    check_clauses(only_field(buf_str(&out), S("Received")).value, &r);
    buf_deinit(&out);
    arena_free(a);
    return 0;
}
