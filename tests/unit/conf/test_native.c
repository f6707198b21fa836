/* conf: the native dialect, its error reports, and the way back to text. */
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINIMAL "hostname = mail.example.com\n"

static struct conf *parse_fine(const char *text)
{
    struct conf_report report = {0};
    struct buf all = BUF_INIT(1 << 20);
    struct conf *c = conf_parse(str_c(text), "f", &report);
    conf_report_format(&report, &all);
    if (!c || report.n)
        fail_msg("%s", buf_cstr(&all));
    buf_deinit(&all);
    conf_report_deinit(&report);
    return c;
}

static void defaults_apply(void **state)
{
    AUTO(conf_freep) struct conf *c = parse_fine(MINIMAL);
    assert_string_equal(c->hostname, "mail.example.com");
    assert_int_equal(c->domains.n, 0);
    assert_int_equal(c->listen.n, 2);
    assert_true(str_eq(c->listen.v[1], S("::")));
    assert_true(c->message_size_limit == 50 << 20);
    assert_true(c->smtpd_timeout_ms == 300000);
    assert_int_equal(c->smtpd_client_connection_count_limit, 50);
    assert_true(c->disable_plaintext_auth);
    assert_int_equal(c->mynetworks.n, 0);
    assert_int_equal(c->password_scheme, CONF_SCHEME_YESCRYPT);
    assert_int_equal(c->tls_min_version, CONF_TLS_1_2);
    assert_null(c->origin[CONF_domains].file);
    assert_int_equal(c->origin[CONF_hostname].line, 1);
}

static void notation(void **state)
{
    AUTO(conf_freep)
    struct conf *c = parse_fine("# comment\r\n"
                                "hostname = MAIL.Example.com # here too\r\n"
                                "\n"
                                "domains = Example.com,example.org\n"
                                "   # between\n"
                                "\n"
                                "\texample.net \"example.edu\" # end\n"
                                "tls_ciphers = \"a # \\\"b\\\" \\\\\"\n"
                                "mail_user=v#mail\n"
                                "message_size_limit=1G\n"
                                "dns_timeout = 250ms\n"
                                "imap_hibernate_timeout = never\n"
                                "system_users = No\n"
                                "log_format = JSON\n"
                                "log_target = stderr");
    assert_string_equal(c->hostname, "mail.example.com");
    assert_int_equal(c->domains.n, 4);
    assert_true(str_eq(c->domains.v[0], S("example.com")));
    assert_true(str_eq(c->domains.v[3], S("example.edu")));
    assert_string_equal(c->tls_ciphers, "a # \"b\" \\");
    assert_string_equal(c->mail_user, "v#mail");
    assert_true(c->message_size_limit == 1 << 30);
    assert_true(c->dns_timeout_ms == 250);
    assert_true(c->imap_hibernate_timeout_ms == CONF_NEVER);
    assert_false(c->system_users);
    assert_int_equal(c->log_format, CONF_LOG_JSON);
    assert_int_equal(c->origin[CONF_tls_ciphers].line, 8);
    assert_string_equal(c->origin[CONF_tls_ciphers].file, "f");
}

/* Each text after MINIMAL, and the one line that must be reported for it. */
static void reports(void **state)
{
    static const struct {
        const char *text, *report;
    } rows[] = {
        {"smtpd_timout = 1\n", "f:2: \"smtpd_timout\" is no option; did you mean smtpd_timeout?\n"},
        {"myhostname = x\n", "f:2: \"myhostname\" is no option; did you mean hostname?\n"},
        {"ssl_cipher_list = x\n", "f:2: \"ssl_cipher_list\" is no option; did you mean tls_ciphers?\n"},
        {"xyzzy = 1\n", "f:2: \"xyzzy\" is no option; doc/config.md lists them all\n"},
        {"\n\nport_offset = 50001\n", "f:4: port_offset: 50001 is more than 50000\n"},
        {"port_offset = -1\n", "f:2: port_offset: \"-1\" is not a number\n"},
        {"smtpd_recipient_limit = 99\n", "f:2: smtpd_recipient_limit: 99 is less than 100\n"},
        {"smtpd_recipient_limit = 99999999999999999999\n",
         "f:2: smtpd_recipient_limit: 99999999999999999999 is more than 50000\n"},
        {"message_size_limit = big\n",
         "f:2: message_size_limit: \"big\" is not a size such as 64k, 10M or 1G\n"},
        {"dns_timeout = never\n", "f:2: dns_timeout: \"never\" is not a time such as 30s, 5m or 2h\n"},
        {"dns_timeout = 1 s\n", "f:2: dns_timeout: \"1 s\" is not a time such as 30s, 5m or 2h\n"},
        {"system_users = maybe\n", "f:2: system_users: \"maybe\" is not yes or no\n"},
        {"log_format = xml\n", "f:2: log_format: \"xml\" is not one of text|json\n"},
        {"state_dir = var\n", "f:2: state_dir: \"var\" is not an absolute path (it must begin with /)\n"},
        {"state_dir =\n", "f:2: state_dir: it must not be empty\n"},
        {"listen =\n", "f:2: listen: it must not be empty\n"},
        {"listen = localhost\n", "f:2: listen: \"localhost\" is not *, :: or an IP address\n"},
        {"mail_user = \"a\n", "f:2: mail_user: the quotation mark is not closed\n"},
        {"mail_user = \"a\" b\n", "f:2: mail_user: there is text behind the closing quotation mark\n"},
        {"domains = a.b,,c.d\n", "f:2: domains: a value is missing before the ,\n"},
        {"domains = -a.b\n", "f:2: domains: \"-a.b\" is not a domain name\n"},
        {"domains = a..b\n", "f:2: domains: \"a..b\" is not a domain name\n"},
        {"mail_user = a\x01\n", "f:2: mail_user: it contains a control character\n"},
        {"mail_user = \xff\n", "f:2: the line is not UTF-8 text\n"},
        {"hello\n", "f:2: expected NAME = VALUE, found \"hello\"\n"},
        {"= x\n", "f:2: expected NAME = VALUE, found \"= x\"\n"},
        {"[listener smtp\n", "f:2: the section header has no closing ]\n"},
        {"[listener]\n", "f:2: a section header is [listener NAME], [transport NAME] or [domain NAME]\n"},
        {"[listener x]\nprotocol = local\n",
         "f:2: the listener x needs `socket`, and no port, because only a socket tells who is there\n"},
        {"[listener x]\nprotocol = local\nsocket = s\ntls = starttls\n",
         "f:2: the listener x cannot have `tls`\n"},
        {"[listener x]\nprotocol = auth-userdb\nport = 12\nsocket = s\n",
         "f:2: the listener x needs `socket`, and no port, because only a socket tells who is there\n"},
        {"[listener x]\nprotocol = auth-client\n",
         "f:2: the listener x needs `socket`, and no port, because only a socket tells who is there\n"},
        {"[listener x]\nprotocol = smtp\nport = 26\nuser = postfix\n",
         "f:2: the listener x has no `socket` that `user` and `group` could own\n"},
        {"smtpd_sasl_type = dovecot\n", "f:2: smtpd_sasl_type = dovecot needs smtpd_sasl_path\n"},
        {"smtpd_sasl_type = cyrus\n", "f:2: smtpd_sasl_type: \"cyrus\" is not one of malle|dovecot\n"},
        {"smtpd_sasl_path = private/auth\n", "f:2: smtpd_sasl_path: \"private/auth\" is not an absolute path "
                                             "of at most 107 bytes or inet:host:port\n"},
        {"smtpd_sasl_path = inet:dovecot\n",
         "f:2: smtpd_sasl_path: \"inet:dovecot\" is not an absolute path of at most 107 bytes or "
         "inet:host:port\n"},
        {"default_transport = slow:\n", "f:2: default_transport: there is no transport \"slow\"\n"},
        {"relay_transport = slow\n", "f:2: relay_transport: there is no transport \"slow\"\n"},
        {"mailbox_transport = slow\n", "f:2: mailbox_transport: there is no transport \"slow\"\n"},
        {"[transport a:b]\n", "f:2: \"a:b\" cannot be the name of a transport\n"},
        {"[transport error]\n", "f:2: \"error\" cannot be the name of a transport\n"},
        {"[transport x]\nprotocol = pipe\n", "f:2: the transport x is not in pipe_transports\n"},
        {"pipe_transports = x user=a argv=/bin/x\n[transport x]\n",
         "f:3: the transport x is in pipe_transports: it needs protocol = pipe\n"},
        {"[transport lmtp]\n", "f:2: the transport lmtp cannot have this protocol\n"},
        {"[transport x]\nsmtp_bind_address = a\n", "f:3: smtp_bind_address: \"a\" is not an IPv4 address\n"},
        {"[transport x]\nmynetworks = ::1\n",
         "f:3: \"mynetworks\" is no key of a transport; put it above the first [section]\n"},
        {"[transprot x]\na = b\n", "f:2: there are no [transprot] sections; did you mean transport?\n"},
        {"content_filter = amavis:[127.0.0.1]:10024\n",
         "f:2: content_filter: there is no transport \"amavis\"\n"},
        {"receive_override_options = no_checks\n", "f:2: receive_override_options: \"no_checks\" is not one "
                                                   "of no_unknown_recipient_checks, no_address_mappings, "
                                                   "no_header_body_checks, no_milters\n"},
        {"myorigin = a..b\n", "f:2: myorigin: \"a..b\" is not a domain name\n"},
        {"[listner x]\na = b\n", "f:2: there are no [listner] sections; did you mean listener?\n"},
        {"[listener x]\nport = 26\n", "f:2: the listener x needs `protocol`\n"},
        {"[listener x]\nprotocol = smtp\n", "f:2: the listener x needs `port` or `socket`\n"},
        {"[listener x]\nprotocol = smtp\nport = 25\n",
         "f:2: the listeners smtp and x have the same port 25\n"},
        {"[listener smtp]\naddresses = 1.2.3\n",
         "f:2: the address \"1.2.3\" of the listener smtp is not *, :: or an IP address\n"},
        {"[listener smtp]\nhostname = b.c\n",
         "f:3: \"hostname\" is no key of a listener; put it above the first [section]\n"},
        {"[listener smtp]\nmynetworks = x\n",
         "f:3: mynetworks: \"x\" is not an IP address or a network such as 192.0.2.0/24\n"},
        {"[listener smtp]\nsmtpd_recipient_limit = 1\n", "f:3: smtpd_recipient_limit: 1 is less than 100\n"},
        {"[listener smtp]\nprot = 1\n", "f:3: \"prot\" is no key of a listener; did you mean port?\n"},
        {"[domain a.b]\ncatchall = x@a.b\n",
         "f:3: \"catchall\" is no key of a domain; did you mean catch_all?\n"},
        {"[domain a/b]\n", "f:2: \"a/b\" is not a domain name\n"},
        {"mynetworks = 10.0.0.0/33\n",
         "f:2: mynetworks: \"10.0.0.0/33\" is not an IP address or a network such as 192.0.2.0/24\n"},
        {"lmtp_sockets = /run/lmtp, run/lmtp\n",
         "f:2: lmtp_sockets: \"run/lmtp\" is not an absolute path of at most 107 bytes\n"},
        {"smtp_socks5_proxy = [127.0.0.1]:0\n",
         "f:2: smtp_socks5_proxy: \"[127.0.0.1]:0\" is not a host or [address] with :port\n"},
        {"dns_resolvers = 127.0.0.1@0\n",
         "f:2: dns_resolvers: \"127.0.0.1@0\" is not ADDRESS or ADDRESS@PORT\n"},
        {"mail_location = mbox:/x\n",
         "f:2: mail_location: \"mbox:/x\" is not a location such as maildir:/var/mail/vhosts/%d/%n\n"},
        {"last_valid_uid = 10\n", "f:2: last_valid_uid 10 is less than first_valid_uid 1000\n"},
        {"hierarchy_separator = x\n", "f:2: hierarchy_separator: \"x\" is not . or /\n"},
        {"auth_mechanisms = cram-md5\n",
         "f:2: auth_mechanisms: \"cram-md5\" is not one of plain, login, scram-sha-1, "
         "scram-sha-256, scram-sha-1-plus, scram-sha-256-plus, external, oauthbearer, xoauth2\n"},
        {"tls_certificates = /a.pem\n",
         "f:2: tls_certificates: \"/a.pem\" is not CHAIN.pem:KEY.pem with absolute paths\n"},
        {"hostname = nodot\n", "f:2: warning: hostname is set a second time; line 1 has no effect\n"
                               "f:2: hostname: \"nodot\" is not a full name such as mail.example.com\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conf_report report = {0};
        struct buf text = BUF_INIT(4096), all = BUF_INIT(4096);
        buf_printf(&text, MINIMAL "%s", rows[i].text);
        assert_null(conf_parse(buf_str(&text), "f", &report));
        conf_report_format(&report, &all);
        assert_string_equal(buf_cstr(&all), rows[i].report);
        buf_deinit(&text);
        buf_deinit(&all);
        conf_report_deinit(&report);
    }
}

static void all_errors_at_once(void **state)
{
    struct conf_report report = {0};
    struct buf all = BUF_INIT(4096);
    assert_null(conf_parse(S("  indented\nnonsense\nport_offset = x\n[domain q]\nport = 1\n"), "f", &report));
    assert_int_equal(report.errors, 5);
    conf_report_format(&report, &all);
    assert_non_null(strstr(buf_cstr(&all), "f:1: the line is indented"));
    assert_non_null(strstr(buf_cstr(&all), "f: hostname is not set"));
    buf_deinit(&all);
    conf_report_deinit(&report);
}

static void twice_is_a_warning(void **state)
{
    struct conf_report report = {0};
    AUTO(conf_freep)
    struct conf *c = conf_parse(S(MINIMAL "port_offset = 1\nport_offset = 2\n"), "f", &report);
    assert_non_null(c);
    assert_int_equal(c->port_offset, 2);
    assert_int_equal(report.warnings, 1);
    assert_string_equal(report.v[0].text, "port_offset is set a second time; line 2 has no effect");
    conf_report_deinit(&report);
}

static void reports_are_bounded(void **state)
{
    struct conf_report report = {0};
    struct buf text = BUF_INIT(1 << 20), all = BUF_INIT(1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_puts(&text, S("x\n"));
    assert_null(conf_parse(buf_str(&text), "f", &report));
    assert_int_equal(report.errors, 1001);
    assert_int_equal(report.n, 200);
    conf_report_format(&report, &all);
    assert_non_null(strstr(buf_cstr(&all), "and 801 more\n"));
    buf_deinit(&text);
    buf_deinit(&all);
    conf_report_deinit(&report);
}

static const struct conf_listener *find_listener(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->listener_count; i++)
        if (strcmp(c->listeners[i].name, name) == 0)
            return &c->listeners[i];
    return NULL;
}

static void listeners(void **state)
{
    AUTO(conf_freep)
    struct conf *c = parse_fine(MINIMAL "port_offset = 2000\nlisten = 127.0.0.1, ::1\n"
                                        "[listener imap]\nenabled = no\n"
                                        "[listener submission]\naddresses = 192.0.2.1\ntls = none\n"
                                        "[listener extra]\nprotocol = smtp\nport = 26\n"
                                        "[listener sock]\nprotocol = lmtp\nsocket = s\nmode = 600\n"
                                        "[listener auth]\nprotocol = auth-client\nsocket = /a/auth\n"
                                        "user = postfix\ngroup = mail\n");
    static const struct {
        const char *name;
        int port, protocol, tls;
        const char *first_address;
    } rows[] = {
        {"smtp", 2025, CONF_SMTP, CONF_TLS_STARTTLS, "127.0.0.1"},
        {"submission", 2587, CONF_SUBMISSION, CONF_TLS_NONE, "192.0.2.1"},
        {"submissions", 2465, CONF_SUBMISSION, CONF_TLS_IMPLICIT, "127.0.0.1"},
        {"imaps", 2993, CONF_IMAP, CONF_TLS_IMPLICIT, "127.0.0.1"},
        {"pop3", 2110, CONF_POP3, CONF_TLS_STARTTLS, "127.0.0.1"},
        {"pop3s", 2995, CONF_POP3, CONF_TLS_IMPLICIT, "127.0.0.1"},
        {"lmtp", 2024, CONF_LMTP, CONF_TLS_NONE, "127.0.0.1"},
        {"extra", 2026, CONF_SMTP, CONF_TLS_NONE, "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conf_listener *l = find_listener(c, rows[i].name);
        assert_non_null(l);
        assert_int_equal(l->port, rows[i].port);
        assert_int_equal(l->protocol, rows[i].protocol);
        assert_int_equal(l->tls, rows[i].tls);
        assert_true(str_eq(l->addresses.v[0], str_c(rows[i].first_address)));
        assert_string_equal(l->socket, "");
    }
    assert_null(find_listener(c, "imap"));
    assert_string_equal(find_listener(c, "lmtp-socket")->socket, "/run/malle/lmtp");
    assert_int_equal(find_listener(c, "lmtp-socket")->port, 0);
    assert_string_equal(find_listener(c, "sendmail")->socket, "/run/malle/sendmail");
    assert_int_equal(find_listener(c, "sendmail")->mode, 0666);
    assert_int_equal(find_listener(c, "sendmail")->protocol, CONF_LOCAL);
    assert_string_equal(find_listener(c, "sock")->socket, "/run/malle/s");
    assert_int_equal(find_listener(c, "sock")->mode, 0600);
    assert_int_equal(find_listener(c, "auth")->protocol, CONF_AUTH_CLIENT);
    assert_string_equal(find_listener(c, "auth")->socket, "/a/auth");
    assert_string_equal(find_listener(c, "auth")->user, "postfix");
    assert_string_equal(find_listener(c, "auth")->group, "mail");
    assert_true(conf_listens(c, CONF_AUTH_CLIENT) && !conf_listens(c, CONF_AUTH_USERDB));
}

/* A socket that malle serves itself leads to its own accounts, and so to no detour. */
static void passwords_elsewhere(void **state)
{
    static const struct {
        const char *text;
        bool asks;
    } rows[] = {
        {MINIMAL, false},
        {MINIMAL "smtpd_sasl_path = /a/auth\n", false},
        {MINIMAL "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = /a/auth\n", true},
        {MINIMAL "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:dovecot:1234\n", true},
        {MINIMAL
         "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = /a/auth\n[listener x]\nprotocol = auth-client\n"
         "socket = /b/auth\n",
         true},
        {MINIMAL
         "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = /a/auth\n[listener x]\nprotocol = auth-userdb\n"
         "socket = /a/auth\n",
         true},
        {MINIMAL
         "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = /a/auth\n[listener x]\nprotocol = auth-client\n"
         "socket = /a/auth\n",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(conf_freep) struct conf *c = parse_fine(rows[i].text);
        assert_int_equal(conf_asks_dovecot(c), rows[i].asks);
    }
}

static void domains(void **state)
{
    AUTO(conf_freep)
    struct conf *c = parse_fine(MINIMAL "domains = a.example\n[domain A.example]\ncatch_all = x@a.example\n"
                                        "[domain b.example]\npostmaster = y@b.example\n");
    assert_int_equal(c->domains.n, 2);
    assert_true(conf_has_domain(c, S("B.Example")));
    assert_false(conf_has_domain(c, S("c.example")));
    assert_string_equal(conf_find_domain(c, S("a.EXAMPLE"))->catch_all, "x@a.example");
    assert_string_equal(conf_find_domain(c, S("b.example"))->postmaster, "y@b.example");
    assert_string_equal(conf_find_domain(c, S("b.example"))->catch_all, "");
    assert_null(conf_find_domain(c, S("c.example")));
}

static void text_reads_back(void **state)
{
    AUTO(conf_freep)
    struct conf *c =
        parse_fine(MINIMAL "port_offset = 7\nlmtp_socket =\ntls_ciphers = \"a\\\"b#\"\nmail_user = \" x \"\n"
                           "mynetworks = 10.0.0.0/8 \"::1\"\n"
                           "[listener smtp]\nenabled = no\n[domain x.y]\ncatch_all = z@x.y\n");
    struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20), tight = BUF_INIT(100);
    assert_int_equal(conf_serialize(c, &first), RC_OK);
    AUTO(conf_freep) struct conf *again = parse_fine(buf_cstr(&first));
    assert_int_equal(conf_serialize(again, &second), RC_OK);
    assert_string_equal(buf_cstr(&first), buf_cstr(&second));
    assert_int_equal(c->listener_count, again->listener_count);
    assert_int_equal(find_listener(again, "pop3s")->port, 1002);
    assert_string_equal(again->tls_ciphers, "a\"b#");
    assert_string_equal(again->mail_user, " x ");
    assert_null(find_listener(again, "lmtp-socket"));
    assert_int_equal(conf_serialize(c, &tight), RC_LIMIT);
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&tight);
}

static void differences(void **state)
{
    struct conf_difference d;
    AUTO(conf_freep)
    struct conf *c = parse_fine(MINIMAL "dns_timeout = 5000ms\nmessage_size_limit = 2048k\n");
    conf_describe(c, CONF_message_size_limit, &d);
    assert_string_equal(d.value, "2M");
    assert_string_equal(d.default_value, "50M");
    assert_false(d.is_default);
    assert_int_equal(d.origin.line, 3);
    conf_describe(c, CONF_dns_timeout, &d);
    assert_true(d.is_default); /* another way to write the default */
}

/* Options in a listener's section hold there alone, through the text for the roles, too, and others do not.
 */
static void own_settings_of_a_listener(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    AUTO(conf_freep)
    struct conf *read =
        parse_fine(MINIMAL "smtpd_recipient_limit = 200\n"
                           "[listener submission]\nmessage_size_limit = 1M\nmynetworks = 10.0.0.0/8\n"
                           "tls = required\n");
    assert_int_equal(conf_serialize(read, &text), RC_OK);
    AUTO(conf_freep) struct conf *parsed = parse_fine(buf_cstr(&text));
    const struct conf *both[] = {read, parsed};
    for (size_t i = 0; i < 2; i++) {
        const struct conf *own = conf_of_listener(both[i], S("submission"));
        assert_ptr_not_equal(own, both[i]);
        assert_true(own->message_size_limit == 1 << 20 && own->mynetworks.n == 1);
        assert_int_equal(own->smtpd_recipient_limit, 200);
        assert_true(both[i]->message_size_limit == 50 << 20 && both[i]->mynetworks.n == 0);
        assert_ptr_equal(conf_of_listener(both[i], S("smtp")), both[i]);
        assert_ptr_equal(conf_of_listener(both[i], S("nothing")), both[i]);
    }
    buf_deinit(&text);
}

/* The same of a transport; its name is as it is written. */
static void own_settings_of_a_transport(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    AUTO(conf_freep)
    struct conf *read = parse_fine(MINIMAL "smtp_rcpt_timeout = 10s\n[transport Slow]\nprocess_limit = 3\n"
                                           "smtp_helo_name = slow.example.com\nsyslog_name = a/b\n"
                                           "[transport other]\nprotocol = lmtp\n");
    assert_int_equal(conf_serialize(read, &text), RC_OK);
    AUTO(conf_freep) struct conf *parsed = parse_fine(buf_cstr(&text));
    const struct conf *both[] = {read, parsed};
    for (size_t i = 0; i < 2; i++) {
        const struct conf *own = conf_of_transport(both[i], S("Slow"));
        assert_ptr_not_equal(own, both[i]);
        assert_string_equal(own->smtp_helo_name, "slow.example.com");
        assert_string_equal(own->syslog_name, "a/b");
        assert_int_equal(own->smtp_rcpt_timeout_ms, 10000);
        assert_string_equal(both[i]->smtp_helo_name, "");
        assert_int_equal(conf_find_transport(both[i], S("Slow"))->process_limit, 3);
        assert_null(conf_find_transport(both[i], S("slow")));
        assert_int_equal(conf_find_transport(both[i], S("other"))->protocol, CONF_TRANSPORT_LMTP);
        assert_ptr_equal(conf_of_transport(both[i], S("other")), both[i]);
    }
    buf_deinit(&text);
}

/* A reload keeps listeners and what is read at the start, and takes what is set for a listener alone. */
static void a_reload_reads_own_settings(void **state)
{
    struct conf_report report = {0};
    AUTO(conf_freep) struct conf *old = parse_fine(MINIMAL "[listener smtp]\nmessage_size_limit = 1M\n");
    AUTO(conf_freep)
    struct conf *c =
        parse_fine("hostname = other.example.com\n[listener smtp]\nport = 26\nmessage_size_limit = 2M\n");
    conf_keep(c, old, &report);
    const struct conf *own = conf_of_listener(c, S("smtp"));
    assert_int_equal(report.errors, 0);
    assert_true(own->message_size_limit == 2 << 20);
    assert_string_equal(own->hostname, "mail.example.com");
    assert_int_equal(c->listeners[0].port, 25);
    conf_report_deinit(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_apply),
        cmocka_unit_test(notation),
        cmocka_unit_test(reports),
        cmocka_unit_test(all_errors_at_once),
        cmocka_unit_test(twice_is_a_warning),
        cmocka_unit_test(reports_are_bounded),
        cmocka_unit_test(listeners),
        cmocka_unit_test(passwords_elsewhere),

        cmocka_unit_test(domains),
        cmocka_unit_test(text_reads_back),
        cmocka_unit_test(differences),
        cmocka_unit_test(own_settings_of_a_listener),
        cmocka_unit_test(own_settings_of_a_transport),
        cmocka_unit_test(a_reload_reads_own_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
