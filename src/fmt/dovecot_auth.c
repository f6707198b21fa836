/* Parsing and writing of Dovecot's authentication protocol.
 *
 *   line    = verb *( TAB field ) LF
 *   VERSION = "VERSION" TAB major TAB minor          ; both ends, first
 *   client  = "CPID" TAB pid / "AUTH" TAB id TAB mechanism *( TAB parameter ) [ TAB "resp=" base64 ] /
 *             "CONT" TAB id TAB base64 / "CANCEL" TAB id
 *   server  = "MECH" TAB mechanism *( TAB flag ) / "SPID" TAB pid / "CUID" TAB number / "COOKIE" TAB hex /
 *             "DONE" / ( "OK" / "FAIL" ) TAB id *( TAB parameter ) / "CONT" TAB id TAB base64
 *   master  = ( "USER" / "PASS" ) TAB id TAB user *( TAB parameter ) / "LIST" TAB id *( TAB parameter )
 *   found   = "USER" TAB id TAB user *( TAB parameter ) / "NOTFOUND" TAB id
 *   parameter = name [ "=" value ]
 */
#include "fmt/dovecot_auth.h"

#include "base/arena.h"
#include "base/num.h"

/* --- escapes --- */

enum rc dovecot_auth_unescape(str field, struct arena *a, str *ret)
{
    size_t n = 0;
    char *out = arena_alloc(a, field.n + 1);
    if (!out)
        return RC_LIMIT;
    for (size_t i = 0; i < field.n; i++) {
        char c = field.p[i];
        if (c == '\001') {
            if (++i == field.n)
                return RC_INVALID;
            c = field.p[i];
            c = c == '1' ? '\001' : c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == '0' ? '\0' : c;
        }
        if (c == '\0')
            return RC_INVALID;
        out[n++] = c;
    }
    *ret = str_mem(out, n);
    return RC_OK;
}

static void put_escaped(struct buf *out, str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i], letter = '\0';
        letter = c == '\001' ? '1'
                 : c == '\t' ? 't'
                 : c == '\n' ? 'n'
                 : c == '\r' ? 'r'
                 : c == '\0' ? '0'
                             : '\0';
        if (letter)
            buf_putc(out, '\001');
        buf_putc(out, letter ? letter : c);
    }
}

void dovecot_auth_begin(struct buf *out, str verb)
{
    buf_puts(out, verb);
}

void dovecot_auth_put(struct buf *out, str field)
{
    buf_putc(out, '\t');
    put_escaped(out, field);
}

void dovecot_auth_put_number(struct buf *out, uint64_t n)
{
    buf_putc(out, '\t');
    buf_put_u64(out, n);
}

void dovecot_auth_put_value(struct buf *out, str name, str value)
{
    buf_putc(out, '\t');
    buf_puts(out, name);
    buf_putc(out, '=');
    put_escaped(out, value);
}

void dovecot_auth_end(struct buf *out)
{
    buf_putc(out, '\n');
}

/* --- fields --- */

static enum rc take_number(str *rest, uint32_t *ret)
{
    return num_parse_u32(str_take(rest, '\t'), UINT32_MAX, ret) == RC_OK ? RC_OK : RC_INVALID;
}

/* VERSION: another minor number is no matter, the minor of a later version only adds. */
static enum rc take_version(str *rest, uint32_t *ret_major)
{
    uint32_t minor;
    enum rc rc = take_number(rest, ret_major);
    return rc == RC_OK ? take_number(rest, &minor) : rc;
}

/* --- what clients say --- */

static const struct {
    str word;
    enum dovecot_auth_verb verb;
    bool has_name, has_parameters;
} verbs[] = {
    {S("CPID"), DOVECOT_AUTH_CPID, false, false}, {S("AUTH"), DOVECOT_AUTH_AUTH, true, true},
    {S("CONT"), DOVECOT_AUTH_CONT, false, false}, {S("CANCEL"), DOVECOT_AUTH_CANCEL, false, false},
    {S("USER"), DOVECOT_AUTH_USER, true, true},   {S("PASS"), DOVECOT_AUTH_PASS, true, true},
    {S("LIST"), DOVECOT_AUTH_LIST, false, true},
};

static enum rc take_parameters(str rest, struct arena *a, struct dovecot_auth_request *r)
{
    enum rc rc = RC_OK;
    while (rest.p && rc == RC_OK) {
        if (r->verb == DOVECOT_AUTH_AUTH && str_starts(rest, S("resp="))) { /* always the last */
            r->has_response = true;
            r->response = str_from(rest, 5);
            break;
        }
        str value = str_take(&rest, '\t'), name = str_take(&value, '=');
        if (str_eq(name, S("service")))
            rc = dovecot_auth_unescape(value, a, &r->service);
        else if (str_eq(name, S("rip")))
            rc = dovecot_auth_unescape(value, a, &r->client_ip);
        else if (str_eq(name, S("session")))
            rc = dovecot_auth_unescape(value, a, &r->session);
        else if (str_eq(name, S("final-resp-ok")))
            r->takes_final_data = true;
    }
    return rc;
}

enum rc dovecot_auth_parse_request(str line, struct arena *a, struct dovecot_auth_request *ret)
{
    struct dovecot_auth_request r = {.verb = DOVECOT_AUTH_OTHER};
    str rest = line, word = str_take(&rest, '\t');
    size_t i = 0, n = sizeof verbs / sizeof *verbs;
    enum rc rc = str_chr(line, '\0') < 0 && word.n > 0 ? RC_OK : RC_INVALID;
    while (i < n && !str_eq(word, verbs[i].word))
        i++;
    if (rc == RC_OK && str_eq(word, S("VERSION"))) {
        r.verb = DOVECOT_AUTH_VERSION;
        rc = take_version(&rest, &r.major);
    } else if (rc == RC_OK && i < n) {
        r.verb = verbs[i].verb;
        rc = take_number(&rest, &r.id);
        if (rc == RC_OK && verbs[i].has_name)
            rc = dovecot_auth_unescape(str_take(&rest, '\t'), a, &r.name);
        if (rc == RC_OK && verbs[i].has_name && r.name.n == 0)
            rc = RC_INVALID;
        if (rc == RC_OK && verbs[i].has_parameters)
            rc = take_parameters(rest, a, &r);
        if (r.verb == DOVECOT_AUTH_CONT) {
            r.has_response = true;
            r.response = rest;
        }
    }
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

/* --- what a server says --- */

static enum rc take_user(str rest, struct arena *a, struct dovecot_auth_reply *r)
{
    bool uid = false, gid = false;
    enum rc rc = take_number(&rest, &r->id);
    if (rc == RC_OK)
        rc = dovecot_auth_unescape(str_take(&rest, '\t'), a, &r->user);
    while (rest.p && rc == RC_OK) {
        str value = str_take(&rest, '\t'), name = str_take(&value, '=');
        if (str_eq(name, S("uid")) || str_eq(name, S("gid"))) {
            bool is_uid = name.p[0] == 'u';
            rc = num_parse_u32(value, UINT32_MAX, is_uid ? &r->uid : &r->gid) == RC_OK ? RC_OK : RC_INVALID;
            uid |= is_uid;
            gid |= !is_uid;
        } else if (str_eq(name, S("home"))) {
            rc = dovecot_auth_unescape(value, a, &r->home);
        } else if (str_eq(name, S("mail"))) {
            rc = dovecot_auth_unescape(value, a, &r->mail);
        } else if (str_eq(name, S("quota_rule"))) {
            rc = dovecot_auth_unescape(value, a, &r->quota_rule);
        }
    }
    r->has_ids = uid && gid;
    return rc == RC_OK && r->user.n == 0 ? RC_INVALID : rc;
}

static void take_flags(str rest, struct dovecot_auth_reply *r)
{
    while (rest.p) {
        str flag = str_take(&rest, '\t');
        r->plaintext |= str_eq(flag, S("plaintext"));
        r->hidden |= str_eq(flag, S("anonymous")) || str_eq(flag, S("private"));
    }
}

static enum rc take_outcome(str rest, struct arena *a, struct dovecot_auth_reply *r)
{
    enum rc rc = take_number(&rest, &r->id);
    while (rest.p && rc == RC_OK) {
        str value = str_take(&rest, '\t'), name = str_take(&value, '=');
        if (str_eq(name, S("user")))
            rc = dovecot_auth_unescape(value, a, &r->user);
        else if (str_eq(name, S("reason")))
            rc = dovecot_auth_unescape(value, a, &r->reason);
        else if (str_eq(name, S("temp")) || (str_eq(name, S("code")) && str_eq(value, S("temp_fail"))))
            r->temporary = true;
    }
    return rc;
}

enum rc dovecot_auth_parse_reply(str line, struct arena *a, struct dovecot_auth_reply *ret)
{
    struct dovecot_auth_reply r = {.answer = DOVECOT_AUTH_OTHER_ANSWER};
    str rest = line, word = str_take(&rest, '\t');
    enum rc rc = str_chr(line, '\0') < 0 ? RC_OK : RC_INVALID;
    if (str_eq(word, S("VERSION"))) {
        r.answer = DOVECOT_AUTH_HAS_VERSION;
        if (rc == RC_OK)
            rc = take_version(&rest, &r.major);
    } else if (str_eq(word, S("MECH"))) {
        r.answer = DOVECOT_AUTH_HAS_MECHANISM;
        if (rc == RC_OK)
            rc = dovecot_auth_unescape(str_take(&rest, '\t'), a, &r.name);
        take_flags(rest, &r);
    } else if (str_eq(word, S("DONE"))) {
        r.answer = DOVECOT_AUTH_HELLO_DONE;
    } else if (str_eq(word, S("CONT"))) {
        r.answer = DOVECOT_AUTH_CHALLENGE;
        if (rc == RC_OK)
            rc = take_number(&rest, &r.id);
        r.challenge = rest;
    } else if (str_eq(word, S("OK")) || str_eq(word, S("FAIL"))) {
        r.answer = word.n == 2 ? DOVECOT_AUTH_OK : DOVECOT_AUTH_FAIL;
        if (rc == RC_OK)
            rc = take_outcome(rest, a, &r);
    } else if (str_eq(word, S("USER"))) {
        r.answer = DOVECOT_AUTH_FOUND;
        if (rc == RC_OK)
            rc = take_user(rest, a, &r);
    } else if (str_eq(word, S("NOTFOUND"))) {
        r.answer = DOVECOT_AUTH_NOT_FOUND;
        if (rc == RC_OK)
            rc = take_number(&rest, &r.id);
    }
    if (rc == RC_OK)
        *ret = r;
    return rc;
}
