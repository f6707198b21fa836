/* verify_db: what is known of addresses, probes that are under way, and that all of it is there after opening
 * anew. */
#include "queue/verify_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/malle-verify-XXXXXX", path[100];

static struct verify_db *open_db(void)
{
    struct verify_db *v = NULL;
    struct err e = {0};
    assert_int_equal(verify_db_open(path, &v, &e), RC_OK);
    return v;
}

static void check(struct verify_db *v, const char *address, enum verify_status status, const char *text,
                  int64_t updated, int64_t probed)
{
    AUTO(arena_freep) struct arena *a = arena_new(10000);
    struct verify_entry one;
    struct err e = {0};
    assert_int_equal(verify_db_find(v, str_c(address), a, &one, &e), RC_OK);
    assert_int_equal(one.status, status);
    assert_true(str_eq(one.text, str_c(text)));
    assert_int_equal(one.updated, updated);
    assert_int_equal(one.probed, probed);
}

static void probes_go_and_come(void **state)
{
    AUTO(arena_freep) struct arena *a = arena_new(10000);
    struct verify_db *v = open_db();
    struct verify_entry one;
    struct err e = {0};
    int64_t pending = -1;
    assert_int_equal(verify_db_find(v, S("a@x.example"), a, &one, &e), RC_GONE);
    assert_int_equal(verify_db_note_probe(v, S("a@x.example"), 1000, 0, &e), RC_OK);
    assert_int_equal(verify_db_note_probe(v, S("b@x.example"), 2000, 0, &e), RC_OK);
    check(v, "a@x.example", VERIFY_UNKNOWN, "", 0, 1000);
    assert_int_equal(verify_db_pending(v, 500, &pending, &e), RC_OK);
    assert_int_equal(pending, 2);
    assert_int_equal(verify_db_pending(v, 1500, &pending, &e), RC_OK);
    assert_int_equal(pending, 1);
    assert_int_equal(verify_db_put(v, S("a@x.example"), VERIFY_UNDELIVERABLE, S("550 no"), 3000, &e), RC_OK);
    check(v, "a@x.example", VERIFY_UNDELIVERABLE, "550 no", 3000, 0);
    assert_int_equal(verify_db_note_probe(v, S("a@x.example"), 4000, 0, &e), RC_OK);
    check(v, "a@x.example", VERIFY_UNDELIVERABLE, "550 no", 3000, 4000); /* counts until it comes back */
    verify_db_close(v);
    v = open_db();
    check(v, "a@x.example", VERIFY_UNDELIVERABLE, "550 no", 3000, 4000);
    assert_int_equal(verify_db_put(v, S("c@x.example"), VERIFY_OK, S(""), 5000, &e),
                     RC_OK); /* nobody asked */
    assert_int_equal(verify_db_find(v, S("c@x.example"), a, &one, &e), RC_GONE);
    verify_db_close(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(probes_go_and_come)};
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/verify.db", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        char name[120];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
    return rmdir(folder) == 0 ? failed : 1;
}
