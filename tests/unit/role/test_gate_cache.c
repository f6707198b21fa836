/* role/gate_cache: clients are found again, also in the next process; what is damaged is not; a full cache
 * forgets who expires first. */
#include "role/gate_cache.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/malle-gate-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/gate-cache", folder);
    return 0;
}

static int remove_folder(void **state)
{
    unlink(path);
    return rmdir(folder);
}

static struct gate_record client(uint32_t number, uint32_t until)
{
    struct gate_record r = {.until = {0, until}};
    memcpy(r.address + 12, &number, sizeof number);
    return r;
}

static bool knows(struct gate_cache *c, uint32_t number, uint32_t until)
{
    struct gate_record r = client(number, until), found;
    return gate_cache_find(c, r.address, &found) == RC_OK && memcmp(&r, &found, sizeof r) == 0;
}

static void put(struct gate_cache *c, uint32_t number, uint32_t until)
{
    struct gate_record r = client(number, until);
    gate_cache_put(c, &r);
}

static void remembers(void **state)
{
    struct gate_cache *c = gate_cache_open(folder, 100);
    assert_false(knows(c, 1, 10));
    put(c, 1, 10);
    put(c, 2, 20);
    put(c, 1, 11);
    assert_true(knows(c, 1, 11) && knows(c, 2, 20));
    c = gate_cache_close(c);
    c = gate_cache_open(folder, 100);
    assert_true(knows(c, 1, 11) && knows(c, 2, 20));
    c = gate_cache_close(c);
    c = gate_cache_open(folder, 200); /* another size is another file */
    assert_false(knows(c, 1, 11) || knows(c, 2, 20));
    assert_null(gate_cache_close(c));
}

static void without_a_file(void **state)
{
    struct gate_cache *c = gate_cache_open(NULL, 8);
    put(c, 1, 10);
    assert_true(knows(c, 1, 10));
    gate_cache_close(c);
    assert_int_equal(access(path, F_OK), -1);
    assert_null(gate_cache_open(folder, 0));
    assert_false(knows(NULL, 1, 10));
    put(NULL, 1, 10);
}

static void full(void **state)
{
    struct gate_cache *c = gate_cache_open(NULL, 8); /* one bucket */
    for (uint32_t i = 1; i <= 8; i++)
        put(c, i, 100 - i);
    put(c, 9, 50);
    assert_false(knows(c, 8, 92));
    assert_true(knows(c, 9, 50) && knows(c, 1, 99) && knows(c, 7, 93));
    put(c, 10, 60);
    assert_false(knows(c, 9, 50));
    gate_cache_close(c);
}

/* Each byte of a record matters; one that does not match its hash is free. */
static void damage(void **state)
{
    struct gate_cache *c = gate_cache_open(folder, 8);
    char record[GATE_RECORD_SIZE];
    put(c, 1, 10);
    gate_cache_close(c);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && pread(fd, record, sizeof record, 64) == sizeof record);
    for (size_t i = 0; i < sizeof record; i++) {
        char wrong = (char)(record[i] ^ 1);
        assert_int_equal(pwrite(fd, &wrong, 1, (off_t)(64 + i)), 1);
        c = gate_cache_open(folder, 8);
        assert_false(knows(c, 1, 10));
        gate_cache_close(c);
        assert_int_equal(pwrite(fd, &record[i], 1, (off_t)(64 + i)), 1);
    }
    close(fd);
    c = gate_cache_open(folder, 8);
    assert_true(knows(c, 1, 10));
    gate_cache_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(without_a_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(full, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
