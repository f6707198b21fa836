/* imap_talk: one IMAP session over a socketpair, in a thread, with a client that sends and collects. */
#ifndef TESTS_IMAP_TALK_H
#define TESTS_IMAP_TALK_H

#include "imap/session.h"

/* Runs a session (account demo, tag "t", mem_store, message limit 100 bytes where start names none): sends
 * input, closes its sending side, and returns all that came back behind the greeting line; the caller frees
 * it. */
char *imap_talk(const struct imap_start *start, str input);

/* For a test that acts between lines: the client's end of a running session. */
struct imap_talk;
struct imap_talk *imap_talk_begin(const struct imap_start *start);
void imap_talk_send(struct imap_talk *t, const char *text);
/* Reads until the answer ends with `end`; the result is valid until the next call. */
const char *imap_talk_until(struct imap_talk *t, const char *end);
/* Closes the sending side, collects the rest, frees t; the caller frees the result. */
char *imap_talk_end(struct imap_talk *t);

#endif
