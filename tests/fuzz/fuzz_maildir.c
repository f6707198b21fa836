/* A Maildir that other programs wrote, or damaged: dovecot-uidlist, dovecot-keywords, subscriptions and names
 * of files hold anything at all. The account opens, tells the same twice, and the same again when its index
 * was deleted: UIDs, UIDVALIDITY, flags, keywords and POP3 ids are the files' (design: Maildir is the truth).
 * Input: the three files and the names, a line each, parted by lines of "%". */
#include "base/utf8.h"
#include "fmt/maildir_name.h"
#include "os/file.h"
#include "store/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_MAX = 16384, NAMES_MAX = 12, TOLD_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st, (void)type, (void)f;
    return remove(path);
}

static void remove_index(void)
{
    static const char *const names[] = {"malle.index", "malle.index-wal", "malle.index-shm"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        (void)unlink(path);
    }
}

static void write_file(const char *folder, str name, str content)
{
    char path[MAILDIR_NAME_MAX + 128];
    snprintf(path, sizeof path, "%s/%s" STR_FMT, root, folder, STR_ARG(name));
    AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && fd_write_all(fd, content) == RC_OK);
}

/* The part before the next line that is "%". */
static str take_part(str *in)
{
    ptrdiff_t end = str_find(*in, S("%\n"));
    str part = end < 0 ? *in : str_sub(*in, 0, (size_t)end);
    *in = end < 0 ? STR_NONE : str_from(*in, (size_t)end + 2);
    return part;
}

static void make_account(str in)
{
    static const char *const folders[] = {"", "/cur", "/new", "/tmp"};
    char path[128];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        must(mkdir(path, 0700) == 0);
    }
    write_file("", S("dovecot-uidlist"), take_part(&in));
    write_file("", S("dovecot-keywords"), take_part(&in));
    write_file("", S("subscriptions"), take_part(&in));
    for (int i = 0; i < NAMES_MAX && in.n; i++) {
        struct maildir_name m;
        str name = str_take(&in, '\n');
        if (maildir_name_parse(name, &m) == RC_OK)
            write_file(m.info.n ? "cur/" : "new/", name, S("Subject: x\n\nbody\n"));
    }
}

static void tell_messages(struct box *b, struct buf *out)
{
    struct box_query *q = NULL;
    struct box_msg m;
    struct err e = {0};
    enum rc rc = box_query_open(b, box_view(b), 0, &q, &e);
    for (must(rc == RC_OK); (rc = box_query_next(q, &m, &e)) == RC_OK;) {
        const str *names;
        size_t n = box_keywords(b, &names);
        buf_printf(out, "%u %x", m.uid, m.flags);
        for (size_t k = 0; k < n; k++)
            if (m.keywords >> k & 1)
                buf_printf(out, " " STR_FMT, STR_ARG(names[k]));
        buf_putc(out, ' ');
        must(box_pop3_uidl(b, m.uid, out, &e) == RC_OK);
        buf_putc(out, '\n');
    }
    must(rc == RC_GONE);
    box_query_close(q);
}

static void tell_names(struct store *st, struct buf *out)
{
    struct arena *a = arena_new(TOLD_MAX);
    struct store_box_info *boxes;
    struct err e = {0};
    size_t n;
    must(store_list(st, a, &boxes, &n, &e) == RC_OK && n > 0 && str_eq(boxes[0].name, S("INBOX")));
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, boxes[i].name);
        buf_printf(out, " %d %d\n", boxes[i].subscribed, boxes[i].exists);
    }
    arena_free(a);
}

static void tell(struct buf *out)
{
    struct store_conf conf = {.account = S("demo@malle.test"),
                              .root = str_c(root),
                              .hostname = S("mail.malle.test"),
                              .separator = '/',
                              .mailbox_max = 100,
                              .keyword_max = 64};
    struct store *st = NULL;
    struct box *b = NULL;
    struct err e = {0};
    if (store_open(&conf, &st, &e) != RC_OK || box_open(st, S("INBOX"), false, &b, &e) != RC_OK)
        fprintf(stderr, "%s\n", err_text(&e));
    must(st && b);
    const struct store_status *status = box_status(b);
    must(status->uidvalidity > 0 && status->uidnext > uidset_max(box_view(b)));
    must(status->messages == uidset_count(box_view(b)));
    buf_printf(out, "%u %u %u\n", status->uidvalidity, status->messages, status->unseen);
    tell_messages(b, out);
    tell_names(st, out);
    must(!out->overflow);
    box_close(b);
    store_close(st);
}

/* Another program numbers the mailbox anew while the index stays. */
static void check_renumbered(void)
{
    struct buf kept = BUF_INIT(TOLD_MAX), again = BUF_INIT(TOLD_MAX), anew = BUF_INIT(TOLD_MAX);
    write_file("", S("dovecot-uidlist"), S("3 V77 N5 G00112233445566778899aabbccddeeff\n"));
    tell(&kept);
    tell(&again);
    must(str_starts(buf_str(&kept), S("77 ")) && str_eq(buf_str(&kept), buf_str(&again)));
    remove_index();
    tell(&anew);
    must(str_eq(buf_str(&kept), buf_str(&anew)));
    buf_deinit(&kept);
    buf_deinit(&again);
    buf_deinit(&anew);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first = BUF_INIT(TOLD_MAX), second = BUF_INIT(TOLD_MAX), anew = BUF_INIT(TOLD_MAX);
    if (size > INPUT_MAX)
        return 0;
    snprintf(root, sizeof root, "%s/malle-fuzz-%d", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
             getpid());
    make_account(str_mem(data, size));
    tell(&first);
    tell(&second);
    must(str_eq(buf_str(&first), buf_str(&second)));
    remove_index();
    tell(&anew);
    must(str_eq(buf_str(&first), buf_str(&anew)));
    check_renumbered();
    must(nftw(root, remove_one, 20, FTW_DEPTH | FTW_PHYS) == 0);
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&anew);
    return 0;
}
