/* account/: the database's rows, its errors, its permissions, two handles on one file. */
#include "account/mask.h"
#include "account/scram_keys.h"
#include "fixture.h"
#include "os/db.h"

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void put_address(void *ctx, const struct account *a)
{
    buf_printf(ctx, "%s%s ", a->address, a->enabled ? "" : "(off)");
}

static void put_alias(void *ctx, str address, str target)
{
    buf_printf(ctx, STR_FMT ">" STR_FMT " ", STR_ARG(address), STR_ARG(target));
}

static void put_domain(void *ctx, str domain, int64_t created)
{
    assert_true(created > 1700000000);
    buf_printf(ctx, STR_FMT " ", STR_ARG(domain));
}

static void rows_of_accounts(void **state)
{
    struct fixture f;
    struct account a;
    struct err e;
    fixture_open(&f);
    fixture_add(&f, "Zoe@Example.ORG");
    fixture_add(&f, "bob@example.org");
    fixture_add(&f, "J\xc3\xbcRGEN@b\xc3\xbc"
                    "cher.example");
    assert_int_equal(account_find(f.db, S("zoe@EXAMPLE.org."), &a, &e), RC_OK);
    assert_string_equal(a.address, "zoe@example.org");
    assert_string_equal(a.secret.hash, "{PLAIN}secret");
    assert_true(a.enabled && a.created > 1700000000 && a.changed == a.created);
    /* composed and decomposed, U-label and A-label: the same mailbox */
    assert_int_equal(account_find(f.db, S("ju\xcc\x88rgen@xn--bcher-kva.example"), &a, &e), RC_OK);
    assert_int_equal(account_find(f.db, S("nobody@example.org"), &a, &e), RC_GONE);
    assert_int_equal(account_find(f.db, S("@"), &a, &e), RC_INVALID);

    struct account_secret other = {.hash = "{PLAIN}other"};
    assert_int_equal(account_add(f.db, S("BOB@example.org"), &other, 0, &e), RC_PERM);
    assert_int_equal(account_set_secret(f.db, S("bob@example.org"), &other, &e), RC_OK);
    assert_int_equal(account_set_quota(f.db, S("bob@example.org"), &(struct account_quota){5000, -1}, &e),
                     RC_OK);
    assert_int_equal(account_set_enabled(f.db, S("bob@example.org"), false, &e), RC_OK);
    assert_int_equal(account_find(f.db, S("bob@example.org"), &a, &e), RC_OK);
    assert_string_equal(a.secret.hash, "{PLAIN}other");
    assert_false(a.enabled);
    assert_int_equal(a.quota.bytes, 5000);
    assert_int_equal(a.quota.messages, ACCOUNT_UNLIMITED);

    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    assert_int_equal(account_each(f.db, S("example.org"), put_address, &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "bob@example.org(off) zoe@example.org ");
    struct address_key first;
    assert_int_equal(account_first(f.db, S("xn--bcher-kva.example"), &first, &e), RC_OK);
    assert_int_equal(account_first(f.db, STR_NONE, &first, &e), RC_OK);
    assert_string_equal(first.text, "zoe@example.org");
    assert_int_equal(account_first(f.db, S("other.example"), &first, &e), RC_GONE);

    assert_int_equal(account_del(f.db, S("bob@example.org"), &e), RC_OK);
    assert_int_equal(account_del(f.db, S("bob@example.org"), &e), RC_GONE);
    assert_int_equal(account_set_secret(f.db, S("bob@example.org"), &other, &e), RC_GONE);
    fixture_close(&f);
}

static void unsafe_names(void **state)
{
    static const char *const names[] = {
        "../../etc/passwd@example.org",
        "a/b@example.org",
        ".hidden@example.org",
        "..@example.org",
        "a:b@example.org",
        "\"a b\"@example.org",
        "@example.org",
        "bob",
        "bob@",
        "-x@example.org",
        "a\tb@example.org",
        "bob@exa mple.org",
        "bob@-x.org",
        "",
        "bob@[127.0.0.1",
    };
    struct fixture f;
    struct account_secret secret = {.hash = "{PLAIN}secret"};
    fixture_open(&f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct err e;
        assert_int_not_equal(account_add(f.db, str_c(names[i]), &secret, 0, &e), RC_OK);
    }
    char big[ADDRESS_MAX + 20];
    memset(big, 'a', sizeof big);
    memcpy(big + sizeof big - 12, "@example.org", 12);
    assert_int_equal(account_add(f.db, str_mem(big, sizeof big), &secret, 0, NULL), RC_LIMIT);
    fixture_close(&f);
}

static void rows_of_aliases(void **state)
{
    struct fixture f;
    struct err e;
    fixture_open(&f);
    assert_int_equal(alias_add(f.db, S("Info@example.org"), S("bob@example.org"), &e), RC_OK);
    assert_int_equal(alias_add(f.db, S("info@example.org"), S("Eve@Remote.example"), &e), RC_OK);
    assert_int_equal(alias_add(f.db, S("info@example.org"), S("bob@example.org"), &e), RC_PERM);
    assert_int_equal(alias_add(f.db, S("@example.org"), S("@example.net"), &e), RC_OK);
    assert_int_equal(alias_add(f.db, S("info"), S("bob@example.org"), &e), RC_PERM);
    assert_int_equal(alias_add(f.db, S("info@example.org"), S("bob@@"), &e), RC_INVALID);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    assert_int_equal(alias_each(f.db, S("example.org"), put_alias, &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "@example.org>@example.net info@example.org>Eve@Remote.example "
                                        "info@example.org>bob@example.org ");
    assert_int_equal(alias_del(f.db, S("INFO@example.org"), S("eve@remote.example"), &e), RC_OK);
    assert_int_equal(alias_del(f.db, S("INFO@example.org"), S("eve@remote.example"), &e), RC_GONE);
    assert_int_equal(alias_del(f.db, S("info@example.org"), STR_NONE, &e), RC_OK);
    buf_reset(&out);
    assert_int_equal(alias_each(f.db, STR_NONE, put_alias, &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "@example.org>@example.net ");
    fixture_close(&f);
}

static void rows_of_domains(void **state)
{
    struct fixture f;
    struct err e;
    fixture_open(&f);
    assert_int_equal(domain_add(f.db, S("Example.NET"), &e), RC_OK);
    assert_int_equal(domain_add(f.db, S("example.net"), &e), RC_PERM);
    assert_int_equal(domain_add(f.db,
                                S("b\xc3\xbc"
                                  "cher.example"),
                                &e),
                     RC_OK);
    assert_int_equal(domain_add(f.db, S("exa mple"), &e), RC_INVALID);
    assert_int_equal(domain_add(f.db, S("[127.0.0.1]"), &e), RC_INVALID);
    assert_int_equal(domain_find(f.db, S("EXAMPLE.net"), &e), RC_OK);
    assert_int_equal(domain_find(f.db, S("example.com"), &e), RC_GONE);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    assert_int_equal(domain_each(f.db, put_domain, &out, &e), RC_OK);
    assert_string_equal(buf_cstr(&out), "example.net xn--bcher-kva.example ");
    fixture_add(&f, "bob@example.net");
    assert_int_equal(domain_del(f.db, S("example.net"), &e), RC_PERM);
    assert_int_equal(account_del(f.db, S("bob@example.net"), &e), RC_OK);
    assert_int_equal(domain_del(f.db, S("example.net"), &e), RC_OK);
    assert_int_equal(domain_del(f.db, S("example.net"), &e), RC_GONE);
    fixture_close(&f);
}

static void secrets(void **state)
{
    struct account_secret s;
    struct scram_keys keys;
    struct err e;
    assert_int_equal(account_secret_make(PASSWORD_SHA512_CRYPT, S("caf\xc3\xa9"), &s, &e), RC_OK);
    assert_int_equal(password_verify(str_c(s.hash), S("cafe\xcc\x81")), RC_OK);
    assert_int_equal(scram_keys_parse(str_c(s.scram_sha_1), &keys), RC_OK);
    assert_true(keys.hash == CRYPTO_SHA1 && scram_keys_match(&keys, S("caf\xc3\xa9")));
    assert_int_equal(scram_keys_parse(str_c(s.scram_sha_256), &keys), RC_OK);
    assert_true(keys.hash == CRYPTO_SHA256 && scram_keys_match(&keys, S("caf\xc3\xa9")));
    assert_int_equal(account_secret_make(PASSWORD_YESCRYPT, S(""), &s, &e), RC_INVALID);

    AUTO(buf_deinit) struct buf text = BUF_INIT(500);
    scram_keys_put(&text, &keys);
    assert_int_equal(account_secret_import(buf_str(&text), &s, &e), RC_OK);
    assert_string_equal(s.scram_sha_256, buf_cstr(&text));
    assert_string_equal(s.scram_sha_1, "");
    assert_int_equal(account_secret_import(S("secret"), &s, &e), RC_INVALID);
}

/* The command line and the server have the file open at the same time. */
static void two_handles(void **state)
{
    struct fixture f;
    struct account_db *other = NULL;
    struct account a;
    struct err e;
    unsigned char key[ACCOUNT_KEY_SIZE], other_key[ACCOUNT_KEY_SIZE];
    fixture_open(&f);
    struct stat st;
    assert_int_equal(stat(f.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(account_db_open(f.path, false, &other, &e), RC_OK);
    fixture_add(&f, "bob@example.org");
    assert_int_equal(account_find(other, S("bob@example.org"), &a, &e), RC_OK);
    assert_int_equal(account_set_enabled(other, S("bob@example.org"), false, &e), RC_OK);
    assert_int_equal(account_find(f.db, S("bob@example.org"), &a, &e), RC_OK);
    assert_false(a.enabled);
    account_db_key(f.db, key);
    account_db_key(other, other_key);
    assert_memory_equal(key, other_key, sizeof key);
    other = account_db_close(other);
    fixture_close(&f);
}

static void bad_files(void **state)
{
    struct fixture f;
    struct account_db *db = NULL;
    struct err e;
    fixture_open(&f);
    char path[120];
    snprintf(path, sizeof path, "%s/none.db", f.dir);
    assert_int_equal(account_db_open(path, false, &db, &e), RC_GONE);
    assert_int_equal(symlink(f.path, path), 0);
    assert_int_equal(account_db_open(path, false, &db, &e), RC_TEMP); /* never through a link */
    assert_int_equal(unlink(path), 0);
    FILE *file = fopen(path, "w");
    fputs("this is no database, but long enough to have a header of one hundred bytes, as SQLite wants it to "
          "have",
          file);
    fclose(file);
    assert_int_equal(account_db_open(path, false, &db, &e), RC_TEMP);
    assert_null(db);
    assert_int_equal(unlink(path), 0);
    fixture_close(&f);
}

/* A database of the first schema gets what later ones have; one of a newer program is refused. */
static void schema_is_upgraded(void **state)
{
    struct fixture f;
    struct mask m;
    struct err e = {0};
    struct db *db = NULL;
    fixture_open(&f);
    fixture_add(&f, "bob@example.org");
    f.db = account_db_close(f.db);
    must(db_open(f.path, 0, &db, &e) == RC_OK);
    must(db_script(db,
                   "DROP TABLE mask; DROP TABLE domain_quota; DROP TABLE account_use; DROP TABLE "
                   "domain_total; DROP TABLE shared_with; ALTER TABLE account DROP COLUMN quota_messages;"
                   "PRAGMA user_version = 1;",
                   &e) == RC_OK);
    db = db_close(db);
    must(account_db_open(f.path, false, &f.db, &e) == RC_OK);
    assert_int_equal(mask_make(f.db, S("bob@example.org"), S("note"), 0, &m, &e), RC_OK);
    assert_true(str_ends(str_c(m.address), S("@example.org")) &&
                str_eq(str_c(m.account), S("bob@example.org")));
    f.db = account_db_close(f.db);
    must(db_open(f.path, 0, &db, &e) == RC_OK);
    must(db_script(db, "PRAGMA user_version = 6;", &e) == RC_OK);
    db = db_close(db);
    assert_int_equal(account_db_open(f.path, false, &f.db, &e), RC_INVALID);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_accounts), cmocka_unit_test(schema_is_upgraded),
        cmocka_unit_test(unsafe_names),     cmocka_unit_test(rows_of_aliases),
        cmocka_unit_test(rows_of_domains),  cmocka_unit_test(secrets),
        cmocka_unit_test(two_handles),      cmocka_unit_test(bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
