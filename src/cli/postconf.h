/* postconf: Postfix's postconf(1) over the same files, for `malle postconf` and programs that call it. */
#ifndef CLI_POSTCONF_H
#define CLI_POSTCONF_H

#include "base/arena.h"
#include "conf/postfix_names.h"
#include "fmt/postfix_main.h"
#include "fmt/postfix_master.h"

struct postconf {
    const char *folder;
    bool non_default, defaults, bare_values, bare_names, expand, fold;
    char mode; /* 'p': main.cf, 'M', 'F', 'P': master.cf, 'e', 'X', '#': edit main.cf */
    char **names;
    int n_names;
    struct arena *a;
    str main_text;
    struct postfix_main main;
    struct postfix_master master;
    char machine_name[POSTFIX_NAME_SIZE];
};

/* postconf_master.c: -M, -F and -P. */
void postconf_master(const struct postconf *p, struct buf *out);
/* postconf_edit.c: -e, -X and -#: writes main.cf anew. Returns the exit status. */
int postconf_edit(const struct postconf *p);

/* "name = value" in the shape that -h, -H and -f ask for. */
void postconf_put(const struct postconf *p, str name, str value, struct buf *out);
/* Prints "postconf: fatal: ..." and returns 1. */
int postconf_fatal(const char *fmt, ...) PRINTF(1, 2);

#endif
