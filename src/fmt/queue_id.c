/* The alphabet is ordered as in ASCII; its last letter "z" never occurs in the number, which it introduces.
 */
#include "fmt/queue_id.h"

#define ALPHABET "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"

enum { BASE_TIME = 52, BASE_NUMBER = 51, SECONDS_DIGITS = 6, USEC_DIGITS = 4 };

static char *put_digits(char *end, uint64_t value, unsigned base, unsigned min_digits)
{
    unsigned n = 0;
    do {
        *--end = ALPHABET[value % base];
        value /= base;
        n++;
    } while (value || n < min_digits);
    return end;
}

str queue_id_format(usec time, uint32_t number, char ret[QUEUE_ID_SIZE])
{
    uint64_t t = time < 0 ? 0 : (uint64_t)time;
    char digits[2 * QUEUE_ID_SIZE], *end = digits + sizeof digits,
                                    *p = put_digits(end, number, BASE_NUMBER, 1);
    *--p = 'z';
    p = put_digits(p, t % 1000000, BASE_TIME, USEC_DIGITS);
    p = put_digits(p, t / 1000000 % 19770609664, BASE_TIME, SECONDS_DIGITS); /* 52^6 seconds are 626 years */
    must((size_t)(end - p) < QUEUE_ID_SIZE);
    memcpy(ret, p, (size_t)(end - p));
    ret[end - p] = '\0';
    return str_mem(ret, (size_t)(end - p));
}
