/* The log's three shapes (log.h) and its one write per line.
 * A line is built on the caller's stack, so threads meet only at the settings, of which each has a copy.
 * The text is made valid UTF-8 without control characters first: what strangers send can neither forge a line
 * nor drive a terminal. Syslog lines follow RFC 3164 §4.1. A line that cannot be written is dropped: logging
 * never blocks mail. */
#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#define LOG_LINE_MAX  2000
#define LOG_STAMP_MAX 40
#define FACILITY_MAIL (2 << 3)

struct log_settings {
    char tag[64], host[256];
    int fd;
    enum log_shape shape;
    const struct log_settings
        *before; /* another thread may still be using it (a few hundred bytes a reload) */
};

static struct log_settings current = {.tag = "malle", .host = "localhost", .fd = STDERR_FILENO};
static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint current_version = 1; /* rises with each change */
static _Atomic int current_level = LOG_LEVEL_INFO;

static const struct {
    const char *name;
    int severity; /* RFC 3164 §4.1.1 */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARN] = {"warn", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

/* A line in the making: bytes that do not fit are left out. */
struct line {
    char p[LOG_LINE_MAX];
    size_t n, max;
};

/* The number of this process, without a system call for each line. */
static _Atomic int known_id;

static void forget_id(void)
{
    atomic_store(&known_id, 0);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget_id);
}

static int process_id(void)
{
    static pthread_once_t forks = PTHREAD_ONCE_INIT;
    int id = atomic_load(&known_id);
    if (id == 0) {
        pthread_once(&forks, watch_forks);
        id = (int)getpid();
        atomic_store(&known_id, id);
    }
    return id;
}

void log_init(const char *tag, const char *host, int fd, enum log_shape shape, enum log_level max_level)
{
    static pthread_once_t zone = PTHREAD_ONCE_INIT;
    pthread_once(&zone,
                 tzset); /* once: in the sandbox the zone file is not there, and the time would become UTC */
    pthread_mutex_lock(&current_lock);
    snprintf(current.tag, sizeof current.tag, "%s", tag);
    snprintf(current.host, sizeof current.host, "%s", host);
    current.fd = fd;
    current.shape = shape;
    atomic_fetch_add(&current_version, 1);
    pthread_mutex_unlock(&current_lock);
    atomic_store_explicit(&current_level, (int)max_level, memory_order_relaxed);
}

void log_set_tag(const char *tag)
{
    pthread_mutex_lock(&current_lock);
    snprintf(current.tag, sizeof current.tag, "%s", tag);
    atomic_fetch_add(&current_version, 1);
    pthread_mutex_unlock(&current_lock);
}

/* The thread's own copy: threads that log all the time do not meet at the lock. */
static const struct log_settings *settings_get(void)
{
    static _Thread_local struct log_settings mine;
    static _Thread_local unsigned version;
    if (version != atomic_load(&current_version)) {
        pthread_mutex_lock(&current_lock);
        mine = current;
        version = atomic_load(&current_version);
        pthread_mutex_unlock(&current_lock);
    }
    return &mine;
}

int log_fd(void)
{
    return settings_get()->fd;
}

bool log_debugging(void)
{
    return atomic_load_explicit(&current_level, memory_order_relaxed) >= LOG_LEVEL_DEBUG;
}

static bool line_add(struct line *l, str s)
{
    if (s.n > l->max - l->n)
        return false;
    memcpy(l->p + l->n, s.p, s.n);
    l->n += s.n;
    return true;
}

/* How much at the front is what most text is made of: ASCII that needs no care in any shape. */
static size_t plain_ascii(str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

/* Adds text character by character: control characters and malformed bytes become '?', and for JSON the
 * quotation mark and the backslash are escaped (RFC 8259 §7). Stops at the first character that does not fit.
 */
static void line_add_text(struct line *l, str text, bool json)
{
    while (text.n) {
        uint32_t cp;
        size_t plain = plain_ascii(text);
        if (plain) {
            line_add(l, str_sub(text, 0, plain < l->max - l->n ? plain : l->max - l->n));
            text = str_from(text, plain);
            continue;
        }
        size_t n = utf8_decode(text, &cp);
        str c = n ? str_sub(text, 0, n) : S("?");
        if (n && (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)))
            c = S("?");
        else if (n && json && cp == '"')
            c = S("\\\"");
        else if (n && json && cp == '\\')
            c = S("\\\\");
        if (!line_add(l, c))
            return;
        text = str_from(text, n ? n : 1);
    }
}

/* "Nov 23 10:00:00": local time, and English whatever the locale. */
static void stamp_syslog(char stamp[LOG_STAMP_MAX])
{
    static const char month[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)clock_seconds();
    struct tm t = {0};
    localtime_r(&now, &t);
    snprintf(stamp, LOG_STAMP_MAX, "%s %2d %02d:%02d:%02d", month[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min,
             t.tm_sec);
}

/* "2026-11-23T10:00:00.123456Z" (RFC 3339 §5.6) */
static void stamp_json(char stamp[LOG_STAMP_MAX])
{
    usec now_us = clock_wall();
    time_t now = (time_t)(now_us / 1000000);
    struct tm t = {0};
    gmtime_r(&now, &t);
    size_t n = strftime(stamp, LOG_STAMP_MAX, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(stamp + n, LOG_STAMP_MAX - n, ".%06dZ", (int)(now_us % 1000000));
}

static void line_json(struct line *l, const struct log_settings *s, enum log_level level, str text)
{
    char stamp[LOG_STAMP_MAX], pid[32];
    str end = S("\"}\n");
    stamp_json(stamp);
    snprintf(pid, sizeof pid, "%d", process_id());
    l->max = sizeof l->p - end.n;
    line_add(l, S("{\"time\":\""));
    line_add(l, str_c(stamp));
    line_add(l, S("\",\"level\":\""));
    line_add(l, str_c(levels[level].name));
    line_add(l, S("\",\"tag\":\""));
    line_add_text(l, str_c(s->tag), true);
    line_add(l, S("\",\"pid\":"));
    line_add(l, str_c(pid));
    line_add(l, S(",\"text\":\""));
    line_add_text(l, text, true);
    l->max = sizeof l->p;
    line_add(l, end);
}

static void line_text(struct line *l, const struct log_settings *s, enum log_level level, str text)
{
    char stamp[LOG_STAMP_MAX], head[LOG_STAMP_MAX + sizeof s->host + sizeof s->tag + 32];
    stamp_syslog(stamp);
    if (s->shape == LOG_SYSLOG)
        snprintf(head, sizeof head, "<%d>%s %s[%d]: ", FACILITY_MAIL | levels[level].severity, stamp, s->tag,
                 process_id());
    else
        snprintf(head, sizeof head, "%s %.255s %.63s[%d]: ", stamp, s->host, s->tag, process_id());
    l->max = sizeof l->p - 1;
    line_add_text(l, str_c(head), false);
    line_add_text(l, text, false);
    l->max = sizeof l->p;
    if (s->shape == LOG_TEXT)
        line_add(l, S("\n"));
}

void log_line(enum log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    int saved_errno = errno;
    char text[LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const struct log_settings *s = settings_get();
    struct line l = {.n = 0, .max = LOG_LINE_MAX};
    if (s->shape == LOG_JSON)
        line_json(&l, s, level, str_c(text));
    else
        line_text(&l, s, level, str_c(text));
    while (write(s->fd, l.p, l.n) < 0 && errno == EINTR)
        ;
    errno = saved_errno;
}
