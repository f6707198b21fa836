"""The same restriction lists and the same dialogues for Debian's Postfix and for malle: replies and log lines must be the same."""
import pathlib
import re
import socket
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from net.fakedns import FakeDns  # noqa: E402
from peers import AskingDns, overrides, running  # noqa: E402
from policyserver import Policy  # noqa: E402
from ports import free_offset, free_port  # noqa: E402

GUIDE = pathlib.Path(__file__).resolve().parents[1] / 'guide/etc/postfix/main.cf'
DNS = '127.88.53.1'  # Postfix asks port 53 only
STRANGER, FRIEND = '127.0.0.9', '127.0.0.1'  # of whom the latter is in mynetworks
DEMO = 'demo@malle.test'
OUTSIDE = '198.51.100.10'  # an address that leads to the server from outside
POLICY_PORT = free_port()
FILTER = 'regexp:{{/^(dropped|half)\\.example\\. [0-9]+ IN MX 10 mx\\.dropped\\.example\\./ IGNORE}, {/^mx\\.dropped\\.example\\. [0-9]+ IN A 198\\.51\\.100\\.20/ IGNORE}}'

RECORDS = {
    ('good.example', 'MX'): ['10 mx.good.example'], ('mx.good.example', 'A'): ['198.51.100.1'],
    ('good.example', 'NS'): ['ns.good.example'], ('ns.good.example', 'A'): ['198.51.100.2'],
    ('host.example', 'A'): ['198.51.100.3'], ('null.example', 'MX'): ['0 .'],
    ('9.0.0.127.bl.example', 'A'): ['127.0.0.4'], ('9.0.0.127.bl.example', 'TXT'): ['seen'],
    ('9.0.0.127.bare.example', 'A'): ['127.0.0.2'], ('9.0.0.127.wl.example', 'A'): ['127.0.0.1'],
    ('evil.example.rhs.example', 'A'): ['127.0.0.2'], ('evil.example.rhs.example', 'TXT'): ['evil'],
    ('dropped.example', 'MX'): ['10 mx.dropped.example'], ('mx.dropped.example', 'A'): ['198.51.100.20'],
    ('half.example', 'MX'): ['10 mx.dropped.example', '20 mx.good.example'],
    ('mx.backup.example', 'A'): ['198.51.100.9'], ('backup.example', 'MX'): ['10 mx.backup.example'],
}


def guide(name):
    """The value of a parameter of the guide's main.cf."""
    text = re.search(rf'^{name} =(.*(?:\n[ \t].*)*)', GUIDE.read_text(), re.M).group(1)
    return ' '.join(text.split())


GATE = 'permit_mynetworks, reject_unauth_destination'
HELOS = ['client.example', 'bare', 'a..b', '2001:db8::1', '-a.example', 'a_b.example', '192.0.2.1', '1234', 'a.b.', '[192.0.2.1]', '[192.0.2.999]', '[192.0.2.1',
         '[IPv6:2001:db8::1]', '[2001:db8::1]', '[]', '[x', 'none.example', 'host.example', 'good.example', 'fails.example']
SENDERS = ['a@good.example', '', 'a@bare', 'a@none.example', 'a@null.example', 'a@fails.example', 'a@[192.0.2.1]', 'a@host.example',
           'a@malle.test', 'a@sub.good.example', 'a@evil.example']
RECIPIENTS = [DEMO, 'b@foreign.example', 'b@bare', 'b@none.example', 'b@null.example', 'b@fails.example', 'b@good.example', 'postmaster',
              'b@[192.0.2.1]', 'a@evil.example']


def dialogues(helos=('client.example',), senders=('a@good.example',), recipients=(DEMO,), sources=(STRANGER,)):
    return [(h, s, r, a) for h in helos for s in senders for r in recipients for a in sources]


ACTIONS = {
    'reject': 'REJECT', 'text': 'REJECT go away', 'status': 'REJECT 5.1.1 gone', 'empty': 'REJECT 5.7.9', 'defer': 'DEFER later',
    'plain': 'DEFER', 'code': '550 no', 'code4': '450 4.2.0 Greylisted', 'bare': '554', 'ok': 'OK', 'relay': 'RELAY', 'digits': '12345',
    'dunno': 'DUNNO', 'permit': 'permit', 'list': 'reject_unauth_destination, reject', 'ifpermit': 'DEFER_IF_PERMIT wait',
    'ifreject': 'DEFER_IF_REJECT wait', 'discard': 'DISCARD', 'silent': 'DISCARD hush', 'hold': 'HOLD', 'held': 'HOLD for now', 'bcc': 'BCC x@malle.test',
    'redirect': 'REDIRECT x@malle.test', 'info': 'INFO hear', 'warn': 'WARN hear', 'nonsense': 'nonsense', 'c1': 'strict', 'c2': 'warned',
    **{f's{i}': f'REJECT 5.1.{i} x' for i in range(10)}, 's20': 'REJECT 5.2.1 x', 's44': 'DEFER 4.4.4 x', 's45': 'REJECT 4.4.4 x',
}
TABLE = 'inline:{ ' + ', '.join('{ %s = %s }' % (key + '@%s', value) for key, value in ACTIONS.items()) + ' }'
CLASSES = {'strict': 'reject', 'warned': 'warn_if_reject reject, defer_if_permit'}

CASES = {
    'guide': ({name: guide(name) for name in ('smtpd_helo_restrictions', 'smtpd_sender_restrictions', 'smtpd_recipient_restrictions')},
              dialogues(HELOS) + dialogues(senders=SENDERS) + dialogues(recipients=RECIPIENTS) +
              dialogues(['bare'], SENDERS, RECIPIENTS, [FRIEND])),
    'helo': ({'smtpd_helo_restrictions': 'reject_invalid_helo_hostname, reject_unknown_helo_hostname', 'smtpd_relay_restrictions': GATE},
             dialogues(HELOS)),
    'at once': ({'smtpd_delay_reject': 'no', 'smtpd_helo_restrictions': 'reject_non_fqdn_helo_hostname',
                 'smtpd_sender_restrictions': 'reject_non_fqdn_sender, reject_unknown_sender_domain',
                 'smtpd_relay_restrictions': 'permit_mynetworks, defer_unauth_destination'},
                dialogues(HELOS[:4]) + dialogues(senders=SENDERS) + dialogues(recipients=RECIPIENTS)),
    'unknown client': ({'smtpd_client_restrictions': 'permit_mynetworks, reject_unknown_reverse_client_hostname', 'smtpd_relay_restrictions': GATE,
                        'unknown_client_reject_code': '550'}, dialogues(sources=[STRANGER, FRIEND])),
    'unknown name': ({'smtpd_client_restrictions': 'warn_if_reject reject, reject_unknown_client_hostname', 'smtpd_relay_restrictions': GATE},
                     dialogues(sources=[STRANGER, FRIEND])),
    'refused at once': ({'smtpd_delay_reject': 'no', 'smtpd_client_restrictions': 'permit_mynetworks, reject', 'smtpd_relay_restrictions': GATE},
                        dialogues(sources=[STRANGER, FRIEND])),
    'lists': ({'smtpd_client_restrictions': 'reject_rbl_client bl.example=127.0.0.[2;3], permit_dnswl_client wl.example, reject',
               'smtpd_sender_restrictions': 'reject_rhsbl_sender rhs.example, warn_if_reject reject_rbl_client bl.example',
               'smtpd_recipient_restrictions': 'reject_rhsbl_recipient rhs.example, reject_unauth_destination'},
              dialogues(senders=['a@good.example', 'a@evil.example', 'a@[192.0.2.1]', '']) + dialogues(recipients=RECIPIENTS)),
    'listed': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': 'reject_rbl_client bl.example=127.0.0.[2;4..11]'},
               dialogues(sources=[STRANGER, FRIEND])),
    'listed bare': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': 'reject_rbl_client bare.example',
                     'maps_rbl_reject_code': '450'}, dialogues()),
    'own words': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': 'reject_rbl_client bl.example',
                   'default_rbl_reply': '${rbl_code} 5.7.99 $client|$client_address|$client_name|$helo_name|$rbl_class|$rbl_domain|$rbl_reason|'
                                        '$rbl_what|$recipient|$recipient_domain|$recipient_name|$sender|$sender_domain|$sender_name'},
                  dialogues(senders=['a@good.example', ''])),
    'sender table': ({'smtpd_recipient_restrictions': f'check_sender_access {TABLE % (("good.example",) * len(ACTIONS))}, {GATE}'},
                     dialogues(senders=[f'{key}@good.example' for key in ACTIONS], recipients=[DEMO, 'b@foreign.example'])),
    'recipient table': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': TABLE % (('relayed.example',) * len(ACTIONS))},
                        dialogues(recipients=[f'{key}@relayed.example' for key in ACTIONS])),
    'sender list': ({'smtpd_relay_restrictions': GATE, 'smtpd_sender_restrictions': TABLE % (('good.example',) * len(ACTIONS)),
                     'smtpd_recipient_restrictions': 'reject'},
                    dialogues(senders=[f'{key}@good.example' for key in ACTIONS])),
    'client table': ({'smtpd_relay_restrictions': GATE,
                      'smtpd_client_restrictions': 'inline:{ { 127.0.0 = REJECT 5.1.2 net }, { localhost = DEFER 4.1.1 name } }'},
                     dialogues(sources=[STRANGER, FRIEND])),
    'helo table': ({'smtpd_relay_restrictions': GATE,
                    'smtpd_helo_restrictions': 'inline:{ { example = REJECT 5.1.1 parent }, { .test = REJECT dot }, { null.example = DUNNO } }'},
                   dialogues(['a.example', 'example', 'a.test', 'null.example', 'bare'])),
    'keys': ({'smtpd_relay_restrictions': GATE,
              'smtpd_sender_restrictions': 'inline:{ { a@ = REJECT local }, { b@x.example = REJECT whole }, { x.example = DEFER domain }, { <> = REJECT null } }'},
             dialogues(senders=['a@y.example', 'a+t@y.example', 'b@x.example', 'b+t@x.example', 'c@x.example', 'c@sub.x.example', 'B@x.example', ''])),
    'servers': ({'smtpd_relay_restrictions': GATE,
                 'smtpd_sender_restrictions': 'check_sender_mx_access inline:{ { 198.51.100.1 = REJECT mx }, { host.example = REJECT itself } }, '
                                              'check_sender_ns_access inline:{ { ns.good.example = DEFER ns } }, check_sender_a_access inline:{ { 192.0.2 = REJECT literal } }'},
                dialogues(senders=SENDERS)),
    'whole': ({'smtpd_relay_restrictions': GATE, 'smtpd_data_restrictions': 'reject_multi_recipient_bounce, reject_unauth_pipelining, '
               'check_sender_access inline:{ { a@host.example = REJECT data } }',
               'smtpd_end_of_data_restrictions': 'check_sender_access inline:{ { b@host.example = REJECT end } }'},
              dialogues(senders=['a@host.example', 'b@host.example', 'c@host.example', ''])),
    'deferred': ({'smtpd_relay_restrictions': GATE, 'smtpd_client_restrictions': 'defer_if_permit', 'smtpd_recipient_restrictions': 'permit_auth_destination, reject'},
                 dialogues(recipients=[DEMO, 'b@foreign.example'])),
    'deferred reject': ({'smtpd_relay_restrictions': 'defer_if_reject, ' + GATE}, dialogues(recipients=[DEMO, 'b@foreign.example'])),
    'plaintext': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': 'permit_inet_interfaces, reject_plaintext_session'},
                  dialogues(sources=[STRANGER, FRIEND])),
    'backup': ({'smtpd_relay_restrictions': 'permit_mx_backup, reject_unauth_destination'},
               dialogues(recipients=['b@backup.example', 'b@fails.example', 'b@none.example'])),
    'proxied': ({'smtpd_relay_restrictions': 'reject_unauth_destination'},
                dialogues(recipients=[f'postmaster@[{OUTSIDE}]', 'postmaster@[127.0.0.1]', 'postmaster@[198.51.100.11]'])),
    'filtered': ({'smtpd_relay_restrictions': GATE, 'smtpd_sender_restrictions': 'reject_unknown_sender_domain, check_sender_mx_access inline:{ { 198.51.100 = REJECT mx } }'},
                 dialogues(senders=['a@dropped.example', 'a@half.example', 'a@host.example'])),
    'policy': ({'smtpd_relay_restrictions': GATE, 'smtpd_recipient_restrictions': f'check_policy_service inet:127.0.0.1:{POLICY_PORT}',
                'smtpd_data_restrictions': f'check_policy_service {{ inet:127.0.0.1:{POLICY_PORT}, policy_context=data }}',
                'smtpd_end_of_data_restrictions': f'check_policy_service inet:127.0.0.1:{POLICY_PORT}'},
               dialogues(senders=['a@good.example', ''], sources=[STRANGER, FRIEND])),
    'soft': ({'soft_bounce': 'yes', 'smtpd_relay_restrictions': GATE, 'smtpd_sender_restrictions': 'reject_unknown_sender_domain',
              'smtpd_helo_restrictions': 'reject_invalid_helo_hostname'},
             dialogues(['client.example', 'a..b'], ['a@good.example', 'a@null.example'], [DEMO, 'b@foreign.example'])),
    'footer': ({'smtpd_reject_footer': '\\c. Call $server_name, not $client_address', 'smtpd_relay_restrictions': GATE},
               dialogues(recipients=[DEMO, 'b@foreign.example'])),
    'lines': ({'smtpd_reject_footer': 'Call\\n$server_name', 'smtpd_relay_restrictions': GATE}, dialogues(recipients=['b@foreign.example'])),
    'filter': ({'smtpd_relay_restrictions': GATE, 'smtpd_sender_restrictions': 'inline:{ { a@good.example = FILTER smtp:[127.0.0.1]:9 } }'},
               dialogues(senders=['a@good.example', 'a@host.example'])),
    'unverified': ({'smtpd_relay_restrictions': 'reject_unverified_recipient, ' + GATE, 'unverified_recipient_reject_reason': 'not now',
                    'address_verify_poll_delay': '1s', 'address_verify_poll_count': '4'},
                   dialogues(recipients=[DEMO, 'b@relayed.example'])),
    'order': ({'smtpd_relay_restrictions': 'reject_unauth_destination', 'smtpd_recipient_restrictions': 'defer',
               'smtpd_relay_before_recipient_restrictions': 'no'}, dialogues(recipients=[DEMO, 'b@foreign.example'])),
}


class Restricted(AskingDns):
    """A service of smtpd for each case."""
    dns = DNS

    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.ports = {case: free_port() for case in CASES}

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'mynetworks': f'{FRIEND}/32', 'virtual_mailbox_domains': 'malle.test',
                'virtual_mailbox_maps': f'inline:{{ {{ {DEMO} = x }}, {{ a@malle.test = x }}, {{ x@malle.test = x }} }}',
                'proxy_interfaces': OUTSIDE, 'smtpd_dns_reply_filter': FILTER, 'relayhost': '[127.0.0.1]:9', 'relay_domains': 'relayed.example', 'recipient_delimiter': '+', 'smtpd_error_sleep_time': '0',
                'smtpd_tls_security_level': 'none', 'smtpd_restriction_classes': ', '.join(CLASSES), **CLASSES}

    def services(self):
        return ''.join(f'127.0.0.1:{self.ports[case]} inet n - n - - smtpd\n' + overrides({'smtpd_relay_restrictions': '', **settings})
                       for case, (settings, _) in CASES.items())


class Dialogue:
    def __init__(self, port, source):
        self.socket = socket.create_connection(('127.0.0.1', port), 30, (source, 0))
        self.file = self.socket.makefile('rb')

    def reply(self):
        text = ''
        while line := self.file.readline().decode():
            text = line.rstrip('\r\n')
            if line[3:4] != '-':
                break
        return text

    def say(self, line):
        self.socket.sendall(line.encode() + b'\r\n')
        return self.reply()


def talk(port, helo, sender, recipient, source):
    """What is said to one message."""
    d = Dialogue(port, source)
    said = [d.reply()]
    if said[0].startswith('220'):
        said[0] = '220'
    for line in (f'HELO {helo}', f'MAIL FROM:<{sender}>', f'RCPT TO:<{recipient}>', 'DATA'):
        said.append(d.say(line))
        if not said[-1].startswith('2'):
            break
    if said[-1].startswith('354'):
        said[-1] = '354'
        said.append(re.sub(r'(250 2.0.0 Ok: \w+) as .*', r'250 2.0.0 Ok', d.say('Subject: x\r\n\r\nx\r\n.')))
    d.say('QUIT')
    d.socket.close()
    return [re.sub('^250 2.1.0 Ok$|^250 2.1.5 Ok$', '250', s) for s in said]


def logged(lines):
    """The lines about restrictions, without times, processes and ids."""
    found = (re.search(r'smtpd\[\d+\]: (\w+): ((?:reject|reject_warning|discard|filter|bcc|redirect|info|warn|hold): .*)', line) for line in lines)
    return [m.group(2) for m in found if m]


@pytest.fixture(scope='module')
def dns():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-dns-'))
    with FakeDns(RECORDS, folder, (DNS, 53)) as server:
        server.trouble['fails.example'] = 'fails'
        yield server


@pytest.fixture(scope='module')
def postfix(dns):
    with running(Restricted, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def policy():
    with Policy(port=POLICY_PORT) as server:
        yield server


@pytest.fixture(scope='module')
def malle(dns):
    """(malle, the port of each case): a listener for each."""
    conf = {'mynetworks': f'{FRIEND}/32', 'own_addresses': OUTSIDE, 'smtpd_dns_reply_filter': FILTER, 'listen': '127.0.0.1', 'relayhost': '[127.0.0.1]:9', 'relay_domains': 'relayed.example', 'smtpd_hard_error_limit': '1000',
            'smtpd_client_connection_count_limit': '1000',
            'smtpd_restriction_classes': '; '.join(f'{name} = {value}' for name, value in CLASSES.items()), **dns.conf}
    offset, ports = free_offset(), {case: free_port() for case in CASES}
    conf['port_offset'] = offset
    sections = ''.join(f'[listener case-{i}]\nprotocol = smtp\nport = {ports[case] - offset}\naddresses = 127.0.0.1\n' +
                       ''.join(f'{name} = {value}\n' for name, value in settings.items())
                       for i, (case, (settings, _)) in enumerate(CASES.items()))
    with Server(conf=conf, sections=sections, users={DEMO: 'demo', 'a@malle.test': 'a', 'x@malle.test': 'x'}) as server:
        yield server, ports


@pytest.mark.parametrize('case', CASES)
def test_same_words(postfix, malle, policy, case):
    lines = CASES[case][1]
    server, ports = malle
    log = postfix.dir / 'log/maillog'

    def postfix_log():
        return log.read_text(errors='replace').splitlines()
    before, first = len(postfix_log()), len(server.lines)
    theirs = [talk(postfix.ports[case], *line) for line in lines]
    ours = [talk(ports[case], *line) for line in lines]
    different = [f'{line}\n  Postfix: {t}\n  malle:   {o}' for line, t, o in zip(lines, theirs, ours) if t != o]
    assert not different, '\n'.join(different)
    eventually(lambda: sum('disconnect from' in line for line in postfix_log()[before:]) >= len(lines), 20)
    eventually(lambda: sum('disconnect from' in line for line in server.lines[first:]) >= len(lines), 20)
    assert logged(server.lines[first:]) == logged(postfix_log()[before:])


def test_same_questions(postfix, malle, policy):
    """A policy server is told the same, in the same order."""
    def asked(port):
        first = len(policy.requests)
        for line in CASES['policy'][1]:
            talk(port, *line)
        return [[(name, '(any)' if name in ('instance', 'client_port', 'server_port', 'queue_id') and value else value)
                 for name, value in request.items()] for request in policy.requests[first:]]
    policy.action = 'DUNNO'
    theirs = asked(postfix.ports['policy'])
    ours = asked(malle[1]['policy'])
    assert len(theirs) == 3 * len(CASES['policy'][1])
    for t, o in zip(theirs, ours):
        assert o == t
