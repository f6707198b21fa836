/* SETMETADATA (RFC 5464 §4.3): all of it is done, or nothing. What the server itself says (/shared entries of
 * no mailbox) is the administrator's. */
#include "imap/metadata.h"

#include "imap/notify.h"
#include "imap/special_use.h"

struct setting {
    struct metadata v[METADATA_ENTRIES_MAX];
    size_t n;
};

/* entry-value = entry SP ( nstring / literal8 ) */
static enum rc entry_parse(struct imap_lex *lex, void *ctx)
{
    struct setting *x = ctx;
    enum rc rc;
    if (x->n == METADATA_ENTRIES_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer entries");
    struct metadata *m = &x->v[x->n++];
    if ((rc = metadata_name_parse(lex, &m->name)) || (rc = imap_sp(lex)))
        return rc;
    return imap_nstring8(lex, &m->value);
}

/* Takes the special use out of the list, for it is kept elsewhere. */
static enum rc take_use(struct setting *x, bool *ret_sets, enum special_use *ret, struct imap_reply *re)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->n; i++) {
        if (!str_ieq(x->v[i].name, METADATA_SPECIAL_USE)) {
            x->v[kept++] = x->v[i];
            continue;
        }
        *ret_sets = true;
        *ret = USE_NONE;
        if (!x->v[i].value.p)
            continue;
        if (!imap_special_use_find(x->v[i].value, ret) || *ret == USE_ALL || *ret == USE_FLAGGED) {
            re->code = S("USEATTR"); /* RFC 6154 §3 */
            return err_set(&re->err, RC_PERM, 0, "",
                           "A mailbox can have one of \\Archive, \\Drafts, \\Junk, \\Sent, \\Trash.");
        }
    }
    x->n = kept;
    return RC_OK;
}

static enum rc check(struct imap_session *s, str mailbox, const struct setting *x, struct imap_reply *re)
{
    for (size_t i = 0; i < x->n; i++) {
        if (x->v[i].value.n > METADATA_VALUE_MAX) {
            re->code = arena_printf(s->arena, "METADATA MAXSIZE %d", METADATA_VALUE_MAX);
            return err_set(&re->err, RC_LIMIT, 0, "", "The value is too long.");
        }
        if (mailbox.n == 0 && str_istarts(x->v[i].name, METADATA_SHARED)) {
            re->code = S("NOPERM");
            return err_set(&re->err, RC_PERM, 0, "", "That is for the administrator of the server to say.");
        }
    }
    return RC_OK;
}

/* setmetadata = "SETMETADATA" SP mailbox SP "(" entry-value *(SP entry-value) ")" */
enum rc imap_cmd_setmetadata(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct setting *x = arena_make(s->arena, struct setting);
    str mailbox;
    bool sets_use = false;
    enum special_use use = USE_NONE;
    enum rc rc;
    if (!x)
        return imap_fail(lex, RC_LIMIT, "fewer entries");
    if ((rc = imap_sp(lex)) || (rc = imap_mailbox(lex, &mailbox)) || (rc = imap_sp(lex)) ||
        (rc = imap_list_of(lex, entry_parse, x)) || (rc = imap_eol(lex)))
        return rc;
    rc = check(s, mailbox, x, re);
    if (rc == RC_OK && mailbox.n > 0)
        rc = take_use(x, &sets_use, &use, re);
    if (rc == RC_OK && x->n > 0)
        rc = store_set_metadata(s->store, mailbox, x->v, x->n, &re->err);
    if (rc == RC_LIMIT && !re->code.n)
        re->code = S("METADATA TOOMANY");
    if (rc == RC_OK && sets_use)
        rc = store_set_special_use(s->store, mailbox, use, &re->err);
    if (rc == RC_OK) {
        imap_changed(s, mailbox);
        notify_own_metadata(s, mailbox);
    }
    return rc;
}
