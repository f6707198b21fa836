/* bounce_template: the words of notifications to senders, and files in which an administrator writes others,
 * as bounce(5) of Postfix has them.
 *
 *   file     = *( comment / blank / template )
 *   template = name "=" "<<" marker LF *( header LF ) [ LF *( line LF ) ] marker LF
 *   name     = "failure_template" / "delay_template" / "success_template" / "verify_template"
 *   header   = ( "Charset" / "From" / "Subject" / "Postmaster-Subject" ) ":" text      ; without case
 *
 * In lines "$name" stands for a setting, "$$" for "$". What a file does not say is as it is without the file.
 * Pure; views of the text. */
#ifndef FMT_BOUNCE_TEMPLATE_H
#define FMT_BOUNCE_TEMPLATE_H

#include "base/buf.h"

enum bounce_template_kind {
    BOUNCE_TEMPLATE_FAILURE,
    BOUNCE_TEMPLATE_DELAY,
    BOUNCE_TEMPLATE_SUCCESS,
    BOUNCE_TEMPLATE_VERIFY,
    BOUNCE_TEMPLATES
};

struct bounce_template {
    str charset, from, subject;
    str postmaster_subject; /* empty: postmasters are not told of this */
    str text;               /* whole lines, not expanded */
};

/* malle's own, by kind. */
extern const struct bounce_template bounce_template_own[BOUNCE_TEMPLATES];
/* "failure", "delay", "success", "verify" */
const char *bounce_template_name(enum bounce_template_kind kind);

/* Called with what is wrong; line 0: none is known. */
typedef void bounce_template_fault_fn(void *ctx, int line, const char *text);
/* ret: overwritten where the file says something; a template with a fault is left out. RC_INVALID: the file
 * is no file of templates at all. fn was told in any case. */
MUST_USE enum rc bounce_template_parse(str text, struct bounce_template ret[BOUNCE_TEMPLATES],
                                       bounce_template_fault_fn *fn, void *ctx);

/* As it stands in a file. */
void bounce_template_put(struct buf *out, enum bounce_template_kind kind, const struct bounce_template *t);

struct bounce_template_env {
    bool (*find)(void *ctx, str name, str *ret); /* false: there is no such setting */
    /* Of a setting that is a time, whose name may end in "_seconds", "_minutes", "_hours", "_days", "_weeks".
     */
    bool (*find_seconds)(void *ctx, str name, int64_t *ret);
    void *ctx;
};
/* RC_INVALID: there is an undefined name, *ret_line is the line with it; RC_LIMIT: out is full. */
MUST_USE enum rc bounce_template_expand(str text, const struct bounce_template_env *env, struct buf *out,
                                        str *ret_line);

#endif
