/* malle postmap and postalias: make look-up tables and ask them, with the options of postmap(1). */
#include "cli/cli.h"

#include "fmt/tablespec.h"
#include "os/file.h"
#include "table/postmap.h"
#include "table/table.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TYPES_MAX = 20, ANSWER_BYTES_MAX = 4 << 20, KEY_LINE_MAX = TABLE_KEY_MAX };

struct job {
    struct postmap_options options;
    const char *name;       /* postmap, postalias */
    postmap_source *source; /* the form of the text */
    const char *separator;  /* between key and value, where both are printed */
    bool list, keep_root;
    const char *query, *delete;
    char **tables; /* "type:name" or "name" */
    int count;
};

static void print_warning(void *ctx, const char *text)
{
    cli_warn("%s", text);
}

/* --- asking --- */

struct asking {
    struct table *v[TYPES_MAX];
    int n;
    struct arena *a;
    const char *separator;
    size_t found;
};

static enum rc open_tables(const struct job *job, struct asking *q, struct err *e)
{
    struct table_env env = {.warn = print_warning};
    for (; q->n < job->count; q->n++) {
        AUTO(buf_deinit) struct buf spec = BUF_INIT(TABLE_KEY_MAX);
        buf_printf(&spec, "%s%s", strchr(job->tables[q->n], ':') ? "" : "hash:", job->tables[q->n]);
        enum rc rc = table_open(buf_str(&spec), &env, &q->v[q->n], e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* The first table that has the key answers. */
static enum rc ask(struct asking *q, str key, bool with_key, struct err *e)
{
    str value;
    for (int i = 0; i < q->n; i++) {
        arena_reset(q->a);
        enum rc rc = table_find(q->v[i], key, q->a, &value, e);
        if (rc == RC_GONE)
            continue;
        if (rc != RC_OK)
            return rc;
        q->found++;
        if (with_key)
            printf(STR_FMT "%s", STR_ARG(key), q->separator);
        printf(STR_FMT "\n", STR_ARG(value));
        return RC_OK;
    }
    return RC_OK;
}

static enum rc ask_lines(struct asking *q, struct err *e)
{
    char line[KEY_LINE_MAX + 2];
    enum rc rc = RC_OK;
    while (rc == RC_OK && fgets(line, sizeof line, stdin)) {
        str key = str_c(line);
        if (str_ends(key, S("\n")))
            key.n--;
        rc = ask(q, key, true, e);
    }
    return rc;
}

static int run_query(const struct job *job)
{
    struct asking q = {.a = arena_new(ANSWER_BYTES_MAX), .separator = job->separator};
    struct err e = {0};
    enum rc rc = open_tables(job, &q, &e);
    if (rc == RC_OK)
        rc = strcmp(job->query, "-") == 0 ? ask_lines(&q, &e) : ask(&q, str_c(job->query), false, &e);
    for (int i = 0; i < q.n; i++)
        table_close(q.v[i]);
    arena_free(q.a);
    if (fflush(stdout) != 0)
        return cli_fail("cannot write the answers");
    return rc != RC_OK ? cli_fail("%s", err_text(&e)) : q.found > 0 ? CLI_FINE : CLI_FINDING;
}

/* --- tables that can be made --- */

/* The path of hash:path, lmdb:path or path; NULL after a message. */
static const char *path_of(const char *table)
{
    str type, name;
    if (!strchr(table, ':'))
        return table;
    if (tablespec_split(str_c(table), &type, &name) != RC_OK ||
        (!str_eq(type, S("hash")) && !str_eq(type, S("lmdb")))) {
        cli_fail("%s: only hash: and lmdb: tables are made, listed and changed", table);
        return NULL;
    }
    return table + type.n + 1;
}

static enum rc print_entry(void *ctx, str key, str value)
{
    const struct job *job = ctx;
    return printf(STR_FMT "%s" STR_FMT "\n", STR_ARG(key), job->separator, STR_ARG(value)) < 0 ? RC_TEMP
                                                                                               : RC_OK;
}

static int list_table(const struct job *job, const char *path)
{
    struct err e = {0};
    enum rc rc = postmap_each(path, print_entry, (void *)job, &e);
    if (rc != RC_OK || fflush(stdout) != 0)
        return cli_fail("%s", rc == RC_OK || e.rc == RC_OK ? "cannot write the list" : err_text(&e));
    return CLI_FINE;
}

/* The keys, as lines of text; the text of "-" is read from standard input. */
static enum rc gather_keys(const char *key, struct buf *text)
{
    if (strcmp(key, "-") != 0) {
        buf_puts(text, str_c(key));
        return RC_OK;
    }
    char chunk[16384];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
        buf_put(text, chunk, n);
    return text->overflow ? RC_LIMIT : RC_OK;
}

static int delete_keys(const struct job *job, const char *path)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TABLE_FILE_MAX);
    AUTO(arena_freep) struct arena *a = arena_new(TABLE_FILE_MAX);
    struct err e = {0};
    size_t n = 0, found = 0, lines = 1;
    if (gather_keys(job->delete, &text) != RC_OK)
        return cli_fail("there are too many keys");
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    str *keys = arena_array(a, lines, sizeof *keys), rest = buf_str(&text);
    while (keys && rest.n > 0)
        keys[n++] = str_take(&rest, '\n');
    if (!keys)
        return cli_fail("there are too many keys");
    if (postmap_delete(path, keys, n, &job->options, &found, &e) != RC_OK)
        return cli_fail("%s", err_text(&e));
    return found > 0 ? CLI_FINE : CLI_FINDING;
}

/* What is made belongs to the owner of its source, so nobody can have root write through a link of theirs. */
static int become_owner(const struct stat *st)
{
    if (geteuid() != 0 || st->st_uid == 0)
        return CLI_FINE;
    if (setgroups(0, NULL) != 0 || setegid(st->st_gid) != 0 || seteuid(st->st_uid) != 0)
        return cli_fail("cannot become the owner of the source");
    return CLI_FINE;
}

static int become_root_again(uid_t uid, gid_t gid)
{
    return seteuid(uid) == 0 && setegid(gid) == 0 ? CLI_FINE : cli_fail("cannot become root again");
}

static int read_source(const struct job *job, const char *path, struct buf *text, struct stat *st)
{
    AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool there = fd >= 0 && fstat(fd, st) == 0;
    if (job->options.incremental)
        return gather_keys("-", text) == RC_OK ? CLI_FINE : cli_fail("standard input is too long");
    if (!there)
        return cli_fail("open %s: %m", path);
    return fd_read_all(fd, text) == RC_OK ? CLI_FINE : cli_fail("%s cannot be read or is too large", path);
}

static int make_table(const struct job *job, const char *path)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TABLE_FILE_MAX);
    struct stat st = {.st_uid = geteuid(), .st_gid = getegid()};
    uid_t uid = geteuid();
    gid_t gid = getegid();
    struct err e = {0};
    int status = read_source(job, path, &text, &st);
    if (status == CLI_FINE && !job->keep_root)
        status = become_owner(&st);
    if (status != CLI_FINE)
        return status;
    if (postmap_make(path, buf_str(&text), job->source, &job->options, &e) != RC_OK)
        status = cli_fail("%s", err_text(&e));
    int again = geteuid() == uid ? CLI_FINE : become_root_again(uid, gid);
    return status == CLI_FINE ? again : status;
}

static int each_table(const struct job *job, int (*run)(const struct job *job, const char *path))
{
    int worst = CLI_FINE;
    for (int i = 0; i < job->count; i++) {
        const char *path = path_of(job->tables[i]);
        int status = path ? run(job, path) : CLI_FINDING;
        worst = status > worst ? status : worst;
    }
    return worst;
}

/* --- options --- */

/* Those of postmap(1) that change nothing here are taken and ignored: files and keys always have a NUL behind
 * them, texts are bytes, and there is no main.cf to read. */
static int take_option(struct job *job, int option)
{
    switch (option) {
    case 'd':
        job->delete = optarg;
        break;
    case 'f':
        job->options.keep_case = true;
        break;
    case 'i':
        job->options.incremental = true;
        break;
    case 'o':
        job->keep_root = true;
        break;
    case 'p':
        job->options.default_mode = true;
        break;
    case 'q':
        job->query = optarg;
        break;
    case 'r':
        job->options.replace = true;
        break;
    case 's':
        job->list = true;
        break;
    case 'w':
        job->options.skip_duplicates = true;
        break;
    case '?':
        return cli_usage("%s does not know the option -%c", job->name, optopt);
    default:
        break;
    }
    return CLI_FINE;
}

static int run_job(struct job *job, int argc, char **argv)
{
    int option, status = CLI_FINE;
    opterr = 0;
    while (status == CLI_FINE && (option = getopt(argc, argv, "+c:d:fiNnopq:rsuUvw")) != -1)
        status = take_option(job, option);
    if (status != CLI_FINE)
        return status;
    job->tables = argv + optind;
    job->count = argc - optind;
    if (job->count == 0 || job->count > TYPES_MAX)
        return cli_usage("%s needs [TYPE:]FILE, at most %d times", job->name, TYPES_MAX);
    if ((job->query != NULL) + (job->delete != NULL) + job->list > 1)
        return cli_usage("specify only one of -s -q or -d");
    if (job->query)
        return run_query(job);
    return each_table(job, job->list ? list_table : job->delete ? delete_keys : make_table);
}

int cmd_postmap(int argc, char **argv, struct cli *cli)
{
    struct job job = {.name = "postmap",
                      .options = {.warn = print_warning},
                      .source = postmap_read_table,
                      .separator = "\t"};
    return run_job(&job, argc, argv);
}

int cmd_postalias(int argc, char **argv, struct cli *cli)
{
    struct job job = {.name = "postalias",
                      .options = {.warn = print_warning},
                      .source = postmap_read_aliases,
                      .separator = ":\t"};
    return run_job(&job, argc, argv);
}
