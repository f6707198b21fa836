/* fmt/dovecot_auth: any line either is refused or gives values that are written as one line and read again
 * alike; a response is never more than the line had. */
#include "base/arena.h"
#include "fmt/dovecot_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct dovecot_auth_request *r, struct buf *out)
{
    dovecot_auth_begin(out, r->verb == DOVECOT_AUTH_AUTH ? S("AUTH") : S("USER"));
    dovecot_auth_put_number(out, r->id);
    dovecot_auth_put(out, r->name);
    dovecot_auth_put_value(out, S("service"), r->service);
    dovecot_auth_put_value(out, S("rip"), r->client_ip);
    dovecot_auth_put_value(out, S("session"), r->session);
}

static void check_request(str line, struct arena *a)
{
    struct dovecot_auth_request r, again;
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 20);
    if (dovecot_auth_parse_request(line, a, &r) != RC_OK)
        return;
    must(!r.response.n || (r.response.p >= line.p && r.response.p + r.response.n == line.p + line.n));
    if (r.verb != DOVECOT_AUTH_AUTH && r.verb != DOVECOT_AUTH_USER)
        return;
    rewrite(&r, &out);
    must(str_chr(buf_str(&out), '\n') < 0 && str_chr(buf_str(&out), '\r') < 0);
    must(dovecot_auth_parse_request(buf_str(&out), a, &again) == RC_OK);
    must(again.verb == r.verb && again.id == r.id && str_eq(again.name, r.name));
    must(str_eq(again.service, r.service) && str_eq(again.client_ip, r.client_ip) &&
         str_eq(again.session, r.session));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_freep) struct arena *a = arena_new(1 << 20);
    struct dovecot_auth_reply reply;
    str line = str_mem(data, size);
    if (size > DOVECOT_AUTH_LINE_MAX)
        return 0;
    check_request(line, a);
    if (dovecot_auth_parse_reply(line, a, &reply) == RC_OK)
        must(str_chr(reply.user, '\0') < 0 && str_chr(reply.reason, '\0') < 0 &&
             str_chr(reply.name, '\0') < 0 && str_chr(reply.home, '\0') < 0 && str_chr(reply.mail, '\0') < 0);
    return 0;
}
