/* object_id: the id of a message's content (RFC 8474 §5.1), which copies share: the GUID that the uidlist
 * says of it (key G, as Dovecot keeps it), else a hash of the name under which it came. */
#include "base/map.h"
#include "fmt/uidlist.h"
#include "store/store_priv.h"

/* objectid = 1*255(ALPHA / DIGIT / "_" / "-") */
static bool is_object_id(str s)
{
    if (s.n == 0 || s.n > OBJECT_ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
            return false;
    return true;
}

str object_id(struct arena *a, str base, str fields)
{
    static const uint64_t keys[2][2] = {{0x6d616c6c652d6964, 1},
                                        {0x6d616c6c652d6964, 2}}; /* the same for ever */
    str guid = uidlist_field(fields, 'G');
    if (is_object_id(guid))
        return arena_str(a, guid);
    str source = guid.n ? guid : base;
    return arena_printf(a, "%016llx%016llx", (unsigned long long)map_siphash(keys[0], source),
                        (unsigned long long)map_siphash(keys[1], source));
}
