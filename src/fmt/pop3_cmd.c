/* Parsing of POP3 command lines (pop3_cmd.h): one row per verb says what its arguments are.
 *
 * command = keyword *(SP argument); keywords are matched in any case (RFC 1939 §3). Spaces at the end are
 * forgiven. */
#include "fmt/pop3_cmd.h"

#include "base/num.h"

enum args {
    ARGS_NONE,
    ARGS_MAY_NUMBER,   /* [msg] */
    ARGS_NUMBER,       /* msg */
    ARGS_NUMBER_LINES, /* msg SP n */
    ARGS_WORDS,        /* one argument that may hold spaces: names and digests */
    ARGS_MAY_WORDS,    /* the same, or none */
    ARGS_SECRET,       /* everything behind the first space, spaces too (RFC 1939 §7, PASS) */
    ARGS_SASL          /* [mechanism [SP initial-response]] (RFC 5034 §4; none lists the mechanisms) */
};

static const struct {
    str name;
    enum args args;
} verbs[POP3_VERB_COUNT] = {
    [POP3_APOP] = {S("APOP"), ARGS_WORDS},      /* RFC 1939 §7 */
    [POP3_AUTH] = {S("AUTH"), ARGS_SASL},       /* RFC 5034 §4 */
    [POP3_CAPA] = {S("CAPA"), ARGS_NONE},       /* RFC 2449 §5 */
    [POP3_DELE] = {S("DELE"), ARGS_NUMBER},     /* RFC 1939 §5 */
    [POP3_LIST] = {S("LIST"), ARGS_MAY_NUMBER}, /* §5 */
    [POP3_NOOP] = {S("NOOP"), ARGS_NONE},       /* §5 */
    [POP3_PASS] = {S("PASS"), ARGS_SECRET},     /* §7 */
    [POP3_QUIT] = {S("QUIT"), ARGS_NONE},       /* §6 */
    [POP3_RETR] = {S("RETR"), ARGS_NUMBER},     /* §5 */
    [POP3_RSET] = {S("RSET"), ARGS_NONE},       /* §5 */
    [POP3_STAT] = {S("STAT"), ARGS_NONE},       /* §5 */
    [POP3_STLS] = {S("STLS"), ARGS_NONE},       /* RFC 2595 §4 */
    [POP3_TOP] = {S("TOP"), ARGS_NUMBER_LINES}, /* RFC 1939 §7 */
    [POP3_UIDL] = {S("UIDL"), ARGS_MAY_NUMBER}, /* §7 */
    [POP3_USER] = {S("USER"), ARGS_WORDS},      /* §7 */
    [POP3_XCLIENT] = {S("XCLIENT"), ARGS_MAY_WORDS},
};

const char *pop3_verb_name(enum pop3_verb verb)
{
    return verbs[verb].name.p;
}

static enum rc parse_number(str word, uint32_t least, uint32_t *ret)
{
    uint32_t n;
    if (num_parse_u32(word, UINT32_MAX, &n) != RC_OK || n < least)
        return RC_INVALID;
    *ret = n;
    return RC_OK;
}

static enum rc parse_numbers(str args, bool with_lines, struct pop3_cmd *cmd)
{
    enum rc rc = parse_number(str_word(&args), 1, &cmd->number);
    cmd->has_number = rc == RC_OK;
    if (rc == RC_OK && with_lines)
        rc = parse_number(str_word(&args), 0, &cmd->lines);
    return rc == RC_OK && str_trim(args).n > 0 ? RC_INVALID : rc;
}

static enum rc parse_sasl(str args, struct pop3_cmd *cmd)
{
    cmd->text = str_word(&args);
    cmd->initial = str_word(&args);
    cmd->has_initial = cmd->initial.n > 0;
    return str_trim(args).n > 0 ? RC_INVALID : RC_OK;
}

static enum rc parse_args(enum args kind, str args, struct pop3_cmd *cmd)
{
    bool none = str_trim(args).n == 0;
    switch (kind) {
    case ARGS_NONE:
        return none ? RC_OK : RC_INVALID;
    case ARGS_MAY_NUMBER:
        return none ? RC_OK : parse_numbers(args, false, cmd);
    case ARGS_NUMBER:
        return parse_numbers(args, false, cmd);
    case ARGS_NUMBER_LINES:
        return parse_numbers(args, true, cmd);
    case ARGS_WORDS:
    case ARGS_MAY_WORDS:
        cmd->text = str_trim(args);
        return (none && kind == ARGS_WORDS) || str_chr(args, '\0') >= 0 ? RC_INVALID : RC_OK;
    case ARGS_SECRET:
        cmd->text = args;
        return args.n == 0 || str_chr(args, '\0') >= 0 ? RC_INVALID : RC_OK;
    case ARGS_SASL:
        return parse_sasl(args, cmd);
    }
    return RC_INVALID;
}

enum rc pop3_cmd_parse(str line, struct pop3_cmd *ret)
{
    str args = line;
    str name = str_take(&args, ' ');
    for (size_t i = 0; i < POP3_VERB_COUNT; i++) {
        if (!str_ieq(name, verbs[i].name))
            continue;
        struct pop3_cmd cmd = {.verb = (enum pop3_verb)i};
        enum rc rc = parse_args(verbs[i].args, args, &cmd);
        if (rc == RC_OK)
            *ret = cmd;
        return rc;
    }
    return RC_PERM;
}
