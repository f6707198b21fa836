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
#define LOG_NAME_MAX  64
#define FACILITY_MAIL 2

struct log_settings {
    char first[LOG_NAME_MAX], second[LOG_NAME_MAX], prefix[512], host[256];
    bool programs;
    int fd, facility;
    enum log_shape shape;
};

static struct log_settings current = {
    .first = "malle", .host = "localhost", .fd = STDERR_FILENO, .facility = FACILITY_MAIL};
static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint current_version = 1; /* rises with each change */
static _Atomic int current_level = LOG_LEVEL_INFO;

static const struct {
    const char *name;
    int severity; /* RFC 3164 §4.1.1 */
    const char *postfix, *dovecot;
} levels[] = {
    [LOG_LEVEL_PANIC] = {"error", 2, "panic: ", "Panic: "},
    [LOG_LEVEL_FATAL] = {"error", 2, "fatal: ", "Fatal: "},
    [LOG_LEVEL_ERROR] = {"error", 3, "error: ", "Error: "},
    [LOG_LEVEL_WARN] = {"warn", 4, "warning: ", "Warning: "},
    [LOG_LEVEL_INFO] = {"info", 6, "", ""},
    [LOG_LEVEL_DEBUG] = {"debug", 7, "", "Debug: "},
};

/* The second part of the tag. */
static const char *const programs[] = {
    [LOG_AS_CLEANUP] = "cleanup", [LOG_AS_PICKUP] = "pickup", [LOG_AS_QMGR] = "qmgr",
    [LOG_AS_BOUNCE] = "bounce",   [LOG_AS_LOCAL] = "local",   [LOG_AS_VIRTUAL] = "virtual",
    [LOG_AS_LMTP] = "lmtp",       [LOG_AS_PIPE] = "pipe",     [LOG_AS_POSTSCREEN] = "postscreen",
    [LOG_AS_DNSBLOG] = "dnsblog", [LOG_AS_ERROR] = "error",
};

static _Thread_local const char *thread_first;

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
    if (tag) {
        snprintf(current.first, sizeof current.first, "%s", tag);
        current.second[0] = current.prefix[0] = '\0';
        current.programs = false;
    }
    snprintf(current.host, sizeof current.host, "%s", host);
    current.fd = fd;
    current.shape = shape;
    atomic_fetch_add(&current_version, 1);
    pthread_mutex_unlock(&current_lock);
    atomic_store_explicit(&current_level, (int)max_level, memory_order_relaxed);
}

void log_set_facility(int number)
{
    pthread_mutex_lock(&current_lock);
    current.facility = number;
    atomic_fetch_add(&current_version, 1);
    pthread_mutex_unlock(&current_lock);
}

void log_set_names(const struct log_names *names)
{
    pthread_mutex_lock(&current_lock);
    snprintf(current.first, sizeof current.first, "%s", names->first);
    snprintf(current.second, sizeof current.second, "%s", names->second);
    snprintf(current.prefix, sizeof current.prefix, "%s", names->prefix ? names->prefix : "");
    current.programs = names->programs;
    atomic_fetch_add(&current_version, 1);
    pthread_mutex_unlock(&current_lock);
}

void log_thread_name(const char *first)
{
    thread_first = first;
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

/* What stands in front of the text. */
struct head {
    char tag[2 * LOG_NAME_MAX];
    const char *prefix, *word;
    bool pid; /* behind the tag */
};

static struct head head_of(const struct log_settings *s, enum log_program program, enum log_level level)
{
    struct head h = {.prefix = "", .word = levels[level].postfix, .pid = true};
    bool own = program == LOG_AS_OWN || !s->programs;
    const char *first = own && thread_first ? thread_first : s->first;
    const char *second = own ? s->second : program == LOG_AS_DOVECOT ? "" : programs[program];
    if (program == LOG_AS_OWN)
        h.prefix = s->prefix;
    if (s->programs && !second[0]) { /* Dovecot names the process, where it does, in the text */
        first = "dovecot";
        h.word = levels[level].dovecot;
        h.pid = false;
    }
    if (program == LOG_AS_DOVECOT)
        h.word = "";
    const int most = LOG_NAME_MAX - 1;
    snprintf(h.tag, sizeof h.tag, "%.*s%s%.*s", most, first, second[0] ? "/" : "", most, second);
    return h;
}

static void line_json(struct line *l, const struct head *h, enum log_level level, str text)
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
    line_add_text(l, str_c(h->tag), true);
    line_add(l, S("\",\"pid\":"));
    line_add(l, str_c(pid));
    line_add(l, S(",\"text\":\""));
    line_add_text(l, str_c(h->prefix), true);
    line_add_text(l, text, true);
    l->max = sizeof l->p;
    line_add(l, end);
}

static void line_text(struct line *l, const struct log_settings *s, const struct head *h,
                      enum log_level level, str text)
{
    char stamp[LOG_STAMP_MAX], pid[32] = "";
    char start[sizeof stamp + sizeof s->host + sizeof h->tag + sizeof pid + 8];
    stamp_syslog(stamp);
    if (h->pid)
        snprintf(pid, sizeof pid, "[%d]", process_id());
    if (s->shape == LOG_SYSLOG)
        snprintf(start, sizeof start, "<%d>%s %s%s: ", s->facility << 3 | levels[level].severity, stamp,
                 h->tag, pid);
    else
        snprintf(start, sizeof start, "%s %.255s %s%s: ", stamp, s->host, h->tag, pid);
    l->max = sizeof l->p - 1;
    line_add_text(l, str_c(start), false);
    line_add_text(l, str_c(h->prefix), false);
    line_add(l, str_c(h->word));
    line_add_text(l, text, false);
    l->max = sizeof l->p;
    if (s->shape == LOG_TEXT)
        line_add(l, S("\n"));
}

PRINTF(3, 0)
static void write_line(enum log_program program, enum log_level level, const char *fmt, va_list ap)
{
    const struct log_settings *s = settings_get();
    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed) ||
        (program == LOG_AS_MALLE && s->programs))
        return;
    int saved_errno = errno;
    char text[LOG_LINE_MAX];
    vsnprintf(text, sizeof text, fmt, ap);
    struct line l = {.n = 0, .max = LOG_LINE_MAX};
    struct head h = head_of(s, program, level);
    if (s->shape == LOG_JSON)
        line_json(&l, &h, level, str_c(text));
    else
        line_text(&l, s, &h, level, str_c(text));
    while (write(s->fd, l.p, l.n) < 0 && errno == EINTR)
        ;
    errno = saved_errno;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(LOG_AS_OWN, level, fmt, ap);
    va_end(ap);
}

void log_info_of(enum log_program program, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(program, LOG_LEVEL_INFO, fmt, ap);
    va_end(ap);
}

void log_warn_of(enum log_program program, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    write_line(program, LOG_LEVEL_WARN, fmt, ap);
    va_end(ap);
}
