#include "conf/restrictions.h"

static const struct {
    enum conf_option option;
    size_t offset;
} lists[RESTRICTION_LISTS] = {
    [RESTRICTION_CLIENT] = {CONF_smtpd_client_restrictions, offsetof(struct conf, smtpd_client_restrictions)},
    [RESTRICTION_HELO] = {CONF_smtpd_helo_restrictions, offsetof(struct conf, smtpd_helo_restrictions)},
    [RESTRICTION_SENDER] = {CONF_smtpd_sender_restrictions, offsetof(struct conf, smtpd_sender_restrictions)},
    [RESTRICTION_RELAY] = {CONF_smtpd_relay_restrictions, offsetof(struct conf, smtpd_relay_restrictions)},
    [RESTRICTION_RECIPIENT] = {CONF_smtpd_recipient_restrictions,
                               offsetof(struct conf, smtpd_recipient_restrictions)},
    [RESTRICTION_DATA] = {CONF_smtpd_data_restrictions, offsetof(struct conf, smtpd_data_restrictions)},
    [RESTRICTION_END_OF_DATA] = {CONF_smtpd_end_of_data_restrictions,
                                 offsetof(struct conf, smtpd_end_of_data_restrictions)},
};

str conf_restrictions(const struct conf *c, enum restriction_list which)
{
    return str_c(*(const char *const *)(const void *)((const char *)c + lists[which].offset));
}

enum conf_option conf_restrictions_option(enum restriction_list which)
{
    return lists[which].option;
}

bool conf_any_restrictions(const struct conf *c)
{
    for (int i = 0; i < RESTRICTION_LISTS; i++)
        if (conf_restrictions(c, (enum restriction_list)i).n > 0)
            return true;
    return false;
}

static bool guards(const struct conf *c, str list, enum restriction_list which, unsigned *steps)
{
    struct restriction r;
    enum rc rc;
    bool warns = false;
    while ((rc = restriction_take(&list, which, str_c(c->smtpd_restriction_classes), &r, NULL)) != RC_GONE) {
        if (*steps == 0)
            return false;
        --*steps;
        bool counts = !warns && rc == RC_OK;
        warns = rc == RC_OK && r.kind == RESTRICTION_WARN_IF_REJECT;
        if (!counts)
            continue;
        switch (r.kind) {
        case RESTRICTION_REJECT:
        case RESTRICTION_DEFER:
        case RESTRICTION_DEFER_IF_PERMIT:
        case RESTRICTION_REJECT_DESTINATION:
        case RESTRICTION_DEFER_DESTINATION:
            return true;
        case RESTRICTION_CLASS:
            if (guards(c, r.argument, which, steps))
                return true;
            break;
        default:
            break;
        }
    }
    return false;
}

bool conf_restrictions_guard(const struct conf *c, enum restriction_list which)
{
    unsigned steps = 1000;
    return guards(c, conf_restrictions(c, which), which, &steps);
}

enum restriction_list conf_restrictions_deciding(const struct conf *c)
{
    if (conf_restrictions_guard(c, RESTRICTION_RELAY))
        return RESTRICTION_RELAY;
    return conf_restrictions_guard(c, RESTRICTION_RECIPIENT) ? RESTRICTION_RECIPIENT : RESTRICTION_LISTS;
}
