/* No signature denies a piece of the text it was made of, and none is larger than it says. */
#include "fmt/textsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check(void *arg, str window)
{
    const struct buf *signature = arg;
    for (size_t at = 0; at < window.n; at += 7)
        must(textsig_may_hold(buf_str(signature), str_sub(window, at, 1 + at % 40)));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str raw = str_mem(data, size);
    struct foldtext t;
    AUTO(arena_freep) struct arena *a = arena_new(MIME_TREE_BYTES);
    AUTO(buf_deinit) struct buf signature = BUF_INIT(TEXTSIG_MAX);
    const struct mime_part *root = mime_tree(raw, a);
    foldtext_init(&t);
    textsig_put(&signature, &t, raw, root);
    must(signature.n >= TEXTSIG_MIN && (signature.n & (signature.n - 1)) == 0);
    (void)foldtext_each(&t, raw, root, BODYTEXT_ALL, size % 50, check, &signature);
    (void)textsig_may_hold(raw, S("any needle"));
    foldtext_deinit(&t);
    return 0;
}
