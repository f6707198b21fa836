/* client: one connection to an IMAP server, as the client (RFC 9051 §2.2): commands are written into a
 * buffer, sent, and their responses given out one by one until the tagged one.
 *
 * Straight-line blocking code on a stream, for one thread. It knows no command: whoever uses it writes them
 * and reads the data with fmt/imap_response.h. What the server says has limits; after RC_GONE, RC_TEMP and
 * RC_LIMIT the connection is of no more use. */
#ifndef IMAP_CLIENT_H
#define IMAP_CLIENT_H

#include "fmt/imap_response.h"
#include "os/stream.h"

struct imap_client;

enum { IMAP_CLIENT_IN_MAX = 64 << 10 /* what the stream's in_max should be */ };

/* Takes io. response_max: bytes of one response, such as a FETCH with a message. timeout_ms: how long the
 * server may be silent; 0: for ever. */
struct imap_client *imap_client_new(struct stream *io, size_t response_max, msec timeout_ms);
struct imap_client *
imap_client_free(struct imap_client *c); /* closes the stream; accepts NULL, returns NULL */
struct stream *imap_client_stream(struct imap_client *c);

/* Called with each untagged response that is data; the cursor stands behind its word. What it returns ends
 * the command as far as its result goes: the rest of the responses is read and dropped. */
typedef enum rc imap_client_data(void *ctx, const struct imap_response *r, struct imap_lex *lex);

/* The first response of a server: RC_OK also for PREAUTH. Not RC_OK: e says what it said. */
MUST_USE enum rc imap_client_greet(struct imap_client *c, struct err *e);

/* Begins a command: gives the buffer in which it is written, without its tag and its CRLF. */
struct buf *imap_client_command(struct imap_client *c);
/* Puts a string of any bytes but NUL into the command: quoted where that is possible, else as a
 * non-synchronizing literal (RFC 7888), which the server must offer. */
void imap_client_put_string(struct imap_client *c, str s);
/* Puts a mailbox name, which is UTF-8, as this server reads it. */
void imap_client_put_mailbox(struct imap_client *c, str name);
/* Puts such a literal; bytes may be a whole message. */
void imap_client_put_literal(struct imap_client *c, str bytes);
/* Sends what was begun and reads up to its tagged response. RC_OK; RC_PERM: NO; RC_INVALID: BAD, or the
 * server broke the grammar; RC_TEMP: it was silent for too long; RC_GONE: the connection ended; RC_LIMIT: a
 * response was too long; or what fn returned. e has the server's words. fn may be NULL. */
MUST_USE enum rc imap_client_run(struct imap_client *c, imap_client_data *fn, void *ctx, struct err *e);
/* Sends what was begun and waits for "+"; then imap_client_answer goes on with a line. */
MUST_USE enum rc imap_client_start(struct imap_client *c, struct err *e);
MUST_USE enum rc imap_client_answer(struct imap_client *c, str line, struct err *e);

/* Where the server has UTF8=ACCEPT (RFC 9755), enables it: names come and go in UTF-8 then, and messages with
 * UTF-8 in their headers as they are. After log-in. */
MUST_USE enum rc imap_client_enable_utf8(struct imap_client *c, struct err *e);

/* The code of the last tagged response, without its arguments: "TRYCREATE"; "" without one. */
str imap_client_code(const struct imap_client *c);
str imap_client_code_arguments(const struct imap_client *c); /* what was left out */
/* What the server can, as it said last; "" when it did not. */
str imap_client_capabilities(const struct imap_client *c);
/* It is asked anew when it is needed: after STARTTLS nothing holds that was said before (RFC 9051 §6.2.1). */
void imap_client_forget_capabilities(struct imap_client *c);

#endif
