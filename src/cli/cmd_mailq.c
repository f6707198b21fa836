/* malle mailq: the queue in the columns of Postfix's mailq with long queue ids, which programs read:
 *
 *   ----Queue ID-----  --Size-- ---Arrival Time---- --Sender/Recipient------
 *   4bXkZ30Wz2z3g5V        355 Thu Jan  1 00:00:00 joe@example.com
 *                          (host mx.example.net[192.0.2.1] said: 450 busy)
 *                                                  ann@example.net
 *
 *   -- 0 Kbytes in 1 Request. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "cli/sendmail.h"

#include <time.h>

enum { REASON_WIDTH = 76, LINE_MAX_BYTES = 64 << 10 };

struct mailq {
    int64_t message; /* the one being printed; 0: none */
    uint64_t messages, bytes;
    struct buf reason; /* printed last, of this message */
};

static void print_line(struct buf *line)
{
    for (size_t i = 0; i < line->n; i++)
        if ((unsigned char)line->p[i] < ' ' || line->p[i] == 0x7f)
            line->p[i] = '?';
    puts(buf_cstr(line));
}

static void print_head(struct mailq *q, const struct queue_item *item)
{
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    char when[32] = "";
    time_t arrived = (time_t)(item->arrived / 1000);
    struct tm tm;
    if (localtime_r(&arrived, &tm))
        strftime(when, sizeof when, "%a %b %e %H:%M:%S", &tm);
    if (q->messages++ == 0)
        puts("----Queue ID-----  --Size-- ---Arrival Time---- --Sender/Recipient------");
    else
        puts("");
    AUTO(str_freep) char *id = str_dup(item->id);
    AUTO(buf_deinit) struct buf mark = BUF_INIT(100);
    buf_printf(&mark, "%s%s", id, item->status == QUEUE_IS_HELD ? "!" : "");
    buf_printf(&line, "%-17s %8llu %19s " STR_FMT, buf_cstr(&mark), (unsigned long long)item->size, when,
               STR_ARG(item->sender.n ? item->sender : S("MAILER-DAEMON")));
    print_line(&line);
    q->bytes += item->size;
    q->message = item->message;
    buf_reset(&q->reason);
}

/* "host mx.example.net[192.0.2.1]:25 said: 450 busy", or what else kept it back. */
static void put_reason(struct buf *out, const struct queue_item *item)
{
    if (!item->attempts)
        return;
    if (item->code && item->remote.n && !str_starts(item->reply, S("host ")))
        buf_printf(out, "host " STR_FMT " said: ", STR_ARG(item->remote));
    buf_puts(out, item->reply);
}

/* A reason stands once above the recipients that share it. */
static void print_item(void *ctx, const struct queue_item *item)
{
    struct mailq *q = ctx;
    AUTO(buf_deinit) struct buf line = BUF_INIT(LINE_MAX_BYTES), reason = BUF_INIT(LINE_MAX_BYTES);
    if (q->message != item->message)
        print_head(q, item);
    put_reason(&reason, item);
    if (reason.n && !str_eq(buf_str(&reason), buf_str(&q->reason))) {
        size_t width = reason.n < REASON_WIDTH ? REASON_WIDTH - reason.n : 0;
        buf_printf(&line, "%*s(%s)", (int)width, "", buf_cstr(&reason));
        print_line(&line);
        buf_reset(&line);
    }
    buf_reset(&q->reason);
    buf_puts(&q->reason, buf_str(&reason));
    buf_printf(&line, "%47s" STR_FMT, "", STR_ARG(item->address));
    print_line(&line);
}

static int list(struct queue_admin *a)
{
    const struct queue_filter all = {0};
    struct mailq q = {.reason = BUF_INIT(LINE_MAX_BYTES)};
    struct err e = {0};
    enum rc rc = queue_admin_each(a, &all, print_item, &q, &e);
    buf_deinit(&q.reason);
    if (rc != RC_OK) {
        (void)cli_fail_err(&e);
        return EX_TEMPFAIL;
    }
    if (q.messages == 0)
        puts("Mail queue is empty");
    else
        printf("\n-- %llu Kbytes in %llu Request%s.\n", (unsigned long long)q.bytes / 1024,
               (unsigned long long)q.messages, q.messages == 1 ? "" : "s");
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
