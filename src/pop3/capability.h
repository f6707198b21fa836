/* capability: what the POP3 service answers to CAPA, before and after log-in (RFC 2449 §6). */
#ifndef POP3_CAPABILITY_H
#define POP3_CAPABILITY_H

#include "account/login.h"
#include "os/stream.h"

/* Writes the whole reply. set: NULL after log-in. */
void pop3_capability_write(struct stream *io, const struct login_settings *set);

#endif
