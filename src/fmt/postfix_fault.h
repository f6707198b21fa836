/* postfix_fault: what is wrong with lines of main.cf and master.cf. Pure. */
#ifndef FMT_POSTFIX_FAULT_H
#define FMT_POSTFIX_FAULT_H

#include "base/arena.h"

enum { POSTFIX_FAULTS_MAX = 1000, POSTFIX_FAULT_TEXT_MAX = 60 };

struct postfix_fault {
    int line;        /* the first physical line of the entry, from 1 */
    const char *why; /* a static text */
    str text;        /* the part that is meant, cut off after POSTFIX_FAULT_TEXT_MAX bytes; may be empty */
};
struct postfix_faults {
    struct postfix_fault *list;
    size_t n;
};

/* Copies the text into the arena. RC_LIMIT: POSTFIX_FAULTS_MAX of them, or no more memory. */
MUST_USE enum rc postfix_fault_add(struct postfix_faults *f, struct arena *a, int line, const char *why,
                                   str text);

#endif
