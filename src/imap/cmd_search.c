/* SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 9051 §6.4.4): one "* SEARCH" line with all numbers, ascending.
 * Nothing is expunged from the view while a command with numbers runs, so the numbers told are those of the
 * view. */
#include "imap/command.h"
#include "imap/search_eval.h"

enum { OUT_SEND_AT = 16 * 1024 };

/* search = "SEARCH" [SP "CHARSET" SP charset] 1*(SP search-key) */
static enum rc parse(struct imap_lex *lex, struct imap_reply *re, struct search_node **ret)
{
    enum rc rc = imap_sp(lex);
    if (rc == RC_OK)
        rc = imap_search_parse(lex, ret);
    if (rc == RC_PERM) { /* RFC 9051 §7.1, BADCHARSET */
        re->code = S("BADCHARSET (US-ASCII UTF-8)");
        return err_set(&re->err, RC_PERM, 0, "", "This charset is not known.");
    }
    return rc == RC_OK ? imap_eol(lex) : rc;
}

/* mailbox-data = "SEARCH" *(SP nz-number) */
static void put_result(struct imap_session *s, const struct uidset *uids)
{
    const struct uidset *view = box_view(s->box);
    bool uid_form = s->command->flags & CMD_UID;
    buf_puts(&s->out, S("* SEARCH"));
    for (size_t i = 0; i < uids->n; i++) {
        for (uint64_t uid = uids->r[i].first; uid <= uids->r[i].last; uid++) {
            buf_putc(&s->out, ' ');
            buf_put_u64(&s->out, uid_form ? uid : uidset_rank(view, (uid32)uid));
            if (s->out.n > OUT_SEND_AT)
                imap_send(s);
        }
    }
    buf_puts(&s->out, S("\r\n"));
    imap_send(s);
}

enum rc imap_cmd_search(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re)
{
    AUTO(uidset_deinit) struct uidset found = {0};
    struct search_program program = {0};
    struct search_node *root;
    enum rc rc = parse(lex, re, &root);
    if (rc != RC_OK)
        return rc;
    rc = search_program_make(s, root, &program);
    if (rc == RC_INVALID)
        rc = imap_expect(lex, "message numbers that exist");
    if (rc == RC_OK)
        rc = search_run(s, &program, &found, &re->err);
    search_program_deinit(&program);
    if (rc == RC_OK)
        put_result(s, &found);
    return rc;
}
