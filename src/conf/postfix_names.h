/* postfix_names: the values that Postfix finds out by itself. */
#ifndef CONF_POSTFIX_NAMES_H
#define CONF_POSTFIX_NAMES_H

#include "fmt/postfix_main.h"

enum { POSTFIX_NAME_SIZE = 320 };

/* The machine's own name, with ".localdomain" where it has no dot. */
void postfix_machine_name(char ret[POSTFIX_NAME_SIZE]);

/* The value of myhostname, mydomain or mynetworks where main.cf (NULL: none) does not set it; false: another
 * name. A view of main.cf, of machine or of a literal. Of the machine's networks none is trusted. */
bool postfix_computed(const struct postfix_main *main, const char *machine, str name, str *ret);

/* Whether some value of main.cf names it, as people do with names of their own. */
bool postfix_is_used(const struct postfix_main *main, str name);

#endif
