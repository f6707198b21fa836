/* The alphabet is ordered as in ASCII; its last letter "Z" never occurs in the number, which it introduces.
 */
#include "fmt/queue_id.h"

#define ALPHABET "0123456789BCDFGHJKLMNPQRSTVWXYZ"

enum { BASE_TIME = 31, BASE_NUMBER = 30, TIME_DIGITS = 11 };

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
    *--p = 'Z';
    p = put_digits(p, t % 25408476896404831, BASE_TIME, TIME_DIGITS); /* 31^11 microseconds are 805 years */
    must((size_t)(end - p) < QUEUE_ID_SIZE);
    memcpy(ret, p, (size_t)(end - p));
    ret[end - p] = '\0';
    return str_mem(ret, (size_t)(end - p));
}

bool queue_id_valid(str s)
{
    if (s.n < TIME_DIGITS + 2 || s.n >= QUEUE_ID_SIZE || s.p[TIME_DIGITS] != 'Z')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || !strchr(ALPHABET, s.p[i]))
            return false;
    return true;
}
