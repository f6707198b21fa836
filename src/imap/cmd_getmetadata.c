/* GETMETADATA (RFC 5464 §4.2). */
#include "imap/metadata.h"

static enum rc depth_parse(struct imap_lex *lex, struct metadata_request *r)
{
    static const struct {
        str word;
        enum metadata_depth depth;
    } words[] = {{S("0"), METADATA_ITSELF}, {S("1"), METADATA_CHILDREN}, {S("infinity"), METADATA_ALL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (imap_take_word(lex, words[i].word)) {
            r->depth = words[i].depth;
            return RC_OK;
        }
    return imap_expect(lex, "0, 1 or infinity");
}

/* getmetadata-option = "MAXSIZE" SP number / "DEPTH" SP ( "0" / "1" / "infinity" ) */
static enum rc option_parse(struct imap_lex *lex, void *ctx)
{
    struct metadata_request *r = ctx;
    enum rc rc;
    bool size = imap_take_word(lex, S("MAXSIZE"));
    if (!size && !imap_take_word(lex, S("DEPTH")))
        return imap_expect(lex, "MAXSIZE or DEPTH");
    r->bounded |= size;
    if ((rc = imap_sp(lex)))
        return rc;
    return size ? imap_number(lex, &r->most) : depth_parse(lex, r);
}

/* getmetadata = "GETMETADATA" [SP "(" option *(SP option) ")"] SP mailbox SP entries */
enum rc imap_cmd_getmetadata(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    struct metadata_request r = {.depth = METADATA_ITSELF};
    str mailbox;
    size_t longest = 0;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK && imap_peek(lex) == '(' && !(rc = imap_list_of(lex, option_parse, &r)))
        rc = imap_sp(lex);
    if (rc || (rc = imap_mailbox(lex, &mailbox)) || (rc = imap_sp(lex)) ||
        (rc = metadata_places_parse(lex, false, &r)) || (rc = imap_eol(lex)))
        return rc;
    rc = metadata_tell(s, mailbox, &r, &longest, &re->err);
    if (rc == RC_OK && longest > 0)
        re->code = arena_printf(s->arena, "METADATA LONGENTRIES %zu", longest);
    return rc;
}
