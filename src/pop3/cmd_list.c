/* STAT, LIST and UIDL: the maildrop's messages by number, size and unique-id (RFC 1939 §5, §7). */
#include "pop3/session.h"

enum { UIDL_MAX = 512 };

void pop3_cmd_stat(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    uint64_t size;
    size_t n = pop3_count(s, &size);
    stream_printf(s->io, "+OK %zu %llu\r\n", n, (unsigned long long)size);
}

void pop3_cmd_list(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    uint64_t size;
    if (cmd->has_number) {
        const struct pop3_message *m = pop3_find(s, cmd->number);
        if (m)
            stream_printf(s->io, "+OK %u %llu\r\n", cmd->number, (unsigned long long)m->size);
        return;
    }
    size_t n = pop3_count(s, &size);
    stream_printf(s->io, "+OK %zu messages (%llu octets)\r\n", n, (unsigned long long)size);
    for (size_t i = 0; i < s->n; i++)
        if (!s->messages[i].deleted)
            stream_printf(s->io, "%zu %llu\r\n", i + 1, (unsigned long long)s->messages[i].size);
    stream_write(s->io, S(".\r\n"));
}

static enum rc find_uidl(struct pop3_session *s, size_t i, struct buf *id, struct err *e)
{
    buf_reset(id);
    return box_pop3_uidl(s->box, s->messages[i].uid, id, e);
}

/* A message that another session expunged meanwhile still has its number here; it just has no id any more. */
static void list_ids(struct pop3_session *s)
{
    struct buf id = BUF_INIT(UIDL_MAX);
    struct err e = {0};
    stream_write(s->io, S("+OK\r\n"));
    for (size_t i = 0; i < s->n; i++)
        if (!s->messages[i].deleted && find_uidl(s, i, &id, &e) == RC_OK)
            stream_printf(s->io, "%zu " STR_FMT "\r\n", i + 1, STR_ARG(buf_str(&id)));
    stream_write(s->io, S(".\r\n"));
    buf_deinit(&id);
}

void pop3_cmd_uidl(struct pop3_session *s, const struct pop3_cmd *cmd)
{
    if (!cmd->has_number) {
        list_ids(s);
        return;
    }
    if (!pop3_find(s, cmd->number))
        return;
    struct buf id = BUF_INIT(UIDL_MAX);
    struct err e = {0};
    if (find_uidl(s, cmd->number - 1, &id, &e) == RC_OK)
        stream_printf(s->io, "+OK %u " STR_FMT "\r\n", cmd->number, STR_ARG(buf_str(&id)));
    else
        pop3_store_failed(s, "UIDL", &e);
    buf_deinit(&id);
}
