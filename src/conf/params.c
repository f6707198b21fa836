/* The tables of foreign parameters at run time, and how names are looked up. */
#include "conf/params.h"

#include "conf/key.h"

#define COMPUTED NULL
#define VARIES   NULL
#define ROW(later, hidden, name, kind, initial, status, option, note) \
    {name, CONF_PARAM_##kind, initial, CONF_PARAM_##status, option, note, later, hidden},
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct conf_param postfix_params[] = {
#define PARAM(...) ROW(false, false, __VA_ARGS__)
#define LATER(...) ROW(true, false, __VA_ARGS__)
#include "conf/postfix_params.def"
};

static const struct conf_param postfix_families[] = {
#define FAMILY(...) ROW(false, false, __VA_ARGS__)
#include "conf/postfix_params.def"
};

static const struct conf_param_rename postfix_renames[] = {
#define OLD(name, current) {name, current},
#include "conf/postfix_params.def"
};

static const struct conf_param dovecot_params[] = {
#define SETTING(...) ROW(false, false, __VA_ARGS__)
#define HIDDEN(...)  ROW(false, true, __VA_ARGS__)
#define LATER(...)   ROW(true, false, __VA_ARGS__)
#include "conf/dovecot_params.def"
};

static const struct conf_param_rename dovecot_renames[] = {
#define RENAMED(name, current) {name, current},
#include "conf/dovecot_params.def"
};

const struct conf_params conf_postfix_params = {postfix_params, COUNT(postfix_params)};
const struct conf_params conf_postfix_families = {postfix_families, COUNT(postfix_families)};
const struct conf_params conf_dovecot_params = {dovecot_params, COUNT(dovecot_params)};
const struct conf_param_renames conf_postfix_renames = {postfix_renames, COUNT(postfix_renames)};
const struct conf_param_renames conf_dovecot_renames = {dovecot_renames, COUNT(dovecot_renames)};

enum { NAME_MAX_LEN = 96 }; /* longer ones are nobody's */

static const struct conf_param *exact(const struct conf_params *params, str name)
{
    size_t low = 0, high = params->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(str_c(params->v[middle].name), name);
        if (order == 0)
            return &params->v[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct conf_param *renamed(const struct conf_params *params,
                                        const struct conf_param_renames *renames, str name)
{
    for (size_t i = 0; i < renames->n; i++)
        if (str_eq(str_c(renames->v[i].name), name))
            return exact(params, str_c(renames->v[i].current));
    return NULL;
}

/* --- Postfix --- */

/* "x_destination_recipient_limit" also ends like "x_recipient_limit": the longest end counts. */
static const struct conf_param *family(str name)
{
    const struct conf_param *found = NULL;
    for (size_t i = 0; i < COUNT(postfix_families); i++) {
        const struct conf_param *p = &postfix_families[i];
        if (name.n > strlen(p->name) && str_ends(name, str_c(p->name)) &&
            (!found || strlen(p->name) > strlen(found->name)))
            found = p;
    }
    return found;
}

static const struct conf_param *find_postfix(str name)
{
    const struct conf_param *p = exact(&conf_postfix_params, name);
    if (!p)
        p = renamed(&conf_postfix_params, &conf_postfix_renames, name);
    return p ? p : family(name);
}

/* --- Dovecot --- */

static bool is_for(const struct conf_param *p, enum conf_dialect dialect)
{
    return !p->later || dialect != CONF_DIALECT_DOVECOT;
}

/* The length of a block in front that says when settings count, and not what of; 0: none. */
static size_t filter_in_front(str name)
{
    static const char *const filters[] = {"protocol/", "local/", "remote/", "local_name/"};
    for (size_t i = 0; i < COUNT(filters); i++)
        if (str_starts(name, str_c(filters[i])))
            return strlen(filters[i]);
    return 0;
}

static str without_filters(str name)
{
    size_t n;
    while ((n = filter_in_front(name)) > 0)
        name = str_from(name, n);
    return name;
}

static const struct conf_param *listed(enum conf_dialect dialect, str name)
{
    const struct conf_param *p = exact(&conf_dovecot_params, name);
    if (!p && dialect == CONF_DIALECT_DOVECOT_24)
        p = renamed(&conf_dovecot_params, &conf_dovecot_renames, name);
    return p && is_for(p, dialect) ? p : NULL;
}

/* "plugin/quota*" stands for plugin/quota_rule; the row with most letters in front counts. */
static const struct conf_param *by_beginning(enum conf_dialect dialect, str name)
{
    const struct conf_param *found = NULL;
    for (size_t i = 0; i < COUNT(dovecot_params); i++) {
        const struct conf_param *p = &dovecot_params[i];
        str beginning = str_c(p->name);
        if (!str_ends(beginning, S("*")) || !is_for(p, dialect))
            continue;
        beginning.n--;
        if (str_starts(name, beginning) && (!found || beginning.n >= strlen(found->name)))
            found = p;
    }
    return found;
}

static const struct conf_param *listed_or_by_beginning(enum conf_dialect dialect, str name)
{
    const struct conf_param *p = listed(dialect, name);
    return p ? p : by_beginning(dialect, name);
}

/* The forms of 2.4 of a setting in a block of the kind. */
static const struct conf_param *find_in_block(str outer, str kind, str name)
{
    const enum conf_dialect dialect = CONF_DIALECT_DOVECOT_24;
    char other[NAME_MAX_LEN];
    if (name.n > kind.n && str_starts(name, kind) && name.p[kind.n] == '_') {
        str rest = str_from(name, kind.n + 1);
        snprintf(other, sizeof other, STR_FMT STR_FMT "/" STR_FMT, STR_ARG(outer), STR_ARG(kind),
                 STR_ARG(rest));
    } else {
        snprintf(other, sizeof other, STR_FMT "_" STR_FMT, STR_ARG(kind), STR_ARG(name));
    }
    const struct conf_param *p = listed_or_by_beginning(dialect, str_c(other));
    return p ? p : listed_or_by_beginning(dialect, name);
}

static const struct conf_param *find_dovecot(enum conf_dialect dialect, str name)
{
    name = without_filters(name);
    if (name.n >= NAME_MAX_LEN)
        return NULL;
    const struct conf_param *p = listed_or_by_beginning(dialect, name);
    ptrdiff_t slash = str_rchr(name, '/');
    if (p || slash < 0 || dialect == CONF_DIALECT_DOVECOT)
        return p;
    str blocks = str_sub(name, 0, (size_t)slash);
    if ((p = listed(dialect, blocks))) /* a list as a block: "auth_mechanisms { plain = yes }" */
        return p;
    size_t outer = (size_t)(str_rchr(blocks, '/') + 1);
    return find_in_block(str_sub(blocks, 0, outer), str_from(blocks, outer),
                         str_from(name, (size_t)slash + 1));
}

/* --- both --- */

const struct conf_param *conf_param_find(enum conf_dialect dialect, str name)
{
    return dialect == CONF_DIALECT_POSTFIX ? find_postfix(name) : find_dovecot(dialect, name);
}

static bool may_be_meant(const struct conf_param *p, enum conf_dialect dialect, str blocks)
{
    str name = str_c(p->name);
    return p->kind != CONF_PARAM_BLOCK && is_for(p, dialect) && !str_ends(name, S("*")) &&
           str_eq(str_sub(name, 0, (size_t)(str_rchr(name, '/') + 1)), blocks);
}

const char *conf_param_nearest(enum conf_dialect dialect, str name)
{
    const struct conf_params *params = &conf_postfix_params;
    str blocks = STR_NONE;
    if (dialect != CONF_DIALECT_POSTFIX) {
        params = &conf_dovecot_params;
        name = without_filters(name);
        blocks = str_sub(name, 0, (size_t)(str_rchr(name, '/') + 1));
    }
    const char *found = NULL;
    if (name.n >= NAME_MAX_LEN)
        return NULL;
    size_t best = (name.n - blocks.n) / 3 + 2; /* farther away it is a guess that misleads */
    for (size_t i = 0; i < params->n; i++) {
        if (!may_be_meant(&params->v[i], dialect, blocks))
            continue;
        size_t distance = conf_edit_distance(name, str_c(params->v[i].name));
        if (distance < best) {
            best = distance;
            found = params->v[i].name;
        }
    }
    return found;
}

static bool initial_of(const struct conf_param *p, str *ret)
{
    if (p && p->initial)
        *ret = str_c(p->initial);
    return p && p->initial;
}

bool conf_postfix_default(void *ctx, str name, str *ret)
{
    (void)ctx;
    const struct conf_param *p = exact(&conf_postfix_params, name);
    return initial_of(p ? p : family(name), ret);
}

bool conf_dovecot_default(void *ctx, str name, str *ret)
{
    (void)ctx;
    return initial_of(exact(&conf_dovecot_params, name), ret);
}
