/* Every command of malle: one row each, in the order of the help. */
#include "cli/cli.h"

#define POSTFIX .program = true, .voice = CLI_VOICE_POSTFIX
#define DOVECOT .program = true, .voice = CLI_VOICE_DOVECOT

#define LDA_ARGUMENTS "[-d USER] [-m MAILBOX] [-f SENDER] [-a ADDRESS] [-p FILE] [-e] [-k]"

const struct cli_command cli_commands[] = {
    {"check", cmd_check, "", "read the settings and report everything that is wrong with them"},
    {"config", cmd_config, "[--all] [NAME]...",
     "print the settings that differ from the defaults, and where they are set"},
    {"run", cmd_run, "", "run the server in the foreground until SIGTERM or SIGINT"},
    {"migrate", cmd_migrate, "",
     "print one malle.conf for the files of Postfix and Dovecot in the folder of -c"},
    {"status", cmd_status, "", "print the running server's processes"},
    {"reload", cmd_reload, "", "make the running server read its settings and certificates again"},
    {"stop", cmd_stop, "", "end the running server"},
    {"user", cmd_user,
     "add|passwd|list|info|del|empty|enable|disable|quota|freeze|unfreeze|frozen [ADDRESS] [OPTION]...",
     "the accounts: --password P (else asked or read from standard input), --hash H, --quota SIZE, "
     "--messages N "
     "(each default or unlimited, too); del "
     "--mail deletes "
     "the mail, too; --yes confirms; freeze stops an account's mail to other servers, frozen lists such "
     "accounts"},
    {"alias", cmd_alias,
     "add ADDRESS TARGET... | add --masked USER | add --block ADDRESS | list [DOMAIN] | del ADDRESS [TARGET] "
     "| "
     "enable|disable ADDRESS",
     "addresses that lead to others; @DOMAIN is whatever is not there otherwise; a masked address is a "
     "random one "
     "that hides the account's: --note TEXT, --expires TIME; mail for a blocked one is refused, with the "
     "note"},
    {"domain", cmd_domain,
     "add|del DOMAIN | list | quota DOMAIN [--quota SIZE] [--messages N] [--total SIZE] [--total-messages N]",
     "domains that receive mail beside those of the configuration; quota is for each account of the domain "
     "that has none of its own, and total for all of them together"},
    {"mailbox", cmd_mailbox,
     "list|status ACCOUNT [MASK]... | create|delete|subscribe|unsubscribe ACCOUNT NAME... | rename ACCOUNT "
     "NAME NEW",
     "the mailboxes of an account; in a mask * is any text, % any without a separator"},
    {"message", cmd_message,
     "search|fetch|delete ACCOUNT KEY... | move|copy ACCOUNT MAILBOX KEY... | flags ACCOUNT "
     "add|remove|replace "
     "\"FLAG...\" KEY...",
     "the messages of an account that the keys of IMAP's SEARCH find, in INBOX or with --mailbox MASK "
     "elsewhere; search "
     "prints UIDs, fetch the messages, several as an mbox"},
    {"index", cmd_index, "check|rebuild ACCOUNT",
     "look for faults in the index of an account's mailboxes, or make it anew from them"},
    {"export", cmd_export, "ACCOUNT --maildir FOLDER | --mbox FOLDER [--mailbox MASK]",
     "write the mail of an account into a new folder: as a Maildir with UIDs, or a file MAILBOX.mbox for "
     "each mailbox"},
    {"import", cmd_import,
     "ACCOUNT --maildir FOLDER | --mbox FILE | --imap HOST[:PORT] --user NAME [--mailbox NAME]",
     "put the mail of a Maildir, of an mbox file (- is standard input) or a folder of such, or of an account "
     "at another "
     "server, into the mailboxes of an account; with --imap also --password P (else asked or read from "
     "standard input), "
     "--starttls and --ca-file FILE"},
    {"undelete", cmd_undelete, "ACCOUNT [--mailbox NAME] [--since YYYY-MM-DD] | ACCOUNT --list",
     "bring expunged messages back, which expunged_mail_lifetime keeps; of one mailbox, or since that day; "
     "or list them"},
    {"queue", cmd_queue,
     "list|stats|show|cat|retry|hold|release|delete|requeue|bounce [ID]...|ALL [FILTER]...",
     "what waits to be delivered; filters: --sender A, --recipient A, --domain D (of recipients), --age TIME "
     "(older than), --size SIZE (larger than), --reason TEXT, --limit N (messages, the oldest); all but list "
     "and stats need an ID, ALL or a filter; cat prints one message as it is, several as an mbox"},
    {"help", cmd_help, "[COMMAND]", "this text, or a command's part of it, as --help does"},
    {"trace", cmd_trace, "ID|ADDRESS|MESSAGE-ID [--log FILE]...",
     "tell what happened to a message, from the log files and the queue; --log - reads standard input"},
    {"sendmail", cmd_sendmail, "[-t] [-i] [-f SENDER] [-F NAME] [ADDRESS]... | -bs | -bp | -q",
     "send the message on standard input, with the options of sendmail(1); malle called as sendmail, mailq "
     "or newaliases does this, too",
     .program = true},
    {"pickup", cmd_pickup, "",
     "send now what sendmail kept while no server ran; the server does this by itself"},
    {"mailq", cmd_mailq, "", "list the queue as Postfix does", .program = true},
    {"newaliases", cmd_newaliases, "", "make the look-up tables of virtual_alias_maps and alias_maps again",
     .program = true},
    {"postmap", cmd_postmap, "[-fioprsw] [-q KEY] [-d KEY] [TYPE:]FILE...",
     "make FILE.lmdb, the hash: or lmdb: look-up table of FILE; -q asks any table, -s lists one, -d takes "
     "keys out; the options of postmap(1)",
     POSTFIX},
    {"postalias", cmd_postalias, "[-fioprsw] [-q KEY] [-d KEY] [TYPE:]FILE...",
     "the same for a FILE in the form of aliases(5)", POSTFIX},
    {"postconf", cmd_postconf,
     "[-c DIR] [-C CLASS] [-o NAME=VALUE] [-dfhHnpx] [-M|-F|-P] [-e|-X|-#] [NAME[=VALUE]]... | -a | -A | -l "
     "| -m",
     "print or edit Postfix's main.cf and master.cf, as postconf(1) does", POSTFIX},
    {"postfix", compat_postfix,
     "[-c DIR] start|start-fg|stop|abort|reload|flush|check|status|set-permissions|upgrade-configuration",
     "start, stop and look at the server, with the words of postfix(1)", POSTFIX},
    {"postmulti", compat_postmulti, "", "refuses: what it would do is another server's settings", POSTFIX},
    {"postqueue", compat_postqueue, "[-c DIR] -p | -j | -f | -i ID | -s SITE",
     "list the queue in Postfix's columns or as JSON; try all of it, one message or the mail for a domain "
     "now",
     POSTFIX},
    {"postsuper", compat_postsuper, "[-c DIR] -d|-h|-H|-r|-e|-f ID|ALL|- ... [QUEUE]...",
     "delete, hold, release, requeue or return messages; - reads ids; QUEUE is hold, incoming, active, "
     "deferred",
     POSTFIX},
    {"postcat", compat_postcat, "[-c DIR] [-b] [-e] [-h] [-o] -q ID...",
     "print what the queue has of a message: envelope, header, body", POSTFIX},
    {"postlog", compat_postlog, "[-c DIR] [-i] [-p PRIORITY] [-t TAG] [TEXT]...",
     "write a line, or those of standard input, to the log", POSTFIX},
    {"dovecot", compat_dovecot, "[-c FILE] [-F | -n | -a] [stop|reload]",
     "start, stop or reload the server, or print the settings, as dovecot(1) does", DOVECOT},
    {"doveconf", cmd_doveconf, "[-c FILE] [-f FILTER] [-n|-N|-a|-d] [-h] [-P] [-S] [-x] [NAME]...",
     "print Dovecot's settings, as doveconf(1) does", DOVECOT},
    {"doveadm", compat_doveadm, "[-c FILE] [-f flow|table|tab|pager|json] COMMAND [ARGUMENT]...",
     "user, auth test|login, pw, who, kick, mailbox, search, fetch, flags, move, copy, expunge, index, "
     "force-resync, import, "
     "quota, log find, config, service status, reload and stop of doveadm(1)",
     DOVECOT},
    {"dovecot-lda", compat_lda, LDA_ARGUMENTS,
     "put the message on standard input into a user's mailbox, as dovecot-lda(1) does", DOVECOT},
    {"deliver", compat_lda, LDA_ARGUMENTS, "the same under its old name", DOVECOT},
    {"install-compat", cmd_install_compat, "DIR [--force]",
     "put links into DIR by whose names malle is each of these programs of Postfix and Dovecot; what is no "
     "link "
     "to malle stays, unless --force is given"},
};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

const struct cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(name, cli_commands[i].name) == 0)
            return &cli_commands[i];
    return NULL;
}
