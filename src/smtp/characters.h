/* characters: those that a message may not have, and those that are taken out of it
 * (message_reject_characters, message_strip_characters), before anything else looks at its content. A line's
 * end is none of them. */
#ifndef SMTP_CHARACTERS_H
#define SMTP_CHARACTERS_H

#include "base/str.h"

#include <stdint.h>

struct smtp_characters {
    bool any;
    uint8_t rejected[32], stripped[32]; /* a bit for each byte */
};

/* Texts of characters, with C's escapes: "\\0", "\\001", "\\t", "\\\\". */
void smtp_characters_init(struct smtp_characters *c, str rejected, str stripped);

/* False: there is one that may not be. *text becomes what is left of it, in out, which has as much room. */
bool smtp_characters_pass(const struct smtp_characters *c, str *text, char *out);

#endif
