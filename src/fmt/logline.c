/* Lines of the log (logline.h).
 *
 *   line  = stamp host tag [ "[" pid "]" ] ": " [ "warning: " / "error: " ] [ id ": " ] text
 *   tag   = 1*( name "/" ) role / "dovecot"
 *   json  = {"time":"..","level":"..","tag":"malle/..","pid":N,"text":".."}   ; in this order, as it is
 * written */
#include "fmt/logline.h"

#include "base/num.h"
#include "fmt/queue_id.h"

/* --- the beginning --- */

/* Takes what stands in front of the next `mark` off *rest; false without one. */
static bool take_until(str *rest, str mark, str *ret)
{
    ptrdiff_t at = str_find(*rest, mark);
    if (at < 0)
        return false;
    *ret = str_sub(*rest, 0, (size_t)at);
    *rest = str_from(*rest, (size_t)at + mark.n);
    return true;
}

static bool take_number(str word, uint32_t max, int *ret)
{
    uint32_t n;
    if (num_parse_u32(word, max, &n) != RC_OK)
        return false;
    *ret = (int)n;
    return true;
}

/* "Nov 27 01:15:33" or "Nov  7 01:15:33" (RFC 3164 §4.1.2) */
static bool take_clock(str *rest, struct logline_clock *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    str month = str_word(rest), day = str_word(rest), time = str_word(rest);
    ptrdiff_t at = month.n == 3 ? str_find(S("JanFebMarAprMayJunJulAugSepOctNovDec"), month) : -1;
    if (at < 0 || at % 3 != 0 || (size_t)at >= sizeof months)
        return false;
    ret->month = (int)at / 3;
    str hour = str_take(&time, ':'), minute = str_take(&time, ':');
    return take_number(day, 31, &ret->day) && ret->day > 0 && take_number(hour, 23, &ret->hour) &&
           take_number(minute, 59, &ret->minute) && take_number(time, 60, &ret->second);
}

static bool take_stamp(str *rest, struct logline *ret)
{
    ret->has_date = rest->n && ascii_digit(rest->p[0]);
    if (ret->has_date)
        return date_parse_internet(str_word(rest), &ret->date) == RC_OK;
    return take_clock(rest, &ret->clock);
}

/* Names are the administrator's (syslog_name): anything that has a role behind it may be malle. */
static bool take_tag(str tag, struct logline *ret)
{
    ptrdiff_t at = str_rchr(tag, '/');
    if (at < 0 && !str_eq(tag, S("dovecot")))
        return false;
    ret->role = str_from(tag, (size_t)(at + 1));
    return ret->role.n > 0 && at != 0;
}

const char *logline_level_name(enum logline_level level)
{
    static const char *const names[] = {[LOGLINE_INFO] = "Info",
                                        [LOGLINE_WARNING] = "Warning",
                                        [LOGLINE_ERROR] = "Error",
                                        [LOGLINE_FATAL] = "Fatal",
                                        [LOGLINE_PANIC] = "Panic"};
    return names[level];
}

/* "warning: text" of Postfix's shape, "auth: Warning: text" of Dovecot's. */
static void take_level(str text, struct logline *ret)
{
    str rest = text, word, prefix = STR_NONE;
    bool dovecot = str_eq(ret->role, S("dovecot"));
    ret->text = text;
    if ((dovecot && !take_until(&rest, S(": "), &prefix)) || !take_until(&rest, S(": "), &word))
        return;
    for (enum logline_level l = LOGLINE_WARNING; l <= LOGLINE_PANIC; l++) {
        str name = str_c(logline_level_name(l));
        if (dovecot ? !str_eq(word, name) : !(str_ieq(word, name) && word.p[0] != name.p[0]))
            continue;
        ret->level = l;
        ret->prefix = prefix;
        ret->text = rest;
        return;
    }
}

static enum rc parse_text(str line, struct logline *ret)
{
    str rest = line, head;
    if (!take_stamp(&rest, ret) || str_word(&rest).n == 0)
        return RC_INVALID;
    rest = str_trim(rest);
    if (!take_until(&rest, S(": "), &head) || !take_tag(str_take(&head, '['), ret))
        return RC_INVALID;
    if (!str_eq(ret->role, S("dovecot")) && !str_ends(head, S("]")))
        return RC_INVALID;
    take_level(rest, ret);
    return RC_OK;
}

/* Only the quotation mark and the backslash are ever escaped. */
static str unescape(str s, struct buf *room)
{
    for (size_t i = 0; i < s.n; i++) {
        i += s.p[i] == '\\' && i + 1 < s.n;
        buf_putc(room, s.p[i]);
    }
    return buf_str(room);
}

static enum rc parse_json(str line, struct buf *room, struct logline *ret)
{
    str rest = line, time, level, tag, pid;
    if (!str_ends(rest, S("\"}")))
        return RC_INVALID;
    rest.n -= 2;
    if (!take_until(&rest, S("{\"time\":\""), &time) || !take_until(&rest, S("\",\"level\":\""), &time) ||
        !take_until(&rest, S("\",\"tag\":\""), &level) || !take_until(&rest, S("\",\"pid\":"), &tag) ||
        !take_until(&rest, S(",\"text\":\""), &pid))
        return RC_INVALID;
    ret->has_date = true;
    if (date_parse_internet(time, &ret->date) != RC_OK || !take_tag(tag, ret))
        return RC_INVALID;
    ret->level = str_eq(level, S("warn"))    ? LOGLINE_WARNING
                 : str_eq(level, S("error")) ? LOGLINE_ERROR
                                             : LOGLINE_INFO;
    ret->text = unescape(rest, room);
    return room->overflow ? RC_INVALID : RC_OK;
}

static bool is_id(str s)
{
    return str_eq(s, S("NOQUEUE")) || queue_id_valid(s);
}

enum rc logline_parse(str line, struct buf *room, struct logline *ret)
{
    struct logline l = {.has_date = false};
    buf_reset(room);
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    enum rc rc = str_starts(line, S("{")) ? parse_json(line, room, &l) : parse_text(line, &l);
    if (rc != RC_OK)
        return rc;
    str rest = l.text, id;
    if (take_until(&rest, S(": "), &id) && is_id(id)) {
        l.id = id;
        l.text = rest;
    }
    *ret = l;
    return RC_OK;
}

/* --- facts --- */

const char *logline_event_name(enum logline_event e)
{
    static const char *const names[] = {"other",    "client",       "message-id", "received", "saved",
                                        "delivery", "notification", "expired",    "removed",  "rejected"};
    return names[e];
}

/* The value behind "NAME=" at the start of the text or behind a space; in brackets, which are left out, or up
 * to the next comma or space. Empty when there is none. */
static str field(str text, str name)
{
    for (size_t from = 0;;) {
        ptrdiff_t at = str_find(str_from(text, from), name);
        if (at < 0)
            return STR_NONE;
        size_t start = from + (size_t)at;
        from = start + name.n;
        if (start > 0 && text.p[start - 1] != ' ')
            continue;
        str value = str_from(text, from);
        size_t n = 0;
        if (str_starts(value, S("<"))) {
            ptrdiff_t end = str_chr(value, '>');
            return end < 0 ? STR_NONE : str_sub(value, 1, (size_t)end - 1);
        }
        while (n < value.n && value.p[n] != ',' && value.p[n] != ' ')
            n++;
        return str_sub(value, 0, n);
    }
}

static void read_client(str text, struct logline_facts *f)
{
    f->event = LOGLINE_CLIENT;
    f->client = field(text, S("client="));
    f->account = field(text, S("sasl_username="));
    f->method = field(text, S("sasl_method="));
}

static void read_user(str text, struct logline_facts *f)
{
    f->event = LOGLINE_CLIENT;
    f->uid = field(text, S("uid="));
    f->sender = field(text, S("from="));
}

static void read_from(str text, struct logline_facts *f)
{
    f->event = field(text, S("status=")).n ? LOGLINE_EXPIRED : LOGLINE_RECEIVED;
    f->sender = field(text, S("from="));
    f->size = field(text, S("size="));
    f->recipients = field(text, S("nrcpt="));
}

/* The reply is last, and may hold anything. */
static void read_delivery(str text, struct logline_facts *f)
{
    ptrdiff_t at = str_find(text, S(", status="));
    str head = at < 0 ? text : str_sub(text, 0, (size_t)at),
        tail = at < 0 ? STR_NONE : str_from(text, (size_t)at + 2);
    f->event = LOGLINE_DELIVERY;
    f->recipient = field(head, S("to="));
    f->original = field(head, S("orig_to="));
    f->relay = field(head, S("relay="));
    f->delay = field(head, S("delay="));
    f->dsn = field(head, S("dsn="));
    f->status = field(tail, S("status="));
    ptrdiff_t open = str_find(tail, S(" ("));
    f->reply = open < 0 ? STR_NONE : str_from(tail, (size_t)open + 2);
    if (str_ends(f->reply, S(")")))
        f->reply.n--;
}

/* "RCPT from CLIENT: 550 5.1.1 <x>: text; from=<a> to=<b> proto=ESMTP helo=<c>" */
static void read_reject(str text, struct logline_facts *f)
{
    ptrdiff_t tail = -1;
    str rest = text;
    f->event = LOGLINE_REJECT;
    if (!take_until(&rest, S(" from "), &f->stage) || !take_until(&rest, S(": "), &f->client))
        return;
    for (ptrdiff_t at; (at = str_find(str_from(rest, (size_t)(tail + 1)), S("; from=<"))) >= 0;)
        tail += 1 + at;
    f->reply = tail < 0 ? rest : str_sub(rest, 0, (size_t)tail);
    str fields = tail < 0 ? STR_NONE : str_from(rest, (size_t)tail + 2);
    f->sender = field(fields, S("from="));
    f->recipient = field(fields, S("to="));
    f->protocol = field(fields, S("proto="));
    f->helo = field(fields, S("helo="));
}

static void read_saved(str text, struct logline_facts *f)
{
    str rest = text;
    f->event = LOGLINE_SAVED;
    if (take_until(&rest, S(" of "), &f->mailbox))
        f->account = rest;
}

/* "sender non-delivery notification: ID" */
static void read_notification(str text, struct logline_facts *f)
{
    str rest = text, what;
    if (!take_until(&rest, S("notification: "), &what)) {
        f->reply = text;
        return;
    }
    f->event = LOGLINE_NOTIFICATION;
    f->other = rest;
}

static void read_message_id(str text, struct logline_facts *f)
{
    f->event = LOGLINE_MESSAGE_ID;
    f->message_id = text;
}

void logline_read(const struct logline *line, struct logline_facts *ret)
{
    static const struct {
        str start;
        bool whole; /* the reader gets the start, too */
        void (*read)(str text, struct logline_facts *f);
    } shapes[] = {
        {S("client="), true, read_client},
        {S("uid="), true, read_user},
        {S("from=<"), true, read_from},
        {S("to=<"), true, read_delivery},
        {S("message-id="), false, read_message_id},
        {S("reject: "), false, read_reject},
        {S("saved to "), false, read_saved},
        {S("sender "), true, read_notification},
        {S("postmaster "), true, read_notification},
    };
    *ret = (struct logline_facts){.event = LOGLINE_OTHER, .reply = line->text};
    if (str_eq(line->text, S("removed")))
        *ret = (struct logline_facts){.event = LOGLINE_REMOVED};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (!str_starts(line->text, shapes[i].start))
            continue;
        *ret = (struct logline_facts){.event = LOGLINE_OTHER};
        shapes[i].read(str_from(line->text, shapes[i].whole ? 0 : shapes[i].start.n), ret);
        return;
    }
}

bool logline_said(str reply, str *ret_host, str *ret_words)
{
    str rest = reply, host;
    if (!str_starts(reply, S("host ")) || !take_until(&rest, S(" said: "), &host))
        return false;
    ptrdiff_t end = str_find(rest, S(" (in reply to "));
    *ret_host = str_from(host, 5);
    *ret_words = end > 0 && str_ends(rest, S(")")) ? str_sub(rest, 0, (size_t)end) : rest;
    return true;
}
