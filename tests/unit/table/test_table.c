/* table: every type that needs no server, with the manuals' examples; warnings, limits, changes of files,
 * threads. */
#include "fixture.h"

#include "table/postmap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static const struct table_env env = {.warn = warn};

static struct table *open_spec(const char *spec)
{
    struct table *t = NULL;
    struct err e = {0};
    warnings[0] = '\0';
    if (table_open(str_c(spec), &env, &t, &e) != RC_OK)
        fail_msg("%s: %s", spec, err_text(&e));
    return t;
}

static struct table *open_file(const char *type, const char *name, const char *text)
{
    char spec[200];
    snprintf(spec, sizeof spec, "%s:%s", type, write_file(name, text));
    return open_spec(spec);
}

/* The value, "-" when there is none, "temp" when it cannot be said. */
static const char *find(struct table *t, const char *key)
{
    static char value[500];
    struct arena *a = arena_new(65536);
    struct err e = {0};
    str found = STR_NONE;
    enum rc rc = table_find(t, str_c(key), a, &found, &e);
    if (rc == RC_OK)
        assert_int_equal(str_copy(value, sizeof value, found), RC_OK);
    arena_free(a);
    return rc == RC_OK ? value : rc == RC_GONE ? "-" : rc_name(rc);
}

static void expect(const char *spec, const char *key, const char *value)
{
    struct table *t = open_spec(spec);
    assert_string_equal(find(t, key), value);
    table_close(t);
}

static void in_the_name(void **state)
{
    expect("inline:{a=b, {c = d e}}", "a", "b");
    expect("inline:{a=b, {c = d e}}", "C", "d e");
    expect("inline:{ A=b=c }", "a", "b=c");
    expect("inline:{a=1 a=2}", "a", "2");
    expect("inline:{a=1}", "b", "-");
    expect("inline:{\xc3\x89=1}", "\xc3\xa9", "1");
    expect("static:x", "anything", "x");
    expect("static:{ a b }", "anything", "a b");
    expect("static:x", "", "-");
    expect("fail:why", "a", "temp");
    expect("proxy:static:x", "a", "x");
    expect("unionmap:{inline:{a=1},static:2}", "a", "1,2");
    expect("unionmap:{inline:{a=1},static:2}", "b", "2");
    expect("unionmap:{inline:{a=1},inline:{b=1}}", "c", "-");
    expect("unionmap:{static:1,fail:x}", "a", "temp");
    expect("pipemap:{inline:{a=C},inline:{c=d}}", "a", "d");
    expect("pipemap:{inline:{a=C},inline:{z=d}}", "a", "-");
    expect("randmap:{x x}", "a", "x");
    expect("regexp:{{/^(a)b/ <$1>} {/x/ y}}", "ABc", "<A>");
    expect("cidr:{{192.0.2.0/24 here}}", "192.0.2.9", "here");
}

static void random_values(void **state)
{
    struct table *t = open_spec("randmap:{1, 2, 3}");
    unsigned seen = 0;
    for (int i = 0; i < 2000 && seen != 7; i++)
        seen |= 1u << (find(t, "k")[0] - '1');
    assert_int_equal(seen, 7);
    table_close(t);
}

static void refused_names(void **state)
{
    static const struct {
        const char *spec;
        enum rc rc;
        const char *reason;
    } rows[] = {
        {"nocolon", RC_PERM, "type:name"},
        {"static:", RC_PERM, "type:name"},
        {"btree:/x", RC_PERM, "no type of table \"btree\""},
        {"inline:{}", RC_PERM, "inline:{name=value"},
        {"inline:{a}", RC_PERM, "inner braces"},
        {"inline:{a = b}", RC_PERM, "inner braces"},
        {"inline:{a=b}x", RC_PERM, "inline:{name=value"},
        {"inline:a=b", RC_PERM, "inline:{name=value"},
        {"unionmap:{}", RC_PERM, "unionmap:{type:name"},
        {"pipemap:{btree:x}", RC_PERM, "btree"},
        {"randmap:{}", RC_PERM, "randmap:{value"},
        {"regexp:{/a/ b}", RC_PERM, "braces of its own"},
        {"texthash:/nonexistent/file", RC_GONE, "/nonexistent/file"},
        {"hash:/nonexistent/file", RC_GONE, "malle postmap"},
        {"texthash:/", RC_PERM, "is no file"},
        {"sqlite:/nonexistent", RC_GONE, "/nonexistent"},
        {"tcp:localhost", RC_PERM, "host:port"},
        {"socketmap:inet:localhost:1", RC_PERM, "host:port"},
        {"socketmap:udp:x:y", RC_PERM, "unix:"},
        {"unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{static:x}"
         "}}}}}}}}",
         RC_PERM, "inside each other"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct table *t = NULL;
        struct err e = {0};
        assert_int_equal(table_open(str_c(rows[i].spec), &env, &t, &e), rows[i].rc);
        if (!strstr(err_text(&e), rows[i].reason))
            fail_msg("%s: %s", rows[i].spec, err_text(&e));
        assert_null(strstr(e.peer, "/"));
    }
}

/* What is in braces may be a password. */
static void secrets_stay_out_of_logs(void **state)
{
    struct err e = {0};
    struct table *t = NULL;
    assert_int_equal(table_open(S("pipemap:{inline:{host=user:secret}, nothing}"), &env, &t, &e), RC_PERM);
    assert_null(strstr(err_text(&e), "secret"));
}

static void texthash(void **state)
{
    struct table *t = open_file("texthash", "virtual",
                                "# comment\n"
                                "Joe@Example.com  jim@example.com\n"
                                "multi a,\n  b\n"
                                "multi again\n"
                                "key: value\n"
                                "broken\n");
    assert_string_equal(find(t, "joe@example.COM"), "jim@example.com");
    assert_string_equal(find(t, "multi"), "a,  b");
    assert_string_equal(find(t, "key:"), "value");
    assert_string_equal(find(t, "broken"), "-");
    assert_non_null(strstr(warnings, "line 5: duplicate entry: \"multi\""));
    assert_non_null(strstr(warnings, "line 6: a \":\""));
    assert_non_null(strstr(warnings, "line 7: skipped: expected a key"));
    table_close(t);
}

/* aliases(5); what is included is there under its path, but for what others could have written. */
static void alias_file(void **state)
{
    char text[1000], include[100], open_path[100], list[150];
    snprintf(include, sizeof include, "%s", write_file("members", "joe\n\"x y\"\n"));
    snprintf(open_path, sizeof open_path, "%s", write_file("open", "joe\n"));
    assert_int_equal(chmod(open_path, 0666), 0);
    snprintf(text, sizeof text,
             "# comment\nRoot: Ann,\n  bob@example.org\n\"a b\": c\nroot: again\nbroken\n"
             "list: :include:%s, ann\nopen: :include:%s\ngone: :include:%s/gone\ncmd: \"|prog, arg\"\n",
             include, open_path, dir);
    struct table *t = open_file("aliases", "aliases", text);
    assert_string_equal(find(t, "ROOT"), "Ann,   bob@example.org");
    assert_string_equal(find(t, "a b"), "c");
    assert_string_equal(find(t, "cmd"), "\"|prog, arg\"");
    assert_string_equal(find(t, "broken"), "-");
    snprintf(list, sizeof list, ":include:%s", include);
    assert_string_equal(find(t, list), "joe\n\"x y\"\n");
    snprintf(list, sizeof list, ":include:%s", open_path);
    assert_string_equal(find(t, list), "-");
    assert_non_null(strstr(warnings, "line 5: duplicate entry: \"root\""));
    assert_non_null(strstr(warnings, "skipped: line 6: no colon"));
    assert_non_null(strstr(warnings, "open is not read: its group or others may write it"));
    assert_non_null(strstr(warnings, "gone is not read: No such file"));
    assert_true(table_changed(t)); /* what was missing may come */
    table_close(t);
    t = open_file("aliases", "aliases", "root: ann\nlist: :include:/dev/null\n");
    assert_non_null(strstr(warnings, "it is no file"));
    table_close(t);
}

static void regexp_and_pcre(void **state)
{
    static const char *const types[] = {"regexp", "pcre"};
    for (size_t i = 0; i < 2; i++) {
        struct table *t = open_file(types[i], "rules",
                                    "/[%!@].*[%!@]/       550 Sender-specified routing rejected\n"
                                    "/^postmaster@/       OK\n"
                                    "if !/^owner-/\n"
                                    "/^(.*)-outgoing@(.*)$/  550 Use ${1}@${2} instead\n"
                                    "endif\n"
                                    "if /^a/\nif /b$/\n/x/ axb\nendif\n/x/ ax\nendif\n"
                                    "!/@/ no address\n"
                                    "/case/i sensitive\n"
                                    "/bad$1/ $2\n"
                                    "endif\n");
        assert_string_equal(find(t, "a%b@c"), "550 Sender-specified routing rejected");
        assert_string_equal(find(t, "Postmaster@example.com"), "OK");
        assert_string_equal(find(t, "list-outgoing@example.com"), "550 Use list@example.com instead");
        assert_string_equal(find(t, "owner-list-outgoing@example.com"), "-");
        assert_string_equal(find(t, "axb"), "axb");
        assert_string_equal(find(t, "axc"), "ax");
        assert_string_equal(find(t, "bxb"), "no address");
        assert_string_equal(find(t, "CASE@"), "-");
        assert_string_equal(find(t, "case@"), "sensitive");
        assert_non_null(strstr(warnings, "line 14: skipped: the pattern has no group $2"));
        assert_non_null(strstr(warnings, "line 15: endif without if"));
        assert_true(table_takes_whole_keys(t));
        table_close(t);
    }
}

static void substitution_can_be_forbidden(void **state)
{
    struct table_env strict = {.warn = warn, .no_substitution = true};
    struct table *t = NULL;
    struct err e = {0};
    warnings[0] = '\0';
    assert_int_equal(table_open(S("pcre:{{/(a)/ $1} {/a/ $$plain}}"), &strict, &t, &e), RC_OK);
    assert_string_equal(find(t, "a"), "$plain");
    assert_non_null(strstr(warnings, "not allowed"));
    table_close(t);
}

static void endless_match(void **state)
{
    expect("pcre:{{/^(a+)+$/ x}}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
           "temp");
}

static void cidr(void **state)
{
    struct table *t = open_file("cidr", "client.cidr",
                                "192.168.1.1             OK\n"
                                "192.168.0.0/16          REJECT\n"
                                "2001:db8::1             OK\n"
                                "2001:db8::/32           REJECT\n"
                                "if 10.0.0.0/8\n!10.1.0.0/16 ten\nendif\n"
                                "!172.16.0.0/12 $1\n"
                                "192.168.5.1/24 bits\n");
    assert_string_equal(find(t, "192.168.1.1"), "OK");
    assert_string_equal(find(t, "192.168.1.2"), "REJECT");
    assert_string_equal(find(t, "2001:DB8:0::1"), "OK");
    assert_string_equal(find(t, "2001:db8::2"), "REJECT");
    assert_string_equal(find(t, "10.2.0.1"), "ten");
    assert_string_equal(find(t, "10.1.0.1"), "$1");
    assert_string_equal(find(t, "172.16.0.1"), "-");
    assert_string_equal(find(t, "2001:dead::1"), "-");
    assert_string_equal(find(t, "example.com"), "-");
    assert_non_null(strstr(warnings, "line 9: skipped: 192.168.5.1/24"));
    table_close(t);
}

static void make(const char *path, str text, const struct postmap_options *o)
{
    struct err e = {0};
    warnings[0] = '\0';
    if (postmap_make(path, text, postmap_read_table, o, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
}

static void lmdb(void **state)
{
    const struct postmap_options plain = {.warn = warn},
                                 more = {.warn = warn, .incremental = true, .replace = true};
    char spec[100];
    const char *path = write_file("map", "");
    make(path, S("A one\nb two\na three\n\"c d\" e\n"), &plain);
    assert_non_null(strstr(warnings, "line 3: duplicate entry: \"a\""));
    snprintf(spec, sizeof spec, "hash:%s", path);
    struct table *t = open_spec(spec);
    assert_string_equal(find(t, "a"), "one");
    assert_string_equal(find(t, "B"), "two");
    assert_string_equal(find(t, "\"c d\""), "e");
    assert_string_equal(find(t, "c"), "-");
    assert_false(table_changed(t));
    make(path, S("b new\nz last\n"), &more);
    assert_true(table_changed(t));
    assert_string_equal(find(t, "b"), "two"); /* until it is opened anew */
    table_close(t);
    t = open_spec(spec);
    assert_string_equal(find(t, "b"), "new");
    assert_string_equal(find(t, "a"), "one");
    assert_string_equal(find(t, "z"), "last");
    table_close(t);
}

static void lmdb_deletes(void **state)
{
    const struct postmap_options o = {.warn = warn};
    const char *path = write_file("del", "");
    const str keys[] = {S("B"), S("nothing"), S("d")};
    struct err e = {0};
    size_t found = 0;
    char spec[100];
    make(path, S("a 1\nb 2\nc 3\nd 4\n"), &o);
    assert_int_equal(postmap_delete(path, keys, 3, &o, &found, &e), RC_OK);
    assert_int_equal(found, 2);
    snprintf(spec, sizeof spec, "lmdb:%s", path);
    struct table *t = open_spec(spec);
    assert_string_equal(find(t, "a"), "1");
    assert_string_equal(find(t, "b"), "-");
    assert_string_equal(find(t, "c"), "3");
    table_close(t);
    assert_int_equal(postmap_delete("/nonexistent/x", keys, 1, &o, &found, &e), RC_GONE);
}

static void lmdb_files(void **state)
{
    const struct postmap_options o = {.warn = warn};
    char spec[200], made[200], long_key[600];
    struct stat st;
    const char *path = write_file("perm", "");
    assert_int_equal(chmod(path, 0640), 0);
    memset(long_key, 'k', sizeof long_key);
    snprintf(long_key + 520, 10, " v\na b\n");
    make(path, str_c(long_key), &o);
    assert_non_null(strstr(warnings, "line 1: skipped: a key has at most 510 bytes"));
    snprintf(made, sizeof made, "%s.lmdb", path);
    assert_int_equal(stat(made, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    const struct timespec newer[2] = {{.tv_sec = st.st_mtim.tv_sec + 5}, {.tv_sec = st.st_mtim.tv_sec + 5}};
    assert_int_equal(utimensat(AT_FDCWD, path, newer, 0), 0);
    snprintf(spec, sizeof spec, "hash:%s", path);
    struct table *t = open_spec(spec);
    assert_non_null(strstr(warnings, "is older than"));
    assert_string_equal(find(t, "a"), "b");
    long_key[520] = '\0';
    assert_string_equal(find(t, long_key), "-");
    table_close(t);
    write_file("damaged.lmdb", "this is no database, however long the text of it may be made to be");
    snprintf(spec, sizeof spec, "hash:%s/damaged", dir);
    struct err e = {0};
    assert_int_equal(table_open(str_c(spec), &env, &t, &e), RC_PERM);
}

/* A hundred thousand short entries fit into the map that is set aside for them. */
static void lmdb_grows(void **state)
{
    const struct postmap_options o = {.warn = warn};
    struct buf text = BUF_INIT(16 << 20);
    const char *path = write_file("big", "");
    char spec[100];
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&text, "%x y\n", i * 2654435761u);
    make(path, buf_str(&text), &o);
    assert_string_equal(warnings, "");
    snprintf(spec, sizeof spec, "hash:%s", path);
    struct table *t = open_spec(spec);
    assert_string_equal(find(t, "9e3779b1"), "y");
    table_close(t);
    buf_deinit(&text);
}

static void file_limit(void **state)
{
    struct table_env small = {.file_max = 10};
    struct table *t = NULL;
    struct err e = {0};
    char spec[100];
    snprintf(spec, sizeof spec, "texthash:%s", write_file("large", "a 123456789012\n"));
    assert_int_equal(table_open(str_c(spec), &small, &t, &e), RC_LIMIT);
}

static void changes(void **state)
{
    struct table *t = open_file("regexp", "changing", "/a/ b\n");
    struct table_list *l = NULL;
    struct err e = {0};
    char list[200];
    snprintf(list, sizeof list, "static:x, texthash:%s/changing", dir);
    assert_int_equal(table_list_open(&(str){list, strlen(list)}, 1, &env, &l, &e), RC_OK);
    assert_int_equal(table_list_count(l), 2);
    assert_false(table_changed(t) || table_list_changed(l));
    write_file("changing", "/a/ c\n");
    assert_true(table_changed(t) && table_list_changed(l));
    table_close(t);
    table_list_close(l);
}

static void *ask_often(void *arg)
{
    for (int i = 0; i < 500; i++) {
        struct arena *a = arena_new(65536);
        str value;
        struct err e;
        if (table_find(arg, S("joe"), a, &value, &e) != RC_OK || !str_eq(value, S("jim,jim,<joe>")))
            return "wrong";
        arena_free(a);
    }
    return NULL;
}

static void threads(void **state)
{
    const struct postmap_options o = {.warn = warn};
    char spec[300];
    pthread_t thread[4];
    const char *path = write_file("shared", "joe jim\n");
    make(path, S("joe jim\n"), &o);
    snprintf(spec, sizeof spec, "unionmap:{hash:%s, texthash:%s, pcre:{{/(.*)/ <$1>}}}", path, path);
    struct table *t = open_spec(spec);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_often, t), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    table_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_name),
        cmocka_unit_test(random_values),
        cmocka_unit_test(refused_names),
        cmocka_unit_test(secrets_stay_out_of_logs),
        cmocka_unit_test(texthash),
        cmocka_unit_test(alias_file),
        cmocka_unit_test(regexp_and_pcre),
        cmocka_unit_test(endless_match),
        cmocka_unit_test(substitution_can_be_forbidden),
        cmocka_unit_test(cidr),
        cmocka_unit_test(lmdb),
        cmocka_unit_test(lmdb_deletes),
        cmocka_unit_test(lmdb_files),
        cmocka_unit_test(lmdb_grows),
        cmocka_unit_test(file_limit),
        cmocka_unit_test(changes),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
