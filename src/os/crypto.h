/* crypto: hashes, keyed hashes, key derivation and random bytes: the one wrapper of OpenSSL's EVP interface
 * for these.
 *
 * Thread-safe. A failure of the library here means lack of memory or a broken build, and ends the process;
 * only what depends on input returns a result. Comparison of secrets is str_eq_const_time (base/str.h). */
#ifndef OS_CRYPTO_H
#define OS_CRYPTO_H

#include "base/str.h"

enum crypto_hash { CRYPTO_MD5, CRYPTO_SHA1, CRYPTO_SHA256, CRYPTO_SHA512 };

enum { CRYPTO_DIGEST_MAX = 64 };

size_t crypto_hash_size(enum crypto_hash hash); /* bytes: 16, 20, 32, 64 */
/* Each writes crypto_hash_size bytes to ret. */
void crypto_digest(enum crypto_hash hash, str data, unsigned char *ret);
/* The digest of two pieces, one behind the other. */
void crypto_digest2(enum crypto_hash hash, str a, str b, unsigned char *ret);
void crypto_hmac(enum crypto_hash hash, str key, str data, unsigned char *ret);
/* A sum of a and what follows it, under a key that nobody else knows, for bytes of our own files: half a
 * Poly1305 (RFC 8439 §2.5), whose key stands for many strings, so that the sums must not be seen either. */
uint64_t crypto_sum(const uint64_t key[2], str a, str b);
/* PBKDF2 (RFC 8018 §5.2) with HMAC-hash, ret_n bytes; iterations >= 1. */
void crypto_pbkdf2(enum crypto_hash hash, str password, str salt, uint32_t iterations, unsigned char *ret,
                   size_t ret_n);
/* Random bytes fit for keys. */
void crypto_random(void *ret, size_t n);
/* Zeroes memory that held a secret; never optimised away. */
void crypto_wipe(void *p, size_t n);

#endif
