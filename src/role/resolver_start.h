/* resolver_start: the resolver of a role, made from its settings. Both end the process on failure. */
#ifndef ROLE_RESOLVER_START_H
#define ROLE_RESOLVER_START_H

#include "conf/conf.h"
#include "net/resolver.h"

struct resolver *role_resolver_new(const struct conf *c); /* before the sandbox */
void role_resolver_start(struct resolver *r);             /* after it */

#endif
