/* pipe_def: the value of pipe_transports, which names programs that mail is piped to, after pipe(8).
 *
 *   value      = [ definition *( ";" definition ) ]
 *   definition = name 1*WSP *( attribute 1*WSP ) "argv=" words
 *   attribute  = "user=" user [ ":" group ] / "flags=" *( "." / "B" / "D" / "F" / "O" / "R" / "X" / "h" / "q"
 * / "u" / ">" ) / "size=" n / "recipients=" n / "null_sender=" text / "directory=" path words      = word *(
 * 1*WSP word ) ; a word in braces "{ }" may have white space and ";"
 *
 * "^" and other flags of Postfix that malle does not know are refused. Views of the value. Pure. */
#ifndef FMT_PIPE_DEF_H
#define FMT_PIPE_DEF_H

#include "base/str.h"

enum { PIPE_ARGS_MAX = 64, PIPE_NAME_MAX = 32, PIPE_RCPTS_MAX = 50 };

enum pipe_flag {
    PIPE_BLANK_LINE = 1,    /* B: an empty line at the end */
    PIPE_DELIVERED = 2,     /* D: Delivered-To in front; one recipient a call */
    PIPE_FROM_LINE = 4,     /* F: "From sender time" in front */
    PIPE_ORIGINAL = 8,      /* O: X-Original-To in front; one recipient a call */
    PIPE_RETURN_PATH = 16,  /* R: Return-Path in front */
    PIPE_FINAL = 32,        /* X: it is a final delivery, for notifications */
    PIPE_FOLD_DOMAIN = 64,  /* h: domains and next hops in lower case */
    PIPE_QUOTE_LOCAL = 128, /* q: addresses quoted as in a header */
    PIPE_FOLD_USER = 256,   /* u: local parts in lower case */
    PIPE_DOTS = 512,        /* .: a dot more in front of lines that begin with one */
    PIPE_QUOTE_FROM = 1024  /* >: ">" in front of lines that begin with "From " */
};

struct pipe_def {
    str name, user, group; /* group may be empty: the user's */
    str directory;         /* where it is started; may be empty */
    str null_sender;       /* what ${sender} is for <>: MAILER-DAEMON when not given */
    unsigned flags;
    uint64_t size_max; /* bytes; 0: any */
    unsigned recipients;
    str argv[PIPE_ARGS_MAX]; /* without braces */
    size_t argc;
};

/* The next definition off the front of *rest. RC_GONE: there is none; RC_INVALID with e, a text for the
 * administrator, and *rest is behind it. */
MUST_USE enum rc pipe_def_take(str *rest, struct pipe_def *ret, struct err *e);
/* "user=USER[:GROUP] argv=words" alone, as a listener has it: no name and no other attributes. RC_INVALID. */
MUST_USE enum rc pipe_def_program(str text, struct pipe_def *ret);
/* The definition of this name; RC_GONE, RC_INVALID. */
MUST_USE enum rc pipe_def_find(str value, str name, struct pipe_def *ret);

#endif
