/* The EHLO reply's keywords (ehlo.h).
 *
 * ehlo-line = ehlo-keyword *( SP ehlo-param ); keywords ignore case (RFC 5321 §4.1.1.1). */
#include "fmt/ehlo.h"

#include "base/num.h"
#include "fmt/smtp_attr.h"

enum { LIMIT_MAX = 999999 }; /* RFC 9422 §3.1: at most six digits */

static const struct {
    str name;
    enum ehlo_auth bit;
} mechanisms[] = {
    {S("PLAIN"), EHLO_AUTH_PLAIN},
    {S("LOGIN"), EHLO_AUTH_LOGIN},
    {S("SCRAM-SHA-1"), EHLO_AUTH_SCRAM_SHA_1},
    {S("SCRAM-SHA-256"), EHLO_AUTH_SCRAM_SHA_256},
    {S("XOAUTH2"), EHLO_AUTH_XOAUTH2},
};

str ehlo_auth_name(enum ehlo_auth mechanism)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
        if (mechanisms[i].bit == mechanism)
            return mechanisms[i].name;
    return STR_NONE;
}

/* RFC 4954 §3 */
static void read_auth(struct ehlo *e, str params)
{
    for (str word; (word = str_word(&params)).n;)
        for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
            if (str_ieq(word, mechanisms[i].name))
                e->auth |= mechanisms[i].bit;
}

/* A parameter that is no number says nothing. */
static uint32_t read_number(str params)
{
    uint32_t n = 0;
    return num_parse_u32(str_word(&params), UINT32_MAX, &n) == RC_OK ? n : 0;
}

static void read_size(struct ehlo *e, str params)
{
    if (num_parse_u64(str_word(&params), UINT64_MAX, &e->size_max) != RC_OK)
        e->size_max = 0;
}

static void read_priority(struct ehlo *e, str params)
{
    if (str_copy(e->priority_profile, sizeof e->priority_profile, str_word(&params)) != RC_OK)
        e->priority_profile[0] = '\0';
}

static void read_future_release(struct ehlo *e, str params)
{
    e->hold_max = read_number(params);
}

static void read_deliver_by(struct ehlo *e, str params)
{
    e->deliver_by_min = read_number(params);
}

/* RFC 9422 §3: limit = name "=" value; a limit of zero would forbid everything and is none */
static void read_limits(struct ehlo *e, str params)
{
    for (str word; (word = str_word(&params)).n;) {
        str value = word, name = str_take(&value, '=');
        uint32_t *into = str_ieq(name, S("RCPTMAX"))         ? &e->rcpt_max
                         : str_ieq(name, S("MAILMAX"))       ? &e->mail_max
                         : str_ieq(name, S("RCPTDOMAINMAX")) ? &e->rcpt_domain_max
                                                             : NULL;
        if (into && num_parse_u32(value, LIMIT_MAX, into) != RC_OK)
            *into = 0;
    }
}

static void read_origin(struct ehlo *e, str params)
{
    if (str_copy(e->origin, sizeof e->origin, str_word(&params)) != RC_OK)
        e->origin[0] = '\0';
}

static void read_forward(struct ehlo *e, str params)
{
    for (str word; (word = str_word(&params)).n;) {
        enum smtp_attr_name name = smtp_attr_find(SMTP_ATTR_XFORWARD, word);
        if (name != SMTP_ATTR_COUNT)
            e->xforward |= 1u << name;
    }
}

static const struct {
    str name;
    enum ehlo_keyword bit;
    void (*read)(struct ehlo *e, str params);
} keywords[] = {
    {S("8BITMIME"), EHLO_8BITMIME, NULL},
    {S("PIPELINING"), EHLO_PIPELINING, NULL},
    {S("SIZE"), EHLO_SIZE, read_size},
    {S("SMTPUTF8"), EHLO_SMTPUTF8, NULL},
    {S("CHUNKING"), EHLO_CHUNKING, NULL},
    {S("BINARYMIME"), EHLO_BINARYMIME, NULL},
    {S("STARTTLS"), EHLO_STARTTLS, NULL},
    {S("AUTH"), EHLO_AUTH, read_auth},
    {S("ENHANCEDSTATUSCODES"), EHLO_ENHANCED, NULL},
    {S("DSN"), EHLO_DSN, NULL},
    {S("MT-PRIORITY"), EHLO_MT_PRIORITY, read_priority},
    {S("FUTURERELEASE"), EHLO_FUTURERELEASE, read_future_release},
    {S("DELIVERBY"), EHLO_DELIVERBY, read_deliver_by},
    {S("REQUIRETLS"), EHLO_REQUIRETLS, NULL},
    {S("LIMITS"), EHLO_LIMITS, read_limits},
    {S("XORIGIN"), EHLO_XORIGIN, read_origin},
    {S("XFORWARD"), EHLO_XFORWARD, read_forward},
};

unsigned ehlo_keyword_find(str name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_ieq(name, keywords[i].name))
            return keywords[i].bit;
    return 0;
}

bool ehlo_may_discard(str word)
{
    static const char *const others[] = {"ETRN", "VRFY", "EXPN", "XCLIENT", "silent-discard"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_ieq(word, str_c(others[i])))
            return true;
    return ehlo_keyword_find(word) != 0;
}

static void read_keyword(struct ehlo *e, str line)
{
    str params = line, name = str_word(&params);
    if (str_istarts(name, S("AUTH="))) { /* "AUTH=LOGIN PLAIN", from before RFC 2554 */
        params = str_from(str_trim(line), 5);
        name = S("AUTH");
    }
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (!str_ieq(name, keywords[i].name))
            continue;
        e->keywords |= keywords[i].bit;
        if (keywords[i].read)
            keywords[i].read(e, params);
    }
}

static void read_name(struct ehlo *e, str line)
{
    str name = str_word(&line);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x21 || name.p[i] > 0x7e)
            return;
    if (str_copy(e->name, sizeof e->name, name) != RC_OK)
        e->name[0] = '\0';
}

void ehlo_feed(struct ehlo *ret, str line)
{
    if (ret->lines > EHLO_KEYWORDS_MAX)
        return;
    if (ret->lines++ == 0)
        read_name(ret, line);
    else
        read_keyword(ret, line);
}
