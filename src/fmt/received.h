/* received: the trace lines that a server puts in front of a message (RFC 5321 §4.4), with LF line ends. */
#ifndef FMT_RECEIVED_H
#define FMT_RECEIVED_H

#include "base/buf.h"
#include "fmt/date.h"

struct received {
    str helo;    /* what the client called itself; bytes that have no place in a comment become "?" */
    str name;    /* its confirmed name or "unknown" */
    str address; /* "192.0.2.1", "2001:db8::1", or "local" for a Unix socket */
    str tls_version, tls_cipher; /* empty without TLS */
    int tls_bits, tls_alg_bits;
    bool ccert_asked, ccert_present, ccert_trusted; /* the client's certificate */
    str ccert_subject, ccert_issuer;                /* its common names */
    str login;                                      /* who had logged in; empty: it is not told */
    str by, with, id;
    str recipient;     /* for: only when there is exactly one; else empty */
    bool has_priority; /* MT-PRIORITY was said (RFC 6710 §4.1) */
    int priority;
    struct date date;
    str local_user; /* who on this machine handed it over, with the uid; then helo to tls_alg_bits and with do
                       not count. Empty for a client */
    uint32_t local_uid;
};

/* What arrived how, for the with clause (RFC 3848, RFC 6531 §4.3). */
struct received_with {
    bool lmtp, extended /* EHLO */, tls, authenticated, utf8;
};
str received_with_keyword(struct received_with w);

void received_put(struct buf *out, const struct received *r);
/* "Return-Path: <a@b>\n"; sender is empty for <>. */
void received_put_return_path(struct buf *out, str sender);
/* "Delivered-To: a@b\n" */
void received_put_delivered_to(struct buf *out, str address);

#endif
