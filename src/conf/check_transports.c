/* The ways by which mail leaves: what settings name, and [transport NAME] sections. */
#include "conf/build.h"
#include "fmt/pipe_def.h"

/* Else all mail would wait for a transport that is not there. */
static void check_ways(struct conf_build *b)
{
    static const char *const builtin[] = {"smtp",  "relay", "lmtp",    "local", "virtual",
                                          "error", "retry", "discard", NULL};
    static const enum conf_option ways[] = {CONF_content_filter, CONF_default_transport, CONF_relay_transport,
                                            CONF_mailbox_transport, CONF_fallback_transport};
    const struct conf *c = b->conf;
    struct pipe_def pipe;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct conf_key *key = &conf_options.v[ways[i]];
        const struct conf_origin *o = &c->origin[ways[i]];
        str hop = str_c(*(const char *const *)(const void *)((const char *)c + key->offset));
        str transport = str_trim(str_take(&hop, ':'));
        if (transport.n && !conf_is_one_of(transport, builtin) && !conf_find_transport(c, transport) &&
            pipe_def_find(str_c(c->pipe_transports), transport, &pipe) != RC_OK)
            conf_error(b->report, o->file ? o->file : b->file, o->line,
                       "%s: there is no transport \"" STR_FMT "\"", key->name,
                       STR_ARG(str_sub(transport, 0, 60)));
    }
}

/* It stands in names of sites in front of a colon. */
static bool valid_transport_name(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_alnum(s.p[i]) && !strchr("-_.", s.p[i]))
            return false;
    return s.n > 0 && s.n <= CONF_TRANSPORT_NAME_MAX;
}

static void check_sections(struct conf_build *b)
{
    static const char *const others[] = {"local", "virtual", "error", "retry", "discard", NULL};
    const struct conf *c = b->conf;
    struct pipe_def pipe;
    for (size_t i = 0; i < c->transport_count; i++) {
        const struct conf_transport *t = &c->transports[i];
        const struct conf_section_lines *at = &b->transport_lines[i];
        bool is_pipe = pipe_def_find(str_c(c->pipe_transports), str_c(t->name), &pipe) != RC_GONE;
        bool is_lmtp = str_eq(str_c(t->name), S("lmtp")),
             is_smtp = str_eq(str_c(t->name), S("smtp")) || str_eq(str_c(t->name), S("relay"));
        if (!valid_transport_name(str_c(t->name)) || conf_is_one_of(str_c(t->name), others))
            conf_error(b->report, at->file, at->line, "\"%.60s\" cannot be the name of a transport", t->name);
        else if (is_pipe != (t->protocol == CONF_TRANSPORT_PIPE))
            conf_error(b->report, at->file, at->line,
                       is_pipe ? "the transport %.60s is in pipe_transports: it needs protocol = pipe"
                               : "the transport %.60s is not in pipe_transports",
                       t->name);
        else if ((is_lmtp && t->protocol != CONF_TRANSPORT_LMTP) ||
                 (is_smtp && t->protocol != CONF_TRANSPORT_SMTP))
            conf_error(b->report, at->file, at->line, "the transport %.60s cannot have this protocol",
                       t->name);
    }
}

void conf_check_transports(struct conf_build *b)
{
    check_sections(b);
    check_ways(b);
}
