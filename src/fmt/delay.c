#include "fmt/delay.h"

#include <stdio.h>

const char *delay_format(msec ms, char room[DELAY_SIZE])
{
    if (ms < 5) /* "0.00" */
        snprintf(room, DELAY_SIZE, "0");
    else if (ms < 1000)
        snprintf(room, DELAY_SIZE, "%.2f", (double)ms / 1000);
    else
        snprintf(room, DELAY_SIZE, ms < 10000 ? "%.1f" : "%.0f", (double)ms / 1000);
    return room;
}
