/* dovecot_line: one line of Dovecot's configuration, of the syntax of 2.3 and of 2.4.
 *
 *   line    = setting / open / "}" / ( "!include" / "!include_try" ) white pattern
 *   setting = key [white] "=" [white] ( "<" [white] path / quoted / text )
 *   open    = kind white [ name white ] "{"        ; a name may stand in double quotes
 *   open    =/ "group" white "@" label white name white "{"                  ; 2.4
 *
 * "#" outside of quotes begins a comment. A backslash at the end, in front of a comment too, joins the next
 * line with one space. White is space and tab. */
#ifndef FMT_DOVECOT_LINE_H
#define FMT_DOVECOT_LINE_H

#include "base/arena.h"

enum dovecot_line_type {
    DOVECOT_LINE_SETTING,
    DOVECOT_LINE_OPEN,
    DOVECOT_LINE_CLOSE,
    DOVECOT_LINE_INCLUDE,
    DOVECOT_LINE_INCLUDE_TRY,
    DOVECOT_LINE_BROKEN
};

enum dovecot_value_kind {
    DOVECOT_PLAIN,
    DOVECOT_QUOTED, /* stood in quotes: "<" and "$" mean themselves */
    DOVECOT_FILE    /* "<path": the content of that file is meant; the value is the path */
};

struct dovecot_line {
    enum dovecot_line_type type;
    str key;                      /* the name of the setting, the kind of the block */
    str value;                    /* of the setting; the name of the block; the pattern of the include */
    enum dovecot_value_kind kind; /* of a setting */
    const char *problem;          /* BROKEN: what Dovecot would say */
    bool opens;                   /* BROKEN: a block seems to begin here, a "}" will follow */
};

struct dovecot_part { /* a physical line without its comment */
    str text;         /* "" when the line does not count */
    bool ambiguous;   /* the "#" of the comment has no white space in front */
    bool continues;   /* a backslash stood behind the text */
};

/* Of a physical line without its line end. */
struct dovecot_part dovecot_line_part(str line);

/* Of a logical line, which is not empty. Views of the line; what had backslashes lives in the arena. */
struct dovecot_line dovecot_line_parse(str line, bool is_24, struct arena *a);

/* Without white space at both ends. */
str dovecot_line_trim(str s);

#endif
