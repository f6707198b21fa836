/* The rows of options.def at run time, and how names are looked up. A name that is not there is answered with
 * the one that was probably meant: first by its name in Postfix or Dovecot, then by edit distance. */
#include "conf/key.h"

#define OFFSET_STR(s, name)      offsetof(s, name)
#define OFFSET_PATH(s, name)     offsetof(s, name)
#define OFFSET_BOOL(s, name)     offsetof(s, name)
#define OFFSET_INT(s, name)      offsetof(s, name)
#define OFFSET_MODE(s, name)     offsetof(s, name)
#define OFFSET_ENUM(s, name)     offsetof(s, name)
#define OFFSET_SIZE(s, name)     offsetof(s, name)
#define OFFSET_DURATION(s, name) offsetof(s, name##_ms)
#define OFFSET_LIST(s, name)     offsetof(s, name)
#define RELOAD                   true, false, false
#define RESTART                  false, false, false
#define SESSION                  true, true, false
#define TRANSPORT                true, false, true
#define SECTION                  true, true, true

static const struct conf_key options[] = {
#define OPTION(name, type, initial, min, max, reload, postfix, dovecot, help) \
    {#name, CONF_TYPE_##type, OFFSET_##type(struct conf, name), initial, min, max, reload, postfix, dovecot},
#include "conf/options.def"
};

static const struct conf_key listener_keys[] = {
#define LISTENER_KEY(name, type, initial, min, max, help) \
    {#name, CONF_TYPE_##type, OFFSET_##type(struct conf_listener, name), initial, min, max, RESTART, "", ""},
#include "conf/options.def"
};

static const struct conf_key transport_keys[] = {
#define TRANSPORT_KEY(name, type, initial, min, max, help) \
    {#name, CONF_TYPE_##type, OFFSET_##type(struct conf_transport, name), initial, min, max, RELOAD, "", ""},
#include "conf/options.def"
};

static const struct conf_key domain_keys[] = {
#define DOMAIN_KEY(name, type, initial, min, max, help) \
    {#name, CONF_TYPE_##type, OFFSET_##type(struct conf_domain, name), initial, min, max, RELOAD, "", ""},
#include "conf/options.def"
};

#define KEYS(array)                               \
    {                                             \
        (array), sizeof(array) / sizeof(*(array)) \
    }
const struct conf_keys conf_options = KEYS(options);
const struct conf_keys conf_listener_keys = KEYS(listener_keys);
const struct conf_keys conf_transport_keys = KEYS(transport_keys);
const struct conf_keys conf_domain_keys = KEYS(domain_keys);

const struct conf_key *conf_key_find(struct conf_keys keys, str name)
{
    for (size_t i = 0; i < keys.n; i++)
        if (str_eq(name, str_c(keys.v[i].name)))
            return &keys.v[i];
    return NULL;
}

enum { NAME_MAX_LEN = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t conf_edit_distance(str a, str b)
{
    /* three rows of the table are enough, because a transposition looks back two */
    size_t row[3][NAME_MAX_LEN + 1];
    if (a.n > NAME_MAX_LEN || b.n > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t swap = before[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            now[j] = least(swap, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return row[a.n % 3][b.n];
}

const char *conf_key_nearest(struct conf_keys keys, str name)
{
    const char *found = NULL;
    size_t best = name.n / 3 + 2; /* farther away it is a guess that misleads */
    for (size_t i = 0; i < keys.n; i++)
        if (name.n && (str_eq(name, str_c(keys.v[i].postfix)) || str_eq(name, str_c(keys.v[i].dovecot))))
            return keys.v[i].name;
    for (size_t i = 0; i < keys.n; i++) {
        size_t distance = conf_edit_distance(name, str_c(keys.v[i].name));
        if (distance < best) {
            best = distance;
            found = keys.v[i].name;
        }
    }
    return found;
}
