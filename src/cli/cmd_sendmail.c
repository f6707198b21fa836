/* malle sendmail, and the same program called as sendmail, mailq or newaliases: what other programs of this
 * machine have always called to send mail. It has no rights of its own: it hands the message over a socket
 * where everybody may connect, and the server sees who does. */
#include "cli/sendmail.h"
#include "conf/report.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Where the settings are not for everyone to read, the socket is where it is by default. */
static const struct conf *conf_or_defaults(struct cli *cli)
{
    struct conf_report report = {0};
    if (!cli->conf && access(cli->conf_path, R_OK) != 0 && errno == EACCES)
        cli->conf = conf_parse(S("hostname = localhost.localdomain\n"), "defaults", &report);
    conf_report_deinit(&report);
    return cli_conf(cli);
}

const char *sendmail_socket_path(const struct conf *c)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (c->listeners[i].protocol == CONF_LOCAL &&
            !str_eq(str_c(c->listeners[i].name), S(CONF_INSPECTION)))
            return c->listeners[i].socket;
    return NULL;
}

static int run(struct cli *cli, const struct sendmail_options *o)
{
    const struct conf *c = conf_or_defaults(cli);
    if (!c)
        return EX_CONFIG;
    const char *path = sendmail_socket_path(c);
    if (!path) {
        cli_fail("mail of local users is switched off (sendmail_socket); nothing was sent");
        return EX_UNAVAILABLE;
    }
    AUTO(buf_deinit) struct buf maildrop = BUF_INIT(4096);
    sendmail_drop_path(c, &maildrop);
    const struct sendmail_way way = {.socket = path, .maildrop = buf_cstr(&maildrop)};
    return o->mode == SENDMAIL_SMTP ? sendmail_smtp(path) : sendmail_deliver(o, &way);
}

/* The next word of a list with commas and white space between them. */
static str next_spec(str *rest)
{
    size_t from = 0, n = 0;
    while (from < rest->n && strchr(", \t\n", rest->p[from]))
        from++;
    while (from + n < rest->n && !strchr(", \t\n", rest->p[from + n]))
        n++;
    str spec = str_sub(*rest, from, n);
    *rest = str_from(*rest, from + n);
    return spec;
}

/* Makes the hash: and lmdb: tables of a setting from their texts. */
static int make_tables(const char *setting, int (*make)(int argc, char **argv, struct cli *cli),
                       struct cli *cli)
{
    enum { TABLES_MAX = 20 };
    char *tables[TABLES_MAX + 2] = {"postmap"};
    int n = 1, status = EX_OK;
    str rest = str_c(setting);
    for (str spec; n <= TABLES_MAX && (spec = next_spec(&rest)).n;) {
        str path = spec, type = str_take(&path, ':');
        AUTO(str_freep) char *source = str_dup(path);
        if ((str_eq(type, S("hash")) || str_eq(type, S("lmdb"))) && access(source, F_OK) == 0)
            tables[n++] = str_dup(spec);
    }
    optind = 0; /* another command line is read now */
    if (n > 1)
        status = make(n, tables, cli) == CLI_FINE ? EX_OK : EX_UNAVAILABLE;
    while (n > 1)
        free(tables[--n]);
    return status;
}

static int make_aliases(struct cli *cli)
{
    const struct conf *c = cli_conf(cli);
    if (!c)
        return EX_CONFIG;
    int virtual = make_tables(c->virtual_alias_maps, cmd_postmap, cli);
    int local = make_tables(c->alias_maps, cmd_postalias, cli);
    return virtual != EX_OK ? virtual : local;
}

int cmd_sendmail(int argc, char **argv, struct cli *cli)
{
    struct sendmail_options o;
    int status = sendmail_parse(argc, argv, cli, &o);
    signal(SIGPIPE, SIG_IGN);
    if (status != EX_OK)
        return status;
    switch (o.mode) {
    case SENDMAIL_DELIVER:
    case SENDMAIL_SMTP:
        return run(cli, &o);
    case SENDMAIL_LIST:
        return sendmail_list(cli);
    case SENDMAIL_RETRY:
        return sendmail_retry(cli);
    case SENDMAIL_ALIASES:
        return make_aliases(cli);
    }
    return EX_SOFTWARE;
}

/* Both take the options of sendmail, as Postfix's do: `mailq -v`, `newaliases -C FILE`. */
static int run_as(int argc, char **argv, struct cli *cli, enum sendmail_mode mode)
{
    struct sendmail_options o;
    int status = sendmail_parse(argc, argv, cli, &o);
    if (status != EX_OK)
        return status;
    return mode == SENDMAIL_LIST && o.mode != SENDMAIL_RETRY ? sendmail_list(cli)
           : mode == SENDMAIL_LIST                           ? sendmail_retry(cli)
                                                             : make_aliases(cli);
}

int cmd_mailq(int argc, char **argv, struct cli *cli)
{
    return run_as(argc, argv, cli, SENDMAIL_LIST);
}

int cmd_newaliases(int argc, char **argv, struct cli *cli)
{
    return run_as(argc, argv, cli, SENDMAIL_ALIASES);
}
