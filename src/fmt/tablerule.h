/* tablerule: the rules of pattern tables, regexp_table(5), pcre_table(5) and cidr_table(5), one logical line
 * each.
 *
 *   rule    = [ "!" ] pattern white result
 *   block   = "if" white [ "!" ] pattern / "endif"
 *   pattern = delimiter *byte delimiter *flag      ; regexp, pcre: the delimiter is any byte but a letter,
 *                                                  ; digit or white space, in it a backslash takes the next
 * byte pattern = network                              ; cidr
 *
 * Results of regexp and pcre may have $1, ${1} or $(1) for what the group matched, and $$ for "$". */
#ifndef FMT_TABLERULE_H
#define FMT_TABLERULE_H

#include "base/buf.h"
#include "fmt/ip.h"

enum { TABLERULE_GROUPS_MAX = 99 }; /* the highest $number */

struct tablerule {
    enum { TABLERULE_RESULT, TABLERULE_IF, TABLERULE_ENDIF } kind;
    bool negated;
    str pattern; /* between the delimiters, or the network; empty for ENDIF */
    str flags;   /* the letters behind the pattern; empty for networks */
    str result;  /* "" is possible with a warning; for IF, text that must not be there */
};

/* These return NULL, or what is wrong with the line. The views are of the line. */
const char *tablerule_parse_pattern(str line, struct tablerule *ret);
const char *tablerule_parse_network(str line, struct tablerule *ret);

struct tablerule_net {
    struct ip_net net;
    bool v6; /* as it is written: 0.0.0.0/0 has every IPv4 address, ::/0 every IPv6 address */
};
/* "192.0.2.0/24", "2001:db8::/32", "[2001:db8::]/32" or an address; the bits behind the prefix must be 0.
 * NULL, or what is wrong. */
const char *tablerule_net_parse(str text, struct tablerule_net *ret);
/* An address to look for. RC_INVALID: it is none. */
MUST_USE enum rc tablerule_address_parse(str text, struct tablerule_net *ret);
/* Whether the address belongs to the network: the same family, the same first bits. */
bool tablerule_net_has(const struct tablerule_net *net, const struct tablerule_net *address);

/* Checks the $ of a result; ret_groups: the highest number, 0 without any. NULL, or what is wrong. */
const char *tablerule_check_result(str result, unsigned *ret_groups);
/* Appends the result of which tablerule_check_result approved; groups[n] is what $n stands for. Overflow as
 * of buf. */
void tablerule_put_result(struct buf *out, str result, const str *groups, size_t count);

#endif
