/* The command line of sendmail: every option that Postfix's sendmail(1) knows. */
#include "cli/sendmail.h"
#include "fmt/smtp_cmd.h"

#include <unistd.h>

/* -b with the mode behind it. */
static int take_mode(struct sendmail_options *o, const char *mode)
{
    switch (mode[0]) {
    case 'm': /* deliver as usual */
        o->mode = SENDMAIL_DELIVER;
        return EX_OK;
    case 's':
        o->mode = SENDMAIL_SMTP;
        return EX_OK;
    case 'p':
        o->mode = SENDMAIL_LIST;
        return EX_OK;
    case 'i':
        o->mode = SENDMAIL_ALIASES;
        return EX_OK;
    case 'd':
        cli_fail("sendmail -bd: the server is started with `malle run`");
        return EX_USAGE;
    default:
        cli_fail("sendmail does not know -b%s", mode);
        return EX_USAGE;
    }
}

/* -N never, or success, failure and delay with commas between them (RFC 3461 §4.1). */
static int take_notify(struct sendmail_options *o, str value)
{
    static const struct {
        str word;
        unsigned bit;
    } words[] = {{S("never"), SMTP_NOTIFY_NEVER},
                 {S("success"), SMTP_NOTIFY_SUCCESS},
                 {S("failure"), SMTP_NOTIFY_FAILURE},
                 {S("delay"), SMTP_NOTIFY_DELAY}};
    str rest = value;
    o->notify = 0;
    while (rest.n) {
        str word = str_trim(str_take(&rest, ','));
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (str_ieq(word, words[i].word))
                bit = words[i].bit;
        o->notify |= bit;
        if (!bit || (o->notify & SMTP_NOTIFY_NEVER && o->notify != SMTP_NOTIFY_NEVER)) {
            cli_fail("sendmail -N expects never, or some of success,failure,delay");
            return EX_USAGE;
        }
    }
    return EX_OK;
}

static int take_ret(struct sendmail_options *o, str value)
{
    o->ret = str_ieq(value, S("full"))   ? SMTP_RET_FULL
             : str_ieq(value, S("hdrs")) ? SMTP_RET_HDRS
                                         : SMTP_RET_UNSET;
    if (o->ret != SMTP_RET_UNSET)
        return EX_OK;
    cli_fail("sendmail -R expects full or hdrs");
    return EX_USAGE;
}

/* -q alone, or with an interval, or the part of the queue that is meant: all of it is tried. */
static int take_option(struct sendmail_options *o, int option, struct cli *cli)
{
    switch (option) {
    case 'b':
        return take_mode(o, optarg);
    case 't':
        o->recipients_in_header = true;
        return EX_OK;
    case 'i':
        o->ignore_dots = true;
        return EX_OK;
    case 'o': /* -oi is -i; the others mean nothing here */
        o->ignore_dots |= optarg[0] == 'i';
        return EX_OK;
    case 'O':
        o->ignore_dots |= str_istarts(str_c(optarg), S("IgnoreDots"));
        return EX_OK;
    case 'v':
        o->verbose = true;
        return EX_OK;
    case 'f':
    case 'r':
        o->sender = optarg;
        return EX_OK;
    case 'F':
        o->full_name = optarg;
        return EX_OK;
    case 'C':
        cli_use_conf(cli, optarg);
        return EX_OK;
    case 'q':
        o->mode = SENDMAIL_RETRY;
        return EX_OK;
    case 'I':
        o->mode = SENDMAIL_ALIASES;
        return EX_OK;
    case 'N':
        return take_notify(o, str_c(optarg));
    case 'R':
        return take_ret(o, str_c(optarg));
    case 'V':
        o->envid = optarg;
        return EX_OK;
    case '?':
    case ':':
        cli_fail("sendmail: the option -%c is unknown, or lacks its value", optopt);
        return EX_USAGE;
    default:
        return EX_OK;
    }
}

int sendmail_parse(int argc, char **argv, struct cli *cli, struct sendmail_options *ret)
{
    int option, status = EX_OK;
    *ret = (struct sendmail_options){.mode = SENDMAIL_DELIVER, .ret = SMTP_RET_UNSET};
    opterr = 0;
    while (status == EX_OK &&
           (option = getopt(argc, argv, "+:A:B:C:F:GIL:N:O:R:UV:X:b:cd:e:f:h:imno:p:q::r:tvx")) != -1)
        status = take_option(ret, option, cli);
    ret->recipients = argv + optind;
    ret->n_recipients = argc - optind;
    return status;
}
