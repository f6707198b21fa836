/* The services that Dovecot 2.3.19 has by itself, in the words of its own files, and what a block has that
 * says nothing. */
#include "conf/dovecot_builtin.h"

#include "conf/params.h"

static const char services[] =
    "service aggregator {\n"
    " chroot = .\n executable = aggregator\n user = $default_internal_user\n"
    " fifo_listener replication-notify-fifo {\n }\n"
    " unix_listener replication-notify {\n }\n"
    "}\n"
    "service anvil {\n"
    " chroot = empty\n executable = anvil\n idle_kill = 4294967295 secs\n process_limit = 1\n"
    " process_min_avail = 1\n type = anvil\n user = $default_internal_user\n"
    " unix_listener anvil {\n }\n"
    " unix_listener anvil-auth-penalty {\n }\n"
    "}\n"
    "service auth {\n"
    " executable = auth\n process_limit = 1\n user = $default_internal_user\n"
    " unix_listener auth-client {\n  user = $default_internal_user\n }\n"
    " unix_listener auth-login {\n  user = $default_internal_user\n }\n"
    " unix_listener auth-master {\n }\n"
    " unix_listener auth-userdb {\n  mode = 0666\n  user = $default_internal_user\n }\n"
    " unix_listener login/login {\n  mode = 0666\n }\n"
    " unix_listener token-login/tokenlogin {\n  mode = 0666\n }\n"
    "}\n"
    "service auth-worker {\n"
    " client_limit = 1\n executable = auth -w\n type = worker\n"
    " unix_listener auth-worker {\n  user = $default_internal_user\n }\n"
    "}\n"
    "service config {\n"
    " executable = config\n idle_kill = 4294967295 secs\n type = config\n"
    " unix_listener config {\n }\n"
    "}\n"
    "service dict {\n"
    " client_limit = 1\n executable = dict\n user = $default_internal_user\n"
    " unix_listener dict {\n  group = $default_internal_group\n  mode = 0660\n }\n"
    "}\n"
    "service dict-async {\n"
    " executable = dict\n user = $default_internal_user\n"
    " unix_listener dict-async {\n  group = $default_internal_group\n  mode = 0660\n }\n"
    "}\n"
    "service director {\n"
    " chroot = .\n executable = director\n idle_kill = 4294967295 secs\n process_limit = 1\n"
    " user = $default_internal_user\n"
    " fifo_listener login/proxy-notify {\n  mode = 00\n }\n"
    " unix_listener director-admin {\n }\n"
    " unix_listener login/director {\n  mode = 00\n }\n"
    "}\n"
    "service dns-client {\n"
    " client_limit = 1\n executable = dns-client\n user = $default_internal_user\n"
    " unix_listener dns-client {\n  mode = 0666\n }\n"
    " unix_listener login/dns-client {\n  mode = 0666\n }\n"
    "}\n"
    "service doveadm {\n"
    " client_limit = 1\n executable = doveadm-server\n extra_groups = $default_internal_group\n"
    " service_count = 1\n"
    " unix_listener doveadm-server {\n }\n"
    "}\n"
    "service health-check {\n"
    " client_limit = 1\n drop_priv_before_exec = yes\n executable = script -p health-check.sh\n"
    " user = $default_internal_user\n"
    "}\n"
    "service imap {\n"
    " client_limit = 1\n executable = imap\n extra_groups = $default_internal_group\n"
    " process_limit = 1024\n protocol = imap\n service_count = 1\n"
    " unix_listener imap-master {\n }\n"
    " unix_listener login/imap {\n  mode = 0666\n }\n"
    "}\n"
    "service imap-hibernate {\n"
    " executable = imap-hibernate\n protocol = imap\n user = $default_internal_user\n"
    " unix_listener imap-hibernate {\n  group = $default_internal_group\n  mode = 0660\n }\n"
    "}\n"
    "service imap-login {\n"
    " chroot = login\n executable = imap-login\n protocol = imap\n service_count = 1\n"
    " type = login\n user = $default_login_user\n"
    " inet_listener imap {\n  port = 143\n }\n"
    " inet_listener imaps {\n  port = 993\n  ssl = yes\n }\n"
    "}\n"
    "service imap-urlauth {\n"
    " client_limit = 1\n executable = imap-urlauth\n process_limit = 1024\n protocol = imap\n"
    " service_count = 1\n user = $default_internal_user\n"
    " unix_listener token-login/imap-urlauth {\n  mode = 0666\n }\n"
    "}\n"
    "service imap-urlauth-login {\n"
    " chroot = token-login\n executable = imap-urlauth-login\n protocol = imap\n"
    " service_count = 1\n type = login\n user = $default_login_user\n"
    " unix_listener imap-urlauth {\n  mode = 0666\n }\n"
    "}\n"
    "service imap-urlauth-worker {\n"
    " client_limit = 1\n executable = imap-urlauth-worker\n"
    " extra_groups = $default_internal_group\n process_limit = 1024\n protocol = imap\n"
    " service_count = 1\n"
    " unix_listener imap-urlauth-worker {\n  user = $default_internal_user\n }\n"
    "}\n"
    "service indexer {\n"
    " executable = indexer\n process_limit = 1\n user = $default_internal_user\n"
    " unix_listener indexer {\n  mode = 0666\n }\n"
    "}\n"
    "service indexer-worker {\n"
    " client_limit = 1\n executable = indexer-worker\n extra_groups = $default_internal_group\n"
    " process_limit = 10\n type = worker\n"
    " unix_listener indexer-worker {\n  user = $default_internal_user\n }\n"
    "}\n"
    "service ipc {\n"
    " chroot = empty\n executable = ipc\n process_limit = 1\n user = $default_internal_user\n"
    " unix_listener ipc {\n  user = $default_internal_user\n }\n"
    " unix_listener login/ipc-proxy {\n  user = $default_login_user\n }\n"
    "}\n"
    "service lmtp {\n"
    " client_limit = 1\n executable = lmtp\n extra_groups = $default_internal_group\n"
    " protocol = lmtp\n"
    " unix_listener lmtp {\n  mode = 0666\n }\n"
    "}\n"
    "service log {\n"
    " executable = log\n idle_kill = 4294967295 secs\n process_limit = 1\n type = log\n"
    " unix_listener log-errors {\n }\n"
    "}\n"
    "service old-stats {\n"
    " chroot = empty\n executable = old-stats\n idle_kill = 4294967295 secs\n process_limit = 1\n"
    " user = $default_internal_user\n"
    " fifo_listener old-stats-mail {\n }\n"
    " fifo_listener old-stats-user {\n }\n"
    " unix_listener old-stats {\n }\n"
    "}\n"
    "service pop3 {\n"
    " client_limit = 1\n executable = pop3\n extra_groups = $default_internal_group\n"
    " process_limit = 1024\n protocol = pop3\n service_count = 1\n"
    " unix_listener login/pop3 {\n  mode = 0666\n }\n"
    "}\n"
    "service pop3-login {\n"
    " chroot = login\n executable = pop3-login\n protocol = pop3\n service_count = 1\n"
    " type = login\n user = $default_login_user\n"
    " inet_listener pop3 {\n  port = 110\n }\n"
    " inet_listener pop3s {\n  port = 995\n  ssl = yes\n }\n"
    "}\n"
    "service replicator {\n"
    " executable = replicator\n idle_kill = 4294967295 secs\n process_limit = 1\n"
    " unix_listener replicator {\n  user = $default_internal_user\n }\n"
    " unix_listener replicator-doveadm {\n  mode = 00\n  user = $default_internal_user\n }\n"
    "}\n"
    "service stats {\n"
    " executable = stats\n idle_kill = 4294967295 secs\n process_limit = 1\n"
    " user = $default_internal_user\n"
    " unix_listener login/stats-writer {\n  user = $default_login_user\n }\n"
    " unix_listener stats-reader {\n }\n"
    " unix_listener stats-writer {\n  group = $default_internal_group\n  mode = 0660\n }\n"
    "}\n"
    "service submission {\n"
    " client_limit = 1\n executable = submission\n extra_groups = $default_internal_group\n"
    " process_limit = 1024\n protocol = submission\n service_count = 1\n"
    " unix_listener login/submission {\n  mode = 0666\n }\n"
    "}\n"
    "service submission-login {\n"
    " chroot = login\n executable = submission-login\n protocol = submission\n"
    " service_count = 1\n type = login\n user = $default_login_user\n"
    " inet_listener submission {\n  port = 587\n }\n"
    "}\n"
    "service tcpwrap {\n"
    " client_limit = 1\n executable = tcpwrap\n user = $default_internal_user\n"
    "}\n";

/* Of blocks whose settings vary by name, what is there when nobody says anything. */
static const struct {
    str path, value; /* with the kinds of the blocks around it */
} otherwise[] = {
    {S("passdb/driver"), S("")},
    {S("passdb/name"), S("")},
    {S("service/chroot"), S("")},
    {S("service/client_limit"), S("0")},
    {S("service/drop_priv_before_exec"), S("no")},
    {S("service/executable"), S("")},
    {S("service/extra_groups"), S("")},
    {S("service/fifo_listener/mode"), S("0600")},
    {S("service/idle_kill"), S("0")},
    {S("service/inet_listener/port"), S("0")},
    {S("service/inet_listener/ssl"), S("no")},
    {S("service/process_limit"), S("0")},
    {S("service/process_min_avail"), S("0")},
    {S("service/protocol"), S("")},
    {S("service/service_count"), S("0")},
    {S("service/type"), S("")},
    {S("service/unix_listener/group"), S("")},
    {S("service/unix_listener/mode"), S("0600")},
    {S("service/unix_listener/user"), S("")},
    {S("service/user"), S("")},
    {S("userdb/driver"), S("")},
    {S("userdb/name"), S("")},
};

bool dovecot_builtin_default(const struct conf_param *p, str *ret)
{
    if (p->initial)
        *ret = str_c(p->initial);
    for (size_t i = 0; !p->initial && i < sizeof otherwise / sizeof *otherwise; i++) {
        if (str_eq(otherwise[i].path, str_c(p->name))) {
            *ret = otherwise[i].value;
            return true;
        }
    }
    return p->initial != NULL;
}

static bool find_name(void *ctx, str name, str *ret)
{
    *ret = arena_printf(ctx, "$" STR_FMT, STR_ARG(name));
    return true;
}

enum rc dovecot_builtin_add(struct dovecot_conf *conf, struct arena *a)
{
    const struct dovecot_env env = {.find_default = find_name, .ctx = a};
    struct dovecot_conf below;
    enum rc rc = dovecot_conf_read(S(""), str_c(services), &env, a, &below);
    must(rc != RC_OK || below.error_count == 0);
    return rc == RC_OK ? dovecot_conf_underlay(conf, &below, a) : rc;
}
