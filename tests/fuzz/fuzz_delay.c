/* A duration in the log: a number, never negative, and no further from what it was than half of its last
 * digit. Input: the milliseconds as they lie in memory. */
#include "fmt/delay.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char room[DELAY_SIZE], *end;
    msec ms = 0;
    memcpy(&ms, data, size < sizeof ms ? size : sizeof ms);
    const char *text = delay_format(ms, room);
    must(text == room && strlen(text) < DELAY_SIZE);
    double seconds = strtod(text, &end), was = ms > 0 ? (double)ms / 1000 : 0;
    double digit = 1, off = seconds > was ? seconds - was : was - seconds;
    for (const char *p = strchr(text, '.'); p && p[1]; p++)
        digit /= 10;
    must(end != text && *end == '\0' && !(seconds < 0));
    must(off <= digit / 2 + was * 1e-9);
    return 0;
}
