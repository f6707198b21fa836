/* special_use: RFC 6154 §2. */
#include "imap/special_use.h"

static const str NAMES[] = {
    [USE_NONE] = S(""),           [USE_ALL] = S("\\All"),         [USE_ARCHIVE] = S("\\Archive"),
    [USE_DRAFTS] = S("\\Drafts"), [USE_FLAGGED] = S("\\Flagged"), [USE_JUNK] = S("\\Junk"),
    [USE_SENT] = S("\\Sent"),     [USE_TRASH] = S("\\Trash"),
};

str imap_special_use_name(enum special_use use)
{
    return NAMES[use];
}

bool imap_special_use_find(str attribute, enum special_use *ret)
{
    for (size_t i = USE_ALL; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_ieq(attribute, NAMES[i])) {
            *ret = (enum special_use)i;
            return true;
        }
    return false;
}
