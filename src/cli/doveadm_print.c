#include "cli/doveadm_print.h"

#include "base/buf.h"
#include "fmt/json.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MAX = 40, WIDTH_DEFAULT = 80, WIDTH_MIN = 30, JSON_MAX = 256 << 20 };

static bool is_chosen;
static enum doveadm_format chosen;

enum rc doveadm_choose_format(const char *name)
{
    static const char *const names[] = {[DOVEADM_FLOW] = "flow",
                                        [DOVEADM_TABLE] = "table",
                                        [DOVEADM_TAB] = "tab",
                                        [DOVEADM_PAGER] = "pager",
                                        [DOVEADM_JSON] = "json"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            chosen = (enum doveadm_format)i;
            is_chosen = true;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

str *doveadm_add_row(struct doveadm_rows *r)
{
    if (r->n == r->room) {
        r->cells = arena_grow(r->a, r->cells, r->n, r->columns * sizeof *r->cells);
        r->room = r->n < 8 ? 8 : 2 * r->n;
    }
    must(r->cells);
    return r->cells + r->columns * r->n++;
}

/* --- a table --- */

static size_t terminal_width(void)
{
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0)
        return WIDTH_DEFAULT;
    return w.ws_col < WIDTH_MIN ? WIDTH_MIN : w.ws_col;
}

static void put_cell(const struct doveadm_column *c, size_t width, str text, bool last)
{
    int pad = width > text.n ? (int)(width - text.n) : 0;
    printf("%*s" STR_FMT "%*s%s", c->right ? pad : 0, "", STR_ARG(text), c->right ? 0 : pad, "",
           last ? "\n" : " ");
}

static void print_table(const struct doveadm_column *columns, size_t n, const str *cells, size_t rows)
{
    size_t width[COLUMNS_MAX], total = n - 1, wide = n - 1;
    bool titled = false;
    for (size_t i = 0; i < n; i++) {
        titled |= !columns[i].bare;
        width[i] = strlen(columns[i].title);
        for (size_t row = 0; row < rows; row++)
            width[i] = cells[row * n + i].n > width[i] ? cells[row * n + i].n : width[i];
        total += width[i];
        wide = columns[i].wide ? i : wide;
    }
    if (total < terminal_width())
        width[wide] += (terminal_width() - total) / 2;
    for (size_t i = 0; i < n && titled; i++)
        put_cell(&columns[i], width[i], str_c(columns[i].title), i + 1 == n);
    for (size_t i = 0; i < rows * n; i++)
        put_cell(&columns[i % n], width[i % n], cells[i], i % n + 1 == n);
}

/* --- the others --- */

static void print_tabs(const struct doveadm_column *columns, size_t n, const str *cells, size_t rows)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%c", columns[i].title, i + 1 < n ? '\t' : '\n');
    for (size_t i = 0; i < rows * n; i++)
        printf(STR_FMT "%c", STR_ARG(cells[i]), i % n + 1 < n ? '\t' : '\n');
}

static void print_flow(const struct doveadm_column *columns, size_t n, const str *cells, size_t rows)
{
    for (size_t i = 0; i < rows * n; i++) {
        const struct doveadm_column *c = &columns[i % n];
        printf("%s%s" STR_FMT "%c", c->bare ? "" : c->title, c->bare ? "" : "=", STR_ARG(cells[i]),
               i % n + 1 < n ? ' ' : '\n');
    }
}

static void print_pages(const struct doveadm_column *columns, size_t n, const str *cells, size_t rows)
{
    for (size_t i = 0; i < rows * n; i++) {
        const struct doveadm_column *c = &columns[i % n];
        if (i && i % n == 0 && !c->lines)
            fputs("\f\n", stdout);
        if (!c->bare)
            printf("%s%s", c->title, c->lines ? ":\n" : ": ");
        fwrite(cells[i].p, 1, cells[i].n, stdout);
        if (!c->lines)
            putchar('\n');
    }
}

static void print_json(const struct doveadm_column *columns, size_t n, const str *cells, size_t rows)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(JSON_MAX);
    struct json j = {.out = &out};
    json_open_array(&j, NULL);
    for (size_t i = 0; i < rows * n; i++) {
        if (i % n == 0)
            json_open_object(&j, NULL);
        json_put_str(&j, columns[i % n].key, cells[i]);
        if (i % n + 1 == n)
            json_close_object(&j);
    }
    json_close_array(&j);
    fwrite(out.p, 1, out.n, stdout);
}

void doveadm_print(enum doveadm_format otherwise, const struct doveadm_column *columns, size_t n,
                   const str *cells, size_t rows)
{
    must(n > 0 && n <= COLUMNS_MAX);
    switch (is_chosen ? chosen : otherwise) {
    case DOVEADM_FLOW:
        print_flow(columns, n, cells, rows);
        break;
    case DOVEADM_TABLE:
        print_table(columns, n, cells, rows);
        break;
    case DOVEADM_TAB:
        print_tabs(columns, n, cells, rows);
        break;
    case DOVEADM_PAGER:
        print_pages(columns, n, cells, rows);
        break;
    case DOVEADM_JSON:
        print_json(columns, n, cells, rows);
        break;
    }
}
