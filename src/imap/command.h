/* command: the table of IMAP commands and its dispatcher.
 *
 * A handler parses its arguments from the cursor, which stands behind the verb (the space not yet taken),
 * sends its untagged responses, and returns its result; the dispatcher alone sends the tagged reply, after
 * the announcements. Handlers see only calls that are legal in the session's state. RC_GONE from a handler
 * means a missing mailbox; a lost connection shows in s->lost. */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include "imap/reply.h"

typedef enum rc imap_handler(struct imap_session *s, struct imap_lex *lex, struct imap_reply *re);

enum imap_state {
    IMAP_AUTH = 1,     /* no mailbox is selected */
    IMAP_SELECTED = 2, /* one is */
    IMAP_ANY = IMAP_AUTH | IMAP_SELECTED,
    IMAP_NEVER = 0 /* the command belongs before log-in */
};

enum imap_command_flag {
    CMD_UID = 1,       /* the UID form: sets are UIDs, FETCH responses carry UID (RFC 9051 §6.4.9) */
    CMD_USES_SEQS = 2, /* no expunge may be announced during it (RFC 9051 §7.5.1) */
    CMD_QUIET = 4,     /* nothing is announced after it */
    CMD_NAMES_SEQS =
        8,          /* its arguments or its answer are sequence numbers: not with UIDONLY (RFC 9586 §3.4) */
    CMD_WHOLE = 32, /* not a part of its answer: refused where it would be about too many messages */
    CMD_TELLS = 16, /* what is announced after it is its answer, whatever NOTIFY says */
    /* where it may name a mailbox of somebody else (imap/shared.h) */
    CMD_BOX = 64,         /* as the first argument, perhaps behind options in parentheses */
    CMD_SET_BOX = 128,    /* behind the messages */
    CMD_TWO_BOXES = 256,  /* both arguments */
    CMD_OF_SELECTED = 512 /* without a mailbox selected it is legal as well */
};

struct imap_command {
    str verb; /* "FETCH", "UID FETCH" */
    imap_handler *run;
    unsigned states;
    unsigned flags;
    const char *rfc;
    /* Whether the literal announced at the end of the text is a message that the handler wants streamed: the
     * handler then runs at the announcement. NULL: literals are gathered. The cursor (a copy) stands behind
     * the verb. */
    bool (*streams)(struct imap_lex lex);
};

const struct imap_command *imap_command_find(str verb);
/* Runs the command in s->reader.text: parses tag and verb, checks the state, calls the handler, announces,
 * answers. */
void imap_command_run(struct imap_session *s);
/* Goes on with the IDLE of that tag, whose end is s->idle_end, behind its continuation line. */
void imap_command_resume_idle(struct imap_session *s, str tag);
/* A literal was announced in the command gathered so far: gathers it, streams it or refuses it. */
void imap_command_literal(struct imap_session *s);
/* The command's text passed a limit; its rest is being skipped. */
void imap_command_too_long(struct imap_session *s);

/* One file each: imap/cmd_NAME.c */
bool imap_append_streams(struct imap_lex lex), imap_replace_streams(struct imap_lex lex);
imap_handler imap_cmd_append, imap_cmd_capability, imap_cmd_close, imap_cmd_compress, imap_cmd_create,
    imap_cmd_delete, imap_cmd_enable, imap_cmd_id, imap_cmd_idle, imap_cmd_list, imap_cmd_logout,
    imap_cmd_lsub, imap_cmd_namespace, imap_cmd_noop, imap_cmd_rename, imap_cmd_examine, imap_cmd_select,
    imap_cmd_status, imap_cmd_subscribe, imap_cmd_unselect, imap_cmd_unsubscribe;
imap_handler imap_cmd_copy, imap_cmd_expunge, imap_cmd_fetch, imap_cmd_move, imap_cmd_search, imap_cmd_sort,
    imap_cmd_store, imap_cmd_thread;
imap_handler imap_cmd_getquota, imap_cmd_getquotaroot; /* imap/cmd_getquota.c */
imap_handler imap_cmd_deleteacl, imap_cmd_getacl, imap_cmd_listrights, imap_cmd_myrights,
    imap_cmd_setacl; /* imap/cmd_acl.c */
/* Expunges what has \Deleted among these UIDs, NULL: in the mailbox; cmd_expunge.c. Not read-only. */
MUST_USE enum rc imap_expunge(struct imap_session *s, const struct uidset *among, uint32_t *ret_count,
                              struct err *e);
imap_handler imap_idle_go_on;  /* imap/cmd_idle.c */
imap_handler imap_cmd_replace; /* imap/cmd_append.c */
imap_handler imap_cmd_cancelupdate;
imap_handler imap_cmd_esearch;
imap_handler imap_cmd_getmetadata, imap_cmd_setmetadata;
imap_handler imap_cmd_language;
imap_handler imap_cmd_notify;
imap_handler imap_cmd_uidbatches;
imap_handler imap_cmd_unauthenticate;

#endif
