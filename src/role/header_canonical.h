/* header_canonical: how many addresses one HEADER_CANONICAL asks for: so many, of IDENTITY_ACCOUNT_MAX bytes
 * each, fit a message and its answer. */
#ifndef ROLE_HEADER_CANONICAL_H
#define ROLE_HEADER_CANONICAL_H

enum { HEADER_CANONICAL_MAX = 64 };

#endif
