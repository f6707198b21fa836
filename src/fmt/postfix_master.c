#include "fmt/postfix_master.h"

#include "base/num.h"
#include "fmt/ip.h"
#include "fmt/tabletext.h"

static const char *const types[] = {[POSTFIX_INET] = "inet",
                                    [POSTFIX_UNIX] = "unix",
                                    [POSTFIX_UNIX_DGRAM] = "unix-dgram",
                                    [POSTFIX_FIFO] = "fifo",
                                    [POSTFIX_PASS] = "pass"};

struct reading {
    struct arena *a;
    struct postfix_master m;
    size_t room, args;
    str at; /* the field that is being read, for the fault */
};

/* Other than for lines, form feeds and vertical tabs are none. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static str skip_blanks(str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = str_from(s, 1);
    return s;
}

static str take_field(str *rest)
{
    size_t n = 0;
    *rest = skip_blanks(*rest);
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    str field = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return field;
}

/* A word, in which braces keep blanks; empty at the end. */
static str take_word(str *rest)
{
    size_t n = 0, depth = 0;
    *rest = skip_blanks(*rest);
    for (; n < rest->n && (depth > 0 || !is_blank(rest->p[n])); n++) {
        if (rest->p[n] == '{')
            depth++;
        else if (rest->p[n] == '}' && depth > 0)
            depth--;
    }
    str word = str_sub(*rest, 0, n);
    *rest = str_from(*rest, n);
    return word;
}

/* A word that begins with a brace stands for what is in it. */
static const char *unbrace(str *word)
{
    size_t i = 0, depth = 0;
    for (; i < word->n; i++) {
        if (word->p[i] == '{')
            depth++;
        else if (word->p[i] == '}' && --depth == 0)
            break;
    }
    if (i == word->n)
        return "a \"{\" is not closed";
    if (i + 1 < word->n)
        return "text behind the closing \"}\"";
    *word = tabletext_trim(str_sub(*word, 1, i - 1));
    return NULL;
}

/* --- fields; each returns NULL or what is wrong --- */

static const char *read_type(str s, enum postfix_service_type *ret)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(s, str_c(types[i]))) {
            *ret = (enum postfix_service_type)i;
            return NULL;
        }
    return "the type is not inet, unix, unix-dgram, fifo or pass";
}

static const char *read_choice(str s, enum postfix_choice *ret)
{
    static const char letters[] = "-yn"; /* in the order of enum postfix_choice */
    const char *at = s.n == 1 && s.p[0] ? strchr(letters, s.p[0]) : NULL;
    if (!at)
        return "private, unpriv and chroot are y, n or -";
    *ret = (enum postfix_choice)(at - letters);
    return NULL;
}

static const char *read_number(str s, int32_t *ret)
{
    uint32_t n = 0;
    *ret = POSTFIX_NOT_SET;
    if (str_eq(s, S("-")))
        return NULL;
    enum rc rc = num_parse_u32(s, POSTFIX_NUMBER_MAX, &n);
    if (rc != RC_OK)
        return rc == RC_LIMIT ? "the number is too large" : "wakeup and maxproc are numbers or -";
    *ret = (int32_t)n;
    return NULL;
}

static const char *read_wakeup(str s, struct postfix_service *ret)
{
    ret->wakeup_when_used = str_ends(s, S("?"));
    if (ret->wakeup_when_used)
        s.n--;
    if (ret->wakeup_when_used && str_eq(s, S("-")))
        return "\"?\" needs a wakeup time";
    return read_number(s, &ret->wakeup_s);
}

/* A name with a letter somewhere, or an address: what only looks like an address is neither. */
static bool is_host(str s)
{
    struct ip_net address;
    bool letters = false;
    if (ip_parse(s, &address) == RC_OK)
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_')
            return false;
        letters |= ascii_alpha(s.p[i]);
    }
    return letters;
}

/* inet-name = "[" host "]:" port / [ [ host ] ":" ] port; of several colons the last one counts. */
static const char *read_inet_name(struct postfix_service *s)
{
    str name = s->name, rest;
    uint32_t number = 0;
    s->host = S("");
    s->port = name;
    if (str_starts(name, S("["))) {
        rest = str_from(name, 1);
        s->host = str_take(&rest, ']');
        if (!rest.p)
            return "a \"[\" is not closed";
        if (rest.n > 0 && rest.p[0] != ':')
            return "text behind \"]\"";
        s->port = str_from(rest, 1);
    } else if (str_rchr(name, ':') >= 0) {
        size_t colon = (size_t)str_rchr(name, ':');
        s->host = str_sub(name, 0, colon);
        s->port = str_from(name, colon + 1);
    }
    if (s->port.n == 0)
        return "the port is missing";
    if ((s->host.n > 0 || name.p[0] == '[') && !is_host(s->host))
        return "neither a host name nor an address in front of the port";
    if (ascii_digit(s->port.p[0]) && num_parse_u32(s->port, UINT16_MAX, &number) != RC_OK)
        return "not a number of a port";
    return NULL;
}

static const char *read_fields(struct reading *r, str *rest, struct postfix_service *s)
{
    const char *why = NULL;
    str fields[8];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        fields[i] = take_field(rest);
        if (fields[i].n == 0)
            return "a service has at least eight fields";
    }
    s->name = fields[0];
    s->command = fields[7];
    if ((why = read_type(r->at = fields[1], &s->type)) || (why = read_choice(r->at = fields[2], &s->priv)) ||
        (why = read_choice(r->at = fields[3], &s->unpriv)) ||
        (why = read_choice(r->at = fields[4], &s->chroot)) || (why = read_wakeup(r->at = fields[5], s)) ||
        (why = read_number(r->at = fields[6], &s->maxproc)))
        return why;
    r->at = s->command;
    if (str_eq(s->command, S("-")) || s->command.p[0] == '{')
        return "the name of the command is missing";
    r->at = s->name;
    if (s->type != POSTFIX_INET)
        return NULL;
    if (s->priv != POSTFIX_NO)
        return "an inet service cannot be private: its third field is n";
    return read_inet_name(s);
}

/* --- services --- */

static size_t count_words(str rest)
{
    size_t n = 0;
    while (take_word(&rest).n > 0)
        n++;
    return n;
}

/* *ret_why: what is wrong with an argument. */
static enum rc read_args(struct reading *r, str rest, struct postfix_service *s, const char **ret_why)
{
    size_t n = count_words(rest);
    r->args += n;
    if (r->args > POSTFIX_ARGS_MAX)
        return RC_LIMIT;
    s->args = arena_array(r->a, n ? n : 1, sizeof *s->args);
    if (!s->args)
        return RC_LIMIT;
    while (s->n_args < n) {
        str word = r->at = take_word(&rest);
        if (word.p[0] == '{' && (*ret_why = unbrace(&word)))
            return RC_OK;
        s->args[s->n_args++] = word;
    }
    return RC_OK;
}

static enum rc add_fault(struct reading *r, int line, const char *why)
{
    return postfix_fault_add(&r->m.faults, r->a, line, why, r->at);
}

/* Postfix's daemons, not its master, refuse to start with these. */
static enum rc check_options(struct reading *r, const struct postfix_service *s)
{
    struct postfix_options o = postfix_options_of(s);
    struct postfix_option one;
    enum rc rc = RC_OK;
    while (rc == RC_OK && postfix_options_next(&o, &one)) {
        r->at = one.value;
        if (one.letter == 'o' && one.override_name.n == 0)
            rc = add_fault(r, s->line, "-o needs name=value");
    }
    return rc;
}

static enum rc add_service(struct reading *r, const struct postfix_service *s)
{
    if (r->m.n == POSTFIX_SERVICES_MAX)
        return RC_LIMIT;
    if (r->m.n == r->room) {
        struct postfix_service *grown = arena_grow(r->a, r->m.services, r->m.n, sizeof *grown);
        if (!grown)
            return RC_LIMIT;
        r->m.services = grown;
        r->room = r->m.n < 4 ? 8 : r->m.n * 2;
    }
    for (size_t i = 0; i < r->m.n; i++) {
        struct postfix_service *earlier = &r->m.services[i];
        if (earlier->type == s->type && str_eq(earlier->name, s->name))
            earlier->overridden_by = s->line;
    }
    r->m.services[r->m.n++] = *s;
    return check_options(r, s);
}

static enum rc read_line(struct reading *r, str line, int number)
{
    struct postfix_service s = {.line = number};
    const char *why = NULL;
    enum rc rc = RC_OK;
    str rest = arena_str(r->a, line);
    if (!rest.p)
        return RC_LIMIT;
    r->at = rest;
    if (tabletext_is_white(rest.p[0]))
        why = "a logical line must not begin with white space";
    else
        why = read_fields(r, &rest, &s);
    if (!why)
        rc = read_args(r, rest, &s, &why);
    if (rc != RC_OK)
        return rc;
    return why ? add_fault(r, number, why) : add_service(r, &s);
}

enum rc postfix_master_parse(str text, struct arena *a, struct postfix_master *ret)
{
    AUTO(buf_deinit) struct buf joined = BUF_INIT(TABLETEXT_LINE_MAX);
    struct reading r = {.a = a};
    struct tabletext t = tabletext_of(text);
    str line = STR_NONE;
    int number = 0;
    enum rc rc;
    while ((rc = tabletext_next(&t, &joined, &line, &number)) != RC_GONE) {
        r.at = S("");
        if (rc == RC_OK)
            rc = read_line(&r, line, number);
        else
            rc = add_fault(&r, number, rc == RC_LIMIT ? "the line is too long" : "the line has a NUL byte");
        if (rc != RC_OK)
            return rc;
    }
    *ret = r.m;
    return RC_OK;
}

const struct postfix_service *postfix_master_find(const struct postfix_master *m, str name,
                                                  enum postfix_service_type type)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct postfix_service *s = &m->services[i];
        if (!s->overridden_by && s->type == type && str_eq(s->name, name))
            return s;
    }
    return NULL;
}

/* --- options --- */

/* rest: what follows the letter. As for postconf, "-o{ a = b }" is what "-o { a = b }" is. */
static void set_override(struct postfix_options *o, str rest, struct postfix_option *ret)
{
    str inner = rest;
    ret->value = rest;
    if (rest.n == 0 && o->arg < o->service->n_args)
        ret->value = o->service->args[o->arg++];
    else if (str_starts(rest, S("{")) && !unbrace(&inner))
        ret->value = inner;
    str name = STR_NONE, value = STR_NONE;
    if (!tabletext_setting(tabletext_trim(ret->value), &name, &value)) {
        ret->override_name = name;
        ret->override_value = value;
    }
}

bool postfix_options_next(struct postfix_options *o, struct postfix_option *ret)
{
    if (o->letters.n == 0) {
        if (o->ended || o->arg == o->service->n_args)
            return false;
        str arg = o->service->args[o->arg];
        bool is_end = str_eq(arg, S("--"));
        o->ended = is_end || arg.n < 2 || arg.p[0] != '-';
        if (!o->ended || is_end)
            o->arg++;
        if (o->ended)
            return false;
        o->letters = str_from(arg, 1);
    }
    *ret = (struct postfix_option){.letter = o->letters.p[0]};
    o->letters = str_from(o->letters, 1);
    if (ret->letter == 'o') {
        str rest = o->letters;
        o->letters = STR_NONE;
        set_override(o, rest, ret);
    }
    return true;
}

bool postfix_overrides_next(struct postfix_options *o, str *ret_name, str *ret_value)
{
    struct postfix_option one;
    while (postfix_options_next(o, &one)) {
        if (one.override_name.n == 0)
            continue;
        *ret_name = one.override_name;
        *ret_value = one.override_value;
        return true;
    }
    return false;
}

bool postfix_override_find(const struct postfix_service *s, str name, str *ret)
{
    struct postfix_options o = postfix_options_of(s);
    str one = STR_NONE, value = STR_NONE;
    bool found = false;
    while (postfix_overrides_next(&o, &one, &value)) {
        if (!str_eq(one, name))
            continue;
        *ret = value;
        found = true;
    }
    return found;
}

/* --- writing --- */

const char *postfix_service_type_name(enum postfix_service_type type)
{
    return types[type];
}

static void put_number(struct buf *out, int32_t n)
{
    if (n == POSTFIX_NOT_SET)
        buf_putc(out, '-');
    else
        buf_put_u64(out, (uint64_t)n);
}

static void put_arg(struct buf *out, str arg)
{
    str rest = arg;
    bool plain = arg.n > 0 && arg.p[0] != '{' && str_eq(take_word(&rest), arg);
    buf_puts(out, plain ? S(" ") : S(" {"));
    buf_puts(out, arg);
    if (!plain)
        buf_putc(out, '}');
}

void postfix_service_format(const struct postfix_service *s, struct buf *out)
{
    static const char choices[] = "-yn";
    buf_puts(out, s->name);
    buf_printf(out, " %s %c %c %c ", types[s->type], choices[s->priv], choices[s->unpriv],
               choices[s->chroot]);
    put_number(out, s->wakeup_s);
    buf_puts(out, s->wakeup_when_used ? S("? ") : S(" "));
    put_number(out, s->maxproc);
    buf_putc(out, ' ');
    buf_puts(out, s->command);
    for (size_t i = 0; i < s->n_args; i++)
        put_arg(out, s->args[i]);
    buf_putc(out, '\n');
}
