/* dovecot_conf and dovecot_line: what Dovecot 2.3.19 makes of the same text (doveconf -n -x), and the syntax
 * of 2.4. */
#include "fmt/dovecot_conf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
    const char *names[5], *texts[5];
};

static enum rc include(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e)
{
    const struct world *w = ctx;
    AUTO(buf_deinit) struct buf path = BUF_INIT(200);
    bool found = false;
    dovecot_conf_path(&path, pattern, from);
    if (str_eq(pattern, S("forbidden")))
        return err_set(e, RC_PERM, 0, "", "forbidden: Permission denied");
    for (int i = 0; w && i < 5 && w->names[i]; i++) {
        if (str_eq(buf_str(&path), str_c(w->names[i])) || str_eq(pattern, S("*"))) {
            dovecot_conf_feed(r, str_c(w->names[i]), str_c(w->texts[i]));
            found = true;
        }
    }
    return found ? RC_OK : RC_GONE;
}

static bool find_env(void *ctx, str name, str *ret)
{
    *ret = S("/root");
    return str_eq(name, S("HOME"));
}

static struct arena *arena;

static struct dovecot_conf read_with(const struct world *w, const char *text)
{
    const struct dovecot_env env = {.include = include, .find_env = find_env, .ctx = (void *)(uintptr_t)w};
    struct dovecot_conf conf;
    arena_reset(arena);
    assert_int_equal(dovecot_conf_read(S("/e/d.conf"), str_c(text), &env, arena, &conf), RC_OK);
    return conf;
}

/* "block: name = value" or "block: name < path", a line each, then the problems, "!" or "?" in front. */
static const char *describe(const struct dovecot_conf *conf)
{
    static char text[4096];
    struct buf b = BUF_INIT(sizeof text - 1);
    for (size_t i = 0; i < conf->count; i++) {
        const struct dovecot_setting *s = &conf->settings[i];
        dovecot_block_format(&b, s->block);
        buf_printf(&b, "%s" STR_FMT " %c " STR_FMT "\n", s->block ? ": " : "", STR_ARG(s->name),
                   s->kind == DOVECOT_FILE ? '<' : '=', STR_ARG(s->value));
    }
    for (size_t i = 0; i < conf->problem_count; i++) {
        const struct dovecot_problem *p = &conf->problems[i];
        buf_printf(&b, "%c%d " STR_FMT "\n", p->warning ? '?' : '!', p->line, STR_ARG(p->text));
    }
    assert_int_equal(str_copy(text, sizeof text, buf_str(&b)), RC_OK);
    buf_deinit(&b);
    return text;
}

static void expect(const char *text, const char *expected)
{
    struct dovecot_conf conf = read_with(NULL, text);
    assert_string_equal(describe(&conf), expected);
}

static void comments(void **state)
{
    expect("# a\n  # b\n\na = b # c\nd = 'e # f' # g\n", "a = b\nd = e # f\n");
    expect("a = don't # b\n", "a = don't # b\n");
    expect("a = \"b\\\" # c\n", "a = \"b\\\" # c\n");
    expect("a = x'b#c'd#e\n",
           "a = x'b#c'd\n"
           "?1 Ambiguous '#' character in line, treating it as comment. Add a space before it "
           "to remove this warning.\n");
}

static void continued_lines(void **state)
{
    expect("a = b\\\n   c\n", "a = b c\n");
    expect("a = b \\ # d\n c \\\n \\\n e = f\r\n", "a = b c e = f\n");
    expect("a \\\n = \\\n b\n", "a = b\n");
    expect("\\\na = b\n", "a = b\n");
    expect("a = b\\\\\n c\n", "a = b\\ c\n");
    expect("a = \"b \\\n  c\"\n", "a = b c\n");
    expect("a = b \\\n# c\nd = e\n", "d = e\n?2 The line before, which ends in a backslash, is lost\n");
    expect("a = b # c \\\nd = e\n", "a = b\nd = e\n");
    expect("a = b\nc = d \\\n", "a = b\n?2 The last line ends in a backslash and is lost\n");
}

static void values(void **state)
{
    expect("a=b=c\nd ==\t e  f \n", "a = b=c\nd = =\t e  f\n");
    expect("a = \"b \\\"c\\\" \\\\ d\\n\"\ne = 'f \"g\" \\' '\n", "a = b \"c\" \\ dn\ne = f \"g\" ' \n");
    expect("a = \"b\" c\nd =\ne = \"\"\nf = '\ng = \"h'\ni = 'j'k'\nl = \"m\\\"\n",
           "a = \"b\" c\nd = \ne = \nf = \ng = \"h'\ni = j'k\nl = m\n");
    expect("a = <  /b c\nd = \"</e\"\nf = x </y\n", "a < /b c\nd = </e\nf = x </y\n");
    struct dovecot_conf conf = read_with(NULL, "a = 'b'\nc = d\n");
    assert_int_equal(conf.settings[0].kind, DOVECOT_QUOTED);
    assert_int_equal(conf.settings[1].kind, DOVECOT_PLAIN);
    assert_int_equal(conf.settings[1].line, 2);
    assert_true(str_eq(conf.settings[1].file, S("/e/d.conf")));
}

static void other_settings_in_values(void **state)
{
    expect("mail_plugins = $mail_plugins sieve\nmail_plugins = $mail_plugins  acl\n",
           "mail_plugins =  sieve\nmail_plugins =  sieve acl\n");
    expect("base_dir = /x\na = z   $base_dir   y   w$base_dir\nb = \"$base_dir\"\nc = '$base_dir' x\n",
           "base_dir = /x\na = z /x y w$base_dir\nb = $base_dir\nc = '$base_dir' x\n");
    expect("a = $ENV:HOME $ENV:NOSUCH b\n", "a = /root  b\n");
    expect("a = $nosuch b\nc = d $\n", "!1 Unknown variable: $nosuch\n!2 Unknown variable: $\n");
    expect("ssl_cert = </c\nssl_ca = $ssl_cert\na = b $ssl_cert\n",
           "ssl_cert < /c\nssl_ca < /c\n!3 $ssl_cert is the content of a file and must stand alone\n");
    expect("plugin {\n s = 1\n s = $s 2\n}\n", "plugin: s = 1\n!3 Unknown variable: $s\n");
}

static void other_settings_in_filters(void **state)
{
    expect("log_path = /g\nprotocol imap {\n info_log_path = $log_path\n log_path = $log_path x\n"
           " info_log_path = $log_path\n}\n",
           "log_path = /g\nprotocol imap: info_log_path = syslog\nprotocol imap: log_path = /g x\n"
           "protocol imap: info_log_path = /g x\n");
    expect("mail_plugins = b\nlocal 1.2.3.4 {\n mail_plugins = $mail_plugins l\n protocol imap {\n"
           "  mail_plugins = $mail_plugins i\n }\n}\n",
           "mail_plugins = b\nlocal 1.2.3.4: mail_plugins = b l\n"
           "local 1.2.3.4 / protocol imap: mail_plugins = b l i\n");
    expect("default_internal_user = joe\nservice auth {\n user = $default_internal_user\n}\n",
           "default_internal_user = joe\nservice auth: user = joe\n");
}

static void blocks(void **state)
{
    expect("service auth {\n unix_listener auth-userdb {\n  mode = 1\n }\n}\nservice auth {\n"
           " unix_listener auth-userdb {\n  user = a\n }\n}\n",
           "service auth / unix_listener auth-userdb: mode = 1\n"
           "service auth / unix_listener auth-userdb: user = a\n");
    expect(
        "passdb {\n driver = pam\n}\npassdb {\n driver = b\n}\nplugin x {\n a = b\n}\nplugin {\n c = d\n}\n",
        "passdb 1: driver = pam\npassdb 2: driver = b\nplugin: a = b\nplugin: c = d\n");
    expect("namespace \"a \\b\" {\n x = y\n}\nmailbox 'c {\n}\nlocal \"1.2.3.4\"{\n x = z\n}\n",
           "namespace a b: x = y\nlocal 1.2.3.4: x = z\n");
    struct dovecot_conf conf = read_with(NULL, "passdb {\n}\nservice a {\n}\nservice a {\n b = c\n}\n"
                                               "local 1.0.0.1 {\n}\nlocal 1.0.0.1/32 {\n}\n");
    assert_int_equal(conf.block_count, 3);
    assert_ptr_equal(conf.settings[0].block, conf.blocks[1]);
    assert_int_equal(conf.blocks[1]->line, 3);
}

static void broken_blocks(void **state)
{
    expect("}\na = b\nc {\n d = e\n", "a = b\nc 1: d = e\n!1 Unexpected '}'\n"
                                      "!4 Missing '}' (section started at /e/d.conf:3)\n");
    expect("a { b = c }\nd = e\nf { g\n h = i\n}\nj = k\n",
           "d = e\nj = k\n!1 Garbage after '{'\n!3 Garbage after '{'\n");
    expect("a\n{\n b = c\n d {\n }\n}\ne{\n f = g\n}\nh i j {\n k {\n}\n}\nl = m\n",
           "l = m\n!1 Expecting '{'\n!2 Expecting '{'\n!7 Expecting '{'\n!10 Expecting '{'\n");
    expect("a b = c\n= d\n} e\n", "!1 Expecting '{'\n!2 Missing key name ('=' at the beginning of line)\n"
                                  "!3 Expecting '{'\n");
    expect("passdb a {\n b = c\n}\npassdb a {\n d = e\n}\nf = g\n",
           "passdb a: b = c\nf = g\n!4 passdb/a already exists\n");
    expect("protocol imap {\n local 1.2.3.4 {\n  a = b\n }\n protocol pop3 {\n }\n c = d\n}\n",
           "protocol imap: c = d\n"
           "!2 protocol { local { .. } } not allowed (use local { protocol { .. } } instead)\n"
           "!5 Nested protocol { protocol { .. } } block not allowed\n");
}

static void includes(void **state)
{
    static const struct world w = {
        {"/e/one", "/e/two", "/e/loop", "/e/open", "/e/d.conf"},
        {"a = 1\n", "!include one\nb = 2 \\\n", "!include d.conf\n!include loop\n", "plugin {\n", ""}};
    struct dovecot_conf conf = read_with(&w, "!include one\nc = 3\n!include_try nosuch\n!include two\n");
    assert_string_equal(describe(&conf), "a = 1\nc = 3\na = 1\n?2 The last line ends in a backslash\n"
                                         "?4 The last line ends in a backslash and is lost\n");
    assert_true(str_eq(conf.settings[2].file, S("/e/one")));
    conf = read_with(&w, "!include loop\nx = y\n!include nosuch\n!include\n!include_try forbidden\n");
    assert_string_equal(describe(&conf), "x = y\n!1 Recursive include file: /e/d.conf\n"
                                         "!2 Recursive include file: /e/loop\n!3 No matches\n!4 No matches\n"
                                         "!5 forbidden: Permission denied\n");
    conf = read_with(&w, "!include open\n x = y\n}\n");
    assert_string_equal(describe(&conf), "plugin: x = y\n");
    conf = read_with(&w, "!include two\n  x\n");
    assert_string_equal(describe(&conf), "a = 1\nb = 2 x\n?2 The last line ends in a backslash\n");
}

static enum rc include_deeper(void *ctx, struct dovecot_reader *r, str pattern, str from, struct err *e)
{
    char name[20];
    int *n = ctx;
    snprintf(name, sizeof name, "%d", ++*n);
    dovecot_conf_feed(r, str_c(name), S("!include x\n"));
    return RC_OK;
}

static void limits(void **state)
{
    int n = 0;
    const struct dovecot_env env = {.include = include_deeper, .ctx = &n};
    struct dovecot_conf conf;
    arena_reset(arena);
    assert_int_equal(dovecot_conf_read(S("a"), S("!include x\n"), &env, arena, &conf), RC_OK);
    assert_int_equal(n, DOVECOT_INCLUDE_DEPTH_MAX);
    assert_string_equal(describe(&conf), "!1 Include files are nested too deep: 16\n");
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    for (int i = 0; i <= DOVECOT_BLOCK_DEPTH_MAX; i++)
        buf_puts(&text, S("a b {\n"));
    buf_puts(&text, S("c = d\n"));
    for (int i = 0; i <= DOVECOT_BLOCK_DEPTH_MAX; i++)
        buf_puts(&text, S("}\n"));
    expect(buf_cstr(&text), "!17 Blocks are nested too deep\n");
    buf_reset(&text);
    buf_puts(&text, S("a = "));
    for (int i = 0; i < DOVECOT_LINE_MAX; i++)
        buf_putc(&text, 'x');
    buf_puts(&text, S("\nb = c\n"));
    expect(buf_cstr(&text), "b = c\n!1 Line is too long\n");
    buf_reset(&text);
    for (int i = 0; i < 3 * DOVECOT_PROBLEMS_MAX; i++)
        buf_puts(&text, S("}\n"));
    conf = read_with(NULL, buf_cstr(&text));
    assert_int_equal(conf.problem_count, DOVECOT_PROBLEMS_MAX);
    assert_int_equal(conf.error_count, 3 * DOVECOT_PROBLEMS_MAX);
    buf_reset(&text);
    for (int i = 0; i <= DOVECOT_BLOCKS_MAX; i++)
        buf_puts(&text, S("passdb {\n}\n"));
    assert_int_equal(dovecot_conf_read(S("a"), buf_str(&text), &env, arena, &conf), RC_LIMIT);
}

static void effective(void **state)
{
    struct dovecot_conf conf =
        read_with(NULL, "a = 1\nprotocol x {\n a = 2\n}\nb = 3\na = 4\nprotocol x {\n a = 5\n}\n");
    assert_int_equal(dovecot_conf_merge(&conf, arena), RC_OK);
    assert_string_equal(describe(&conf), "a = 4\nprotocol x: a = 5\nb = 3\n");
    assert_int_equal(conf.settings[0].line, 6);
}

static void what_lies_below(void **state)
{
    struct dovecot_conf below, conf;
    arena_reset(arena);
    assert_int_equal(
        dovecot_conf_read(S(""),
                          S("a = 1\nb = 2\nservice x {\n c = 3\n d = 4\n l y {\n }\n}\nservice z {\n}\n"),
                          &(struct dovecot_env){0}, arena, &below),
        RC_OK);
    assert_int_equal(dovecot_conf_read(S("f"), S("b = own\nservice x {\n d = own\n}\n"),
                                       &(struct dovecot_env){0}, arena, &conf),
                     RC_OK);
    assert_int_equal(dovecot_conf_underlay(&conf, &below, arena), RC_OK);
    assert_string_equal(describe(&conf), "b = own\nservice x: d = own\na = 1\nservice x: c = 3\n");
    assert_int_equal(conf.block_count, 3); /* with "l y", and "service z" */
    assert_true(conf.settings[3].block == conf.settings[1].block);
}

static void lift(void **state)
{
    struct dovecot_conf conf = read_with(
        NULL,
        "a = 1\nb = 1\npassdb {\n d = out\n}\nprotocol imap {\n a = 2\n plugin {\n  x = in\n }\n passdb {\n  "
        "d = in\n }\n}\n"
        "plugin {\n x = out\n y = out\n}\nlocal 10.0.0.0/8 {\n a = 3\n protocol imap {\n  a = 4\n }\n}\n");
    const struct dovecot_block *imap = conf.settings[3].block, *chosen[] = {imap};
    struct dovecot_conf lifted;
    assert_true(str_eq(imap->kind, S("protocol")) && dovecot_block_filter(conf.settings[4].block) == imap);
    assert_int_equal(dovecot_conf_lift(&conf, chosen, 1, arena, &lifted), RC_OK);
    assert_string_equal(
        describe(&lifted),
        "a = 2\nplugin: x = in\npassdb 1: d = in\nb = 1\npassdb 2: d = out\nplugin: y = out\n");
    assert_int_equal(lifted.block_count, 3);
    assert_int_equal(dovecot_conf_lift(&conf, NULL, 0, arena, &lifted), RC_OK);
    assert_string_equal(describe(&lifted),
                        "a = 1\nb = 1\npassdb 1: d = out\nplugin: x = out\nplugin: y = out\n");
}

static void syntax_24(void **state)
{
    expect(
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.0\npassdb pam {\n}\nmail_plugins {\n"
        " \"a b\" = yes\n}\nsql_driver = sqlite\nbase_dir = $sql_driver $SET:sql_driver\nm = %{user | "
        "lower}\n",
        "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.0\nmail_plugins: a b = yes\n"
        "sql_driver = sqlite\nbase_dir = $sql_driver sqlite\nm = %{user | lower}\n");
    expect("dovecot_config_version = 2.4.1\npassdb a {\n x = 1\n}\npassdb a {\n y = $SET:nosuch\n}\noauth2 "
           "{\n}\n",
           "dovecot_config_version = 2.4.1\npassdb a: x = 1\n!6 Unknown setting: nosuch\n");
    expect("dovecot_config_version = 2.3.0\n",
           "dovecot_config_version = 2.3.0\n!1 Invalid dovecot_config_version: 2.3.0\n");
    expect("a = b\ndovecot_config_version = 2.4.0\ndovecot_config_version = 2.4.1\n",
           "a = b\ndovecot_config_version = 2.4.0\ndovecot_config_version = 2.4.1\n"
           "!2 The first setting must be dovecot_config_version\n"
           "!3 dovecot_config_version value can't be changed once set\n");
    struct dovecot_conf conf =
        read_with(NULL, "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.2\n");
    assert_true(str_eq(conf.version, S("2.4.0")) && str_eq(conf.storage_version, S("2.4.2")));
}

static void groups_24(void **state)
{
    struct dovecot_conf conf = read_with(
        NULL, "dovecot_config_version = 2.4.0\ngroup @m box {\n a = 1\n b = 2\n mailbox X {\n  c = 3\n }\n"
              "}\nnamespace inbox {\n a = 9\n @m = nosuch\n @m = box\n}\nd = 4\n@m = box\n@n = box\n"
              "@m = boxes\n");
    assert_int_equal(dovecot_conf_merge(&conf, arena), RC_OK);
    assert_string_equal(describe(&conf), "dovecot_config_version = 2.4.0\nnamespace inbox: a = 9\nd = 4\n"
                                         "namespace inbox: b = 2\nnamespace inbox / mailbox X: c = 3\n"
                                         "!17 Unknown group @m=boxes\n!16 Unknown group label @n\n");
    expect(
        "dovecot_config_version = 2.4.0\ngroup x y {\n a = b\n}\nc {\n group @x y {\n }\n}\ngroup @x y {\n"
        " @z = q\n}\n",
        "dovecot_config_version = 2.4.0\n!2 Expecting group name\n"
        "!6 groups must defined at top-level, not under filters\n!10 Recursive include groups not allowed\n");
}

static void paths(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);
    dovecot_conf_path(&b, S("x"), S("/a/b"));
    dovecot_conf_path(&b, S("|/x"), S("c"));
    dovecot_conf_path(&b, S("/y"), S("/a/b"));
    assert_string_equal(buf_cstr(&b), "/a/x|/x/y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments),
        cmocka_unit_test(continued_lines),
        cmocka_unit_test(values),
        cmocka_unit_test(other_settings_in_values),
        cmocka_unit_test(other_settings_in_filters),
        cmocka_unit_test(blocks),
        cmocka_unit_test(broken_blocks),
        cmocka_unit_test(includes),
        cmocka_unit_test(limits),
        cmocka_unit_test(effective),
        cmocka_unit_test(what_lies_below),
        cmocka_unit_test(lift),
        cmocka_unit_test(syntax_24),
        cmocka_unit_test(groups_24),
        cmocka_unit_test(paths),
    };
    arena = arena_new(DOVECOT_ARENA_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
