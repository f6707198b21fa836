"""What lines of main.cf, master.cf and dovecot.conf become, as `malle -c FOLDER config` shows it, and what `malle check` says."""
import json
import os
import re
import subprocess

import pytest

from harness import MALLE, TOP

MAIN = 'myhostname = mail.example.com\nmydestination = example.com\nhome_mailbox = Maildir/\n'
MASTER = 'smtp inet n - y - - smtpd\n'
PARTS = ''.join(f'{name} unix - - y - - x\n' for name in ('pickup', 'cleanup', 'qmgr', 'rewrite', 'bounce', 'smtp', 'local'))
DOVECOT = 'mail_location = maildir:~/Maildir\npassdb {\n driver = pam\n}\nuserdb {\n driver = passwd\n}\n'


def folder(top, main=None, master=None, dovecot=None, **others):
    files = {'postfix/main.cf': main, 'postfix/master.cf': master, 'dovecot/dovecot.conf': dovecot, **others}
    for name, text in files.items():
        if text is not None:
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
    return top


def malle(*arguments):
    return subprocess.run([MALLE, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=1'})


def settings(top):
    """{(section, name): value}; section '' is the main part."""
    done = malle('-c', top, 'config', '--json')
    assert done.returncode == 0, done.stderr
    return listed(done), done.stderr


def listed(done):
    return {(one.get('section', ''), one['name']): one['value'] for one in json.loads(done.stdout)}


def said(top):
    """[(file, line, text)] of every report, errors and warnings."""
    done = malle('-c', top, 'check', '--json')
    return [(one['file'].removeprefix(f'{top}/'), one['line'], one['text']) for one in json.loads(done.stdout)]


@pytest.mark.parametrize('lines, expected', [
    ('', {('', 'message_size_limit'): '10000k', ('', 'domains'): 'example.com', ('', 'mynetworks'): '127.0.0.0/8, ::1/128',
          ('', 'smtp_tls_security_level'): 'none'}),
    ('message_size_limit = 52428800', {}),
    ('mydomain = example.org\nmydestination = $myhostname, localhost.$mydomain',
     {('', 'domains'): 'mail.example.com, localhost.example.org'}),
    ('mydestination = $mydomain', {('', 'domains'): 'example.com'}),
    ('virtual_mailbox_domains = a.example b.example', {('', 'domains'): 'example.com, a.example, b.example'}),
    ('mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 192.0.2.7',
     {('', 'mynetworks'): '127.0.0.0/8, ::ffff:127.0.0.0/104, ::1/128, 192.0.2.7'}),
    ('inet_interfaces = loopback-only', {('', 'listen'): '127.0.0.1, ::1'}),
    ('inet_protocols = ipv4', {('', 'listen'): '*', ('', 'smtp_address_preference'): 'ipv4'}),
    ('inet_interfaces = 192.0.2.1, [2001:db8::1]\ninet_protocols = all', {('', 'listen'): '192.0.2.1, 2001:db8::1'}),
    ('home_mailbox = mail/', {('', 'system_mail_location'): 'maildir:~/mail'}),
    ('smtp_tls_security_level = may', {('', 'smtp_tls_security_level'): 'may'}),
    ('smtp_use_tls = yes', {('', 'smtp_tls_security_level'): 'may'}),
    ('authorized_submit_users = !www-data, static:anyone', {('', 'authorized_submit_users'): '!www-data, *'}),
    ('authorized_submit_users =', {('', 'authorized_submit_users'): '!*'}),
    ('message_reject_characters = \\0\nmessage_strip_characters = \\001\\\\', {('', 'message_reject_characters'): r'"\\0"', ('', 'message_strip_characters'): r'"\\001\\\\"'}),
    ('smtp_tls_exclude_ciphers = aNULL\nsmtp_tls_mandatory_exclude_ciphers = MD5, RC4', {('', 'smtp_tls_ciphers'): 'DEFAULT:!aNULL:!MD5:!RC4'}),
    ('smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1, !TLSv1.2', {('', 'tls_min_version'): 'TLSv1.3'}),
    ('smtpd_tls_security_level = may', {('listener smtp', 'tls'): 'starttls'}),
    ('smtpd_tls_security_level = encrypt', {('listener smtp', 'tls'): 'required'}),
    ('smtpd_sasl_auth_enable = yes', {('', 'smtpd_sasl_auth_enable'): 'yes'}),
    ('broken_sasl_auth_clients = yes', {('', 'broken_sasl_auth_clients'): 'yes'}),
    ('smtpd_client_connection_count_limit = 10\nsmtpd_client_connection_rate_limit = 30',
     {('', 'smtpd_client_connection_count_limit'): '10', ('', 'smtpd_client_connection_rate_limit'): '30'}),
    ('smtpd_upstream_proxy_protocol = haproxy\nsmtpd_upstream_proxy_timeout = 2',
     {('listener smtp', 'proxy_protocol'): 'yes', ('listener smtp', 'haproxy_timeout'): '2s',
      ('listener smtp', 'haproxy_trusted_networks'): '0.0.0.0/0, ::/0'}),
    ('smtpd_authorized_xclient_hosts = 127.0.0.1, [2001:db8::]/32\nsmtpd_authorized_xforward_hosts = 127.0.0.0/8',
     {('', 'smtpd_authorized_xclient_hosts'): '127.0.0.1, [2001:db8::]/32', ('', 'smtpd_authorized_xforward_hosts'): '127.0.0.0/8'}),
    ('smtpd_client_message_rate_limit = 1\nsmtpd_client_recipient_rate_limit = 2\nsmtpd_client_auth_rate_limit = 3\n'
     'smtpd_client_new_tls_session_rate_limit = 4',
     {('', 'smtpd_client_message_rate_limit'): '1', ('', 'smtpd_client_recipient_rate_limit'): '2',
      ('', 'smtpd_client_auth_rate_limit'): '3', ('', 'smtpd_client_new_tls_session_rate_limit'): '4'}),
    ('smtpd_tls_ask_ccert = yes\nsmtpd_tls_req_ccert = yes\nsmtpd_tls_CApath = /etc/ssl/certs\ncompatibility_level = 3.6',
     {('', 'smtpd_tls_ask_ccert'): 'yes', ('', 'smtpd_tls_req_ccert'): 'yes', ('', 'smtpd_tls_ca_path'): '/etc/ssl/certs',
      ('', 'smtpd_tls_fingerprint_digest'): None}),
    ('', {('', 'smtpd_tls_fingerprint_digest'): 'md5'}),
    ('smtp_send_xforward_command = yes\nlmtp_send_xforward_command = yes',
     {('', 'smtp_send_xforward_command'): 'yes', ('', 'lmtp_send_xforward_command'): 'yes'}),
    ('postscreen_upstream_proxy_protocol = haproxy', {('listener smtp', 'proxy_protocol'): None}),
    ('maximal_queue_lifetime = 1w', {('', 'maximal_queue_lifetime'): '7d'}),
    ('maximal_queue_lifetime = 3', {('', 'maximal_queue_lifetime'): '3d'}),
    ('minimal_backoff_time = 600', {('', 'minimal_backoff_time'): '10m'}),
    ('relayhost = [relay.example]:587', {('', 'relayhost'): '[relay.example]:587'}),
    ('forward_path = $home/.forward, /x/$user', {('', 'forward_path'): '$home/.forward, /x/$user'}),
    ('mailbox_command = /bin/x "$EXTENSION"', {('', 'mailbox_command'): r'"/bin/x \"$EXTENSION\""'}),
    ('smtpd_banner = $myhostname ESMTP $mail_name', {('', 'smtpd_banner'): 'mail.example.com ESMTP Postfix'}),
    ('recipient_delimiter = -', {('', 'recipient_delimiter'): '-'}),
    ('header_checks = regexp:/x/h', {('', 'header_checks'): 'regexp:/x/h', ('', 'mime_header_checks'): None}),
    ('header_checks = regexp:/x/h\nmime_header_checks =\nbody_checks = pcre:/x/b\nalways_bcc = all@example.com',
     {('', 'mime_header_checks'): '', ('', 'body_checks'): 'pcre:/x/b', ('', 'always_bcc'): 'all@example.com'}),
    ('smtp_fallback_relay = [a.example]:26, b.example', {('', 'smtp_fallback_relay'): '[a.example]:26, b.example'}),
    ('fallback_relay = c.example', {('', 'smtp_fallback_relay'): 'c.example'}),
    ('masquerade_domains = !a.example.com example.com\nmasquerade_classes = header_sender\nmasquerade_exceptions = root, joe',
     {('', 'masquerade_domains'): '!a.example.com, example.com', ('', 'masquerade_classes'): 'header_sender', ('', 'masquerade_exceptions'): 'root, joe'}),
    ('mailbox_transport_maps = inline:{a=smtp:[b]}\nmailbox_command_maps = inline:{a=/bin/x}',
     {('', 'mailbox_transport_maps'): 'inline:{a=smtp:[b]}', ('', 'mailbox_command_maps'): 'inline:{a=/bin/x}'}),
    ('luser_relay = $user@b.example\nlocal_recipient_maps =',
     {('', 'luser_relay'): '$user@b.example', ('', 'local_domains'): 'example.com', ('', 'local_recipient_maps'): None}),
    ('fallback_transport = lmtp:unix:private/x\nfallback_transport_maps = inline:{a=smtp:[b]}\nlocal_recipient_maps = $alias_maps inline:{b=c}',
     {('', 'fallback_transport'): 'lmtp:unix:/var/spool/postfix/private/x', ('', 'fallback_transport_maps'): 'inline:{a=smtp:[b]}',
      ('', 'local_recipient_maps'): 'inline:{b=c}'}),
    ('luser_relay = joe', {('', 'luser_relay'): None}),
    ('', {('', 'smtpd_error_sleep_time'): '1s', ('', 'smtpd_soft_error_limit'): None, ('', 'propagate_unmatched_extensions'): None}),
    ('smtpd_error_sleep_time = 0\nsmtpd_soft_error_limit = 5\nsmtpd_peername_lookup = no\nsmtpd_sasl_exceptions_networks = !10.0.0.1 192.0.2.0/24 hash:/x',
     {('', 'smtpd_error_sleep_time'): None, ('', 'smtpd_soft_error_limit'): '5', ('', 'smtpd_peername_lookup'): 'no', ('', 'smtpd_sasl_exceptions_networks'): '192.0.2.0/24'}),
    ('always_add_missing_headers = yes\nundisclosed_recipients_header = To: undisclosed-recipients:;\npropagate_unmatched_extensions = virtual, alias',
     {('', 'always_add_missing_headers'): 'yes', ('', 'undisclosed_recipients_header'): 'To: undisclosed-recipients:;', ('', 'propagate_unmatched_extensions'): 'virtual'}),
    ('virtual_alias_domains = a.example\nvirtual_mailbox_domains = m.example',
     {('', 'domains'): 'example.com, a.example, m.example', ('', 'local_domains'): 'example.com', ('', 'alias_domains'): 'a.example'}),
    ('mydestination =\nvirtual_mailbox_domains = m.example', {('', 'domains'): 'm.example', ('', 'local_domains'): 'mail.example.com', ('', 'alias_domains'): None}),
    ('show_user_unknown_table_name = no\nunknown_local_recipient_reject_code = 450', {('', 'show_user_unknown_table_name'): 'no', ('', 'unknown_local_recipient_reject_code'): '450'}),
    ('bounce_template_file = /x/bounce.cf', {('', 'bounce_template_file'): '/x/bounce.cf'}),
    ('', {('', 'smtputf8_enable'): 'no'}),
    ('compatibility_level = 2', {('', 'smtputf8_enable'): None}),
    ('smtpd_sasl_authenticated_header = yes\nstrict_rfc821_envelopes = yes\nowner_request_special = no\ntls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION',
     {('', 'smtpd_sasl_authenticated_header'): 'yes'}),
    ('', {('', 'message_drop_headers'): 'bcc, content-length, resent-bcc, return-path'}),
    ('message_drop_headers = bcc X-Mine', {('', 'message_drop_headers'): 'bcc, X-Mine'}),
    ('message_drop_headers =', {('', 'message_drop_headers'): None}),
    ('', {('', 'notify_classes'): 'resource, software'}),
    ('notify_classes = bounce 2bounce, delay\nbounce_notice_recipient = b@example.com\n2bounce_notice_recipient = d@example.com\n'
     'delay_notice_recipient = w@example.com',
     {('', 'notify_classes'): 'bounce, 2bounce, delay', ('', 'bounce_notice_recipient'): 'b@example.com',
      ('', 'double_bounce_notice_recipient'): 'd@example.com', ('', 'delay_notice_recipient'): 'w@example.com'}),
    ('smtp_mime_header_checks = regexp:/x/m\nsmtp_nested_header_checks = pcre:/x/n\nsmtp_body_checks = pcre:/x/b\nsmtp_reply_filter = pcre:/x/r',
     {('', 'smtp_mime_header_checks'): 'regexp:/x/m', ('', 'smtp_nested_header_checks'): 'pcre:/x/n', ('', 'smtp_body_checks'): 'pcre:/x/b',
      ('', 'smtp_reply_filter'): 'pcre:/x/r'}),
    ('', {('', 'smtpd_forbidden_commands'): None, ('', 'gate_forbidden_commands'): None}),
    ('smtpd_forbidden_commands = GET inline:{a=b}\nsmtpd_noop_commands = hash:/etc/hostname',
     {('', 'smtpd_forbidden_commands'): 'GET inline:{a=b}', ('', 'gate_forbidden_commands'): 'GET inline:{a=b}', ('', 'smtpd_noop_commands'): 'texthash:/etc/hostname'}),
    ('smtp_dns_reply_filter = pcre:/x/d\nlmtp_dns_reply_filter = pcre:/x/l\nsmtpd_dns_reply_filter = hash:/etc/hostname',
     {('', 'smtp_dns_reply_filter'): 'pcre:/x/d', ('', 'smtpd_dns_reply_filter'): 'texthash:/etc/hostname'}),
    ('default_delivery_status_filter = pcre:/x/all\nlocal_delivery_status_filter =\n',
     {('', f'{one}_delivery_status_filter'): None if one == 'local' else 'pcre:/x/all' for one in ('smtp', 'local', 'pipe', 'virtual')}),
    ('', {('', 'smtp_line_length_limit'): '998'}),
    ('smtp_line_length_limit = 0', {('', 'smtp_line_length_limit'): None}),
    ('smtp_tls_secure_cert_match = nexthop:.example.com hostname\nsmtp_tls_servername = hostname',
     {('', 'smtp_tls_secure_cert_match'): 'nexthop, .example.com, hostname', ('', 'smtp_tls_verify_cert_match'): None, ('', 'smtp_tls_servername'): 'hostname'}),
    ('smtp_tcp_port = submission', {('', 'smtp_tcp_port'): '587'}),
    ('smtp_tcp_port = 25', {('', 'smtp_tcp_port'): None}),
    ('defer_transports = smtp lmtp', {('', 'defer_transports'): 'smtp, lmtp'}),
    ('proxy_interfaces = 192.0.2.7, 2001:db8::7', {('', 'own_addresses'): '192.0.2.7, 2001:db8::7'}),
    ('content_filter = smtp:[127.0.0.1]:10024\nsoft_bounce = yes',
     {('', 'content_filter'): 'smtp:[127.0.0.1]:10024', ('', 'soft_bounce'): 'yes'}),
])
def test_main(tmp_path, lines, expected):
    found, _ = settings(folder(tmp_path, MAIN + lines + '\n', MASTER + PARTS))
    assert {key: found.get(key) for key in expected} == expected


def test_size_of_postfix_is_malles(tmp_path):
    """Set to what is malle's default: nothing differs."""
    found, _ = settings(folder(tmp_path, MAIN + 'message_size_limit = 52428800\n', MASTER + PARTS))
    assert ('', 'message_size_limit') not in found


@pytest.mark.parametrize('master, expected', [
    ('submission inet n - y - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes\n'
     '  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject -o message_size_limit=1000000\n',
     {'protocol': 'submission', 'port': '587', 'tls': 'required', 'message_size_limit': '1000000'}),
    ('submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes\n', {'protocol': 'smtp', 'port': '587'}),
    ('submission inet n - y - - smtpd -o smtpd_upstream_proxy_protocol=haproxy\n', {'proxy_protocol': 'yes', 'haproxy_timeout': '5s'}),
    ('submission inet n - y - - postscreen -o postscreen_upstream_proxy_protocol=haproxy\n', {'proxy_protocol': 'yes'}),
    ('submission inet n - y - - smtpd -o smtpd_sasl_exceptions_networks=192.0.2.1\n', {'smtpd_sasl_exceptions_networks': '192.0.2.1'}),
    ('587 inet n - y - - smtpd -o { smtpd_tls_auth_only = yes }\n', {'port': '587', 'disable_plaintext_auth': 'yes'}),
])
def test_master(tmp_path, master, expected):
    found, _ = settings(folder(tmp_path, MAIN, MASTER + PARTS + master))
    assert {name: found.get(('listener submission', name)) for name in expected} == expected


@pytest.mark.parametrize('value, place', [
    ('127.0.0.1:10024', 'inet:127.0.0.1:10024'), ('10024', 'inet:localhost:10024'), (':10024', 'inet:localhost:10024'),
    ('inet:[::1]:10024', 'inet:[::1]:10024'), ('unix:/run/filter', 'unix:/run/filter'),
    ('unix:private/filter', 'unix:/var/spool/postfix/private/filter')])
def test_proxy_filter(tmp_path, value, place):
    """Of each service that does not say otherwise; the one that the filter hands mail back to has none."""
    main = f'smtpd_proxy_filter = {value}\nsmtpd_proxy_timeout = 7\nsmtpd_proxy_options = speed_adjust\n'
    found, said = settings(folder(tmp_path, MAIN + main, MASTER + PARTS + '10025 inet n - n - - smtpd -o smtpd_proxy_filter= -o smtpd_proxy_ehlo=x.example.com\n'))
    assert found['listener smtp', 'smtpd_proxy_filter'] == place and found['', 'smtpd_proxy_timeout'] == '7s'
    assert ('listener 10025', 'smtpd_proxy_filter') not in found and found['listener 10025', 'smtpd_proxy_ehlo'] == 'x.example.com'
    assert ('', 'smtpd_proxy_filter') not in found and 'smtpd_proxy' not in said


SUBMISSION = 'submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=dovecot -o smtpd_sasl_path=private/auth\n'


@pytest.mark.parametrize('main, master, path, others', [
    ('', SUBMISSION, '/var/spool/postfix/private/auth', []),
    ('', SUBMISSION + SUBMISSION.replace('submission', 'smtps'), '/var/spool/postfix/private/auth', []),
    ('', SUBMISSION + SUBMISSION.replace('submission', 'smtps').replace('auth\n', 'other\n'), '/var/spool/postfix/private/auth', [10]),
    ('smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/main\n', SUBMISSION, '/var/spool/postfix/private/main', [9]),
    ('smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n', SUBMISSION, '/var/spool/postfix/private/auth', []),
])
def test_sasl_of_services(tmp_path, main, master, path, others):
    """Often only the services for users say who verifies passwords; all of them have to say the same."""
    found, _ = settings(folder(tmp_path, MAIN + main, MASTER + PARTS + master))
    assert (found['', 'smtpd_sasl_type'], found['', 'smtpd_sasl_path']) == ('dovecot', path)
    assert [line for _, line, text in said(tmp_path) if text == 'smtpd_sasl_type, smtpd_sasl_path: malle has one value for all services'] == others


def test_programs_for_connections(tmp_path):
    """Services of spawn: at a socket of their own or at a port, with their limits."""
    main = ('smtpd_recipient_restrictions = check_policy_service unix:private/policyd-spf, reject_unauth_destination\npolicyd-spf_time_limit = 3600\n'
            'default_process_limit = 7\n')
    master = ('policyd-spf unix - n n - 0 spawn\n user=policyd-spf argv=/usr/bin/policyd-spf -x { a b }\n127.0.0.1:10031 inet n n n - - spawn user=nobody:mail argv=/bin/cat\n'
              'open unix n n n - 3 spawn -v -o command_time_limit=9 user=nobody argv=/bin/cat\n')
    found, warned = settings(folder(tmp_path, MAIN + main, MASTER + PARTS + master))
    spool = '/var/spool/postfix'
    sections = {name: {key: value for (section, key), value in found.items() if section == f'listener {name}'} for name in ('policyd-spf', '127.0.0.1-10031', 'open')}
    assert sections == {
        'policyd-spf': {'protocol': 'spawn', 'program': 'user=policyd-spf argv=/usr/bin/policyd-spf -x {a b}', 'socket': f'{spool}/private/policyd-spf',
                        'mode': '0600', 'process_limit': '2000', 'command_time_limit': '3600s'},
        '127.0.0.1-10031': {'protocol': 'spawn', 'program': 'user=nobody:mail argv=/bin/cat', 'port': '10031', 'addresses': '127.0.0.1', 'process_limit': '7'},
        'open': {'protocol': 'spawn', 'program': 'user=nobody argv=/bin/cat', 'socket': f'{spool}/public/open', 'mode': '0666', 'process_limit': '3',
                 'command_time_limit': '9s'}}
    assert found['', 'smtpd_recipient_restrictions'] == f'check_policy_service unix:{spool}/private/policyd-spf, reject_unauth_destination'
    assert 'spawn' not in warned and 'time_limit' not in warned


def test_services_that_are_switched_off(tmp_path):
    """master_service_disable: by type, by name, and what is excepted."""
    master = '2525 inet n - y - - smtpd\nopen unix n n n - 3 spawn user=nobody argv=/bin/cat\n'
    for value, left in (('!2525.inet inet', {'2525', 'open'}), ('2525.inet, open.unix', set()), ('unix', {'2525'})):
        found, _ = settings(folder(tmp_path, MAIN + f'master_service_disable = {value}\n', MASTER + PARTS + master))
        assert {section.partition(' ')[2] for section, _ in found} & {'2525', 'open'} == left, value


@pytest.mark.parametrize('service', ['x unix - n n - 0 spawn user=root argv=/bin/cat', 'x unix - n n - 0 spawn argv=/bin/cat', 'x unix - n n - 0 spawn user=nobody',
                                     'nowhere inet n n n - 0 spawn user=nobody argv=/bin/cat', 'x unix - n n - 0 spawn user=nobody flags=q argv=/bin/cat'])
def test_programs_that_are_not_run(tmp_path, service):
    reports = said(folder(tmp_path, MAIN, MASTER + PARTS + service + '\n'))
    assert ('postfix/master.cf', 9, 'malle does not take it: it needs a port or socket, user=, which is not root, and argv=') in reports


def test_services_that_are_not_run(tmp_path):
    """Each is told, with what Postfix would do."""
    reports = {line: text for _, line, text in said(folder(tmp_path, MAIN, MASTER + PARTS + '628 inet n - y - - qmqpd\n'))}
    assert reports[9] == 'malle does not speak QMQP'


def test_the_way_back_from_a_filter(tmp_path):
    """The service of AMAVISD_README and the one that hands mail to it: all of it counts, or is told."""
    options = ('content_filter= smtpd_delay_reject=no smtpd_client_restrictions=permit_mynetworks,reject smtpd_helo_restrictions= smtpd_sender_restrictions= '
               'smtpd_recipient_restrictions=permit_mynetworks,reject smtpd_data_restrictions=reject_unauth_pipelining smtpd_end_of_data_restrictions= '
               'smtpd_restriction_classes= mynetworks=127.0.0.0/8 smtpd_error_sleep_time=0 smtpd_soft_error_limit=1001 smtpd_hard_error_limit=1000 '
               'smtpd_client_connection_count_limit=0 smtpd_client_connection_rate_limit=0 milter_macro_daemon_name=BACK '
               'receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters,no_address_mappings local_header_rewrite_clients=')
    master = '127.0.0.1:10025 inet n - n - - smtpd\n' + ''.join(f'  -o {one}\n' for one in options.split())
    main = MAIN + 'content_filter = smtp-amavis:[127.0.0.1]:10024\nsmtpd_helo_restrictions = reject_invalid_helo_hostname\nmilter_macro_daemon_name = ALL\n'
    found, warned = settings(folder(tmp_path, main, MASTER + PARTS + master + 'smtp-amavis unix - - n - 2 smtp -o smtp_send_xforward_command=yes\n'))
    own = {name: value for (section, name), value in found.items() if section == 'listener 127.0.0.1-10025'}
    assert own == {**own, 'content_filter': '', 'smtpd_helo_restrictions': '', 'smtpd_soft_error_limit': '1001', 'smtpd_error_sleep_time': '0s',
                   'smtpd_client_connection_count_limit': '0', 'milter_macro_daemon_name': 'BACK', 'local_header_rewrite_clients': '', 'mynetworks': '127.0.0.0/8'}
    assert 'no_address_mappings' in own['receive_override_options'] and 'no effect' not in warned and "malle's own default" not in warned
    assert found['', 'milter_macro_daemon_name'] == 'ALL' and 'milter_macro_daemon_name' not in {name for section, name in found if section == 'listener smtp'}


def test_overrides_without_effect(tmp_path):
    """What malle has once only is told where a service says something else than main.cf, and only there."""
    main = MAIN + 'luser_relay = a\nlocal_recipient_maps =\nvirtual_mailbox_domains = m.example\nrelay_recipient_maps =\nvirtual_alias_maps = inline:{a=b}\n'
    parts = PARTS.replace('cleanup unix - - y - - x', 'cleanup unix n - y - 0 cleanup -o virtual_alias_maps= -o always_bcc=a@m.example')
    master = MASTER + parts + ('587 inet n - y - - smtpd -o luser_relay=b -o virtual_mailbox_domains=m.example -o smtpd_tls_auth_only=yes -o relay_recipient_maps=\n'
                               '588 inet n - y - - smtpd -o luser_relay=a -o virtual_mailbox_domains= -o relay_recipient_maps=inline:{a=b}\n'
                               'mine unix - n n - - pipe -o recipient_delimiter=- -o smtp_helo_name=x flags=q user=nobody argv=/bin/cat\n')
    reports = said(folder(tmp_path, main, master))
    assert [(line, text.split(' ')[0]) for _, line, text in reports if 'no effect in malle' in text] == [(9, 'luser_relay'), (10, 'virtual_mailbox_domains')]
    assert [(line, text.split(':')[0]) for _, line, text in reports if 'one value for all services' in text] == [
        (10, 'relay_recipient_maps'), (3, 'virtual_alias_maps'), (11, 'recipient_delimiter'), (11, 'smtp_helo_name')]


def test_overrides_with_effect(tmp_path):
    """Of tables that sessions ask, of certificates, of recipients that a filter has looked at."""
    main = MAIN + 'smtpd_tls_cert_file = /etc/ssl/a.pem\nsmtpd_sender_login_maps = inline:{a=b}\nrecipient_bcc_maps = inline:{a@b=c@d}\n'
    tables = {'smtpd_sender_login_maps': 'inline:{c=d}', 'rbl_reply_maps': 'inline:{e=f}', 'smtpd_command_filter': 'pcre:/x/c', 'smtpd_reject_footer_maps': 'pcre:/x/f',
              'smtpd_discard_ehlo_keyword_address_maps': 'cidr:/x/e', 'relay_clientcerts': 'inline:{g=h}', 'smtpd_dns_reply_filter': 'pcre:/x/d'}
    options = {**tables, 'smtpd_tls_cert_file': '/etc/ssl/b.pem', 'smtpd_tls_key_file': '/etc/ssl/b.key', 'local_recipient_maps': '', 'local_header_rewrite_clients': 'static:all',
               'cleanup_service_name': 'own'}
    master = '587 inet n - y - - smtpd\n' + ''.join(f'  -o {name}={value}\n' for name, value in options.items())
    master += 'own unix n - y - 0 cleanup -o recipient_bcc_maps= -o sender_bcc_maps=inline:{i@j=k@l}\n'
    found, warned = settings(folder(tmp_path, main, MASTER + PARTS + master))
    own = {name: value for (section, name), value in found.items() if section == 'listener submission'}
    assert own == {**own, **tables, 'smtpd_reject_unlisted_recipient': 'no', 'local_header_rewrite_clients': 'permit', 'recipient_bcc_maps': '',
                   'sender_bcc_maps': 'inline:{i@j=k@l}'}
    assert found['', 'tls_certificates'] == '/etc/ssl/a.pem:/etc/ssl/a.pem, /etc/ssl/b.pem:/etc/ssl/b.key' and found['', 'smtpd_sender_login_maps'] == 'inline:{a=b}'
    assert ('', 'smtpd_reject_unlisted_recipient') not in found and found['', 'recipient_bcc_maps'] == 'inline:{a@b=c@d}'
    assert 'no effect' not in warned and 'one value' not in warned, warned


def test_services_at_addresses(tmp_path):
    found, _ = settings(folder(tmp_path, MAIN, PARTS + '127.0.0.1:10025 inet n - y - - smtpd\n'
                                                       'smtps inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n'))
    assert found['listener 127.0.0.1-10025', 'addresses'] == '127.0.0.1'
    assert found['listener 127.0.0.1-10025', 'port'] == '10025'
    assert found['listener submissions', 'tls'] == 'implicit'
    assert ('listener smtp', 'port') not in found


def test_cleanups_and_filters(tmp_path):
    """What a service of cleanup has counts for the services of smtpd that name it, and pickup's own for local programs."""
    master = ('smtp inet n - y - - smtpd -o header_checks=regexp:/x/nothing\n'
              'submission inet n - y - - smtpd -o cleanup_service_name=own -o content_filter=\n'
              'own unix n - y - 0 cleanup -o header_checks=pcre:/x/own -o nested_header_checks=\n'
              'amavis unix - - y - 2 smtp -o max_use=20\nslow unix - - y - 1 lmtp\n')
    parts = PARTS.replace('cleanup unix - - y - - x', 'cleanup unix n - y - 0 cleanup -o body_checks=regexp:/x/b')
    parts = parts.replace('pickup unix - - y - - x', 'pickup unix n - y 60 1 pickup -o content_filter=')
    found, _ = settings(folder(tmp_path, MAIN + 'header_checks = regexp:/x/h\ncontent_filter = amavis:[::1]:10024\n', parts + master))
    assert found['', 'header_checks'] == 'regexp:/x/h' and found['', 'body_checks'] == 'regexp:/x/b'
    assert found['transport amavis', 'process_limit'] == '2' and found['transport slow', 'protocol'] == 'lmtp'
    assert ('listener smtp', 'header_checks') not in found
    own = {name: value for (section, name), value in found.items() if section == 'listener submission'}
    assert own['header_checks'] == 'pcre:/x/own' and own['mime_header_checks'] == '$header_checks' and own['nested_header_checks'] == ''
    assert own['body_checks'] == '' and own['content_filter'] == '' and own['message_drop_headers'].startswith('bcc, ')
    assert found['listener sendmail', 'content_filter'] == ''


SLOW = ('slow unix - - n - 5 smtp\n -o smtp_helo_name=slow.example.com -o smtp_bind_address=192.0.2.9 -o smtp_tls_security_level=encrypt\n'
        ' -o syslog_name=postfix/$service_name -o smtp_rcpt_timeout=9 -o smtp_sasl_password_maps=inline:{a=b:c} -o smtp_connection_cache_on_demand=no\n')
CLIENTS = {
    'smtp_helo_name': 'slow.example.com', 'smtp_bind_address': '192.0.2.9', 'smtp_tls_security_level': 'encrypt', 'syslog_name': 'postfix/slow',
    'smtp_rcpt_timeout': '9s', 'smtp_sasl_password_maps': 'inline:{a=b:c}', 'process_limit': '5', 'protocol': 'smtp'}
PIPE = 'prog unix - n n - 3 pipe flags=R user=nobody argv=/bin/cat\n'


@pytest.mark.parametrize('main, master, expected', [
    ('', SLOW, {('transport slow', name): value for name, value in CLIENTS.items()}),
    ('', SLOW, {('transport relay', 'protocol'): None, ('transport smtp', 'protocol'): None, ('', 'smtp_helo_name'): 'mail.example.com'}),
    ('', 'smtp unix - - y - - smtp -o myhostname=out.example.com\nrelay unix - - y - - smtp\n',
     {('transport smtp', 'smtp_helo_name'): 'out.example.com', ('transport relay', 'protocol'): 'smtp', ('transport relay', 'smtp_helo_name'): None}),
    ('slow_destination_concurrency_limit = 2\nslow_destination_rate_delay = 3\nslow_destination_recipient_limit = 0\n'
     'slow_initial_destination_concurrency = 4\nslow_transport_rate_delay = 1m\n', 'slow unix - - n - - smtp\n',
     {('transport slow', 'smtp_destination_concurrency_limit'): '2', ('transport slow', 'smtp_destination_rate_delay'): '3s',
      ('transport slow', 'smtp_destination_recipient_limit'): '100', ('transport slow', 'initial_destination_concurrency'): '4',
      ('transport slow', 'smtp_transport_rate_delay'): '1m', ('transport slow', 'process_limit'): None}),
    ('smtp_destination_concurrency_limit = 2\n', 'slow unix - - n - - smtp\n',
     {('', 'smtp_destination_concurrency_limit'): '2', ('transport slow', 'smtp_destination_concurrency_limit'): '20'}),
    ('default_destination_concurrency_limit = 7\ndefault_transport_rate_delay = 2\n', 'slow unix - - n - - smtp\n',
     {('', 'smtp_destination_concurrency_limit'): '7', ('transport slow', 'smtp_destination_concurrency_limit'): None,
      ('', 'smtp_transport_rate_delay'): '2s'}),
    ('smtp_tcp_port = 2525\n', 'slow unix - - n - - smtp -o smtp_tcp_port=smtp\n', {('', 'smtp_tcp_port'): '2525', ('transport slow', 'smtp_tcp_port'): '25'}),
    ('', PIPE, {('transport prog', 'process_limit'): '3', ('transport prog', 'protocol'): 'pipe'}),
    ('prog_destination_recipient_limit = 1\nprog_destination_concurrency_limit = 2\n', PIPE.replace('3', '-'),
     {('transport prog', 'smtp_destination_recipient_limit'): '1', ('transport prog', 'command_destination_concurrency_limit'): '2'}),
    ('prog_time_limit = 2m\n', PIPE.replace('3', '-'), {('transport prog', 'command_time_limit'): '2m', ('', 'command_time_limit'): None}),
    ('', PIPE.replace('3', '-'), {('transport prog', 'protocol'): None}),
    ('lmtp_rcpt_timeout = 7\nlmtp_lhlo_name = l.example.com\nlmtp_sasl_auth_enable = yes\nlmtp_tls_security_level = encrypt\n',
     'lmtp unix - - n - - lmtp\ndspam unix - - n - - lmtp -o lmtp_rcpt_timeout=8 -o lmtp_use_tls=yes -o lmtp_tls_security_level=\n',
     {('transport lmtp', 'protocol'): 'lmtp', ('transport lmtp', 'smtp_rcpt_timeout'): '7s', ('transport lmtp', 'smtp_helo_name'): 'l.example.com',
      ('transport lmtp', 'smtp_sasl_auth_enable'): 'yes', ('', 'lmtp_tls_security_level'): 'encrypt', ('transport dspam', 'smtp_rcpt_timeout'): '8s',
      ('transport dspam', 'lmtp_tls_security_level'): 'may', ('', 'smtp_rcpt_timeout'): None}),
    ('default_transport = slow\nrelay_transport = lmtp:unix:private/x\n', SLOW,
     {('', 'default_transport'): 'slow', ('', 'relay_transport'): 'lmtp:unix:/var/spool/postfix/private/x'}),
    ('default_transport = error:no\nsender_dependent_default_transport_maps = inline:{@a=slow:}\n', SLOW,
     {('', 'default_transport'): 'error:no', ('', 'sender_dependent_default_transport_maps'): 'inline:{@a=slow:}'}),
    ('virtual_transport = prog\n', PIPE, {('', 'mailbox_transport'): 'prog'}),
    ('smtp_host_lookup = dns, native\n', 'smtp-amavis unix - - n - 2 smtp -o disable_dns_lookups=yes\nx unix - - n - - smtp -o smtp_host_lookup=native\n',
     {('', 'smtp_host_lookup'): 'dns, native', ('', 'smtp_mx_lookup'): None, ('transport smtp-amavis', 'smtp_host_lookup'): 'native',
      ('transport smtp-amavis', 'smtp_mx_lookup'): 'no', ('transport x', 'smtp_host_lookup'): 'native', ('transport x', 'smtp_mx_lookup'): None}),
    ('smtp_dns_support_level = disabled\n', 'x unix - - n - - smtp -o smtp_dns_support_level=enabled\n',
     {('', 'smtp_host_lookup'): 'native', ('', 'smtp_mx_lookup'): 'no', ('transport x', 'smtp_host_lookup'): 'dns',
      ('transport x', 'smtp_mx_lookup'): 'yes'}),
    ('smtp_tls_cert_file = /c\nsmtp_tls_eccert_file = /e\nsmtp_tls_eckey_file = /k\nlmtp_tls_cert_file = /l\n',
     'slow unix - - n - - smtp -o smtp_tls_cert_file=none -o smtp_tls_eccert_file=\nchain unix - - n - - smtp -o smtp_tls_chain_files=/a,/b\n'
     'lmtp unix - - n - - lmtp\n',
     {('', 'smtp_tls_certificates'): '/c:/c, /e:/k', ('transport slow', 'smtp_tls_certificates'): '',
      ('transport chain', 'smtp_tls_certificates'): '/a:/a, /b:/b', ('transport lmtp', 'smtp_tls_certificates'): '/l:/l'}),
])
def test_transports(tmp_path, main, master, expected):
    """What services by which mail leaves have of their own, and who uses them; nothing of it is said to be without effect."""
    found, warned = settings(folder(tmp_path, MAIN + main, MASTER + PARTS.replace('smtp unix - - y - - x\n', '' if master.startswith('smtp ') else 'smtp unix - - y - - smtp\n') + master))
    assert {key: found.get(key) for key in expected} == expected
    assert 'no effect' not in warned and 'one value' not in warned, warned
    done = malle('-c', tmp_path, 'migrate')
    assert done.returncode == 0, done.stderr
    (tmp_path / 'malle.conf').write_text(done.stdout)
    again = listed(malle('-c', tmp_path / 'malle.conf', 'config', '--json'))
    assert {key: value for key, value in again.items() if 'transport' in key[0]} == {key: value for key, value in found.items() if 'transport' in key[0]}


def test_transports_gone_wrong(tmp_path):
    main = MAIN + 'default_transport = nowhere\nnothing_destination_recipient_limit = 1\n'
    reports = said(folder(tmp_path, main, MASTER + PARTS + 'slow unix - - n - - smtp -o smtp_tls_CAfile=/x\n'))
    assert ('postfix/main.cf', 4, 'default_transport: there is no transport "nowhere"') in reports
    assert any(line == 5 and text.startswith('nothing_destination_recipient_limit has no effect in malle: ') for _, line, text in reports)
    assert any(text == 'smtp_tls_CAfile: malle has one value for all services' for _, _, text in reports)


@pytest.mark.parametrize('lines, expected', [
    ('', {('listener imap', 'port'): '143', ('listener imap', 'tls'): 'starttls', ('listener imaps', 'tls'): 'implicit',
          ('listener pop3', 'port'): '110', ('', 'auth_mechanisms'): 'plain'}),
    ('ssl = required\n', {('listener imap', 'tls'): 'required'}),
    ('ssl = no\n', {('listener imap', 'tls'): 'none', ('listener imaps', 'port'): None}),
    ('protocols = imap\n', {('listener pop3', 'port'): None, ('listener imap', 'port'): '143'}),
    ('listen = 192.0.2.1\n', {('listener imap', 'addresses'): '192.0.2.1'}),
    ('service imap-login {\n inet_listener imap {\n  port = 0\n }\n inet_listener imaps {\n  port = 10993\n  address = ::1\n }\n}\n',
     {('listener imap', 'port'): None, ('listener imaps', 'port'): '10993', ('listener imaps', 'addresses'): '::1'}),
    ('ssl_verify_client_cert = yes\nauth_ssl_require_client_cert = yes\nssl_ca = </etc/ssl/ca.pem\nssl_require_crl = no\n',
     {('', 'ssl_verify_client_cert'): 'yes', ('', 'auth_ssl_require_client_cert'): 'yes', ('', 'ssl_ca'): '/etc/ssl/ca.pem',
      ('', 'ssl_require_crl'): 'no'}),
    ('haproxy_trusted_networks = 192.0.2.0/24 2001:db8::/32\nhaproxy_timeout = 1 min\n'
     'service pop3-login {\n inet_listener pop3s {\n  haproxy = yes\n }\n}\n',
     {('', 'haproxy_trusted_networks'): '192.0.2.0/24, 2001:db8::/32', ('', 'haproxy_timeout'): '1m',
      ('listener pop3s', 'proxy_protocol'): 'yes', ('listener pop3', 'proxy_protocol'): None}),
    ('service lmtp {\n unix_listener /run/x/lmtp {\n  mode = 0666\n }\n}\n',
     {('listener run-x-lmtp', 'socket'): '/run/x/lmtp', ('listener run-x-lmtp', 'mode'): '0666'}),
    ('auth_mechanisms = plain login scram-sha-256\n', {('', 'auth_mechanisms'): 'plain, login, scram-sha-256'}),
    ('disable_plaintext_auth = no\n', {('', 'disable_plaintext_auth'): 'no'}),
    ('ssl_min_protocol = TLSv1.3\n', {('', 'tls_min_version'): 'TLSv1.3'}),
    ('namespace inbox {\n inbox = yes\n separator = /\n}\n', {('', 'hierarchy_separator'): '/'}),
    ('mail_location = maildir:~/mail\n', {('', 'system_mail_location'): 'maildir:~/mail'}),
    ('first_valid_uid = 500\n', {('', 'first_valid_uid'): '500'}),
    ('first_valid_gid = 100\nlast_valid_gid = 200\nauth_ssl_username_from_cert = yes\nauth_master_user_separator = *\n',
     {('', 'first_valid_gid'): '100', ('', 'last_valid_gid'): '200', ('', 'auth_ssl_username_from_cert'): 'yes', ('', 'auth_master_user_separator'): '*'}),
    ('login_greeting = Hello there.\nlogin_trusted_networks = 192.0.2.0/24, 2001:db8::/32\n',
     {('', 'login_greeting'): 'Hello there.', ('', 'login_trusted_networks'): '192.0.2.0/24, 2001:db8::/32'}),
    ('mail_max_userip_connections = 5\nprotocol imap {\n mail_max_userip_connections = 20\n}\nprotocol pop3 {\n mail_max_userip_connections = 3\n}\n',
     {('', 'mail_max_userip_connections'): '5', ('', 'imap_max_userip_connections'): '20', ('', 'pop3_max_userip_connections'): '3'}),
    ('', {('', 'imap_hibernate_timeout'): None}),
    ('imap_hibernate_timeout = 0\n', {('', 'imap_hibernate_timeout'): 'never'}),
    ('imap_hibernate_timeout = 2 mins\n', {('', 'imap_hibernate_timeout'): '2m'}),
    ('lda_mailbox_autocreate = yes\nlda_mailbox_autosubscribe = yes\nprotocol lda {\n lda_mailbox_autosubscribe = no\n}\n',
     {('', 'lda_mailbox_autocreate'): 'yes', ('', 'lda_mailbox_autosubscribe'): None}),
    ('imap_logout_format = %i\npop3_logout_format = %o\ndeliver_log_format = "%$ %m"\nprotocol imap {\n imap_logout_format = %i %o\n}\n',
     {('', 'imap_logout_format'): '%i %o', ('', 'pop3_logout_format'): '%o', ('', 'deliver_log_format'): '%$ %m'}),
    ('plugin {\n mail_log_events = delete\n}\n', {('', 'mail_log_events'): None}),
    ('mail_plugins = mail_log notify\n', {('', 'mail_log_events'): 'delete undelete expunge save copy mailbox_delete mailbox_rename', ('', 'mail_log_fields'): None}),
    ('protocol imap {\n mail_plugins = $mail_plugins mail_log notify\n}\nplugin {\n mail_log_events = delete expunge\n mail_log_fields = uid box msgid\n}\n',
     {('', 'mail_log_events'): 'delete expunge', ('', 'mail_log_fields'): 'uid box msgid'}),
])
def test_dovecot(tmp_path, lines, expected):
    found, _ = settings(folder(tmp_path, dovecot=DOVECOT + lines, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    assert {key: found.get(key) for key in expected} == expected


def test_quota_warnings(tmp_path):
    """A script that a service runs for a threshold; what no service runs is told of by a message, and so is said."""
    text = DOVECOT + ('mail_plugins = $mail_plugins quota\nplugin {\n quota = maildir:User quota\n quota_warning = storage=95%% quota-warning 95 %u\n'
                      ' quota_warning2 = storage=80%% other 80 %u\n quota_warning3 = storage=50%%\n}\n'
                      'service quota-warning {\n executable = script /usr/local/bin/warn.sh -x\n user = vmail\n unix_listener quota-warning {\n  user = vmail\n }\n}\n'
                      'service other-thing {\n executable = other\n}\n')
    found, said = settings(folder(tmp_path, dovecot=text + 'postmaster_address = a@example.com\nprotocol lmtp {\n postmaster_address = b@example.com\n}\n'))
    assert found['', 'postmaster_address'] == 'b@example.com' and 'postmaster_address' not in said
    assert found['', 'quota_warning'] == '"storage=95% quota-warning 95 %u", "storage=80% other 80 %u", storage=50%'
    assert found['', 'quota_warning_programs'] == 'quota-warning user=vmail argv={/usr/local/bin/warn.sh} {-x}'
    assert 'quota_warning2: no service runs a script for "other"' in said and 'quota_warning: ' not in said
    assert [line for line in said.split('\n') if 'service/executable' in line][0].count(':23:') == 1 and said.count('service/executable') == 1


def test_dovecot_24(tmp_path):
    """What 2.4 renamed and takes apart means what it meant in 2.3."""
    head = 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n'
    text = head + '''protocols {
  imap = yes
  lmtp = yes
}
auth_mechanisms {
  plain = yes
  login = yes
}
auth_allow_cleartext = yes
auth_default_domain = example.com
auth_username_format = %{user | username | lower}
mail_driver = maildir
mail_path = %{home}/Maildir
mail_index_path = ~/index
ssl = required
ssl_server_cert_file = /etc/ssl/chain.pem
ssl_server {
  key_file = /etc/ssl/key.pem
  ca_file = /etc/ssl/ca.pem
}
service imap-login {
  inet_listener imap {
    listen = 192.0.2.1
  }
}
passdb pam {
  service_name = mine
}
userdb passwd {
}
'''
    found, _ = settings(folder(tmp_path, dovecot=text, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    expected = {('', 'auth_mechanisms'): 'plain, login', ('', 'disable_plaintext_auth'): 'no', ('', 'auth_default_realm'): 'example.com',
                ('', 'auth_username_format'): '%Ln', ('', 'system_mail_location'): 'maildir:%h/Maildir:INDEX=~/index', ('listener imap', 'tls'): 'required',
                ('', 'tls_certificates'): '/etc/ssl/chain.pem:/etc/ssl/key.pem', ('', 'ssl_ca'): '/etc/ssl/ca.pem', ('listener imap', 'addresses'): '192.0.2.1',
                ('listener pop3', 'port'): None, ('listener imaps', 'port'): '993', ('', 'passdb'): '{{driver = pam}, {args = mine}}',
                ('', 'userdb'): '{{driver = passwd}}'}
    assert {key: found.get(key) for key in expected} == expected


HEAD_24 = '''dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = ~/Maildir
passdb pam {
}
userdb passwd {
}
'''
QUOTA_24 = '''mail_plugins {
  quota = yes
}
protocol imap {
  mail_plugins {
    imap_quota = yes
    nosuch = yes
  }
}
quota "All mail" {
  driver = count
  storage_size = 1G
  storage_grace = 0
  warning warn-95 {
    quota_storage_percentage = 95
    execute quota-warning {
      args = 95 %{user}
    }
  }
  quota_warning under {
    storage_percentage = 100
    threshold = under
    execute quota-warning {
      args = below %{user | username}
    }
  }
}
quota_status_overquota = "552 full"
service quota-warning {
  executable = script /usr/local/bin/warn.sh
  user = vmail
  unix_listener quota-warning {
    user = vmail
  }
}
namespace inbox {
  inbox = yes
  mailbox Trash {
    quota_storage_extra = 100M
  }
  mailbox "Old mail" {
    quota_storage_percentage = 150
  }
  mailbox Junk {
    quota_ignore = yes
    auto = subscribe
  }
}
'''
TOKENS_24 = '''auth_mechanisms {
  plain = yes
  oauthbearer = yes
  xoauth2 = yes
}
oauth2 {
  introspection_mode = post
  introspection_url = https://client:secret@idp.example/introspect
  username_attribute = email
  active_attribute = active
  ssl_client_ca_file = /etc/ssl/ca.pem
}
'''
QUOTA_RULES = '*:bytes=1G, Trash:storage=+100M, "Old mail:storage=+50%", Junk:ignore'


@pytest.mark.parametrize('text, expected', [
    ('imap_logout_format = in=%{input} out=%{output} %{session}\n', {'imap_logout_format': 'in=%{input} out=%{output} %{session}'}),
    ('pop3_logout_format = d=%{deleted_count}\n', {'pop3_logout_format': 'd=%{deleted_count}'}),
    ('deliver_log_format = msgid=%{msgid}: %{message}\n', {'deliver_log_format': 'msgid=%{msgid}: %{message}'}),
    ('login_log_format = %{message}: %{elements}\n', {'login_log_format': None}),  # 2.3's default
    ('login_log_format = [%{elements}] %{message}\n', {'login_log_format': '[%s] %$'}),
    ('login_log_format_elements = user=<%{user}> m=%{mechanism} r=%{remote_ip} l=%{local_ip} p=%{mail_pid} %{secured} s=<%{session}>\n',
     {'login_log_format_elements': 'user=<%u> m=%m r=%r l=%l p=%e %c s=<%{session}>'}),
    ('mail_plugins {\n  mail_log = yes\n  notify = yes\n}\nmail_log_events {\n  delete = yes\n  expunge = yes\n  save = no\n}\nmail_log_fields = uid box\n',
     {'mail_log_events': 'delete expunge', 'mail_log_fields': 'uid box'}),
    ('protocol imap {\n  mail_plugins {\n    mail_log = yes\n  }\n}\n', {'mail_log_events': 'delete undelete expunge save copy mailbox_delete mailbox_rename'}),
    ('mail_log_events = delete\n', {'mail_log_events': None}),
    (QUOTA_24, {'quota': None, 'quota_name': 'All mail', 'quota_rule': QUOTA_RULES, 'quota_grace': '0', 'quota_status_overquota': '552 full',
                'quota_warning': '"storage=95% quota-warning 95 %u", "-storage=100% quota-warning below %n"',
                'quota_warning_programs': 'quota-warning user=vmail argv={/usr/local/bin/warn.sh}'}),
    (QUOTA_24.replace('quota = yes', 'quota = no'), {'quota': 'no', 'quota_rule': None}),
    (TOKENS_24.replace('oauthbearer = yes\n  xoauth2 = yes', 'login = yes'), {'auth_mechanisms': 'plain, login', 'passdb': None}),
])
def test_words_of_24(tmp_path, text, expected):
    found, _ = settings(folder(tmp_path, dovecot=HEAD_24 + text, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    assert {name: found.get(('', name)) for name in expected} == expected


def test_tokens_of_24(tmp_path):
    """oauth2 { } needs no passdb in 2.4; the secret in it stays in dovecot.conf, of which malle knows the place."""
    found, _ = settings(folder(tmp_path, dovecot=HEAD_24 + TOKENS_24, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    place = rf'{tmp_path}/dovecot/dovecot.conf!oauth2/![0-9a-f]{{8}}'
    assert re.fullmatch(rf'\{{\{{driver = pam\}}\}} \{{\{{driver = oauth2\}}, \{{args = {place}\}}, \{{mechanisms = oauthbearer xoauth2\}}\}}', found['', 'passdb']) or \
        re.fullmatch(rf'\{{\{{driver = pam\}}\}} \{{\{{driver = oauth2\}}, \{{mechanisms = oauthbearer xoauth2\}}, \{{args = {place}\}}\}}', found['', 'passdb']), found['', 'passdb']
    again, _ = settings(folder(tmp_path, dovecot=HEAD_24 + TOKENS_24.replace('email', 'mail')))
    assert again['', 'passdb'] != found['', 'passdb']


def test_what_24_says_is_read(tmp_path):
    """Nothing that malle takes is said to have no effect; a plugin that it does not have is named where it stands."""
    lists = 'protocols {\n imap = yes\n}\nmail_index_path = ~/index\nlisten {\n 192.0.2.1 = yes\n}\nimport_environment {\n TZ = UTC\n}\n'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-keyout', '/dev/null',
                    '-out', tmp_path / 'ca.pem'], check=True, capture_output=True)
    reports = said(folder(tmp_path, dovecot=HEAD_24 + lists + QUOTA_24 + TOKENS_24.replace('/etc/ssl/ca.pem', str(tmp_path / 'ca.pem')), **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    about = [text for file, _, text in reports if file == 'dovecot/dovecot.conf' and 'certificate' not in text]
    assert about == ['mail_plugins: malle does not do this; Dovecot would load the plugin nosuch into sessions and deliveries'], about


def test_settings_that_count_for_some_only(tmp_path):
    """A setting within a block that says when it counts is no setting of all, and is not passed over in silence."""
    reports = said(folder(tmp_path, dovecot=DOVECOT + 'protocol pop3 {\n login_greeting = Hello.\n mail_max_userip_connections = 3\n}\n'
                          'remote 192.0.2.1 {\n auth_failure_delay = 2 secs\n}\n', **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    about = [what for _, _, what in reports if 'has no effect here' in what]
    assert len(about) == 1 and about[0].startswith('protocol/login_greeting has no effect here: malle has it for all protocols'), reports


FILES = 'passdb {\n driver = passwd-file\n args = scheme=SHA512-CRYPT /etc/users\n deny = yes\n}\n'
STATIC = 'userdb {\n driver = static\n args = uid=1 home=/m/%d/%n\n default_fields = a=b\n}\n'


@pytest.mark.parametrize('text, expected', [
    (DOVECOT, {'passdb': None, 'userdb': None, 'system_users': None}),
    (DOVECOT.replace('passwd\n', 'passwd\n override_fields = home=/x/%u\n'),
     {'passdb': '{{driver = pam}}', 'userdb': '{{driver = passwd}, {override_fields = home=/x/%u}}', 'system_users': None}),
    ('mail_location = maildir:~/M\nmail_uid = 5000\nmail_gid = vmail\nmail_home = /h/%n\nauth_username_format = %Ln\nauth_default_realm = a.b\n' + FILES + STATIC,
     {'passdb': '{{driver = passwd-file}, {args = scheme=SHA512-CRYPT /etc/users}, {deny = yes}}', 'system_users': 'no', 'mail_home': '/h/%n',
      'userdb': '{{driver = static}, {args = uid=1 home=/m/%d/%n}, {default_fields = a=b uid=5000 gid=vmail}}', 'mail_user': None,
      'auth_username_format': '%Ln', 'auth_default_realm': 'a.b'}),
])
def test_databases_of_users(tmp_path, text, expected):
    found, _ = settings(folder(tmp_path, dovecot=text, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    assert {name: found.get(('', name)) for name in expected} == expected
    migrated = malle('-c', tmp_path, 'migrate')
    (tmp_path / 'malle.conf').write_text(migrated.stdout)
    again = malle('-c', tmp_path / 'malle.conf', 'config', '--json')
    assert {one['name']: one['value'] for one in json.loads(again.stdout)}.items() >= {name: value for name, value in expected.items() if value}.items()


@pytest.mark.parametrize('text, line, says', [
    ('passdb {\n driver = lua\n}\n', 2, 'malle has no passdb "lua"'),
    ('passdb {\n driver = passwd-file\n args = users\n}\n', 2, 'passwd-file: args = [scheme=NAME]'),
    ('passdb {\n driver = sql\n args = /nowhere/sql.conf.ext\n}\n', 2, 'cannot open /nowhere/sql.conf.ext'),
    ('passdb {\n driver = passwd-file\n args = /nowhere/users\n}\n', 2, '/nowhere/users: it is not there'),
])
def test_databases_that_are_wrong(tmp_path, text, line, says):
    reports = said(folder(tmp_path, dovecot='mail_location = maildir:~/Maildir\n' + text, **{'malle/local.conf': 'hostname = mail.example.com\n'}))
    assert any(one[:2] == ('dovecot/dovecot.conf', line + 1) and says in one[2] for one in reports), reports


def test_passwords_that_are_stored_badly(tmp_path):
    (tmp_path / 'users').write_text('a:{PLAIN}x\nb:{SHA}x\nc:x\nd:{SSHA512}x\ne:$6$x\n')
    (tmp_path / 'users').chmod(0o644)
    text = f'mail_location = maildir:~/Maildir\npassdb {{\n driver = passwd-file\n args = scheme=CLEARTEXT {tmp_path}/users\n}}\n'
    reports = [one[2] for one in said(folder(tmp_path, dovecot=text, **{'malle/local.conf': 'hostname = mail.example.com\n'}))]
    assert any('users: 4 of its passwords' in one for one in reports) and any('everybody on this machine can read' in one for one in reports)


@pytest.mark.parametrize('lines, line, text', [
    ('mailbox_size_limit = 0\nmailbox_size_limit = 0', 4, 'mailbox_size_limit has no effect: line 5 sets it again'),
    ('best_mx_transport = local', 4, 'best_mx_transport: malle does not do this, and does not start without it; Postfix would hand over'),
    ('myhotsname = x', 4, '"myhotsname" is no parameter of Postfix and has no effect; did you mean myhostname?'),
    ('home_mailbox =', 4, 'home_mailbox: malle keeps mail in Maildirs'),
    ('mynetworks = example.com', 4, 'mynetworks: malle takes addresses, networks and tables here, not example.com'),
    ('mynetworks = /nowhere', 4, 'mynetworks: /nowhere cannot be read'),
    ('mydestination = hash:/nowhere', 4, '/nowhere cannot be read'),
    ('mydestination = !example.com', 4, 'mydestination: malle takes names of domains here, files and tables of them, not !example.com'),
    ('tls_ssl_options = NO_TICKET', 4, 'tls_ssl_options: malle does not do NO_TICKET'),
    ('owner_request_special = no\nrecipient_delimiter = -', 4, 'owner_request_special: malle never parts'),
    ('luser_relay = joe', 4, 'luser_relay has no effect while local_recipient_maps has no further names'),
    ('masquerade_exceptions = hash:/x', 4, 'masquerade_exceptions: "hash:/x" is not a name'),
    ('inet_interfaces = $myhostname', 4, 'inet_interfaces: malle needs the address of mail.example.com, not its name'),
    ('virtual_mailbox_base = /srv/mail', 4, 'virtual_mailbox_base has no effect in malle: '),
    ('smtp_tls_protocols = >=TLSv1.3', 4, 'smtp_tls_protocols: malle speaks TLSv1.2 and newer here'),
    ('smtpd_upstream_proxy_protocol = nginx', 4, 'smtpd_upstream_proxy_protocol: it can be haproxy only'),
    ('smtpd_sasl_exceptions_networks = hash:/x', 4, 'smtpd_sasl_exceptions_networks: clients that tables name are not excepted'),
    ('propagate_unmatched_extensions = alias', 4, 'propagate_unmatched_extensions: malle does it for canonical and virtual, not for alias'),
    ('undisclosed_recipients_header = nobody', 4, 'undisclosed_recipients_header: "nobody" is not a field'),
    ('smtpd_noop_commands = a /b', 4, 'smtpd_noop_commands: "/b" is neither a command nor a table'),
    ('relayhost = ${x', 4, 'relayhost: '),
])
def test_what_is_wrong_with_main(tmp_path, lines, line, text):
    reports = said(folder(tmp_path, MAIN + lines + '\n', MASTER + PARTS))
    assert [1 for file, at, what in reports if (file, at) == ('postfix/main.cf', line) and what.startswith(text)], reports


def test_tables(tmp_path):
    """An index of Berkeley DB counts for nothing: the text beside it is read, unless malle has made an index."""
    for name in ('virtual', 'aliases', 'indexed', 'indexed.lmdb'):
        (tmp_path / name).write_text('')
    found, _ = settings(folder(tmp_path, MAIN + f'virtual_alias_maps = hash:{tmp_path}/virtual, proxy:btree:{tmp_path}/indexed\n'
                               f'alias_maps = hash:{tmp_path}/aliases\nrelocated_maps = unionmap:{{hash:{tmp_path}/virtual}}\n',
                               MASTER + PARTS))
    assert found['', 'virtual_alias_maps'].strip('"') == f'texthash:{tmp_path}/virtual, hash:{tmp_path}/indexed'
    assert found['', 'alias_maps'] == f'aliases:{tmp_path}/aliases'
    assert found['', 'relocated_maps'] == f'unionmap:{{texthash:{tmp_path}/virtual}}'


def test_milters(tmp_path):
    """Sockets are below queue_directory, as a chrooted smtpd sees them; a service may have others."""
    spool = tmp_path / 'spool'
    (spool / 'opendkim').mkdir(parents=True)
    main = MAIN + f'''queue_directory = {spool}
smtpd_milters = unix:opendkim/a.sock, local:/opendkim/b.sock,
    {{ inet:localhost:8891, connect_timeout=10s, default_action=accept }} unix:{tmp_path}/c.sock
non_smtpd_milters = $smtpd_milters
milter_default_action = accept
milter_protocol = 4
milter_connect_timeout = 5
milter_mail_macros = i {{mail_addr}}
milter_macro_v = something
'''
    master = MASTER + PARTS + 'submission inet n - y - - smtpd\n  -o smtpd_milters=\n  -o milter_default_action=tempfail\n'
    have, warnings = settings(folder(tmp_path / 'etc', main=main, master=master))
    sockets = f'unix:{spool}/opendkim/a.sock, unix:{spool}/opendkim/b.sock'
    want = f'{sockets}, {{ inet:localhost:8891, connect_timeout=10s, default_action=accept }} unix:{tmp_path}/c.sock'
    for name in ('smtpd_milters', 'non_smtpd_milters'):
        assert ' '.join(have['', name].split()) == want
    assert have['listener submission', 'smtpd_milters'] == '' and have['listener submission', 'milter_default_action'] == 'tempfail'
    assert (have['', 'milter_default_action'], have['', 'milter_protocol'], have['', 'milter_connect_timeout']) == ('accept', '4', '5s')
    assert have['', 'milter_mail_macros'] == 'i, {mail_addr}' and have['', 'milter_macro_v'] == 'something'
    assert ('', 'milter_macro_daemon_name') not in have and 'milter' not in warnings


def test_domains_in_files(tmp_path):
    (tmp_path / 'virtual').write_text('one.example anything\njoe@one.example joe\n@two.example joe\n# three.example x\n')
    (tmp_path / 'list').write_text('four.example\n')
    found, _ = settings(folder(tmp_path, MAIN + f'virtual_alias_maps = hash:{tmp_path}/virtual\nrelay_domains = {tmp_path}/list\n',
                               MASTER + PARTS))
    assert found['', 'domains'] == 'example.com, one.example'
    assert found['', 'relay_domains'] == 'four.example, .four.example'
    assert ('', 'domain_maps') not in found and ('', 'relay_domain_maps') not in found


def test_domains_and_networks_in_tables(tmp_path):
    """They are asked when mail comes; files of networks are read, and a service may have other networks than all."""
    (tmp_path / 'indexed').write_text('')
    (tmp_path / 'indexed.lmdb').write_text('')
    (tmp_path / 'networks').write_text(f'# ours\n192.0.2.0/24 # and a comment\n  198.51.100.7\n')
    main = (MAIN.replace('= example.com', f'= example.com, pcre:/x/d inline:{{ {{a.example = x}} }}') + 'virtual_mailbox_domains = proxy:sqlite:/x/v.cf\n'
            f'virtual_alias_domains =\nrelay_domains = hash:{tmp_path}/indexed, b.example cidr:/x/r\n'
            f'mynetworks = 127.0.0.0/8 {tmp_path}/networks cidr:/x/n, hash:{tmp_path}/indexed\n')
    found, _ = settings(folder(tmp_path, main, MASTER + PARTS + '127.0.0.1:10025 inet n - y - - smtpd -o mynetworks=127.0.0.0/8\n'))
    assert found['', 'domains'] == 'example.com'
    assert found['', 'domain_maps'].strip('"') == 'pcre:/x/d inline:{ {a.example = x} } sqlite:/x/v.cf'
    assert found['', 'relay_domain_maps'].strip('"') == f'hash:{tmp_path}/indexed cidr:/x/r' and found['', 'relay_domains'] == 'b.example, .b.example'
    assert found['', 'mynetworks'] == '127.0.0.0/8, 192.0.2.0/24, 198.51.100.7'
    assert found['', 'mynetworks_maps'].strip('"') == f'cidr:/x/n hash:{tmp_path}/indexed'
    assert found['listener 127.0.0.1-10025', 'mynetworks'] == '127.0.0.0/8' and found['listener 127.0.0.1-10025', 'mynetworks_maps'].strip('"') == ''
    assert found['', 'parent_domain_matches_subdomains'] == 'smtpd_access_maps, relay_domains'


def test_debians_master(tmp_path):
    """Nothing in it keeps malle from starting; what it cannot run is told with the line."""
    debian = (TOP / 'tests/fuzz/corpus/postfix_master/debian').read_text()
    found, warned = settings(folder(tmp_path, MAIN, debian))
    assert 'maildrop flags=DRXhu user=vmail argv=/usr/bin/maildrop' in found['', 'pipe_transports']
    assert 'master.cf:125: warning: malle does not take it: the transport "uucp": argv= needs an absolute path' in warned
    assert found['listener smtp', 'port'] == '25'


def test_names_of_ones_own(tmp_path):
    assert not said(folder(tmp_path, MAIN + 'mine = example.net\nvirtual_alias_domains = $mine\n', MASTER + PARTS))


def screened(main='', screen='', sessions=''):
    """Debian's master.cf with its lines for postscreen in use."""
    debian = (TOP / 'tests/fuzz/corpus/postfix_master/debian').read_text()
    before = debian
    debian = re.sub(r'^smtp( +)inet(.*)smtpd$', r'#smtp\1inet\2smtpd', debian, count=1, flags=re.M)
    for line in (r'smtp +inet .*postscreen', 'smtpd +pass .*smtpd', 'dnsblog +unix .*', 'tlsproxy +unix .*'):
        debian = re.sub(f'^#({line})$', rf'\1', debian, count=1, flags=re.M)
    debian = debian.replace('postscreen\n', f'postscreen\n{screen}', 1).replace('pass  -       -       y       -       -       smtpd\n',
                                                                                f'pass - - y - - smtpd\n{sessions}', 1)
    assert debian != before
    return MAIN + main, debian


@pytest.mark.parametrize('main, screen, expected', [
    ('', '', {('listener smtp', 'gate'): 'yes', ('listener smtp', 'port'): '25', ('listener smtp', 'protocol'): 'smtp'}),
    ('postscreen_access_list = permit_mynetworks, cidr:/dev/null', '', {('', 'gate_access_list'): 'permit_mynetworks, cidr:/dev/null'}),
    ('postscreen_blacklist_action = drop', '', {('', 'gate_denylist_action'): 'drop'}),
    ('postscreen_denylist_action = enforce', '', {('', 'gate_denylist_action'): 'enforce'}),
    ('postscreen_dnsbl_sites = a.example*3, b.example=127.0.0.[2..11]*2\n list.dnswl.org=127.0.[0..255].[1..3]*-4', '',
     {('', 'gate_dnsbl_sites'): 'a.example*3, b.example=127.0.0.[2..11]*2 list.dnswl.org=127.0.[0..255].[1..3]*-4'}),
    ('postscreen_whitelist_interfaces = !192.0.2.1, static:all', '', {('', 'gate_allowlist_interfaces'): '!192.0.2.1, static:all'}),
    ('postscreen_dnsbl_whitelist_threshold = -2', '', {('', 'gate_dnsbl_allowlist_threshold'): '-2'}),
    ('postscreen_dnsbl_reply_map = texthash:/dev/null', '', {('', 'gate_dnsbl_reply_maps'): 'texthash:/dev/null'}),
    ('postscreen_greet_wait = ${stress?{1}:{9}}s', '', {('', 'gate_greet_wait'): '9s', ('', 'gate_stress_greet_wait'): '1s'}),
    ('postscreen_greet_banner =', '', {('', 'gate_greet_teaser'): 'no'}),
    ('postscreen_greet_banner = $myhostname wait', '', {('', 'gate_greet_banner'): 'mail.example.com wait'}),
    ('smtpd_banner = $myhostname x', '', {('', 'gate_greet_banner'): None, ('', 'smtpd_banner'): 'mail.example.com x'}),
    ('postscreen_cache_map =', '', {('', 'gate_cache_size'): '0'}),
    ('postscreen_bare_newline_ttl = 2w', '', {('', 'gate_bare_newline_ttl'): '14d'}),
    ('default_process_limit = 300', '', {('', 'gate_waiting_limit'): '300'}),
    ('', ' -o postscreen_greet_action=drop\n -o postscreen_greet_banner=\n', {('listener smtp', 'gate_greet_action'): 'drop',
                                                                              ('listener smtp', 'gate_greet_teaser'): 'no', ('', 'gate_greet_action'): None}),
    ('smtpd_service_name = other', '', {('listener smtp', 'gate'): 'yes'}),
])
def test_postscreen(tmp_path, main, screen, expected):
    main, master = screened(main + '\n', screen, ' -o smtpd_hard_error_limit=7\n' if screen else '')
    found, warned = settings(folder(tmp_path, main, master))
    assert {key: found.get(key) for key in expected} == expected
    warned = warned.replace(str(tmp_path), '')
    assert ('no service "other pass"' in warned) == ('other' in main)
    assert 'postscreen_' not in warned and ('pass"' in warned) == ('other' in main)
    if screen:
        assert found['listener smtp', 'smtpd_hard_error_limit'] == '7'
    done = malle('-c', tmp_path, 'migrate')
    assert done.returncode == 0, done.stderr
    (tmp_path / 'malle.conf').write_text(done.stdout)
    again = malle('-c', tmp_path / 'malle.conf', 'config', '--json')
    assert {key: value for key, value in listed(again).items() if key[1].startswith('gate')} == \
        {key: value for key, value in found.items() if key[1].startswith('gate')}


def test_postscreen_gone_wrong(tmp_path):
    main, master = screened('postscreen_dnsbl_sites = bl.example*x\npostscreen_access_list = permit_all\npostscreen_allowlist_interfaces = /x\n'
                            'postscreen_forbidden_commands = GET /y\n')
    texts = [text for _, _, text in said(folder(tmp_path, main, master))]
    assert 'gate_dnsbl_sites: "bl.example*x" is no list such as bl.example=127.0.0.[2..9]*2' in texts
    assert 'gate_access_list: "permit_all" is neither permit_mynetworks nor a table' in texts
    assert 'gate_allowlist_interfaces: "/x" is neither static:all nor a network' in texts
    assert 'gate_forbidden_commands: "/y" is neither a command nor a table' in texts


def test_in_the_place_of_one(tmp_path):
    """Dovecot alone gets mail from another server, which has looked at its domain; together with Postfix, or where malle itself takes
    mail from anybody, that would be wrong."""
    alone, _ = settings(folder(tmp_path / 'dovecot', dovecot=DOVECOT))
    assert alone['', 'every_domain'] == 'yes' and alone['', 'forward_path'].strip('"') == alone['', 'sendmail_socket'].strip('"') == ''
    both, _ = settings(folder(tmp_path / 'both', MAIN, MASTER + PARTS, DOVECOT))
    postfix, _ = settings(folder(tmp_path / 'postfix', MAIN, MASTER + PARTS))
    assert not {('', 'every_domain'), ('', 'forward_path'), ('', 'sendmail_socket')} & (set(both) | set(postfix))
    open_to_all = folder(tmp_path / 'open', dovecot=DOVECOT, **{'malle/local.conf': '[listener smtp]\nenabled = yes\n'})
    assert [text for _, _, text in said(open_to_all) if text == 'every_domain: the listener smtp takes mail for other servers']
