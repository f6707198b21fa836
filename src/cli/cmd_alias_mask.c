/* malle alias for masked and blocked addresses. */
#include "base/clock.h"
#include "base/num.h"
#include "cli/cmd_alias.h"
#include "fmt/date.h"

bool alias_mask_fits(const struct alias_mask_order *o)
{
    return (o->account != NULL) != (o->block != NULL) && !(o->block && o->expires);
}

static int add_block(struct cli *cli, struct account_db *db, const struct alias_mask_order *o)
{
    struct err e = {0};
    if (alias_check_domain(cli, db, o->block, &e) != RC_OK ||
        mask_block(db, str_c(o->block), str_c(o->note), &e) != RC_OK)
        return cli_fail_err(&e);
    printf("mail for %s is refused\n", o->block);
    return CLI_FINE;
}

int alias_add_mask(struct cli *cli, struct account_db *db, const struct alias_mask_order *o)
{
    struct mask m;
    struct err e = {0};
    int64_t ms = 0;
    if (o->block)
        return add_block(cli, db, o);
    if (o->expires && (num_parse_duration_ms(str_c(o->expires), &ms) != RC_OK || ms < 1000))
        return cli_usage("\"%s\" is no duration; write it as 12h, 30d or 8w", o->expires);
    if (mask_make(db, str_c(o->account), str_c(o->note), o->expires ? clock_seconds() + ms / 1000 : 0, &m,
                  &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s leads to %s\n", m.address, m.account);
    return CLI_FINE;
}

int alias_enable_mask(struct account_db *db, const char *address, bool enable)
{
    struct err e = {0};
    if (mask_set_enabled(db, str_c(address), enable, &e) != RC_OK)
        return cli_fail_err(&e);
    printf("%s is %s\n", address, enable ? "enabled" : "disabled");
    return CLI_FINE;
}

struct listing {
    struct json *j;
    struct buf *out;
};

static const char *state_of(const struct mask *m)
{
    if (!m->enabled)
        return "disabled";
    if (!m->account[0])
        return "blocked";
    return mask_is_open(m, clock_seconds()) ? "masked" : "expired";
}

static void put_json(const struct listing *l, const struct mask *m)
{
    AUTO(buf_deinit) struct buf time = BUF_INIT(64);
    json_open_object(l->j, NULL);
    json_put_str(l->j, "address", str_c(m->address));
    json_put_str(l->j, "target", str_c(m->account));
    json_put_str(l->j, "state", str_c(state_of(m)));
    json_put_str(l->j, "note", str_c(m->note));
    date_format_internet(&time, m->created);
    json_put_str(l->j, "created", buf_str(&time));
    buf_reset(&time);
    if (m->expires)
        date_format_internet(&time, m->expires);
    json_put_str(l->j, "expires", buf_str(&time));
    json_close_object(l->j);
}

static void put_mask(void *ctx, const struct mask *m)
{
    const struct listing *l = ctx;
    if (l->j) {
        put_json(l, m);
        return;
    }
    buf_printf(l->out, "%s %s (%s", m->address, m->account[0] ? m->account : "-", state_of(m));
    if (m->expires) {
        buf_puts(l->out, S(" until "));
        date_format_internet(l->out, m->expires);
    }
    buf_printf(l->out, "%s%s)\n", m->note[0] ? ": " : "", m->note);
}

enum rc alias_list_masks(struct account_db *db, str domain, struct json *j, struct buf *out, struct err *e)
{
    struct listing l = {j, out};
    return mask_each(db, domain, put_mask, &l, e);
}
