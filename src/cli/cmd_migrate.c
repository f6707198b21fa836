/* malle migrate: the files of Postfix and Dovecot in a folder as one malle.conf on standard output, with the
 * comments that stand above what it takes from them. It is read back, and what would differ is told. */
#include "cli/cli.h"
#include "os/file.h"

#include <unistd.h>

enum { TEXT_MAX = 16 << 20, FILES_MAX = 64 };

struct source { /* a file whose comments are kept */
    const char *path;
    struct buf text;
    int told; /* up to this line */
};

struct sources {
    struct source v[FILES_MAX];
    size_t n;
};

static struct source *open_source(struct sources *all, const char *path)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].path, path) == 0)
            return &all->v[i];
    if (all->n == FILES_MAX)
        return NULL;
    struct source *s = &all->v[all->n];
    *s = (struct source){.path = path, .text = BUF_INIT(TEXT_MAX)};
    if (file_read(path, &s->text) != RC_OK)
        buf_reset(&s->text);
    all->n++;
    return s;
}

static bool is_comment(str line)
{
    return str_starts(str_trim(line), S("#"));
}

/* The comments that stand directly above the line, once; a ruler of "====" says nothing where other lines
 * are. */
static void put_comments(struct source *s, int line, struct buf *out)
{
    str rest = buf_str(&s->text), at = rest;
    int number = 0, first = 1;
    for (str all = rest; ++number < line && all.p;)
        if (!is_comment(str_take(&all, '\n')))
            first = number + 1;
    number = 0;
    for (; ++number < line && rest.p;) {
        at = str_trim(str_take(&rest, '\n'));
        bool ruler = at.n > 3 && (str_starts(at, S("# --")) || str_starts(at, S("# ==")));
        if (number >= first && number > s->told && !ruler)
            buf_printf(out, STR_FMT "\n", STR_ARG(at));
    }
    s->told = line > s->told ? line : s->told;
}

static void put_note(void *ctx, struct conf_origin o, struct buf *out)
{
    struct source *s = o.file && o.line ? open_source(ctx, o.file) : NULL;
    if (s)
        put_comments(s, o.line, out);
}

/* Prints each line of the two texts that differs; both have the same options in the same order. */
static int compare(str before, str after)
{
    int status = CLI_FINE;
    while (before.n || after.n) {
        str a = str_take(&before, '\n'), b = str_take(&after, '\n');
        if (str_eq(a, b))
            continue;
        fprintf(stderr, "malle: would differ: " STR_FMT " becomes " STR_FMT "\n", STR_ARG(a), STR_ARG(b));
        status = CLI_FINDING;
    }
    return status;
}

static int check(const struct conf *c, str text)
{
    struct buf before AUTO(buf_deinit) = BUF_INIT(TEXT_MAX), after AUTO(buf_deinit) = BUF_INIT(TEXT_MAX),
                      said AUTO(buf_deinit) = BUF_INIT(1 << 20);
    struct conf_report report = {0};
    AUTO(conf_freep) struct conf *again = conf_parse(text, "malle.conf", &report);
    conf_report_format(&report, &said);
    conf_report_deinit(&report);
    if (!again || conf_serialize(c, &before) != RC_OK || conf_serialize(again, &after) != RC_OK)
        return cli_fail("the new file cannot be read: %s", buf_cstr(&said));
    int status = compare(buf_str(&before), buf_str(&after));
    if (status == CLI_FINE)
        fputs("malle: no setting differs\n", stderr);
    return status;
}

int cmd_migrate(int argc, char **argv, struct cli *cli)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(TEXT_MAX);
    struct sources sources = {.n = 0};
    struct conf_note note = {put_note, &sources};
    if (argc > 1)
        return cli_usage("migrate takes no argument, found \"%s\"", argv[1]);
    const struct conf *c = cli_conf(cli);
    if (!c)
        return CLI_FINDING;
    buf_printf(&text, "# Made by malle migrate from %s.\n\n", cli->conf_path);
    conf_write(c, &note, &text);
    for (size_t i = 0; i < sources.n; i++)
        buf_deinit(&sources.v[i].text);
    int status = check(c, buf_str(&text));
    return cli_print(&text) == CLI_FINE ? status : CLI_FINDING;
}
