#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR = 30, EVERY_MS = 200 };

static void show(const struct progress *p)
{
    int filled = p->total ? (int)(p->done * BAR / p->total) : 0;
    filled = filled > BAR ? BAR : filled;
    fprintf(stderr, "\r" STR_FMT ": %llu", STR_ARG(p->label), (unsigned long long)p->done);
    if (p->total)
        fprintf(stderr, " of %llu [%.*s%*s]", (unsigned long long)p->total, filled,
                "##############################", BAR - filled, "");
    fputs(" \033[K", stderr);
}

void progress_step(struct progress *p)
{
    p->done++;
    msec now = clock_mono();
    if (now - p->shown < EVERY_MS || !isatty(STDERR_FILENO))
        return;
    p->shown = now;
    show(p);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = 0;
}
