/* Tries in children what the cage of a session must refuse and what it must permit.
 *
 *     cage_try --list        one line for each attempt: its kind and name
 *     cage_try ABI           all attempts with Landlock as of that ABI (0: the kernel's); "ok NAME" or
 * "FAILED NAME: WHY" for each; exit status 1 when one failed */
#include "attempts.h"

#include "base/log.h"
#include "base/num.h"
#include "os/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

static int failures;

static void failed(const char *name, const char *fmt, ...) PRINTF(2, 3);
static void failed(const char *name, const char *fmt, ...)
{
    va_list ap;
    printf("FAILED %s: ", name);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    failures++;
}

static const char *outcome(int result)
{
    static char text[64];
    if (result == 0)
        return "success";
    if (result < KILLED)
        return strerror(result);
    snprintf(text, sizeof text, "killed by signal %d", result - KILLED);
    return text;
}

/* Calls that are answered with ENOSYS even in programs that unknown calls kill. */
static bool is_never_killed(const char *name)
{
    return strcmp(name, "clone3") == 0;
}

/* ENOSYS alone would also be the answer of a kernel that lacks the call; the signal is seccomp's. */
static void try_refused(const struct attempt *a)
{
    int got = world_try(CONFINE_CAGE, a->run);
    if (got != ENOSYS) {
        failed(a->name, "%s instead of %s", outcome(got), strerror(ENOSYS));
        return;
    }
    must(setenv("MALLE_SECCOMP_KILL", "1", 1) == 0);
    got = world_try(CONFINE_CAGE_CHROOT, a->run);
    must(unsetenv("MALLE_SECCOMP_KILL") == 0);
    int expected = is_never_killed(a->name) ? ENOSYS : KILLED + SIGSYS;
    if (got != expected)
        failed(a->name, "%s instead of killing", outcome(got));
    else
        printf("ok %s\n", a->name);
}

static void try_both(const struct attempt *a)
{
    int expected[] = {a->expected, a->expected_chroot};
    enum confinement how[] = {CONFINE_CAGE, CONFINE_CAGE_CHROOT};
    for (int i = 0; i < 2; i++) {
        int got = world_try(how[i], a->run);
        if (got != expected[i]) {
            failed(a->name, "%s instead of %s%s", outcome(got), outcome(expected[i]), i ? " (chroot)" : "");
            return;
        }
    }
    printf("ok %s\n", a->name);
}

/* What the cage holds back must be possible for the same user outside, or the attempt shows nothing. */
static void try_escape(const struct attempt *a)
{
    int outside = world_try(CONFINE_USER_ONLY, a->run);
    if (outside != 0)
        failed(a->name, "%s outside the cage", outcome(outside));
    else
        try_both(a);
}

/* What is permitted must not kill, so it is tried where unknown calls do. */
static void try_permitted(const struct attempt *a)
{
    must(setenv("MALLE_SECCOMP_KILL", "1", 1) == 0);
    try_both(a);
    must(unsetenv("MALLE_SECCOMP_KILL") == 0);
}

static const struct {
    const char *name;
    const struct attempt *v;
    const size_t *n;
    void (*run)(const struct attempt *);
} kinds[] = {
    {"refused", refused, &n_refused, try_refused},
    {"escape", escapes, &n_escapes, try_escape},
    {"permitted", permitted, &n_permitted, try_permitted},
};

int main(int argc, char **argv)
{
    uint64_t abi = 0;
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    log_init("cage_try", "test", STDERR_FILENO, LOG_TEXT, LOG_LEVEL_INFO);
    if (argc != 2 || (!list && num_parse_u64(str_c(argv[1]), 99, &abi) != RC_OK)) {
        fprintf(stderr, "usage: cage_try --list | ABI\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* children must not write it once more */
    if (abi)
        landlock_abi_max = (int)abi;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t i = 0; i < *kinds[k].n; i++) {
            if (list)
                printf("%s %s\n", kinds[k].name, kinds[k].v[i].name);
            else
                kinds[k].run(&kinds[k].v[i]);
        }
    }
    return failures ? 1 : 0;
}
