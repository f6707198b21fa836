/* folder: a folder with the files of Postfix and Dovecot in the place of malle.conf.
 *
 *   FOLDER/postfix/main.cf, FOLDER/postfix/master.cf
 *   FOLDER/dovecot/dovecot.conf and what it includes
 *   FOLDER/malle/local.conf          ; in malle's own dialect, read last: what the others have no word for
 *
 * Either of the first two may be missing: malle is then in the place of the other program alone. Listeners
 * are those that the files name. What a line says becomes an assignment of build.h, and what malle does not
 * do is told with the line. Internal to src/conf. */
#ifndef CONF_FOLDER_H
#define CONF_FOLDER_H

#include "base/arena.h"
#include "conf/build.h"

enum { FOLDER_CERTIFICATES_MAX = 64, FOLDER_SOCKETS_MAX = 16 };

struct folder {
    struct conf_build *b;
    struct arena *a;  /* what is read lies here until the conf is whole */
    const char *path; /* of the folder */
    struct {
        str pair; /* "CHAIN:KEY" */
        const char *file;
        int line;
    } certificates[FOLDER_CERTIFICATES_MAX]; /* the first is the default */
    size_t n_certificates;
    struct {
        str path;
        const char *file;
        int line;
    } lmtp_sockets[FOLDER_SOCKETS_MAX]; /* that Dovecot's file has */
    size_t n_lmtp_sockets;
    str auth_sockets[FOLDER_SOCKETS_MAX]; /* where Dovecot's file has Postfix log users in */
    size_t n_auth_sockets;
    bool has_postfix, has_dovecot;
};

/* Reads all files that are there into b. */
void folder_read(struct conf_build *b, const char *path);

/* postfix.c, dovecot.c: nothing happens when the file is not there. */
void folder_read_postfix(struct folder *f);
void folder_read_dovecot(struct folder *f);

/* --- for both --- */

/* The text of FOLDER/name, in the arena, with *ret_path, which lives as long as the conf. RC_GONE: it is not
 * there; RC_TEMP: reported. */
MUST_USE enum rc folder_text(struct folder *f, const char *name, str *ret, const char **ret_path);

/* An assignment to the main part from this place; texts are quoted as the native dialect wants them. */
void folder_set(struct folder *f, const char *file, int line, const char *option, str value);
/* Whether malle takes this value; else e->peer says why not. */
bool folder_takes(const char *option, str value, struct err *e);
/* The same for one listener, by its name. A listener that is named listens. */
struct conf_section folder_listener(struct folder *f, const char *file, int line, str name);
struct conf_section folder_transport(struct folder *f, const char *file, int line, str name);
void folder_set_in(struct folder *f, struct conf_section s, const char *file, int line, const char *key,
                   str value);
/* One more certificate; the same pair counts once. */
void folder_certificate(struct folder *f, const char *file, int line, str chain, str key);

/* The next word of a list that commas and white space separate; empty: no more. */
str folder_word(str *list);

#endif
