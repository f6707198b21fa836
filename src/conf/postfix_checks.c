/* What cleanup(8) does with mail that comes in: a service of smtpd names the one of cleanup that it uses,
 * whose options in master.cf count. */
#include "conf/postfix.h"

#include "conf/report.h"

static const char *const tables[] = {"header_checks", "mime_header_checks", "nested_header_checks",
                                     "body_checks"};

/* What follows another setting is told as such, so that it still does where that differs. */
static void set_tables(struct postfix *p, struct conf_section s, const char *name, bool whole)
{
    struct postfix_value v = postfix_value(p, name);
    bool follows = !v.is_set && name[0] != 'h' && name[0] != 'b';
    if (!v.is_set && !whole)
        return;
    folder_set_in(p->f, s, v.file, v.line, name,
                  follows ? S("$header_checks") : postfix_tables(p, &v, "texthash:"));
}

static void set_all(struct postfix *p, struct conf_section s, bool whole)
{
    static const char *const same[] = {"always_bcc", "body_checks_size_limit", "message_reject_characters",
                                       "message_strip_characters"};
    static const char *const copies[] = {"sender_bcc_maps", "recipient_bcc_maps"};
    struct postfix_value dropped = postfix_value(p, "message_drop_headers");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        set_tables(p, s, tables[i], whole);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct postfix_value v = postfix_value(p, same[i]);
        if (v.is_set || whole)
            folder_set_in(p->f, s, v.file, v.line, same[i], v.text);
    }
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        struct postfix_value v = postfix_value(p, copies[i]);
        if (v.is_set || whole)
            folder_set_in(p->f, s, v.file, v.line, copies[i], postfix_tables(p, &v, "texthash:"));
    }
    folder_set_in(p->f, s, dropped.file, dropped.line, "message_drop_headers", dropped.text);
}

static void set_propagation(struct postfix *p)
{
    struct postfix_value v = postfix_value(p, "propagate_unmatched_extensions");
    AUTO(buf_deinit) struct buf list = BUF_INIT(1000);
    str rest = v.text, word;
    while ((word = folder_word(&rest)).n)
        if (str_eq(word, S("canonical")) || str_eq(word, S("virtual")))
            buf_printf(&list, STR_FMT " ", STR_ARG(word));
        else
            conf_warning(p->f->b->report, v.file, v.line,
                         "propagate_unmatched_extensions: malle does it for canonical and virtual, not "
                         "for " STR_FMT,
                         STR_ARG(word));
    folder_set(p->f, v.file, v.line, "propagate_unmatched_extensions", buf_str(&list));
}

void postfix_set_checks(struct postfix *p)
{
    set_propagation(p);
    p->service = postfix_master_find(&p->master, S("cleanup"), POSTFIX_UNIX);
    set_all(p, (struct conf_section){CONF_SECTION_MAIN, 0}, false);
    p->service = NULL;
}

/* What pickup has of its own holds for mail of local programs. */
void postfix_set_pickup(struct postfix *p)
{
    static const char *const names[] = {"content_filter", "receive_override_options"};
    const struct postfix_service *s = postfix_master_find(&p->master, S("pickup"), POSTFIX_UNIX);
    str ignored;
    if (!s)
        return;
    struct conf_section l = folder_listener(p->f, p->master_file, s->line, S("sendmail"));
    p->service = s;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct postfix_value v = postfix_value(p, names[i]);
        if (postfix_override_find(s, str_c(names[i]), &ignored))
            folder_set_in(p->f, l, v.file, v.line, names[i], v.text);
    }
    postfix_set_listener_checks(p, l);
    p->service = NULL;
}

void postfix_set_listener_checks(struct postfix *p, struct conf_section s)
{
    const struct postfix_service *smtpd = p->service;
    str name = postfix_value(p, "cleanup_service_name").text;
    if (str_eq(name, S("cleanup")))
        return;
    p->service = postfix_master_find(&p->master, name, POSTFIX_UNIX);
    if (p->service)
        set_all(p, s, true);
    else
        conf_warning(p->f->b->report, p->master_file, smtpd->line, "there is no service called " STR_FMT,
                     STR_ARG(name));
    p->service = smtpd;
}
