/* An option passdb (first byte 'p') or userdb: what is read has a path where its driver needs one, and its
 * settings are written to be read the same again. */
#include "fmt/authdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct authdb list[AUTHDB_MAX], again[AUTHDB_MAX];
    struct buf out = BUF_INIT(2 * size + 100);
    size_t n = 0, m = 0;
    bool passdb = size > 0 && data[0] == 'p';
    if (authdb_parse(str_from(str_mem(data, size), 1), passdb, list, &n, NULL) == RC_OK) {
        must(n <= AUTHDB_MAX);
        for (size_t i = 0; i < n; i++) {
            bool file = list[i].driver == AUTHDB_PASSWD_FILE || list[i].driver == AUTHDB_SQL ||
                        list[i].driver == AUTHDB_LDAP;
            must(!file || str_starts(list[i].path, S("/")));
            must(passdb || !list[i].deny);
            (void)authdb_filter_fits(list[i].username_filter, list[i].args);
            buf_reset(&out);
            must(authdb_put_setting(&out, true, S("driver"), S("static")) == RC_OK);
            must(authdb_put_setting(&out, false, S("args"), list[i].args) == RC_OK);
            buf_putc(&out, '}');
            must(authdb_parse(buf_str(&out), passdb, again, &m, NULL) == RC_OK && m == 1);
            must(str_eq(again[0].args, list[i].args));
        }
    }
    buf_deinit(&out);
    return 0;
}
