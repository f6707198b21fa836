/* Fields from a role that may be taken over, and variables filled in with them: what parses is written the
 * same again, and no name leaves its folder. */
#include "fmt/authdb_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t slashes(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '/';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_mem(data, size);
    struct arena *a = arena_new(64 * size + 65536); /* two readings, and room that each string wastes */
    struct buf out = BUF_INIT(4 * size + 100), path = BUF_INIT(4 * size + 100);
    struct authdb_fields f, again;
    if (authdb_fields_parse(text, a, &f) == RC_OK) {
        must(f.n <= AUTHDB_FIELDS_MAX);
        authdb_fields_put(&out, &f);
        must(authdb_fields_parse(buf_str(&out), a, &again) == RC_OK && again.n == f.n);
        for (size_t i = 0; i < f.n; i++)
            must(str_eq(f.v[i].name, again.v[i].name) && str_eq(f.v[i].value, again.v[i].value));
    }
    const struct authdb_vars vars = {.user = text, .original = text};
    if (authdb_expand(S("/m/%d/%n/x"), &(struct authdb_expansion){.vars = &vars, .is_path = true}, &path,
                      NULL) == RC_OK)
        must(slashes(buf_str(&path)) == 4 && str_find(buf_str(&path), S("/../")) < 0);
    buf_deinit(&path);
    buf_deinit(&out);
    arena_free(a);
    return 0;
}
