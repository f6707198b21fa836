/* Lines of a passwd-file. */
#include "fmt/passwd_file.h"

enum rc passwd_file_next(str *text, struct passwd_entry *ret)
{
    while (text->n > 0) {
        str line = str_take(text, '\n');
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == ':' || str_chr(line, '\0') >= 0)
            continue;
        struct passwd_entry entry = {.name = str_take(&line, ':')};
        entry.password = str_take(&line, ':');
        entry.uid = str_take(&line, ':');
        entry.gid = str_take(&line, ':');
        (void)str_take(&line, ':'); /* gecos */
        entry.home = str_take(&line, ':');
        (void)str_take(&line, ':'); /* shell */
        entry.extra = line;
        *ret = entry;
        return RC_OK;
    }
    return RC_GONE;
}

enum rc passwd_file_find(str text, str name, struct passwd_entry *ret)
{
    struct passwd_entry entry;
    while (passwd_file_next(&text, &entry) == RC_OK) {
        if (str_eq(entry.name, name)) {
            *ret = entry;
            return RC_OK;
        }
    }
    return RC_GONE;
}
