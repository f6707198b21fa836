/* resolver_impl: what the files of the resolver share. */
#ifndef NET_RESOLVER_IMPL_H
#define NET_RESOLVER_IMPL_H

#include "net/answer_cache.h"
#include "net/hosts.h"
#include "net/resolver.h"

#include <stdatomic.h>

struct ub_ctx;

struct resolver {
    struct ub_ctx *library;
    struct answer_cache *cache;
    struct hosts *hosts;
    atomic_bool started;
};

#endif
