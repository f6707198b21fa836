/* settings: the tables that the configuration names, opened for the role that asks them. Who asks what is one
 * list, in settings.c.
 *
 * A role opens its tables before it is locked in and keeps them as they are; the master opens all of them at
 * a reload, so that a broken table leaves the old configuration in force, and starts a role again whose
 * tables are no longer the same. */
#ifndef TABLE_SETTINGS_H
#define TABLE_SETTINGS_H

#include "conf/conf.h"
#include "table/table.h"

enum table_setting {
    TABLES_TRANSPORT,
    TABLES_SENDER_RELAYHOST,
    TABLES_SENDER_TRANSPORT,
    TABLES_SASL_PASSWORD,
    TABLES_TLS_POLICY,
    TABLES_BIND_ADDRESS,
    TABLES_VIRTUAL_ALIAS,
    TABLES_RELAY_RECIPIENT,
    TABLES_ALIAS,
    TABLES_RELOCATED,
    TABLES_CANONICAL,
    TABLES_SENDER_CANONICAL,
    TABLES_RECIPIENT_CANONICAL,
    TABLES_SENDER_LOGIN,
    TABLES_RBL_REPLY,
    TABLES_RELAY_CCERT,
    TABLES_GATE_REPLY,
    TABLES_DISCARD_EHLO,
    TABLES_SENDER_BCC,
    TABLES_RECIPIENT_BCC,
    TABLES_REJECT_FOOTER,
    TABLES_COMMAND_FILTER,
    TABLES_GENERIC,
    TABLES_SMTP_HEADER,
    TABLES_SMTP_MIME,
    TABLES_SMTP_NESTED,
    TABLES_SMTP_BODY,
    TABLES_REPLY_FILTER,
    TABLES_SMTP_DNS_FILTER,
    TABLES_SMTP_STATUS_FILTER,
    TABLES_LOCAL_STATUS_FILTER,
    TABLES_PIPE_STATUS_FILTER,
    TABLES_VIRTUAL_STATUS_FILTER,
    TABLES_SMTPD_DNS_FILTER,
    TABLES_DOMAIN,
    TABLES_RELAY_DOMAIN,
    TABLES_MAILBOX_TRANSPORT,
    TABLES_MAILBOX_COMMAND,
    TABLES_FALLBACK_TRANSPORT,
    TABLES_LOCAL_RECIPIENT,
    TABLES_COUNTRY,
    TABLES_COUNT
};

struct table_named { /* a table that a restriction names or a transport has, or the table of a policy server
                      */
    char *spec;
    struct table_list *list;
};

struct table_settings { /* a list is NULL when the setting is empty or another role's */
    struct table_list *v[TABLES_COUNT];
    struct table_named *named; /* of smtpd and submission those of restrictions, of auth databases of users,
                                  of smtp and smtpd those that transports and listeners have of their own */
    size_t n_named;
};

/* Opens the tables that the role asks, with NULL those of all roles. base: what is done with those that ask a
 * database or a server (ask, unasked); NULL: they are asked here. Errors and warnings go to the report with
 * the setting's name; NULL when one cannot be opened. */
MUST_USE struct table_settings *table_settings_open(const struct conf *c, const char *role,
                                                    const struct table_env *base, struct conf_report *report);
struct table_settings *table_settings_close(struct table_settings *t); /* accepts NULL, returns NULL */

/* The table of this name, type:name as a restriction has it or as conf_policy_spec makes it, or of a database
 * of users (table_users_each). NULL: nothing names it. */
struct table_list *table_settings_find(const struct table_settings *t, str spec);

/* The tables of a setting as they hold by these settings of a transport or a listener (conf_of_transport,
 * conf_of_listener); NULL: none. t may be NULL. */
struct table_list *table_settings_of(const struct table_settings *t, const struct conf *own,
                                     enum table_setting which);
/* Whether the main part or a transport sets it. */
bool table_settings_any(const struct conf *c, enum table_setting which);

/* Whether the role has to be started again, when `old` was opened for `was` and `now` is to follow: a setting
 * of its differs, or a file has changed since. */
bool table_settings_stale(const struct table_settings *old, const struct conf *was, const struct conf *now,
                          const char *role);

/* Calls fn for each table in a setting that asks a database or a server, with the role whose setting it is;
 * the same table may come more than once. */
typedef void table_asking_fn(void *ctx, const char *role, str spec);
void table_settings_each_asking(const struct conf *c, table_asking_fn *fn, void *ctx);
bool table_settings_ask(const struct conf *c); /* whether there is one */
/* Whether those tables, or their files, are others than when `old` was opened (unasked) for `was`. */
bool table_settings_asking_stale(const struct table_settings *old, const struct conf *was,
                                 const struct conf *now);

#endif
