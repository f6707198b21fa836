/* From the name of a folder or file of Postfix or Dovecot to that of malle's settings. */
#include "cli/conf_path.h"

#include <sys/stat.h>
#include <unistd.h>

static const str files[] = {S("main.cf"), S("dovecot.conf")}, folders[] = {S("postfix"), S("dovecot")};

static bool is_one_of(str name, const str list[2])
{
    return str_eq(name, list[0]) || str_eq(name, list[1]);
}

static str last_part(str path)
{
    ptrdiff_t slash = str_rchr(path, '/');
    return slash < 0 ? path : str_from(path, (size_t)slash + 1);
}

static str without_slashes(str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

/* The folder that holds the path. */
static void put_above(str path, struct buf *ret)
{
    str last = last_part(path);
    if (str_eq(last, S(".")) || str_eq(last, S(".."))) {
        buf_printf(ret, STR_FMT "/..", STR_ARG(path));
        return;
    }
    str above = str_sub(path, 0, path.n - last.n);
    buf_puts(ret, above.n ? without_slashes(above) : S("."));
}

static bool has(str folder, const char *path)
{
    AUTO(buf_deinit) struct buf full = BUF_INIT(4096);
    buf_printf(&full, STR_FMT "/%s", STR_ARG(folder), path);
    return access(buf_cstr(&full), F_OK) == 0;
}

/* Whether it is one of Postfix's or Dovecot's, and not the one that holds these. */
static bool is_theirs(str folder)
{
    if (has(folder, "postfix/main.cf") || has(folder, "dovecot/dovecot.conf"))
        return false;
    return is_one_of(last_part(folder), folders) || has(folder, "main.cf") || has(folder, "dovecot.conf");
}

void conf_path_of(const char *given, struct buf *ret)
{
    struct stat st;
    str path = without_slashes(str_c(given));
    bool is_folder = stat(given, &st) == 0 && S_ISDIR(st.st_mode);
    buf_reset(ret);
    if (is_folder && is_theirs(path)) {
        put_above(path, ret);
    } else if (!is_folder && is_one_of(last_part(path), files)) {
        AUTO(buf_deinit) struct buf folder = BUF_INIT(4096);
        put_above(path, &folder);
        put_above(buf_str(&folder), ret);
    } else {
        buf_puts(ret, str_c(given));
    }
}
