/* From a file, a folder, from text, and from the command line to a finished conf. The only place in src/conf
 * that touches anything outside, with what reads a folder: files, and the machine's name. */
#include "base/arena.h"
#include "conf/folder.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20 };

/* "NAME=VALUE", or "KIND.NAME.KEY=VALUE" with the kind of a section; names of domains contain dots. */
static void apply_set(struct conf_build *b, str set)
{
    str value = set, name = str_trim(str_take(&value, '=')), rest = name, word = str_take(&rest, '.');
    enum conf_section_kind kind = conf_section_kind(word);
    ptrdiff_t dot = str_rchr(rest, '.');
    struct conf_section section = {CONF_SECTION_MAIN, 0};
    if (str_chr(set, '=') < 0) {
        conf_error(b->report, b->file, 0, "expected NAME=VALUE, found \"%.*s\"",
                   (int)(set.n < 60 ? set.n : 60), set.p);
        return;
    }
    if (kind != CONF_SECTION_UNKNOWN && dot > 0) {
        section = conf_build_section(b, kind, str_sub(rest, 0, (size_t)dot), 0);
        name = str_from(rest, (size_t)dot + 1);
    }
    conf_build_set(b, section, name, str_trim(value), 0);
}

/* Reads at most FILE_MAX bytes; false with the reason reported. */
static bool read_file(const char *path, struct buf *out, struct conf_report *report)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        conf_error(report, path, 0, "cannot be read: %s", strerror(errno));
        return false;
    }
    char *room = buf_room(out, 64 << 10);
    for (size_t n; room && (n = fread(room, 1, 64 << 10, f)) > 0; room = buf_room(out, 64 << 10))
        buf_added(out, n);
    int failure = ferror(f) ? errno : 0;
    fclose(f);
    if (failure)
        conf_error(report, path, 0, "cannot be read: %s", strerror(failure));
    else if (out->overflow)
        conf_error(report, path, 0, "is larger than %d MB", FILE_MAX >> 20);
    return !failure && !out->overflow;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

struct conf *conf_load(const char *path, const char *const *sets, size_t set_count,
                       struct conf_report *report)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(FILE_MAX);
    struct conf_build b;
    char name[256] = "";
    bool folder = is_folder(path);
    if (!folder && !read_file(path, &text, report))
        return NULL;
    conf_build_init(&b, report, "");
    str file = arena_str(b.conf->arena, str_c(path));
    must(file.p);
    b.file = file.p;
    if (folder)
        folder_read(&b, file.p);
    else
        conf_native_read(&b, buf_str(&text));
    b.file = "--set";
    for (size_t i = 0; i < set_count; i++)
        apply_set(&b, str_c(sets[i]));
    b.file = file.p;
    if (gethostname(name, sizeof name - 1) != 0)
        name[0] = '\0';
    return conf_build_finish(&b, name);
}

struct conf *conf_parse(str text, const char *file, struct conf_report *report)
{
    struct conf_build b;
    conf_build_init(&b, report, "");
    str name = arena_str(b.conf->arena, str_c(file));
    must(name.p);
    b.file = name.p;
    conf_native_read(&b, text);
    return conf_build_finish(&b, NULL);
}
