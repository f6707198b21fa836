/* message_limit: see message_limit.h. */
#include "imap/message_limit.h"

static uint32_t saved_max(const struct imap_session *s)
{
    return s->limits.messages_max ? s->limits.messages_max : s->limits.saved_max;
}

void message_limit_put_capability(const struct imap_session *s, struct buf *out)
{
    if (saved_max(s))
        buf_printf(out, " %s=%u", s->limits.messages_max ? "MESSAGELIMIT" : "SAVELIMIT", saved_max(s));
}

bool message_limit_passed(const struct imap_session *s, uint64_t messages, bool saves)
{
    uint32_t max = saves ? saved_max(s) : s->limits.messages_max;
    return max && messages > max;
}

uid32 message_limit_lowest(const struct imap_session *s, const struct uidset *uids, bool saves)
{
    uint32_t count = uidset_count(uids);
    return message_limit_passed(s, count, saves) ? uidset_select(uids, count - saved_max(s) + 1) : 0;
}

uid32 message_limit_cut(const struct imap_session *s, struct uidset *uids)
{
    uid32 lowest = message_limit_lowest(s, uids, false);
    if (lowest)
        uidset_del(uids, 1, lowest - 1);
    return lowest;
}

/* resp-text-code =/ "MESSAGELIMIT" SP message-limit [SP uniqueid] */
str message_limit_code(const struct imap_session *s, uid32 lowest)
{
    return lowest ? arena_printf(s->arena, "MESSAGELIMIT %u %u", saved_max(s), lowest)
                  : arena_printf(s->arena, "MESSAGELIMIT %u", saved_max(s));
}

/* RFC 9738 §3.1: what the tagged reply has to say besides stays there. */
void message_limit_tell(struct imap_session *s, uid32 lowest, struct imap_reply *re)
{
    static const char text[] = "Only the last of these messages were dealt with.";
    if (!lowest)
        return;
    str code = message_limit_code(s, lowest);
    if (re->code.n || (re->expunged && (s->enabled & IMAP_QRESYNC))) {
        imap_reply_untagged(s, "NO", code.p, text);
        return;
    }
    re->code = code;
    re->text = text;
}

enum rc message_limit_refuse(const struct imap_session *s, uid32 lowest, struct imap_reply *re)
{
    re->code = message_limit_code(s, lowest);
    return err_set(&re->err, RC_PERM, 0, "", "These are too many messages for one command.");
}
