#include "conf/checks.h"

#include "conf/key.h"

static const enum conf_option options[CONF_CHECKS] = {[CHECK_STREAM_HEADER] = CONF_header_checks,
                                                      [CHECK_STREAM_MIME] = CONF_mime_header_checks,
                                                      [CHECK_STREAM_NESTED] = CONF_nested_header_checks,
                                                      [CHECK_STREAM_BODY] = CONF_body_checks};

enum conf_option conf_checks_option(enum check_stream_kind which)
{
    return options[which];
}

str conf_checks(const struct conf *c, enum check_stream_kind which)
{
    const struct conf_key *key = &conf_options.v[options[which]];
    str value = str_c(*(const char *const *)(const void *)((const char *)c + key->offset));
    return str_eq(value, S("$header_checks")) ? str_c(c->header_checks) : value;
}
