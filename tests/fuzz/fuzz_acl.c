/* dovecot-acl: what is read is written so that it reads back the same, whatever one change does to it; and
 * nobody who is named makes a line of his own. */
#include "fmt/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct acl *acl, struct arena *a, size_t max)
{
    struct buf once = BUF_INIT(max), twice = BUF_INIT(max);
    struct acl again;
    size_t lines = 0;
    acl_format(acl, &once);
    must(!once.overflow && acl_parse(buf_str(&once), a, &again) == RC_OK && again.n == acl->n);
    acl_format(&again, &twice);
    must(str_eq(buf_str(&once), buf_str(&twice)));
    for (size_t i = 0; i < once.n; i++)
        lines += once.p[i] == '\n';
    must(lines == acl->n);
    buf_deinit(&once);
    buf_deinit(&twice);
}

/* A change in two lines, and then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(64 << 20);
    struct acl_change c = {.op = (enum acl_op)(size % 4)};
    str text = str_mem(data, size), id = str_take(&text, '\n'), rights = str_take(&text, '\n');
    struct acl acl;
    if (size > ACL_BYTES_MAX || acl_parse(text, a, &acl) != RC_OK)
        return 0;
    check_again(&acl, a, 4 * size + 2000);
    must((acl_rights_of(&acl, id) & ~(unsigned)ACL_ALL_RIGHTS) == 0);
    if (acl_id_parse(id, &c.id) != RC_OK || acl_rights_parse(rights, &c.rights) != RC_OK)
        return 0;
    acl_apply(&acl, &c);
    check_again(&acl, a, 4 * size + 2000);
    return 0;
}
