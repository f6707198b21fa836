/* dns_filter: smtp_dns_reply_filter and smtpd_dns_reply_filter. */
#ifndef ROLE_DNS_FILTER_H
#define ROLE_DNS_FILTER_H

#include "net/dns_asker.h"
#include "table/table.h"

/* Who asks this resolver, with these tables; NULL: none. */
struct dns_asker dns_filter_asker(struct resolver *r, struct table_list *tables);

#endif
