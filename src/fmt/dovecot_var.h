/* dovecot_var: the "%" variables in values of Dovecot's settings, as mail_location and the fields of a
 * userdb.
 *
 * 2.3:
 *   text     = *( byte / "%%" / "%" [ part ] *modifier ( letter / "{" name "}" ) )
 *   part     = [ "-" ] [ "0" ] *DIGIT                          ; width
 *            / [ "-" ] *DIGIT "." [ "0" ] [ "-" ] *DIGIT       ; offset and width
 *   modifier = "L" / "U" / "E" / "X" / "R" / "T" / "D" / "H" / "N" / "M"
 * A negative offset counts from the end, a negative width leaves out so many bytes there, or none when there
 * are fewer; with "0" the value is not cut but filled up with zeros. For the hashes H and N the width is a
 * modulus, the offset the least number of digits.
 *
 * 2.4:
 *   text   = *( byte / "%%{" / "%{" filter *( "|" filter ) "}" )
 *   filter = name [ "(" argument *( "," argument ) ")" ]       ; the first one may be a variable
 * Filters known: concat, default, domain, index, ldap_dn, literal, lower, reverse, substr, truncate, upper,
 * username. A "%" elsewhere is itself: "%u" is no variable there.
 *
 * What cannot be expanded is an error with the reason, never silently empty: unknown variables, conditions,
 * calculations, other hashes and encryption. Pure. */
#ifndef FMT_DOVECOT_VAR_H
#define FMT_DOVECOT_VAR_H

#include "base/buf.h"

enum {
    DOVECOT_VAR_MAX = 1 << 16, /* bytes of the value of one variable */
    DOVECOT_VAR_WIDTH_MAX = 10000,
    DOVECOT_VAR_MODIFIERS_MAX = 10,
    DOVECOT_VAR_ARGUMENTS_MAX = 8
};

struct dovecot_var_env {
    bool is_24;
    /* The value of a variable by its long name: "user", "env:HOME". It stays valid until the next call. RC_OK
     * also with an empty value. RC_GONE: there is no such variable. All else ends the expansion with that
     * code; the text in *e may be left empty. */
    enum rc (*find)(void *ctx, str name, str *ret, struct err *e);
    /* The long name of a letter of 2.3, p NULL: there is none. NULL: dovecot_var_long_name. */
    str (*long_name)(void *ctx, char letter);
    void *ctx;
    /* Appends the value of a variable, cut and changed as its modifiers say, so that it means nothing special
     * where it stands (SQL, LDAP). NULL: as it is. */
    void (*quote)(void *ctx, struct buf *out, str value);
    void *quote_ctx;
};

/* Appends the expansion to out, which is as before on failure. RC_INVALID: not the grammar; RC_GONE: an
 * unknown variable; RC_PERM: what malle does not know; RC_LIMIT: too large; or what find said. */
MUST_USE enum rc dovecot_var_expand(str text, const struct dovecot_var_env *env, struct buf *out,
                                    struct err *e);

/* Appends a text of 2.4 as 2.3 would have it: "%{user | username | lower}" is "%Ln". RC_PERM: what 2.3 has no
 * word for, and filters of attributes ("%{ldap:uid | lower}"); RC_INVALID; RC_LIMIT; out is as before then.
 */
MUST_USE enum rc dovecot_var_older(str text, struct buf *out, struct err *e);

/* The long name of a letter of 2.3, as "user" of 'u'; STR_NONE: there is none. */
str dovecot_var_long_name(char letter);

#endif
