"""What Debian's Postfix and malle make of the same deliveries: statuses that a filter changes, long lines, delays that are over, programs for connections."""
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, running  # noqa: E402
from ports import free_port  # noqa: E402
from relay.remote import Remote  # noqa: E402
from talk import Port, Smtp  # noqa: E402

DEMO = 'demo@malle.test'
FILTER = ('/^5\\.1\\.1 (host .* said: 550 5\\.1\\.1 moving .*)/ 4.1.1 $1\n/^4(\\.2\\.1 host .* said: 450 4\\.2\\.1 never.*)/ 5$1\n/^2\\.0\\.0 .*/ 2.1.9 it is there\n'
          '/^5\\.7\\.1 / 5.7.9 ask the chief\n/^5\\.6\\.0 / 2.0.0 never mind\n/^4\\.6\\.0 / nonsense\n')
REPLIES = {'moving': '550 5.1.1 moving', 'never': '450 4.2.1 never', 'fine': None, 'refused': '550 5.7.1 no', 'odd': '550 5.6.0 no', 'strange': '450 4.6.0 no',
           'waits': '450 4.3.1 full'}
POLICY = '''import os, sys
facts = [str(each) for each in (os.getuid(), os.getgid(), sorted({os.getgid(), *os.getgroups()}), sorted(os.listdir('/proc/self/fd'))[:-1], sys.argv[1:], 'PATH' in os.environ, 'HOME' in os.environ)]
for line in sys.stdin:
    if line == '\\n':
        print('action=REJECT ' + ' '.join(facts) + '\\n', flush=True)
'''
WHOLE = b'Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nFrom: x@y.example\r\nMessage-ID: <1@y.example>\r\nTo: z@y.example\r\n'
COMMON = {'delay_warning_time': '2s', 'confirm_delay_cleared': 'yes', 'minimal_backoff_time': '1s', 'maximal_backoff_time': '2s', 'smtp_tls_security_level': 'none',
          'smtp_line_length_limit': '998', 'mynetworks': '127.0.0.0/8'}


class Delivering(Postfix):
    policy = free_port()

    def changes(self):
        (self.dir / 'filter').write_text(FILTER)
        (self.dir / 'policy.py').write_text(POLICY)
        return {**COMMON, 'queue_run_delay': '1s', 'relay_domains': 'far.example', 'smtp_delivery_status_filter': f'regexp:{self.dir}/filter', 'myhostname': 'mail.malle.test',
                'smtp_address_preference': 'ipv4', 'virtual_mailbox_domains': 'malle.test', 'smtpd_policy_service_timeout': '10s'}

    def services(self):
        return ('trace unix - - n - 0 bounce\nflush unix n - n 1000? 0 flush\n'
                f'policy unix - n n - 0 spawn user=daemon argv=/usr/bin/python3 {self.dir}/policy.py x -y\n'
                f'127.0.0.1:{self.policy} inet n - n - - smtpd\n  -o {{ smtpd_recipient_restrictions = check_policy_service unix:private/policy }}\n')


@pytest.fixture(scope='module')
def pair(place):
    """(port, port of the policy, log lines, messages for DEMO, the remote) of both."""
    top = place
    top.chmod(0o755)
    (top / 'filter').write_text(FILTER)
    (top / 'policy.py').write_text(POLICY)
    with Remote(('PIPELINING',)) as theirs, Remote(('PIPELINING',)) as ours:
        for remote in (theirs, ours):
            for who, reply in REPLIES.items():
                if reply:
                    remote.answer('RCPT', reply, match=f'{who}@')
        sections = (f'[listener policy]\nprotocol = spawn\nsocket = {top}/policy\nmode = 0600\nprogram = user=daemon argv=/usr/bin/python3 {top}/policy.py x -y\n'
                    f'[listener submission]\nprotocol = smtp\nsmtpd_recipient_restrictions = check_policy_service unix:{top}/policy, reject_unauth_destination\n')
        conf = {**COMMON, 'relayhost': ours.site, 'smtp_delivery_status_filter': f'regexp:{top}/filter'}
        with running(Delivering, theirs.port) as peer, Server(conf=conf, users={DEMO: 'demo'}, sections=sections) as server:
            log = peer.dir / 'log/maillog'
            yield [(peer.port, peer.policy, lambda: log.read_text(errors='replace').splitlines(), peer.messages, theirs),
                   (server.port('smtp'), server.port('submission'), lambda: server.log().splitlines(), lambda: server.messages(DEMO), ours)]


def put(port, recipient, content=b'Subject: x\r\n\r\nx\r\n'):
    with Smtp(Port(port)) as client:
        client.hello()
        assert client.envelope(recipient, sender=DEMO).startswith('250')
        assert client.data(content)[0].startswith('250')


def fate(lines, who):
    """(dsn, status, words) of the first attempt, hosts aside."""
    def found():
        return next((m for line in lines() if (m := re.search(rf'to=<{who}@far\.example>.*dsn=([\d.]+), status=(\w+) \((.*)\)$', line))), None)
    dsn, status, words = eventually(found, 20).groups()
    return dsn, status, re.sub(r'host \S+ said', 'host HOST said', words)


def test_statuses(pair):
    fates = []
    for port, _, lines, _, _ in pair:
        for who in REPLIES:
            put(port, f'{who}@far.example')
        fates.append({who: fate(lines, who) for who in REPLIES})
    assert fates[0] == fates[1]
    assert fates[0]['moving'][:2] == ('4.1.1', 'deferred') and fates[0]['never'][:2] == ('5.2.1', 'bounced') and fates[0]['fine'] == ('2.1.9', 'sent', 'it is there')


def test_long_lines(pair):
    lines = [b'x' * 998, b'y' * 999, b'z' * 3000, b'.' * 2000, b'w' * (998 + 997), b'v' * (998 + 997 + 1)]
    got = []
    for port, _, _, _, remote in pair:
        put(port, 'lines@far.example', WHOLE + b'Subject: ' + b's' * 1500 + b'\r\n\r\n' + b'\r\n'.join(lines) + b'\r\n')
        message = eventually(lambda remote=remote: next((m for m in remote.messages if b'Subject: sss' in m.content), None), 20)
        got.append(message.content[message.content.index(b'Subject: s'):])
    assert got[0] == got[1] and max(map(len, got[0].split(b'\r\n'))) == 998


def told(messages):
    """Of the message for `waits`: what its sender was told."""
    texts = [path.read_text(errors='replace') for path in messages()]
    return [(re.search('^Subject: (.*)$', text, re.M)[1], re.search('^Action: (.*)$', text, re.M)[1]) for text in texts if 'waits@far.example' in text]


def test_a_delay_that_is_over(pair):
    """Runs behind test_statuses, which sent it."""
    results = []
    for _, _, _, messages, remote in pair:
        eventually(lambda messages=messages: told(messages), 30)
        remote.rules = [rule for rule in remote.rules if rule['match'] != 'waits@']
        eventually(lambda messages=messages: len(told(messages)) == 2, 30)
        results.append(sorted(told(messages)))
    assert results[0] == results[1] == [('Delayed Mail (still being retried)', 'delayed'), ('Successful Mail Delivery Report', 'relayed')]


def test_program_for_a_connection(pair):
    replies = []
    for _, port, _, _, _ in pair:
        with Smtp(Port(port)) as client:
            client.hello()
            replies.append(client.envelope(DEMO, sender='a@b.example'))
    assert replies[0] == replies[1] and str(os.getuid()) != replies[0].split()[6]
