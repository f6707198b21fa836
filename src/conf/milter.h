/* milter: the lists of mail filters in the configuration, smtpd_milters and its like, and what holds for each
 * of them: milter_..., unless it stands in braces with settings of its own
 * ("{ inet:127.0.0.1:8891, connect_timeout = 10s, default_action = accept }"). */
#ifndef CONF_MILTER_H
#define CONF_MILTER_H

#include "conf/conf.h"

struct conf_milter {
    str place; /* "inet:host:port" or "unix:/path" */
    int64_t connect_timeout_ms, command_timeout_ms, content_timeout_ms;
    enum conf_milter_action action;
    uint32_t version;  /* of the protocol */
    bool mute_headers; /* it does not answer header by header, whatever it says */
};

/* Takes the next one off a list; views of c and of the list. RC_GONE: no more; RC_INVALID with e: a place or
 * a setting that is none (the list goes on behind it, or is empty where a brace is not closed). */
MUST_USE enum rc conf_milter_take(const struct conf *c, str *list, struct conf_milter *ret, struct err *e);

/* One of milter_macro_defaults, "name=value" or "{name=value}", off the list. RC_GONE, RC_INVALID with e. */
MUST_USE enum rc conf_milter_take_default(str *list, str *ret_name, str *ret_value, struct err *e);

/* Whether a list of this configuration, or of one of its listeners, names the Unix socket. */
bool conf_milter_names_socket(const struct conf *c, str path);

#endif
