/* Single commands on the INBOX of account 1, one after the other, each with its time and the server's CPU
 * time. Mailboxes that are made have the run's number in their names and stay: no file is deleted that was
 * made here, because ext4 is slow for minutes where many were. In commands %n stands for --copies, %r for
 * --run, %f for the number of the message 49 before the last. */
#include "imap_load.h"

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPENDS = 100, COMMAND = 600 };

#define HEADER_LIST                                                                                         \
    "UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID " \
    "Priority "                                                                                             \
    "X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])"
#define STRUCTURES "FETCH 1:* (ENVELOPE BODYSTRUCTURE)"

struct step {
    const char *name;    /* NULL: not measured */
    const char *command; /* one a line; NULL: APPENDS messages to appended%r */
    bool fresh;          /* in a new session */
};

static const struct step steps[] = {
    {"SELECT, no index", "SELECT INBOX", true},
    {"FETCH 1:* (FLAGS UID), first", "FETCH 1:* (FLAGS UID)", false},
    {"FETCH of the fields Thunderbird lists, first", HEADER_LIST, false},
    {"FETCH 1:* (ENVELOPE BODYSTRUCTURE), first", STRUCTURES, false},
    {"SELECT, new session", "SELECT INBOX", true},
    {"SELECT, again", "SELECT INBOX", false},
    {"FETCH 1:* (FLAGS UID)", "FETCH 1:* (FLAGS UID)", false},
    {"FETCH of the fields Thunderbird lists", HEADER_LIST, false},
    {"FETCH 1:* (ENVELOPE BODYSTRUCTURE)", STRUCTURES, false},
    {"FETCH of the newest 50 (ENVELOPE)", "FETCH %f:* (ENVELOPE)", false},
    {NULL, "FETCH 1:%n (BODY.PEEK[])", false},
    {"FETCH 1:%n (BODY.PEEK[])", "FETCH 1:%n (BODY.PEEK[])", false},
    {"SEARCH UNSEEN", "SEARCH UNSEEN", false},
    {"SEARCH SUBJECT", "SEARCH SUBJECT winter", false},
    {"SEARCH FROM", "SEARCH FROM robin", false},
    {"SEARCH HEADER Message-ID", "SEARCH HEADER Message-ID 77.", false},
    {"SEARCH HEADER of a field that is not listed", "SEARCH HEADER X-Mailer thunder", false},
    {"SEARCH TEXT without a match, first", "SEARCH TEXT \"quixotic xylophone\"", false},
    {"SEARCH TEXT without a match", "SEARCH TEXT \"exotic saxophone\"", false},
    {"SEARCH BODY with many matches", "SEARCH BODY garden", false},
    {"SORT (REVERSE DATE)", "SORT (REVERSE DATE) UTF-8 ALL", false},
    {"SORT (SUBJECT)", "SORT (SUBJECT) UTF-8 ALL", false},
    {"THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL", false},
    {"STORE 1:* +FLAGS.SILENT", "STORE 1:* +FLAGS.SILENT (\\Flagged)", false},
    {"STORE 1:* -FLAGS", "STORE 1:* -FLAGS (\\Flagged)", false},
    {"STORE 1:* +FLAGS.SILENT and UNSELECT", "STORE 1:* +FLAGS.SILENT (\\Flagged)\nUNSELECT", false},
    {NULL, "SELECT INBOX\nSTORE 1:* -FLAGS.SILENT (\\Flagged)\nUNSELECT\nSELECT INBOX", false},
    {NULL, "CREATE copied%r", false},
    {NULL, "CREATE moved%r", false},
    {NULL, "CREATE appended%r", false},
    {"COPY of %n", "COPY 1:%n copied%r", false},
    {NULL, "SELECT copied%r", false},
    {"MOVE of %n", "MOVE 1:%n moved%r", false},
    {NULL, "SELECT moved%r", false},
    {"STORE of \\\\Deleted to %n", "STORE 1:* +FLAGS.SILENT (\\Deleted)", false},
    {"EXPUNGE of %n", "EXPUNGE", false},
    {"APPEND of 100", NULL, false},
};

static void expand(char out[COMMAND], const char *in, const struct imap *s)
{
    size_t n = 0;
    for (; *in; in++) {
        int number = -1;
        if (*in == '%' && in[1] == 'n')
            number = opt.copies;
        else if (*in == '%' && in[1] == 'r')
            number = opt.run;
        else if (*in == '%' && in[1] == 'f')
            number = s->exists > 50 ? (int)s->exists - 49 : 1;
        if (n + 16 > COMMAND)
            load_die("a command is too long");
        if (number < 0) {
            out[n++] = *in;
        } else {
            n += (size_t)snprintf(out + n, COMMAND - n, "%d", number);
            in++;
        }
    }
    out[n] = '\0';
}

static void run_step(struct imap *s, const struct step *step)
{
    char command[COMMAND];
    expand(command, step->command ? step->command : "appended%r", s);
    for (int i = 0; i < APPENDS && !step->command; i++)
        imap_append(s, command);
    char *rest = command;
    for (char *one; step->command && (one = strsep(&rest, "\n"));)
        imap_say(s, one);
}

static void measure(struct imap *s, const struct step *step, bool *first)
{
    if (step->fresh) {
        if (s->tag)
            imap_log_out(s);
        imap_log_in(s, 1);
    }
    size_t bytes = s->conn.bytes;
    double cpu = load_cpu(opt.cgroup, opt.pid), start = load_now();
    run_step(s, step);
    double wall = load_now() - start, used = load_cpu(opt.cgroup, opt.pid) - cpu;
    if (!step->name)
        return;
    char name[COMMAND];
    expand(name, step->name, s);
    printf("%s{\"step\": \"%s\", \"ms\": %.3f, \"cpu_ms\": %.3f, \"bytes\": %zu}", *first ? "" : ", ", name,
           wall * 1000, cpu >= 0 ? used * 1000 : -1, s->conn.bytes - bytes);
    *first = false;
}

void imap_steps_run(void)
{
    struct imap s = {.tag = 0};
    bool first = true;
    printf("{\"work\": \"commands\", \"run\": %d, \"steps\": [", opt.run);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        measure(&s, &steps[i], &first);
    printf("]}\n");
    imap_log_out(&s);
}
