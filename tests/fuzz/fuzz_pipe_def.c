/* pipe_transports as administrators write them: each definition keeps the contract, and the end is reached.
 */
#include "fmt/pipe_def.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pipe_def *d)
{
    must(d->name.n > 0 && d->name.n <= PIPE_NAME_MAX && d->user.n > 0);
    must(d->argc > 0 && d->argc <= PIPE_ARGS_MAX && str_starts(d->argv[0], S("/")));
    must(d->recipients >= 1 && d->recipients <= PIPE_RCPTS_MAX);
    must(!(d->flags & (PIPE_DELIVERED | PIPE_ORIGINAL)) || d->recipients == 1);
    must(d->directory.n == 0 || d->directory.p[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size), rest = text;
    struct pipe_def d, found;
    struct err e = {0};
    size_t before = SIZE_MAX;
    bool all = true;
    enum rc rc;
    while ((rc = pipe_def_take(&rest, &d, &e)) != RC_GONE) {
        must(rest.n < before);
        before = rest.n;
        all &= rc == RC_OK;
        must(rc == RC_OK || (rc == RC_INVALID && e.peer[0]));
        if (rc == RC_OK)
            check(&d);
        if (rc == RC_OK && all)
            must(pipe_def_find(text, d.name, &found) == RC_OK && str_eq(found.name, d.name));
    }
    if (pipe_def_program(text, &d) == RC_OK)
        must(d.user.n > 0 && d.argc > 0 && d.argc <= PIPE_ARGS_MAX && str_starts(d.argv[0], S("/")));
    return 0;
}
