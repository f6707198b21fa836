/* A passwd-file and a name, which is the first line: what is found is an entry of that name, and the first
 * one. */
#include "fmt/passwd_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size), name = str_take(&text, '\n'), rest = text;
    struct passwd_entry found, e;
    bool there = passwd_file_find(text, name, &found) == RC_OK, met = false;
    while (passwd_file_next(&rest, &e) == RC_OK) {
        must(e.name.n > 0 && str_chr(e.name, ':') < 0 && str_chr(e.name, '\n') < 0 && e.name.p[0] != '#');
        must(str_chr(e.password, ':') < 0 && str_chr(e.home, ':') < 0 && str_chr(e.extra, '\n') < 0);
        if (!met && str_eq(e.name, name)) {
            met = true;
            must(there && found.password.p == e.password.p && found.extra.p == e.extra.p);
        }
    }
    must(met == there);
    return 0;
}
