#include "cli/import.h"

#include "fmt/date.h"
#include "fmt/keywords.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { NAMES_BYTES_MAX = 1 << 30 };

/* --- mailboxes --- */

static void put_name(struct importer *i, str name, char separator)
{
    char ours = i->conf->hierarchy_separator[0];
    buf_reset(&i->box);
    if (i->parent[0])
        buf_printf(&i->box, "%s%c", i->parent, ours);
    for (size_t k = 0; k < name.n; k++) {
        unsigned char c = (unsigned char)name.p[k];
        if (separator && name.p[k] == separator)
            buf_putc(&i->box, ours);
        else
            buf_putc(&i->box, c < ' ' || c == 0x7f || c == '.' || c == '/' ? '_' : name.p[k]);
    }
}

int importer_box(struct importer *i, str name, char separator)
{
    static const char *const verbs[] = {"CREATE", "SUBSCRIBE"};
    struct err e = {0};
    put_name(i, name, separator);
    i->mailboxes++;
    i->progress = (struct progress){.label = buf_str(&i->box)};
    if (str_ieq(buf_str(&i->box), S("INBOX")))
        return CLI_FINE;
    for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++) {
        buf_printf(imap_client_command(i->s.client), "%s ", verbs[k]);
        mail_session_put_mailbox(&i->s, buf_str(&i->box));
        enum rc rc = imap_client_run(i->s.client, NULL, NULL, &e);
        if (rc == RC_PERM && str_eq(imap_client_code(i->s.client), S("ALREADYEXISTS")))
            return CLI_FINE; /* and whether it is subscribed is its user's choice */
        if (rc != RC_OK)
            return cli_fail("%s: " STR_FMT ": %s", i->s.account, STR_ARG(buf_str(&i->box)), err_text(&e));
    }
    return CLI_FINE;
}

/* --- messages --- */

void importer_lost(struct importer *i, const char *from, const char *why)
{
    i->failed++;
    progress_end(&i->progress);
    (void)cli_fail(STR_FMT ": %s: %s", STR_ARG(buf_str(&i->box)), from, why);
}

void importer_put_keyword(const struct importer *i, struct buf *flags, str keyword)
{
    if (keyword_valid(keyword))
        buf_printf(flags, "%s" STR_FMT, flags->n ? " " : "", STR_ARG(keyword));
    else
        cli_warn(STR_FMT ": \"" STR_FMT "\" can be no keyword", STR_ARG(buf_str(&i->box)), STR_ARG(keyword));
}

int importer_put(struct importer *i, const struct import_message *m)
{
    struct err e = {0};
    AUTO(buf_deinit) struct buf date = BUF_INIT(64);
    if (str_chr(m->content, '\0') >= 0) { /* which no literal can carry */
        importer_lost(i, m->from, "it holds NUL bytes");
        return CLI_FINE;
    }
    struct buf *out = imap_client_command(i->s.client);
    date_format_imap(&date, (struct date){m->date, 0});
    buf_puts(out, S("APPEND "));
    mail_session_put_mailbox(&i->s, buf_str(&i->box));
    buf_printf(out, " (" STR_FMT ") \"" STR_FMT "\" ", STR_ARG(m->flags), STR_ARG(buf_str(&date)));
    imap_client_put_literal(i->s.client, m->content);
    enum rc rc = imap_client_run(i->s.client, NULL, NULL, &e);
    if (rc == RC_OK) {
        i->messages++;
        progress_step(&i->progress);
        return CLI_FINE;
    }
    importer_lost(i, m->from, err_text(&e));
    bool goes_on = rc == RC_PERM || rc == RC_INVALID; /* of this message alone */
    return goes_on && !str_eq(imap_client_code(i->s.client), S("OVERQUOTA")) ? CLI_FINE : CLI_FINDING;
}

/* --- folders --- */

void import_names_deinit(struct import_names *n)
{
    n->arena = arena_free(n->arena);
    n->v = NULL;
    n->n = 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum rc import_names_read(int folder, struct import_names *ret)
{
    struct import_names n = {.arena = arena_new(NAMES_BYTES_MAX)};
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *x;
    while (d && (x = readdir(d))) {
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0)
            continue;
        if ((n.n == 0 || n.n >= 8) && (n.n & (n.n - 1)) == 0) /* arena_grow doubles from 8 */
            n.v = arena_grow(n.arena, n.v, n.n, sizeof *n.v);
        if (!n.v)
            break;
        n.v[n.n++] = arena_str(n.arena, str_c(x->d_name)).p;
    }
    enum rc rc = !d ? RC_TEMP : arena_exhausted(n.arena) ? RC_LIMIT : RC_OK;
    if (d)
        closedir(d);
    if (rc != RC_OK) {
        import_names_deinit(&n);
        return rc;
    }
    if (n.n)
        qsort(n.v, n.n, sizeof *n.v, by_bytes);
    *ret = n;
    return RC_OK;
}
