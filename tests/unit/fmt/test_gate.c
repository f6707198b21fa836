/* gate_sites: lists of the gate and their scores; gate_record: what its cache keeps; gate_text. */
#include "fmt/gate_record.h"
#include "fmt/gate_sites.h"
#include "fmt/gate_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void sites(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        const char *domain;
        int weight;
        bool filtered;
    } rows[] = {
        {"bl.example", RC_OK, "bl.example", 1, false},
        {"bl.example*3", RC_OK, "bl.example", 3, false},
        {"bl.example*+3", RC_OK, "bl.example", 3, false},
        {" ,\tbl.example=127.0.0.[2..11]*2", RC_OK, "bl.example", 2, true},
        {"list.dnswl.org=127.0.[0..255].[1..3]*-4", RC_OK, "list.dnswl.org", -4, true},
        {"bl.example*0", RC_OK, "bl.example", 0, false},
        {"bl.example*1000000", RC_OK, "bl.example", 1000000, false},
        {"bl.example*1000001", RC_INVALID, NULL, 0, false},
        {"bl.example*", RC_INVALID, NULL, 0, false},
        {"bl.example*-", RC_INVALID, NULL, 0, false},
        {"bl.example*--1", RC_INVALID, NULL, 0, false},
        {"*3", RC_INVALID, NULL, 0, false},
        {"bl.example=127.0.0*2", RC_INVALID, NULL, 0, false},
        {"", RC_GONE, NULL, 0, false},
        {" , ", RC_GONE, NULL, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gate_site site;
        str text = str_c(rows[i].text);
        if (gate_site_take(&text, &site, NULL) != rows[i].rc)
            fail_msg("%s", rows[i].text);
        if (rows[i].rc != RC_OK)
            continue;
        assert_true(str_eq(site.list.domain, str_c(rows[i].domain)));
        assert_int_equal(site.weight, rows[i].weight);
        assert_int_equal(site.list.filtered, rows[i].filtered);
        assert_int_equal(gate_site_take(&text, &site, NULL), RC_GONE);
    }
}

static void scores(void **state)
{
    static const uint8_t two[4] = {127, 0, 0, 2}, four[4] = {127, 0, 0, 4}, well[4] = {127, 0, 5, 1};
    str text = S("bl.example=127.0.0.2*3, bl.example=127.0.0.4*5 wl.example*-4");
    const str both[] = {str_mem(two, 4), str_mem(four, 4)}, good[] = {str_mem(well, 4)};
    struct gate_site site[3], more;
    struct gate_score score = {0};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(gate_site_take(&text, &site[i], NULL), RC_OK);
    assert_int_equal(gate_site_take(&text, &more, NULL), RC_GONE);

    assert_false(gate_score_add(&score, &site[0], good, 1));
    assert_false(gate_score_add(&score, &site[0], NULL, 0));
    assert_int_equal(score.total, 0);
    assert_null(score.heaviest);
    assert_true(gate_score_add(&score, &site[2], good, 1));
    assert_int_equal(score.total, -4);
    assert_true(gate_score_add(&score, &site[0], both, 2));
    assert_int_equal(score.total, -1);
    assert_ptr_equal(score.heaviest, &site[0]);
    assert_true(gate_score_add(&score, &site[1], both, 2));
    assert_int_equal(score.total, 4);
    assert_ptr_equal(score.heaviest, &site[1]);
    assert_true(gate_score_add(&score, &site[0], both, 2));
    assert_ptr_equal(score.heaviest, &site[1]);
}

static void records(void **state)
{
    static const uint64_t key[2] = {1, 2}, other[2] = {1, 3};
    struct gate_record r = {.address = {1, 2, 16}, .until = {10, 0x80000001, 0, 7, 8}}, back;
    char bytes[GATE_RECORD_SIZE];
    gate_record_format(&r, key, bytes);
    assert_int_equal(gate_record_parse(bytes, key, &back), RC_OK);
    assert_memory_equal(&r, &back, sizeof r);
    assert_int_equal(gate_record_end(&back), 0x80000001);
    assert_int_equal((unsigned char)bytes[16], 10);
    assert_int_equal((unsigned char)bytes[23], 0x80);
    assert_int_equal(gate_record_parse(bytes, other, &back), RC_INVALID);
    for (size_t i = 0; i < GATE_RECORD_SIZE; i++) {
        bytes[i] = (char)(bytes[i] ^ 4);
        assert_int_equal(gate_record_parse(bytes, key, &back), RC_INVALID);
        bytes[i] = (char)(bytes[i] ^ 4);
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(gate_record_parse(bytes, key, &back), RC_INVALID);
}

static void texts(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100);
    gate_text_put(&out, S("EHLO a\\b\r\n\t\x16\x03\x7f\xff\0."));
    assert_string_equal(buf_cstr(&out), "EHLO a\\\\b\\r\\n\\t\\026\\003\\177\\377\\000.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites),
        cmocka_unit_test(scores),
        cmocka_unit_test(records),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
