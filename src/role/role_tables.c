#include "role/role_tables.h"

#include "os/channel.h"
#include "role/ipc.h"
#include "role/table_msg.h"

#include <unistd.h>

enum {
    CHANNELS_MAX = 256, /* several tables that are asked as often as they may be (TABLE_ASKS_AT_ONCE) */
    LINK_WAIT_MS = 2000
};

static struct channel_pool *proxymap;

static enum rc cannot_say(struct err *e, str spec, const char *why)
{
    (void)err_set(e, RC_TEMP, 451, "4.3.0", "Temporary lookup failure");
    err_note(e, STR_FMT ": %s", STR_ARG(str_sub(spec, 0, 100)), why);
    return RC_TEMP;
}

static enum rc ask(void *ctx, str spec, str key, msec deadline, struct arena *a, str *ret, struct err *e)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(IPC_MAX);
    const struct table_question q = {spec, key};
    struct ipc_msg m;
    str value;
    if (table_question_put(&b, &q) != RC_OK)
        return cannot_say(e, spec, "the key is too long");
    if (channel_pool_ask(proxymap, &b, MSG_TABLE_FOUND, &m, deadline) != RC_OK)
        return cannot_say(e, spec, "proxymap does not answer");
    enum rc rc = table_answer_get(&m, a, &value, e);
    if (rc == RC_OK) {
        *ret = arena_str(a, value);
        if (arena_exhausted(a))
            rc = cannot_say(e, spec, "there is no room for the value");
    }
    ipc_msg_deinit(&m);
    return rc;
}

struct table_settings *role_tables_open(const struct role *r)
{
    const struct table_env base = {.ask = ask,
                                   .timeout_ms = (int)r->conf->table_timeout_ms + TABLE_ON_THE_WAY_MS};
    struct conf_report report = {0};
    proxymap = channel_pool_new(CHANNELS_MAX, LINK_WAIT_MS);
    struct table_settings *t = table_settings_open(r->conf, r->name, &base, &report);
    if (!t) {
        for (size_t i = 0; i < report.n; i++)
            if (!report.v[i].warning)
                log_error("%s", report.v[i].text);
        _exit(1);
    }
    conf_report_deinit(&report); /* the master logs warnings */
    return t;
}

bool role_tables_link(const struct role_link *l)
{
    if (l->serve || !str_eq(str_c(l->peer), S("proxymap")))
        return false;
    channel_pool_set_link(proxymap, l->fd);
    return true;
}
