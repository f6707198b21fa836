/* account/resolve: the rule for "whose is this address" as a table, log-in names, senders, identities. */
#include "account/mask.h"
#include "account/resolve.h"

#include "conf/conf.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum rc system_user(void *ctx, str name, struct account_identity *ret, struct err *e)
{
    *ret = (struct account_identity){.uid = 1001, .gid = 1001, .home = "/home/alice"};
    if (str_eq(name, S("alice")))
        return RC_OK;
    if (str_eq(name, S("root"))) {
        ret->uid = 0;
        return RC_OK;
    }
    if (str_eq(name, S("daemon"))) {
        ret->uid = 1;
        return RC_OK;
    }
    if (str_eq(name, S("homeless")))
        return err_set(e, RC_PERM, 550, "5.3.5", "the account has no place for its mail");
    return str_eq(name, S("broken")) ? RC_TEMP : RC_GONE;
}

static enum rc has_forward(void *ctx, str name, str tag, struct err *e)
{
    if (str_eq(tag, S("later")))
        return err_set(e, RC_TEMP, 451, "4.3.0", "not now");
    return str_eq(name, S("alice")) && (tag.n == 0 || str_eq(tag, S("list"))) ? RC_OK : RC_GONE;
}

struct world {
    struct fixture f;
    struct conf *conf;
    struct account_lookup lookup;
};

static void alias(struct world *w, const char *from, const char *to)
{
    must(alias_add(w->f.db, str_c(from), str_c(to), NULL) == RC_OK);
}

static void world_open(struct world *w)
{
    struct conf_report report = {0};
    fixture_open(&w->f);
    w->conf = conf_parse(
        S("hostname = mail.example.org\ndomains = example.org, example.net, lonely.example, listed.example\n"
          "[domain example.net]\npostmaster = bob@example.org\ncatch_all = carol@example.org\n"
          "[domain listed.example]\ncatch_all = info@example.org\n"),
        "test", &report);
    must(w->conf && report.errors == 0);
    conf_report_deinit(&report);
    w->lookup = (struct account_lookup){
        .db = w->f.db, .conf = w->conf, .mail_uid = 5000, .mail_gid = 5000, .system_user = system_user};
    fixture_add(&w->f, "bob@example.org");
    fixture_add(&w->f, "carol@example.org");
    fixture_add(&w->f, "a+b@example.org");
    fixture_add(&w->f, "off@example.org");
    fixture_add(&w->f, "self@example.org");
    fixture_add(&w->f, "dave@added.example");
    must(account_set_enabled(w->f.db, S("off@example.org"), false, NULL) == RC_OK);
    must(domain_add(w->f.db, S("added.example"), NULL) == RC_OK);
    alias(w, "info@example.org", "bob@example.org");
    alias(w, "info@example.org", "carol@example.org");
    alias(w, "away@example.org", "Eve@Remote.example");
    alias(w, "self@example.org", "self@example.org");
    alias(w, "self@example.org", "eve@remote.example");
    alias(w, "loop1@example.org", "loop2@example.org");
    alias(w, "loop2@example.org", "loop1@example.org");
    alias(w, "half@example.org", "bob@example.org");
    alias(w, "half@example.org", "gone@example.org");
    alias(w, "dead@example.org", "gone@example.org");
    alias(w, "halfoff@example.org", "bob@example.org");
    alias(w, "halfoff@example.org", "off@example.org");
    alias(w, "halfbroken@example.org", "bob@example.org");
    alias(w, "halfbroken@example.org", "broken@example.org");
    alias(w, "halfloop@example.org", "bob@example.org");
    alias(w, "halfloop@example.org", "loop1@example.org");
    alias(w, "halfhidden@example.org", "bob@example.org"); /* a loop that is met only from outside */
    alias(w, "halfhidden@example.org", "hidden@example.org");
    alias(w, "hidden@example.org", "loop1@example.org");
    alias(w, "bigger@example.org", "carol@example.org");
    alias(w, "bigger@example.org", "half@example.org");
    alias(w, "both@example.org", "info1@example.org"); /* two ways to one list */
    alias(w, "both@example.org", "info2@example.org");
    alias(w, "info1@example.org", "info@example.org");
    alias(w, "info2@example.org", "info@example.org");
    alias(w, "pair1@example.org", "bob@example.org"); /* two lists that name each other */
    alias(w, "pair1@example.org", "pair2@example.org");
    alias(w, "pair2@example.org", "carol@example.org");
    alias(w, "pair2@example.org", "pair1@example.org");
    alias(w, "pairs@example.org", "pair1@example.org");
    alias(w, "pairs@example.org", "pair2@example.org");
    alias(w, "wild@example.org", "bob@added.example"); /* twice through one wildcard */
    alias(w, "wild@example.org", "carol@added.example");
    alias(w, "caught@example.org", "one@example.net"); /* twice through one catch-all */
    alias(w, "caught@example.org", "two@example.net");
    alias(w, "unix@example.org", "alice@example.org");
    alias(w, "@added.example", "@example.org");
    alias(w, "offlist@example.org", "off@example.org");
    for (int i = 0; i < 12; i++) {
        char from[40], to[40];
        snprintf(from, sizeof from, "deep%d@example.org", i);
        snprintf(to, sizeof to, "deep%d@example.org", i + 1);
        alias(w, from, to);
    }
    alias(w, "deep12@example.org", "bob@example.org");
}

static void world_close(struct world *w)
{
    conf_freep(&w->conf);
    fixture_close(&w->f);
}

static void put_targets(struct buf *out, const struct account_target *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str shown = t[i].remote ? t[i].address : t[i].account;
        buf_printf(out, "%s" STR_FMT "/%d", t[i].remote ? "->" : "", STR_ARG(shown), (int)t[i].uid);
        if (t[i].tag.n > 0)
            buf_printf(out, "+" STR_FMT, STR_ARG(t[i].tag));
        if (t[i].via.n > 0)
            buf_printf(out, "!" STR_FMT, STR_ARG(t[i].via));
        buf_putc(out, ' ');
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *address;
        enum rc rc;
        const char *result; /* targets, or the enhanced status */
    } rows[] = {
        {"bob@example.org", RC_OK, "bob@example.org/5000 "},
        {"BOB@Example.Org", RC_OK, "bob@example.org/5000 "},
        {"bob@EXAMPLE.ORG.", RC_OK, "bob@example.org/5000 "},
        {"\"bob\"@example.org", RC_OK, "bob@example.org/5000 "},
        {"bob+lists+x@example.org", RC_OK, "bob@example.org/5000+lists+x "},
        {"a+b@example.org", RC_OK, "a+b@example.org/5000 "}, /* the whole name is tried first */
        {"info@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"info+tag@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"away@example.org", RC_OK, "->Eve@Remote.example/-1 "},
        {"self@example.org", RC_OK, "->eve@remote.example/-1 self@example.org/5000 "},
        /* nothing is accepted and dropped */
        {"half@example.org", RC_PERM, "5.1.1"},
        {"halfoff@example.org", RC_PERM, "5.1.1"},
        {"halfbroken@example.org", RC_TEMP, "4.3.0"},
        {"halfloop@example.org", RC_PERM, "5.1.1"},
        {"halfhidden@example.org", RC_PERM, "5.1.1"},
        {"bigger@example.org", RC_PERM, "5.1.1"}, /* the dead one is a level deeper */
        /* met twice is not dead */
        {"both@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"pair1@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"pair2@example.org", RC_OK, "carol@example.org/5000 bob@example.org/5000 "},
        {"pairs@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"wild@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"caught@example.org", RC_OK, "carol@example.org/5000 "},
        {"whoever@listed.example", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"dave@added.example", RC_OK, "dave@added.example/5000 "},
        {"bob@added.example", RC_OK, "bob@example.org/5000 "}, /* the same name in another domain */
        {"bob+x@added.example", RC_OK, "bob@example.org/5000+x "},
        {"zzz@added.example", RC_PERM, "5.1.1"},
        /* users of the system */
        {"alice@example.org", RC_OK, "alice/1001 "},
        {"alice+t@mail.example.org", RC_OK, "alice/1001+t "},
        {"unix@example.org", RC_OK, "alice/1001 "},
        {"daemon@example.org", RC_PERM, "5.1.1"}, /* below first_valid_uid */
        {"broken@example.org", RC_TEMP, "4.3.0"},
        {"homeless@example.org", RC_PERM, "5.3.5"},
        /* RFC 5321 §4.5.1, RFC 2142 */
        {"postmaster@example.org", RC_OK, "bob@example.org/5000 "}, /* the first account of the domain */
        {"Postmaster@example.net", RC_OK, "bob@example.org/5000 "}, /* as configured */
        {"abuse@lonely.example", RC_OK, "bob@example.org/5000 "},   /* any account */
        {"root@mail.example.org", RC_OK, "bob@example.org/5000 "},  /* uid 0 has no mailbox */
        {"postmaster@added.example", RC_OK,
         "bob@example.org/5000 "}, /* through the catch-all to example.org */
        {"postmaster", RC_OK, "bob@example.org/5000 "},
        {"PostMaster", RC_OK, "bob@example.org/5000 "},
        /* catch-all of the configuration */
        {"whoever@example.net", RC_OK, "carol@example.org/5000 "},
        /* refusals */
        {"nobody@example.org", RC_PERM, "5.1.1"},
        {"dead@example.org", RC_PERM, "5.1.1"},
        {"off@example.org", RC_PERM, "5.2.1"},
        {"offlist@example.org", RC_PERM, "5.2.1"},
        {"loop1@example.org", RC_PERM, "5.4.6"},
        {"deep0@example.org", RC_PERM, "5.4.6"},
        {"deep3@example.org", RC_OK, "bob@example.org/5000 "},
        {"eve@remote.example", RC_GONE, "5.7.1"},
        {"bob@sub.example.org", RC_GONE, "5.7.1"},
        {"bob@[127.0.0.1]", RC_GONE, "5.7.1"},
        {"bob@remote.example@example.org", RC_PERM, "5.1.1"},
        {"eve%remote.example@example.org", RC_PERM, "5.1.1"}, /* no source routing */
        {"alice", RC_INVALID, "5.1.3"},
        {"", RC_INVALID, "5.1.3"},
        {"bob@", RC_INVALID, "5.1.3"},
        {"bob@exa mple.org", RC_INVALID, "5.1.3"},
        {"bob\x01@example.org", RC_INVALID, "5.1.3"},
    };
    struct world w;
    world_open(&w);
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account_target *t = NULL;
        size_t n = 0;
        struct err e = {0};
        AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
        enum rc rc = account_resolve(&w.lookup, str_c(rows[i].address), a, &t, &n, &e);
        if (rc == RC_OK)
            put_targets(&out, t, n);
        else
            buf_puts(&out, str_c(e.enhanced));
        if (rc != rows[i].rc || strcmp(buf_cstr(&out), rows[i].result) != 0)
            fail_msg("%s: %s %s", rows[i].address, rc_name(rc), buf_cstr(&out));
        arena_reset(a);
    }
    arena_free(a);
    world_close(&w);
}

static struct table_list *tables(const char *text)
{
    struct table_list *l;
    struct err e = {0};
    str one = str_c(text);
    if (table_list_open(&one, 1, NULL, &l, &e) != RC_OK)
        fail_msg("%s", err_text(&e));
    return l;
}

/* Shows what an address leads to. */
static void check_address(struct world *w, const char *address, enum rc wanted, const char *result)
{
    struct account_target *t = NULL;
    size_t n = 0;
    struct err e = {0};
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct arena *a = arena_new(1 << 20);
    enum rc rc = account_resolve(&w->lookup, str_c(address), a, &t, &n, &e);
    if (rc == RC_OK)
        put_targets(&out, t, n);
    else
        buf_puts(&out, str_c(e.enhanced));
    if (rc != wanted || strcmp(buf_cstr(&out), result) != 0)
        fail_msg("%s: %s %s", address, rc_name(rc), buf_cstr(&out));
    arena_free(a);
}

/* virtual(5): asked before everything else, for addresses of ours alone. */
static void virtual_aliases(void **state)
{
    static const char text[] =
        "inline:{ {sales@example.org = bob@example.org, carol@example.org}, {far@example.org = "
        "x@remote.example},"
        " {bob+box@example.org = carol@example.org}, {copy@example.org = carol@example.org "
        "copy2@example.org},"
        " {copy2@example.org = bob@example.org}, {bob@example.net = bob@example.org x@remote.example},"
        " {self@example.org = self@example.org}, {carol@example.org = carol@example.org bob@example.org},"
        " {va@example.org = vb@example.org}, {vb@example.org = va@example.org},"
        " {l1@example.org = bob@example.org l2@example.org}, {l2@example.org = carol@example.net "
        "l1@example.org},"
        " {twice@example.org = l1@example.org l2@example.org}, {info@example.org = info@example.org},"
        " {@lonely.example = @example.org}, {lost@example.org = gone@example.org}, {bad@example.org = ,},"
        " {grow@example.org = grow+x@example.org}, {sysuser = alice}, {x@remote.example = bob@example.org},"
        " {taken@example.org = bob@example.org gone@example.org} }";
    static const struct {
        const char *address;
        enum rc rc;
        const char *result;
    } rows[] = {
        {"sales@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"Sales@Example.ORG", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"far@example.org", RC_OK, "->x@remote.example/-1 "},
        {"far+ext@example.org", RC_OK, "->x+ext@remote.example/-1 "}, /* the extension goes with it */
        {"bob@example.org", RC_OK, "bob@example.org/5000 "},
        {"bob+box@example.org", RC_OK, "carol@example.org/5000 bob@example.org/5000 "},
        {"bob+other@example.org", RC_OK, "bob@example.org/5000+other "},
        {"copy@example.org", RC_OK, "carol@example.org/5000 bob@example.org/5000 "},
        {"bob@example.net", RC_OK, "bob@example.org/5000 ->x@remote.example/-1 "},
        /* an address among its own results means what it means without the table */
        {"carol@example.org", RC_OK, "carol@example.org/5000 bob@example.org/5000 "},
        {"self@example.org", RC_OK, "->eve@remote.example/-1 self@example.org/5000 "},
        {"info@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"l1@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"twice@example.org", RC_OK, "bob@example.org/5000 carol@example.org/5000 "},
        {"bob@lonely.example", RC_OK, "bob@example.org/5000 "},
        {"bob+x@lonely.example", RC_OK, "bob@example.org/5000+x "},
        {"nobody@lonely.example", RC_PERM, "5.1.1"},
        {"sysuser@mail.example.org", RC_OK, "alice/1001 "}, /* a bare name is of the hostname */
        {"sysuser@example.org", RC_PERM, "5.1.1"},
        /* nothing is accepted and dropped */
        {"va@example.org", RC_PERM, "5.4.6"},
        {"lost@example.org", RC_PERM, "5.1.1"},
        {"taken@example.org", RC_PERM, "5.1.1"},
        {"grow@example.org", RC_PERM, "5.4.6"},
        {"bad@example.org", RC_TEMP, "4.3.5"},
        {"x@remote.example", RC_GONE, "5.7.1"}, /* never for addresses of others */
        {"postmaster@example.org", RC_OK, "bob@example.org/5000 "},
    };
    struct world w;
    world_open(&w);
    w.lookup.virtual_aliases = tables(text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_address(&w, rows[i].address, rows[i].rc, rows[i].result);
    table_list_close(w.lookup.virtual_aliases);
    w.lookup.virtual_aliases = tables("fail:x");
    check_address(&w, "bob@example.org", RC_TEMP, "4.3.0");
    check_address(&w, "x@remote.example", RC_GONE, "5.7.1");
    table_list_close(w.lookup.virtual_aliases);
    world_close(&w);
}

/* aliases(5) for names that are no accounts, and relocated(5). */
static void alias_maps(void **state)
{
    static const char text[] =
        "inline:{ {list = bob@example.org, Eve@Remote.example}, {postmaster = root}, {root = carol},"
        " {alice = \\alice, bob@example.org}, {bob = eve@remote.example}, {loop = loop3}, {loop3 = loop},"
        " {half2 = bob, nobody}, {prog = |/bin/false}, {file = /tmp/x}, {copy = bob, |/bin/false},"
        " {incl = :include:/lists/none}, {empty = ,}, {tagged+ext = carol}, {tagged = bob}, {me = me, bob} }";
    static const struct {
        const char *address;
        enum rc rc;
        const char *result;
    } rows[] = {
        {"list@example.org", RC_OK, "bob@example.org/5000 ->Eve@Remote.example/-1 "},
        {"LIST+tag@mail.example.org", RC_OK, "bob@example.org/5000 ->Eve@Remote.example/-1 "},
        {"root@example.org", RC_OK, "carol@example.org/5000 "},
        {"alice@example.org", RC_OK, "alice/1001 bob@example.org/5000 "},
        {"bob@example.org", RC_OK, "bob@example.org/5000 "}, /* an account is no name for alias_maps */
        {"tagged+ext@example.org", RC_OK, "carol@example.org/5000 "},
        {"tagged+other@example.org", RC_OK, "bob@example.org/5000 "},
        {"loop@example.org", RC_PERM, "5.4.6"},
        {"half2@example.org", RC_PERM, "5.1.1"},
        {"me@example.org", RC_OK, "bob@example.org/5000 "},
        {"prog@example.org", RC_OK, "/-1!alias:0:910e0b6fa8c2863e:prog "},
        {"file@example.org", RC_OK, "/-1!alias:0:3b2b48e1a68440b3:file "},
        {"copy@example.org", RC_OK, "bob@example.org/5000 /-1!alias:1:910e0b6fa8c2863e:copy "},
        {"incl@example.org", RC_TEMP, "4.3.5"},
        {"empty@example.org", RC_TEMP, "4.3.5"},
        {"list@remote.example", RC_GONE, "5.7.1"},
        {"moved@example.org", RC_PERM, "5.1.6"},
        {"moved+tag@example.org", RC_PERM, "5.1.6"},
        {"tomoved@example.org", RC_PERM, "5.1.1"},
    };
    struct world w;
    world_open(&w);
    alias(&w, "tomoved@example.org", "bob@example.org");
    alias(&w, "tomoved@example.org", "moved@example.org");
    w.lookup.aliases = tables(text);
    w.lookup.relocated = tables("inline:{{moved@example.org=new@there.example}}");
    w.lookup.virtual_aliases = tables("inline:{{moved@example.org=bob@example.org}}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_address(&w, rows[i].address, rows[i].rc, rows[i].result);
    table_list_close(w.lookup.aliases);
    table_list_close(w.lookup.relocated);
    w.lookup.aliases = tables("fail:x");
    w.lookup.relocated = NULL;
    check_address(&w, "alice@example.org", RC_TEMP, "4.3.0");
    check_address(&w, "bob@example.org", RC_OK, "bob@example.org/5000 ");
    w.lookup.relocated = w.lookup.aliases;
    check_address(&w, "bob@example.org", RC_TEMP, "4.3.0");
    table_list_close(w.lookup.aliases);
    table_list_close(w.lookup.virtual_aliases);
    world_close(&w);
}

/* Programs only where the configuration lets them be. */
static void programs(void **state)
{
    static str nowhere[] = {S("forward")};
    struct world w;
    world_open(&w);
    w.lookup.aliases = tables("inline:{ {prog = |/bin/false}, {file = /tmp/x}, {copy = bob, |/bin/false} }");
    w.conf->allow_mail_to_commands = w.conf->allow_mail_to_files = (struct conf_list){nowhere, 1};
    check_address(&w, "prog@example.org", RC_PERM, "5.3.3");
    check_address(&w, "file@example.org", RC_PERM, "5.3.3");
    check_address(&w, "copy@example.org", RC_PERM, "5.1.1");
    table_list_close(w.lookup.aliases);
    w.lookup.aliases = NULL;
    w.lookup.has_forward = has_forward;
    check_address(&w, "alice@example.org", RC_OK, "alice/1001!user:1001:alice: ");
    check_address(&w, "alice+list@example.org", RC_OK, "alice/1001+list!user:1001:alice:list ");
    check_address(&w, "alice+a/list@example.org", RC_OK, "alice/1001+a/list!user:1001:alice: ");
    check_address(&w, "alice+other@example.org", RC_OK, "alice/1001+other ");
    check_address(&w, "alice+later@example.org", RC_TEMP, "4.3.0");
    w.conf->forward_path = "";
    check_address(&w, "alice@example.org", RC_OK, "alice/1001 ");
    w.conf->mailbox_command = "/bin/true";
    check_address(&w, "alice+other@example.org", RC_OK, "alice/1001+other!user:1001:alice:other ");
    check_address(&w, "bob@example.org", RC_OK, "bob@example.org/5000 ");
    w.conf->mailbox_command = "";
    world_close(&w);
}

/* Masked and blocked addresses come before everything else. */
static void masks(void **state)
{
    struct mask m, old, lost;
    struct world w;
    char tagged[ADDRESS_MAX + 10];
    world_open(&w);
    must(mask_make(w.f.db, S("bob@example.org"), S("shop"), 0, &m, NULL) == RC_OK);
    must(mask_make(w.f.db, S("bob@example.org"), S(""), 1, &old, NULL) == RC_OK);
    must(mask_make(w.f.db, S("dave@added.example"), S(""), 0, &lost, NULL) == RC_OK);
    must(mask_block(w.f.db, S("x@example.net"), S("Not here"), NULL) == RC_OK);
    must(mask_block(w.f.db, S("carol@example.org"), S(""), NULL) == RC_OK);
    alias(&w, "tomask@example.org", m.address);
    alias(&w, "toblocked@example.org", "bob@example.org");
    alias(&w, "toblocked@example.org", "carol@example.org");
    w.lookup.virtual_aliases = tables("inline:{{@example.net=bob@example.org}}");
    check_address(&w, m.address, RC_OK, "bob@example.org/5000 ");
    snprintf(tagged, sizeof tagged, "%.12s+tag@example.org", m.address);
    check_address(&w, tagged, RC_OK, "bob@example.org/5000+tag ");
    check_address(&w, "tomask@example.org", RC_OK, "bob@example.org/5000 ");
    check_address(&w, "x@example.net", RC_PERM, "5.1.1");
    check_address(&w, "X+tag@example.net", RC_PERM, "5.1.1");
    check_address(&w, "y@example.net", RC_OK, "bob@example.org/5000 ");
    check_address(&w, "carol@example.org", RC_PERM, "5.1.1");
    check_address(&w, "toblocked@example.org", RC_PERM, "5.1.1");
    check_address(&w, old.address, RC_PERM, "5.1.1");
    must(mask_set_enabled(w.f.db, str_c(m.address), false, NULL) == RC_OK);
    check_address(&w, m.address, RC_PERM, "5.1.1");
    must(account_del(w.f.db, S("dave@added.example"), NULL) == RC_OK);
    assert_int_equal(mask_del(w.f.db, str_c(lost.address), NULL), RC_GONE); /* went with its account */
    table_list_close(w.lookup.virtual_aliases);
    world_close(&w);
}

/* A sender that was made for a forwarded message leads back, here and in an alias. */
static void srs(void **state)
{
    static const char *const same[] = {
        "bob@example.org", "x@mail.example.org", "\"a b\"@remote.example",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@remote.example"};
    struct world w;
    struct err e = {0};
    struct arena *a = arena_new(1 << 20);
    str forwarded;
    char address[400];
    world_open(&w);
    must(account_forwarded_sender(&w.lookup, S("Eve@remote.example"), a, &forwarded, &e) == RC_OK);
    assert_true(str_starts(forwarded, S("SRS0=")) &&
                str_ends(forwarded, S("=remote.example=Eve@mail.example.org")));
    snprintf(address, sizeof address, STR_FMT, STR_ARG(forwarded));
    check_address(&w, address, RC_OK, "->Eve@remote.example/-1 ");
    alias(&w, "back@example.org", address);
    check_address(&w, "back@example.org", RC_OK, "->Eve@remote.example/-1 ");
    address[6] = address[6] == 'x' ? 'y' : 'x';
    check_address(&w, address, RC_PERM, "5.1.1");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        must(account_forwarded_sender(&w.lookup, str_c(same[i]), a, &forwarded, &e) == RC_OK);
        assert_true(str_eq(forwarded, str_c(same[i])));
    }
    world_close(&w);
    arena_free(a);
}

static void relay_recipients(void **state)
{
    struct conf_report report = {0};
    struct world w;
    struct err e = {0};
    world_open(&w);
    const struct conf *whole = w.lookup.conf;
    AUTO(conf_freep)
    struct conf *c =
        conf_parse(S("hostname = mail.example.org\nrelay_domains = relay.example\n"), "test", &report);
    w.lookup.conf = c;
    assert_int_equal(account_check_relay(&w.lookup, S("joe@relay.example"), &e), RC_OK);
    w.lookup.relay_recipients = tables("inline:{{joe@relay.example=x}}");
    assert_int_equal(account_check_relay(&w.lookup, S("joe@relay.example"), &e), RC_OK);
    assert_int_equal(account_check_relay(&w.lookup, S("joe+tag@relay.example"), &e), RC_OK);
    assert_int_equal(account_check_relay(&w.lookup, S("joe@elsewhere.example"), &e), RC_OK);
    assert_int_equal(account_check_relay(&w.lookup, S("ann@relay.example"), &e), RC_PERM);
    assert_string_equal(e.enhanced, "5.1.1");
    w.lookup.relay_domains = tables("inline:{ {live.example=x}, {.below.example=x} }");
    assert_int_equal(account_check_relay(&w.lookup, S("ann@live.example"), &e), RC_PERM);
    assert_int_equal(account_check_relay(&w.lookup, S("ann@sub.live.example"), &e), RC_OK);
    assert_int_equal(account_check_relay(&w.lookup, S("ann@sub.below.example"), &e), RC_PERM);
    table_list_close(w.lookup.relay_domains);
    w.lookup.relay_domains = tables("fail:x");
    assert_int_equal(account_check_relay(&w.lookup, S("ann@live.example"), &e), RC_TEMP);
    table_list_close(w.lookup.relay_domains);
    w.lookup.relay_domains = NULL;
    table_list_close(w.lookup.relay_recipients);
    w.lookup.relay_recipients = tables("fail:x");
    assert_int_equal(account_check_relay(&w.lookup, S("joe@relay.example"), &e), RC_TEMP);
    table_list_close(w.lookup.relay_recipients);
    w.lookup.conf = whole;
    world_close(&w);
}

/* domain_maps: domains that are ours as long as a table has them. */
static void domains_of_tables(void **state)
{
    struct world w;
    world_open(&w);
    check_address(&w, "bob@live.example", RC_GONE, "5.7.1");
    w.lookup.domains = tables("inline:{ {live.example=x} }");
    check_address(&w, "nobody@live.example", RC_PERM, "5.1.1");
    check_address(&w, "nobody@LIVE.Example", RC_PERM, "5.1.1");
    check_address(&w, "alice@live.example", RC_OK, "alice/1001 ");
    check_address(&w, "bob@sub.live.example", RC_GONE, "5.7.1");
    check_address(&w, "bob@example.org", RC_OK, "bob@example.org/5000 ");
    table_list_close(w.lookup.domains);
    w.lookup.domains = tables("fail:x");
    check_address(&w, "bob@live.example", RC_TEMP, "4.3.0");
    check_address(&w, "bob@example.org", RC_OK, "bob@example.org/5000 ");
    table_list_close(w.lookup.domains);
    world_close(&w);
}

/* An address of this server in the place of a domain is its name; any other is a server elsewhere. */
static void own_addresses(void **state)
{
    static const struct {
        const char *address;
        enum rc rc;
        const char *result;
    } rows[] = {
        {"alice@[192.0.2.7]", RC_OK, "alice/1001 "},
        {"alice@[IPv6:2001:DB8::7]", RC_OK, "alice/1001 "},
        {"alice+x@[198.51.100.1]", RC_OK, "alice/1001+x "},
        {"nobody@[192.0.2.7]", RC_PERM, "5.1.1"},
        {"alice@[192.0.2.8]", RC_GONE, "5.7.1"},
        {"alice@[IPv6:2001:db8::8]", RC_GONE, "5.7.1"},
        {"alice@192.0.2.7", RC_GONE, "5.7.1"},
    };
    struct conf_report report = {0};
    struct world w;
    world_open(&w);
    const struct conf *whole = w.lookup.conf;
    AUTO(conf_freep)
    struct conf *c = conf_parse(S("hostname = mail.example.org\nlisten = 198.51.100.1\n"
                                  "own_addresses = 192.0.2.7, 2001:db8::7\n"),
                                "test", &report);
    w.lookup.conf = c;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_address(&w, rows[i].address, rows[i].rc, rows[i].result);
    w.lookup.conf = whole;
    world_close(&w);
}

/* Names that nobody has: a transport by name, one for all, an address; only in local_domains, and only for
 * what local_recipient_maps know. */
static void unknown_names(void **state)
{
    static const char base[] =
        "hostname = mail.example.org\ndomains = example.org, example.net\nmyorigin = example.org\n"
        "local_domains = example.org\n";
    struct conf_report report = {0};
    struct world w;
    world_open(&w);
    const struct conf *whole = w.lookup.conf;
    static const struct {
        const char *more, *address;
        enum rc rc;
        const char *result;
    } rows[] = {
        {"luser_relay = bob\n", "gone@example.org", RC_OK, "bob@example.org/5000 "},
        {"luser_relay = bob@example.org\n", "gone+x@example.org", RC_OK, "bob@example.org/5000 "},
        {"luser_relay = $user+${extension}-$domain@far.example\n", "gone+x@example.org", RC_OK,
         "->gone+x-example.org@far.example/-1 "},
        {"luser_relay = $local@far.example\n", "gone+x@example.org", RC_OK, "->gone+x@far.example/-1 "},
        {"luser_relay = bob\n", "gone@example.net", RC_PERM, "5.1.1"},
        {"luser_relay = gone\n", "gone@example.org", RC_PERM, "5.1.1"},
        {"luser_relay = other\n", "gone@example.org", RC_PERM, "5.1.1"},
        {"luser_relay = bob\n", "carol@example.org", RC_OK, "carol@example.org/5000 "},
        {"fallback_transport = smtp:[far]\nluser_relay = bob\n", "gone@example.org", RC_OK,
         "/-1!transport:smtp:[far] "},
        {"fallback_transport = smtp:[far]\n", "carol@example.org", RC_OK, "carol@example.org/5000 "},
        {"fallback_transport = smtp:[far]\n", "postmaster@example.org", RC_OK, "/-1!transport:smtp:[far] "},
        {"fallback_transport = smtp:[far]\n", "gone@example.net", RC_PERM, "5.1.1"},
        {"fallback_transport = smtp:[far]\n", "gone@remote.example", RC_GONE, "5.7.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
        buf_printf(&text, "%s%s", base, rows[i].more);
        AUTO(conf_freep) struct conf *c = conf_parse(buf_str(&text), "test", &report);
        w.lookup.conf = c;
        check_address(&w, rows[i].address, rows[i].rc, rows[i].result);
    }
    AUTO(conf_freep)
    struct conf *c = conf_parse(S("hostname = mail.example.org\ndomains = example.org\nluser_relay = bob\n"),
                                "test", &report);
    w.lookup.conf = c;
    w.lookup.fallback_transports = tables("inline:{ {joe=lmtp:[far]}, {ann=} }");
    check_address(&w, "joe+tag@example.org", RC_OK, "/-1!transport:lmtp:[far] ");
    check_address(&w, "other@example.org", RC_OK, "bob@example.org/5000 ");
    w.lookup.local_recipients = tables("inline:{ {joe=x}, {eve@example.org=x} }");
    check_address(&w, "joe@example.org", RC_OK, "/-1!transport:lmtp:[far] ");
    check_address(&w, "eve@example.org", RC_OK, "bob@example.org/5000 ");
    check_address(&w, "other@example.org", RC_PERM, "5.1.1");
    table_list_close(w.lookup.local_recipients);
    w.lookup.local_recipients = tables("fail:x");
    check_address(&w, "other@example.org", RC_TEMP, "4.3.0");
    table_list_close(w.lookup.local_recipients);
    table_list_close(w.lookup.fallback_transports);
    w.lookup.local_recipients = NULL;
    w.lookup.fallback_transports = tables("fail:x");
    check_address(&w, "other@example.org", RC_TEMP, "4.3.0");
    table_list_close(w.lookup.fallback_transports);
    w.lookup.conf = whole;
    world_close(&w);
}

/* What is said of recipients that do not exist; in alias_domains accounts count for nothing, but for
 * postmaster. */
static void unknown_words(void **state)
{
    static const char base[] = "hostname = mail.example.org\ndomains = example.org, example.net, a.example\n"
                               "alias_domains = a.example, example.net\nrelay_domains = r.example\n";
    static const struct {
        const char *more, *address;
        int code; /* 0: it is accepted */
        const char *text;
    } rows[] = {
        {"local_domains = example.net\n", "gone@example.net", 550, "User unknown in local recipient table"},
        {"local_domains = example.net\n", "gone@mail.example.org", 550,
         "User unknown in local recipient table"},
        {"local_domains = example.net\n", "gone@example.org", 550, "User unknown in virtual mailbox table"},
        {"", "gone@example.org", 550, "User unknown in local recipient table"},
        {"system_users = no\n", "gone@example.org", 550, "User unknown in virtual mailbox table"},
        {"", "bob@a.example", 550, "User unknown in virtual alias table"},
        {"local_domains = example.net\n", "alice@example.net", 0, ""},
        {"", "alice@example.net", 550, "User unknown in virtual alias table"},
        {"", "postmaster@a.example", 0, ""},
        {"show_user_unknown_table_name = no\n", "gone@example.org", 550, "User unknown"},
        {"unknown_local_recipient_reject_code = 450\n", "gone@example.org", 450,
         "User unknown in local recipient table"},
        {"unknown_virtual_alias_reject_code = 451\nshow_user_unknown_table_name = no\n", "bob@a.example", 451,
         "User unknown in virtual alias table"},
        {"system_users = no\nunknown_virtual_mailbox_reject_code = 452\n", "gone@example.org", 452,
         "User unknown in virtual mailbox table"},
        {"unknown_relay_recipient_reject_code = 553\n", "gone@r.example", 553,
         "User unknown in relay recipient table"},
    };
    struct conf_report report = {0};
    struct world w;
    world_open(&w);
    fixture_add(&w.f, "bob@a.example");
    const struct conf *whole = w.lookup.conf;
    w.lookup.relay_recipients = tables("inline:{a=b}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(1000);
        buf_printf(&text, "%s%s", base, rows[i].more);
        AUTO(conf_freep) struct conf *c = conf_parse(buf_str(&text), "test", &report);
        struct account_target *t = NULL;
        struct err e = {0};
        size_t n = 0;
        AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
        must(c);
        w.lookup.conf = c;
        enum rc rc = account_resolve(&w.lookup, str_c(rows[i].address), a, &t, &n, &e);
        if (rc == RC_GONE)
            rc = account_check_relay(&w.lookup, str_c(rows[i].address), &e);
        if (rc != (rows[i].code ? RC_PERM : RC_OK) ||
            (rc != RC_OK && (e.code != rows[i].code || strcmp(e.peer, rows[i].text) != 0 ||
                             strcmp(e.enhanced, "5.1.1") != 0)))
            fail_msg("%s%s: %s %d %s", rows[i].more, rows[i].address, rc_name(rc), e.code, e.peer);
    }
    table_list_close(w.lookup.relay_recipients);
    w.lookup.relay_recipients = NULL;
    w.lookup.conf = whole;
    world_close(&w);
}

/* The first domain that fits counts; exceptions by domain and by name. */
static void masquerading(void **state)
{
    static const struct {
        enum account_class class;
        const char *from, *to;
    } rows[] = {
        {ACCOUNT_ENVELOPE_SENDER, "joe@a.foo.example.com", "joe@foo.example.com"},
        {ACCOUNT_HEADER_SENDER, "Joe+x@a.b.example.com", "Joe+x@example.com"},
        {ACCOUNT_HEADER_RECIPIENT, "joe@A.Example.COM", "joe@Example.COM"},
        {ACCOUNT_ENVELOPE_RECIPIENT, "joe@a.b.example.com", "joe@a.b.example.com"},
        {ACCOUNT_HEADER_SENDER, "joe@example.com", "joe@example.com"},
        {ACCOUNT_HEADER_SENDER, "joe@notexample.com", "joe@notexample.com"},
        {ACCOUNT_HEADER_SENDER, "joe@host.keep.example.com", "joe@host.keep.example.com"},
        {ACCOUNT_HEADER_SENDER, "joe@keep.example.com", "joe@keep.example.com"},
        {ACCOUNT_HEADER_SENDER, "Root@a.example.com", "Root@a.example.com"},
        {ACCOUNT_HEADER_SENDER, "me@c.example.com", "you@example.com"}, /* behind canonical_maps */
        {ACCOUNT_HEADER_SENDER, "postmaster", "postmaster"},
    };
    struct conf_report report = {0};
    struct world w;
    world_open(&w);
    const struct conf *whole = w.lookup.conf;
    AUTO(conf_freep)
    struct conf *c = conf_parse(S("hostname = mail.example.org\nmasquerade_exceptions = root\n"
                                  "masquerade_domains = foo.example.com, !keep.example.com, example.com\n"),
                                "test", &report);
    w.lookup.conf = c;
    w.lookup.canonical = tables("inline:{ {me@c.example.com = you@host.example.com} }");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = {0};
        AUTO(arena_freep) struct arena *a = arena_new(64 << 10);
        str to;
        assert_int_equal(account_canonical(&w.lookup, rows[i].class, str_c(rows[i].from), a, &to, &e), RC_OK);
        if (!str_eq(to, str_c(rows[i].to)))
            fail_msg("%s: " STR_FMT, rows[i].from, STR_ARG(to));
    }
    table_list_close(w.lookup.canonical);
    w.lookup.conf = whole;
    world_close(&w);
}

/* To the log, never to the stranger. */
static void dead_targets_are_named(void **state)
{
    static const struct {
        const char *address, *behind;
    } rows[] = {
        {"half@example.org", "gone@example.org"},         {"bigger@example.org", "gone@example.org"},
        {"dead@example.org", "gone@example.org"},         {"halfoff@example.org", "off@example.org"},
        {"halfbroken@example.org", "broken@example.org"}, {"halfloop@example.org", "loop1@example.org"}};
    struct world w;
    world_open(&w);
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account_target *t;
        size_t n;
        struct err e = {0};
        assert_int_not_equal(account_resolve(&w.lookup, str_c(rows[i].address), a, &t, &n, &e), RC_OK);
        assert_non_null(strstr(e.log, rows[i].behind));
        assert_null(strstr(e.peer, rows[i].behind));
        arena_reset(a);
    }
    arena_free(a);
    world_close(&w);
}

/* Whatever size the arena runs out at, no member is lost. */
static void small_arenas(void **state)
{
    struct world w;
    world_open(&w);
    unsigned refused = 0;
    for (size_t size = 0; size <= 20000; size += 16) {
        struct account_target *t;
        size_t n = 0;
        struct err e = {0};
        struct arena *a = arena_new(size);
        enum rc rc = account_resolve(&w.lookup, S("wild@example.org"), a, &t, &n, &e);
        if (rc == RC_OK)
            assert_int_equal(n, 2);
        else
            assert_int_equal(rc, RC_LIMIT);
        refused += rc != RC_OK;
        arena_free(a);
    }
    assert_true(refused > 0);
    world_close(&w);
}

static void many_members(void **state)
{
    struct world w;
    struct account_target *t;
    size_t n;
    struct err e = {0};
    world_open(&w);
    for (int i = 0; i < RESOLVE_RESULTS_MAX; i++) {
        char to[60];
        snprintf(to, sizeof to, "member%d@remote.example", i);
        alias(&w, "list@example.org", to);
    }
    struct arena *a = arena_new(1 << 20);
    assert_int_equal(account_resolve(&w.lookup, S("list@example.org"), a, &t, &n, &e), RC_OK);
    assert_int_equal(n, RESOLVE_RESULTS_MAX);
    arena_reset(a);
    alias(&w, "list@example.org", "one@too.many.example");
    assert_int_equal(account_resolve(&w.lookup, S("list@example.org"), a, &t, &n, &e), RC_LIMIT);
    assert_string_equal(e.enhanced, "5.2.4");
    arena_free(a);
    world_close(&w);
}

static void no_account_at_all(void **state)
{
    struct world w;
    struct account_target *t;
    size_t n;
    struct err e = {0};
    struct account_db *whole;
    struct fixture empty;
    world_open(&w);
    fixture_open(&empty);
    whole = w.lookup.db;
    w.lookup.db = empty.db;
    struct arena *a = arena_new(1 << 20);
    assert_int_equal(account_resolve(&w.lookup, S("postmaster@example.org"), a, &t, &n, &e), RC_TEMP);
    assert_int_equal(e.code, 451);
    w.lookup.db = whole;
    w.conf->system_users = false;
    assert_int_equal(account_resolve(&w.lookup, S("alice@example.org"), a, &t, &n, &e), RC_PERM);
    arena_free(a);
    fixture_close(&empty);
    world_close(&w);
}

static void log_in_names(void **state)
{
    static const struct {
        const char *name;
        enum rc rc;
        const char *account;
        bool system;
    } rows[] = {
        {"bob@example.org", RC_OK, "bob@example.org", false},
        {"BOB@EXAMPLE.org", RC_OK, "bob@example.org", false},
        {"bob", RC_OK, "bob@example.org", false}, /* the first domain */
        {"alice", RC_OK, "alice", true},
        {"alice@example.net", RC_OK, "alice", true},
        {"alice@remote.example", RC_GONE, "", false},
        {"bob+tag@example.org", RC_GONE, "", false},
        {"info@example.org", RC_GONE, "", false}, /* an alias has no password */
        {"root", RC_GONE, "", false},
        {"nobody@example.org", RC_GONE, "", false},
        {"", RC_GONE, "", false},
        {"../bob", RC_GONE, "", false},
        {"off@example.org", RC_OK, "off@example.org", false},
    };
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct account account = {0};
        bool system = false;
        assert_int_equal(account_find_login(&w.lookup, str_c(rows[i].name), &account, &system, NULL),
                         rows[i].rc);
        if (rows[i].rc != RC_OK)
            continue;
        assert_string_equal(account.address, rows[i].account);
        assert_int_equal(system, rows[i].system);
    }
    world_close(&w);
}

static void senders(void **state)
{
    static const struct {
        str account, sender;
        enum rc rc;
    } rows[] = {
        {S("bob@example.org"), S("Bob@example.org"), RC_OK},
        {S("bob@example.org"), S("bob+news@example.org"), RC_OK},
        {S("bob@example.org"), S("info@example.org"), RC_OK},
        {S("bob@example.org"), S("half@example.org"), RC_OK}, /* a dead member does not take it from him */
        {S("carol@example.org"), S("anything@example.net"), RC_OK}, /* her catch-all */
        {S("alice"), S("alice@example.org"), RC_OK},
        {S("bob@example.org"), S("carol@example.org"), RC_PERM},
        {S("bob@example.org"), S("eve@remote.example"), RC_PERM},
        {S("bob@example.org"), S("nobody@example.org"), RC_PERM},
        {S("bob@example.org"), S("broken@example.org"), RC_TEMP},
    };
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};
        assert_int_equal(account_may_send(&w.lookup, rows[i].account, rows[i].sender, &e), rows[i].rc);
        if (rows[i].rc == RC_PERM)
            assert_int_equal(e.code, 553);
    }
    world_close(&w);
}

/* Whom a Dovecot has logged in may be nobody here: such a one sends as what its name says, and as nothing
 * else. */
static void senders_of_a_dovecot(void **state)
{
    static const struct {
        str account, sender;
        enum rc rc;
    } rows[] = {
        {S("bob@example.org"), S("info@example.org"), RC_OK}, /* as any account here */
        {S("bob@example.org"), S("carol@example.org"), RC_PERM},
        {S("joe@there.example"), S("Joe@There.example"), RC_OK},
        {S("joe@there.example"), S("joe+news@there.example"), RC_OK},
        {S("joe+news@there.example"), S("joe@there.example"), RC_PERM},
        {S("joe@there.example"), S("mary@there.example"), RC_PERM},
        {S("joe@there.example"), S("joe@elsewhere.example"), RC_PERM},
        {S("joe@there.example"), S("joe@example.org"), RC_PERM},
        {S("eve@remote.example"), S("away@example.org"), RC_OK}, /* the alias leads to her */
        {S("bob@remote.example"), S("away@example.org"), RC_PERM},
        {S("joe"), S("joe@example.org"), RC_OK}, /* nobody here has it */
        {S("joe"), S("joe+tag@example.org"), RC_OK},
        {S("joe"), S("joe@mail.example.org"), RC_OK},
        {S("joe"), S("joe@there.example"), RC_PERM},
        {S("bob"), S("bob@example.org"), RC_PERM}, /* another's: bob@example.org is an account */
        {S("off"), S("off@lonely.example"), RC_OK},
        {S("joe"), S("broken@example.org"), RC_TEMP},
        {S(""), S("joe@example.org"), RC_PERM},
        {S("@example.org"), S("joe@example.org"), RC_PERM},
        {S("a b\"c"), S("joe@example.org"), RC_PERM},
    };
    struct world w;
    world_open(&w);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};
        w.conf->smtpd_sasl_type = CONF_SASL_DOVECOT;
        enum rc rc = account_may_send(&w.lookup, rows[i].account, rows[i].sender, &e);
        if (rc != rows[i].rc)
            fail_msg(STR_FMT " as " STR_FMT ": %s", STR_ARG(rows[i].account), STR_ARG(rows[i].sender),
                     rc_name(rc));
        if (rc == RC_PERM)
            assert_int_equal(e.code, 553);
    }
    w.conf->smtpd_sasl_type = CONF_SASL_MALLE;
    assert_int_equal(account_may_send(&w.lookup, S("joe"), S("joe@example.org"), NULL), RC_PERM);
    assert_int_equal(account_may_send(&w.lookup, S("joe@there.example"), S("joe@there.example"), NULL),
                     RC_PERM);
    world_close(&w);
}

/* what a process sees whose root folder is the second */
static void paths_inside_a_root(void **state)
{
    static const struct {
        const char *path, *root, *want;
    } cases[] = {
        {"/srv/mail/d/n", "/srv/mail", "/d/n"},
        {"/srv/mail/d/n", "/srv/mail/", "/d/n"},
        {"/srv/mail", "/srv/mail", "/"},
        {"/srv/mail2/d", "/srv/mail", NULL},
        {"/srv", "/srv/mail", NULL},
        {"/srv/mail", "/", "/srv/mail"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = identity_path_inside(cases[i].path, cases[i].root);
        if (cases[i].want)
            assert_string_equal(got, cases[i].want);
        else
            assert_null(got);
    }
}

static void identities(void **state)
{
    struct world w;
    struct account_identity id;
    struct err e;
    world_open(&w);
    assert_int_equal(account_identify(&w.lookup, S("bob@example.org"), &id, &e), RC_OK);
    assert_string_equal(id.account, "bob@example.org");
    assert_string_equal(id.mail_dir, "/var/mail/vhosts/example.org/bob");
    assert_string_equal(id.home, "/var/mail/vhosts/example.org/bob");
    assert_true(id.uid == 5000 && id.gid == 5000 && !id.system);
    assert_int_equal(account_identify(&w.lookup, S("alice"), &id, &e), RC_OK);
    assert_string_equal(id.mail_dir, "/home/alice/Maildir");
    assert_true(id.uid == 1001 && id.system);
    assert_int_equal(account_identify(&w.lookup, S("root"), &id, &e), RC_GONE);
    assert_int_equal(account_identify(&w.lookup, S("nobody@example.org"), &id, &e), RC_GONE);
    assert_int_equal(account_identify(&w.lookup, S("off@example.org"), &id, &e), RC_PERM);
    assert_string_equal(e.enhanced, "5.2.1");
    w.lookup.mail_uid = 0;
    assert_int_equal(account_identify(&w.lookup, S("bob@example.org"), &id, &e), RC_PERM);
    world_close(&w);
    assert_false(identity_uid_permitted(0, 0, 0));
    assert_false(identity_uid_permitted((uid_t)-1, 0, 0));
    assert_false(identity_uid_permitted(999, 1000, 0));
    assert_true(identity_uid_permitted(1000, 1000, 1000));
    assert_false(identity_uid_permitted(1001, 1000, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(virtual_aliases),
        cmocka_unit_test(alias_maps),
        cmocka_unit_test(programs),
        cmocka_unit_test(masks),
        cmocka_unit_test(srs),
        cmocka_unit_test(relay_recipients),
        cmocka_unit_test(domains_of_tables),
        cmocka_unit_test(own_addresses),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(masquerading),
        cmocka_unit_test(dead_targets_are_named),
        cmocka_unit_test(small_arenas),
        cmocka_unit_test(many_members),
        cmocka_unit_test(log_in_names),
        cmocka_unit_test(no_account_at_all),
        cmocka_unit_test(senders),
        cmocka_unit_test(senders_of_a_dovecot),
        cmocka_unit_test(identities),
        cmocka_unit_test(paths_inside_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
