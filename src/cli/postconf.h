/* postconf: Postfix's postconf(1) over the same files, for `malle postconf` and programs that call it. */
#ifndef CLI_POSTCONF_H
#define CLI_POSTCONF_H

#include "base/arena.h"
#include "conf/postfix_names.h"
#include "fmt/postfix_main.h"
#include "fmt/postfix_master.h"

enum { POSTCONF_OVERRIDES_MAX = 200, POSTCONF_WIDTH = 80 /* of folded lines */ };

struct postconf {
    const char *folder;
    bool non_default, defaults, bare_values, bare_names, expand, fold;
    char mode; /* 'p': main.cf, 'M', 'F', 'P': master.cf; 'a', 'A', 'l', 'm', 'T': what is supported; 'b',
                  't': the words of notifications */
    const char *tls;                               /* -T: what of it */
    char edit;                                     /* 'e', 'X', '#': the file is changed; 0: it is printed */
    const char *class;                             /* -C; NULL: all parameters */
    const char *overrides[POSTCONF_OVERRIDES_MAX]; /* -o NAME=VALUE each */
    size_t n_overrides;
    char **names;
    int n_names;
    struct arena *a;
    str text; /* of the file */
    struct postfix_main main;
    struct postfix_master master;
    char machine_name[POSTFIX_NAME_SIZE];
};

/* What an argument of -M, -F or -P is about: "service[/type[/item]]", each of which may be "*", and with
 * "=value" what becomes of it. */
struct postconf_request {
    str service, type, item, value;
    bool has_type, met;
};
void postconf_request_parse(const struct postconf *p, const char *text, struct postconf_request *ret);
bool postconf_request_fits(const struct postconf_request *r, const struct postfix_service *s);

/* postconf_master.c: -M, -F and -P. */
void postconf_master(const struct postconf *p, struct buf *out);
/* One service as -M prints it. */
void postconf_put_service(const struct postconf *p, const struct postfix_service *s, struct buf *out);
/* Its seven fields and the command with arguments, as -F names and prints them. */
enum { POSTCONF_FIELDS = 8 };
extern const char *const postconf_field_names[POSTCONF_FIELDS];
void postconf_fields(const struct postconf *p, const struct postfix_service *s, str ret[POSTCONF_FIELDS]);

/* postconf_edit.c: -e, -X and -#: writes main.cf anew. Returns the exit status. */
int postconf_edit(const struct postconf *p);
/* Whether an argument can be one of a change, of either file: it is one line, no comment, and with -e names
 * what it sets; an error was printed otherwise. */
int postconf_check_edit(const struct postconf *p, const char *text);
/* postconf_master_edit.c: the same for master.cf. */
int postconf_master_edit(const struct postconf *p);
/* The file is replaced whole or not at all. */
int postconf_write(const struct postconf *p, const char *file, const struct buf *text);

/* postconf_templates.c: -b and -t, with the file that the command or main.cf names; -T. Return the exit
 * status. */
int postconf_templates(const struct postconf *p, struct buf *out);
int postconf_tls(const struct postconf *p, struct buf *out);

/* The value of a parameter, unexpanded; ctx: the struct postconf. */
bool postconf_find(void *ctx, str name, str *ret);
/* "name = value" in the shape that -h, -H and -f ask for. */
void postconf_put(const struct postconf *p, str name, str value, struct buf *out);
/* Prints "postconf: fatal: ..." and returns 1. */
int postconf_fatal(const char *fmt, ...) PRINTF(1, 2);

#endif
