/* gate_record: what the gate's cache keeps of one client, 64 bytes on disk.
 *
 *   OFFSET SIZE MEANING
 *        0   16 the client's address; of IPv4 the mapped form
 *       16    4 how long the pregreet test counts as passed, in seconds since 1970; 0: it was not passed
 *       20    4 the same of the DNS lists
 *       24    4 the same of commands sent ahead
 *       28    4 the same of commands that are not SMTP
 *       32    4 the same of lines that end with LF alone
 *       36   20 zeroes
 *       56    8 SipHash-2-4 of the 56 bytes before, with the file's key
 *
 * Numbers are little-endian. A record that was half written when the machine stopped does not match its hash,
 * and is as if it were not there. Pure. */
#ifndef FMT_GATE_RECORD_H
#define FMT_GATE_RECORD_H

#include "base/str.h"

enum gate_test {
    GATE_PREGREET, /* the client waits for the greeting */
    GATE_DNSBL,
    GATE_PIPELINING, /* these are made during the dialogue: */
    GATE_NON_SMTP,
    GATE_BARE_NEWLINE,
    GATE_TESTS
};

enum { GATE_RECORD_SIZE = 64 };

struct gate_record {
    uint8_t address[16];
    uint32_t until[GATE_TESTS];
};

void gate_record_format(const struct gate_record *r, const uint64_t key[2], char ret[GATE_RECORD_SIZE]);
/* RC_INVALID: no record, or not a whole one. */
MUST_USE enum rc gate_record_parse(const char in[GATE_RECORD_SIZE], const uint64_t key[2],
                                   struct gate_record *ret);
/* When the last of its tests expires; 0: nothing was passed. */
uint32_t gate_record_end(const struct gate_record *r);

#endif
