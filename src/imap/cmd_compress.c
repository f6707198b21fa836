/* COMPRESS (RFC 4978 §3): the tagged OK is the last that is sent as it is; the dispatcher starts DEFLATE
 * behind it. */
#include "imap/command.h"

/* compress = "COMPRESS" SP algorithm; algorithm = "DEFLATE" */
enum rc imap_cmd_compress(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    str algorithm;
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_atom(lex, &algorithm);
    if (rc == RC_OK)
        rc = imap_eol(lex);
    if (rc != RC_OK)
        return rc;
    if (!str_ieq(algorithm, S("DEFLATE")))
        return err_set(&re->err, RC_PERM, 0, "", "Only DEFLATE is there.");
    if (stream_is_deflated(s->io)) {
        re->code = S("COMPRESSIONACTIVE");
        return err_set(&re->err, RC_PERM, 0, "", "DEFLATE is active already.");
    }
    re->compress = true;
    return RC_OK;
}
