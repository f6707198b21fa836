/* malle queue stats: how TLS with other domains went, as smtp counted it. */
#include "cli/cmd_queue.h"
#include "queue/tls_db.h"

#include <time.h>

enum { DAY_SECONDS = 86400 };

struct printing {
    struct json *json; /* or NULL */
    struct buf *out;
    int64_t day; /* the last one that was printed in words */
};

static str day_text(int64_t day, char room[32])
{
    time_t t = (time_t)(day * DAY_SECONDS);
    struct tm tm;
    must(gmtime_r(&t, &tm));
    return (str){room, strftime(room, 32, "%Y-%m-%d", &tm)};
}

static void put_count(void *ctx, const struct tls_db_count *c)
{
    struct printing *p = ctx;
    char room[32];
    str day = day_text(c->day, room);
    if (p->json) {
        json_open_object(p->json, NULL);
        json_put_str(p->json, "day", day);
        json_put_str(p->json, "policy_domain", c->domain);
        json_put_str(p->json, "policy_type", str_c(tlsrpt_policy_name(c->policy)));
        json_put_str(p->json, "result", str_c(tlsrpt_result_name(c->result)));
        json_put_str(p->json, "mx", c->mx);
        json_put_int(p->json, "sessions", c->sessions);
        json_close_object(p->json);
        return;
    }
    if (c->day != p->day)
        buf_printf(p->out, "TLS sessions of " STR_FMT "\n", STR_ARG(day));
    p->day = c->day;
    buf_printf(p->out, "    " STR_FMT " (%s): %lld %s", STR_ARG(c->domain), tlsrpt_policy_name(c->policy),
               (long long)c->sessions, tlsrpt_result_name(c->result));
    if (c->mx.n)
        buf_printf(p->out, " with " STR_FMT, STR_ARG(c->mx));
    buf_putc(p->out, '\n');
}

enum rc queue_cli_put_tls(struct buf *out, struct json *j, struct err *e)
{
    AUTO(tls_db_closep) struct tls_db *t = NULL;
    struct printing p = {.json = j, .out = out, .day = -1};
    enum rc rc = tls_db_open("tls.db", &t, e);
    if (rc != RC_OK)
        return rc;
    if (j)
        json_open_array(j, "tls");
    rc = tls_db_each(t, put_count, &p, e);
    if (j)
        json_close_array(j);
    return rc;
}
