/* Mail locations with names that strangers chose: an account fills exactly the parts of the path that are
 * its, and none leaves its folder. Input: account, home and location, a line each. */
#include "conf/conf.h"

enum { PATH_MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

/* The guide's location: two folders below the mail root, whatever the account is called. */
static void check_account(str account)
{
    struct buf text = BUF_INIT(PATH_MAX_BYTES);
    struct conf_location got;
    if (conf_expand_location(S("maildir:/var/mail/vhosts/%d/%n:INDEX=/var/index/%u"), account, STR_NONE,
                             &text) == RC_OK) {
        must(conf_parse_location(buf_str(&text), &got) == RC_OK);
        must(str_starts(got.path, S("/var/mail/vhosts/")) && count(got.path, '/') == 5);
        must(str_starts(got.index, S("/var/index/")) && str_eq(str_from(got.index, 11), account));
        must(str_find(buf_str(&text), S("/../")) < 0 && !str_ends(got.path, S("/..")) &&
             !str_ends(got.index, S("/..")));
        must(str_find(buf_str(&text), S("/./")) < 0 && str_chr(buf_str(&text), '\0') < 0);
    }
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str location = str_mem(data, size), account = str_take(&location, '\n'), home = str_take(&location, '\n');
    struct buf text = BUF_INIT(PATH_MAX_BYTES), again = BUF_INIT(PATH_MAX_BYTES);
    struct conf_location got;
    check_account(account);
    if (conf_expand_location(location, account, home, &text) == RC_OK) {
        must(conf_expand_location(location, account, home, &again) == RC_OK);
        must(str_eq(buf_str(&text), buf_str(&again)));
        if (count(location, '%') + count(location, '~') == 0)
            must(str_eq(buf_str(&text), location));
        if (conf_parse_location(buf_str(&text), &got) == RC_OK)
            must(got.path.p[0] == '/' && got.index.p[0] == '/' && str_find(buf_str(&text), got.index) >= 0);
    }
    buf_deinit(&text);
    buf_deinit(&again);
    return 0;
}
