/* resolve: whose is this address? Used by `auth` to answer RCPT and MAIL commands and log-ins.
 *
 * In order, for an address of ours (its domain is the hostname, in `domains` or domain_maps, or was added):
 * masked and blocked addresses (account/mask.h); relocated_maps, which refuse it; what virtual_alias_maps
 * say, of which an address that leads to itself means what follows here; the alias, the account, the user in
 * the databases of userdb, the name in alias_maps, the user of the system of that name (none of these in
 * alias_domains); each first as written, then without "+tag"; then for postmaster, abuse and root (RFC 5321
 * §4.5.1, RFC 2142) the domain's postmaster; then the catch-all; then what fallback_transport_maps,
 * fallback_transport and luser_relay say of names that nobody has; then for those three names the domain's
 * first account, or any. Aliases are followed 10 levels deep to at most 1,000 results. */
#ifndef ACCOUNT_RESOLVE_H
#define ACCOUNT_RESOLVE_H

#include "account/account.h"
#include "account/identity.h"
#include "table/table.h"

enum { RESOLVE_DEPTH_MAX = 10, RESOLVE_RESULTS_MAX = 1000, RESOLVE_LOOKUPS_MAX = 10000 };

struct authdb;
struct authdb_fields;
struct databases;
struct database_found;
struct table_settings;

struct account_lookup {
    struct account_db *db;
    const struct conf *conf;
    uid_t mail_uid; /* who owns the mail of the accounts in the database */
    gid_t mail_gid;
    /* Asks for a user of the system: RC_OK (uid, gid, groups and home filled, its mail path need not be),
     * RC_GONE there is none, RC_PERM it cannot have mail here (e says why), RC_TEMP. NULL: there are none.
     * Called only while `system_users` is on. */
    enum rc (*system_user)(void *ctx, str name, struct account_identity *ret, struct err *e);
    /* Whether the user of the system has a .forward for mail with this tag: RC_OK, RC_GONE, RC_TEMP with e.
     * NULL: nobody has. */
    enum rc (*has_forward)(void *ctx, str name, str tag, struct err *e);
    void *system_ctx;
    const struct databases *databases;   /* databases.h; NULL: the options passdb and userdb are empty */
    const struct table_settings *tables; /* has the tables of those that proxymap asks */
    /* What a passwd-file or shadow says (database_entry.h), and numbers of a user and a group of the system;
     * both with system_ctx. NULL: nobody can look. */
    enum rc (*database_entry)(void *ctx, bool passdb, const struct authdb *db, str user, struct arena *a,
                              struct authdb_fields *ret, struct err *e);
    enum rc (*database_ids)(void *ctx, str user, str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e);
    struct table_list *virtual_aliases, *relay_recipients, *aliases, *relocated, *canonical,
        *sender_canonical, *recipient_canonical, *fallback_transports, *local_recipients, *domains,
        *relay_domains; /* NULL: none */
};

struct account_target {
    bool remote;
    bool limited; /* its mailbox has a quota */
    str account;  /* "demo@malle.test" or "alice"; empty when remote */
    uid_t uid;    /* who delivers; with remote (uid_t)-1 */
    str tag;      /* of "user+tag"; may be empty */
    str address;  /* the address that led here: as asked, or an alias's target */
    str sender;   /* the owner of the list that led here; may be empty */
    str via;      /* fmt/via.h: not simply a mailbox; empty otherwise. Of an alias's command or file, and of a
                     transport, the account is empty and uid (uid_t)-1 */
};

/* Everything lies in the arena. RC_OK: at least one target, and all that the address stands for can receive:
 * there is no queue that could tell a sender of a dead member later. RC_GONE: not an address of ours
 * (550 5.7.1 when the client may not relay). RC_PERM: ours, but no such user, a member of the alias that does
 * not exist or is disabled, or a loop of aliases that reaches nobody (550). RC_INVALID: no address. RC_LIMIT:
 * an alias with too many targets. RC_TEMP: ask again (451). The peer's text never names a member of an alias;
 * e->log does. */
MUST_USE enum rc account_resolve(const struct account_lookup *l, str address, struct arena *a,
                                 struct account_target **ret, size_t *ret_n, struct err *e);

/* An address of another server that is in relay_domains: whether it exists there, as far as
 * relay_recipient_maps tell. RC_OK: it does, or they are not asked for it; RC_PERM with 550 5.1.1; RC_TEMP.
 */
MUST_USE enum rc account_check_relay(const struct account_lookup *l, str address, struct err *e);

/* Whether mail to this domain is for this server. RC_OK, RC_GONE, RC_TEMP. */
MUST_USE enum rc account_domain_is_local(const struct account_lookup *l, str domain, struct err *e);

/* Where an address stands; canonical_classes and the like have these names. */
enum account_class {
    ACCOUNT_ENVELOPE_SENDER,
    ACCOUNT_ENVELOPE_RECIPIENT,
    ACCOUNT_HEADER_SENDER,
    ACCOUNT_HEADER_RECIPIENT
};

/* What sender_canonical_maps or recipient_canonical_maps, canonical_maps and masquerade_domains make of an
 * address
 * ("local@domain", or "postmaster"), in the arena; the address itself when they do not know it, or are not
 * for its class. RC_OK, RC_TEMP. */
MUST_USE enum rc account_canonical(const struct account_lookup *l, enum account_class class, str address,
                                   struct arena *a, str *ret, struct err *e);

/* The sender under which a message is forwarded that an alias sends to another server: of srs_domain, which
 * leads back (fmt/srs.h), unless the sender's domain is ours; in the arena. RC_OK, RC_TEMP. */
MUST_USE enum rc account_forwarded_sender(const struct account_lookup *l, str sender, struct arena *a,
                                          str *ret, struct err *e);

/* Whether an account may send as this address: it is among those whom the address stands for, whatever state
 * the others are in. An account of a Dovecot (smtpd_sasl_type) or of the databases of passdb need not be
 * known here: it also sends as the address that is its name, with or without "+tag", and one without a domain
 * as that name in each of our domains in which nobody here has it. RC_OK; RC_PERM with 553 5.7.1. */
MUST_USE enum rc account_may_send(const struct account_lookup *l, str account, str sender, struct err *e);

/* Who a session or delivery for this account (as account_target.account says) becomes; refused uids and
 * disabled accounts are RC_PERM. */
MUST_USE enum rc account_identify(const struct account_lookup *l, str account, struct account_identity *ret,
                                  struct err *e);
/* The same for whoever just logged in by the databases of passdb. */
MUST_USE enum rc account_identify_login(const struct account_lookup *l, const struct database_found *login,
                                        struct account_identity *ret, struct err *e);

/* The same for a name as a client would log in with. */
MUST_USE enum rc account_find_user(const struct account_lookup *l, str name, struct account_identity *ret,
                                   struct err *e);

/* A user of the system whose uid is permitted, without mail path. RC_GONE: none; RC_PERM: its entry cannot be
 * used, e says why; RC_TEMP. */
MUST_USE enum rc account_ask_system(const struct account_lookup *l, str name, struct account_identity *ret,
                                    struct err *e);

/* Whom a client means that logs in with this name: an account of the database (*ret_account filled), or a
 * user of the system (*ret_account.address is the name without domain, *ret_system true). A name without
 * domain is a user of the system or else an account of the first domain. Where the option passdb names
 * databases, users of the system are theirs to know (databases.h). RC_GONE: nobody. */
MUST_USE enum rc account_find_login(const struct account_lookup *l, str name, struct account *ret_account,
                                    bool *ret_system, struct err *e);

#endif
