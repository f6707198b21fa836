#include "role/command_impl.h"

#include "account/pam.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a role's own user may read, nobody's program is to. */
static bool is_ours(const struct conf *c, str name)
{
    const char *const own[] = {c->user_smtpd, c->user_submission, c->user_login, c->user_auth,  c->user_queue,
                               c->user_smtp,  c->user_proxymap,   c->user_sasl,  c->user_userdb};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq(name, str_c(own[i])))
            return true;
    return false;
}

/* By either name of the uid, when it has two. */
static bool is_role(const struct conf *c, const struct account_identity *id)
{
    const struct passwd *pw = getpwuid(id->uid);
    return is_ours(c, str_c(id->account)) || (pw && is_ours(c, str_c(pw->pw_name)));
}

static enum rc judge(const struct conf *c, const struct account_identity *id, bool is_person, struct err *e)
{
    bool fine = id->uid != 0 && id->uid != (uid_t)-1 && id->gid != 0 && id->gid != (gid_t)-1;
    if (is_person)
        fine = fine && identity_uid_permitted(id->uid, c->first_valid_uid, c->last_valid_uid);
    if (geteuid() != 0) /* not started by root: everything is ours */
        fine = id->uid == geteuid();
    else if (is_role(c, id))
        fine = false;
    if (fine)
        return RC_OK;
    (void)err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
    err_note(e, "nothing is run as %s (uid %u)", id->account, id->uid);
    return RC_TEMP;
}

static enum rc find_group(str name, struct account_identity *id, struct err *e)
{
    char text[VIA_USER_MAX + 1];
    const struct group *g = str_copy(text, sizeof text, name) == RC_OK ? getgrnam(text) : NULL;
    if (!g)
        return err_set(e, RC_TEMP, 451, "4.3.5", "Server configuration error");
    id->gid = g->gr_gid;
    id->n_groups = 0;
    return RC_OK;
}

enum rc command_user_find(const struct conf *c, str name, str group, bool is_person, struct command_user *ret,
                          struct err *e)
{
    struct command_user u = {.shell = "/bin/sh"};
    enum rc rc = passwd_find(name, &u.id, e);
    if (rc == RC_OK && group.n > 0)
        rc = find_group(group, &u.id, e);
    if (rc == RC_OK)
        rc = judge(c, &u.id, is_person, e);
    if (rc != RC_OK)
        return rc;
    const struct passwd *pw = getpwnam(u.id.account);
    if (pw && pw->pw_shell && pw->pw_shell[0] &&
        str_copy(u.shell, sizeof u.shell, str_c(pw->pw_shell)) != RC_OK)
        u.shell[0] = '\0';
    *ret = u;
    return RC_OK;
}

static void check_user(const struct account_identity *id)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    must(getresuid(&r, &e, &s) == 0 && r == id->uid && e == id->uid && s == id->uid);
    must(getresgid(&rg, &eg, &sg) == 0 && rg == id->gid && eg == id->gid && sg == id->gid);
    must(setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && setuid(0) != 0);
}

void command_become(const struct command_user *u)
{
    const struct account_identity *id = &u->id;
    must(id->uid != 0);
    if (geteuid() == 0) {
        must(setgroups(id->n_groups, id->groups) == 0);
        must(setresgid(id->gid, id->gid, id->gid) == 0);
        must(setresuid(id->uid, id->uid, id->uid) == 0);
        check_user(id);
    }
    /* nobody's other processes look into this one; and it ends with the server, which would not know of it
     * any more. A change of user forgets both. */
    must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0);
    umask(0077);
}
