/* imap_rows: conversations over a store in memory, each with a session and a store of its own. */
#ifndef TESTS_IMAP_ROWS_H
#define TESTS_IMAP_ROWS_H

#include "imap_talk.h"
#include "mem_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define SELECTED                                                                                             \
    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work)\r\n"                            \
    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded work \\*)] These flags " \
    "are kept.\r\n"                                                                                          \
    "* 3 EXISTS\r\n* 3 RECENT\r\n* OK [UNSEEN 1] The first unseen message.\r\n"                              \
    "* OK [UIDVALIDITY 7] UIDs are valid.\r\n* OK [UIDNEXT 5] The next UID.\r\n"                             \
    "* OK [MAILBOXID (m7)] Its id.\r\n* OK [HIGHESTMODSEQ 6] The last change.\r\n"                           \
    "s OK [READ-WRITE] SELECT completed.\r\n"

struct row {
    const char *in, *want;
};

static inline void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct imap_start start = {.store = mem_store_new(), .ops.wake_fd = -1};
        char *got = imap_talk(&start, str_c(rows[i].in));
        if (strcmp(got, rows[i].want) != 0)
            print_error("for %s\n", rows[i].in);
        assert_string_equal(got, rows[i].want);
        free(got);
        store_close(start.store);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

#endif
