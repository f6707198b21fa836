/* What postmasters are told of sessions with errors (notify_classes), as Postfix's smtpd tells them: a
 * message with what was said. It is sent when the session is over, and only where it can be delivered at
 * once; passwords and the content of mail are not in it. */
#include "base/log.h"
#include "fmt/date.h"
#include "smtp/session_impl.h"

enum {
    HISTORY_MAX = 32 << 10, /* what comes later is not told */
    LINE_SHOWN = 900,
    WIDTH = 78,
    INDENT = 4,
    MESSAGE_MAX = 2 * HISTORY_MAX + 4096
};
enum notice_class { BOUNCE = 1, POLICY = 2, PROTOCOL = 4, RESOURCE = 8, SOFTWARE = 16, DATA = 32 };

static unsigned wanted_of(const struct conf *c)
{
    static const struct {
        str name;
        enum notice_class class;
    } all[] = {{S("bounce"), BOUNCE},     {S("policy"), POLICY},     {S("protocol"), PROTOCOL},
               {S("resource"), RESOURCE}, {S("software"), SOFTWARE}, {S("data"), DATA}};
    unsigned wanted = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        wanted |= conf_list_has(&c->notify_classes, all[i].name) ? all[i].class : 0;
    return wanted;
}

void smtp_notice_init(struct smtp_session *s)
{
    bool told = !smtp_is_lmtp(s) && !s->p->local;
    s->notice =
        (struct smtp_notice){.wanted = told ? wanted_of(s->conf) : 0, .history = BUF_INIT(HISTORY_MAX)};
}

/* --- while it goes on --- */

static void put_line(struct smtp_session *s, const char *who, str head, str rest)
{
    buf_printf(&s->notice.history, "%s" STR_FMT STR_FMT "\n", who, STR_ARG(head),
               STR_ARG(str_sub(rest, 0, LINE_SHOWN)));
}

void smtp_notice_command(struct smtp_session *s, str line)
{
    str secret = line;
    if (!s->notice.wanted)
        return;
    if (str_ieq(str_word(&secret), S("AUTH")) && str_word(&secret).n > 0 && secret.n > 0)
        put_line(s, "In:  ", str_sub(line, 0, line.n - secret.n), S(" *"));
    else
        put_line(s, "In:  ", S(""), line);
}

/* By the subject and the detail of RFC 3463. */
static unsigned class_of(int code, str enhanced)
{
    str subject = str_sub(enhanced, 2, 10);
    if (code < 400 || code == 421 || str_starts(subject, S("4.")) || str_eq(subject, S("3.2")))
        return 0;
    if (code == 501)
        return PROTOCOL;
    if (str_starts(subject, S("1.")) || str_starts(subject, S("2.")))
        return BOUNCE;
    if (str_starts(subject, S("5.")))
        return PROTOCOL;
    if (str_starts(subject, S("6.")))
        return DATA;
    if (str_eq(subject, S("3.0")) || str_eq(subject, S("3.1")))
        return RESOURCE;
    return str_eq(subject, S("3.5")) ? SOFTWARE : POLICY;
}

void smtp_notice_reply(struct smtp_session *s, int code, str enhanced, str head, str text)
{
    if (!s->notice.wanted)
        return;
    put_line(s, "Out: ", head, text);
    s->notice.seen |= class_of(code, enhanced);
}

/* --- at its end --- */

/* In lines of WIDTH, of which all but the first are indented; words stay whole. */
static void put_wrapped(str line, struct buf *out)
{
    size_t width = WIDTH;
    for (bool first = true; first || line.n > 0; first = false) {
        size_t n = line.n;
        if (n > width) {
            for (n = width; n > 0 && line.p[n] != ' ';)
                n--;
            while (n == 0 || (n < line.n && line.p[n] != ' ')) /* a word that is longer */
                n++;
        }
        buf_printf(out, " %*s" STR_FMT "\n", first ? 0 : INDENT, "", STR_ARG(str_sub(line, 0, n)));
        line = str_from(line, n);
        while (line.n > 0 && line.p[0] == ' ')
            line = str_from(line, 1);
        width = WIDTH - INDENT;
    }
}

static const char *reason_of(const struct smtp_session *s)
{
    return s->end == SMTP_END_LOST      ? "lost connection"
           : s->end == SMTP_END_TIMEOUT ? "timeout"
           : s->end == SMTP_END_ERRORS  ? "too many errors"
                                        : NULL;
}

static void put_message(const struct smtp_session *s, str to, struct buf *out)
{
    const char *host = s->conf->hostname, *why = reason_of(s);
    const char *program = s->conf->log_programs ? "Postfix" : "malle";
    buf_printf(out,
               "From: Mail Delivery System <MAILER-DAEMON@%s>\nTo: Postmaster <" STR_FMT
               ">\nSubject: %s SMTP server: "
               "errors from " SMTP_CLIENT_FMT "\nDate: ",
               host, STR_ARG(to), program, SMTP_CLIENT_ARG(s));
    date_format_mail(out, (struct date){.seconds = clock_seconds()});
    buf_printf(out,
               "\nMessage-ID: <%s.notice@%s>\nAuto-Submitted: auto-generated\n\n"
               "Transcript of session follows.\n\n",
               s->session_id, host);
    for (str rest = buf_str(&s->notice.history); rest.n > 0;)
        put_wrapped(str_take(&rest, '\n'), out);
    buf_printf(out, "\n%s%s%s\nFor other details, see the local mail logfile\n",
               why ? "Session aborted, reason: " : "", why ? why : "", why ? "\n" : "");
}

static void put_address(const char *recipient, const char *hostname, struct buf *out)
{
    bool whole = str_chr(str_c(recipient), '@') >= 0;
    buf_printf(out, "%s%s%s", recipient, whole ? "" : "@", whole ? "" : hostname);
}

void smtp_notice_end(struct smtp_session *s)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(MESSAGE_MAX), to = BUF_INIT(600), shown = BUF_INIT(600);
    const struct conf *c = s->conf;
    unsigned told = s->notice.seen & s->notice.wanted;
    if (told) {
        const char *recipient = told & BOUNCE ? c->bounce_notice_recipient : c->error_notice_recipient;
        put_address(recipient, c->hostname, &to);
        put_address(c->error_notice_recipient, c->hostname, &shown);
        put_message(s, buf_str(&shown), &text);
        bool special = str_ieq(str_c(recipient), S("postmaster")); /* RFC 5321 §4.5.1 */
        smtp_post(s, special ? S("postmaster") : buf_str(&to), buf_str(&text));
    }
}
