/* fetch_wishes: see fetch.h. Messages of which the same is wished are told together. */
#include "imap/fetch.h"

enum { MERGED_MAX = 1 << 20 };

void fetch_wish(struct fetch_wishes *w, const struct imap_fetch *fetch, const struct uidset *uids)
{
    must(w->n < FETCH_WISHES_MAX);
    struct fetch_wish *wish = &w->v[w->n++];
    wish->fetch = fetch;
    uidset_copy(&wish->uids, uids);
}

void fetch_wishes_deinit(struct fetch_wishes *w)
{
    for (size_t i = 0; i < w->n; i++)
        uidset_deinit(&w->v[i].uids);
    w->n = 0;
}

/* A section goes by the name under which it is answered. */
static void add_section(struct arena *a, struct imap_fetch *to, const struct fetch_section *sec)
{
    struct fetch_section **at = &to->sections;
    while (*at && !str_eq((*at)->echo, sec->echo))
        at = &(*at)->next;
    if (*at) {
        (*at)->peek = (*at)->peek && sec->peek;
    } else if ((*at = arena_make(a, struct fetch_section))) {
        **at = *sec;
        (*at)->next = NULL;
    }
}

static void merge(struct arena *a, struct imap_fetch *to, const struct imap_fetch *from)
{
    to->items |= from->items;
    for (const struct fetch_section *sec = from->sections; sec; sec = sec->next)
        add_section(a, to, sec);
}

/* Tells of one message, and of all others of which the same is wished, and takes them off *left. */
static enum rc grant_like(struct imap_session *s, const struct fetch_wishes *w, uid32 uid,
                          struct uidset *left, struct err *e)
{
    AUTO(arena_freep) struct arena *a = arena_new(MERGED_MAX);
    AUTO(uidset_deinit) struct uidset alike = {0};
    struct imap_fetch all = {0};
    uidset_copy(&alike, left);
    for (size_t i = 0; i < w->n; i++) {
        if (uidset_has(&w->v[i].uids, uid)) {
            merge(a, &all, w->v[i].fetch);
            uidset_intersect(&alike, &w->v[i].uids);
        } else {
            uidset_subtract(&alike, &w->v[i].uids);
        }
    }
    uidset_subtract(left, &alike);
    if (arena_exhausted(a))
        return err_set(e, RC_LIMIT, 0, "", "These are too many FETCH items");
    return fetch_tell(s, &all, &alike, e);
}

enum rc fetch_grant(struct imap_session *s, const struct fetch_wishes *w, struct err *e)
{
    AUTO(uidset_deinit) struct uidset left = {0};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < w->n; i++)
        uidset_add_set(&left, &w->v[i].uids);
    while (left.n > 0 && rc == RC_OK)
        rc = grant_like(s, w, left.r[0].first, &left, e);
    return rc;
}
