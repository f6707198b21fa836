/* store_talk: an IMAP session over a socket pair on a real store in a temporary folder, for tests. Several
 * sessions may be open on one folder. Whatever goes wrong here fails the test. */
#ifndef TESTS_STORE_TALK_H
#define TESTS_STORE_TALK_H

#include "imap/session.h"

#include <pthread.h>
#include <stdatomic.h>

struct store_talk {
    const char *root; /* the Maildir */
    struct store *store;
    struct stream *io; /* the server's end */
    struct imap_start start;
    pthread_t thread;
    int fd; /* the client's end */
    struct buf in, reply;
    unsigned tag;
    unsigned parked_times;
    atomic_bool parked; /* at this moment */
};

/* Sessions that begin from now on park at once whenever they are idle, and go on at input. */
extern bool store_talk_parks;

/* A new folder for a test's mail; store_folder_remove frees the name. */
char *store_folder_new(void);
void store_folder_remove(char *root);

/* Starts a session on the folder; _end also waits for its process's part to end. */
void store_talk_begin(struct store_talk *t, const char *root);
void store_talk_end(struct store_talk *t);

/* Sends a command (without tag and line end) and returns all that comes back, up to its tagged reply, of
 * which only the word and the code are kept: "* 1 FETCH (FLAGS ())\r\nOK", "NO [TRYCREATE]", "BAD". Valid
 * until the next call. */
const char *store_talk_say(struct store_talk *t, const char *command);
/* Sends bytes as they are. */
void store_talk_send(struct store_talk *t, str bytes);
/* The command must be answered with exactly `want`. */
void store_talk_expect(struct store_talk *t, const char *command, const char *want);
/* Appends a message, LF line ends become CRLF; arguments: "(\Seen)", "" for none. */
void store_talk_append(struct store_talk *t, const char *mailbox, const char *arguments, str message);

#endif
