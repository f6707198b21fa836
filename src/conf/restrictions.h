/* restrictions: the settings that are lists of restrictions, and what can be told of them without a client.
 */
#ifndef CONF_RESTRICTIONS_H
#define CONF_RESTRICTIONS_H

#include "conf/conf.h"
#include "fmt/restriction.h"

/* The text of a list, and the option that it is the value of. */
str conf_restrictions(const struct conf *c, enum restriction_list which);
enum conf_option conf_restrictions_option(enum restriction_list which);
bool conf_any_restrictions(const struct conf *c); /* whether one of the lists has something in it */

/* Whether a client that nobody permitted anything is refused in this list at the latest: it has
 * reject_unauth_destination, or rejects or defers everything. What follows warn_if_reject does not count. */
bool conf_restrictions_guard(const struct conf *c, enum restriction_list which);

/* The list whose permits decide who may send to other servers: the first of relay and recipient that guards;
 * RESTRICTION_LISTS when both are empty. */
enum restriction_list conf_restrictions_deciding(const struct conf *c);

#endif
