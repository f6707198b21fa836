/* What is wrong with the passwd-files that the options passdb and userdb name. */
#include "cli/check_databases.h"

#include "account/password.h"
#include "conf/report.h"
#include "fmt/authdb.h"
#include "fmt/passwd_file.h"
#include "os/file.h"

#include <errno.h>
#include <sys/stat.h>

static void say(struct conf_report *report, const struct conf_origin *o, const char *path, const char *text)
{
    conf_warning(report, o->file ? o->file : path, o->line, "%.200s: %s", path, text);
}

static size_t count_weak(str text, str scheme)
{
    struct passwd_entry entry;
    size_t n = 0;
    while (passwd_file_next(&text, &entry) == RC_OK) {
        AUTO(buf_wipe) struct buf stored = BUF_INIT(PASSWORD_STORED_MAX);
        if (entry.password.n > 0 && entry.password.p[0] != '{')
            buf_printf(&stored, "{" STR_FMT "}", STR_ARG(scheme));
        buf_puts(&stored, entry.password);
        n += password_is_weak(buf_str(&stored));
    }
    return n;
}

static void check_file(struct conf_report *report, const struct conf_origin *o, const struct authdb *db,
                       bool passdb)
{
    AUTO(str_freep) char *path = str_dup(db->path);
    AUTO(buf_wipe) struct buf text = BUF_INIT(PASSWD_FILE_MAX);
    AUTO(buf_deinit) struct buf weak = BUF_INIT(200);
    struct stat st;
    if (stat(path, &st) != 0) {
        say(report, o, path, errno == ENOENT ? "it is not there: log-ins wait for it" : strerror(errno));
        return;
    }
    if (!passdb)
        return;
    if (st.st_mode & S_IROTH)
        say(report, o, path, "everybody on this machine can read the passwords; chmod o= it");
    size_t n = file_read(path, &text) == RC_OK ? count_weak(buf_str(&text), db->scheme) : 0;
    buf_printf(
        &weak,
        "%zu of its passwords can be read at once or soon; doveadm pw -s SHA512-CRYPT makes better ones", n);
    if (n > 0 && !db->deny)
        say(report, o, path, buf_cstr(&weak));
}

static void check_option(struct conf_report *report, const struct conf *c, enum conf_option option,
                         const char *text)
{
    struct authdb list[AUTHDB_MAX];
    size_t n = 0;
    if (authdb_parse(str_c(text), option == CONF_passdb, list, &n, NULL) != RC_OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (list[i].driver == AUTHDB_PASSWD_FILE && str_chr(list[i].path, '%') < 0)
            check_file(report, &c->origin[option], &list[i], option == CONF_passdb);
}

void cli_check_databases(const struct conf *c, struct conf_report *report)
{
    check_option(report, c, CONF_passdb, c->passdb);
    check_option(report, c, CONF_userdb, c->userdb);
}
