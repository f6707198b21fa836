/* postcat: what the queue has of a message, in the shape of a queue file of Postfix: records of the envelope,
 * header and body. */
#include "cli/accounts.h"
#include "cli/cmd_queue.h"
#include "cli/queue_message.h"
#include "fmt/smtp_cmd.h"

#include <time.h>
#include <unistd.h>

struct order {
    bool queue, envelope, header, body, offsets;
};

struct listing {
    const struct order *order;
    const char *path; /* "deferred/4bXk..." */
};

/* Records have no place in a file: with -o their column stays empty. */
static void begin_record(const struct listing *l)
{
    if (l->order->offsets)
        printf("%9s ", "");
}

static void put_mark(const struct listing *l, const char *what)
{
    if (!l->order->envelope)
        return;
    begin_record(l);
    printf("*** %s %s ***\n", what, l->path);
}

static void put_record(const struct listing *l, const char *name, str value)
{
    begin_record(l);
    printf("%s: " STR_FMT "\n", name, STR_ARG(value));
}

static void put_attribute(const struct listing *l, const char *name, str value)
{
    if (value.n == 0)
        return;
    begin_record(l);
    printf("named_attribute: %s=" STR_FMT "\n", name, STR_ARG(value));
}

static void put_time(const struct listing *l, const char *name, int64_t ms)
{
    time_t when = (time_t)(ms / 1000);
    char text[40] = "";
    struct tm tm;
    if (localtime_r(&when, &tm))
        strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm);
    put_record(l, name, str_c(text));
}

static void put_client(const struct listing *l, str client)
{
    str address = client, name = str_take(&address, '[');
    put_attribute(l, "log_client_name", name);
    put_attribute(l, "log_client_address", str_take(&address, ']'));
    put_attribute(l, "log_message_origin", client);
}

static void put_number(const struct listing *l, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    put_attribute(l, name, str_c(value ? text : ""));
}

static void put_recipient(const struct listing *l, const struct queue_rcpt *r)
{
    put_attribute(l, "dsn_orig_rcpt", r->orcpt);
    put_number(l, "notify_flags", r->notify);
    put_record(l, "original_recipient", r->orig.n ? r->orig : r->address);
    put_record(l, "recipient", r->address);
}

static void put_envelope(const struct listing *l, const struct queue_envelope *v)
{
    uint64_t size = v->size + v->trace.n;
    put_mark(l, "ENVELOPE RECORDS");
    begin_record(l);
    printf("message_size: %15llu %15d %15zu %15d %15llu %15d\n", (unsigned long long)size, 0, v->n, 0,
           (unsigned long long)size, 0);
    put_time(l, "message_arrival_time", v->arrived);
    put_time(l, "create_time", v->arrived);
    put_attribute(l, "log_ident", v->id);
    put_attribute(l, "sasl_username", v->account);
    put_attribute(l, "envelope_id", v->envid);
    put_number(l, "ret_flags", v->ret);
    put_record(l, "sender", v->sender);
    put_client(l, v->client);
    for (size_t i = 0; i < v->n; i++)
        put_recipient(l, &v->rcpts[i]);
    put_mark(l, "MESSAGE CONTENTS");
}

/* A line that belongs to a header: of a field, or going on with one. */
static bool is_header_line(str line)
{
    ptrdiff_t colon = str_chr(line, ':');
    if (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        return true;
    for (ptrdiff_t i = 0; i < colon; i++)
        if (line.p[i] <= ' ' || line.p[i] == 0x7f)
            return str_trim(str_sub(line, (size_t)i, (size_t)(colon - i))).n == 0 && i > 0;
    return colon > 0;
}

static void put_line(const struct listing *l, str line, size_t offset)
{
    if (l->order->offsets)
        printf("%9zu ", offset);
    fwrite(line.p, 1, line.n, stdout);
    putchar('\n');
}

/* Lines of one part of the message; *in_header and *offset go on into the next part. */
static void put_text(const struct listing *l, str text, bool *in_header, size_t *offset)
{
    while (text.n) {
        size_t before = text.n;
        str line = str_take(&text, '\n');
        *in_header = *in_header && is_header_line(line);
        if (*in_header ? l->order->header : l->order->body)
            put_line(l, line, *offset);
        *offset += before - text.n;
    }
}

static void put_message(const struct listing *l, const struct queue_cli_message *m)
{
    bool in_header = true;
    size_t offset = 0;
    if (l->order->envelope)
        put_envelope(l, &m->envelope);
    put_text(l, m->envelope.trace, &in_header, &offset);
    put_text(l, m->content, &in_header, &offset);
    put_mark(l, "HEADER EXTRACTED");
    put_mark(l, "MESSAGE FILE END");
}

static void find_place(void *ctx, const struct queue_message *m)
{
    *(enum queue_place *)ctx = m->place;
}

static int cat(struct queue_admin *a, char *id, const struct order *order)
{
    AUTO(queue_cli_message_close) struct queue_cli_message m = {0};
    AUTO(buf_deinit) struct buf path = BUF_INIT(QUEUE_ID_MAX + 32);
    char *const ids[] = {id};
    const struct queue_filter f = {.ids = ids, .n_ids = 1};
    enum queue_place place = QUEUE_PLACE_ACTIVE;
    struct err e = {0};
    enum rc rc = queue_message_is_id(str_c(id)) ? queue_message_each(a, &f, find_place, &place, &e) : RC_GONE;
    if (rc == RC_OK)
        rc = queue_cli_message_open(a, id, &m, &e);
    if (rc == RC_GONE)
        return cli_fail("open queue file %.100s: No such file or directory", id);
    if (rc != RC_OK)
        return cli_fail_err(&e);
    buf_printf(&path, "%s/%s", queue_place_name(place), id);
    put_message(&(struct listing){order, buf_cstr(&path)}, &m);
    return fflush(stdout) == 0 ? CLI_FINE : cli_fail("output write error: %m");
}

static int take_option(struct order *o, int option, struct cli *cli)
{
    switch (option) {
    case 'b':
        o->body = true;
        return CLI_FINE;
    case 'c':
        cli_use_conf(cli, optarg);
        return CLI_FINE;
    case 'e':
        o->envelope = true;
        return CLI_FINE;
    case 'h':
        o->header = true;
        return CLI_FINE;
    case 'o':
        o->offsets = true;
        return CLI_FINE;
    case 'q':
        o->queue = true;
        return CLI_FINE;
    case 'v':
        return CLI_FINE;
    default:
        return cli_fail(
            "usage: postcat [-b (body text)] [-c config_dir] [-e (envelope records)] [-h (header text)] "
            "[-o (offsets)] [-v] -q queue_id...");
    }
}

int compat_postcat(int argc, char **argv, struct cli *cli)
{
    AUTO(queue_admin_closep) struct queue_admin *a = NULL;
    struct order o = {0};
    int option, status = CLI_FINE;
    opterr = 0;
    while (status == CLI_FINE && (option = getopt(argc, argv, "+bc:ehoqv")) != -1)
        status = take_option(&o, option, cli);
    if (status != CLI_FINE)
        return status;
    if (!o.queue)
        return cli_fail("the queue has no files of Postfix's; name a message with -q");
    if (!o.body && !o.envelope && !o.header)
        o.body = o.envelope = o.header = true;
    if (queue_cli_open(cli, &a, &status) != RC_OK)
        return CLI_FINDING;
    status = CLI_FINE;
    for (int i = optind; i < argc && status == CLI_FINE; i++)
        status = cat(a, argv[i], &o);
    return status;
}
