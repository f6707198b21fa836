/* LIST (RFC 9051 §6.3.9, RFC 3501 §6.3.8) with the selection and return options of LIST-EXTENDED (RFC 5258),
 * the children attributes (RFC 3348), SPECIAL-USE (RFC 6154), MYRIGHTS (RFC 8440), STATUS (RFC 5819) and
 * METADATA (RFC 9590). Children and special uses are told always. */
#include "base/log.h"
#include "imap/list.h"
#include "imap/metadata.h"
#include "imap/rights.h"
#include "imap/shared.h"
#include "imap/status.h"

enum list_option {
    LIST_SUBSCRIBED = 1,
    LIST_REMOTE = 2, /* there are no remote mailboxes: changes nothing */
    LIST_RECURSIVEMATCH = 4,
    LIST_SPECIAL_USE = 8,
    LIST_CHILDREN = 16,
    LIST_MYRIGHTS = 32
};

struct list_request {
    unsigned select, ret;             /* enum list_option */
    unsigned status;                  /* items of RETURN (STATUS (...)); 0: not asked */
    struct metadata_request metadata; /* of RETURN (METADATA (...)) */
    bool extended;                    /* any of the extended syntax was used */
    struct list_patterns patterns;
};

static const struct {
    str name;
    unsigned option;
} SELECT_OPTIONS[] = {{S("SUBSCRIBED"), LIST_SUBSCRIBED},
                      {S("REMOTE"), LIST_REMOTE},
                      {S("RECURSIVEMATCH"), LIST_RECURSIVEMATCH},
                      {S("SPECIAL-USE"), LIST_SPECIAL_USE}},
  RETURN_OPTIONS[] = {{S("SUBSCRIBED"), LIST_SUBSCRIBED},
                      {S("CHILDREN"), LIST_CHILDREN},
                      {S("SPECIAL-USE"), LIST_SPECIAL_USE},
                      {S("MYRIGHTS"), LIST_MYRIGHTS}};

static unsigned take_option(struct imap_lex *lex, bool select)
{
    if (select) {
        for (size_t i = 0; i < sizeof SELECT_OPTIONS / sizeof *SELECT_OPTIONS; i++)
            if (imap_take_word(lex, SELECT_OPTIONS[i].name))
                return SELECT_OPTIONS[i].option;
        return 0;
    }
    for (size_t i = 0; i < sizeof RETURN_OPTIONS / sizeof *RETURN_OPTIONS; i++)
        if (imap_take_word(lex, RETURN_OPTIONS[i].name))
            return RETURN_OPTIONS[i].option;
    return 0;
}

/* "STATUS" SP "(" status-att *(SP status-att) ")" / "METADATA" SP "(" entry *(SP entry) ")"; *ret_taken: one
 * of the words stood there */
static enum rc items_option(struct imap_lex *lex, struct list_request *r, bool *ret_taken)
{
    bool status = imap_take_word(lex, S("STATUS"));
    *ret_taken = status || imap_take_word(lex, S("METADATA"));
    if (!*ret_taken)
        return RC_OK;
    enum rc rc = imap_sp(lex);
    if (rc)
        return rc;
    return status ? status_items_parse(lex, &r->status) : metadata_places_parse(lex, true, &r->metadata);
}

/* "(" [option *(SP option)] ")"; returns is NULL for the options that select */
static enum rc options_parse(struct imap_lex *lex, unsigned *ret, struct list_request *returns)
{
    unsigned options = 0;
    bool taken = false;
    enum rc rc = imap_list_begin(lex);
    for (bool first = true; rc == RC_OK && imap_peek(lex) != ')'; first = false) {
        if (!first && (rc = imap_sp(lex)))
            return rc;
        if (returns && (rc = items_option(lex, returns, &taken)))
            return rc;
        if (taken)
            continue;
        unsigned option = take_option(lex, !returns);
        if (!option)
            return imap_expect(lex, "a LIST option");
        options |= option;
    }
    *ret = options;
    return rc ? rc : imap_list_end(lex);
}

/* mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")" */
static enum rc patterns_parse(struct imap_lex *lex, str reference, struct list_request *r)
{
    str pattern;
    enum rc rc;
    bool many = imap_peek(lex) == '(';
    if (many && (rc = imap_list_begin(lex)))
        return rc;
    r->extended |= many;
    do {
        if ((rc = imap_list_mailbox(lex, &pattern)) ||
            (rc = list_pattern_add(lex, &r->patterns, reference, pattern)))
            return rc;
    } while (many && imap_peek(lex) == ' ' && imap_sp(lex) == RC_OK);
    return many ? imap_list_end(lex) : RC_OK;
}

/* [SP "RETURN" SP "(" ... ")"] */
static enum rc return_parse(struct imap_lex *lex, struct list_request *r)
{
    enum rc rc;
    if (imap_peek(lex) != ' ')
        return RC_OK;
    if ((rc = imap_sp(lex)))
        return rc;
    if (imap_at_end(lex)) /* a forgiven space at the end */
        return RC_OK;
    r->extended = true;
    if (!imap_take_word(lex, S("RETURN")))
        return imap_expect(lex, "RETURN");
    if ((rc = imap_sp(lex)))
        return rc;
    return options_parse(lex, &r->ret, r);
}

/* list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts] (RFC 5258 §6) */
static enum rc request_parse(struct imap_lex *lex, struct list_request *r, str *ret_reference)
{
    enum rc rc;
    if ((rc = imap_sp(lex)))
        return rc;
    if (imap_peek(lex) == '(') {
        r->extended = true;
        if ((rc = options_parse(lex, &r->select, NULL)) || (rc = imap_sp(lex)))
            return rc;
    }
    /* RFC 5258 §3: RECURSIVEMATCH needs another option that selects */
    if ((r->select & LIST_RECURSIVEMATCH) && !(r->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)))
        return imap_expect(lex, "an option for RECURSIVEMATCH to match");
    if ((rc = imap_mailbox(lex, ret_reference)) || (rc = imap_sp(lex)) ||
        (rc = patterns_parse(lex, *ret_reference, r)) || (rc = return_parse(lex, r)))
        return rc;
    return imap_eol(lex);
}

static bool selects(const struct list_request *r, const struct store_box_info *b)
{
    if ((r->select & LIST_SUBSCRIBED) && !b->subscribed)
        return false;
    if ((r->select & LIST_SPECIAL_USE) && b->use == USE_NONE)
        return false;
    return (r->select & LIST_SUBSCRIBED) || b->exists || b->noselect;
}

/* RFC 5258 §3.5 CHILDINFO: whether a mailbox below it is selected that the patterns do not match. */
static bool has_hidden_match(const struct imap_session *s, const struct list_request *r,
                             const struct store_box_info *all, size_t n, str parent)
{
    for (size_t i = 0; i < n; i++) {
        str name = all[i].name;
        if (name.n > parent.n && str_starts(name, parent) && name.p[parent.n] == s->start->separator &&
            selects(r, &all[i]) && !list_matches(s, &r->patterns, name))
            return true;
    }
    return false;
}

static void tell(struct imap_session *s, const struct list_request *r, const struct store_box_info *b,
                 bool child_info)
{
    unsigned subscribed = (r->select | r->ret) & LIST_SUBSCRIBED ? LIST_TELLS_SUBSCRIBED : 0;
    list_put_box(s, b, (r->extended ? LIST_TELLS_EXTENDED : 0) | subscribed);
    if (child_info)
        buf_puts(&s->out, r->select & LIST_SUBSCRIBED ? S(" (\"CHILDINFO\" (\"SUBSCRIBED\"))")
                                                      : S(" (\"CHILDINFO\" (\"SPECIAL-USE\"))"));
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

/* RFC 5819 §2: a mailbox whose STATUS fails is listed without it. */
static void tell_status(struct imap_session *s, str name, unsigned asked)
{
    struct err e = {0};
    if (shared_is_name(s, name)) {
        AUTO(buf_deinit) struct buf items = BUF_INIT(1024);
        status_items_put(&items, asked);
        shared_ask(s, "STATUS", name, buf_str(&items));
        return;
    }
    enum rc rc = status_put(s, name, asked, &e);
    if (rc == RC_TEMP)
        log_warn("LIST: no STATUS of " STR_FMT ": %s", STR_ARG(name), err_text(&e));
}

/* RFC 8440 §3: likewise. */
static void tell_rights(struct imap_session *s, str name)
{
    struct err e = {0};
    if (shared_is_name(s, name)) {
        shared_ask(s, "MYRIGHTS", name, STR_NONE);
        return;
    }
    enum rc rc = rights_put_mine(s, name, &e);
    if (rc == RC_TEMP)
        log_warn("LIST: no rights of " STR_FMT ": %s", STR_ARG(name), err_text(&e));
}

/* Likewise. */
static void tell_metadata(struct imap_session *s, str name, const struct metadata_request *r)
{
    struct err e = {0};
    size_t longest;
    if (shared_is_name(s, name)) {
        AUTO(buf_deinit) struct buf places = BUF_INIT(METADATA_PLACES_BYTES);
        metadata_places_put(&places, r);
        shared_ask(s, "GETMETADATA", name, buf_str(&places));
        return;
    }
    enum rc rc = metadata_tell(s, name, r, &longest, &e);
    if (rc == RC_TEMP)
        log_warn("LIST: no METADATA of " STR_FMT ": %s", STR_ARG(name), err_text(&e));
}

static void tell_all(struct imap_session *s, const struct list_request *r, const struct store_box_info *all,
                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!list_matches(s, &r->patterns, all[i].name))
            continue;
        bool child_info = (r->select & LIST_RECURSIVEMATCH) && has_hidden_match(s, r, all, n, all[i].name);
        if (selects(r, &all[i]) || child_info)
            tell(s, r, &all[i], child_info);
        if (!all[i].exists || all[i].noselect || !selects(r, &all[i]))
            continue;
        if (r->ret & LIST_MYRIGHTS)
            tell_rights(s, all[i].name);
        if (r->status)
            tell_status(s, all[i].name, r->status);
        if (r->metadata.n > 0)
            tell_metadata(s, all[i].name, &r->metadata);
    }
}

enum rc imap_cmd_list(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct list_request r = {0};
    struct store_box_info *all;
    size_t n;
    str reference;
    enum rc rc = request_parse(lex, &r, &reference);
    if (rc)
        return rc;
    /* an empty pattern asks for the separator and the root of the reference (RFC 9051 §6.3.9) */
    if (!r.extended && r.patterns.all[0].n == reference.n) {
        list_put(s, "LIST", S("\\Noselect"), STR_NONE);
        buf_puts(&s->out, S("\r\n"));
        imap_send(s);
        return RC_OK;
    }
    rc = shared_list(s, &r.patterns, &all, &n, &re->err);
    if (rc == RC_OK)
        tell_all(s, &r, all, n);
    return rc;
}
