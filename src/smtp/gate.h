/* gate: what the gate before a session leaves for its dialogue: a client that is to be refused, or of which
 * something is not known yet (doc/gate.md).
 *
 * A refused client gets a session like others, but no AUTH, and the gate's reply to each RCPT; so senders,
 * recipients and names are in the log and nothing is taken. The tests of the dialogue end when the client has
 * come to the content of its first message. Postfix sends new clients away after these tests, as its
 * postscreen cannot hand over a dialogue that has begun; here the session simply goes on. */
#ifndef SMTP_GATE_H
#define SMTP_GATE_H

#include "fmt/gate_record.h"

enum { SMTP_GATE_TEXT_MAX = 512 };

struct smtp_gate {
    bool refused; /* code, enhanced and text are the reply to each RCPT */
    int code;
    char enhanced[12], text[SMTP_GATE_TEXT_MAX];
    unsigned tests;   /* 1 << GATE_PIPELINING and so on: those to be made */
    unsigned passed;  /* filled by the session: those of them that were */
    unsigned failed;  /* ... and those that were not, whatever the action; no longer in tests */
    int commands;     /* that a refused client has sent */
    long long opened; /* clock_mono of the greeting, for the log */
};

#endif
