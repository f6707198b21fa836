#include "cli/message_print.h"

#include "fmt/crlf.h"
#include "fmt/date.h"
#include "fmt/header.h"
#include "fmt/mailaddr.h"
#include "fmt/mbox.h"
#include "fmt/rfc2047.h"
#include "imap/flags.h"

#include <limits.h>

enum { OUT_MAX = INT_MAX, FIELD_MAX = 64 << 10 };

void message_print_begin(struct message_printer *p, bool json)
{
    *p = (struct message_printer){0};
    buf_init(&p->out, OUT_MAX);
    if (json) {
        p->json.out = &p->out;
        json_open_array(&p->json, NULL);
    }
}

static int flush(struct message_printer *p)
{
    if (p->out.overflow)
        return cli_fail("a message is too large to be printed");
    int status = cli_print(&p->out);
    buf_reset(&p->out);
    return status;
}

int message_print_end(struct message_printer *p)
{
    if (p->json.out) {
        json_close_array(&p->json);
        buf_putc(&p->out, '\n');
    }
    int status = flush(p);
    buf_deinit(&p->out);
    return status;
}

int message_print_uids(struct message_printer *p, const struct message_set *found)
{
    for (uid32 uid = uidset_next(&found->uids, 1); uid; uid = uidset_next(&found->uids, uid + 1)) {
        if (!p->json.out) {
            buf_printf(&p->out, "%u " STR_FMT "\n", uid, STR_ARG(found->box->name));
            continue;
        }
        json_open_object(&p->json, NULL);
        json_put_str(&p->json, "mailbox", found->box->name);
        json_put_int(&p->json, "uid", uid);
        json_close_object(&p->json);
    }
    return flush(p);
}

/* --- whole messages --- */

struct printing {
    struct message_printer *p;
    const struct message_set *found;
    struct buf message; /* with LF line ends */
    int status;
};

static void put_field(struct json *j, const char *key, str message, str name)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FIELD_MAX);
    struct header_field f;
    if (!header_find(message, name, 0, &f)) {
        json_put_null(j, key);
        return;
    }
    rfc2047_decode(&text, str_trim(f.value));
    json_put_str(j, key, buf_str(&text));
}

static void put_object(struct printing *w, const struct imap_fetched *f)
{
    static const char *const fields[][2] = {{"from", "From"},
                                            {"to", "To"},
                                            {"subject", "Subject"},
                                            {"date", "Date"},
                                            {"message_id", "Message-ID"}};
    AUTO(buf_deinit) struct buf received = BUF_INIT(64);
    struct json *j = &w->p->json;
    str message = buf_str(&w->message);
    json_open_object(j, NULL);
    json_put_str(j, "mailbox", w->found->box->name);
    json_put_int(j, "uid", f->uid);
    json_open_array(j, "flags");
    for (size_t i = 0; i < f->n_flags; i++)
        json_put_str(j, NULL, f->flags[i]);
    json_close_array(j);
    date_format_internet(&received, f->date);
    json_put_str(j, "received", buf_str(&received));
    json_put_int(j, "size", (int64_t)f->size);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        put_field(j, fields[i][0], message, str_c(fields[i][1]));
    json_put_str(j, "message", message);
    json_close_object(j);
}

str message_sender(str message)
{
    struct header_field f;
    if (!header_find(message, S("Return-Path"), 0, &f))
        return STR_NONE;
    str value = str_trim(f.value);
    bool bracketed = str_starts(value, S("<")) && str_ends(value, S(">"));
    value = bracketed ? str_sub(value, 1, value.n - 2) : value;
    return str_chr(value, ' ') < 0 && str_chr(value, '\n') < 0 ? value : STR_NONE;
}

static enum rc take_message(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    struct printing *w = ctx;
    struct imap_fetched f;
    struct crlf_state ends = {0};
    enum rc rc = str_ieq(r->word, S("FETCH")) ? imap_response_fetch(lex, &f) : RC_GONE;
    if (rc || !f.body.p)
        return rc == RC_GONE ? RC_OK : rc; /* an announcement, which nobody asked for */
    buf_reset(&w->message);
    crlf_decode(&ends, &w->message, f.body);
    crlf_decode_finish(&ends, &w->message);
    if (w->p->json.out) {
        put_object(w, &f);
    } else if (w->found->alone && uidset_count(&w->found->uids) == 1) {
        buf_puts(&w->p->out, buf_str(&w->message));
    } else {
        mbox_put_separator(&w->p->out, message_sender(buf_str(&w->message)), f.date);
        mbox_put_message(&w->p->out, buf_str(&w->message));
    }
    int status = flush(w->p);
    w->status = status != CLI_FINE ? status : w->status;
    return RC_OK;
}

int message_print_all(struct message_printer *p, struct mail_session *s, const struct message_set *found)
{
    struct printing w = {.p = p, .found = found, .message = BUF_INIT(OUT_MAX)};
    struct err e = {0};
    buf_puts(imap_client_command(s->client),
             S("UID FETCH $ (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"));
    enum rc rc = imap_client_run(s->client, take_message, &w, &e);
    buf_deinit(&w.message);
    return rc == RC_OK ? w.status : mail_session_fail(s, "read the messages", &e);
}
