/* park: an idle session leaves a record behind and ends; another one goes on with it, so that the client
 * cannot tell (doc/architecture.md, *Parking*). */
#ifndef IMAP_PARK_H
#define IMAP_PARK_H

#include "imap/session.h"

/* Waits for input between commands, or within IDLE or with NOTIFY for a change, too (*ret_woken), with all
 * output flushed.
 * RC_TEMP: neither came until that instant. RC_GONE: the connection ended, or the session was idle for long
 * enough and has parked: closing and lost are set then, and nothing more may be said. */
MUST_USE enum rc imap_await(struct imap_session *s, msec until, bool *ret_woken);
bool imap_has_parked(const struct imap_session *s);

/* Takes up the record of start->resume where its session stopped, within IDLE, too. Where that cannot be the
 * client hears BYE. */
void imap_resume(struct imap_session *s);

#endif
