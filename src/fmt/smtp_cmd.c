/* smtp_cmd: the grammar of command lines.
 *
 *   mail          = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF          ; RFC 5321 §4.1.1.2
 *   rcpt          = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP
 * Rcpt-parameters] CRLF Path          = "<" [ A-d-l ":" ] Mailbox ">"                                ; RFC
 * 5321 §4.1.2 A-d-l         = At-domain *( "," At-domain ) esmtp-param   = esmtp-keyword ["=" esmtp-value]
 *   esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *   esmtp-value   = 1*(%d33-60 / %d62-126)                                       ; UTF-8 too with RFC 6531
 * §3.3 xtext         = *( xchar / "+" 2HEXDIG-upper )                               ; RFC 3461 §4 */
#include "fmt/smtp_cmd.h"

#include "base/num.h"
#include "base/utf8.h"
#include "fmt/date.h"
#include "fmt/xtext.h"

#define SYNTAX(e, ...) err_set((e), RC_INVALID, 501, "5.5.4", __VA_ARGS__)

void smtp_cmd_split(str line, str *ret_verb, str *ret_args)
{
    str rest = str_trim(line);
    *ret_verb = str_word(&rest);
    *ret_args = str_trim(rest);
}

enum rc smtp_cmd_check_helo(str args)
{
    if (args.n == 0 || args.n > MAILADDR_DOMAIN_MAX)
        return RC_INVALID;
    for (size_t i = 0; i < args.n; i++)
        if (args.p[i] <= ' ' || args.p[i] > '~')
            return RC_INVALID;
    return RC_OK;
}

static int hex_upper(char c)
{
    return ascii_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum rc smtp_cmd_decode_xtext(str text, struct arena *a, str *ret)
{
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;
    if (!out)
        return RC_LIMIT;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c < '!' || c > '~' || c == '=')
            return RC_INVALID;
        if (c == '+') {
            int high = i + 1 < text.n ? hex_upper(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? hex_upper(text.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return RC_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        }
        out[n++] = c;
    }
    *ret = str_mem(out, n);
    return RC_OK;
}

/* Takes "FROM:" or "TO:" and spaces off *args. */
static bool take_keyword(str *args, str keyword)
{
    if (!str_istarts(*args, keyword))
        return false;
    *args = str_from(*args, keyword.n);
    while (args->n && args->p[0] == ' ')
        *args = str_from(*args, 1);
    return true;
}

/* A-d-l ":"; nothing when the path has no source route. */
static enum rc skip_source_route(str *path)
{
    if (path->n == 0 || path->p[0] != '@')
        return RC_OK;
    while (path->n && path->p[0] == '@') {
        str domain;
        *path = str_from(*path, 1);
        if (mailaddr_take_domain(path, &domain))
            return RC_INVALID;
        if (path->n && path->p[0] == ',')
            *path = str_from(*path, 1);
    }
    if (path->n == 0 || path->p[0] != ':')
        return RC_INVALID;
    *path = str_from(*path, 1);
    return RC_OK;
}

/* Takes the mailbox and ">" off *args; the "<" is gone already. status: the enhanced code of a bad address.
 */
static enum rc take_mailbox(str *args, struct arena *a, const char *status, struct mailaddr *ret,
                            struct err *e)
{
    enum rc rc = skip_source_route(args);
    if (rc == RC_OK)
        rc = mailaddr_take(args, a, ret);
    if (rc == RC_LIMIT)
        return err_set(e, rc, 501, status, "Address too long");
    if (rc || args->n == 0 || args->p[0] != '>')
        return err_set(e, RC_INVALID, 501, status, "Bad address syntax");
    *args = str_from(*args, 1);
    return RC_OK;
}

/* A path ends where its parameters begin, behind a space, or at the end of the line. */
static enum rc check_path_end(str args, struct err *e)
{
    return args.n && args.p[0] != ' ' ? SYNTAX(e, "Bad address syntax: garbage after >") : RC_OK;
}

static bool keyword_is_valid(str keyword)
{
    if (keyword.n == 0 || !ascii_alnum(keyword.p[0]))
        return false;
    for (size_t i = 1; i < keyword.n; i++)
        if (!ascii_alnum(keyword.p[i]) && keyword.p[i] != '-')
            return false;
    return true;
}

static bool value_is_valid(str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 33 || c == '=' || c == 127)
            return false;
    }
    return value.n > 0 && utf8_valid(value);
}

/* One parameter's reader: value.p is NULL when there was no "=". out is struct smtp_mail or struct smtp_rcpt.
 */
struct param {
    str keyword;
    unsigned extension; /* 0: always there */
    bool has_value;
    enum rc (*parse)(str value, struct arena *a, void *out, struct err *e);
};

static enum rc parse_params(str args, const struct param *table, size_t table_n, unsigned extensions,
                            struct arena *a, void *out, struct err *e)
{
    unsigned seen = 0;
    for (str word = str_word(&args); word.n; word = str_word(&args)) {
        bool has_value = str_chr(word, '=') >= 0;
        str value = word, keyword = str_take(&value, '=');
        size_t i = 0;
        if (!keyword_is_valid(keyword) || (has_value && !value_is_valid(value)))
            return SYNTAX(e, "Bad parameter syntax");
        while (i < table_n && !str_ieq(keyword, table[i].keyword))
            i++;
        if (i == table_n || (table[i].extension & ~extensions)) /* RFC 5321 §4.1.1.11 */
            return err_set(e, RC_PERM, 555, "5.5.4", "Unsupported parameter: " STR_FMT, STR_ARG(keyword));
        if (seen & 1u << i)
            return SYNTAX(e, "Parameter given twice: " STR_FMT, STR_ARG(keyword));
        if (has_value != table[i].has_value)
            return SYNTAX(e, "Bad parameter value: " STR_FMT, STR_ARG(keyword));
        seen |= 1u << i;
        enum rc rc = table[i].parse(value, a, out, e);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* size-value ::= 1*20DIGIT (RFC 1870 §3) */
static enum rc param_size(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    enum rc rc = num_parse_u64(value, UINT64_MAX, &mail->size);
    if (rc == RC_LIMIT && value.n <= 20) {
        mail->size = UINT64_MAX;
        rc = RC_OK;
    }
    return rc ? SYNTAX(e, "Bad SIZE value") : RC_OK;
}

static enum rc param_body(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    if (str_ieq(value, S("7BIT")))
        mail->body = SMTP_BODY_7BIT;
    else if (str_ieq(value, S("8BITMIME")))
        mail->body = SMTP_BODY_8BITMIME;
    else if (str_ieq(value, S("BINARYMIME")))
        mail->body = SMTP_BODY_BINARYMIME;
    else
        return SYNTAX(e, "Unsupported BODY value");
    return RC_OK;
}

static enum rc param_smtputf8(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    mail->smtputf8 = true;
    return RC_OK;
}

static enum rc param_ret(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    if (str_ieq(value, S("FULL")))
        mail->ret = SMTP_RET_FULL;
    else if (str_ieq(value, S("HDRS")))
        mail->ret = SMTP_RET_HDRS;
    else
        return SYNTAX(e, "Bad RET value");
    return RC_OK;
}

static bool is_printable_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

static enum rc param_envid(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    if (value.n > SMTP_ENVID_MAX || smtp_cmd_decode_xtext(value, a, &mail->envid) ||
        !is_printable_ascii(mail->envid))
        return SYNTAX(e, "Bad ENVID value");
    return RC_OK;
}

/* AUTH=<> or an xtext mailbox (RFC 4954 §5). */
static enum rc param_auth(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    struct mailaddr addr;
    if (smtp_cmd_decode_xtext(value, a, &mail->auth))
        return SYNTAX(e, "Bad AUTH value");
    if (!str_eq(mail->auth, S("<>")) && mailaddr_parse(mail->auth, a, &addr))
        return SYNTAX(e, "Bad AUTH value");
    return RC_OK;
}

enum rc smtp_cmd_parse_priority(str text, int *ret)
{
    bool negative = str_starts(text, S("-"));
    str digit = str_from(text, negative);
    if (digit.n != 1 || !ascii_digit(digit.p[0]) || (negative && digit.p[0] == '0'))
        return RC_INVALID;
    *ret = negative ? '0' - digit.p[0] : digit.p[0] - '0';
    return RC_OK;
}

static enum rc param_priority(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    mail->has_priority = true;
    if (smtp_cmd_parse_priority(value, &mail->priority)) /* RFC 6710 §4.1 */
        return err_set(e, RC_INVALID, 501, "5.5.2", "Bad MT-PRIORITY value");
    return RC_OK;
}

/* future-release-integer = %x31-39 *8DIGIT (RFC 4865 §3) */
static enum rc param_holdfor(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    if (num_parse_u32(value, 999999999, &mail->hold_for) || value.p[0] == '0')
        return SYNTAX(e, "Bad HOLDFOR value");
    return mail->hold_until ? SYNTAX(e, "HOLDFOR and HOLDUNTIL exclude each other") : RC_OK;
}

static enum rc param_holduntil(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    struct date date;
    if (date_parse_internet(value, &date) || date.seconds <= 0)
        return SYNTAX(e, "Bad HOLDUNTIL value");
    mail->hold_until = date.seconds;
    return mail->hold_for ? SYNTAX(e, "HOLDFOR and HOLDUNTIL exclude each other") : RC_OK;
}

/* by-value = ["-" / "+"] 1*9DIGIT ";" ("R" / "N") ["T"]; to return it there must be time left (RFC 2852 §4)
 */
static enum rc param_by(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    str mode = value, time = str_take(&mode, ';');
    bool negative = str_starts(time, S("-"));
    uint32_t seconds;
    time = str_from(time, negative || str_starts(time, S("+")));
    if (time.n > 9 || num_parse_u32(time, 999999999, &seconds) || mode.n < 1 || mode.n > 2)
        return SYNTAX(e, "Bad BY value");
    mail->by = ascii_upper(mode.p[0]) == 'R'   ? SMTP_BY_RETURN
               : ascii_upper(mode.p[0]) == 'N' ? SMTP_BY_NOTIFY
                                               : SMTP_BY_UNSET;
    mail->by_trace = mode.n == 2;
    if (!mail->by || (mode.n == 2 && ascii_upper(mode.p[1]) != 'T'))
        return SYNTAX(e, "Bad BY value");
    mail->by_seconds = negative ? -(int32_t)seconds : (int32_t)seconds;
    return mail->by == SMTP_BY_RETURN && mail->by_seconds <= 0 ? SYNTAX(e, "BY time is over already") : RC_OK;
}

static enum rc param_requiretls(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_mail *mail = out;
    mail->require_tls = true;
    return RC_OK;
}

/* notify-esmtp-value = "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY") (RFC 3461 §4.1) */
static enum rc param_notify(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_rcpt *rcpt = out;
    unsigned notify = 0;
    while (value.p) {
        str word = str_take(&value, ',');
        if (str_ieq(word, S("SUCCESS")))
            notify |= SMTP_NOTIFY_SUCCESS;
        else if (str_ieq(word, S("FAILURE")))
            notify |= SMTP_NOTIFY_FAILURE;
        else if (str_ieq(word, S("DELAY")))
            notify |= SMTP_NOTIFY_DELAY;
        else if (str_ieq(word, S("NEVER")))
            notify |= SMTP_NOTIFY_NEVER;
        else
            return SYNTAX(e, "Bad NOTIFY value");
    }
    if (notify & SMTP_NOTIFY_NEVER && notify != SMTP_NOTIFY_NEVER)
        return SYNTAX(e, "NOTIFY=NEVER stands alone");
    rcpt->notify = notify;
    return RC_OK;
}

/* Addresses of type utf-8 have a coding of their own (RFC 6533 §3). */
static enum rc decode_orcpt(str type, str address, struct arena *a, str *ret)
{
    AUTO(buf_deinit) struct buf plain = BUF_INIT(4 * SMTP_ORCPT_MAX);
    if (!str_ieq(type, S("utf-8")))
        return smtp_cmd_decode_xtext(address, a, ret);
    enum rc rc = xtext_decode_utf8_addr(&plain, address);
    if (rc == RC_OK)
        *ret = arena_str(a, buf_str(&plain));
    return rc == RC_OK && !ret->p ? RC_LIMIT : rc;
}

/* original-recipient-address = addr-type ";" xtext (RFC 3461 §4.2) */
static enum rc param_orcpt(str value, struct arena *a, void *out, struct err *e)
{
    struct smtp_rcpt *rcpt = out;
    bool has_type = str_chr(value, ';') > 0;
    str address = value, type = str_take(&address, ';');
    if (value.n > SMTP_ORCPT_MAX || !has_type || !keyword_is_valid(type) ||
        decode_orcpt(type, address, a, &rcpt->orcpt))
        return SYNTAX(e, "Bad ORCPT value");
    rcpt->orcpt_type = arena_str(a, type);
    return rcpt->orcpt_type.p ? RC_OK : SYNTAX(e, "Bad ORCPT value");
}

static const struct param mail_params[] = {
    {S("SIZE"), 0, true, param_size},
    {S("BODY"), 0, true, param_body},
    {S("SMTPUTF8"), 0, false, param_smtputf8},
    {S("AUTH"), 0, true, param_auth},
    {S("RET"), 0, true, param_ret},
    {S("ENVID"), 0, true, param_envid},
    {S("MT-PRIORITY"), SMTP_EXT_MT_PRIORITY, true, param_priority},
    {S("HOLDFOR"), SMTP_EXT_FUTURERELEASE, true, param_holdfor},
    {S("HOLDUNTIL"), SMTP_EXT_FUTURERELEASE, true, param_holduntil},
    {S("BY"), SMTP_EXT_DELIVERBY, true, param_by},
    {S("REQUIRETLS"), SMTP_EXT_REQUIRETLS, false, param_requiretls},
};

static const struct param rcpt_params[] = {
    {S("NOTIFY"), 0, true, param_notify},
    {S("ORCPT"), 0, true, param_orcpt},
};

enum rc smtp_cmd_parse_mail(str args, unsigned extensions, struct arena *a, struct smtp_mail *ret,
                            struct err *e)
{
    struct smtp_mail mail = {.null_sender = false};
    enum rc rc;
    if (!take_keyword(&args, S("FROM:")) || args.n == 0 || args.p[0] != '<')
        return SYNTAX(e, "Syntax: MAIL FROM:<address>");
    args = str_from(args, 1);
    mail.null_sender = args.n && args.p[0] == '>';
    if (mail.null_sender)
        args = str_from(args, 1);
    else if ((rc = take_mailbox(&args, a, "5.1.7", &mail.from, e)))
        return rc;
    if ((rc = check_path_end(args, e)))
        return rc;
    if ((rc = parse_params(args, mail_params, sizeof mail_params / sizeof *mail_params, extensions, a, &mail,
                           e)))
        return rc;
    if (mail.body == SMTP_BODY_BINARYMIME && !(extensions & SMTP_EXT_BINARYMIME))
        return SYNTAX(e, "Unsupported BODY value");
    if (mail.from.utf8 && !mail.smtputf8) /* RFC 6531 §3.5 */
        return err_set(e, RC_PERM, 553, "5.6.7", "Address needs SMTPUTF8");
    *ret = mail;
    return RC_OK;
}

enum rc smtp_cmd_parse_rcpt(str args, bool smtputf8, struct arena *a, struct smtp_rcpt *ret, struct err *e)
{
    struct smtp_rcpt rcpt = {.postmaster = false};
    enum rc rc;
    if (!take_keyword(&args, S("TO:")) || args.n == 0 || args.p[0] != '<')
        return SYNTAX(e, "Syntax: RCPT TO:<address>");
    args = str_from(args, 1);
    if (str_istarts(args, S("postmaster>"))) { /* RFC 5321 §4.1.1.3 */
        rcpt.postmaster = true;
        rcpt.to.local = S("postmaster");
        args = str_from(args, S("postmaster>").n);
    } else if ((rc = take_mailbox(&args, a, "5.1.3", &rcpt.to, e))) {
        return rc;
    }
    if ((rc = check_path_end(args, e)))
        return rc;
    if ((rc = parse_params(args, rcpt_params, sizeof rcpt_params / sizeof *rcpt_params, 0, a, &rcpt, e)))
        return rc;
    if (rcpt.to.utf8 && !smtputf8) /* RFC 6531 §3.5 */
        return err_set(e, RC_PERM, 553, "5.6.7", "Address needs SMTPUTF8");
    *ret = rcpt;
    return RC_OK;
}
