/* imap_reader: gathers one IMAP command at a time from bytes that arrive in any pieces (RFC 9051 §2.2.1,
 * §4.3).
 *
 * A command is one line, or several joined by literals: "{n}" and "~{n}" wait for our continuation line,
 * "{n+}" and
 * "~{n+}" (RFC 7888 §4) are followed by their bytes at once. The gathered text is what came over the wire,
 * literals in place behind their "{n}\r\n", without the last line end: imap_lex reads it. A line may end in
 * LF alone. The reader also serves single lines that are no command: a SASL response, DONE of IDLE.
 *
 * Invariants: no more than the limits is ever held; whatever is refused is skipped to the end of the command
 * it belongs to, non-synchronizing literals included, so that the next command starts where the client thinks
 * it does. */
#ifndef FMT_IMAP_READER_H
#define FMT_IMAP_READER_H

#include "base/buf.h"

struct imap_reader_limits {
    size_t line_max;       /* bytes of one line between literals, its end included */
    size_t literal_max;    /* bytes of one gathered literal */
    size_t command_max;    /* bytes of all lines and gathered literals of a command */
    unsigned literals_max; /* gathered literals of a command */
};

struct imap_literal {
    uint64_t size;
    bool nonsync; /* "+": its bytes follow without our asking */
    bool binary;  /* "~": literal8, may hold NUL (RFC 9051 §9) */
};

enum imap_event {
    IMAP_READ_MORE,    /* all input was taken; feed more */
    IMAP_READ_COMMAND, /* `text` is a whole command; the next feed forgets it */
    IMAP_READ_LITERAL, /* `literal` was announced at the end of `text`: call _gather, _stream or _refuse */
    IMAP_READ_CHUNK, /* `chunk` is the next piece of a streamed literal, a view into the input that was fed */
    IMAP_READ_STREAMED, /* the streamed literal is complete; `text` now gathers what follows it */
    IMAP_READ_TOO_LONG  /* a line or the command passed its limit; `text` holds its beginning; the rest is
                           skipped */
};

enum imap_reader_state { IMAP_READER_LINE, IMAP_READER_ANNOUNCED, IMAP_READER_GATHER, IMAP_READER_STREAM };

struct imap_reader {
    struct buf text;
    struct imap_literal literal;
    str chunk;
    /* private */
    struct imap_reader_limits limits;
    enum imap_reader_state state;
    bool skipping;     /* the command is refused: nothing of it is kept but the line's tail */
    bool begun;        /* within a command; else the next feed forgets text and begins one */
    size_t line_start; /* where the current line begins in text */
    uint64_t left;     /* bytes of the literal still to come */
    unsigned literals;
    char tail[32]; /* end of the line being skipped, where its "{n+}" would stand */
    size_t tail_n;
};

void imap_reader_init(struct imap_reader *r, const struct imap_reader_limits *limits);
void imap_reader_deinit(struct imap_reader *r);

/* Takes bytes off the front of *in until there is something to tell. With IMAP_READ_LITERAL pending it must
 * not be called. */
enum imap_event imap_reader_feed(struct imap_reader *r, str *in);

/* Whether a command has begun: bytes of it were fed and it is not complete. */
bool imap_reader_within(const struct imap_reader *r);

/* Answers to IMAP_READ_LITERAL.
 * _gather: its bytes become part of `text`. RC_LIMIT (nothing changed) when a limit forbids it: refuse it
 * then. After RC_OK the caller sends the continuation line unless it is nonsync. */
MUST_USE enum rc imap_reader_gather(struct imap_reader *r);
/* _stream: the caller has read `text`, which is forgotten; the bytes come as chunks and are not kept. */
void imap_reader_stream(struct imap_reader *r);
/* _refuse: the caller has answered the command with NO or BAD. A client that waits for a continuation starts
 * a new command; of a nonsync literal all bytes and the rest of the command are skipped silently. Also
 * allowed after IMAP_READ_STREAMED and between chunks: the rest of that literal and command is skipped. */
void imap_reader_refuse(struct imap_reader *r);

#endif
