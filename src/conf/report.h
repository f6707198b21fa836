/* Adding to a struct conf_report: src/conf, and those who check what the settings name. */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "conf/conf.h"

/* line 0 is none. The text is one sentence without a full stop; it is cut at the size of the issue. */
void conf_report_add(struct conf_report *r, bool warning, const char *file, int line, const char *fmt, ...)
    PRINTF(5, 6);

#define conf_error(r, file, line, ...)   conf_report_add((r), false, (file), (line), __VA_ARGS__)
#define conf_warning(r, file, line, ...) conf_report_add((r), true, (file), (line), __VA_ARGS__)

#endif
