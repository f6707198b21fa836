#include "role/forward_path.h"

#include "fmt/macro.h"

#include <errno.h>

enum { VALUE_MAX = 1024 };

struct names {
    const struct forward_user *user;
    str delimiter;
};

/* What came with an address keeps to a folder: there is no slash in a tag. */
static bool find_name(void *ctx, str name, str *ret)
{
    const struct names *n = ctx;
    if (str_eq(name, S("home")))
        *ret = str_c(n->user->home);
    else if (str_eq(name, S("user")) || str_eq(name, S("local")))
        *ret = n->user->user;
    else if (str_eq(name, S("extension")))
        *ret = str_chr(n->user->tag, '/') < 0 ? n->user->tag : STR_NONE;
    else if (str_eq(name, S("recipient_delimiter")))
        *ret = n->delimiter;
    return ret->n > 0;
}

/* Paths are separated by commas and blanks, but those within braces belong to them. */
static str take_path(str *rest)
{
    size_t i = 0, depth = 0;
    while (rest->n > 0 && strchr(", \t", rest->p[0]))
        *rest = str_from(*rest, 1);
    for (; i < rest->n && (depth > 0 || !strchr(", \t", rest->p[i])); i++) {
        if (rest->p[i] == '{')
            depth++;
        else if (rest->p[i] == '}' && depth > 0)
            depth--;
    }
    str one = str_sub(*rest, 0, i);
    *rest = str_from(*rest, i);
    return one;
}

static enum rc look(const char *path, struct stat *ret)
{
    if (lstat(path, ret) == 0)
        return RC_OK;
    return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG
               ? RC_GONE
               : RC_TEMP;
}

enum rc forward_path_find(const struct conf *c, const struct forward_user *u, struct buf *path,
                          struct stat *ret)
{
    struct names names = {.user = u, .delimiter = str_sub(str_c(c->recipient_delimiter), 0, 1)};
    const struct macro_env env = {.find = find_name, .ctx = &names};
    str rest = str_c(c->forward_path), one;
    enum rc rc = RC_GONE;
    while (rc == RC_GONE && (one = take_path(&rest)).n > 0) {
        bool undefined = false;
        buf_reset(path);
        if (macro_expand(one, &env, path, &undefined) != RC_OK || undefined ||
            !str_starts(buf_str(path), S("/")))
            continue;
        rc = look(buf_cstr(path), ret);
    }
    return rc;
}
