"""Recipients and senders that do not exist: Debian's Postfix and malle say the same of each kind of domain, and with the same code."""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, overrides, running  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Port, Smtp  # noqa: E402

DEMO = 'demo@malle.test'
CODES = ('unknown_local_recipient_reject_code', 'unknown_virtual_alias_reject_code', 'unknown_virtual_mailbox_reject_code', 'unknown_relay_recipient_reject_code')
CASES = {
    'usual': {},
    'without tables': {'show_user_unknown_table_name': 'no'},
    'later': {name: '450' for name in CODES},
    'each': {name: str(code) for name, code in zip(CODES, (451, 552, 453, 554))},
    'all': {'show_user_unknown_table_name': 'no', **{name: '450' for name in CODES}},
}
MAPS = {'virtual_alias_maps': f'inline:{{ {{ known@alias.example = {DEMO} }} }}', 'relay_domains': 'relayed.example',
        'relay_recipient_maps': 'inline:{ { known@relayed.example = x } }', 'smtpd_reject_unlisted_sender': 'yes'}
NAMES = [f'{name}@{domain}' for name in ('nobody', 'known', 'demo') for domain in ('malle.test', 'local.example', 'alias.example', 'relayed.example')]


class Postfixes(Postfix):
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.ports = {case: free_port() for case in CASES}

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'mydestination': 'local.example', 'local_recipient_maps': 'inline:{ { x@local.example = x } }',
                'virtual_alias_domains': 'alias.example', 'virtual_mailbox_domains': 'malle.test', 'virtual_mailbox_maps': f'inline:{{ {{ {DEMO} = x }} }}',
                'mynetworks': '192.0.2.0/24', 'smtpd_peername_lookup': 'no', 'smtpd_error_sleep_time': '0', **MAPS}

    def services(self):
        return ''.join(f'127.0.0.1:{self.ports[case]} inet n - n - - smtpd\n' + overrides(settings) for case, settings in CASES.items())


@pytest.fixture(scope='module')
def postfix():
    with running(Postfixes, free_port()) as peer:
        yield peer


def talk(port):
    said = {}
    for sender, recipient in [('a@c.example', name) for name in NAMES] + [(name, DEMO) for name in NAMES]:
        with Smtp(Port(port)) as client:
            for line in ('HELO client.example', f'MAIL FROM:<{sender}>', f'RCPT TO:<{recipient}>', 'QUIT'):
                reply = client.command(line).strip()
                said[sender, recipient, line] = re.sub('^250 .*', '250', reply).replace('.1.7 <', '.1.0 <')  # of senders in alias domains Postfix says 5.1.7
    return said


def rejected(lines):
    found = (re.search(r'smtpd\[\d+\]: NOQUEUE: (reject: .*)', line) for line in lines)
    return [m.group(1).replace('localhost[', 'unknown[').replace('.1.7 <', '.1.0 <') for m in found if m]


@pytest.mark.parametrize('case', CASES)
def test_same_refusals(postfix, case):
    log = postfix.dir / 'log/maillog'
    before = len(log.read_text().splitlines())
    conf = {'domains': 'malle.test, local.example, alias.example', 'local_domains': 'local.example', 'alias_domains': 'alias.example', 'mynetworks': '192.0.2.0/24',
            'system_users': 'no', 'smtpd_hard_error_limit': '1000', **MAPS, **CASES[case]}
    with Server(conf=conf, users={DEMO: 'demo', 'demo@alias.example': 'never asked'}) as server:
        theirs, ours = talk(postfix.ports[case]), talk(server.port('smtp'))
        assert [(key, theirs[key], said) for key, said in ours.items() if theirs[key] != said] == []
        refused = [said for said in ours.values() if said[:1] in '45']
        assert len(refused) > 10
        eventually(lambda: len(rejected(server.lines)) == len(rejected(log.read_text().splitlines()[before:])) == len(refused))
        assert rejected(server.lines) == rejected(log.read_text().splitlines()[before:])
