/* Threads (RFC 5256 §3). A message is "uid date id references subject", "-" for none; "Re:" before the
 * subject makes it a reply. */
#include "base/buf.h"
#include "base/num.h"
#include "imap/thread.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MESSAGES_MAX = 20 };

static str field(str *line)
{
    str s = str_take(line, ' ');
    return str_eq(s, S("-")) ? S("") : s;
}

/* References are written "a,b". */
static str references(struct arena *a, str ids)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1000);
    while (ids.n) {
        str id = str_take(&ids, ',');
        buf_printf(&b, "<" STR_FMT "> ", STR_ARG(id));
    }
    return arena_str(a, buf_str(&b));
}

static struct thread_message message(struct arena *a, str line)
{
    struct thread_message m = {0};
    uint32_t date;
    assert_int_equal(num_parse_u32(field(&line), UINT32_MAX, &m.uid), RC_OK);
    assert_int_equal(num_parse_u32(field(&line), UINT32_MAX, &date), RC_OK);
    m.date = date;
    m.id = field(&line);
    m.references = references(a, field(&line));
    m.subject = field(&line);
    m.reply = str_starts(m.subject, S("Re:"));
    if (m.reply)
        m.subject = str_from(m.subject, 3);
    return m;
}

/* "1(2 3)": a message with its children; "?" for one that is not there. */
static void put_node(struct buf *out, const struct thread_node *node)
{
    if (node->message)
        buf_printf(out, "%u", node->message->uid);
    else
        buf_putc(out, '?');
    if (node->child)
        buf_putc(out, '(');
    for (const struct thread_node *c = node->child; c; c = c->next) {
        assert_ptr_equal(c->parent, node);
        put_node(out, c);
        buf_putc(out, c->next ? ' ' : ')');
    }
}

static void check(enum thread_algorithm algorithm, const char *lines, const char *want)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    AUTO(buf_deinit) struct buf got = BUF_INIT(10000);
    struct thread_message v[MESSAGES_MAX];
    struct thread_node *root = NULL;
    size_t n = 0;
    for (str rest = str_c(lines); rest.n; n++)
        v[n] = message(a, str_take(&rest, '\n'));
    assert_int_equal(thread_build(algorithm, v, n, a, &root), RC_OK);
    for (const struct thread_node *c = root->child; c; c = c->next) {
        put_node(&got, c);
        buf_puts(&got, c->next ? S(" ") : S(""));
    }
    if (!str_eq(buf_str(&got), str_c(want)))
        fail_msg("%s\ngives %s\nand not %s", lines, buf_cstr(&got), want);
}

static void test_ordered_subject(void **state)
{
    (void)state;
    check(THREAD_ORDEREDSUBJECT, "", "");
    check(THREAD_ORDEREDSUBJECT, "1 10 - - a", "1");
    check(THREAD_ORDEREDSUBJECT, "1 30 - - b\n2 20 - - a\n3 10 - - b\n4 40 - - a\n5 50 - - Re:b",
          "3(1 5) 2(4)");
    check(THREAD_ORDEREDSUBJECT, "1 10 - - a\n2 10 - - a\n3 5 - - c", "3 1(2)");
}

static void test_references(void **state)
{
    (void)state;
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 b a y\n3 3 c a,b z", "1(2(3))");
    check(THREAD_REFERENCES, "1 3 c a,b z\n2 2 b a y\n3 1 a - x", "3(2(1))");
    /* the children of a message are in order of date */
    check(THREAD_REFERENCES, "1 1 a - x\n2 9 b a y\n3 5 c a z", "1(3 2)");
    /* one that is not there is left out, and stays as the root of several */
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 c a,b y", "1(2)");
    check(THREAD_REFERENCES, "1 1 b a x", "1");
    check(THREAD_REFERENCES, "1 2 b a x\n2 1 c a y", "?(2 1)");
    check(THREAD_REFERENCES, "1 2 b a,q x\n2 1 c a,q y\n3 0 d - z", "3 ?(2 1)");
    /* loops are not made: RFC 5256 §3, step 1 */
    check(THREAD_REFERENCES, "1 1 a b x\n2 2 b a y", "2(1)");
    check(THREAD_REFERENCES, "1 1 a a x", "1");
    check(THREAD_REFERENCES, "1 1 a b,c,b x\n2 2 b - y\n3 3 c - z", "2(1 3)");
    /* two messages with one id, and messages without any */
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 a - y\n3 3 b a z\n4 4 - - w", "1(3) 2 4");
}

static void test_subjects(void **state)
{
    (void)state;
    /* step 5: a reply goes below the message with its subject */
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 b - Re:x", "1(2)");
    check(THREAD_REFERENCES, "1 1 a - Re:x\n2 2 b - x", "2(1)");
    /* neither is a reply, or both: below a new node */
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 b - x\n3 3 c - x", "?(1 2 3)");
    check(THREAD_REFERENCES, "1 1 a - Re:x\n2 2 b - Re:x", "?(1 2)");
    check(THREAD_REFERENCES, "1 1 a - x\n2 2 b - Re:x\n3 3 c - x", "?(1(2) 3)");
    /* a node without a message takes the others of its subject */
    check(THREAD_REFERENCES, "1 1 b a x\n2 2 c a x\n3 3 d - Re:x", "?(1 2 3)");
    check(THREAD_REFERENCES, "1 1 b a x\n2 2 c a y\n3 3 d e x\n4 4 f e z", "?(1 2 3 4)");
    /* no subject joins nothing */
    check(THREAD_REFERENCES, "1 1 a - -\n2 2 b - -", "1 2");
    /* a thread is dated by its first message, not by what joined it */
    check(THREAD_REFERENCES, "1 5 a - Re:x\n2 9 b - x\n3 7 c - y", "3 2(1)");
}

static void test_refs(void **state)
{
    (void)state;
    check(THREAD_REFS, "1 1 a - x\n2 2 b - Re:x", "1 2");
    check(THREAD_REFS, "1 1 a - x\n2 2 b - y\n3 3 c a z", "2 1(3)");
    check(THREAD_REFS, "1 9 b a x\n2 1 c a y\n3 5 d - z", "3 ?(2 1)");
}

/* A chain longer than the limit is cut, and nothing recurses. */
static void test_deep(void **state)
{
    enum { N = 5000 };
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    struct thread_message *v = arena_array(a, N, sizeof *v);
    struct thread_node *root;
    (void)state;
    for (uint32_t i = 0; i < N; i++)
        v[i] = (struct thread_message){.uid = i + 1,
                                       .date = i,
                                       .id = arena_printf(a, "%u", i),
                                       .references = i ? arena_printf(a, "<%u>", i - 1) : S("")};
    assert_int_equal(thread_build(THREAD_REFERENCES, v, N, a, &root), RC_OK);
    size_t threads = 0, depth = 0, deepest = 0;
    for (const struct thread_node *c = root->child; c; c = c->next, threads++) {
        depth = 0;
        for (const struct thread_node *d = c; d; d = d->child)
            depth++;
        deepest = depth > deepest ? depth : deepest;
    }
    assert_int_equal(threads, N / THREAD_DEPTH_MAX);
    assert_int_equal(deepest, THREAD_DEPTH_MAX);
}

static void test_arena_exhausted(void **state)
{
    const struct thread_message v[] = {{.uid = 1, .id = S("a")},
                                       {.uid = 2, .id = S("b"), .references = S("<a> <c>")}};
    (void)state;
    for (size_t room = 0; room < 600; room += 16) {
        AUTO(arena_freep) struct arena *a = arena_new(room);
        struct thread_node *root;
        for (int algorithm = THREAD_ORDEREDSUBJECT; algorithm <= THREAD_REFS; algorithm++) {
            enum rc rc = thread_build((enum thread_algorithm)algorithm, v, 2, a, &root);
            assert_true(rc == RC_LIMIT || rc == RC_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordered_subject),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_refs),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_arena_exhausted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
