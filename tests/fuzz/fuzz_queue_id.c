/* Queue ids: time and number can be read back out of them, so that no two are the same, and they sort by
 * time. Input: two times and two numbers. */
#include "fmt/queue_id.h"

#define ALPHABET "0123456789BCDFGHJKLMNPQRSTVWXYZ"

enum { TIME_DIGITS = 11 };
static const int64_t time_max = 25408476896404830; /* 31^11 - 1 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_digits(str digits, uint64_t base)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        ptrdiff_t digit = str_chr(S(ALPHABET), digits.p[i]);
        must(digit >= 0 && (uint64_t)digit < base);
        value = value * base + (uint64_t)digit;
    }
    return value;
}

static void check_one(str id, usec time, uint32_t number)
{
    must(id.n < QUEUE_ID_SIZE && id.n > TIME_DIGITS + 1 && id.p[id.n] == '\0' && queue_id_valid(id));
    must(read_digits(str_sub(id, 0, TIME_DIGITS), 31) == (uint64_t)time);
    must(read_digits(str_from(id, TIME_DIGITS + 1), 30) == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct {
        usec time[2];
        uint32_t number[2];
    } in;
    char room[2][QUEUE_ID_SIZE];
    str id[2];
    if (size < sizeof in)
        return 0;
    memcpy(&in, data, sizeof in);
    for (int i = 0; i < 2; i++) {
        (void)queue_id_format(in.time[i], in.number[i], room[i]); /* any time at all */
        in.time[i] = (usec)((uint64_t)in.time[i] % (uint64_t)time_max);
        id[i] = queue_id_format(in.time[i], in.number[i], room[i]);
        check_one(id[i], in.time[i], in.number[i]);
    }
    if (in.time[0] != in.time[1])
        must((str_cmp(id[0], id[1]) < 0) == (in.time[0] < in.time[1]));
    return 0;
}
