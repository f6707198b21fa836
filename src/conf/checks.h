/* checks: the settings that name tables for the content of mail, header_checks(5) and its like. */
#ifndef CONF_CHECKS_H
#define CONF_CHECKS_H

#include "conf/conf.h"
#include "fmt/check_stream.h"

enum { CONF_CHECKS = CHECK_STREAM_BODY + 1 };

/* The tables for mail that comes in, and the option that they are the value of. "$header_checks" as value of
 * another one stands for the same tables. */
str conf_checks(const struct conf *c, enum check_stream_kind which);
enum conf_option conf_checks_option(enum check_stream_kind which);

#endif
