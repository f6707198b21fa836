/* ESEARCH (RFC 7377): SEARCH in several mailboxes, each with a response of its own where something was found.
 * Those that are not selected are looked at as EXAMINE does; the selected one stays as the client knows it.
 */
#include "fmt/imap_filter.h"
#include "imap/command.h"
#include "imap/context.h"
#include "imap/message_limit.h"
#include "imap/relevancy.h"
#include "imap/search_eval.h"
#include "imap/search_result.h"

enum { SOURCES_MAX = 16 };

struct esearch {
    struct imap_session *s;
    struct imap_lex *lex;
    struct imap_reply *re;
    struct imap_filter sources[SOURCES_MAX];
    size_t n_sources;
    struct imap_return how;
    struct search_node *root;
    bool limited; /* one of several mailboxes has more messages than are looked at */
};

/* --- parsing --- */

static enum rc parse_source(struct imap_lex *lex, void *ctx)
{
    struct esearch *x = ctx;
    if (x->n_sources == SOURCES_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer sources");
    return imap_filter_parse(lex, ~(unsigned)FILTER_SELECTED_DELAYED, &x->sources[x->n_sources++]);
}

/* ["IN" SP "(" filter-mailboxes *(SP filter-mailboxes) ")" SP]; scope options are none (RFC 7377 §4) */
static enum rc parse_sources(struct esearch *x)
{
    struct imap_lex *lex = x->lex;
    if (!imap_take_word(lex, S("IN"))) {
        x->sources[x->n_sources++].kind = FILTER_SELECTED;
        return RC_OK;
    }
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_list_of(lex, parse_source, x);
    return rc == RC_OK ? imap_sp(lex) : rc;
}

static bool has_kind(const struct esearch *x, enum imap_filter_kind kind)
{
    for (size_t i = 0; i < x->n_sources; i++)
        if (x->sources[i].kind == kind)
            return true;
    return false;
}

static bool is_of_selected_alone(const struct esearch *x)
{
    return x->n_sources == 1 && has_kind(x, FILTER_SELECTED);
}

/* RFC 7377 §2.2 */
static const char *objection(const struct esearch *x)
{
    if (has_kind(x, FILTER_SELECTED) && !x->s->box)
        return "Select a mailbox first.";
    if ((x->how.options & RETURN_UPDATE) && !x->s->box)
        return "UPDATE belongs to the selected mailbox.";
    if ((x->how.options & RETURN_SAVE) && !is_of_selected_alone(x))
        return "SAVE belongs to the selected mailbox.";
    return NULL;
}

/* esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program */
static enum rc parse(struct esearch *x)
{
    enum rc rc = imap_sp(x->lex);
    if (rc == RC_OK)
        rc = parse_sources(x);
    if (rc == RC_OK)
        rc = imap_return_parse(x->lex, &x->how);
    if (rc == RC_OK)
        rc = imap_search_parse(x->lex, &x->root);
    if (rc == RC_PERM)
        return search_badcharset(x->re);
    if (rc == RC_OK)
        rc = imap_eol(x->lex);
    if (rc == RC_OK)
        rc = relevancy_check(x->lex, &x->how, NULL, x->root);
    if (!x->how.given)
        x->how = (struct imap_return){.given = true, .options = RETURN_ALL};
    const char *why = rc == RC_OK ? objection(x) : NULL;
    if (why)
        return err_set(&x->re->err, RC_INVALID, 0, "", "%s", why);
    return rc == RC_OK ? context_check(x->s, &x->how, x->re) : rc;
}

/* --- searching --- */

static enum rc search_box(struct esearch *x, struct box *b, str name)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    AUTO(search_result_deinit) struct search_result result = search_result_of(x->s, NULL);
    result.box = b;
    result.mailbox = name;
    enum rc rc = search_find(x->s, b, x->lex, x->root, &found, &result.with_modseq, x->re);
    if (rc != RC_OK)
        return rc;
    if (x->re->code.n && !is_of_selected_alone(x)) { /* UIDs of several mailboxes cannot be told */
        x->limited = true;
        x->re->code = STR_NONE;
    }
    search_result_take(&result, &found);
    rc = relevancy_add(x->s, &x->how, x->root, &result, &x->re->err);
    if (rc == RC_OK)
        rc = search_result_put(x->s, &result, &x->how, &x->re->err);
    if (rc == RC_OK && b == x->s->box) /* RFC 7377 §2.2: UPDATE is of the selected mailbox */
        context_open(x->s, &x->how, x->root, NULL, &result);
    return rc;
}

static enum rc search_named(struct esearch *x, str name)
{
    struct box *b;
    enum rc rc = box_open(x->s->store, name, true, &b, &x->re->err);
    if (rc != RC_OK)
        return rc == RC_GONE ? RC_OK : rc; /* it was deleted under way */
    rc = search_box(x, b, name);
    box_close(b);
    return rc;
}

static bool is_source(const struct esearch *x, const struct store_box_info *b)
{
    for (size_t i = 0; b->exists && !b->noselect && i < x->n_sources; i++)
        if (imap_filter_has(&x->sources[i], b->name, b->subscribed, x->s->start->separator))
            return true;
    return false;
}

static enum rc search_all(struct esearch *x)
{
    struct imap_session *s = x->s;
    struct store_box_info *all;
    size_t n = 0;
    bool asks_selected = has_kind(x, FILTER_SELECTED);
    enum rc rc = asks_selected ? search_box(x, s->box, str_c(s->box_name)) : RC_OK;
    if (rc != RC_OK || is_of_selected_alone(x))
        return rc;
    rc = store_list(s->store, s->arena, &all, &n, &x->re->err);
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        bool selected = s->box && str_eq(all[i].name, str_c(s->box_name));
        if (!is_source(x, &all[i]) || (selected && asks_selected))
            continue;
        rc = selected ? search_box(x, s->box, all[i].name) : search_named(x, all[i].name);
    }
    return rc;
}

enum rc imap_cmd_esearch(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct esearch x = {.s = s, .lex = lex, .re = re};
    enum rc rc = parse(&x);
    if (rc == RC_OK)
        rc = search_all(&x);
    if (rc == RC_OK && x.limited)
        re->code = message_limit_code(s, 0);
    search_forget_saved(s, rc, &x.how);
    return rc;
}
