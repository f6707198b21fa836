/* ID (RFC 2971): who we are; what the client says of itself is checked and forgotten. */
#include "imap/command.h"

enum { ID_PAIRS_MAX = 30, ID_FIELD_MAX = 30, ID_VALUE_MAX = 1024 }; /* RFC 2971 §3.3 */

static enum rc pair_parse(struct imap_lex *lex)
{
    str field, value;
    enum rc rc;
    if ((rc = imap_string(lex, &field)) || (rc = imap_sp(lex)) || (rc = imap_nstring(lex, &value)))
        return rc;
    if (field.n > ID_FIELD_MAX || value.n > ID_VALUE_MAX)
        return imap_expect(lex, "shorter ID values");
    return RC_OK;
}

/* id_params_list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil */
static enum rc params_parse(struct imap_lex *lex)
{
    if (imap_take_word(lex, S("NIL")))
        return RC_OK;
    enum rc rc = imap_list_begin(lex);
    for (unsigned i = 0; rc == RC_OK && imap_peek(lex) != ')'; i++) {
        if (i == ID_PAIRS_MAX)
            return imap_expect(lex, "fewer ID values");
        if (i == 0 || (rc = imap_sp(lex)) == RC_OK)
            rc = pair_parse(lex);
    }
    return rc ? rc : imap_list_end(lex);
}

enum rc imap_cmd_id(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    (void)re;
    enum rc rc;
    if ((rc = imap_sp(lex)) || (rc = params_parse(lex)) || (rc = imap_eol(lex)))
        return rc;
    buf_puts(&s->out, S("* ID (\"name\" \"malle\")\r\n"));
    imap_send(s);
    return RC_OK;
}
