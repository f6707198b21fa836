/* dovecot-lda, also called deliver: puts the message on standard input into the mailbox of one user, as
 * Dovecot's delivery agent does for Postfix's mailbox_command and pipe. It becomes that user, and the message
 * is durable when it ends with 0. Whatever is in doubt ends with 75, so that the mail is kept and tried
 * again.
 *
 * INBOX is written without the index (store/delivery.h); other mailboxes through the store. */
#include "account/pam.h"
#include "base/log.h"
#include "cli/program_log.h"
#include "cli/user_mail.h"
#include "cli/userdb_ask.h"
#include "cli/who_is.h"
#include "fmt/crlf.h"
#include "fmt/log_delivery.h"
#include "os/crypto.h"
#include "os/file.h"
#include "role/quota_terms.h"
#include "store/delivery.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1 << 30 /* the largest message_size_limit */, CHUNK = 64 << 10 };

struct lda {
    struct cli *cli;
    const char *user;               /* -d; NULL: who calls */
    const char *mailbox;            /* -m */
    const char *path;               /* -p; NULL: standard input */
    const char *sender, *recipient; /* -f, "": none; -a, NULL: the user */
    int create, subscribe;          /* -1: as the settings say */
    struct account_identity id;
};

static int usage(void)
{
    fputs("Usage: dovecot-lda [-c <config file>] [-d <username>] [-p <path>]\n"
          "                   [-m <mailbox>] [-e] [-k] [-f <envelope sender>]\n"
          "                   [-a <original envelope recipient>]\n"
          "                   [-r <final envelope recipient>] \n",
          stderr);
    return EX_USAGE;
}

/* -o NAME=VALUE */
static int take_setting(struct lda *l, str setting)
{
    str value = setting, name = str_take(&value, '=');
    if (str_eq(name, S("lda_mailbox_autocreate")))
        l->create = str_eq(value, S("yes"));
    else if (str_eq(name, S("lda_mailbox_autosubscribe")))
        l->subscribe = str_eq(value, S("yes"));
    else
        return cli_fail_status(EX_TEMPFAIL, "malle takes no -o " STR_FMT " here", STR_ARG(name));
    return EX_OK;
}

/* The addresses of -a, -f and -r are for the log, and for scripts and bounces, of which there are none here:
 * a message that cannot be saved is Postfix's to return, as with -e. */
static int take_options(struct lda *l, int argc, char **argv)
{
    int option, status = EX_OK;
    while (status == EX_OK && (option = getopt(argc, argv, "+a:c:d:ef:km:o:p:r:")) != -1) {
        switch (option) {
        case 'a':
            l->recipient = optarg;
            break;
        case 'f':
            l->sender = optarg;
            break;
        case 'c':
            cli_use_conf(l->cli, optarg);
            break;
        case 'd':
            l->user = optarg;
            break;
        case 'm':
            l->mailbox = optarg[0] ? optarg : "INBOX";
            break;
        case 'o':
            status = take_setting(l, str_c(optarg));
            break;
        case 'p':
            l->path = optarg;
            break;
        case '?':
            return usage();
        default:
            break;
        }
    }
    if (status == EX_OK && optind < argc) {
        (void)cli_fail("Unknown argument: %s", argv[optind]);
        return usage();
    }
    return status;
}

/* --- who --- */

/* Nobody is asked who calls: the kernel knows. */
static enum rc find_caller(const struct conf *c, struct account_identity *ret, struct err *e)
{
    char name[PAM_USER_MAX + 1];
    enum rc rc = passwd_name(geteuid(), name, e);
    if (rc == RC_OK)
        rc = passwd_find(str_c(name), ret, e);
    if (rc == RC_OK)
        rc = identity_locate(ret, str_c(c->system_mail_location), e);
    if (rc == RC_OK && !identity_uid_permitted(ret->uid, c->first_valid_uid, c->last_valid_uid))
        rc = err_set(e, RC_PERM, 0, "", "uid %u may not have mail (first_valid_uid)", ret->uid);
    return rc == RC_GONE ? err_set(e, RC_TEMP, 0, "", "uid %u has no name", geteuid()) : rc;
}

static enum rc find_user(struct lda *l, const struct conf *c, struct err *e)
{
    struct who_is who;
    if (!l->user)
        return find_caller(c, &l->id, e);
    if (geteuid() != 0)
        return userdb_ask(c, l->user, &l->id, e);
    if (cli_who_is(l->cli, l->user, NULL, &who) != CLI_FINE)
        return err_set(e, RC_TEMP, 0, "", "the accounts cannot be looked at");
    *e = who.e;
    l->id = who.id;
    return who.rc;
}

/* --- the message --- */

/* With LF line ends; what lacks at its end still lacks. */
static enum rc read_message(const char *path, struct buf *out, struct err *e)
{
    AUTO(buf_deinit) struct buf chunk = BUF_INIT(CHUNK);
    AUTO(fd_closep) int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    struct crlf_state state = {0};
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && !out->overflow) {
        buf_reset(&chunk);
        char *room = buf_room(&chunk, CHUNK);
        must(room);
        while ((n = read(fd, room, CHUNK)) < 0 && errno == EINTR)
            ;
        if (n > 0)
            crlf_decode(&state, out, str_mem(room, (size_t)n));
    }
    if (n < 0)
        return err_set(e, RC_TEMP, 0, "", "the message cannot be read: %s", strerror(errno));
    crlf_decode_finish(&state, out);
    if (out->overflow)
        return err_set(e, RC_TEMP, 0, "", "the message is larger than %d MB", MESSAGE_MAX >> 20);
    return RC_OK;
}

/* Without the line of an mbox file in front. */
static str content_of(const struct buf *message)
{
    str content = buf_str(message);
    if (str_starts(content, S("From ")))
        (void)str_take(&content, '\n');
    return content.p ? content : S("");
}

/* --- saving --- */

static enum rc save_to_inbox(const struct conf *c, const struct account_identity *id, str content,
                             struct err *e)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_terms q;
    struct delivery *d = NULL;
    struct quota_taken taken = {.fd = -1};
    const struct quota_load load = {.mailbox = S("INBOX"), .use = {content.n, 1}, .way = QUOTA_DELIVERED};
    AUTO(fd_closep) int dir = -1;
    struct delivery_message m = {.name = {.now = clock_wall(), .host = str_c(c->hostname)},
                                 .content_fd = -1,
                                 .content = content,
                                 .content_size = content.n,
                                 .content_lines = crlf_lines(content)};
    crypto_random(&m.name.id, sizeof m.name.id);
    quota_terms_fill(c, id->account, id->quota, &rules, &q);
    enum rc rc = cli_open_maildir(c, id, &dir, e);
    if (rc == RC_OK)
        rc = quota_check(dir, &q, &load, e);
    if (rc == RC_OK)
        rc = delivery_prepare(dir, &m, &d, e);
    if (rc == RC_OK)
        rc = quota_take(dir, &q, &load, &taken, e);
    if (rc == RC_OK)
        rc = delivery_commit(d, e);
    delivery_free(&d);
    quota_taken_end(dir, &q, &taken, rc == RC_OK);
    return rc;
}

static enum rc append_to(struct store *st, const struct lda *l, str content, struct err *e)
{
    struct append *ap = NULL;
    struct append_result done;
    const struct append_message plain = {.internal_date = clock_seconds()};
    str mailbox = str_c(l->mailbox);
    enum rc rc = append_begin(st, mailbox, &ap, e);
    if (rc == RC_GONE && l->create) {
        rc = store_create(st, mailbox, USE_NONE, e);
        if (rc == RC_OK && l->subscribe)
            rc = store_subscribe(st, mailbox, true, e);
        if (rc == RC_OK)
            rc = append_begin(st, mailbox, &ap, e);
    }
    if (rc == RC_OK)
        rc = append_write(ap, content, e);
    if (rc == RC_OK)
        rc = append_finish(ap, &plain, e);
    if (rc == RC_OK)
        return append_commit(&ap, &done, e);
    append_abort(&ap);
    return rc;
}

static enum rc save_to_mailbox(const struct conf *c, const struct lda *l, str content, struct err *e)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    struct quota_terms q;
    struct store *st = NULL;
    quota_terms_fill(c, l->id.account, l->id.quota, &rules, &q);
    enum rc rc = cli_open_store(c, &l->id, &q, &st, e);
    if (rc == RC_OK)
        rc = append_to(st, l, content, e);
    st = store_close(st);
    return rc;
}

/* As Dovecot puts it into its log. */
static void tell(const struct lda *l, str content, const char *mailbox, const struct err *e)
{
    const struct conf *c = l->cli->conf;
    AUTO(buf_deinit) struct buf message = BUF_INIT(LOG_DELIVERY_MAX), text = BUF_INIT(LOG_DELIVERY_MAX);
    AUTO(buf_deinit) struct buf line = BUF_INIT(LOG_DELIVERY_MAX);
    struct headscan head;
    struct err fault = {0};
    headscan_init(&head);
    headscan_feed(&head, content);
    buf_printf(&message, "%s %s%s%s", e ? "save failed to" : "saved mail to", mailbox, e ? ": " : "",
               e ? err_text(e) : "");
    const struct log_delivery d = {.head = &head,
                                   .message = buf_str(&message),
                                   .sender = str_c(l->sender),
                                   .recipient = str_c(l->recipient ? l->recipient : l->id.account),
                                   .bytes = content.n,
                                   .crlf_bytes = content.n + crlf_lines(content)};
    if (log_delivery_put(&d, str_c(c->deliver_log_format), &text, &fault) != RC_OK) {
        log_error("deliver_log_format: %s", err_text(&fault));
        buf_puts(&text, buf_str(&message));
    }
    if (!e && log_delivery_put_saved(&d, str_c(mailbox), str_c(c->mail_log_events), str_c(c->mail_log_fields),
                                     &line))
        log_info("lda(%s): %s", l->id.account, buf_cstr(&line));
    log_line(e ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "lda(%s): %s", l->id.account, buf_cstr(&text));
}

/* What cannot be saved where it should be goes to INBOX, as in Dovecot. */
static int save(const struct lda *l, const struct conf *c, str content)
{
    struct err e = {0};
    if (!str_ieq(str_c(l->mailbox), S("INBOX"))) {
        if (save_to_mailbox(c, l, content, &e) == RC_OK) {
            tell(l, content, l->mailbox, NULL);
            return EX_OK;
        }
        tell(l, content, l->mailbox, &e);
    }
    enum rc rc = save_to_inbox(c, &l->id, content, &e);
    tell(l, content, "INBOX", rc == RC_OK ? NULL : &e);
    if (rc == RC_OK)
        return EX_OK;
    if (rc == RC_PERM && e.code == 552) /* a full mailbox: Postfix returns the mail, with this text */
        return cli_fail_status(EX_NOPERM, "%s", e.peer);
    return cli_fail_status(EX_TEMPFAIL, "%s", err_text(&e));
}

int compat_lda(int argc, char **argv, struct cli *cli)
{
    AUTO(buf_deinit) struct buf message = BUF_INIT(MESSAGE_MAX);
    struct lda l = {.cli = cli, .mailbox = "INBOX", .create = -1, .subscribe = -1, .sender = ""};
    struct err e = {0};
    int status = take_options(&l, argc, argv);
    if (status != EX_OK)
        return status;
    if (!l.user && geteuid() == 0)
        return cli_fail_status(EX_USAGE, "destination user parameter (-d user) not given");
    const struct conf *c = cli_conf(cli);
    if (!c)
        return EX_TEMPFAIL;
    l.create = l.create < 0 ? c->lda_mailbox_autocreate : l.create;
    l.subscribe = l.subscribe < 0 ? c->lda_mailbox_autosubscribe : l.subscribe;
    signal(SIGXFSZ, SIG_IGN);
    program_log_open(c, "dovecot");
    enum rc rc = find_user(&l, c, &e);
    if (rc == RC_GONE)
        return EX_NOUSER;
    if (rc == RC_OK)
        rc = read_message(l.path, &message, &e);
    if (rc != RC_OK)
        return cli_fail_status(EX_TEMPFAIL, "%s", err_text(&e));
    return save(&l, c, content_of(&message));
}
