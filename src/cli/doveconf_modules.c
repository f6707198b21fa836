/* doveconf -m: who reads what, as doveconf -m of Dovecot 2.3.19 tells for each of its programs. */
#include "cli/doveconf_modules.h"

#define MAIL  "doveadm imap imap-urlauth-worker lda lmtp mail pop3 submission"
#define LOGIN "imap-login imap-urlauth-login login pop3-login submission-login"

/* The first row counts of which a word fits the name. */
static const struct {
    str names; /* with * at the end: all that begin like that */
    str readers;
} rows[] = {
    {S("auth_debug"), S(LOGIN " auth doveadm")},
    {S("auth_socket_path"), S(MAIL " replicator")},
    {S("auth_ssl_* auth_verbose"), S(LOGIN " auth")},
    {S("auth_* passdb userdb"), S("auth")},
    {S("default_* listen protocols service"), S("master")},
    {S("deliver_* lda_* quota_full_tempfail rejection_*"), S("lda lmtp")},
    {S("dict dict_*"), S("dict")},
    {S("director_username_hash"), S(LOGIN " director doveadm")},
    {S("director_* master_user_separator"), S("director")},
    {S("disable_plaintext_auth mail_max_userip_connections"), S(LOGIN)},
    {S("dotlock_use_excl lock_method mmap_disable namespace plugin postmaster_address recipient_delimiter "
       "valid_chroot_dirs"),
     S(MAIL)},
    {S("doveadm_socket_path"), S("doveadm replicator")},
    {S("doveadm_* dsync_*"), S("doveadm")},
    {S("event_exporter metric old_stats_* stats_http_rawlog_dir"), S("stats")},
    {S("first_valid_* last_valid_*"), S(MAIL " auth master")},
    {S("hostname"), S(MAIL " submission-login")},
    {S("imap_capability imap_id_log imap_id_send imap_literal_minus"), S("imap imap-login")},
    {S("imap_id_retain"), S("imap-login")},
    {S("imap_urlauth_logout_format"), S("imap-urlauth")},
    {S("imap_urlauth_*"), S("imap imap-urlauth-worker submission")},
    {S("imap_*"), S("imap")},
    {S("imapc_* pop3_deleted_flag"), S(MAIL " imapc")},
    {S("libexec_dir"), S("doveadm master")},
    {S("lmtp_*"), S("lmtp")},
    {S("login_greeting login_trusted_networks"), S(LOGIN " lmtp submission")},
    {S("login_*"), S(LOGIN)},
    {S("mail_debug"), S(MAIL " imap-urlauth")},
    {S("maildir_stat_dirs"), S(MAIL)},
    {S("maildir_*"), S(MAIL " maildir")},
    {S("mail_* mailbox_*"), S(MAIL)},
    {S("mbox_*"), S(MAIL " mbox")},
    {S("mdbox_*"), S(MAIL " mdbox")},
    {S("pop3_uidl_format"), S(MAIL)},
    {S("pop3_*"), S("pop3")},
    {S("pop3c_*"), S(MAIL " pop3c")},
    {S("rawlog_dir"), S("imap pop3 submission")},
    {S("replication_*"), S("replicator")},
    {S("replicator_*"), S("aggregator")},
    {S("sendmail_path submission_host submission_ssl submission_timeout"), S("imap lda lmtp")},
    {S("ssl"), S("master ssl ssl-server")},
    {S("ssl_alt_* ssl_cert ssl_dh ssl_key ssl_key_password"), S("ssl-server")},
    {S("ssl_client_ca_*"), S("auth ssl ssl-server")},
    {S("ssl_* verbose_ssl"), S("ssl ssl-server")},
    {S("submission_client_workarounds submission_max_mail_size"), S("submission submission-login")},
    {S("submission_*"), S("submission")},
};

/* What all of them read, whatever they are called. */
static const str of_all =
    S("base_dir config_cache_size debug_log_path haproxy_timeout haproxy_trusted_networks import_environment "
      "info_log_path instance_name log_core_filter log_debug log_path log_timestamp process_shutdown_filter "
      "shutdown_clients state_dir stats_writer_socket_path syslog_facility verbose_proctitle version_ignore");

static bool is_listed(str names, str name)
{
    for (str word; (word = str_word(&names)).n > 0;) {
        bool begins = str_ends(word, S("*")) && str_starts(name, str_sub(word, 0, word.n - 1));
        if (begins || str_eq(word, name))
            return true;
    }
    return false;
}

bool doveconf_module_reads(const str *modules, size_t n, str name)
{
    if (is_listed(of_all, name))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_listed(rows[i].names, name))
            continue;
        for (size_t k = 0; k < n; k++)
            if (is_listed(rows[i].readers, modules[k]))
                return true;
        return false;
    }
    return false;
}

/* The kind of the block around all, filters aside; a filter is read when something in it is. */
static bool is_read(const str *modules, size_t n, const struct dovecot_block *b, str name)
{
    for (; b && !dovecot_block_is_filter(b->kind); b = b->parent)
        name = b->kind;
    return doveconf_module_reads(modules, n, name);
}

void doveconf_modules_keep(const str *modules, size_t n, struct dovecot_conf *conf)
{
    size_t settings = 0, blocks = 0;
    for (size_t i = 0; i < conf->count; i++)
        if (is_read(modules, n, conf->settings[i].block, conf->settings[i].name))
            conf->settings[settings++] = conf->settings[i];
    for (size_t i = 0; i < conf->block_count; i++)
        if (dovecot_block_is_filter(conf->blocks[i]->kind) ||
            is_read(modules, n, conf->blocks[i], conf->blocks[i]->kind))
            conf->blocks[blocks++] = conf->blocks[i];
    conf->count = settings;
    conf->block_count = blocks;
}
