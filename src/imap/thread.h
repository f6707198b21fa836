/* thread: gathers messages into conversations (RFC 5256 §3: ORDEREDSUBJECT, REFERENCES; REFS is REFERENCES
 * without its steps by subject, by date of arrival, with the thread that was touched last at the end). Pure;
 * knows neither session nor store. */
#ifndef IMAP_THREAD_H
#define IMAP_THREAD_H

#include "fmt/imap_sort.h"
#include "fmt/uidset.h"

/* A chain of references that is longer is cut: the rest is a thread of its own. */
enum { THREAD_DEPTH_MAX = 1000 };

struct thread_message {
    uid32 uid;
    int64_t date;
    str id;         /* of the message, without brackets; empty when it has none */
    str references; /* fmt/references.h */
    str subject;    /* base subject in the form that is compared */
    bool reply;     /* the subject says so */
};

struct thread_node {
    struct thread_node *parent, *child, *last_child, *next;
    const struct thread_message *message; /* NULL: one that is referred to and not there, or none at all */
    /* while building */
    struct thread_node *up;          /* by references */
    const struct thread_node *first; /* earliest message: what a node without one is dated by */
    bool placed, removed;
};

/* The threads are the children of *ret, in order; everything lies in the arena. The messages stay the
 * caller's. RC_LIMIT: the arena is exhausted. */
MUST_USE enum rc thread_build(enum thread_algorithm algorithm, const struct thread_message *messages,
                              size_t n, struct arena *a, struct thread_node **ret);

#endif
