/* params: the tables are sorted and whole, agree with options.def, and names find their rows. */
#include "base/arena.h"
#include "base/num.h"
#include "conf/key.h"
#include "conf/params.h"
#include "fmt/dovecot_conf.h"
#include "fmt/postfix_expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct conf_params *const tables[] = {&conf_postfix_params, &conf_postfix_families,
                                                   &conf_dovecot_params};
enum { TABLES = sizeof tables / sizeof *tables };

static void tables_are_sorted(void **state)
{
    for (size_t t = 0; t < TABLES; t++)
        for (size_t i = 1; i < tables[t]->n; i++)
            if (str_cmp(str_c(tables[t]->v[i - 1].name), str_c(tables[t]->v[i].name)) >= 0)
                fail_msg("%s does not belong behind %s", tables[t]->v[i].name, tables[t]->v[i - 1].name);
    const struct conf_param_renames *renames[] = {&conf_postfix_renames, &conf_dovecot_renames};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 1; i < renames[t]->n; i++)
            assert_true(str_cmp(str_c(renames[t]->v[i - 1].name), str_c(renames[t]->v[i].name)) < 0);
    assert_true(conf_postfix_params.n > 840 && conf_dovecot_params.n > 580);
}

/* Each row says what it has to say for its status. */
static void rows_are_whole(void **state)
{
    for (size_t t = 0; t < TABLES; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct conf_param *p = &tables[t]->v[i];
            bool missing = p->status == CONF_PARAM_WARN || p->status == CONF_PARAM_REFUSE;
            str note = str_c(p->note);
            if (missing != str_starts(note, S("would ")))
                fail_msg("%s: %s", p->name, p->note);
            if (p->status != CONF_PARAM_SAME && note.n == 0)
                fail_msg("%s has no note", p->name);
            if (p->status == CONF_PARAM_SAME && (!p->option[0] || !p->initial))
                fail_msg("%s has no option or no default", p->name);
            if (p->option[0] && !conf_key_find(conf_options, str_c(p->option)))
                fail_msg("%s: there is no option %s", p->name, p->option);
            assert_true(note.n < 150 && !str_ends(note, S(".")));
            assert_true(strlen(p->name) < 64); /* as conf_edit_distance has it */
        }
}

static void renames_lead_to_rows(void **state)
{
    for (size_t i = 0; i < conf_postfix_renames.n; i++) {
        const struct conf_param_rename *r = &conf_postfix_renames.v[i];
        const struct conf_param *p = conf_param_find(CONF_DIALECT_POSTFIX, str_c(r->name));
        assert_non_null(p);
        assert_string_equal(p->name, r->current);
        /* this is how the old name still counts */
        assert_true(str_find(str_c(p->initial), str_c(r->name)) >= 0);
    }
    for (size_t i = 0; i < conf_dovecot_renames.n; i++) {
        const struct conf_param_rename *r = &conf_dovecot_renames.v[i];
        const struct conf_param *p = conf_param_find(CONF_DIALECT_DOVECOT_24, str_c(r->name));
        assert_non_null(p);
        assert_string_equal(p->name, r->current);
        p = conf_param_find(CONF_DIALECT_DOVECOT, str_c(r->name));
        assert_true(!p || strchr(p->name, '*'));
    }
}

/* --- defaults --- */

static bool find_default(void *ctx, str name, str *ret)
{
    static const struct {
        const char *name, *value;
    } computed[] = {
        {"myhostname", "mail.example.com"},
        {"mydomain", "example.com"},
        {"mynetworks", "127.0.0.0/8"},
        {"mail_version", "3.7.11"},
    };
    for (size_t i = 0; i < sizeof computed / sizeof *computed; i++)
        if (str_eq(name, str_c(computed[i].name))) {
            *ret = str_c(computed[i].value);
            return true;
        }
    return conf_postfix_default(ctx, name, ret);
}

/* The default of a row as it counts, for a Postfix without compatibility_level. */
static void put_default(const struct conf_params *table, const struct conf_param *p, struct buf *ret)
{
    const struct postfix_expand_env env = {.find = find_default};
    struct err e = {0};
    if (table == &conf_dovecot_params || p->kind == CONF_PARAM_RAW)
        buf_puts(ret, str_c(p->initial));
    else if (postfix_expand(str_c(p->initial), &env, ret, &e) != RC_OK)
        fail_msg("%s: %s", p->name, e.peer);
}

/* Another form of a value of the kind. */
static void put_other_form(enum conf_param_kind kind, str value, struct buf *ret)
{
    switch (kind) {
    case CONF_PARAM_BOOL:
        for (size_t i = 0; i < value.n; i++)
            buf_putc(ret, ascii_upper(value.p[i]));
        break;
    case CONF_PARAM_INT:
    case CONF_PARAM_TIME:
    case CONF_PARAM_SIZE:
        buf_putc(ret, '0');
        buf_puts(ret, value);
        break;
    case CONF_PARAM_STR:
    case CONF_PARAM_RAW:
    case CONF_PARAM_BLOCK:
        buf_puts(ret, value);
    }
}

/* Every default is a value of its kind: conf_param_same sees that another form of it is the same. */
static void defaults_are_of_their_kind(void **state)
{
    for (size_t t = 0; t < TABLES; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct conf_param *p = &tables[t]->v[i];
            if (!p->initial)
                continue;
            struct buf value = BUF_INIT(8192), other = BUF_INIT(8192);
            put_default(tables[t], p, &value);
            put_other_form(p->kind, buf_str(&value), &other);
            if (!conf_param_same(p, buf_str(&value), buf_str(&other)))
                fail_msg("%s: %s", p->name, buf_cstr(&value));
            assert_true(p->kind == CONF_PARAM_STR || p->kind == CONF_PARAM_RAW || value.n > 0);
            buf_deinit(&value);
            buf_deinit(&other);
        }
}

/* Where the default of a parameter is not that of malle's option: the name, and both as they count. Each of
 * these rows has a note. */
static const struct {
    const char *name, *theirs, *ours;
} differences[] = {
    {"alias_maps", "hash:/etc/aliases, nis:mail.aliases", ""},
    {"append_at_myorigin", "yes", "no"},
    {"append_dot_mydomain", "yes", "no"},
    {"bounce_size_limit", "50000", "50k"},
    {"command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
     "1234567890!@%-_=+:,./\\abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
    {"delay_warning_time", "0h", "4h"},
    {"message_size_limit", "10240000", "50M"},
    {"notify_classes", "resource, software", "2bounce"},
    {"postscreen_pre_queue_limit", "100", "1000"},
    {"queue_minfree", "0", "16M"},
    {"recipient_delimiter", "", "+"},
    {"smtp_helo_name", "mail.example.com", ""},
    {"smtp_line_length_limit", "998", "0"},
    {"smtpd_error_sleep_time", "1s", "0s"},
    {"smtpd_helo_required", "no", "yes"},
    {"smtpd_proxy_ehlo", "mail.example.com", ""},
    {"smtpd_relay_before_recipient_restrictions", "no", "yes"},
    {"smtpd_tls_fingerprint_digest", "md5", "sha256"},
    {"smtpd_tls_received_header", "no", "yes"},
    {"smtputf8_enable", "no", "yes"},
    {"syslog_name", "postfix", "malle"},
    {"auth_cache_ttl", "1 hours", "5m"},
    {"auth_mechanisms", "plain",
     "plain, login, scram-sha-1, scram-sha-256, scram-sha-1-plus, scram-sha-256-plus"},
    {"first_valid_uid", "500", "1000"},
    {"login_greeting", "Dovecot (Debian) ready.", "malle ready."},
    {"ssl_cipher_list",
     "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH",
     "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL"},
};

static const char *difference_of(const char *name, str theirs, const char *ours)
{
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (strcmp(differences[i].name, name) == 0)
            return str_eq(str_c(differences[i].theirs), theirs) && strcmp(differences[i].ours, ours) == 0
                       ? differences[i].name
                       : NULL;
    return NULL;
}

static bool same_default(const struct conf_param *p, const struct conf_key *key, str theirs)
{
    uint64_t a, b;
    if (key->type == CONF_TYPE_SIZE && num_parse_size(theirs, &a) == RC_OK &&
        num_parse_size(str_c(key->initial), &b) == RC_OK)
        return a == b;
    return conf_param_same(p, theirs, str_c(key->initial));
}

static void same_rows_have_the_same_default(void **state)
{
    size_t differing = 0;
    for (size_t t = 0; t < TABLES; t++)
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct conf_param *p = &tables[t]->v[i];
            if (p->status != CONF_PARAM_SAME)
                continue;
            struct buf theirs = BUF_INIT(4096);
            put_default(tables[t], p, &theirs);
            const struct conf_key *key = conf_key_find(conf_options, str_c(p->option));
            if (!same_default(p, key, buf_str(&theirs))) {
                differing++;
                if (!difference_of(p->name, buf_str(&theirs), key->initial))
                    fail_msg("{\"%s\", \"%s\", \"%s\"},", p->name, buf_cstr(&theirs), key->initial);
                if (!p->note[0])
                    fail_msg("%s has no note", p->name);
            }
            buf_deinit(&theirs);
        }
    assert_int_equal(differing, sizeof differences / sizeof *differences);
}

/* --- options.def --- */

/* The columns of options.def name parameters whose rows name the option. */
static void options_and_tables_agree(void **state)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct conf_key *key = &conf_options.v[i];
        if (!key->postfix[0] || strcmp(key->name, "smtp_process_limit") == 0) /* shares the row of another */
            continue;
        const struct conf_param *p = conf_param_find(CONF_DIALECT_POSTFIX, str_c(key->postfix));
        if (!p || strcmp(p->option, key->name) != 0)
            fail_msg("%s: Postfix's %s leads elsewhere", key->name, key->postfix);
    }
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct conf_key *key = &conf_options.v[i];
        bool found =
            !key->dovecot[0] || strcmp(key->dovecot, "default_pass_scheme") == 0; /* in a file of args */
        for (size_t j = 0; j < conf_dovecot_params.n && !found; j++) {
            const struct conf_param *p = &conf_dovecot_params.v[j];
            found = strcmp(p->option, key->name) == 0 && str_ends(str_c(p->name), str_c(key->dovecot));
        }
        if (!found)
            fail_msg("%s: no row of Dovecot's %s leads there", key->name, key->dovecot);
    }
}

static void the_reader_of_dovecots_files_has_the_same_defaults(void **state)
{
    size_t known = 0;
    for (size_t i = 0; i < conf_dovecot_params.n; i++) {
        str value, name = str_c(conf_dovecot_params.v[i].name);
        if (!dovecot_default_find(NULL, name, &value))
            continue;
        known++;
        assert_string_equal(conf_dovecot_params.v[i].initial, value.p);
    }
    assert_true(known > 20);
}

/* --- names --- */

static void names_find_their_rows(void **state)
{
    enum { P = CONF_DIALECT_POSTFIX, D = CONF_DIALECT_DOVECOT, D24 = CONF_DIALECT_DOVECOT_24 };
    static const struct {
        int dialect;
        const char *name, *row;
    } rows[] = {
        {P, "2bounce_notice_recipient", "2bounce_notice_recipient"},
        {P, "virtual_uid_maps", "virtual_uid_maps"},
        {P, "smtp_tls_CAfile", "smtp_tls_CAfile"},
        {P, "smtp_tls_cafile", NULL},
        {P, "use_srv_lookup", "use_srv_lookup"},
        {P, "virtual_maps", "virtual_alias_maps"},
        {P, "smtpd_recipient_limit", "smtpd_recipient_limit"},
        {P, "smtp_destination_concurrency_limit", "smtp_destination_concurrency_limit"},
        {P, "dovecot_destination_recipient_limit", "_destination_recipient_limit"},
        {P, "dovecot_recipient_limit", "_recipient_limit"},
        {P, "policyd-spf_time_limit", "_time_limit"},
        {P, "_time_limit", NULL},
        {P, "", NULL},
        {P, "nosuch", NULL},
        {P, "ssl", NULL},
        {D, "ssl", "ssl"},
        {D, "passdb/driver", "passdb/driver"},
        {D, "driver", NULL},
        {D, "passdb/ssl", NULL},
        {D, "protocol/mail_plugins", "mail_plugins"},
        {D, "local/protocol/ssl_cert", "ssl_cert"},
        {D, "local_name/ssl_cert", "ssl_cert"},
        {D, "remote/passdb/args", "passdb/args"},
        {D, "service/unix_listener/mode", "service/unix_listener/mode"},
        {D, "service imap-login", "service imap-login"},
        {D, "service nosuch", NULL},
        {D, "namespace/mailbox/special_use", "namespace/mailbox/special_use"},
        {D, "plugin/quota_rule2", "plugin/quota_rule*"},
        {D, "plugin/quota", "plugin/quota"},
        {D, "plugin/nosuch", "plugin/*"},
        {D, "plugin/fts_enforced", "plugin/fts_*"},
        {D, "dict/expire", "dict/*"},
        {D, "metric/fields", "metric/*"},
        {D, "auth_allow_cleartext", NULL},
        {D, "quota_storage_size", NULL},
        {D, "passdb/query", NULL},
        {D, "", NULL},
        {D24, "auth_allow_cleartext", "auth_allow_cleartext"},
        {D24, "auth_default_domain", "auth_default_realm"},
        {D24, "ssl_server/cert_file", "ssl_server_cert_file"},
        {D24, "ssl_server/ssl_server_key_file", "ssl_server_key_file"},
        {D24, "passdb/passdb_driver", "passdb/driver"},
        {D24, "passdb/sql_query", "passdb_sql_query"},
        {D24, "passdb/passdb_sql_query", "passdb_sql_query"},
        {D24, "passdb/query", "passdb_sql_query"},
        {D24, "passdb/ssl", "ssl"},
        {D24, "userdb/fields/mail_path", "userdb/fields"},
        {D24, "service/idle_kill_interval", "service/idle_kill"},
        {D24, "service/inet_listener/inet_listener_port", "service/inet_listener/port"},
        {D24, "service/service_restart_request_count", "service/service_count"},
        {D24, "namespace/mail_path", "mail_path"},
        {D24, "namespace/mailbox/mailbox_auto", "namespace/mailbox/auto"},
        {D24, "mail_plugins/quota", "mail_plugins"},
        {D24, "protocol/mail_plugins/quota", "mail_plugins"},
        {D24, "quota/storage_size", "quota_storage_size"},
        {D24, "quota/warning", "quota_*"},
        {D24, "protocols/imap", "protocols"},
        {D24, "auth_mechanisms/plain", "auth_mechanisms"},
        {D24, "dict_server/dict/driver", "dict_*"},
        {D24, "pgsql/parameters/dbname", "pgsql*"},
        {D24, "nosuch", NULL},
        {D24, "passdb/nosuch", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conf_param *p = conf_param_find((enum conf_dialect)rows[i].dialect, str_c(rows[i].name));
        const char *row = rows[i].row;
        if (!p != !row || (p && strcmp(p->name, row) != 0))
            fail_msg("%s: %s instead of %s", rows[i].name, p ? p->name : "none", row ? row : "none");
    }
    char longest[200];
    memset(longest, 'x', sizeof longest);
    for (int dialect = P; dialect <= D24; dialect++) {
        assert_null(conf_param_find((enum conf_dialect)dialect, str_mem(longest, sizeof longest)));
        assert_null(conf_param_nearest((enum conf_dialect)dialect, str_mem(longest, sizeof longest)));
    }
}

static void every_row_finds_itself(void **state)
{
    for (size_t i = 0; i < conf_postfix_params.n; i++) {
        const struct conf_param *p = &conf_postfix_params.v[i];
        assert_ptr_equal(conf_param_find(CONF_DIALECT_POSTFIX, str_c(p->name)), p);
    }
    for (size_t i = 0; i < conf_dovecot_params.n; i++) {
        const struct conf_param *p = &conf_dovecot_params.v[i];
        assert_ptr_equal(conf_param_find(CONF_DIALECT_DOVECOT_24, str_c(p->name)), p);
        const struct conf_param *in_23 = conf_param_find(CONF_DIALECT_DOVECOT, str_c(p->name));
        if (p->later)
            assert_true(!in_23 || strchr(in_23->name, '*'));
        else
            assert_ptr_equal(in_23, p);
    }
}

static void near_names_are_guessed(void **state)
{
    static const struct {
        enum conf_dialect dialect;
        const char *name, *meant;
    } rows[] = {
        {CONF_DIALECT_POSTFIX, "smtpd_recipent_restrictions", "smtpd_recipient_restrictions"},
        {CONF_DIALECT_POSTFIX, "my_hostname", "myhostname"},
        {CONF_DIALECT_POSTFIX, "smtp_tls_cafile", "smtp_tls_CAfile"},
        {CONF_DIALECT_POSTFIX, "quite_another_thing", NULL},
        {CONF_DIALECT_DOVECOT, "mail_locaton", "mail_location"},
        {CONF_DIALECT_DOVECOT, "passdb/drivr", "passdb/driver"},
        {CONF_DIALECT_DOVECOT, "protocol/ssl_crt", "ssl_cert"},
        {CONF_DIALECT_DOVECOT, "passdb/quite_another_thing", NULL},
        {CONF_DIALECT_DOVECOT_24, "mail_pth", "mail_path"},
        {CONF_DIALECT_POSTFIX, "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *meant = conf_param_nearest(rows[i].dialect, str_c(rows[i].name));
        if (!meant != !rows[i].meant || (meant && strcmp(meant, rows[i].meant) != 0))
            fail_msg("%s: %s", rows[i].name, meant ? meant : "none");
    }
}

static void defaults_are_found_by_name(void **state)
{
    str value;
    assert_true(conf_postfix_default(NULL, S("mydestination"), &value));
    assert_true(str_eq(value, S("$myhostname, localhost.$mydomain, localhost")));
    assert_true(conf_postfix_default(NULL, S("uucp_destination_rate_delay"), &value));
    assert_true(str_eq(value, S("$default_destination_rate_delay")));
    assert_false(conf_postfix_default(NULL, S("myhostname"), &value));
    assert_false(conf_postfix_default(NULL, S("virtual_maps"), &value)); /* else it would count as set */
    assert_false(conf_postfix_default(NULL, S("nosuch"), &value));
    assert_true(conf_dovecot_default(NULL, S("auth_username_format"), &value));
    assert_true(str_eq(value, S("%Lu")));
    assert_true(conf_dovecot_default(NULL, S("ssl_cert"), &value));
    assert_int_equal(value.n, 0);
    assert_false(conf_dovecot_default(NULL, S("service/user"), &value));
    assert_false(conf_dovecot_default(NULL, S("nosuch"), &value));
}

/* --- values --- */

static void values_are_compared_by_their_kind(void **state)
{
    static const struct {
        enum conf_param_kind kind;
        const char *initial, *a, *b;
        bool same;
    } rows[] = {
        {CONF_PARAM_BOOL, "no", "Yes", "yes", true},
        {CONF_PARAM_BOOL, "no", "no", "yes", false},
        {CONF_PARAM_BOOL, "no", "y", "1", true},
        {CONF_PARAM_BOOL, "no", "maybe", "no", false},
        {CONF_PARAM_INT, "0", "010", "10", true},
        {CONF_PARAM_INT, "0", "10", "11", false},
        {CONF_PARAM_INT, "0", "", "0", false},
        {CONF_PARAM_INT, "0", "99999999999999999999", "99999999999999999999", true},
        {CONF_PARAM_INT, "0", "99999999999999999999", "99999999999999999998", false},
        {CONF_PARAM_TIME, "5d", "5", "120h", true},
        {CONF_PARAM_TIME, "5s", "300", "5m", true},
        {CONF_PARAM_TIME, "${stress?{10}:{300}}s", "300", "5m", true},
        {CONF_PARAM_TIME, "$max_idle_days", "300", "5m", true},
        {CONF_PARAM_TIME, NULL, "300", "5m", true},
        {CONF_PARAM_TIME, "1 hours", "1 hour", "60 mins", true},
        {CONF_PARAM_TIME, "1 hours", "60m", "1h", true},
        {CONF_PARAM_TIME, "1 hours", "1h", "1 hourz", false},
        {CONF_PARAM_TIME, "1 secs", "1000 msecs", "1s", true},
        {CONF_PARAM_TIME, "1 secs", "1000 milliseconds", "1 seconds", true},
        {CONF_PARAM_TIME, "1 weeks", "7 days", "1 WEEK", true},
        {CONF_PARAM_TIME, "5d", "", "0", false},
        {CONF_PARAM_SIZE, "10 M", "10M", "10240 k", true},
        {CONF_PARAM_SIZE, "10 M", "10M", "10485760 B", true},
        {CONF_PARAM_SIZE, "10 M", "10M", "10", false},
        {CONF_PARAM_STR, "", "a, b\tc", "a b,c ", true},
        {CONF_PARAM_STR, "", "a b", "a bc", false},
        {CONF_PARAM_STR, "", "a b", "a", false},
        {CONF_PARAM_STR, "", "", " ", true},
        {CONF_PARAM_STR, "", "", "a", false},
        {CONF_PARAM_STR, "", "Yes", "yes", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conf_param p = {.name = "x", .kind = rows[i].kind, .initial = rows[i].initial};
        if (conf_param_same(&p, str_c(rows[i].a), str_c(rows[i].b)) != rows[i].same ||
            conf_param_same(&p, str_c(rows[i].b), str_c(rows[i].a)) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sorted),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(renames_lead_to_rows),
        cmocka_unit_test(defaults_are_of_their_kind),
        cmocka_unit_test(same_rows_have_the_same_default),
        cmocka_unit_test(options_and_tables_agree),
        cmocka_unit_test(the_reader_of_dovecots_files_has_the_same_defaults),
        cmocka_unit_test(names_find_their_rows),
        cmocka_unit_test(every_row_finds_itself),
        cmocka_unit_test(near_names_are_guessed),
        cmocka_unit_test(defaults_are_found_by_name),
        cmocka_unit_test(values_are_compared_by_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
