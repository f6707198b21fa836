/* imap_notify: see imap_notify.h. */
#include "fmt/imap_notify.h"

const str IMAP_NOTIFY_EVENTS = S("MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
                                 "MailboxMetadataChange ServerMetadataChange");

enum {
    NEW = 16,
    EXPUNGE = 32
}; /* beside enum imap_notify_event, while it is not seen whether both are there */

static const struct {
    str name;
    unsigned event;
} EVENTS[] = {
    {S("MessageNew"), NEW},
    {S("MessageExpunge"), EXPUNGE},
    {S("FlagChange"), NOTIFY_FLAGS},
    {S("MailboxName"), NOTIFY_NAMES},
    {S("SubscriptionChange"), NOTIFY_SUBSCRIPTIONS},
    {S("MailboxMetadataChange"), NOTIFY_METADATA},
    {S("ServerMetadataChange"), NOTIFY_SERVER_METADATA},
};

enum { OF_SELECTED = FILTER_SELECTED | FILTER_SELECTED_DELAYED };

struct events_parser {
    struct imap_notify *notify;
    bool selected; /* the group is of that mailbox */
    unsigned events;
};

/* [SP "(" fetch-att *(SP fetch-att) ")"], for the selected mailbox only */
static enum rc parse_fetch(struct imap_lex *lex, struct events_parser *p)
{
    if (!str_starts(imap_rest(lex), S(" (")))
        return RC_OK;
    if (!p->selected || p->notify->has_fetch)
        return imap_expect(lex, "FETCH items for the selected mailbox only");
    enum rc rc = imap_sp(lex);
    p->notify->has_fetch = true;
    return rc == RC_OK ? imap_fetch_parse(lex, &p->notify->fetch) : rc;
}

static enum rc parse_event(struct imap_lex *lex, void *ctx)
{
    struct events_parser *p = ctx;
    str other;
    for (size_t i = 0; i < sizeof EVENTS / sizeof *EVENTS; i++) {
        if (!imap_take_word(lex, EVENTS[i].name))
            continue;
        p->events |= EVENTS[i].event;
        return EVENTS[i].event == NEW ? parse_fetch(lex, p) : RC_OK;
    }
    enum rc rc = imap_atom(lex, &other);
    return rc == RC_OK ? RC_PERM : rc;
}

/* RFC 5465 §5, §6.1: what must come together, and what belongs to other mailboxes. */
static enum rc check_events(struct imap_lex *lex, const struct events_parser *p)
{
    unsigned both = p->events & (NEW | EXPUNGE);
    if ((both != 0 && both != (NEW | EXPUNGE)) || (both == 0 && (p->events & NOTIFY_FLAGS)))
        return imap_expect(lex, "MessageNew and MessageExpunge together");
    if (p->selected && (p->events & ~(unsigned)(NEW | EXPUNGE | NOTIFY_FLAGS)))
        return imap_expect(lex, "events of messages for the selected mailbox");
    return RC_OK;
}

/* events = "(" event *(SP event) ")" / "NONE" */
static enum rc parse_events(struct imap_lex *lex, struct imap_notify *notify, struct imap_notify_group *g)
{
    struct events_parser p = {.notify = notify, .selected = g->filter.kind & OF_SELECTED};
    enum rc rc = RC_OK;
    if (!imap_take_word(lex, S("NONE")))
        rc = imap_list_of(lex, parse_event, &p);
    if (rc == RC_OK)
        rc = check_events(lex, &p);
    g->events = (p.events & ~(unsigned)(NEW | EXPUNGE)) | (p.events & NEW ? NOTIFY_MESSAGES : 0);
    return rc;
}

static bool has_selected(const struct imap_notify *notify)
{
    for (size_t i = 0; i < notify->n; i++)
        if (notify->groups[i].filter.kind & OF_SELECTED)
            return true;
    return false;
}

/* event-group = "(" filter-mailboxes SP events ")" */
static enum rc parse_group(struct imap_lex *lex, struct imap_notify *notify)
{
    if (notify->n == NOTIFY_GROUPS_MAX)
        return imap_fail(lex, RC_LIMIT, "fewer event groups");
    unsigned permitted = has_selected(notify) ? ~(unsigned)OF_SELECTED : ~0u; /* RFC 5465 §6.1 */
    struct imap_notify_group *g = &notify->groups[notify->n];
    enum rc rc = imap_list_begin(lex);
    if (rc == RC_OK)
        rc = imap_filter_parse(lex, permitted, &g->filter);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = parse_events(lex, notify, g);
    notify->n++;
    return rc == RC_OK ? imap_list_end(lex) : rc;
}

enum rc imap_notify_parse(struct imap_lex *lex, struct imap_notify *ret)
{
    struct imap_notify notify = {.none = imap_take_word(lex, S("NONE"))};
    enum rc rc = RC_OK;
    if (!notify.none) {
        if (!imap_take_word(lex, S("SET")))
            return imap_expect(lex, "SET or NONE");
        notify.status = str_istarts(imap_rest(lex), S(" STATUS"));
        if (notify.status && ((rc = imap_sp(lex)) || !imap_take_word(lex, S("STATUS"))))
            return imap_expect(lex, "STATUS or an event group");
        do
            if ((rc = imap_sp(lex)) == RC_OK)
                rc = parse_group(lex, &notify);
        while (rc == RC_OK && imap_peek(lex) == ' ');
    }
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc == RC_OK)
        *ret = notify;
    return rc;
}
