/* malle message: searching messages of an account, and what is done to those that are found. */
#include "cli/accounts.h"
#include "cli/message_print.h"

struct work {
    struct message_printer print;
    const char *argument; /* the destination, or the flags */
    const char *item;     /* of STORE */
    char **keys;          /* words as they were typed; one alone is a whole program of SEARCH */
    int n_keys;           /* 0: all messages */
    uint64_t messages;
};

/* --- the keys --- */

/* Whether a word means the same in SEARCH as it stands: an atom, a set, parentheses, or quoted already. */
static bool is_plain(str word)
{
    bool quoted = word.n > 1 && word.p[0] == '"' && word.p[word.n - 1] == '"';
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (quoted ? c == '\r' || c == '\n' : !imap_is_atom_char(c) && !memchr("()*]", c, 4))
            return false;
    }
    return word.n > 0;
}

static bool is_one_line(str s)
{
    return str_chr(s, '\r') < 0 && str_chr(s, '\n') < 0;
}

static int put_keys(void *ctx, struct mail_session *s, const struct mail_box *box, struct buf *out)
{
    const struct work *w = ctx;
    bool opened = true; /* nothing stands between "(" and what follows it */
    if (w->n_keys == 0)
        buf_puts(out, S("ALL"));
    if (w->n_keys == 1 && is_one_line(str_c(w->keys[0]))) {
        buf_puts(out, str_c(w->keys[0]));
        return CLI_FINE;
    }
    for (int i = 0; i < w->n_keys; i++) {
        str word = str_c(w->keys[i]);
        if (!opened && !str_eq(word, S(")")))
            buf_putc(out, ' ');
        if (is_plain(word))
            buf_puts(out, word);
        else
            imap_client_put_string(s->client, word);
        opened = str_eq(word, S("("));
    }
    return CLI_FINE;
}

/* --- what is found --- */

static int show(struct mail_session *s, const struct message_set *found, void *ctx)
{
    struct work *w = ctx;
    return message_print_uids(&w->print, found);
}

static int fetch(struct mail_session *s, const struct message_set *found, void *ctx)
{
    struct work *w = ctx;
    return message_print_all(&w->print, s, found);
}

/* --- what is changed --- */

static int run_on(struct mail_session *s, const struct message_set *found, struct work *w, const char *what)
{
    struct err e = {0};
    if (imap_client_run(s->client, NULL, NULL, &e) != RC_OK)
        return mail_session_fail(s, what, &e);
    w->messages += uidset_count(&found->uids);
    return CLI_FINE;
}

static int pass(struct mail_session *s, const struct message_set *found, struct work *w, const char *verb,
                const char *what)
{
    buf_printf(imap_client_command(s->client), "UID %s $ ", verb);
    mail_session_put_mailbox(s, str_c(w->argument));
    return run_on(s, found, w, what);
}

static int move(struct mail_session *s, const struct message_set *found, void *ctx)
{
    return pass(s, found, ctx, "MOVE", "move the messages");
}

static int copy(struct mail_session *s, const struct message_set *found, void *ctx)
{
    return pass(s, found, ctx, "COPY", "copy the messages");
}

static int delete (struct mail_session *s, const struct message_set *found, void *ctx)
{
    struct err e = {0};
    buf_puts(imap_client_command(s->client), S("UID STORE $ +FLAGS.SILENT (\\Deleted)"));
    if (imap_client_run(s->client, NULL, NULL, &e) != RC_OK)
        return mail_session_fail(s, "delete the messages", &e);
    buf_puts(imap_client_command(s->client), S("UID EXPUNGE $"));
    return run_on(s, found, ctx, "delete the messages");
}

static int store(struct mail_session *s, const struct message_set *found, void *ctx)
{
    struct work *w = ctx;
    buf_printf(imap_client_command(s->client), "UID STORE $ %s.SILENT (%s)", w->item, w->argument);
    return run_on(s, found, w, "change the flags");
}

/* --- the actions --- */

static const struct action {
    const char *name, *arguments;
    const char *done;         /* "12 messages DONE"; NULL: it prints what it finds */
    bool operation, argument; /* words in front of the keys */
    int min_keys;
    int (*run)(struct mail_session *s, const struct message_set *found, void *ctx);
} actions[] = {
    {"search", "[KEY]...", NULL, false, false, 0, show},
    {"fetch", "[KEY]...", NULL, false, false, 0, fetch},
    {"move", "MAILBOX KEY...", "moved", false, true, 1, move},
    {"copy", "MAILBOX KEY...", "copied", false, true, 1, copy},
    {"delete", "KEY...", "deleted", false, false, 1, delete},
    {"flags", "add|remove|replace \"FLAG...\" KEY...", "changed", true, true, 1, store},
};

static const char *item_of(const char *operation)
{
    static const char *const items[][2] = {{"add", "+FLAGS"}, {"remove", "-FLAGS"}, {"replace", "FLAGS"}};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (strcmp(operation, items[i][0]) == 0)
            return items[i][1];
    return NULL;
}

static int print_result(const struct action *a, const struct work *w, bool as_json)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(1000);
    struct json j = {.out = &out};
    if (as_json) {
        json_open_object(&j, NULL);
        json_put_int(&j, "messages", (int64_t)w->messages);
        json_close_object(&j);
        buf_putc(&out, '\n');
    } else {
        buf_printf(&out, "%llu messages %s\n", (unsigned long long)w->messages, a->done);
    }
    return cli_print(&out);
}

static int run(const struct action *a, struct cli *cli, const char *account, const struct message_query *q,
               struct work *w)
{
    struct mail_session s;
    int status = mail_session_open(cli, account, MAIL_RIGHTS_DROP, &s), printed = CLI_FINE;
    if (status != CLI_FINE)
        return status;
    if (!a->done)
        message_print_begin(&w->print, cli->json);
    status = message_query_each(&s, q, a->run, w);
    int closed = mail_session_close(&s);
    if (!a->done)
        printed = message_print_end(&w->print);
    else if (status == CLI_FINE)
        printed = print_result(a, w, cli->json);
    return status != CLI_FINE ? status : closed != CLI_FINE ? closed : printed;
}

/* argv: the action, the account, and what that action takes. */
static int read_words(const struct action *a, int argc, char **argv, const char *mailboxes, struct cli *cli)
{
    struct work w = {0};
    int at = 2;
    bool fits = argc >= 2 + a->operation + a->argument + a->min_keys;
    if (fits && a->operation)
        fits = (w.item = item_of(argv[at++])) != NULL;
    if (fits && a->argument)
        w.argument = argv[at++];
    if (!fits)
        return cli_usage("message %s needs ACCOUNT %s", a->name, a->arguments);
    if (w.item && !mail_session_are_flags(w.argument))
        return cli_usage("\"%s\" are no flags such as \"\\Seen $Forwarded\"", w.argument);
    w.keys = argv + at;
    w.n_keys = argc - at;
    const struct message_query q = {.mailboxes = mailboxes,
                                    .put = put_keys,
                                    .ctx = &w,
                                    .read_only = !a->done || a->run == copy,
                                    .except = a->run == move ? w.argument : NULL};
    return run(a, cli, argv[1], &q, &w);
}

int cmd_message(int argc, char **argv, struct cli *cli)
{
    const char *mailboxes = "INBOX";
    const struct cli_option options[] = {{"--mailbox", &mailboxes, NULL}};
    int status = cli_take_options(argc, argv, options, sizeof options / sizeof *options, &argc);
    if (status != CLI_FINE)
        return status;
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof *actions; i++)
        if (strcmp(argv[1], actions[i].name) == 0)
            return read_words(&actions[i], argc - 1, argv + 1, mailboxes, cli);
    return cli_usage("message needs search, fetch, move, copy, delete or flags, and ACCOUNT");
}
