/* aliases: a file in the format of aliases(5). A name gives what stands behind its colon; the text of each
 * file that the entries include, or that those files include, is the value of ":include:/path". So whoever
 * asks the table needs no way to the files.
 *
 * What cannot be read, or could have been written by others than its owner, is warned of and has no value:
 * the aliases that include it cannot be followed then. */
#include "table/table_impl.h"

#include "fmt/aliases.h"
#include "os/file.h"
#include "table/fold.h"

#include <errno.h>
#include <fcntl.h>

enum { INCLUDES_DEEP_MAX = 10, INCLUDES_MAX = 1000, ENTRY_ARENA = 64 << 20 };

struct alias_file {
    struct table_texts *texts;
    unsigned includes; /* files that were looked at */
    size_t room;       /* bytes that the files may still have */
};

/* Opens a file that only its owner can have written; -1 after a warning. */
static int open_include(struct table *t, str path)
{
    struct stat st = {0};
    AUTO(str_freep) char *name = str_dup(path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    const char *problem = NULL;
    if (fd < 0 || fstat(fd, &st) != 0)
        problem = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        problem = "it is no file";
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        problem = "its group or others may write it";
    table_remember_file(t, path, &st);
    if (!problem)
        return fd;
    table_warn(t, ":include:%.150s is not read: %s", name, problem);
    fd_closep(&fd);
    return -1;
}

static void add_includes(struct table *t, const struct alias *alias, unsigned deep);

static void add_include(struct table *t, str path, unsigned deep)
{
    struct alias_file *f = t->state;
    struct alias alias;
    struct err e;
    AUTO(arena_freep) struct arena *a = arena_new(ENTRY_ARENA);
    AUTO(buf_deinit) struct buf text = BUF_INIT(f->room);
    str key = arena_printf(a, ":include:" STR_FMT, STR_ARG(path));
    if (arena_exhausted(a) || table_texts_find(f->texts, key))
        return;
    if (deep == INCLUDES_DEEP_MAX || f->includes++ == INCLUDES_MAX) {
        table_warn(t, STR_FMT " is not read: too many files include each other", STR_ARG(key));
        return;
    }
    AUTO(fd_closep) int fd = open_include(t, path);
    if (fd < 0)
        return;
    if (fd_read_all(fd, &text) != RC_OK) {
        table_warn(t, STR_FMT " is not read: it is too large, or the disk fails", STR_ARG(key));
    } else if (aliases_parse_targets(buf_str(&text), a, &alias, &e) != RC_OK) {
        table_warn(t, STR_FMT " is not read: %s", STR_ARG(key), e.peer);
    } else {
        table_texts_put(f->texts, key, buf_str(&text), false);
        f->room -= text.n;
        add_includes(t, &alias, deep + 1);
    }
}

static void add_includes(struct table *t, const struct alias *alias, unsigned deep)
{
    for (size_t i = 0; i < alias->count; i++)
        if (alias->targets[i].kind == ALIAS_INCLUDE)
            add_include(t, alias->targets[i].text, deep);
}

static void add_entry(struct table *t, const struct alias *alias)
{
    struct alias_file *f = t->state;
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * ALIASES_TEXT_MAX);
    must(table_fold(alias->name, &folded) == RC_OK);
    if (!table_texts_put(f->texts, buf_str(&folded), alias->text, false))
        table_warn(t, "line %zu: duplicate entry: \"" STR_FMT "\"", alias->line,
                   STR_ARG(str_sub(alias->name, 0, 200)));
    else
        add_includes(t, alias, 0);
}

static enum rc open_aliases(struct table *t, str name, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(t->env.file_max);
    AUTO(arena_freep) struct arena *a = arena_new(ENTRY_ARENA);
    struct alias_file *f = calloc(1, sizeof *f);
    struct alias alias;
    struct err why;
    must(f);
    *f = (struct alias_file){.texts = table_texts_new(), .room = t->env.file_max};
    t->state = f;
    enum rc rc = table_read_file(t, name, &text, e);
    if (rc != RC_OK)
        return rc;
    struct aliases_iter it = aliases_iter(buf_str(&text));
    while ((rc = aliases_next(&it, a, &alias, &why)) != RC_GONE) {
        if (rc == RC_OK)
            add_entry(t, &alias);
        else
            table_warn(t, "skipped: %s", why.peer);
        arena_reset(a);
    }
    return RC_OK;
}

static enum rc find_alias(struct table *t, str key, struct arena *a, str *ret, struct err *e)
{
    const struct alias_file *f = t->state;
    AUTO(buf_deinit) struct buf folded = BUF_INIT(3 * TABLE_KEY_MAX);
    if (!str_starts(key, S(":include:"))) { /* paths keep their case */
        if (table_fold(key, &folded) != RC_OK)
            return RC_GONE;
        key = buf_str(&folded);
    }
    const char *value = table_texts_find(f->texts, key);
    return value ? table_give(t, str_c(value), a, ret, e) : RC_GONE;
}

static void close_aliases(struct table *t)
{
    struct alias_file *f = t->state;
    if (f)
        table_texts_free(f->texts);
    free(f);
}

const struct table_type table_aliases = {"aliases", false, false, open_aliases, find_alias, close_aliases};
