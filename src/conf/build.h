/* build: a conf while it is being put together from assignments, whatever dialect they come from.
 * Internal to src/conf: native.c reads lines and calls these, then conf_build_finish checks the whole. */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf/key.h"
#include "conf/report.h"

enum conf_section_kind {
    CONF_SECTION_MAIN,
    CONF_SECTION_LISTENER,
    CONF_SECTION_TRANSPORT,
    CONF_SECTION_DOMAIN,
    CONF_SECTION_UNKNOWN /* its header was reported; assignments in it are skipped */
};

struct conf_section {
    enum conf_section_kind kind;
    size_t index; /* into listeners, transports or domains below */
};

enum { CONF_SECTION_KEYS_MAX = 16 };

/* Where each key of a section was set (0: not), and where the section begins. */
struct conf_section_lines {
    int key[CONF_SECTION_KEYS_MAX];
    const char *file;
    int line;
    bool builtin; /* malle has this listener by itself */
};

struct conf_build {
    struct conf *conf;
    struct conf_report *report;
    const char *file; /* of the assignments that come next */
    struct conf_section_lines *listener_lines, *transport_lines,
        *domain_lines; /* parallel to conf->listeners, conf->transports, conf->domain_sections */
};

/* Starts with all defaults and the built-in listeners. file lives as long as b. */
void conf_build_init(struct conf_build *b, struct conf_report *report, const char *file);

/* The kind that is called so; CONF_SECTION_UNKNOWN: none. */
enum conf_section_kind conf_section_kind(str word);
/* Opens the section of this kind and name, making it when it is new. */
struct conf_section conf_build_section(struct conf_build *b, enum conf_section_kind kind, str name, int line);

/* One assignment; whatever is wrong with it goes to the report. line 0 is the command line, which overrides
 * silently. */
void conf_build_set(struct conf_build *b, struct conf_section section, str name, str value, int line);

/* Checks what no single assignment can know and completes listeners and domains. machine_name stands in for a
 * missing hostname; NULL when there is none. Gives the conf, or NULL (everything freed) when the report has
 * errors. */
struct conf *conf_build_finish(struct conf_build *b, const char *machine_name);

/* Reads text in the native dialect into b. */
void conf_native_read(struct conf_build *b, str text);

/* The parts of conf_build_finish: whole listeners (listener.c), what they and transports alone have
 * (section_own.c), and rules over the values (check.c). */
void conf_listeners_init(struct conf_build *b);
void conf_listeners_finish(struct conf_build *b);
void conf_sections_own(struct conf_build *b);
void conf_check(struct conf_build *b);
void conf_check_restrictions(struct conf_build *b); /* check_restrictions.c */
void conf_check_listeners(struct conf_build *b);    /* listener.c */
void conf_check_gate(struct conf_build *b);         /* check_gate.c */
void conf_check_shared(struct conf_build *b);       /* check_shared.c */
void conf_check_commands(struct conf_build *b);     /* check_commands.c */
void conf_check_milters(struct conf_build *b);      /* check_milters.c */
void conf_check_logs(struct conf_build *b);         /* conf/check_logs.c */
void conf_check_databases(struct conf_build *b);    /* check_databases.c */
void conf_check_transports(struct conf_build *b);   /* check_transports.c */
/* Whether it is one of the words, of which NULL is the last. */
bool conf_is_one_of(str s, const char *const *words);
void conf_check_quota(struct conf_build *b); /* quota.c */

#endif
