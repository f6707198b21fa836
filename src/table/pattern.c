/* Types that are lists of rules: regexp, pcre, cidr. A rule that is wrong is warned of and skipped, as in
 * Postfix. */
#include "table/table_impl.h"

#include "fmt/pcre.h"
#include "fmt/tablerule.h"
#include "fmt/tabletext.h"

#include <regex.h>

enum { RULES_MAX = 1000000 };

/* Where two libraries differ: patterns are compiled and matched. */
struct engine {
    const char *flags; /* letters it knows */
    unsigned defaults; /* bits of them, by their place in `flags` */
    void *(*compile)(str pattern, unsigned flags, unsigned *ret_groups, struct err *e);
    enum rc (*match)(const void *compiled, str subject, str *groups, size_t count);
    void (*free)(void *compiled);
};

struct rule {
    int kind; /* of struct tablerule */
    bool negated;
    size_t end;     /* IF: the rule behind the block */
    void *compiled; /* regexp, pcre */
    struct tablerule_net net;
    unsigned groups; /* that the result uses */
    char *result;
};

struct rules {
    const struct engine *engine; /* NULL: networks */
    struct rule *v;
    size_t n, cap;
    size_t *open; /* the IFs that are not closed yet */
    size_t open_n, open_cap;
};

/* --- POSIX --- */

enum { REGEXP_I = 1, REGEXP_M = 2, REGEXP_X = 4 };

static void *posix_compile(str pattern, unsigned flags, unsigned *ret_groups, struct err *e)
{
    char text[200];
    AUTO(str_freep) char *z = str_dup(pattern);
    regex_t *regex = calloc(1, sizeof *regex);
    must(regex);
    int options = (flags & REGEXP_I ? REG_ICASE : 0) | (flags & REGEXP_M ? REG_NEWLINE : 0) |
                  (flags & REGEXP_X ? REG_EXTENDED : 0);
    int code = regcomp(regex, z, options);
    if (code != 0) {
        regerror(code, regex, text, sizeof text);
        free(regex);
        (void)err_set(e, RC_INVALID, 0, "", "%s", text);
        return NULL;
    }
    *ret_groups = (unsigned)regex->re_nsub;
    return regex;
}

static enum rc posix_match(const void *compiled, str subject, str *groups, size_t count)
{
    regmatch_t m[TABLERULE_GROUPS_MAX + 1] = {{.rm_so = 0, .rm_eo = (regoff_t)subject.n}};
    if (regexec(compiled, subject.p, count, m, REG_STARTEND) != 0)
        return RC_GONE;
    for (size_t i = 0; i < count; i++) {
        bool took_part = m[i].rm_so >= 0;
        groups[i] =
            took_part ? str_sub(subject, (size_t)m[i].rm_so, (size_t)(m[i].rm_eo - m[i].rm_so)) : STR_NONE;
    }
    return RC_OK;
}

static void posix_free(void *compiled)
{
    regfree(compiled);
    free(compiled);
}

/* --- Perl --- */

static void *perl_compile(str pattern, unsigned flags, unsigned *ret_groups, struct err *e)
{
    struct pcre *p = NULL;
    if (pcre_new(pattern, flags, &p, e) != RC_OK)
        return NULL;
    *ret_groups = pcre_groups(p);
    return p;
}

static enum rc perl_match(const void *compiled, str subject, str *groups, size_t count)
{
    return pcre_match(compiled, subject, groups, count);
}

static void perl_free(void *compiled)
{
    pcre_free(compiled);
}

static const struct engine posix = {"imx", REGEXP_I | REGEXP_X, posix_compile, posix_match, posix_free};
/* The letters are in the order of enum pcre_flag; X means nothing to PCRE2. */
static const struct engine perl = {"imsxAEUX", PCRE_CASELESS | PCRE_DOTALL, perl_compile, perl_match,
                                   perl_free};

/* --- reading rules --- */

static struct rule *add_rule(struct rules *r, int kind)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        r->v = reallocarray(r->v, r->cap, sizeof *r->v);
        must(r->v);
    }
    r->v[r->n] = (struct rule){.kind = kind, .end = SIZE_MAX};
    return &r->v[r->n++];
}

static void open_block(struct rules *r)
{
    if (r->open_n == r->open_cap) {
        r->open_cap = r->open_cap ? 2 * r->open_cap : 16;
        r->open = reallocarray(r->open, r->open_cap, sizeof *r->open);
        must(r->open);
    }
    r->open[r->open_n++] = r->n - 1;
}

static bool toggle_flags(const struct engine *engine, str letters, unsigned *flags)
{
    *flags = engine->defaults;
    for (size_t i = 0; i < letters.n; i++) {
        const char *at = strchr(engine->flags, letters.p[i]);
        if (!at)
            return false;
        *flags ^= 1u << (at - engine->flags);
    }
    return true;
}

/* The pattern, compiled, or NULL after a warning. */
static void *compile(struct table *t, const struct tablerule *rule, int number, unsigned *ret_groups)
{
    struct rules *r = t->state;
    struct err e = {0};
    unsigned flags;
    if (!toggle_flags(r->engine, rule->flags, &flags)) {
        table_warn(t, "line %d: skipped: unknown flag in \"" STR_FMT "\"", number,
                   STR_ARG(str_sub(rule->flags, 0, 40)));
        return NULL;
    }
    void *compiled = r->engine->compile(rule->pattern, flags, ret_groups, &e);
    if (!compiled)
        table_warn(t, "line %d: skipped: %s", number, err_text(&e));
    return compiled;
}

/* How many groups the result needs; a rule that asks for what it cannot have is skipped. */
static const char *check_result(const struct table *t, const struct tablerule *rule, unsigned *ret_groups)
{
    const char *problem =
        rule->kind == TABLERULE_RESULT ? tablerule_check_result(rule->result, ret_groups) : NULL;
    if (problem || *ret_groups == 0)
        return problem;
    if (rule->negated)
        return "a negated pattern has no $number";
    return t->env.no_substitution ? "$number is not allowed in this table" : NULL;
}

static void close_block(struct table *t, int number)
{
    struct rules *r = t->state;
    if (r->open_n > 0)
        r->v[r->open[--r->open_n]].end = r->n;
    else
        table_warn(t, "line %d: endif without if", number);
}

static void warn_of_result(struct table *t, const struct tablerule *rule, int number)
{
    if (rule->kind == TABLERULE_RESULT && rule->result.n == 0)
        table_warn(t, "line %d: there is no result", number);
    if (rule->kind != TABLERULE_RESULT && rule->result.n > 0)
        table_warn(t, "line %d: text behind if or endif is ignored", number);
}

/* Makes a rule of the line unless something about it is wrong: then false, and it was warned of. */
static bool keep_pattern(struct table *t, const struct tablerule *rule, int number)
{
    struct rules *r = t->state;
    unsigned wanted = 0, there = 0;
    const char *problem = check_result(t, rule, &wanted);
    if (problem) {
        table_warn(t, "line %d: skipped: %s", number, problem);
        return false;
    }
    void *compiled = compile(t, rule, number, &there);
    if (!compiled)
        return false;
    if (wanted > there) {
        table_warn(t, "line %d: skipped: the pattern has no group $%u", number, wanted);
        r->engine->free(compiled);
        return false;
    }
    struct rule *kept = add_rule(r, rule->kind);
    kept->compiled = compiled;
    kept->groups = wanted;
    return true;
}

static bool keep_network(struct table *t, const struct tablerule *rule, int number)
{
    struct tablerule_net net;
    const char *problem = tablerule_net_parse(rule->pattern, &net);
    if (problem) {
        table_warn(t, "line %d: skipped: " STR_FMT ": %s", number, STR_ARG(str_sub(rule->pattern, 0, 100)),
                   problem);
        return false;
    }
    add_rule(t->state, rule->kind)->net = net;
    return true;
}

static void add_line(struct table *t, str line, int number)
{
    struct rules *r = t->state;
    struct tablerule rule;
    const char *problem =
        r->engine ? tablerule_parse_pattern(line, &rule) : tablerule_parse_network(line, &rule);
    if (!problem && r->n == RULES_MAX)
        problem = "there are too many rules";
    if (problem) {
        table_warn(t, "line %d: skipped: %s", number, problem);
        return;
    }
    warn_of_result(t, &rule, number);
    if (rule.kind == TABLERULE_ENDIF) {
        close_block(t, number);
        return;
    }
    if (!(r->engine ? keep_pattern(t, &rule, number) : keep_network(t, &rule, number)))
        return;
    struct rule *kept = &r->v[r->n - 1];
    kept->negated = rule.negated;
    kept->result = str_dup(rule.result);
    if (rule.kind == TABLERULE_IF)
        open_block(r);
}

static enum rc open_rules(struct table *t, const struct engine *engine, str name, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(t->env.file_max);
    struct rules *r = calloc(1, sizeof *r);
    must(r);
    r->engine = engine;
    t->state = r;
    enum rc rc = table_read_rules(t, name, &text, e);
    if (rc != RC_OK)
        return rc;
    table_each_line(t, buf_str(&text), add_line);
    if (r->open_n > 0)
        table_warn(t, "%zu blocks have no endif and go on to the end", r->open_n);
    return RC_OK;
}

static enum rc open_regexp(struct table *t, str name, struct err *e)
{
    return open_rules(t, &posix, name, e);
}

static enum rc open_pcre(struct table *t, str name, struct err *e)
{
    return open_rules(t, &perl, name, e);
}

static enum rc open_cidr(struct table *t, str name, struct err *e)
{
    return open_rules(t, NULL, name, e);
}

static void close_rules(struct table *t)
{
    struct rules *r = t->state;
    for (size_t i = 0; r && i < r->n; i++) {
        if (r->v[i].compiled)
            r->engine->free(r->v[i].compiled);
        free(r->v[i].result);
    }
    if (r) {
        free(r->v);
        free(r->open);
    }
    free(r);
}

/* --- asking --- */

static enum rc give_result(struct table *t, const struct rule *rule, const str *groups, struct arena *a,
                           str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TABLE_VALUE_MAX);
    struct rules *r = t->state;
    if (!r->engine)
        return table_give(t, str_c(rule->result), a, ret, e);
    tablerule_put_result(&out, str_c(rule->result), groups, rule->groups + 1);
    if (out.overflow)
        return table_fail(t, e, RC_TEMP, "the value is longer than %d bytes", TABLE_VALUE_MAX);
    return table_give(t, buf_str(&out), a, ret, e);
}

struct subject { /* the key, and what it is in a table of networks */
    str text;
    struct tablerule_net address;
};

/* An address is neither in nor outside of the other family's networks. */
static enum rc match_network(const struct rule *rule, const struct subject *key)
{
    if (rule->net.v6 != key->address.v6)
        return RC_GONE;
    return tablerule_net_has(&rule->net, &key->address) != rule->negated ? RC_OK : RC_GONE;
}

static enum rc match(const struct rules *r, const struct rule *rule, const struct subject *key, str *groups)
{
    if (!r->engine)
        return match_network(rule, key);
    enum rc rc = r->engine->match(rule->compiled, key->text, groups, rule->groups + 1);
    if (!rule->negated || (rc != RC_OK && rc != RC_GONE))
        return rc;
    return rc == RC_OK ? RC_GONE : RC_OK;
}

static enum rc find_rule(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    struct rules *r = t->state;
    struct subject subject = {.text = key};
    str groups[TABLERULE_GROUPS_MAX + 1];
    if (!r->engine && tablerule_address_parse(key, &subject.address) != RC_OK)
        return RC_GONE;
    for (size_t i = 0; i < r->n;) {
        const struct rule *rule = &r->v[i];
        enum rc rc = match(r, rule, &subject, groups);
        if (rc == RC_OK && rule->kind == TABLERULE_RESULT)
            return give_result(t, rule, groups, a, ret, e);
        if (rc != RC_OK && rc != RC_GONE)
            return table_fail(t, e, RC_TEMP, "rule %zu takes too long to match", i + 1);
        i = rc == RC_GONE && rule->kind == TABLERULE_IF ? rule->end : i + 1;
    }
    return RC_GONE;
}

const struct table_type table_regexp = {"regexp", true, false, open_regexp, find_rule, close_rules};
const struct table_type table_pcre = {"pcre", true, false, open_pcre, find_rule, close_rules};
const struct table_type table_cidr = {"cidr", true, false, open_cidr, find_rule, close_rules};
