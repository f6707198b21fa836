/* Whole messages: the tree keeps its invariants (mime.h), its sizes are those of the bytes, ENVELOPE and
 * BODYSTRUCTURE are balanced and the same when told again, and the decoded text is UTF-8. Also replays
 * tests/corpus. */
#include "base/utf8.h"
#include "fmt/bodystructure.h"
#include "fmt/bodytext.h"
#include "fmt/crlf.h"
#include "fmt/envelope.h"
#include "fmt/mime.h" /* mime.c and mime_find.c */
#include "fmt/mime_fields.h"

#define TEXT_MAX (64 << 20)

enum { SIBLINGS_MAX = 20, NUMBERS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(str raw, struct mime_span s)
{
    must(s.start <= s.end && s.end <= raw.n);
    str bytes = str_sub(raw, s.start, s.end - s.start);
    char before = '\0';
    if (s.start > 0)
        before = raw.p[s.start - 1];
    must(s.crlf == bytes.n + crlf_bare(bytes, before) && s.lines == crlf_lines(bytes));
}

static void check_part(str raw, const struct mime_part *part)
{
    size_t from = part->body.start, children = 0;
    check_span(raw, part->header);
    check_span(raw, part->body);
    must(part->header.end == part->body.start);
    for (const struct mime_part *c = part->child; c; c = c->next) {
        must(c->parent == part && c->header.start >= from && c->body.end <= part->body.end);
        must(c->next || c == part->last_child);
        check_part(raw, c);
        from = c->body.end;
        children++;
    }
    must(part->kind != MIME_LEAF || children == 0);
    must(part->kind != MIME_MESSAGE || children == 1);
}

/* The part that is reached by these numbers has its sections inside the message (RFC 9051 §6.4.5.1). */
static void check_sections(str raw, const struct mime_part *root, const struct mime_part *part,
                           const uint32_t *numbers, size_t n)
{
    struct mime_span body, mime, inner;
    must(mime_find(root, numbers, n) == part);
    must(mime_section(root, numbers, n, MIME_SECTION_BODY, &body) && body.end <= raw.n);
    must(n == 0 || (body.start == part->body.start && body.end == part->body.end));
    must(mime_section(root, numbers, n, MIME_SECTION_MIME, &mime) == (n > 0));
    must(n == 0 || (mime.start == part->header.start && mime.end == part->header.end));
    for (int which = MIME_SECTION_HEADER; which <= MIME_SECTION_TEXT; which++)
        if (mime_section(root, numbers, n, (enum mime_section)which, &inner))
            must(inner.start >= body.start && inner.start <= inner.end && inner.end <= body.end);
        else
            must(n > 0 && part->kind != MIME_MESSAGE);
}

/* message is the root or what a message/rfc822 part holds; its parts are counted from 1, itself when it has
 * none. */
static void check_numbers(str raw, const struct mime_part *root, const struct mime_part *message,
                          uint32_t *numbers, size_t n)
{
    const struct mime_part *part = message->kind == MIME_MULTIPART ? message->child : message;
    for (numbers[n] = 1; part && numbers[n] <= SIBLINGS_MAX && n + 1 < NUMBERS_MAX; numbers[n]++) {
        check_sections(raw, root, part, numbers, n + 1);
        if (part->kind == MIME_MESSAGE)
            check_numbers(raw, root, part->child, numbers, n + 1);
        else if (part->kind == MIME_MULTIPART && part != message)
            check_numbers(raw, root, part, numbers, n + 1);
        part = part == message ? NULL : part->next;
    }
}

/* Parentheses balance and literals are whole: what a client's parser relies on. */
static void check_balanced(str text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"') {
            for (i++; i < text.n && text.p[i] != '"'; i++)
                i += text.p[i] == '\\';
            must(i < text.n);
        } else if (c == '{') {
            size_t n = 0;
            for (i++; i < text.n && ascii_digit(text.p[i]); i++)
                n = n * 10 + (size_t)(text.p[i] - '0');
            must(str_starts(str_from(text, i), S("}\r\n")) && n <= text.n - i - 3);
            i += 2 + n;
        } else {
            must(c == '(' || c == ')' || c == ' ' || ascii_alnum(c));
            depth += c == '(';
            must(c != ')' || depth > 0);
            depth -= c == ')';
            must(depth || i + 1 == text.n);
        }
    }
    must(depth == 0 && str_chr(text, '\0') < 0);
}

static void tell(struct buf *out, str raw, const struct mime_part *root, struct arena *a)
{
    envelope_put(out, str_sub(raw, 0, root->header.end), a);
    must(!out->overflow);
    check_balanced(buf_str(out));
    size_t envelope = out->n;
    bodystructure_put(out, raw, root, true, a);
    check_balanced(str_from(buf_str(out), envelope));
}

static bool check_text(void *arg, const struct mime_part *part, str utf8, bool first)
{
    must(part && utf8.n && utf8_valid(utf8));
    size_t *budget = arg;
    *budget -= utf8.n < *budget ? utf8.n : *budget;
    return *budget > 0;
}

/* The fields of a part say the same when they are read alone. */
static void check_fields(str raw, const struct mime_part *part, struct arena *a)
{
    struct buf scratch = BUF_INIT(MIME_VALUE_MAX);
    struct mime_part alone = {.kind = MIME_LEAF};
    str block = str_sub(raw, part->header.start, part->header.end - part->header.start);
    mime_fields_parse(&alone, block, a, &scratch);
    must(str_eq(alone.type, part->type) && str_eq(alone.subtype, part->subtype));
    must(str_eq(alone.encoding, part->encoding) && alone.params.n == part->params.n);
    must(mime_is(&alone, S("text"), S("plain")) || alone.type.p);
    for (size_t i = 0; i < alone.params.n; i++)
        must(mime_param(&alone.params, alone.params.p[i].name).p &&
             alone.params.p[i].value.n <= MIME_VALUE_MAX);
    buf_deinit(&scratch);
}

static void check_message(str raw, struct arena *a, const struct mime_limits *limits, struct buf *out)
{
    struct mime_part *root = NULL;
    if (mime_parse(raw, a, limits, &root) != RC_OK) {
        must(arena_exhausted(a));
        return;
    }
    size_t budget = 1 << 20;
    must(root->header.start == 0 && root->body.end == raw.n && !root->next);
    uint32_t numbers[NUMBERS_MAX];
    check_part(raw, root);
    check_sections(raw, root, root, NULL, 0);
    check_numbers(raw, root, root, numbers, 0);
    check_fields(raw, root, a);
    tell(out, raw, root, a);
    (void)bodytext_each(raw, root, BODYTEXT_ALL, check_text, &budget);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mime_limits tight = {.depth = 3, .parts = 6}, single = {.depth = 0, .parts = 1};
    str raw = str_mem(data, size);
    struct arena *a = arena_new(256 << 20), *small = arena_new(4 << 20);
    struct buf first = BUF_INIT(TEXT_MAX), second = BUF_INIT(TEXT_MAX), other = BUF_INIT(TEXT_MAX);
    check_message(raw, a, NULL, &first);
    check_message(raw, a, NULL, &second);
    must(str_eq(buf_str(&first), buf_str(&second)));
    check_message(raw, a, &tight, &other);
    struct mime_part *root;
    must(mime_parse(raw, small, &single, &root) == RC_OK && root->kind == MIME_LEAF);
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&other);
    arena_free(a);
    arena_free(small);
    return 0;
}
