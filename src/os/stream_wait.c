/* Waiting for a peer: no longer than the deadline, and only for one that is fast enough. */
#include "os/stream_impl.h"

#include <errno.h>
#include <poll.h>

enum { WAIT_MAX_MS = 3600 * 1000 };

void stream_set_deadline(struct stream *s, msec deadline)
{
    s->deadline = deadline;
}

void stream_set_min_rate(struct stream *s, size_t min_bytes, msec period_ms)
{
    s->rate = (struct stream_rate){.min_bytes = min_bytes, .period_ms = min_bytes ? period_ms : 0};
}

static msec wait_time(const struct stream *s, msec now)
{
    msec left = s->deadline - now;
    if (s->rate.period_ms && s->rate.period_ms - s->rate.waited_ms < left)
        left = s->rate.period_ms - s->rate.waited_ms;
    if (left > WAIT_MAX_MS)
        left = WAIT_MAX_MS;
    return left > 0 ? left : 0;
}

static bool too_slow(struct stream_rate *r)
{
    if (!r->period_ms || r->waited_ms < r->period_ms)
        return false;
    bool slow = r->bytes < r->min_bytes;
    r->bytes = 0;
    r->waited_ms = 0;
    return slow;
}

enum rc stream_wait_either(struct stream *s, short events, int other_fd, bool *ret_other)
{
    for (;;) {
        msec now = clock_mono();
        if (now >= s->deadline || too_slow(&s->rate))
            return RC_TEMP;
        struct pollfd p[2] = {{.fd = s->fd, .events = events}, {.fd = other_fd, .events = POLLIN}};
        int n = poll(p, 2, (int)wait_time(s, now));
        s->rate.waited_ms += clock_mono() - now;
        if (n < 0 && errno != EINTR)
            return RC_GONE;
        if (n > 0) {
            if (ret_other)
                *ret_other = p[1].revents != 0;
            return RC_OK;
        }
    }
}

enum rc stream_wait_ready(struct stream *s, short events)
{
    return stream_wait_either(s, events, -1, NULL);
}
