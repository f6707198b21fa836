/* milter: the protocol that mail filters (milters) speak with a mail server, as Sendmail 8 defined it;
 * versions 2 to 6, the server's side.
 *
 *   packet = length command payload        ; length: 32 bits, of command and payload; network byte order
 *
 * A text within a payload ends with a NUL. Pure: what is written is a head and parts, what is read becomes
 * views of the packet. Postfix's MILTER_README and libmilter's headers say what the letters mean; no RFC
 * does. */
#ifndef FMT_MILTER_H
#define FMT_MILTER_H

#include "base/buf.h"

enum {
    MILTER_HEAD = 5,            /* bytes: the length and the command */
    MILTER_CHUNK = 65535,       /* bytes of a body that one packet has at most */
    MILTER_PACKET_MAX = 1 << 20 /* bytes behind the length that are taken from a milter */
};

enum milter_command { /* what the server says */
                      MILTER_ABORT = 'A',
                      MILTER_BODY = 'B',
                      MILTER_CONNECT = 'C',
                      MILTER_MACROS = 'D',
                      MILTER_END_OF_BODY = 'E',
                      MILTER_HELO = 'H',
                      MILTER_HEADER = 'L',
                      MILTER_MAIL = 'M',
                      MILTER_END_OF_HEADER = 'N',
                      MILTER_NEGOTIATE = 'O',
                      MILTER_QUIT = 'Q',
                      MILTER_RCPT = 'R',
                      MILTER_DATA = 'T',
                      MILTER_UNKNOWN = 'U'
};

enum milter_answer { /* what the milter says; MILTER_NEGOTIATE too */
                     MILTER_ADD_RCPT = '+',
                     MILTER_ADD_RCPT_ARGS = '2',
                     MILTER_DELETE_RCPT = '-',
                     MILTER_SHUTDOWN = '4',
                     MILTER_ACCEPT = 'a',
                     MILTER_REPLACE_BODY = 'b',
                     MILTER_CONTINUE = 'c',
                     MILTER_DISCARD = 'd',
                     MILTER_CHANGE_SENDER = 'e',
                     MILTER_ADD_HEADER = 'h',
                     MILTER_INSERT_HEADER = 'i',
                     MILTER_CHANGE_HEADER = 'm',
                     MILTER_PROGRESS = 'p',
                     MILTER_QUARANTINE = 'q',
                     MILTER_REJECT = 'r',
                     MILTER_SKIP = 's',
                     MILTER_TEMPFAIL = 't',
                     MILTER_REPLY_CODE = 'y'
};

enum { /* what a milter may do at the end of a message */
       MILTER_MAY_ADD_HEADERS = 1 << 0,
       MILTER_MAY_CHANGE_BODY = 1 << 1,
       MILTER_MAY_ADD_RCPT = 1 << 2,
       MILTER_MAY_DELETE_RCPT = 1 << 3,
       MILTER_MAY_CHANGE_HEADERS = 1 << 4,
       MILTER_MAY_QUARANTINE = 1 << 5,
       MILTER_MAY_CHANGE_SENDER = 1 << 6,
       MILTER_MAY_ADD_RCPT_ARGS = 1 << 7,
       MILTER_MAY_ASK_MACROS = 1 << 8,
       MILTER_ACTIONS = (1 << 9) - 1
};

enum { /* what a milter does not want to be sent, or will not answer */
       MILTER_NO_CONNECT = 1 << 0,
       MILTER_NO_HELO = 1 << 1,
       MILTER_NO_MAIL = 1 << 2,
       MILTER_NO_RCPT = 1 << 3,
       MILTER_NO_BODY = 1 << 4,
       MILTER_NO_HEADERS = 1 << 5,
       MILTER_NO_END_OF_HEADER = 1 << 6,
       MILTER_MUTE_HEADERS = 1 << 7,
       MILTER_NO_UNKNOWN = 1 << 8,
       MILTER_NO_DATA = 1 << 9,
       MILTER_CAN_SKIP = 1 << 10,
       MILTER_REJECTED_RCPT = 1 << 11, /* it wants to hear of recipients that were refused */
       MILTER_MUTE_CONNECT = 1 << 12,
       MILTER_MUTE_HELO = 1 << 13,
       MILTER_MUTE_MAIL = 1 << 14,
       MILTER_MUTE_RCPT = 1 << 15,
       MILTER_MUTE_DATA = 1 << 16,
       MILTER_MUTE_UNKNOWN = 1 << 17,
       MILTER_MUTE_END_OF_HEADER = 1 << 18,
       MILTER_MUTE_BODY = 1 << 19,
       MILTER_LEADING_SPACE = 1 << 20 /* header values with all their white space, both ways */
};

/* When macros are sent; the numbers are the protocol's. */
enum milter_stage {
    MILTER_AT_CONNECT,
    MILTER_AT_HELO,
    MILTER_AT_MAIL,
    MILTER_AT_RCPT,
    MILTER_AT_DATA,
    MILTER_AT_END_OF_BODY,
    MILTER_AT_END_OF_HEADER,
    MILTER_STAGES,
    MILTER_AT_UNKNOWN = MILTER_STAGES /* which no milter can ask macros for */
};

/* --- the server's words --- */

/* Whether the protocol has this version: 2, 3, 4 or 6. */
bool milter_is_version(uint32_t version);
/* The events that a version has, as bits of those above. A version in between is the one below it. */
uint32_t milter_events(uint32_t version);
/* The bit that says that an event is not wanted, or not answered; 0: there is none. */
uint32_t milter_unwanted(enum milter_command c);
uint32_t milter_mute(enum milter_command c);

struct milter_part {
    str bytes;
    bool text; /* it is cut at its first NUL, and one is put behind it */
};
/* The part without what a text may not have. */
str milter_part_bytes(const struct milter_part *p);
/* The head of the packet that these parts are the payload of. RC_LIMIT: it is too long. */
MUST_USE enum rc milter_head(enum milter_command c, const struct milter_part *parts, size_t n,
                             char ret[MILTER_HEAD]);
/* Numbers in network byte order, as parts are made of. */
void milter_put_u16(char ret[2], uint16_t value);
void milter_put_u32(char ret[4], uint32_t value);

/* "SMFIC_HELO", "SMFIR_ADDHEADER": for the log; "(unknown ...)" for another letter. */
const char *milter_command_name(enum milter_command c);
const char *milter_answer_name(char answer);

/* --- the milter's words --- */

/* The length of what follows. RC_INVALID: there must be a command; RC_LIMIT: MILTER_PACKET_MAX. */
MUST_USE enum rc milter_length(const char bytes[4], size_t *ret);

struct milter_options {
    uint32_t version, actions, protocol;
    str macros[MILTER_STAGES]; /* that it wants then, separated by spaces; empty: it does not say */
};
/* Of a packet behind its length. RC_INVALID: it is not the answer to MILTER_NEGOTIATE. Stages that are not
 * known are passed over. */
MUST_USE enum rc milter_parse_options(str packet, struct milter_options *ret);

struct milter_message {
    char answer;
    uint32_t index; /* of a header field */
    str name;       /* of a field; an address */
    str value;      /* of a field; ESMTP arguments; bytes of a body; why it is put aside; an SMTP reply */
};
/* Any other packet behind its length. RC_INVALID: it has too few fields, or too many, or a text without end;
 * an answer that is not known has its letter and nothing else. */
MUST_USE enum rc milter_parse_message(str packet, struct milter_message *ret);

struct milter_reply {
    int code;
    char enhanced[12]; /* "" without one */
    str text;          /* lines are separated by LF */
};
/* An SMTP reply of class 4 or 5 in one or more lines, with "%%" for "%". The text is put into out.
 * RC_INVALID: it is none, or its lines contradict each other. */
MUST_USE enum rc milter_parse_reply(str text, struct buf *out, struct milter_reply *ret);

#endif
