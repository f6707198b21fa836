/* Telling a user that the mailbox is nearly full: by a command that the warning names, or a message of our
 * own in INBOX (RFC 3834), and a line in the log. The message counts, but is never refused and warns of
 * nothing. */
#include "base/log.h"
#include "fmt/date.h"
#include "os/file.h"
#include "store/delivery.h"
#include "store/quota.h"
#include "store/store_priv.h"

enum { TEXT_MAX = 4096 };

static void put_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t i = 0;
    uint64_t tenths = bytes * 10;
    if (bytes < 1024) {
        buf_printf(out, "%llu bytes", (unsigned long long)bytes);
        return;
    }
    while (tenths >= 10240 && i < 4) {
        tenths /= 1024;
        i++;
    }
    buf_printf(out, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
               units[i]);
}

static unsigned percent(uint64_t n, uint64_t whole)
{
    return whole ? (unsigned)((unsigned __int128)n * 100 / whole) : 0;
}

/* "950.0 MB of 1000.0 MB and 12 of 1000 messages" */
static void put_use(struct buf *out, const struct quota_limits *l, const struct quota_use *use)
{
    if (l->bytes) {
        put_size(out, use->bytes);
        buf_puts(out, S(" of "));
        put_size(out, l->bytes);
    }
    if (l->messages)
        buf_printf(out, "%s%llu of %llu messages", l->bytes ? " and " : "", (unsigned long long)use->messages,
                   (unsigned long long)l->messages);
}

static void put_address(struct buf *out, const struct quota_terms *q)
{
    buf_puts(out, q->account);
    if (str_chr(q->account, '@') < 0)
        buf_printf(out, "@" STR_FMT, STR_ARG(q->hostname));
}

static void put_message(struct buf *out, const struct quota_terms *q, unsigned full, const struct buf *use)
{
    buf_puts(out, S("From: Mail system <"));
    if (q->postmaster.n > 0)
        buf_puts(out, q->postmaster);
    else
        buf_printf(out, "postmaster@" STR_FMT, STR_ARG(q->hostname));
    buf_puts(out, S(">\nTo: <"));
    put_address(out, q);
    buf_printf(out, ">\nSubject: Your mailbox is %u%% full\nDate: ", full);
    date_format_mail(out, (struct date){.seconds = clock_seconds()});
    buf_printf(out,
               "\nMessage-ID: <%016llx.quota@" STR_FMT ">\nAuto-Submitted: auto-generated\n"
               "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n"
               "Your mailbox is %u%% full: " STR_FMT ".\n\n"
               "Once it is full, no more mail can be put into it. Please delete what you no\n"
               "longer need, also from the mailbox for deleted mail.\n",
               (unsigned long long)store_random(), STR_ARG(q->hostname), full, STR_ARG(buf_str(use)));
}

static void deliver(int root_fd, const struct quota_terms *q, str text)
{
    struct err e = {0};
    struct delivery *d = NULL;
    struct quota_taken t;
    size_t lines = 0;
    for (str rest = text; str_chr(rest, '\n') >= 0; (void)str_take(&rest, '\n'))
        lines++;
    const struct quota_load load = {S("INBOX"), {text.n, 1}, QUOTA_MOVED};
    const struct delivery_message m = {
        .name = {.now = clock_wall(), .id = store_random(), .host = q->hostname},
        .content_fd = -1,
        .content = text,
        .content_size = text.n,
        .content_lines = lines};
    enum rc rc = delivery_prepare(root_fd, &m, &d, &e);
    if (rc == RC_OK && quota_take(root_fd, q, &load, &t, &e) == RC_OK) {
        rc = delivery_commit(d, &e);
        quota_taken_end(root_fd, q, &t, rc == RC_OK);
    }
    if (rc != RC_OK)
        log_warn(STR_FMT ": the warning of the quota was not delivered: %s", STR_ARG(q->account),
                 err_text(&e));
    delivery_free(&d);
}

static bool runs_command(const struct quota_terms *q, size_t warning)
{
    struct quota_warning w;
    return q->run && quota_warning_parse(q->warnings[warning], &w) == RC_OK && w.command.n > 0 &&
           q->run(q->run_ctx, q, warning);
}

void quota_warn(int root_fd, const struct quota_terms *q, size_t warning, const struct quota_use *use)
{
    const struct quota_limits l = quota_limits_of(q->rules, STR_NONE, q->separator);
    unsigned bytes = percent(use->bytes, l.bytes), messages = percent(use->messages, l.messages);
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    AUTO(buf_deinit) struct buf words = BUF_INIT(200);
    put_use(&words, &l, use);
    put_message(&text, q, bytes > messages ? bytes : messages, &words);
    log_warn(STR_FMT ": the mailbox is %u%% full: %s", STR_ARG(q->account),
             bytes > messages ? bytes : messages, buf_cstr(&words));
    if (!runs_command(q, warning))
        deliver(root_fd, q, buf_str(&text));
}
