/* Anonymous mappings that neither fork nor core dumps copy. */
#include "os/secret_pages.h"

#include "base/err.h"
#include "os/crypto.h"

#include <sys/mman.h>

void *secret_pages_new(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(p != MAP_FAILED);
    must(madvise(p, size, MADV_DONTFORK) == 0);
    must(madvise(p, size, MADV_DONTDUMP) == 0);
    return p;
}

void *secret_pages_free(void *p, size_t size)
{
    if (p) {
        crypto_wipe(p, size);
        must(munmap(p, size) == 0);
    }
    return NULL;
}
