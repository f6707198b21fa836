#include "fmt/gate_record.h"

#include "base/map.h"

enum { UNTIL_AT = 16, HASH_AT = 56 };

static void put_number(char *to, uint64_t n, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(n >> 8 * i);
}

static uint64_t get_number(const char *from, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n |= (uint64_t)(unsigned char)from[i] << 8 * i;
    return n;
}

void gate_record_format(const struct gate_record *r, const uint64_t key[2], char ret[GATE_RECORD_SIZE])
{
    memset(ret, 0, GATE_RECORD_SIZE);
    memcpy(ret, r->address, sizeof r->address);
    for (size_t i = 0; i < GATE_TESTS; i++)
        put_number(ret + UNTIL_AT + 4 * i, r->until[i], 4);
    put_number(ret + HASH_AT, map_siphash(key, str_mem(ret, HASH_AT)), 8);
}

enum rc gate_record_parse(const char in[GATE_RECORD_SIZE], const uint64_t key[2], struct gate_record *ret)
{
    if (get_number(in + HASH_AT, 8) != map_siphash(key, str_mem(in, HASH_AT)))
        return RC_INVALID;
    memcpy(ret->address, in, sizeof ret->address);
    for (size_t i = 0; i < GATE_TESTS; i++)
        ret->until[i] = (uint32_t)get_number(in + UNTIL_AT + 4 * i, 4);
    return RC_OK;
}

uint32_t gate_record_end(const struct gate_record *r)
{
    uint32_t end = 0;
    for (size_t i = 0; i < GATE_TESTS; i++)
        end = r->until[i] > end ? r->until[i] : end;
    return end;
}
