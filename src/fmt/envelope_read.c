/* envelope_read: the grammar is at the head of envelope.c; strings are those of IMAP. */
#include "fmt/envelope_read.h"

#include "fmt/imap_lex.h"

/* address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")" */
static enum rc read_address(struct imap_lex *lex, struct envelope_address *ret)
{
    str part[4];
    enum rc rc = imap_list_begin(lex);
    for (size_t i = 0; i < 4 && rc == RC_OK; i++) {
        if (i > 0)
            rc = imap_sp(lex);
        if (rc == RC_OK)
            rc = imap_nstring(lex, &part[i]);
    }
    if (rc == RC_OK)
        rc = imap_list_end(lex);
    if (rc == RC_OK)
        *ret = (struct envelope_address){part[0], part[2], part[3]};
    return rc;
}

/* "(" 1*address ")" / nil: gives the first one, and takes all. */
static enum rc read_list(struct imap_lex *lex, struct envelope_address *ret)
{
    struct envelope_address other;
    if (imap_take_word(lex, S("NIL")))
        return RC_OK;
    enum rc rc = imap_list_begin(lex);
    for (bool first = true; rc == RC_OK && imap_peek(lex) == '('; first = false)
        rc = read_address(lex, first ? ret : &other);
    return rc == RC_OK ? imap_list_end(lex) : rc;
}

/* "(" env-date SP env-subject */
static enum rc read_front(struct imap_lex *lex, struct envelope_fields *ret)
{
    enum rc rc = imap_list_begin(lex);
    if (rc == RC_OK)
        rc = imap_nstring(lex, &ret->date);
    if (rc == RC_OK)
        rc = imap_sp(lex);
    return rc == RC_OK ? imap_nstring(lex, &ret->subject) : rc;
}

void envelope_read_subject(str text, struct arena *a, struct envelope_fields *ret)
{
    struct imap_lex lex;
    struct envelope_fields f = {0};
    imap_lex_init(&lex, text, a);
    *ret = read_front(&lex, &f) == RC_OK ? f : (struct envelope_fields){0};
}

void envelope_read(str text, struct arena *a, struct envelope_fields *ret)
{
    struct imap_lex lex;
    struct envelope_fields f = {0};
    struct envelope_address other = {0};
    struct envelope_address *const lists[] = {&f.from, &other, &other, &f.to, &f.cc, &other};
    imap_lex_init(&lex, text, a);
    enum rc rc = read_front(&lex, &f);
    for (size_t i = 0; i < sizeof lists / sizeof *lists && rc == RC_OK; i++) {
        rc = imap_sp(&lex);
        if (rc == RC_OK)
            rc = read_list(&lex, lists[i]);
    }
    if (rc == RC_OK)
        rc = imap_sp(&lex);
    if (rc == RC_OK)
        rc = imap_nstring(&lex, &f.in_reply_to);
    if (rc == RC_OK)
        rc = imap_sp(&lex);
    if (rc == RC_OK)
        rc = imap_nstring(&lex, &f.message_id);
    if (rc == RC_OK)
        rc = imap_list_end(&lex);
    *ret = rc == RC_OK ? f : (struct envelope_fields){0};
}
