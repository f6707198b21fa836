/* imap_url: URLs of messages and their parts in mailboxes of the same session, as CATENATE names them (RFC
 * 5092 §5 and §7, RFC 4469 §3): without scheme and server.
 *
 *   url     = ["/"] mailbox [";UIDVALIDITY=" nz-number] "/" message / message
 *   message = ";UID=" nz-number ["/;SECTION=" section] ["/;PARTIAL=" number ["." nz-number]]
 *
 * Mailbox and section are percent-encoded, UTF-8 below. Anything else that RFC 5092 knows (servers, searches,
 * URLAUTH) is refused. */
#ifndef FMT_IMAP_URL_H
#define FMT_IMAP_URL_H

#include "fmt/imap_fetch.h"

enum { IMAP_URL_MAX = 4096 };

struct imap_url {
    bool absolute;        /* the mailbox's name is whole; else it stands beside the selected one */
    str mailbox;          /* UTF-8; empty: the selected one */
    uint32_t uidvalidity; /* 0: any */
    uint32_t uid;
    struct fetch_section section; /* with PARTIAL; its length may be UINT64_MAX */
};

/* What is decoded lies in the arena. RC_INVALID: no such URL; RC_LIMIT: too long. */
MUST_USE enum rc imap_url_parse(str text, struct arena *a, struct imap_url *ret);

/* Puts the URL as a response code may carry it: what is no URL character, "]" and "\" are percent-encoded
 * (RFC 4469 §5). */
void imap_url_put(struct buf *out, str url);

#endif
