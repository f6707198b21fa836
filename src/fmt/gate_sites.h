/* gate_sites: the DNS lists of the gate and what their answers weigh, as Postfix's postscreen_dnsbl_sites has
 * them.
 *
 *   sites  = *( separator / site )        ; separators: commas and white space
 *   site   = name [ "*" weight ]          ; name: fmt/dnsbl.h
 *   weight = [ "+" / "-" ] 1*DIGIT        ; 1 when there is none; negative for lists of good clients
 *
 * Pure. */
#ifndef FMT_GATE_SITES_H
#define FMT_GATE_SITES_H

#include "fmt/dnsbl.h"

enum { GATE_SITES_MAX = 64, GATE_WEIGHT_MAX = 1000000 };

struct gate_site {
    struct dnsbl list; /* its domain is a view of the text */
    int weight;
};

/* Takes the next site off *sites. RC_GONE: no more; RC_INVALID: not the grammar, and *ret_text (may be NULL)
 * is what was taken. */
MUST_USE enum rc gate_site_take(str *sites, struct gate_site *ret, str *ret_text);

struct gate_score {
    int total;
    const struct gate_site *heaviest; /* of those that listed the client; NULL: none did */
};

/* Counts a site once when one of the answers, A records of n addresses, counts for it. Returns whether. The
 * sum of GATE_SITES_MAX sites never overflows. */
bool gate_score_add(struct gate_score *s, const struct gate_site *site, const str *answers, size_t n);

#endif
