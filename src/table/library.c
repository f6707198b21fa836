/* dlopen and dlsym. */
#include "table/library.h"

#include <dlfcn.h>

enum rc library_load(struct table *t, const char *const *files, const char *package,
                     const struct library_symbol *symbols, void *ret, struct err *e)
{
    void *handle = NULL;
    for (size_t i = 0; files[i] && !handle; i++)
        handle = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return table_fail(t, e, RC_PERM, "%s is not there; install the package %s", files[0], package);
    for (; symbols->name; symbols++) {
        void *address = dlsym(handle, symbols->name);
        if (!address)
            return table_fail(t, e, RC_PERM, "%s has no %s", files[0], symbols->name);
        memcpy((char *)ret + symbols->offset, &address, sizeof address);
    }
    return RC_OK;
}
