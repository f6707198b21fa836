#include "fmt/mta_sts.h"

#include "base/num.h"
#include "fmt/dns_name.h"

static const char *const modes[] = {
    [MTA_STS_NONE] = "none", [MTA_STS_TESTING] = "testing", [MTA_STS_ENFORCE] = "enforce"};

/* --- the record --- */

enum { RECORD_MAX = 2048 };

/* RFC 1035 §3.3.14: character strings, each behind its length; RFC 8461 §3.1: joined without anything. */
static enum rc join(str rdata, struct buf *out)
{
    while (rdata.n > 0) {
        size_t n = (unsigned char)rdata.p[0];
        if (rdata.n < n + 1)
            return RC_INVALID;
        buf_puts(out, str_sub(rdata, 1, n));
        rdata = str_from(rdata, n + 1);
    }
    return out->overflow ? RC_INVALID : RC_OK;
}

/*   sts-ext-name  = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
 *   sts-ext-value = 1*(%x21-3A / %x3C / %x3E-7E) */
static bool is_extension(str name, str value)
{
    bool fine = name.n > 0 && name.n <= 32 && ascii_alnum(name.p[0]) && value.n > 0;
    for (size_t i = 0; fine && i < name.n; i++)
        fine = ascii_alnum(name.p[i]) || strchr("_-.", name.p[i]);
    for (size_t i = 0; fine && i < value.n; i++)
        fine = value.p[i] > ' ' && value.p[i] <= '~' && value.p[i] != '=';
    return fine;
}

static enum rc take_id(str value, char ret_id[MTA_STS_ID_MAX + 1])
{
    for (size_t i = 0; i < value.n; i++)
        if (!ascii_alnum(value.p[i]))
            return RC_INVALID;
    return value.n > 0 && str_copy(ret_id, MTA_STS_ID_MAX + 1, value) == RC_OK ? RC_OK : RC_INVALID;
}

/*   sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
 *   sts-field       = sts-id / sts-extension
 *   sts-field-delim = *WSP ";" *WSP
 *   sts-id          = %s"id=" 1*32(ALPHA / DIGIT) */
static enum rc parse_record(str text, char ret_id[MTA_STS_ID_MAX + 1])
{
    bool has_id = false;
    (void)str_take(&text, ';'); /* the version, which was looked at */
    while (text.n > 0) {
        str value = str_trim(str_take(&text, ';'));
        if (value.n == 0 && str_trim(text).n == 0)
            break;
        str name = str_take(&value, '=');
        if (str_eq(name, S("id"))) {
            if (has_id || take_id(value, ret_id) != RC_OK)
                return RC_INVALID;
            has_id = true;
        } else if (!is_extension(name, value)) {
            return RC_INVALID;
        }
    }
    return has_id ? RC_OK : RC_INVALID;
}

static bool has_version(str text)
{
    return str_starts(text, S("v=STSv1")) && str_starts(str_trim(str_from(text, 7)), S(";"));
}

enum rc mta_sts_record(const str *rdata, size_t n, char ret_id[MTA_STS_ID_MAX + 1])
{
    AUTO(buf_deinit) struct buf one = BUF_INIT(RECORD_MAX);
    char id[MTA_STS_ID_MAX + 1] = "";
    enum rc rc = RC_GONE;
    for (size_t i = 0; i < n; i++) {
        buf_reset(&one);
        if (join(rdata[i], &one) != RC_OK || !has_version(buf_str(&one)))
            continue;
        if (rc != RC_GONE)
            return RC_GONE;
        rc = parse_record(buf_str(&one), id);
    }
    if (rc == RC_OK)
        memcpy(ret_id, id, sizeof id);
    return rc;
}

/* --- the policy --- */

enum { HAS_VERSION = 1, HAS_MODE = 2, HAS_AGE = 4 };

static enum rc take_mode(str value, enum mta_sts_mode *ret)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (str_eq(value, str_c(modes[i]))) {
            *ret = (enum mta_sts_mode)i;
            return RC_OK;
        }
    }
    return RC_INVALID;
}

static enum rc take_age(str value, uint32_t *ret)
{
    uint32_t age;
    if (value.n > 10 || num_parse_u32(value, UINT32_MAX, &age) != RC_OK)
        return RC_INVALID;
    *ret = age < MTA_STS_AGE_MAX ? age : MTA_STS_AGE_MAX;
    return RC_OK;
}

static str without_last_dot(str name)
{
    return str_ends(name, S(".")) ? str_sub(name, 0, name.n - 1) : name;
}

static enum rc take_mx(str value, struct mta_sts_policy *p)
{
    value = without_last_dot(value);
    if (!dns_name_is_host(str_starts(value, S("*.")) ? str_from(value, 2) : value) || str_ends(value, S(".")))
        return RC_INVALID;
    if (p->n_mx == MTA_STS_MX_MAX)
        return RC_LIMIT;
    p->mx[p->n_mx++] = value;
    return RC_OK;
}

/* RFC 8461 §3.2: of a field that is there more than once the first counts, but for mx; unknown ones are
 * ignored. */
static enum rc take_field(str name, str value, struct mta_sts_policy *p, unsigned *has)
{
    static const struct {
        const char *name;
        unsigned bit;
    } once[] = {{"version", HAS_VERSION}, {"mode", HAS_MODE}, {"max_age", HAS_AGE}};
    if (str_eq(name, S("mx")))
        return take_mx(value, p);
    unsigned bit = 0;
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        bit |= str_eq(name, str_c(once[i].name)) ? once[i].bit : 0;
    if (*has & bit)
        return RC_OK;
    *has |= bit;
    switch (bit) {
    case HAS_VERSION:
        return str_eq(value, S("STSv1")) ? RC_OK : RC_INVALID;
    case HAS_MODE:
        return take_mode(value, &p->mode);
    case HAS_AGE:
        return take_age(value, &p->max_age);
    default:
        return RC_OK;
    }
}

/*   sts-policy-record = sts-policy-field *WSP *(sts-policy-term sts-policy-field *WSP) [sts-policy-term]
 *   sts-policy-field  = name ":" *WSP value
 *   sts-policy-term   = LF / CRLF */
enum rc mta_sts_parse(str text, struct mta_sts_policy *ret)
{
    struct mta_sts_policy p = {0};
    unsigned has = 0;
    if (text.n > MTA_STS_POLICY_MAX)
        return RC_LIMIT;
    while (text.n > 0) {
        str value = str_trim(str_take(&text, '\n'));
        if (value.n == 0)
            continue; /* a blank line, which some end their policy with */
        if (str_chr(value, ':') < 0)
            return RC_INVALID;
        str name = str_take(&value, ':');
        enum rc rc = take_field(name, str_trim(value), &p, &has);
        if (rc != RC_OK)
            return rc;
    }
    if (has != (HAS_VERSION | HAS_MODE | HAS_AGE) || (p.n_mx == 0 && p.mode != MTA_STS_NONE))
        return RC_INVALID;
    *ret = p;
    return RC_OK;
}

void mta_sts_format(const struct mta_sts_policy *p, struct buf *out)
{
    buf_printf(out, "version: STSv1\nmode: %s\nmax_age: %u\n", modes[p->mode], p->max_age);
    for (size_t i = 0; i < p->n_mx; i++)
        buf_printf(out, "mx: " STR_FMT "\n", STR_ARG(p->mx[i]));
}

const char *mta_sts_mode_name(enum mta_sts_mode m)
{
    return modes[m];
}

bool mta_sts_has_mx(const struct mta_sts_policy *p, str host)
{
    host = without_last_dot(host);
    ptrdiff_t dot = str_chr(host, '.');
    for (size_t i = 0; i < p->n_mx; i++) {
        bool wild = str_starts(p->mx[i], S("*"));
        if (wild ? dot > 0 && str_ieq(str_from(p->mx[i], 1), str_from(host, (size_t)dot))
                 : str_ieq(p->mx[i], host))
            return true;
    }
    return false;
}
