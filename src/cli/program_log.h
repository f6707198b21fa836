/* program_log: what programs of Postfix write to the log, in Postfix's words: "postfix/NAME[pid]: warning:
 * TEXT". On a terminal it is also shown on standard error. */
#ifndef CLI_PROGRAM_LOG_H
#define CLI_PROGRAM_LOG_H

#include "cli/cli.h"

enum program_severity { PROGRAM_INFO, PROGRAM_WARN, PROGRAM_ERROR, PROGRAM_FATAL, PROGRAM_PANIC };

/* "info", "warn", "warning", "error", "err", "fatal", "crit", "panic" in any case. RC_INVALID: none of these.
 */
MUST_USE enum rc program_severity_parse(str name, enum program_severity *ret);

/* Opens log_target, once, before anything is logged; tag is copied. Where it cannot be opened, lines go to
 * standard error. */
void program_log_open(const struct conf *c, const char *tag);
void program_log(enum program_severity severity, const char *fmt, ...) PRINTF(2, 3);
/* PROGRAM_FATAL, and the status that Postfix's programs end with then. */
int program_fatal(const char *fmt, ...) PRINTF(1, 2);
/* What was done: shown on standard error under the program's own name, terminal or not, and logged. */
void program_done(const char *fmt, ...) PRINTF(1, 2);

#endif
