/* Writing and reading packets of the milter protocol. */
#include "fmt/milter.h"

static const struct event {
    char command;
    const char *name;
    uint32_t unwanted, mute;
} events[] = {
    {MILTER_ABORT, "SMFIC_ABORT", 0, 0},
    {MILTER_BODY, "SMFIC_BODY", MILTER_NO_BODY, MILTER_MUTE_BODY},
    {MILTER_CONNECT, "SMFIC_CONNECT", MILTER_NO_CONNECT, MILTER_MUTE_CONNECT},
    {MILTER_MACROS, "SMFIC_MACRO", 0, 0},
    {MILTER_END_OF_BODY, "SMFIC_BODYEOB", 0, 0},
    {MILTER_HELO, "SMFIC_HELO", MILTER_NO_HELO, MILTER_MUTE_HELO},
    {MILTER_HEADER, "SMFIC_HEADER", MILTER_NO_HEADERS, MILTER_MUTE_HEADERS},
    {MILTER_MAIL, "SMFIC_MAIL", MILTER_NO_MAIL, MILTER_MUTE_MAIL},
    {MILTER_END_OF_HEADER, "SMFIC_EOH", MILTER_NO_END_OF_HEADER, MILTER_MUTE_END_OF_HEADER},
    {MILTER_NEGOTIATE, "SMFIC_OPTNEG", 0, 0},
    {MILTER_QUIT, "SMFIC_QUIT", 0, 0},
    {MILTER_RCPT, "SMFIC_RCPT", MILTER_NO_RCPT, MILTER_MUTE_RCPT},
    {MILTER_DATA, "SMFIC_DATA", MILTER_NO_DATA, MILTER_MUTE_DATA},
    {MILTER_UNKNOWN, "SMFIC_UNKNOWN", MILTER_NO_UNKNOWN, MILTER_MUTE_UNKNOWN},
};

/* What follows an answer's letter. */
enum payload {
    NOTHING,
    TEXT,        /* one: the name */
    TEXT_MORE,   /* one, and perhaps the value */
    FIELD,       /* name and value */
    INDEX_FIELD, /* a number in front of them */
    BYTES        /* the value is all of it */
};

static const struct answer {
    char letter;
    const char *name;
    enum payload payload;
} answers[] = {
    {MILTER_ADD_RCPT, "SMFIR_ADDRCPT", TEXT},
    {MILTER_ADD_RCPT_ARGS, "SMFIR_ADDRCPT_PAR", TEXT_MORE},
    {MILTER_DELETE_RCPT, "SMFIR_DELRCPT", TEXT},
    {MILTER_SHUTDOWN, "SMFIR_SHUTDOWN", NOTHING},
    {MILTER_ACCEPT, "SMFIR_ACCEPT", NOTHING},
    {MILTER_REPLACE_BODY, "SMFIR_REPLBODY", BYTES},
    {MILTER_CONTINUE, "SMFIR_CONTINUE", NOTHING},
    {MILTER_DISCARD, "SMFIR_DISCARD", NOTHING},
    {MILTER_CHANGE_SENDER, "SMFIR_CHGFROM", TEXT_MORE},
    {MILTER_ADD_HEADER, "SMFIR_ADDHEADER", FIELD},
    {MILTER_INSERT_HEADER, "SMFIR_INSHEADER", INDEX_FIELD},
    {MILTER_CHANGE_HEADER, "SMFIR_CHGHEADER", INDEX_FIELD},
    {MILTER_PROGRESS, "SMFIR_PROGRESS", NOTHING},
    {MILTER_QUARANTINE, "SMFIR_QUARANTINE", BYTES},
    {MILTER_REJECT, "SMFIR_REJECT", NOTHING},
    {MILTER_SKIP, "SMFIR_SKIP", NOTHING},
    {MILTER_TEMPFAIL, "SMFIR_TEMPFAIL", NOTHING},
    {MILTER_REPLY_CODE, "SMFIR_REPLYCODE", BYTES},
    {MILTER_NEGOTIATE, "SMFIC_OPTNEG", BYTES},
};

static const struct event *find_event(enum milter_command c)
{
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].command == (char)c)
            return &events[i];
    return NULL;
}

static const struct answer *find_answer(char letter)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (answers[i].letter == letter)
            return &answers[i];
    return NULL;
}

const char *milter_command_name(enum milter_command c)
{
    const struct event *e = find_event(c);
    return e ? e->name : "(unknown MTA event)";
}

const char *milter_answer_name(char letter)
{
    const struct answer *a = find_answer(letter);
    return a ? a->name : "(unknown filter reply)";
}

/* --- versions --- */

bool milter_is_version(uint32_t version)
{
    return version == 2 || version == 3 || version == 4 || version == 6;
}

uint32_t milter_events(uint32_t version)
{
    enum {
        V2 = MILTER_NO_CONNECT | MILTER_NO_HELO | MILTER_NO_MAIL | MILTER_NO_RCPT | MILTER_NO_BODY |
             MILTER_NO_HEADERS | MILTER_NO_END_OF_HEADER,
        V3 = V2 | MILTER_NO_UNKNOWN,
        V4 = V3 | MILTER_NO_DATA,
        V6 = V4 | MILTER_CAN_SKIP | MILTER_REJECTED_RCPT | MILTER_MUTE_HEADERS | MILTER_MUTE_CONNECT |
             MILTER_MUTE_HELO | MILTER_MUTE_MAIL | MILTER_MUTE_RCPT | MILTER_MUTE_DATA | MILTER_MUTE_UNKNOWN |
             MILTER_MUTE_END_OF_HEADER | MILTER_MUTE_BODY | MILTER_LEADING_SPACE
    };
    return version >= 6 ? V6 : version >= 4 ? V4 : version == 3 ? V3 : V2;
}

uint32_t milter_unwanted(enum milter_command c)
{
    const struct event *e = find_event(c);
    return e ? e->unwanted : 0;
}

uint32_t milter_mute(enum milter_command c)
{
    const struct event *e = find_event(c);
    return e ? e->mute : 0;
}

/* --- writing --- */

void milter_put_u16(char ret[2], uint16_t value)
{
    ret[0] = (char)(value >> 8);
    ret[1] = (char)value;
}

void milter_put_u32(char ret[4], uint32_t value)
{
    milter_put_u16(ret, (uint16_t)(value >> 16));
    milter_put_u16(ret + 2, (uint16_t)value);
}

str milter_part_bytes(const struct milter_part *p)
{
    ptrdiff_t nul = p->text ? str_chr(p->bytes, '\0') : -1;
    return nul < 0 ? p->bytes : str_sub(p->bytes, 0, (size_t)nul);
}

enum rc milter_head(enum milter_command c, const struct milter_part *parts, size_t n, char ret[MILTER_HEAD])
{
    enum { LENGTH_MAX = INT32_MAX };
    uint64_t length = 1;
    for (size_t i = 0; i < n; i++)
        length += milter_part_bytes(&parts[i]).n + parts[i].text;
    if (length > LENGTH_MAX)
        return RC_LIMIT;
    milter_put_u32(ret, (uint32_t)length);
    ret[4] = (char)c;
    return RC_OK;
}

/* --- reading --- */

static uint32_t get_u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

enum rc milter_length(const char bytes[4], size_t *ret)
{
    uint32_t n = get_u32(bytes);
    if (n == 0)
        return RC_INVALID;
    if (n > MILTER_PACKET_MAX)
        return RC_LIMIT;
    *ret = n;
    return RC_OK;
}

static bool take_u32(str *rest, uint32_t *ret)
{
    if (rest->n < 4)
        return false;
    *ret = get_u32(rest->p);
    *rest = str_from(*rest, 4);
    return true;
}

static bool take_text(str *rest, str *ret)
{
    ptrdiff_t nul = str_chr(*rest, '\0');
    if (nul < 0)
        return false;
    *ret = str_sub(*rest, 0, (size_t)nul);
    *rest = str_from(*rest, (size_t)nul + 1);
    return true;
}

enum rc milter_parse_options(str packet, struct milter_options *ret)
{
    struct milter_options o = {.version = 0};
    str rest = str_from(packet, 1), names;
    uint32_t stage;
    if (packet.n == 0 || packet.p[0] != MILTER_NEGOTIATE || !take_u32(&rest, &o.version) ||
        !take_u32(&rest, &o.actions) || !take_u32(&rest, &o.protocol))
        return RC_INVALID;
    while (rest.n > 0) {
        if (!take_u32(&rest, &stage) || !take_text(&rest, &names))
            return RC_INVALID;
        if (stage < MILTER_STAGES)
            o.macros[stage] = names;
    }
    *ret = o;
    return RC_OK;
}

static bool take_payload(enum payload payload, str *rest, struct milter_message *m)
{
    switch (payload) {
    case NOTHING:
        return true;
    case TEXT:
        return take_text(rest, &m->name);
    case TEXT_MORE:
        return take_text(rest, &m->name) && (rest->n == 0 || take_text(rest, &m->value));
    case INDEX_FIELD:
        return take_u32(rest, &m->index) && take_text(rest, &m->name) && take_text(rest, &m->value);
    case FIELD:
        return take_text(rest, &m->name) && take_text(rest, &m->value);
    case BYTES:
        m->value = *rest;
        *rest = STR_NONE;
        return true;
    }
    return false;
}

enum rc milter_parse_message(str packet, struct milter_message *ret)
{
    struct milter_message m = {.index = 0};
    str rest = str_from(packet, 1);
    if (packet.n == 0)
        return RC_INVALID;
    m.answer = packet.p[0];
    const struct answer *a = find_answer(m.answer);
    if (a && (!take_payload(a->payload, &rest, &m) || rest.n > 0))
        return RC_INVALID;
    *ret = m;
    return RC_OK;
}

/* --- an SMTP reply --- */

/* enhanced = class "." 1*3DIGIT "." 1*3DIGIT; the bytes that it takes, 0: none */
static size_t enhanced_size(str s, char class)
{
    size_t at = 1;
    if (s.n < 5 || s.p[0] != class)
        return 0;
    for (int part = 0; part < 2; part++) {
        size_t digits = 0;
        if (at >= s.n || s.p[at++] != '.')
            return 0;
        for (; at < s.n && ascii_digit(s.p[at]); at++)
            digits++;
        if (digits < 1 || digits > 3)
            return 0;
    }
    return at == s.n || s.p[at] == ' ' ? at : 0;
}

static void put_unescaped(struct buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' && ++i == text.n)
            break;
        buf_putc(out, text.p[i]);
    }
}

/* line = code ( "-" / SP ) [ enhanced SP ] text; the first says what the code is */
static bool take_line(str line, bool first, struct buf *out, struct milter_reply *r)
{
    if (line.n < 4 || (line.p[0] != '4' && line.p[0] != '5') || !ascii_digit(line.p[1]) ||
        !ascii_digit(line.p[2]) || (line.p[3] != ' ' && line.p[3] != '-'))
        return false;
    int code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
    str text = str_from(line, 4);
    size_t n = enhanced_size(text, line.p[0]);
    if (first) {
        r->code = code;
        if (str_copy(r->enhanced, sizeof r->enhanced, str_sub(text, 0, n)) != RC_OK)
            return false;
    } else if (code != r->code) {
        return false;
    }
    if (n == 0 && text.n > 0 && ascii_digit(text.p[0]) && text.p[0] != line.p[0])
        return false; /* as Postfix: that would be a status of another class */
    if (!first)
        buf_putc(out, '\n');
    put_unescaped(out, str_trim(str_from(text, n)));
    return true;
}

enum rc milter_parse_reply(str text, struct buf *out, struct milter_reply *ret)
{
    struct milter_reply r = {.code = 0};
    ptrdiff_t nul = str_chr(text, '\0');
    bool first = true;
    if (nul >= 0)
        text = str_sub(text, 0, (size_t)nul);
    buf_reset(out);
    while (text.n > 0) {
        str line = str_take(&text, '\n');
        if (str_ends(line, S("\r")))
            line.n--;
        if (!take_line(line, first, out, &r))
            return RC_INVALID;
        first = false;
    }
    if (first)
        return RC_INVALID;
    if (out->overflow)
        return RC_LIMIT;
    r.text = buf_str(out);
    *ret = r;
    return RC_OK;
}
