/* maps: the orders of virtual(5), aliases(5), transport(5), access(5). The keys of a search are seen by a
 * table that fails at the key under test, and by what is found. */
#include "table/maps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool is_ours(void *ctx, str domain)
{
    return str_ieq(domain, S("ours.example"));
}

static const struct maps_rules plus = {.delimiters = "+", .is_ours = is_ours};

typedef enum rc find_fn(struct table_list *, str, const struct maps_rules *, struct arena *,
                        struct maps_found *, struct err *);

/* Asks tables that know `present`, separated by blanks; the key that was found, or "". */
static const char *ask(find_fn *find, const char *address, const struct maps_rules *rules,
                       const char *present, const char **ret_extension)
{
    static char key[200], extension[50], list[1000];
    size_t n = (size_t)snprintf(list, sizeof list, "inline:{{nobody=x}");
    struct arena *a = arena_new(65536);
    struct table_list *l = NULL;
    struct maps_found found = {0};
    struct err e = {0};
    str rest = str_c(present), word;
    while ((word = str_word(&rest)).n > 0)
        n += (size_t)snprintf(list + n, sizeof list - n, " {" STR_FMT "=v}", STR_ARG(word));
    snprintf(list + n, sizeof list - n, "}");
    assert_int_equal(table_list_open(&(str){list, strlen(list)}, 1, NULL, &l, &e), RC_OK);
    enum rc rc = find(l, str_c(address), rules, a, &found, &e);
    assert_true(rc == RC_OK || rc == RC_GONE);
    assert_int_equal(str_copy(key, sizeof key, found.key), RC_OK);
    assert_int_equal(str_copy(extension, sizeof extension, found.extension), RC_OK);
    if (ret_extension)
        *ret_extension = extension;
    table_list_close(l);
    arena_free(a);
    return key;
}

/* Every key of `order` (separated by blanks) is found, and the earlier one when two are there. */
static void expect_order(find_fn *find, const char *address, const struct maps_rules *rules,
                         const char *order)
{
    str rest = str_c(order), word, before = STR_NONE;
    while ((word = str_word(&rest)).n > 0) {
        char both[400];
        snprintf(both, sizeof both, STR_FMT, STR_ARG(word));
        assert_string_equal(ask(find, address, rules, both, NULL), both);
        if (before.n > 0) {
            char first[200];
            snprintf(both, sizeof both, STR_FMT " " STR_FMT, STR_ARG(word), STR_ARG(before));
            snprintf(first, sizeof first, STR_FMT, STR_ARG(before));
            assert_string_equal(ask(find, address, rules, both, NULL), first);
        }
        before = word;
    }
}

static void addresses(void **state)
{
    const char *extension;
    expect_order(maps_find_address, "joe+x@ours.example", &plus,
                 "joe+x@ours.example joe@ours.example joe+x joe @ours.example");
    expect_order(maps_find_address, "joe+x@other.example", &plus,
                 "joe+x@other.example joe@other.example @other.example");
    expect_order(maps_find_address, "joe+x", &plus, "joe+x joe");
    assert_string_equal(
        ask(maps_find_address, "joe@other.example", &plus, "joe other.example .example", NULL), "");
    assert_string_equal(ask(maps_find_address, "joe+x@a", NULL, "joe@a", NULL), "");
    ask(maps_find_address, "joe+x@ours.example", &plus, "joe@ours.example", &extension);
    assert_string_equal(extension, "+x");
    ask(maps_find_address, "joe+x@ours.example", &plus, "joe+x", &extension);
    assert_string_equal(extension, "");
    ask(maps_find_address, "joe+x@ours.example", &plus, "joe", &extension);
    assert_string_equal(extension, "+x");
    ask(maps_find_address, "joe+x@ours.example", &plus, "@ours.example", &extension);
    assert_string_equal(extension, "+x");
}

static void delimiters(void **state)
{
    const struct maps_rules both = {.delimiters = "-+"};
    assert_string_equal(ask(maps_find_address, "a-b+c@d", &both, "a@d a-b@d", NULL), "a@d");
    assert_string_equal(ask(maps_find_address, "owner-list@d", &both, "owner@d", NULL), "");
    assert_string_equal(ask(maps_find_address, "list-request@d", &both, "list@d", NULL), "");
    assert_string_equal(ask(maps_find_address, "+a+b@d", &plus, "+a@d", NULL), "");
}

static void transports(void **state)
{
    const struct maps_rules parents = {.delimiters = "+", .parents_match = true};
    expect_order(maps_find_transport, "u+x@a.b.example", &plus,
                 "u+x@a.b.example u@a.b.example a.b.example .b.example .example *");
    expect_order(maps_find_transport, "u@a.b.example", &parents,
                 "u@a.b.example a.b.example b.example example *");
    assert_string_equal(ask(maps_find_transport, "u@a.example", &plus, "example .a.example", NULL), "");
    expect_order(maps_find_domain, "a.b.example", &plus, "a.b.example .b.example .example");
}

static void access_to_addresses(void **state)
{
    expect_order(maps_find_access, "u+x@a.example", &plus,
                 "u+x@a.example u@a.example a.example .example u+x@ u@");
}

static enum rc find_client(struct table_list *l, str both, const struct maps_rules *rules, struct arena *a,
                           struct maps_found *ret, struct err *e)
{
    str name = str_take(&both, ' ');
    return maps_find_host(l, name, both, rules, a, ret, e);
}

static void access_to_hosts(void **state)
{
    expect_order(find_client, "mx.a.example 192.0.2.1", &plus,
                 "mx.a.example .a.example .example 192.0.2.1 192.0.2 192.0 192");
    expect_order(find_client, " 2001:db8::1", &plus, "2001:db8::1 2001:db8 2001");
}

/* Tables of patterns and networks see whole keys, and each once. */
static void whole_keys(void **state)
{
    struct arena *a = arena_new(65536);
    struct table_list *l = NULL;
    struct maps_found found;
    struct err e = {0};
    str list =
        S("regexp:{{/^ours/ part} {/^192\\.0\\.2$/ part} {/^joe\\+x@/ whole}} cidr:{{192.0.2.0/24 net}}"
          " unionmap:{regexp:{{/^@ours/ pattern}}, inline:{nobody=x}}");
    assert_int_equal(table_list_open(&list, 1, NULL, &l, &e), RC_OK);
    assert_int_equal(maps_find_address(l, S("joe+x@ours.example"), &plus, a, &found, &e), RC_OK);
    assert_true(str_eq(found.value, S("whole")));
    assert_int_equal(maps_find_transport(l, S("moe@ours.example"), &plus, a, &found, &e), RC_GONE);
    assert_int_equal(maps_find_host(l, S("ours.example"), S("192.0.2.7"), &plus, a, &found, &e), RC_OK);
    assert_true(str_eq(found.value, S("part"))); /* a host's name is a whole key */
    assert_int_equal(maps_find_host(l, S("a.ours"), S("192.0.2.7"), &plus, a, &found, &e), RC_OK);
    assert_true(str_eq(found.value, S("net")) && str_eq(found.key, S("192.0.2.7")));
    /* one table of exact keys in it makes the union take parts */
    assert_int_equal(maps_find_address(l, S("moe@ours.example"), &plus, a, &found, &e), RC_OK);
    assert_true(str_eq(found.value, S("pattern")));
    table_list_close(l);
    arena_free(a);
}

static void failures_end_a_search(void **state)
{
    struct arena *a = arena_new(65536);
    struct table_list *l = NULL;
    struct maps_found found;
    struct err e = {0};
    str list = S("inline:{a@b=first} fail:x static:last");
    assert_int_equal(table_list_open(&list, 1, NULL, &l, &e), RC_OK);
    assert_int_equal(maps_find_address(l, S("a@b"), &plus, a, &found, &e), RC_OK);
    assert_int_equal(maps_find_address(l, S("c@b"), &plus, a, &found, &e), RC_TEMP);
    assert_non_null(strstr(err_text(&e), "fail:x"));
    table_list_close(l);
    list = S("inline:{{a@b = }}");
    assert_int_equal(table_list_open(&list, 1, NULL, &l, &e), RC_OK);
    assert_int_equal(maps_find_address(l, S("a@b"), &plus, a, &found, &e), RC_PERM); /* an empty value */
    table_list_close(l);
    arena_free(a);
}

static void completion(void **state)
{
    struct arena *a = arena_new(4096);
    assert_true(str_eq(maps_complete(S("@new.example"), S("joe+x@old.example"), a), S("joe+x@new.example")));
    assert_true(str_eq(maps_complete(S("jim, @x"), S("joe@old.example"), a), S("jim, @x")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),       cmocka_unit_test(delimiters),
        cmocka_unit_test(transports),      cmocka_unit_test(whole_keys),
        cmocka_unit_test(access_to_hosts), cmocka_unit_test(access_to_addresses),
        cmocka_unit_test(completion),      cmocka_unit_test(failures_end_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
