/* What is wrong with a Dovecot configuration though every line of it is fine: what does nothing, opens too
 * much, or would not have worked. Each with the line and the cure. */
#include "conf/dovecot.h"

#include "conf/report.h"

#include <unistd.h>

static void advise(const struct dovecot *d, const struct dovecot_setting *s, const char *text)
{
    struct conf_origin o = dovecot_origin(d, s);
    conf_warning(d->f->b->report, o.file, o.line, STR_FMT ": %s", STR_ARG(s->name), text);
}

static bool has_system_passdb(const struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++) {
        const struct dovecot_block *b = d->conf.blocks[i];
        str driver = dovecot_value(d, b, "driver", "");
        if (str_eq(b->kind, S("passdb")) && (str_eq(driver, S("pam")) || str_eq(driver, S("shadow"))))
            return true;
    }
    return false;
}

static void look_at_service(const struct dovecot *d, const struct dovecot_block *b)
{
    const struct dovecot_setting *user = dovecot_find(d, b, "user"), *mode = dovecot_find(d, b, "mode");
    bool socket = str_eq(b->kind, S("unix_listener")) && b->parent && str_eq(b->parent->name, S("auth"));
    if (str_eq(b->kind, S("service")) && str_eq(b->name, S("auth-worker")) && user && user->value.n &&
        !str_eq(user->value, S("root")) && has_system_passdb(d))
        advise(d, user,
               "this user cannot read /etc/shadow, so that Dovecot's log-ins would fail; remove the line "
               "(malle checks "
               "passwords as root in a process of its own)");
    if (socket && mode && str_ends(mode->value, S("6")))
        advise(d, mode,
               "every program of this machine could try passwords through this socket; write mode = 0660 "
               "with the "
               "group of those who need it");
}

static void look_at_mail(const struct dovecot *d)
{
    const struct dovecot_setting *location = dovecot_find(d, NULL, "mail_location"),
                                 *uid = dovecot_find(d, NULL, "mail_uid");
    if (location && str_find(location->value, S("/var/mail/vhosts")) < 0 &&
        access("/var/mail/vhosts", F_OK) == 0)
        advise(d, location,
               "mail lies there, and nothing uses the folder /var/mail/vhosts; it can be removed");
    if (uid && location &&
        (str_find(location->value, S("~")) >= 0 || str_find(location->value, S("%h")) >= 0) &&
        has_system_passdb(d))
        advise(d, uid,
               "users of the system keep their mail under their own uid; this counts for accounts of malle's "
               "database alone");
}

static void look_at_tls(const struct dovecot *d)
{
    static const struct {
        const char *name, *text;
    } idle[] = {
        {"ssl_cipher_list",
         "TLS 1.3 has ciphers of its own, so this counts for clients with TLS 1.2 alone; the line can go"},
        {"ssl_prefer_server_ciphers",
         "does nothing under TLS 1.3, where all ciphers are good; the line can go"},
        {"ssl_dh", "does nothing under TLS 1.3, and malle takes OpenSSL's groups; the line can go"},
        {"ssl_dh_parameters_length", "does nothing since Dovecot 2.3; the line can go"},
    };
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        const struct dovecot_setting *s = dovecot_find(d, NULL, idle[i].name);
        if (s)
            advise(d, s, idle[i].text);
    }
}

void dovecot_advise(const struct dovecot *d)
{
    for (size_t i = 0; i < d->conf.block_count; i++)
        look_at_service(d, d->conf.blocks[i]);
    look_at_mail(d);
    look_at_tls(d);
}
