/* doveadm backup and sync: the mail of one user, and a Maildir or another IMAP server, made alike. */
#include "account/account.h"
#include "cli/doveadm.h"
#include "cli/dsync.h"
#include "cli/imap_remote.h"
#include "cli/mail_session.h"
#include "conf/conf.h"

#include <unistd.h>

enum { NOT_ALL = 2, RESPONSE_MAX = 1 << 30 };

struct sync {
    struct cli *cli;
    const char *user, *place;
    struct account_identity id;
    struct mail_session own, other; /* other.client: of either kind */
    bool reversed;
    struct dsync d;
};

/* --- the other side --- */

/* A path with a slip in it must not pass for an account without mail. */
static bool is_maildir(const char *path)
{
    AUTO(buf_deinit) struct buf cur = BUF_INIT(IDENTITY_PATH_MAX + 8);
    buf_printf(&cur, "%s/cur", path);
    return access(buf_cstr(&cur), F_OK) == 0;
}

static int open_maildir(struct sync *s)
{
    AUTO(buf_deinit) struct buf rules = BUF_INIT(QUOTA_RULES_BYTES);
    const struct account free_of_quota = {.quota = {ACCOUNT_UNLIMITED, ACCOUNT_UNLIMITED}};
    struct account_identity id = s->id;
    struct err e = {0};
    if (identity_locate(&id, str_c(s->place), &e) != RC_OK)
        return doveadm_error(EX_USAGE, s->user, "%s", err_text(&e));
    if (strcmp(id.mail_dir, s->id.mail_dir) == 0)
        return doveadm_error(EX_USAGE, s->user, "%s is the user's own mail", id.mail_dir);
    if (s->reversed && !is_maildir(id.mail_dir))
        return doveadm_error(DOVEADM_NOT_FOUND, s->user, "%s is no Maildir", id.mail_dir);
    account_put_quota(cli_conf(s->cli), &free_of_quota, &rules);
    must(str_copy(id.quota, sizeof id.quota, buf_str(&rules)) == RC_OK);
    memcpy(id.mail_root, id.mail_dir, sizeof id.mail_root);
    return mail_session_start(s->cli, s->place, &id, MAIL_RIGHTS_DROP, &s->other) == CLI_FINE ? EX_OK
                                                                                              : EX_TEMPFAIL;
}

static int open_imap(struct sync *s)
{
    AUTO(buf_deinit) struct buf server = BUF_INIT(400);
    const char *host = doveadm_setting("imapc_host"), *port = doveadm_setting("imapc_port");
    const char *tls = doveadm_setting("imapc_ssl"), *user = doveadm_setting("imapc_user");
    const char *password = doveadm_setting("imapc_password");
    if (!host || !password)
        return doveadm_error(EX_USAGE, s->user, "imapc: needs -o imapc_host=HOST and -o imapc_password=TEXT");
    if (!tls || (strcmp(tls, "imaps") != 0 && strcmp(tls, "starttls") != 0))
        return doveadm_error(EX_USAGE, s->user,
                             "malle says a password over TLS alone: -o imapc_ssl=imaps or starttls");
    buf_printf(&server, strchr(host, ':') ? "[%s]" : "%s", host);
    if (port)
        buf_printf(&server, ":%s", port);
    const struct imap_remote remote = {.server = buf_cstr(&server),
                                       .starttls = strcmp(tls, "starttls") == 0,
                                       .ca_file = doveadm_setting("ssl_client_ca_file"),
                                       .user = user ? user : s->user,
                                       .password = str_c(password)};
    s->other = (struct mail_session){.account = s->place, .client = imap_remote_open(&remote, RESPONSE_MAX)};
    return s->other.client ? EX_OK : EX_TEMPFAIL;
}

static int open_other(struct sync *s)
{
    return strcmp(s->place, "imapc:") == 0 ? open_imap(s) : open_maildir(s);
}

/* --- both --- */

static int close_other(struct sync *s)
{
    struct err e = {0};
    if (s->other.pid)
        return mail_session_close(&s->other);
    buf_puts(imap_client_command(s->other.client), S("LOGOUT"));
    enum rc rc = imap_client_run(s->other.client, NULL, NULL, &e);
    s->other.client = imap_client_free(s->other.client);
    return rc == RC_OK ? CLI_FINE : mail_session_fail(&s->other, "log out", &e);
}

static int run_open(struct sync *s)
{
    struct dsync_side own = {.c = s->own.client, .label = s->user},
                      other = {.c = s->other.client, .label = s->place};
    s->d.from = s->reversed ? other : own;
    s->d.to = s->reversed ? own : other;
    int status = dsync_run(&s->d), closed = close_other(s);
    return status != CLI_FINE || closed != CLI_FINE ? EX_TEMPFAIL : s->d.refused ? NOT_ALL : EX_OK;
}

static int run(struct sync *s)
{
    int status = cli_conf(s->cli) ? doveadm_find(s->cli, &s->user, &s->id) : EX_TEMPFAIL;
    if (status != EX_OK)
        return status;
    s->d.separator = s->cli->conf->hierarchy_separator[0];
    /* this process gives its rights away when it has all that it needs them for */
    bool remote = strcmp(s->place, "imapc:") == 0;
    if (mail_session_start(s->cli, s->user, &s->id, remote ? MAIL_RIGHTS_DROP : MAIL_RIGHTS_KEEP, &s->own) !=
        CLI_FINE)
        return EX_TEMPFAIL;
    status = open_other(s);
    if (status == EX_OK)
        status = run_open(s);
    int closed = mail_session_close(&s->own);
    return status == EX_OK && closed != CLI_FINE ? EX_TEMPFAIL : status;
}

/* Options that change how Dovecot goes about it, and not what comes of it, do nothing. */
static int work_on(int argc, char **argv, struct cli *cli, enum dsync_way way)
{
    struct sync s = {.cli = cli, .d = {.way = way}};
    for (int option; (option = getopt(argc, argv, "+1DEfl:m:NPRT:u:v")) != -1;) {
        if (option == '?')
            return doveadm_usage();
        if (option == '1' && way == DSYNC_MERGE)
            s.d.way = DSYNC_ADD;
        if (option == 'm')
            s.d.mailbox = optarg;
        if (option == 'u')
            s.user = optarg;
        s.reversed |= option == 'R';
    }
    if (argc - optind != 1)
        return doveadm_usage();
    s.place = argv[optind];
    if (strcmp(s.place, "imapc:") != 0 && strncmp(s.place, "maildir:", 8) != 0)
        return cli_fail_status(EX_USAGE, "%s is no maildir:PATH and not imapc:", s.place);
    return run(&s);
}

int doveadm_backup(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, DSYNC_BACKUP);
}

int doveadm_sync(int argc, char **argv, struct cli *cli)
{
    return work_on(argc, argv, cli, DSYNC_MERGE);
}
