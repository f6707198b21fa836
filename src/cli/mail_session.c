#include "cli/mail_session.h"

#include "cli/user_mail.h"
#include "cli/who_is.h"
#include "fmt/charset.h"
#include "role/log_sink.h"
#include "role/mail_root.h"
#include "role/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1 << 30, BOXES_BYTES_MAX = 64 << 20 };

/* --- opening --- */

/* The child has nothing of its caller but standard error. */
static _Noreturn void serve(const struct session_setup *setup)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(1);
    log_init(NULL, setup->conf->hostname, STDERR_FILENO, LOG_TEXT, LOG_LEVEL_WARN);
    (void)charset_preload(); /* the converters' files are out of reach afterwards */
    session_process(setup);
}

static int fork_session(struct session_setup *setup, pid_t *ret_pid, int *ret_fd)
{
    int pair[2];
    fflush(NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return cli_fail("no session can be started: %s", strerror(errno));
    setup->stream_fd = pair[1];
    pid_t pid = fork();
    if (pid == 0)
        serve(setup);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return cli_fail("no session can be started: %s", strerror(errno));
    }
    *ret_pid = pid;
    *ret_fd = pair[0];
    return CLI_FINE;
}

static int find_root(const struct conf *c, const char *account, struct session_setup *setup)
{
    AUTO(buf_deinit) struct buf root = BUF_INIT(IDENTITY_PATH_MAX);
    struct err e = {0};
    if (mail_root_make(c, &setup->id, &root, &e) != RC_OK)
        return cli_fail("%s: %s", account, err_text(&e));
    must(str_copy(setup->mail_root, sizeof setup->mail_root, buf_str(&root)) == RC_OK);
    return CLI_FINE;
}

int mail_session_start(struct cli *cli, const char *account, const struct account_identity *id,
                       enum mail_rights rights, struct mail_session *ret)
{
    struct session_setup setup = {.conf = cli_conf(cli),
                                  .id = *id,
                                  .imap = true,
                                  .notify_fd = -1,
                                  .total_fd = -1,
                                  .tag = ".",
                                  .client = "command",
                                  .session_id = "command"};
    struct mail_session s = {.account = account};
    struct err e = {0};
    int fd = -1, status = find_root(setup.conf, account, &setup);
    if (status == CLI_FINE)
        status = fork_session(&setup, &s.pid, &fd);
    if (status != CLI_FINE)
        return status;
    s.client = imap_client_new(stream_new(fd, IMAP_CLIENT_IN_MAX), MESSAGE_MAX, 0);
    if (rights == MAIL_RIGHTS_DROP && cli_become(id, &e) != RC_OK)
        status = cli_fail("%s: %s", account, err_text(&e));
    else if (imap_client_greet(s.client, &e) != RC_OK || imap_client_enable_utf8(s.client, &e) != RC_OK)
        status = mail_session_fail(&s, "open the mailboxes", &e);
    if (status == CLI_FINE) {
        *ret = s;
        return CLI_FINE;
    }
    s.client = imap_client_free(s.client);
    (void)waitpid(s.pid, NULL, 0);
    return status;
}

int mail_session_open(struct cli *cli, const char *account, enum mail_rights rights, struct mail_session *ret)
{
    struct account_identity id;
    int status = cli_find_account(cli, account, &id);
    return status == CLI_FINE ? mail_session_start(cli, account, &id, rights, ret) : status;
}

int mail_session_close(struct mail_session *s)
{
    int how = 0;
    struct err e = {0};
    buf_puts(imap_client_command(s->client), S("LOGOUT"));
    enum rc rc = imap_client_run(s->client, NULL, NULL, &e);
    s->client = imap_client_free(s->client);
    bool ended = waitpid(s->pid, &how, 0) == s->pid && WIFEXITED(how) && WEXITSTATUS(how) == 0;
    return rc == RC_OK && ended ? CLI_FINE : cli_fail("the session of %s broke off", s->account);
}

int mail_session_fail(const struct mail_session *s, const char *what, const struct err *e)
{
    return cli_fail("%s: cannot %s: %s", s->account, what, err_text(e));
}

/* --- mailboxes --- */

void mail_session_put_mailbox(struct mail_session *s, str name)
{
    imap_client_put_mailbox(s->client, name);
}

void mail_boxes_init(struct mail_boxes *b)
{
    *b = (struct mail_boxes){.arena = arena_new(BOXES_BYTES_MAX)};
}

void mail_boxes_deinit(struct mail_boxes *b)
{
    b->arena = arena_free(b->arena);
    b->v = NULL;
    b->n = 0;
}

static enum rc add_box(struct mail_boxes *b, struct imap_lex *lex)
{
    struct imap_listed l;
    enum rc rc = imap_response_list(lex, &l);
    if (rc)
        return rc;
    if ((b->n == 0 || b->n >= 8) && (b->n & (b->n - 1)) == 0) /* arena_grow doubles from 8 */
        b->v = arena_grow(b->arena, b->v, b->n, sizeof *b->v);
    if (!b->v)
        return RC_LIMIT;
    b->v[b->n++] = (struct mail_box){.name = arena_str(b->arena, l.name),
                                     .selectable = l.selectable,
                                     .subscribed = l.subscribed,
                                     .separator = l.separator,
                                     .use = arena_str(b->arena, l.use)};
    return arena_exhausted(b->arena) ? RC_LIMIT : RC_OK;
}

/* STATUS follows the LIST of its mailbox. */
static enum rc add_counts(struct mail_boxes *b, struct imap_lex *lex)
{
    struct imap_counts c;
    enum rc rc = imap_response_status(lex, &c);
    if (rc || b->n == 0 || !str_eq(b->v[b->n - 1].name, c.mailbox))
        return rc;
    b->v[b->n - 1].counted = true;
    b->v[b->n - 1].id = arena_str(b->arena, c.id);
    memcpy(b->v[b->n - 1].counts, c.v, sizeof c.v);
    return arena_exhausted(b->arena) ? RC_LIMIT : RC_OK;
}

enum rc mail_boxes_take(void *ctx, const struct imap_response *r, struct imap_lex *lex)
{
    if (str_ieq(r->word, S("LIST")))
        return add_box(ctx, lex);
    return str_ieq(r->word, S("STATUS")) ? add_counts(ctx, lex) : RC_OK;
}

enum rc mail_boxes_find(struct mail_session *s, const char *mask, bool counts, struct mail_boxes *ret,
                        struct err *e)
{
    struct mail_boxes b;
    mail_boxes_init(&b);
    struct buf *out = imap_client_command(s->client);
    buf_puts(out, S("LIST \"\" ("));
    mail_session_put_mailbox(s, str_c(mask));
    buf_puts(out, S(") RETURN (SUBSCRIBED SPECIAL-USE"));
    if (counts) {
        buf_puts(out, S(" STATUS "));
        for (unsigned i = 0; i < IMAP_COUNTED; i++)
            buf_printf(out, "%s" STR_FMT, i ? " " : "(", STR_ARG(imap_counted_name((enum imap_counted)i)));
        buf_puts(out, S(" MAILBOXID)"));
    }
    buf_putc(out, ')');
    enum rc rc = imap_client_run(s->client, mail_boxes_take, &b, e);
    if (rc == RC_OK && b.n == 0 && !strpbrk(mask, "*%"))
        rc = err_set(e, RC_GONE, 0, "", "there is no mailbox %s", mask);
    if (rc == RC_OK)
        *ret = b;
    else
        mail_boxes_deinit(&b);
    return rc;
}

enum rc mail_session_select(struct mail_session *s, str mailbox, bool read_only, struct err *e)
{
    buf_puts(imap_client_command(s->client), read_only ? S("EXAMINE ") : S("SELECT "));
    mail_session_put_mailbox(s, mailbox);
    return imap_client_run(s->client, NULL, NULL, e);
}

bool mail_session_are_flags(const char *words)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 16);
    struct imap_lex lex;
    const str *flags;
    size_t n;
    imap_lex_init(&lex, arena_printf(a, "(%s)", words), a);
    return imap_flag_list(&lex, &flags, &n) == RC_OK && imap_at_end(&lex);
}
