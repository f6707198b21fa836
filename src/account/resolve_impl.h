/* resolve_impl: shared by the files that follow an address to its ends (resolve.h), and by nobody else. */
#ifndef ACCOUNT_RESOLVE_IMPL_H
#define ACCOUNT_RESOLVE_IMPL_H

#include "account/resolve.h"
#include "base/map.h"
#include "fmt/aliases.h"
#include "table/maps.h"

struct resolver {
    const struct account_lookup *l;
    struct arena *a;
    struct map *expanded; /* aliases that were followed, &resolve_in_progress or &resolve_followed: each only
                             once, which ends loops */
    struct map *defaults; /* the same for addresses of the configuration */
    struct map *found;    /* accounts and remote addresses that are results already */
    struct account_target *targets;
    size_t n, room;
    str sender; /* of the targets that are found now: a list's owner */
    str alias;  /* of alias_maps, whose own members are being followed; empty inside of what it includes */
    str alias_text; /* what they say of it */
    unsigned lookups;
    bool looped, disabled;
    bool probing;     /* only asks whether there is any result: see check_loop */
    bool unsupported; /* a member is a command or a file */
    str dead;         /* an address that led nowhere, or to a disabled account */
    str failed;       /* the address whose look-up failed */
};

extern char resolve_in_progress, resolve_followed, resolve_passed_over;

/* An address on its way: where it stands, and how it was written. */
struct step {
    const struct address_key *key;
    str address;
    unsigned depth;
};

/* Follows one address to its end. RC_OK also when it leads nowhere, which r->dead remembers; at depth 0
 * RC_GONE then tells that the domain is not ours. */
enum rc resolve_follow(struct resolver *r, str address, unsigned depth, struct err *e);
/* An alias for the second time: its members are counted already, or being counted. */
enum rc resolve_meet_again(struct resolver *r, const char *met, str address, struct err *e);
enum rc resolve_too_many(struct err *e);
enum rc resolve_add(struct resolver *r, struct account_target t, struct err *e);

/* --- resolve_via.c --- */
/* A user of the system: *ret is his via when his mail runs programs or may go elsewhere, else empty. */
enum rc resolve_user_via(struct resolver *r, str user, uid_t uid, str tag, str *ret, struct err *e);
/* Member n of r->alias, which is a command or a file. RC_GONE: there they are not allowed. */
enum rc resolve_program(struct resolver *r, const struct step *s, const struct alias_target *t, unsigned n,
                        struct err *e);

/* --- resolve_literal.c --- */
/* Of user@[address] where the address is this server's: the key becomes user at the hostname (RFC 5321
 * §4.1.3). */
void resolve_own_literal(const struct conf *c, struct address_key *key);

/* --- resolve_fallback.c --- */
/* A name that nobody has: fallback_transport_maps, fallback_transport, luser_relay. RC_GONE: they are not for
 * it. */
enum rc resolve_fallback(struct resolver *r, const struct step *s, struct err *e);
/* --- resolve.c --- */
/* An address that the configuration gives, which lives as long as r; followed once like an alias, so that it
 * cannot loop. NULL and empty: RC_GONE. */
enum rc resolve_configured(struct resolver *r, const struct step *s, const char *to, struct err *e);

/* --- resolve_maps.c --- */
/* RC_OK: it has moved, and was refused in *e (depth 0) or remembered as dead. RC_GONE: the tables do not know
 * it. */
enum rc resolve_relocated(struct resolver *r, const struct step *s, struct err *e);
/* The name under which virtual_alias_maps' expansion of the address is remembered. */
str resolve_virtual_id(struct resolver *r, const struct step *s);
/* RC_GONE: the tables do not know it, or it is being followed: among its own results it stands for itself. */
enum rc resolve_virtual(struct resolver *r, const struct step *s, str id, struct err *e);
/* A name in alias_maps; RC_GONE as above. */
enum rc resolve_alias_maps(struct resolver *r, const struct step *s, str name, struct err *e);
/* An address that account_forwarded_sender made: follows where it leads back to. RC_GONE: it is none. */
enum rc resolve_srs(struct resolver *r, str address, unsigned depth, struct err *e);
/* A masked or a blocked address (account/mask.h), as written or without its tag. RC_GONE: it is neither. */
enum rc resolve_mask(struct resolver *r, const struct step *s, struct err *e);
/* The account of this name as a result; RC_GONE: there is none. */
enum rc resolve_account(struct resolver *r, const struct step *s, const struct address_key *key, str tag,
                        struct err *e);
/* --- resolve_unknown.c --- */
/* RC_PERM: there is no such recipient; and of relay_domains. */
enum rc resolve_unknown(const struct resolver *r, str address, struct err *e);
enum rc resolve_unknown_relay(const struct conf *c, struct err *e);
/* Whether nobody has mail in this domain but by virtual_alias_maps. */
bool resolve_aliases_only(const struct resolver *r, const struct step *s);
/* --- resolve_canonical.c --- */
/* How virtual(5), canonical(5) and relocated(5) are asked: a bare name is of the hostname. */
struct maps_rules resolve_rules(const struct conf *c);
/* One result for an address: "@domain" means the same name there, and the extension of the address goes with
 * it. STR_NONE or cut short when the arena is exhausted. */
str resolve_complete(str to, str address, str extension, struct arena *a);
/* canonical(5): *address becomes what the first table that knows it says. RC_OK, RC_TEMP. */
enum rc resolve_canonical(const struct conf *c, struct table_list *maps, str *address, struct arena *a,
                          struct err *e);
/* How that name was met before, NULL: it was not. */
const char *resolve_alias_met(struct resolver *r, str name);

#endif
