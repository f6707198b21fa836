/* box_sync: tells an open mailbox's session what changed since its view was taken (RFC 9051 §7.5.1): what
 * went, how many there are, which flags changed. Only the chunks whose modseq rose are read. */
#include "store/store_priv.h"

struct sync {
    struct box *b;
    struct uidset changed; /* flags */
    bool grown;
};

bool box_is_silent(const struct box *b, modseq m)
{
    for (size_t i = 0; i < b->n_silent; i++)
        if (b->silent[i] == m)
            return true;
    return false;
}

/* UIDs of the view with a newer modseq, in chunks that have any. */
static enum rc find_changed(struct sync *s, struct err *e)
{
    AUTO(db_done) struct db_stmt *q = NULL;
    const struct box *b = s->b;
    enum rc rc = changed_query(b, b->told, &q, e);
    while (rc == RC_OK && (rc = db_step(q, e)) == RC_OK) {
        uid32 uid = (uid32)db_int(q, 0);
        if (uidset_has(&b->view, uid) && !box_is_silent(b, (modseq)db_int(q, 1)))
            uidset_add(&s->changed, uid, uid);
    }
    return rc == RC_GONE ? RC_OK : rc;
}

/* Takes the index's present set of UIDs: newcomers into the view, what vanished into b->gone. */
static enum rc update_view(struct sync *s, struct err *e)
{
    struct box *b = s->b;
    struct uidset now = {0}, vanished = {0};
    uidset_copy(&now, &b->view);
    uidset_subtract(&now, &b->gone);
    uidset_copy(&vanished, &now);
    enum rc rc = chunk_load(&b->f, b->told, &now, e);
    if (rc == RC_OK) {
        uint32_t before = uidset_count(&b->view);
        uidset_subtract(&vanished, &now);
        uidset_add_set(&b->gone, &vanished);
        uidset_add_set(&b->view, &now);
        s->grown = uidset_count(&b->view) > before;
    }
    uidset_deinit(&now);
    uidset_deinit(&vanished);
    return rc;
}

static void tell_expunges(struct box *b, const struct box_events *ev)
{
    uint32_t told = 0;
    for (size_t i = 0; i < b->gone.n; i++)
        for (uid32 uid = b->gone.r[i].first; uid; uid = uid < b->gone.r[i].last ? uid + 1 : 0) {
            uint32_t rank = uidset_rank(&b->view, uid);
            if (rank && ev->expunged)
                ev->expunged(ev->ctx, rank - told, uid);
            told += rank != 0;
        }
    uidset_subtract(&b->view, &b->gone);
    uidset_clear(&b->gone);
}

static void tell(struct sync *s, unsigned sync_flags, const struct box_events *ev, uint32_t recent_before)
{
    struct box *b = s->b;
    if (!(sync_flags & BOX_SYNC_NO_EXPUNGE))
        tell_expunges(b, ev);
    box_update_status(b);
    if (ev->exists && (s->grown || b->status.recent > recent_before))
        ev->exists(ev->ctx, b->status.messages, b->status.recent);
    uidset_subtract(&s->changed, &b->gone);
    for (uid32 uid = uidset_next(&s->changed, 1); uid && ev->flags; uid = uidset_next(&s->changed, uid + 1)) {
        uint32_t seq = uidset_rank(&b->view, uid);
        if (seq)
            ev->flags(ev->ctx, seq, uid);
    }
}

enum rc box_sync(struct box *b, unsigned sync_flags, const struct box_events *ev, struct err *e)
{
    struct sync s = {.b = b};
    uint32_t recent = b->status.recent;
    enum rc rc = box_refresh(b, sync_flags & BOX_SYNC_SCAN ? MERGE_FORCE : MERGE_SYNC, e);
    if (rc == RC_OK && b->f.uidvalidity != b->status.uidvalidity) {
        b->f.uidvalidity =
            b->status.uidvalidity; /* so that all further calls find the mailbox gone as well */
        rc = store_gone(e);
    }
    if (rc == RC_OK && b->f.modseq != b->told) {
        rc = find_changed(&s, e);
        if (rc == RC_OK)
            rc = update_view(&s, e);
        if (rc == RC_OK) {
            uidset_add_set(&s.changed, &b->untold);
            uidset_clear(&b->untold);
            b->told = b->f.modseq;
            b->n_silent = 0;
        }
    }
    if (rc == RC_OK)
        tell(&s, sync_flags, ev, recent);
    uidset_deinit(&s.changed);
    return index_result(b->f.st, rc, e);
}
