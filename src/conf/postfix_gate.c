/* A postscreen of master.cf is the gate before its listener. Most of its parameters have an option of the
 * same meaning; here is what has not. */
#include "conf/postfix.h"
#include "conf/report.h"

/* Where this service alone says something else, for its listener; else for all. */
static struct conf_section section_of(const struct postfix *p, const char *name, struct conf_section l)
{
    str value;
    return postfix_override_find(p->service, str_c(name), &value)
               ? l
               : (struct conf_section){CONF_SECTION_MAIN, 0};
}

static void set_banner(struct postfix *p, struct conf_section l)
{
    struct postfix_value v = postfix_value(p, "postscreen_greet_banner");
    struct conf_section s = section_of(p, "postscreen_greet_banner", l);
    bool as_greeting = str_eq(v.text, postfix_value(p, "smtpd_banner").text);
    if (!v.text.n)
        folder_set_in(p->f, s, v.file, v.line, "gate_greet_teaser", S("no"));
    else if (!as_greeting)
        folder_set_in(p->f, s, v.file, v.line, "gate_greet_banner", v.text);
}

/* postscreen itself evaluates this parameter a second time, for when it is under load. */
static void set_wait(struct postfix *p, struct conf_section l)
{
    const char *name = "postscreen_greet_wait";
    struct postfix_value v = postfix_value(p, name);
    struct conf_section s = section_of(p, name, l);
    postfix_set_same(p, s, name, "gate_greet_wait", &v);
    p->stress = true;
    v = postfix_value(p, name);
    p->stress = false;
    postfix_set_same(p, s, name, "gate_stress_greet_wait", &v);
}

/* malle has a cache of its own, in state_dir; only that there is none can be said. */
static void set_cache(struct postfix *p)
{
    struct postfix_value v = postfix_value(p, "postscreen_cache_map");
    if (!v.text.n)
        folder_set(p->f, v.file, v.line, "gate_cache_size", S("0"));
}

void postfix_set_gate(struct postfix *p, struct conf_section l)
{
    folder_set_in(p->f, l, p->master_file, p->service->line, "gate", S("yes"));
    set_banner(p, l);
    set_wait(p, l);
    set_cache(p);
    postfix_take_overrides(p, l);
}
