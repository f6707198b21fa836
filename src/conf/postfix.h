/* postfix: main.cf and master.cf on their way into a conf. Internal to src/conf/postfix*.c. */
#ifndef CONF_POSTFIX_H
#define CONF_POSTFIX_H

#include "conf/folder.h"
#include "conf/postfix_names.h"
#include "fmt/postfix_main.h"
#include "fmt/postfix_master.h"

struct postfix {
    struct folder *f;
    const char *main_file, *master_file; /* paths; master_file "" when there is none */
    struct postfix_main main;
    struct postfix_master master;
    struct map *asked;                     /* names of parameters whose values something has asked for; of
                                              a service with its line in front */
    const struct postfix_service *service; /* whose -o count before main.cf; NULL: none */
    bool stress;                           /* values are asked for as they are for a server under load */
    char machine_name[POSTFIX_NAME_SIZE];
};

/* A parameter with the place that sets it. */
struct postfix_value {
    str text; /* expanded; in the folder's arena */
    const char *file;
    int line;    /* 0: nothing sets it, the text is Postfix's default */
    bool is_set; /* also when to nothing */
};

/* The value that holds for p->service. What cannot be expanded is reported, and empty. */
struct postfix_value postfix_value(struct postfix *p, const char *name);
/* Whether it is yes. */
bool postfix_is_on(struct postfix *p, const char *name);

/* Whether an -o of the service sets a parameter whose name begins so and that becomes the option. */
bool postfix_overrides(const struct postfix_service *s, const char *prefix, const char *option);

/* Gives the malle option of this parameter, with the same meaning and notation, the value, for all or for the
 * listener s. */
void postfix_set_same(struct postfix *p, struct conf_section s, const char *name, const char *option,
                      const struct postfix_value *v);

/* Takes over what the options of p->service say, for the listener s. */
void postfix_take_overrides(struct postfix *p, struct conf_section s);

/* postfix_tables.c: the list with those tables that malle reads. text_type: of the text of an indexed one,
 * "texthash:" or "aliases:". */
str postfix_tables(struct postfix *p, const struct postfix_value *v, const char *text_type);
/* Whether postmap of malle has made an index beside the file. */
bool postfix_is_indexed(struct postfix *p, str path);

/* postfix_milters.c: a list of mail filters, sockets by their whole paths; and what they are told of malle,
 * as p->service has it. */
str postfix_milters(struct postfix *p, const struct postfix_value *v);
void postfix_set_milters(struct postfix *p, struct conf_section s);

/* postfix_restrictions.c: a list of restrictions with such tables, and sockets by their whole paths. */
str postfix_restrictions(struct postfix *p, const struct postfix_value *v);
/* Whether the name is one of smtpd_restriction_classes. */
bool postfix_is_class(struct postfix *p, str name);
void postfix_set_classes(struct postfix *p);

/* postfix_rules.c, postfix_domains.c: what several parameters say together. */
void postfix_set_names(struct postfix *p);
void postfix_set_networks(struct postfix *p);
/* A list of networks whose clients are excepted from something, as p->service has it. */
void postfix_set_exceptions(struct postfix *p, struct conf_section s, const char *name);
/* mynetworks, as p->service has them. */
void postfix_set_mynetworks(struct postfix *p, struct conf_section s);
void postfix_set_domains(struct postfix *p);
void postfix_set_mailboxes(struct postfix *p);
/* A value transport:nexthop, with the whole path of a socket of LMTP that is below Postfix's folder. */
str postfix_whole_transport(struct postfix *p, str value);
void postfix_set_tls(struct postfix *p);
/* The TLS of the clients smtp or lmtp, as p->service has it. */
void postfix_set_client_tls(struct postfix *p, struct conf_section s, const char *client);
/* The certificates that servers see, too. */
void postfix_set_client_certificates(struct postfix *p, struct conf_section s, const char *client);

/* postfix_sasl.c */
void postfix_set_sasl(struct postfix *p);

/* postfix_gate.c: the gate before this listener, as p->service, a postscreen, has it. */
void postfix_set_gate(struct postfix *p, struct conf_section l);
/* postfix_checks.c: what cleanup(8) looks at, for all; and for the listener of p->service, where it names a
 * cleanup of its own. */
void postfix_set_checks(struct postfix *p);
void postfix_set_listener_checks(struct postfix *p, struct conf_section s);
/* The same, and its own filter, for mail that programs hand over: what the service pickup has. */
void postfix_set_pickup(struct postfix *p);

/* postfix_services.c: takes out the services that master_service_disable has. */
void postfix_drop_disabled(struct postfix *p);
/* A TCP port by its number or name; 0: there is none. */
uint32_t postfix_port(struct postfix *p, str name);
/* The listeners of master.cf, and what is set for each. */
void postfix_set_services(struct postfix *p);
/* Whether the service is that program of Postfix. */
bool postfix_runs(const struct postfix_service *s, const char *command);
/* postfix_transports.c: the services by which mail leaves, and which of them has it. */
void postfix_set_transports(struct postfix *p);
/* SERVICE_time_limit, how long a program of this service may run, for its section. */
void postfix_set_time_limit(struct postfix *p, const struct postfix_service *s, struct conf_section section);

#endif
