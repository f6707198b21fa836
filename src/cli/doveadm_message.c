/* doveadm search, flags, move, copy, expunge, index and force-resync: messages of one user, through a session
 * of that user (cli/mail_session.h). */
#include "cli/doveadm_message.h"

#include "base/clock.h"
#include "fmt/doveadm_query.h"

#include <unistd.h>

enum { CELLS_BYTES_MAX = 1 << 30, QUERY_BYTES_MAX = 4 << 20 };

/* --- the query --- */

int doveadm_read_words(int argc, char **argv, bool wants_argument, struct doveadm_work *w)
{
    for (int option; (option = getopt(argc, argv, "+du:")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        if (option == 'u')
            w->user = optarg;
    }
    if (argc - optind < 1 + wants_argument)
        return doveadm_usage();
    if (wants_argument)
        w->argument = argv[optind++];
    w->query = argv + optind;
    w->n_query = argc - optind;
    return EX_OK;
}

static enum rc format(const struct doveadm_work *w, const struct mail_box *box, struct arena *a,
                      struct doveadm_program *ret, struct err *e)
{
    const struct doveadm_query q = {.words = w->query,
                                    .n = (size_t)w->n_query,
                                    .mailbox = box->name,
                                    .guid = box->id,
                                    .separator = w->cli->conf->hierarchy_separator[0],
                                    .now = clock_seconds()};
    return doveadm_query_format(&q, a, ret, e);
}

static bool wants(void *ctx, const struct mail_box *box)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUERY_BYTES_MAX);
    struct doveadm_work *w = ctx;
    struct doveadm_program p;
    bool wanted = format(w, box, a, &p, NULL) == RC_OK && !p.never;
    w->looked |= wanted;
    return wanted;
}

static int put_query(void *ctx, struct mail_session *s, const struct mail_box *box, struct buf *out)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUERY_BYTES_MAX);
    const struct doveadm_work *w = ctx;
    struct doveadm_program p;
    struct err e = {0};
    if (format(w, box, a, &p, &e) != RC_OK)
        return doveadm_error(EX_TEMPFAIL, w->user, "%s", err_text(&e));
    buf_puts(out, p.text);
    return EX_OK;
}

/* Whether the query can be understood at all, before anything is looked at. */
static int check_query(const struct doveadm_work *w, bool wants_bound)
{
    AUTO(arena_freep) struct arena *a = arena_new(QUERY_BYTES_MAX);
    struct doveadm_program p;
    struct err e = {0};
    if (format(w, &(struct mail_box){0}, a, &p, &e) != RC_OK)
        return cli_fail_status(EX_TEMPFAIL, "%s", err_text(&e));
    if (wants_bound && !p.bound)
        return cli_fail_status(
            EX_USAGE, "To avoid accidents, search query must contain MAILBOX in all search branches");
    return EX_OK;
}

/* A name that is no mask must be that of a mailbox. */
static int tell_missing(const struct doveadm_work *w)
{
    for (int i = 0; !w->looked && i + 1 < w->n_query; i++)
        if (str_ieq(str_c(w->query[i]), S("MAILBOX")) && !strpbrk(w->query[i + 1], "*%"))
            return doveadm_error(DOVEADM_NOT_FOUND, w->user,
                                 "Can't open mailbox %s: Mailbox doesn't exist: %s", w->query[i + 1],
                                 w->query[i + 1]);
    return EX_OK;
}

/* --- sessions --- */

static int open_session(struct doveadm_work *w, struct mail_session *s)
{
    struct account_identity id;
    int status = doveadm_find(w->cli, &w->user, &id);
    if (status != EX_OK)
        return status;
    return mail_session_start(w->cli, w->user, &id, MAIL_RIGHTS_DROP, s) == CLI_FINE ? EX_OK : EX_TEMPFAIL;
}

/* Statuses of the session's own sentences are those of malle's commands. */
static int status_of(int status)
{
    return status == CLI_FINDING ? EX_TEMPFAIL : status;
}

int doveadm_each_found(struct doveadm_work *w, bool read_only, bool bound, doveadm_found *fn)
{
    const struct message_query q = {
        .mailboxes = "*", .counts = true, .wants = wants, .put = put_query, .ctx = w, .read_only = read_only};
    struct mail_session s;
    int status = cli_conf(w->cli) ? check_query(w, bound) : EX_TEMPFAIL;
    if (status == EX_OK)
        status = open_session(w, &s);
    if (status != EX_OK)
        return status;
    status = status_of(message_query_each(&s, &q, fn, w));
    if (status == EX_OK)
        status = tell_missing(w);
    int closed = status_of(mail_session_close(&s));
    return status != EX_OK ? status : closed;
}

/* --- search --- */

static int add_found(struct mail_session *s, const struct message_set *found, void *work)
{
    struct doveadm_work *w = work;
    str id = arena_str(w->a, found->box->id);
    for (uid32 uid = uidset_next(&found->uids, 1); uid; uid = uidset_next(&found->uids, uid + 1)) {
        str *cells = doveadm_add_row(&w->rows);
        cells[0] = id;
        cells[1] = arena_printf(w->a, "%u", uid);
    }
    return EX_OK;
}

int doveadm_search(int argc, char **argv, struct cli *cli)
{
    static const struct doveadm_column columns[] = {
        {.key = "mailbox-guid", .title = "mailbox-guid", .bare = true},
        {.key = "uid", .title = "uid", .bare = true}};
    AUTO(arena_freep) struct arena *a = arena_new(CELLS_BYTES_MAX);
    struct doveadm_work w = {.cli = cli, .a = a, .rows = {.a = a, .columns = 2}};
    int status = doveadm_read_words(argc, argv, false, &w);
    if (status == EX_OK)
        status = doveadm_each_found(&w, true, false, add_found);
    if (status == EX_OK)
        doveadm_print(DOVEADM_FLOW, columns, 2, w.rows.cells, w.rows.n);
    return status;
}

/* --- flags --- */

static int run_on(struct mail_session *s, const struct doveadm_work *w, const char *what)
{
    struct err e = {0};
    enum rc rc = imap_client_run(s->client, NULL, NULL, &e);
    if (rc == RC_OK)
        return EX_OK;
    bool missing = rc == RC_PERM && str_eq(imap_client_code(s->client), S("TRYCREATE"));
    return doveadm_error(missing ? DOVEADM_NOT_FOUND : EX_TEMPFAIL, w->user, "%s failed: %s", what,
                         err_text(&e));
}

static int store(struct mail_session *s, const struct message_set *found, void *work)
{
    const struct doveadm_work *w = work;
    buf_printf(imap_client_command(s->client), "UID STORE $ %s.SILENT (%s)", w->item, w->argument);
    return run_on(s, w, "Changing flags");
}

static int change_flags(int argc, char **argv, struct cli *cli, const char *item)
{
    struct doveadm_work w = {.cli = cli, .item = item};
    int status = doveadm_read_words(argc, argv, true, &w);
    if (status == EX_OK && !mail_session_are_flags(w.argument))
        status = cli_fail_status(EX_USAGE, "Invalid flags: %s", w.argument);
    return status == EX_OK ? doveadm_each_found(&w, false, false, store) : status;
}

int doveadm_flags_add(int argc, char **argv, struct cli *cli)
{
    return change_flags(argc, argv, cli, "+FLAGS");
}

int doveadm_flags_remove(int argc, char **argv, struct cli *cli)
{
    return change_flags(argc, argv, cli, "-FLAGS");
}

int doveadm_flags_replace(int argc, char **argv, struct cli *cli)
{
    return change_flags(argc, argv, cli, "FLAGS");
}

/* --- move, copy, expunge --- */

static int pass(struct mail_session *s, const struct message_set *found, void *work)
{
    const struct doveadm_work *w = work;
    if (str_eq(found->box->name, str_c(w->argument)) && strcmp(w->item, "MOVE") == 0)
        return EX_OK; /* they are there */
    buf_printf(imap_client_command(s->client), "UID %s $ ", w->item);
    mail_session_put_mailbox(s, str_c(w->argument));
    return run_on(s, w, w->item);
}

int doveadm_move(int argc, char **argv, struct cli *cli)
{
    struct doveadm_work w = {.cli = cli, .item = "MOVE"};
    int status = doveadm_read_words(argc, argv, true, &w);
    return status == EX_OK ? doveadm_each_found(&w, false, false, pass) : status;
}

int doveadm_copy(int argc, char **argv, struct cli *cli)
{
    struct doveadm_work w = {.cli = cli, .item = "COPY"};
    int status = doveadm_read_words(argc, argv, true, &w);
    return status == EX_OK ? doveadm_each_found(&w, true, false, pass) : status;
}

static int expunge(struct mail_session *s, const struct message_set *found, void *work)
{
    const struct doveadm_work *w = work;
    buf_puts(imap_client_command(s->client), S("UID STORE $ +FLAGS.SILENT (\\Deleted)"));
    int status = run_on(s, w, "Expunging");
    if (status != EX_OK)
        return status;
    buf_puts(imap_client_command(s->client), S("UID EXPUNGE $"));
    return run_on(s, w, "Expunging");
}

int doveadm_expunge(int argc, char **argv, struct cli *cli)
{
    struct doveadm_work w = {.cli = cli};
    int status = doveadm_read_words(argc, argv, false, &w);
    return status == EX_OK ? doveadm_each_found(&w, false, true, expunge) : status;
}

/* --- index, force-resync --- */

/* A command in each mailbox that the mask means. */
static int in_each(struct doveadm_work *w, const char *command)
{
    AUTO(mail_boxes_deinit) struct mail_boxes boxes = {0};
    struct mail_session s;
    struct err e = {0};
    int status = open_session(w, &s);
    if (status != EX_OK)
        return status;
    enum rc rc = mail_boxes_find(&s, w->argument, false, &boxes, &e);
    if (rc != RC_OK)
        status = doveadm_error(rc == RC_GONE ? DOVEADM_NOT_FOUND : EX_TEMPFAIL, w->user, "%s", err_text(&e));
    for (size_t i = 0; i < boxes.n && status == EX_OK; i++) {
        if (!boxes.v[i].selectable)
            continue;
        rc = mail_session_select(&s, boxes.v[i].name, true, &e);
        buf_puts(imap_client_command(s.client), str_c(command));
        if (rc != RC_OK || imap_client_run(s.client, NULL, NULL, &e) != RC_OK)
            status =
                doveadm_error(EX_TEMPFAIL, w->user, STR_FMT ": %s", STR_ARG(boxes.v[i].name), err_text(&e));
    }
    int closed = status_of(mail_session_close(&s));
    return status != EX_OK ? status : closed;
}

static int read_mask(int argc, char **argv, const char *options, struct doveadm_work *w)
{
    for (int option; (option = getopt(argc, argv, options)) != -1;) {
        if (option == '?')
            return doveadm_usage();
        if (option == 'u')
            w->user = optarg;
    }
    w->argument = argv[optind];
    return optind + 1 == argc ? EX_OK : doveadm_usage();
}

/* What FETCH asks of all messages is kept in the index. */
int doveadm_index(int argc, char **argv, struct cli *cli)
{
    struct doveadm_work w = {.cli = cli};
    int status = read_mask(argc, argv, "+qn:u:", &w);
    return status == EX_OK ? in_each(&w, "UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)") : status;
}

/* Opening a mailbox brings the index up to its folders. */
int doveadm_force_resync(int argc, char **argv, struct cli *cli)
{
    struct doveadm_work w = {.cli = cli};
    int status = read_mask(argc, argv, "+fu:", &w);
    return status == EX_OK ? in_each(&w, "CHECK") : status;
}
