/* PAM's conversation with a password that is known beforehand, and getpwnam_r with getgrouplist. */
#include "account/pam.h"

#include "os/crypto.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>

/* Answers every question that does not echo with the password; any other question fails the attempt. */
static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *password)
{
    if (n <= 0 || n > PAM_MAX_NUM_MSG)
        return PAM_CONV_ERR;
    struct pam_response *answers = calloc((size_t)n, sizeof *answers); /* PAM frees them */
    must(answers);
    for (int i = 0; i < n; i++) {
        int style = messages[i]->msg_style;
        if (style == PAM_PROMPT_ECHO_OFF)
            answers[i].resp = str_dup(str_c(password));
        else if (style == PAM_PROMPT_ECHO_ON)
            answers[i].resp = str_dup(S(""));
    }
    *ret = answers;
    return PAM_SUCCESS;
}

static void no_delay(int status, unsigned microseconds, void *data) {}

static enum rc rc_of(int status)
{
    switch (status) {
    case PAM_SUCCESS:
        return RC_OK;
    case PAM_ABORT:
    case PAM_AUTHINFO_UNAVAIL:
    case PAM_BUF_ERR:
    case PAM_CONV_ERR:
    case PAM_MODULE_UNKNOWN:
    case PAM_OPEN_ERR:
    case PAM_SERVICE_ERR:
    case PAM_SYMBOL_ERR:
    case PAM_SYSTEM_ERR:
        return RC_TEMP;
    default:
        return RC_PERM;
    }
}

static int run(pam_handle_t *h, const char *host)
{
    union {
        void (*fn)(int, unsigned, void *);
        const void *item;
    } delay = {.fn = no_delay};
    (void)pam_set_item(h, PAM_FAIL_DELAY, delay.item);
    int status = host[0] ? pam_set_item(h, PAM_RHOST, host) : PAM_SUCCESS;
    if (status == PAM_SUCCESS)
        status = pam_authenticate(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    if (status == PAM_SUCCESS)
        status = pam_acct_mgmt(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    return status;
}

/* In the words that the account database has for the same; a module's own for the rest. */
static void note_reason(pam_handle_t *h, int status, struct err *e)
{
    if (status == PAM_USER_UNKNOWN)
        err_note(e, "unknown user");
    else if (status == PAM_AUTH_ERR)
        err_note(e, "wrong password");
    else
        err_note(e, "PAM: %s", pam_strerror(h, status));
}

enum rc pam_check(const char *service, str user, str password, str client_ip, struct err *e)
{
    char name[PAM_USER_MAX + 1], secret[PAM_PASSWORD_MAX + 1], host[64];
    if (str_copy(name, sizeof name, user) != RC_OK || user.n == 0 || password.n == 0 ||
        str_copy(secret, sizeof secret, password) != RC_OK)
        return err_set(e, RC_PERM, 535, "5.7.8", "authentication failed");
    if (str_copy(host, sizeof host, client_ip) != RC_OK)
        host[0] = '\0';
    struct pam_conv conversation = {converse, secret};
    pam_handle_t *h = NULL;
    int status = pam_start(service, name, &conversation, &h);
    if (status == PAM_SUCCESS)
        status = run(h, host);
    enum rc rc = rc_of(status);
    if (rc != RC_OK) {
        err_set(e, rc, rc == RC_TEMP ? 454 : 535, rc == RC_TEMP ? "4.7.0" : "5.7.8", "authentication failed");
        note_reason(h, status, e);
    }
    if (h)
        pam_end(h, status);
    crypto_wipe(secret, sizeof secret);
    return rc;
}

/* The supplementary groups without root's, which no session needs; of more than fit, the first ones count. */
static void read_groups(const struct passwd *pw, struct account_identity *id)
{
    gid_t groups[IDENTITY_GROUPS_MAX + 1]; /* with the primary one */
    int n = IDENTITY_GROUPS_MAX + 1;
    if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
        n = IDENTITY_GROUPS_MAX + 1;
    for (int i = 0; i < n && id->n_groups < IDENTITY_GROUPS_MAX; i++) {
        if (groups[i] != pw->pw_gid && groups[i] != 0 && groups[i] != (gid_t)-1)
            id->groups[id->n_groups++] = groups[i];
    }
}

static enum rc passwd_failed(int error, struct err *e)
{
    err_set(e, RC_TEMP, 451, "4.3.0", "users cannot be looked up now");
    err_note(e, "passwd: %s", strerror(error));
    return RC_TEMP;
}

enum rc passwd_find(str user, struct account_identity *ret, struct err *e)
{
    char name[PAM_USER_MAX + 1], room[16 << 10];
    struct account_identity id = {.system = true};
    struct passwd entry, *pw = NULL;
    if (user.n == 0 || str_copy(name, sizeof name, user) != RC_OK)
        return RC_GONE;
    int error = getpwnam_r(name, &entry, room, sizeof room, &pw);
    if (!pw && (error == 0 || error == ENOENT || error == ESRCH))
        return RC_GONE;
    if (!pw)
        return passwd_failed(error, e);
    must(str_copy(id.account, sizeof id.account, user) == RC_OK);
    id.uid = pw->pw_uid;
    id.gid = pw->pw_gid;
    read_groups(pw, &id);
    enum rc rc = identity_set_home(&id, str_c(pw->pw_dir), e);
    if (rc == RC_OK)
        *ret = id;
    return rc;
}

enum rc passwd_name(uid_t uid, char ret[PAM_USER_MAX + 1], struct err *e)
{
    char room[16 << 10];
    struct passwd entry, *pw = NULL;
    int error = getpwuid_r(uid, &entry, room, sizeof room, &pw);
    if (!pw && error != 0 && error != ENOENT && error != ESRCH)
        return passwd_failed(error, e);
    return pw && str_copy(ret, PAM_USER_MAX + 1, str_c(pw->pw_name)) == RC_OK && ret[0] ? RC_OK : RC_GONE;
}
