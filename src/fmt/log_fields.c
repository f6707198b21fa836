/* The names of fields, and their values as variables. */
#include "fmt/log_fields.h"

#include "fmt/dovecot_var.h"

struct name {
    char letter; /* '\0': none */
    const char *name;
};

static const struct name users[LOG_USER_FIELDS] = {
    [LOG_USER] = {'u', "user"},        [LOG_USERNAME] = {'n', "username"}, [LOG_DOMAIN] = {'d', "domain"},
    [LOG_SESSION] = {'\0', "session"}, [LOG_RIP] = {'r', "rip"},
};

static const struct name imap[LOG_IMAP_FIELDS] = {
    [LOG_IMAP_INPUT] = {'i', "input"},
    [LOG_IMAP_OUTPUT] = {'o', "output"},
    [LOG_IMAP_HDR_COUNT] = {'\0', "fetch_hdr_count"},
    [LOG_IMAP_HDR_BYTES] = {'\0', "fetch_hdr_bytes"},
    [LOG_IMAP_BODY_COUNT] = {'\0', "fetch_body_count"},
    [LOG_IMAP_BODY_BYTES] = {'\0', "fetch_body_bytes"},
    [LOG_IMAP_DELETED] = {'\0', "deleted"},
    [LOG_IMAP_EXPUNGED] = {'\0', "expunged"},
    [LOG_IMAP_TRASHED] = {'\0', "trashed"},
    [LOG_IMAP_APPENDED] = {'\0', "appended"},
};

static const struct name pop3[LOG_POP3_FIELDS] = {
    [LOG_POP3_INPUT] = {'i', "input"},
    [LOG_POP3_OUTPUT] = {'o', "output"},
    [LOG_POP3_TOP_COUNT] = {'t', "top_count"},
    [LOG_POP3_TOP_BYTES] = {'p', "top_bytes"},
    [LOG_POP3_RETR_COUNT] = {'r', "retr_count"},
    [LOG_POP3_RETR_BYTES] = {'b', "retr_bytes"},
    [LOG_POP3_DELETED_COUNT] = {'d', "deleted_count"},
    [LOG_POP3_DELETED_BYTES] = {'\0', "deleted_bytes"},
    [LOG_POP3_MESSAGE_COUNT] = {'m', "message_count"},
    [LOG_POP3_MESSAGE_BYTES] = {'s', "message_bytes"},
};

static const struct name deliver[LOG_DELIVER_FIELDS] = {
    [LOG_DELIVER_MESSAGE] = {'$', "message"},
    [LOG_DELIVER_MSGID] = {'m', "msgid"},
    [LOG_DELIVER_SUBJECT] = {'s', "subject"},
    [LOG_DELIVER_FROM] = {'f', "from"},
    [LOG_DELIVER_FROM_ENVELOPE] = {'e', "from_envelope"},
    [LOG_DELIVER_TO_ENVELOPE] = {'\0', "to_envelope"},
    [LOG_DELIVER_SIZE] = {'p', "size"},
    [LOG_DELIVER_VSIZE] = {'w', "vsize"},
    [LOG_DELIVER_DELIVERY_TIME] = {'\0', "delivery_time"},
    [LOG_DELIVER_SESSION_TIME] = {'\0', "session_time"},
};

static const struct {
    const struct name *names;
    size_t n;
    bool has_user;
} kinds[] = {
    [LOG_FIELDS_IMAP] = {imap, LOG_IMAP_FIELDS, true},
    [LOG_FIELDS_POP3] = {pop3, LOG_POP3_FIELDS, true},
    [LOG_FIELDS_DELIVER] = {deliver, LOG_DELIVER_FIELDS, false},
};

struct finding {
    const struct log_fields *f;
    char number[24];
};

static str long_name_among(const struct name *names, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].letter == letter)
            return str_c(names[i].name);
    return STR_NONE;
}

static str find_long_name(void *ctx, char letter)
{
    const struct finding *x = ctx;
    enum log_fields_kind kind = x->f->kind;
    str name = long_name_among(kinds[kind].names, kinds[kind].n, letter);
    return name.p || !kinds[kind].has_user ? name : long_name_among(users, LOG_USER_FIELDS, letter);
}

static str value_of(struct finding *x, size_t i)
{
    const struct log_value *v = x->f->values ? &x->f->values[i] : NULL;
    if (!v || v->text.p)
        return v ? v->text : S("");
    snprintf(x->number, sizeof x->number, "%llu", (unsigned long long)v->number);
    return str_c(x->number);
}

static enum rc find_value(void *ctx, str name, str *ret, struct err *e)
{
    struct finding *x = ctx;
    enum log_fields_kind kind = x->f->kind;
    for (size_t i = 0; i < kinds[kind].n; i++) {
        if (str_eq(name, str_c(kinds[kind].names[i].name))) {
            *ret = value_of(x, i);
            return RC_OK;
        }
    }
    for (size_t i = 0; kinds[kind].has_user && i < LOG_USER_FIELDS; i++) {
        if (str_eq(name, str_c(users[i].name))) {
            *ret = x->f->users[i];
            return RC_OK;
        }
    }
    return RC_GONE;
}

enum rc log_fields_put(const struct log_fields *f, str format, struct buf *out, struct err *e)
{
    struct finding x = {.f = f};
    const struct dovecot_var_env env = {.find = find_value, .long_name = find_long_name, .ctx = &x};
    return dovecot_var_expand(format, &env, out, e);
}

void log_fields_name(struct log_fields *f, str account)
{
    str domain = account;
    f->users[LOG_USER] = account;
    f->users[LOG_USERNAME] = str_take(&domain, '@');
    f->users[LOG_DOMAIN] = domain;
}
