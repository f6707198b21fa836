/* malle mailq: the queue in the columns of Postfix's mailq with long queue ids, which programs read:
 *
 *   ----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
 *   4bXkZ30Wz2z3g5V*      355 Thu Jan  1 00:00:00 joe@example.com
 *                          (host mx.example.net[192.0.2.1] said: 450 busy)
 *                                                  ann@example.net
 *
 *   -- 0 Kbytes in 1 Request.
 *
 * and the same as one JSON object a line, for postqueue -j. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "cli/queue_message.h"
#include "cli/sendmail.h"

#include <time.h>

enum { REASON_WIDTH = 76, LINE_MAX_BYTES = 64 << 10 };

struct mailq {
    uint64_t messages, bytes;
};

static void print_line(struct buf *line)
{
    for (size_t i = 0; i < line->n; i++)
        if ((unsigned char)line->p[i] < ' ' || line->p[i] == 0x7f)
            line->p[i] = '?';
    puts(buf_cstr(line));
    buf_reset(line);
}

static void print_head(struct buf *line, const struct queue_message *m)
{
    static const char *const marks[] = {
        [QUEUE_PLACE_ACTIVE] = "*", [QUEUE_PLACE_DEFERRED] = "", [QUEUE_PLACE_HOLD] = "!"};
    AUTO(buf_deinit) struct buf id = BUF_INIT(QUEUE_ID_MAX + 1);
    char when[32] = "";
    time_t arrived = (time_t)(m->arrived / 1000);
    struct tm tm;
    if (localtime_r(&arrived, &tm))
        strftime(when, sizeof when, "%a %b %e %H:%M:%S", &tm);
    buf_printf(&id, STR_FMT "%s", STR_ARG(m->id), marks[m->place]);
    buf_printf(line, "%-17s %8llu %19s " STR_FMT, buf_cstr(&id), (unsigned long long)m->size, when,
               STR_ARG(m->sender));
    print_line(line);
}

/* A reason stands once above the recipients that share it. */
static void print_message(void *ctx, const struct queue_message *m)
{
    struct mailq *q = ctx;
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    str shown = STR_NONE;
    puts(q->messages == 0 ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------" : "");
    print_head(&line, m);
    for (size_t i = 0; i < m->n; i++) {
        str reason = m->rcpts[i].reason;
        if (!str_eq(reason, shown)) {
            str words = reason.n ? reason : S("reason unavailable");
            buf_printf(&line, "%*s(" STR_FMT ")", words.n < REASON_WIDTH ? (int)(REASON_WIDTH - words.n) : 0,
                       "", STR_ARG(words));
            print_line(&line);
        }
        shown = reason;
        buf_printf(&line, "%47s" STR_FMT, "", STR_ARG(m->rcpts[i].address));
        print_line(&line);
    }
    q->messages++;
    q->bytes += m->size;
}

enum rc mailq_print(struct queue_admin *a, struct err *e)
{
    const struct queue_filter all = {0};
    struct mailq q = {0};
    enum rc rc = queue_message_each(a, &all, print_message, &q, e);
    if (rc != RC_OK)
        return rc;
    if (q.messages == 0)
        puts("Mail queue is empty");
    else
        printf("\n-- %llu Kbytes in %llu Request%s.\n", (unsigned long long)q.bytes / 1024,
               (unsigned long long)q.messages, q.messages == 1 ? "" : "s");
    return RC_OK;
}

/* --- JSON --- */

static void put_field(struct buf *line, const char *key, str value)
{
    buf_printf(line, "\"%s\": ", key);
    json_quote(line, value);
}

static void print_json(void *ctx, const struct queue_message *m)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(64 << 20);
    buf_putc(&line, '{');
    put_field(&line, "queue_name", str_c(queue_place_name(m->place)));
    buf_puts(&line, S(", "));
    put_field(&line, "queue_id", m->id);
    buf_printf(&line, ", \"arrival_time\": %lld, \"message_size\": %llu, \"forced_expire\": false, ",
               (long long)m->arrived / 1000, (unsigned long long)m->size);
    put_field(&line, "sender", m->sender);
    buf_puts(&line, S(", \"recipients\": ["));
    for (size_t i = 0; i < m->n; i++) {
        buf_puts(&line, i ? S(", {") : S("{"));
        put_field(&line, "address", m->rcpts[i].address);
        if (m->rcpts[i].reason.n) {
            buf_puts(&line, S(", "));
            put_field(&line, "delay_reason", m->rcpts[i].reason);
        }
        buf_putc(&line, '}');
    }
    buf_puts(&line, S("]}\n"));
    if (!line.overflow)
        fwrite(line.p, 1, line.n, stdout);
    *(bool *)ctx |= line.overflow;
}

enum rc mailq_print_json(struct queue_admin *a, struct err *e)
{
    const struct queue_filter all = {0};
    bool too_long = false;
    enum rc rc = queue_message_each(a, &all, print_json, &too_long, e);
    return rc == RC_OK && too_long
               ? err_set(e, RC_LIMIT, 0, "", "a message has too many recipients to be shown")
               : rc;
}

/* --- sendmail -bp, -q --- */

static int list(struct queue_admin *a)
{
    struct err e = {0};
    if (mailq_print(a, &e) != RC_OK) {
        (void)cli_fail_err(&e);
        return EX_TEMPFAIL;
    }
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int retry(struct queue_admin *a)
{
    const struct queue_filter all = {0};
    struct err e = {0};
    size_t n;
    if (queue_admin_change(a, &all, QUEUE_CHANGE_RETRY, &n, &e) == RC_OK)
        return EX_OK;
    (void)cli_fail_err(&e);
    return EX_TEMPFAIL;
}

static int with_queue(struct cli *cli, int (*fn)(struct queue_admin *a))
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    int status;
    return queue_cli_open(cli, &a, &status) == RC_OK ? fn(a) : EX_UNAVAILABLE;
}

int sendmail_list(struct cli *cli)
{
    return with_queue(cli, list);
}

int sendmail_retry(struct cli *cli)
{
    return with_queue(cli, retry);
}
