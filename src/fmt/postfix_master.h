/* postfix_master: the text of Postfix's master.cf, as master(5) describes it.
 *
 *   service  = name type private unpriv chroot wakeup maxproc command *argument  ; white space between them
 *   type     = "inet" / "unix" / "unix-dgram" / "fifo" / "pass"
 *   private, unpriv, chroot = "y" / "n" / "-"
 *   wakeup   = seconds [ "?" ] / "-"
 *   maxproc  = number / "-"
 *   argument = word / "{" text "}"      ; a word may have white space in braces; of the latter, the text
 * counts
 *
 * "-" stands for the default. Lines are continued as in main.cf (fmt/postfix_main). The later of two services
 * of one name and type counts. Options ("-v", "-o name=value", "-vo name=value", "-oname=value") end with the
 * first argument that is none. Refused is what Postfix's master or postconf refuses, and numbers that are too
 * large. Views of the arena. Pure. */
#ifndef FMT_POSTFIX_MASTER_H
#define FMT_POSTFIX_MASTER_H

#include "base/buf.h"
#include "fmt/postfix_fault.h"

enum { POSTFIX_SERVICES_MAX = 2000, POSTFIX_ARGS_MAX = 20000, POSTFIX_NUMBER_MAX = INT32_MAX };
enum { POSTFIX_NOT_SET = -1 }; /* "-" in a field of numbers */

enum postfix_service_type { POSTFIX_INET, POSTFIX_UNIX, POSTFIX_UNIX_DGRAM, POSTFIX_FIFO, POSTFIX_PASS };
enum postfix_choice { POSTFIX_DEFAULT, POSTFIX_YES, POSTFIX_NO };

struct postfix_service {
    str name;
    enum postfix_service_type type;
    str host, port;                   /* of an inet service, without []; host may be empty */
    enum postfix_choice priv, unpriv; /* both are y by default */
    enum postfix_choice chroot;       /* n by default; y when compatibility_level is below 1 */
    int32_t wakeup_s;                 /* 0: never, the default */
    bool wakeup_when_used;            /* "?": not before the service was used */
    int32_t maxproc;                  /* 0: no limit; default_process_limit by default */
    str command;
    str *args;
    size_t n_args;
    int line;          /* the first physical line, from 1 */
    int overridden_by; /* the line of the service that counts instead; 0: this one counts */
};

struct postfix_master {
    struct postfix_service *services; /* in the order of the file */
    size_t n;
    struct postfix_faults faults; /* their services are left out; a wrong -o alone is left out */
};

/* All that the result points to lies in the arena. RC_LIMIT: too many services, arguments or faults, or more
 * than the arena takes; *ret is untouched then. */
MUST_USE enum rc postfix_master_parse(str text, struct arena *a, struct postfix_master *ret);
/* The service of this name and type that counts, NULL when there is none. Names are compared as they are
 * written: "smtp" is not "25". */
const struct postfix_service *postfix_master_find(const struct postfix_master *m, str name,
                                                  enum postfix_service_type type);

struct postfix_options {
    const struct postfix_service *service;
    size_t arg; /* at the end of the options: the first argument that is none */
    str letters;
    bool ended;
};
struct postfix_option {
    char letter;
    str value;          /* of "o" as it stands; else empty */
    str override_name;  /* of "o"; empty when value is not "name=value" */
    str override_value; /* not expanded: fmt/postfix_expand */
};

static inline struct postfix_options postfix_options_of(const struct postfix_service *s)
{
    return (struct postfix_options){.service = s};
}
/* The next option, one for each letter; false: no more. */
bool postfix_options_next(struct postfix_options *o, struct postfix_option *ret);
/* The next "-o name=value" with a name, in order; the last of a name counts. */
bool postfix_overrides_next(struct postfix_options *o, str *ret_name, str *ret_value);
/* The value of -o that counts for this name; false: it is not overridden. */
bool postfix_override_find(const struct postfix_service *s, str name, str *ret);

const char *postfix_service_type_name(enum postfix_service_type type);
/* Appends the service as one line, which postfix_master_parse reads back as the same. */
void postfix_service_format(const struct postfix_service *s, struct buf *out);

#endif
