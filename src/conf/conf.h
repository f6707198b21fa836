/* conf: the settings of the server, read once and then immutable; a reload makes a new one.
 *
 * options.def is the only list of options: struct conf has one member per row. Options in time have a member
 * named
 * *_ms. Every text is NUL-terminated, never NULL ("" when not set), and lives as long as the conf. The master
 * reads the file; the roles get the effective settings as native text (conf_serialize, conf_parse) and read
 * no file. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/buf.h"

struct arena;
struct ip_net;

/* The choices of the ENUM options, in the order of options.def. */
enum conf_password_scheme {
    CONF_SCHEME_YESCRYPT,
    CONF_SCHEME_ARGON2ID,
    CONF_SCHEME_SHA512_CRYPT,
    CONF_SCHEME_BCRYPT,
    CONF_SCHEME_SCRAM_SHA_256
};
enum conf_tls_version { CONF_TLS_1_2, CONF_TLS_1_3 };
enum conf_tls_level {
    CONF_TLS_LEVEL_NONE,
    CONF_TLS_LEVEL_MAY,
    CONF_TLS_LEVEL_ENCRYPT,
    CONF_TLS_LEVEL_DANE,
    CONF_TLS_LEVEL_DANE_ONLY,
    CONF_TLS_LEVEL_VERIFY,
    CONF_TLS_LEVEL_SECURE
};
enum conf_tempfail { CONF_TEMPFAIL_IF_PERMIT, CONF_TEMPFAIL_DEFER };
enum conf_delivery_address { CONF_ADDRESS_FINAL, CONF_ADDRESS_NONE, CONF_ADDRESS_ORIGINAL };
enum conf_gate_action { CONF_GATE_IGNORE, CONF_GATE_ENFORCE, CONF_GATE_DROP };
enum conf_milter_action {
    CONF_MILTER_ACCEPT,
    CONF_MILTER_REJECT,
    CONF_MILTER_TEMPFAIL,
    CONF_MILTER_QUARANTINE,
    CONF_MILTER_SHUTDOWN
};
enum conf_log_format { CONF_LOG_TEXT, CONF_LOG_JSON };
enum conf_protocol {
    CONF_SMTP,
    CONF_SUBMISSION,
    CONF_LMTP,
    CONF_IMAP,
    CONF_POP3,
    CONF_LOCAL,
    CONF_AUTH_CLIENT,
    CONF_AUTH_USERDB,
    CONF_QUOTA_STATUS,
    CONF_SPAWN
};
enum conf_sasl_type { CONF_SASL_MALLE, CONF_SASL_DOVECOT };
enum conf_transport_protocol { CONF_TRANSPORT_SMTP, CONF_TRANSPORT_LMTP, CONF_TRANSPORT_PIPE };
enum conf_tls { CONF_TLS_NONE, CONF_TLS_STARTTLS, CONF_TLS_REQUIRED, CONF_TLS_IMPLICIT };

/* The value "never" of a DURATION that has it. */
#define CONF_NEVER INT64_MAX

struct conf_list {
    str *v; /* each NUL-terminated */
    size_t n;
};

#define CONF_MEMBER_STR(name)      const char *name;
#define CONF_MEMBER_PATH(name)     const char *name;
#define CONF_MEMBER_BOOL(name)     bool name;
#define CONF_MEMBER_INT(name)      int name;
#define CONF_MEMBER_MODE(name)     int name;
#define CONF_MEMBER_ENUM(name)     int name;
#define CONF_MEMBER_SIZE(name)     uint64_t name;
#define CONF_MEMBER_DURATION(name) int64_t name##_ms;
#define CONF_MEMBER_LIST(name)     struct conf_list name;

/* One place where connections come in. Members as in the LISTENER_KEY rows. In a finished conf `addresses` is
 * filled, `port` is the effective one with port_offset added, `socket` is absolute, and disabled listeners
 * are left out. */
struct conf_listener {
    const char *name;
#define LISTENER_KEY(name, type, ...) CONF_MEMBER_##type(name)
#include "conf/options.def"
    struct conf *own; /* all settings as they hold here; NULL: nothing is set for this listener alone */
};

enum { CONF_TRANSPORT_NAME_MAX = 60 };
/* A way by which mail leaves: the name of a transport. Members as in the TRANSPORT_KEY rows. */
struct conf_transport {
    const char *name;
#define TRANSPORT_KEY(name, type, ...) CONF_MEMBER_##type(name)
#include "conf/options.def"
    struct conf *own; /* all settings as they hold for its mail; NULL: as for all others */
};

/* What is set for one domain; members as in the DOMAIN_KEY rows. */
struct conf_domain {
    const char *name; /* lower case */
#define DOMAIN_KEY(name, type, ...) CONF_MEMBER_##type(name)
#include "conf/options.def"
};

/* Where an option was set: file NULL is the default, line 0 the command line. */
struct conf_origin {
    const char *file;
    int line;
};

/* One key set in a section, for those who list them. */
struct conf_setting {
    const char *section; /* "listener smtp", "transport slow", "domain example.com" */
    const char *name, *value;
    struct conf_origin origin;
};

enum conf_option {
#define OPTION(name, ...) CONF_##name,
#include "conf/options.def"
    CONF_OPTION_COUNT
};

struct conf {
#define OPTION(name, type, ...) CONF_MEMBER_##type(name)
#include "conf/options.def"
    struct conf_listener *listeners;
    size_t listener_count;
    struct conf_transport *transports; /* those that have sections */
    size_t transport_count;
    struct conf_domain *domain_sections;
    size_t domain_section_count;
    struct conf_origin origin[CONF_OPTION_COUNT];
    struct conf_setting *settings; /* what sections set, in the order of the file; the last of a key counts */
    size_t setting_count;
    struct arena *arena; /* owns everything above */
};

/* What was found wrong. An issue is an error, unless warning is set. */
struct conf_issue {
    bool warning;
    char file[256];
    int line;
    char text[400]; /* one sentence, perhaps with "; did you mean X?" */
};

/* All issues of one load, in the order found; past 200 they are only counted. Start with a zeroed one. */
struct conf_report {
    struct conf_issue *v;
    size_t n, errors, warnings;
};
void conf_report_deinit(struct conf_report *r);
/* Leaves the errors alone. */
void conf_report_drop_warnings(struct conf_report *r);
/* Writes "FILE:LINE: sentence\n" ("FILE: sentence\n" without a line), warnings marked as such. */
void conf_report_format(const struct conf_report *r, struct buf *out);

/* Reads the file at path, or the files of Postfix and Dovecot in the folder at path (folder.h), and then the
 * overrides ("NAME=VALUE", also "listener.imap.port=1143",
 * "transport.slow.process_limit=1" and "domain.example.com.catch_all=x@y"). The caller frees the result; NULL
 * when *report has errors. */
MUST_USE struct conf *conf_load(const char *path, const char *const *sets, size_t set_count,
                                struct conf_report *report);

/* The same from text, for the roles and for tests; file names it in issues. Touches nothing outside. */
MUST_USE struct conf *conf_parse(str text, const char *file, struct conf_report *report);

/* For a reload: gives *c the values that `old` has for everything that is read at the start only, with a
 * warning for each that differs. */
void conf_keep(struct conf *c, const struct conf *old, struct conf_report *report);

struct conf *conf_free(struct conf *c); /* accepts NULL, returns NULL */
void conf_freep(struct conf **c);

/* Writes the effective settings as native text that conf_parse reads back to the same values (origins are
 * lost). RC_LIMIT when out overflows. */
MUST_USE enum rc conf_serialize(const struct conf *c, struct buf *out);

/* Called before each assignment, with where it comes from: for comments above it. */
struct conf_note {
    void (*put)(void *ctx, struct conf_origin origin, struct buf *out);
    void *ctx;
};
/* Writes a malle.conf with what differs from the defaults, which conf_parse reads back to the same settings.
 */
void conf_write(const struct conf *c, const struct conf_note *note, struct buf *out);

/* One option, for those who list them. */
struct conf_difference {
    const char *name;
    struct conf_origin origin;
    bool is_default; /* the value is that of the table */
    char value[1024], default_value[1024];
};
void conf_describe(const struct conf *c, enum conf_option option, struct conf_difference *ret);

/* What a [domain NAME] section says, or NULL. Names compare without case. */
const struct conf_domain *conf_find_domain(const struct conf *c, str name);
/* Whether `domains` (or a section) names it. */
bool conf_has_domain(const struct conf *c, str name);
/* Whether a list as relay_domains names it, or with a dot in front a parent of it. */
bool conf_list_has_domain(const struct conf_list *l, str name);
bool conf_list_has(const struct conf_list *l, str word); /* bytes by value */
/* Whether one of the networks of the list holds the address. Entries that are no network match nothing. */
bool conf_list_has_address(const struct conf_list *networks, const struct ip_net *address);

const struct conf_listener *conf_find_listener(const struct conf *c, str name); /* NULL when there is none */
/* The listener for what internal_mail_filter_classes name, which passes through it on its way out of the
 * queue; and its socket, NULL when there is none. */
#define CONF_INSPECTION "inspection"
const char *conf_inspection_socket(const struct conf *c);
/* The settings of sessions at the listener of this name: its own, else those of all. */
const struct conf *conf_of_listener(const struct conf *c, str name);

/* The section of a transport, by its name as it is written; NULL when there is none. */
const struct conf_transport *conf_find_transport(const struct conf *c, str name);
/* The settings for mail that leaves by it: its own, else those of all. */
const struct conf *conf_of_transport(const struct conf *c, str name);

/* Appends the rules of an account's quota, one a line (fmt/quota_rule.h). own: those of the account, one a
 * line; each replaces the one of quota_rule at its place, unless it is empty. Nothing without `quota`. */
void conf_quota_rules(const struct conf *c, str own, struct buf *out);

const char *conf_protocol_name(int protocol);                         /* "smtp", "submission"... */
bool conf_listens(const struct conf *c, enum conf_protocol protocol); /* some listener speaks it */
/* Whether a Dovecot verifies the passwords of submission: smtpd_sasl_type says so, and smtpd_sasl_path is no
 * socket that malle serves itself. */
bool conf_asks_dovecot(const struct conf *c);

/* Expands %u (account), %n (its local part), %d (its domain), %h (home), %% and a leading ~ in a mail
 * location, with the modifiers of fmt/dovecot_var.h (2.3). RC_INVALID for an unknown variable, for an account
 * that is no safe file name ("/", NUL,
 * "..", empty) or when a needed home is missing; RC_LIMIT when out overflows. */
MUST_USE enum rc conf_expand_location(str location, str account, str home, struct buf *ret_text);

/* The parts of an expanded location, "maildir:PATH[:INDEX=PATH][:LAYOUT=...]...": views of it. RC_INVALID for
 * another driver or a path that is not absolute. */
struct conf_location {
    str path;
    str index; /* the same as path without INDEX= */
};
MUST_USE enum rc conf_parse_location(str location, struct conf_location *ret);

#endif
