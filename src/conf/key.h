/* key: one option or section key at run time (a row of options.def), and its values as text.
 * Internal to src/conf and to the commands that list options. */
#ifndef CONF_KEY_H
#define CONF_KEY_H

#include "conf/conf.h"

enum conf_type {
    CONF_TYPE_STR,
    CONF_TYPE_PATH,
    CONF_TYPE_BOOL,
    CONF_TYPE_INT,
    CONF_TYPE_MODE,
    CONF_TYPE_ENUM,
    CONF_TYPE_SIZE,
    CONF_TYPE_DURATION,
    CONF_TYPE_LIST
};

struct conf_key {
    const char *name;
    enum conf_type type;
    size_t offset; /* of the member in struct conf, conf_listener, conf_transport or conf_domain */
    const char *initial, *min, *max;
    bool reloadable, per_listener, per_transport; /* may stand in [listener NAME], [transport NAME], too */
    const char *postfix, *dovecot;
};

struct conf_keys {
    const struct conf_key *v;
    size_t n;
};
extern const struct conf_keys conf_options; /* indexed by enum conf_option */
extern const struct conf_keys conf_listener_keys;
extern const struct conf_keys conf_transport_keys;
extern const struct conf_keys conf_domain_keys;

const struct conf_key *conf_key_find(struct conf_keys keys, str name); /* NULL when there is none */

/* The name that was probably meant: one whose foreign name this is, else the nearest by edit distance, else
 * NULL. */
const char *conf_key_nearest(struct conf_keys keys, str name);
/* Edit distance with transpositions (optimal string alignment) of names of at most 64 bytes; longer ones: 64.
 */
size_t conf_edit_distance(str a, str b);

/* Sets the member of *base from text (without comment; quotes are understood here). Texts are allocated in a.
 * RC_INVALID, with the reason in e->peer, when it is not a value of the type or outside its limits. */
MUST_USE enum rc conf_value_set(struct arena *a, const struct conf_key *key, void *base, str text,
                                struct err *e);
/* Writes a text, quoted where the reader would otherwise see something else; special: what ends it besides.
 */
void conf_value_quote(str s, const char *special, struct buf *out);
/* Writes the value such that conf_value_set reads it back. */
void conf_value_format(const struct conf_key *key, const void *base, struct buf *out);

/* Names of the listeners that malle has by itself, by index; NULL past the last one. */
const char *conf_builtin_listener(size_t index);

#endif
