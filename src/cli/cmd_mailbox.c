/* malle mailbox: the mailboxes of an account, through a session of it. */
#include "cli/accounts.h"
#include "cli/mail_session.h"
#include "fmt/json.h"

#include <limits.h>

enum { OUT_MAX = 64 << 20 };

struct work {
    struct cli *cli;
    struct mail_session s;
    char **words; /* behind the account */
    int n;
};

/* --- list, status --- */

static void put_counts(struct json *j, const uint64_t counts[IMAP_COUNTED])
{
    static const char *const keys[IMAP_COUNTED] = {"messages",    "recent",        "unseen", "uidnext",
                                                   "uidvalidity", "highestmodseq", "size"};
    for (unsigned i = 0; i < IMAP_COUNTED; i++)
        json_put_int(j, keys[i], (int64_t)counts[i]);
}

static void put_json(struct json *j, const struct mail_box *b)
{
    json_open_object(j, NULL);
    json_put_str(j, "name", b->name);
    if (b->counted) {
        put_counts(j, b->counts);
    } else {
        json_put_bool(j, "selectable", b->selectable);
        json_put_bool(j, "subscribed", b->subscribed);
        if (b->use.n)
            json_put_str(j, "special_use", b->use);
        else
            json_put_null(j, "special_use");
    }
    json_close_object(j);
}

static void put_text(struct buf *out, const struct mail_box *b)
{
    buf_puts(out, b->name);
    if (b->counted)
        buf_printf(out, ": %llu messages, %llu unseen, %llu bytes",
                   (unsigned long long)b->counts[IMAP_MESSAGES], (unsigned long long)b->counts[IMAP_UNSEEN],
                   (unsigned long long)b->counts[IMAP_SIZE]);
    buf_putc(out, '\n');
}

static enum rc add_boxes(struct work *w, const char *mask, bool counts, struct json *j, struct err *e)
{
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    enum rc rc = mail_boxes_find(&w->s, mask, counts, &boxes, e);
    for (size_t i = 0; i < boxes.n; i++) {
        if (counts && !boxes.v[i].counted) /* it holds no messages, only other mailboxes */
            continue;
        if (w->cli->json)
            put_json(j, &boxes.v[i]);
        else
            put_text(j->out, &boxes.v[i]);
    }
    return rc;
}

static int show(struct work *w, bool counts)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(OUT_MAX);
    struct json j = {.out = &out};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (w->cli->json)
        json_open_array(&j, NULL);
    if (w->n == 0)
        rc = add_boxes(w, "*", counts, &j, &e);
    for (int i = 0; i < w->n && rc == RC_OK; i++)
        rc = add_boxes(w, w->words[i], counts, &j, &e);
    if (rc != RC_OK)
        return mail_session_fail(&w->s, "list the mailboxes", &e);
    if (w->cli->json) {
        json_close_array(&j);
        buf_putc(&out, '\n');
    }
    return cli_print(&out);
}

static int list(struct work *w)
{
    return show(w, false);
}

static int status(struct work *w)
{
    return show(w, true);
}

/* --- changing --- */

/* "VERB NAME", or "VERB NAME TO". */
static int change(struct work *w, const char *verb, const char *name, const char *to)
{
    struct err e = {0};
    struct buf *command = imap_client_command(w->s.client);
    buf_printf(command, "%s ", verb);
    mail_session_put_mailbox(&w->s, str_c(name));
    if (to) {
        buf_putc(command, ' ');
        mail_session_put_mailbox(&w->s, str_c(to));
    }
    if (imap_client_run(w->s.client, NULL, NULL, &e) == RC_OK)
        return CLI_FINE;
    return cli_fail("%s: %s: %s", w->s.account, name, err_text(&e));
}

/* The same for each name; what fails does not keep the others from it. */
static int change_each(struct work *w, const char *verb, const char *done)
{
    int result = CLI_FINE;
    for (int i = 0; i < w->n; i++) {
        int one = change(w, verb, w->words[i], NULL);
        if (one == CLI_FINE)
            printf("%s %s\n", w->words[i], done);
        else
            result = one;
    }
    return result;
}

static int create(struct work *w)
{
    return change_each(w, "CREATE", "created");
}

static int delete (struct work *w)
{
    return change_each(w, "DELETE", "deleted with its messages");
}

static int subscribe(struct work *w)
{
    return change_each(w, "SUBSCRIBE", "subscribed");
}

static int unsubscribe(struct work *w)
{
    return change_each(w, "UNSUBSCRIBE", "unsubscribed");
}

static int rename_it(struct work *w)
{
    int result = change(w, "RENAME", w->words[0], w->words[1]);
    if (result == CLI_FINE)
        printf("%s renamed to %s\n", w->words[0], w->words[1]);
    return result;
}

static const struct action {
    const char *name, *arguments;
    int min, max; /* words behind the account */
    int (*run)(struct work *w);
} actions[] = {
    {"list", "[MASK]...", 0, INT_MAX, list},
    {"status", "[MASK]...", 0, INT_MAX, status},
    {"create", "NAME...", 1, INT_MAX, create},
    {"delete", "NAME...", 1, INT_MAX, delete},
    {"rename", "NAME NEW-NAME", 2, 2, rename_it},
    {"subscribe", "NAME...", 1, INT_MAX, subscribe},
    {"unsubscribe", "NAME...", 1, INT_MAX, unsubscribe},
};

static int run(const struct action *a, int argc, char **argv, struct cli *cli)
{
    struct work w = {.cli = cli, .words = argv + 3, .n = argc - 3};
    if (w.n < a->min || w.n > a->max)
        return cli_usage("mailbox %s needs ACCOUNT %s", a->name, a->arguments);
    int result = mail_session_open(cli, argv[2], MAIL_RIGHTS_DROP, &w.s);
    if (result != CLI_FINE)
        return result;
    result = a->run(&w);
    int closed = mail_session_close(&w.s);
    return result != CLI_FINE ? result : closed;
}

int cmd_mailbox(int argc, char **argv, struct cli *cli)
{
    int taken = cli_take_options(argc, argv, NULL, 0, &argc);
    if (taken != CLI_FINE)
        return taken;
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof *actions; i++)
        if (strcmp(argv[1], actions[i].name) == 0)
            return run(&actions[i], argc, argv, cli);
    return cli_usage(
        "mailbox needs list, status, create, delete, rename, subscribe or unsubscribe, and ACCOUNT");
}
