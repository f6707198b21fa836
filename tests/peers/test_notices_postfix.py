"""What Debian's Postfix and malle tell a postmaster of the same sessions (notify_classes): of which, and in which words."""
import pathlib
import re
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, overrides, running  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Port, Smtp  # noqa: E402

CHIEF, DEMO, BOUNCES = 'chief@malle.test', 'demo@malle.test', 'bounces@malle.test'
LONG = 'x' * 60 + ' ' + 'y' * 100 + ' ' + ' '.join(['z'] * 40)
# each greets with its own name, and says QUIT when it is not to be cut off
SESSIONS = {
    'fine': ['MAIL FROM:<a@c.example>', f'RCPT TO:<{DEMO}>'],
    'relay': ['MAIL FROM:<a@c.example>', 'RCPT TO:<b@elsewhere.example>', 'RSET'],
    'restriction': ['MAIL FROM:<a@c.example>', f'RCPT TO:<{DEMO}>'],
    'unknown-recipient': ['MAIL FROM:<a@c.example>', 'RCPT TO:<nobody@malle.test>'],
    'both': ['MAIL FROM:<a@c.example>', 'RCPT TO:<nobody@malle.test>', 'RCPT TO:<b@elsewhere.example>'],
    'unknown-command': ['FOO bar'],
    'order': ['RCPT TO:<b@elsewhere.example>'],
    'syntax': ['MAIL FROM:<a', 'MAIL'],
    'long': ['FOO ' + LONG],
    'lost': ['FOO', None],
    'errors': ['FOO', 'FOO', 'FOO', 'FOO', None],
    'size': ['MAIL FROM:<a@c.example> SIZE=999999999'],
}
CLASSES = {'none': '2bounce', 'all': 'bounce, policy, protocol, resource, software, data', 'bounce': 'bounce', 'policy': 'policy', 'protocol': 'protocol',
           'resource': 'resource, software, data'}
COMMON = {'show_user_unknown_table_name': 'no', 'smtpd_helo_restrictions': 'check_helo_access inline:{ { restriction.example = REJECT go away } }', 'smtpd_hard_error_limit': '4', 'error_notice_recipient': CHIEF, 'bounce_notice_recipient': BOUNCES,
          'virtual_alias_maps': f'inline:{{ {{ {BOUNCES} = {CHIEF} }} }}'}


class Telling(Postfix):
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.ports = {name: free_port() for name in CLASSES}

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test', 'virtual_mailbox_maps': f'inline:{{ {{ {DEMO} = demo/ }} {{ {CHIEF} = chief/ }} }}',
                'smtpd_peername_lookup': 'no', 'mynetworks': '192.0.2.0/24', 'smtpd_error_sleep_time': '0', 'smtpd_relay_restrictions': 'reject_unauth_destination',
                **COMMON}

    def services(self):
        return ''.join(f'127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n' + overrides({'notify_classes': classes}) for name, classes in CLASSES.items())


@pytest.fixture(scope='module')
def postfix():
    with running(Telling, free_port()) as peer:
        yield peer


def told(port, messages):
    """The notices by the name of the session: those that are there once a message that was sent behind it has come."""
    before = set(messages())
    for name, commands in SESSIONS.items():
        with Smtp(Port(port)) as client:
            for line in (f'HELO {name}.example', *commands, 'QUIT'):
                if line is None:
                    break
                client.command(line)
    with Smtp(Port(port)) as client:
        client.command('HELO last.example')
        assert client.envelope(CHIEF).startswith('250')
        assert client.data(b'Subject: last\r\n\r\nx\r\n')[0].startswith('250')
    eventually(lambda: any('\nSubject: last' in path.read_text() for path in set(messages()) - before), 20)
    time.sleep(0.5)  # as the others may be on their way beside it
    new = [normal(path.read_text()) for path in set(messages()) - before if '\nSubject: last' not in path.read_text()]
    return {re.search(r'HELO ([\w-]+)\.example', body)[1]: (subject, addresses, body) for subject, addresses, body in new}


def normal(text):
    header, _, body = text.replace('\r\n', '\n').partition('\n\n')
    fields = {name: re.search(rf'^{name}: (.*)$', header, re.M)[1] for name in ('Subject', 'To', 'From')}
    subject = re.sub('^(Postfix|malle) ', '', fields['Subject']).replace('localhost[', 'unknown[')
    addresses = re.findall(r'[\w.-]+@[\w.-]+', fields['To'] + fields['From'])
    body = re.sub('(?m)^( Out: 220 mail.malle.test ESMTP) .*$', r'\1', body)
    body = re.sub('Bad (sender |recipient )?address syntax', 'Bad address syntax', body.replace('localhost[', 'unknown['))
    return subject, addresses, body.rstrip()


@pytest.mark.parametrize('classes', CLASSES)
def test_the_same_is_told(postfix, classes):
    conf = {**COMMON, 'notify_classes': CLASSES[classes], 'mynetworks': '192.0.2.0/24', 'message_size_limit': '10240000'}
    with Server(conf=conf, users={CHIEF: 'chief', DEMO: 'demo'}) as server:
        theirs = told(postfix.ports[classes], postfix.messages)
        ours = told(server.port('smtp'), lambda: server.messages(CHIEF))
        assert sorted(ours) == sorted(theirs)
        for name, notice in theirs.items():
            assert ours[name] == notice, name
