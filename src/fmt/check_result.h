/* check_result: the right-hand sides of header_checks(5) and body_checks.
 *
 *   result = action [ white text ]
 *
 * Actions are compared without case. Pure; the text is a view. */
#ifndef FMT_CHECK_RESULT_H
#define FMT_CHECK_RESULT_H

#include "base/str.h"

enum check_action {
    CHECK_DUNNO, /* also OK */
    CHECK_BCC,
    CHECK_DISCARD,
    CHECK_FILTER,
    CHECK_HOLD,
    CHECK_IGNORE,
    CHECK_INFO,
    CHECK_PASS,
    CHECK_PREPEND,
    CHECK_REDIRECT,
    CHECK_REJECT,
    CHECK_REPLACE,
    CHECK_STRIP,
    CHECK_WARN,
    CHECK_UNKNOWN
};

struct check_result {
    enum check_action action;
    /* REJECT: of the class 4 or 5, what the text begins with, else 5.7.1 */
    char enhanced[12];
    bool bad_status; /* it began with a status of another class, which became one of class 4 */
    str text;        /* behind the action, and behind the status of REJECT; may be empty */
};

void check_result_parse(str value, struct check_result *ret);

/* Whether a text has the form that this action needs, with the class of unit it is for: PREPEND and REPLACE
 * of a header "name: value", BCC and REDIRECT an address, FILTER transport:nexthop. NULL, or what it needs.
 */
const char *check_result_fault(const struct check_result *r, bool of_header);

#endif
