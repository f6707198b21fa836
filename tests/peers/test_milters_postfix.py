"""The same milter and the same dialogues for Debian's Postfix and for malle: what the milter hears, the replies, the log lines and what is left
of the messages must be the same."""
import itertools
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import milter as m  # noqa: E402
from harness import Server, eventually  # noqa: E402
from peers import Postfix, running  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Smtp  # noqa: E402

DEMO, ANN, SENDER = 'demo@malle.test', 'ann@malle.test', 'a@client.example'
MACROS = 'j v i _ {client_addr} {client_name} {client_ptr} {client_resolve} {daemon_name} {daemon_addr} {auth_type} {mail_addr} {rcpt_addr} {tls_version} {own}'
SETTINGS = {'milter_command_timeout': '3s', 'milter_content_timeout': '3s', 'milter_macro_v': 'the same', 'milter_macro_defaults': 'own=yes, auth_type=none',
            **{f'milter_{stage}_macros': MACROS for stage in ('connect', 'helo', 'mail', 'rcpt', 'data', 'end_of_header', 'end_of_data')}}
HEADER = (b'From: a@client.example\r\nTo: demo@malle.test\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@client.example>\r\nSubject: one\r\n'
          b' two\r\nReceived: from x\r\n by y; Fri, 27 Nov 2026 10:00:00 +0000\r\nX-Two: 1\r\nX-Two:2\r\n\tthree\r\n')
TEXT = HEADER + b'\r\nbody\r\n.dots\r\n\r\nend\r\n'
HELLO = ['EHLO client.example', f'MAIL FROM:<{SENDER}>', f'RCPT TO:<{DEMO}>']
MESSAGE = [*HELLO, TEXT]

# what the milter does, its options, and what the client says; bytes are a message
CASES = {
    'nothing': ({}, {}, MESSAGE),
    'dialogue': ({}, {}, ['HELO a.example', 'EHLO b.example', 'NONSENSE', 'MAIL FROM:<> SIZE=100', f'RCPT TO:<{DEMO}> NOTIFY=NEVER', 'RSET',
                          f'MAIL FROM:<{SENDER}>', 'RCPT TO:<nobody@malle.test>', f'RCPT TO:<{DEMO}>', f'RCPT TO:<{ANN}>', TEXT, f'MAIL FROM:<{ANN}>',
                          f'RCPT TO:<{DEMO}>', TEXT]),
    'large': ({}, {}, [*HELLO, HEADER + b'\r\n' + b'0123456789abcdef\r\n' * 9000]),
    'header only': ({'E': [m.add('X-New', '1'), m.CONTINUE]}, {}, [*HELLO, HEADER]),
    'add': ({'E': [m.add('X-New', 'one\n\ttwo'), m.add('X-Odd', 'one\ntwo'), m.CONTINUE]}, {}, MESSAGE),
    'insert': ({'E': [m.insert(0, 'X-0', '0'), m.insert(2, 'X-2', '2'), m.insert(99, 'X-99', '99'), m.ACCEPT]}, {}, MESSAGE),
    'insert below': ({'E': [m.insert(1, 'X-1', '1'), m.insert(1, 'X-0', '0'), m.ACCEPT]}, {}, MESSAGE),
    'change': ({'E': [m.change(1, 'Subject', 'new'), m.change(2, 'x-two', 'b'), m.change(5, 'X-Two', 'c'), m.change(0, 'From', 'f@x'), m.CONTINUE]}, {}, MESSAGE),
    'delete': ({'E': [m.change(1, 'X-Two', ''), m.change(1, 'Received', ''), m.change(1, 'None', ''), m.CONTINUE]}, {}, MESSAGE),
    'body': ({'E': [b'bnew\r\nbody\r', b'b\nmore\r\n', b'blast', m.CONTINUE]}, {}, MESSAGE),
    'body and header': ({'E': [m.add('X-New', '1'), b'bnew\r\n', m.CONTINUE]}, {}, MESSAGE),
    'recipients': ({'E': [b'+' + m.text(f'<{ANN}>'), b'-' + m.text(f'<{DEMO}>'), m.CONTINUE]}, {}, MESSAGE),
    'sender': ({'E': [b'e' + m.text('<new@sender.example>'), m.CONTINUE]}, {}, MESSAGE),
    'null sender': ({'E': [b'e' + m.text('<>'), m.CONTINUE]}, {}, MESSAGE),
    'hold': ({'E': [m.QUARANTINE, m.CONTINUE]}, {}, MESSAGE),
    'progress': ({'E': [m.PROGRESS, m.PROGRESS, m.ACCEPT]}, {}, MESSAGE),
    'leading space': ({'E': [m.add('X-New', ' one'), m.add('X-None', 'two'), m.CONTINUE]}, {'protocol': m.LEADING_SPACE}, MESSAGE),
    'skip': ({'B': m.SKIPPED}, {'protocol': m.SKIP}, [*HELLO, HEADER + b'\r\n' + b'0123456789abcdef\r\n' * 9000]),
    'mute': ({}, {'protocol': sum(m.MUTE.values())}, MESSAGE),
    'rejected recipients': ({}, {'protocol': m.REJECTED_RCPT}, [*HELLO[:2], 'RCPT TO:<nobody@malle.test>', HELLO[2], TEXT]),
    'symbols': ({}, {'symbols': [(2, 'i {mail_addr}'), (5, '')]}, MESSAGE),
    **{f'no {letter}': ({}, {'protocol': bit}, ['EHLO x.example', 'NONSENSE', *MESSAGE[1:]]) for letter, bit in m.NO.items()},
    **{f'version {v}': ({}, {'version': v, 'actions': 0x3f}, ['EHLO x.example', 'NONSENSE', *MESSAGE[1:]]) for v in (2, 3, 4, 5)},
    **{f'{name} at {letter}': ({letter: answer}, {}, ['EHLO x.example', 'NONSENSE', *MESSAGE[1:], 'NOOP'])
       for letter in 'CHUMRTLNBE'
       for name, answer in {'reject': m.REJECT, 'tempfail': m.TEMPFAIL, 'reply': m.reply('554 5.7.99 50%% no'), 'accept': m.ACCEPT,
                            'discard': m.DISCARD, 'bare reply': m.reply('450 later'), '421': m.reply('421 4.7.0 go away')}.items()},
    'lines': ({'M': m.reply('550-5.7.1 one\r\n550 5.7.1 two')}, {}, MESSAGE),
    'bad reply': ({'M': m.reply('250 fine')}, {}, MESSAGE),
    'newer': ({}, {'version': 7}, MESSAGE),
    'actions': ({}, {'actions': 0x1000}, MESSAGE),
    'drop at E': ({'E': [m.add('X', '1'), m.DROP]}, {}, MESSAGE),
    'drop at H': ({'H': m.DROP}, {}, MESSAGE),
    'unknown answer': ({'M': b'?'}, {}, MESSAGE),
    'early edit': ({'M': m.add('X', '1')}, {}, MESSAGE),
    'no packet': ({'M': [m.raw(b'\0\0\0\0'), m.DROP]}, {}, MESSAGE),
}
# where malle says something else, and why
KNOWN = {
    'discard at C', 'discard at H', 'accept at U', 'discard at U',  # Postfix is out of step with a milter that does so
}


class Milting(Postfix):
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.milter = None

    def command(self):
        binary, option, etc = super().command()
        main = etc / 'main.cf'
        lines = dict(line.split(' =', 1) for line in main.read_text().splitlines())
        lines.update({'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test', 'virtual_mailbox_maps':
                      f'inline:{{ {DEMO}=demo/, {ANN}=ann/ }}', 'smtpd_milters': self.milter, 'smtpd_reject_unlisted_recipient': 'yes',
                      'smtpd_hard_error_limit': '1000', **SETTINGS})
        main.write_text(''.join(f'{name} = {value.strip()}\n' for name, value in lines.items()))
        return binary, option, etc


@pytest.fixture(scope='module')
def filter_():
    with m.Milter(port=free_port()) as milter:
        yield milter


@pytest.fixture(scope='module')
def postfix(filter_):
    class With(Milting):
        def __init__(self, malle_port):
            super().__init__(malle_port)
            self.milter = filter_.name
    with running(With, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def malle(filter_):
    conf = {'smtpd_milters': filter_.name, 'smtpd_hard_error_limit': '1000', 'smtpd_client_connection_count_limit': '1000', **SETTINGS}
    with Server(conf=conf, users={DEMO: 'demo', ANN: 'ann'}) as server:
        yield server


def dialogue(port, lines):
    """The replies; those that have an id without it, and the greeting and EHLO without their own words."""
    class Port:
        @staticmethod
        def port(_):
            return port
    said = []
    with Smtp(Port) as client:
        said.append(client.greeting[:3])
        for line in lines:
            if not said[-1] or said[-1].startswith('421'):
                break
            if isinstance(line, bytes):
                said += client.data(line) if said[-1].startswith('2') else []
            else:
                said.append(client.command(line))
                if line[:4] in ('EHLO', 'HELO') and said[-1].startswith('250'):
                    said[-1] = '250'
        if not said[-1].startswith('421'):
            client.command('QUIT')
    words = {'500 5.5.2 Error: command not recognized': '502', '502 5.5.2 Error: command not recognized': '502'}
    said = [re.sub(r'Ok: \w+ as \w+', 'Ok', words.get(s, s)) for s in said]
    return [re.sub(r'User unknown.*', 'User unknown', s) for s in said]


def heard(session):
    """The events without those that only tell of an end; the bodies in one; what differs by nature is left out."""
    events = [(letter, payload) for letter, payload in session.events if letter not in 'AQB']
    events = [(letter, re.sub(rb'\x004..', b'\x004', payload, flags=re.S) if letter == 'C' else payload) for letter, payload in events]
    macros = {}
    for letter, values in session.macros:
        macros.setdefault(letter, {}).update({n: '(id)' if n == 'i' else v for n, v in values.items()})
    if macros.get('R', {}).get('{rcpt_addr}', '').startswith('<'):
        macros['R']['{rcpt_addr}'] = '(reason)'
    return events, session.body(), macros


def logged(lines):
    found = (re.search(r'(?:cleanup|smtpd)\[\d+\]: (?:\w+: )?((?:milter-\w+: ).*)', line) for line in lines)
    return [re.sub(r'(EHLO from .*) proto=E?SMTP', r'\1', one.group(1)) for one in found if one]


OWN = (b'return-path', b'delivered-to', b'x-original-to')


def left(path):
    """The fields of a delivered message, and its body; of our own Received only that it is there."""
    header, _, body = path.read_bytes().replace(b'\r\n', b'\n').partition(b'\n\n')
    fields = re.split(rb'\n(?![ \t])', header)
    sender = next(f for f in fields if f.lower().startswith(b'return-path'))
    fields = [f for f in fields if f.split(b':')[0].lower() not in OWN]
    return sender, [b'Received' if b'mail.malle.test' in f and f.startswith(b'Received') else f for f in fields], body


def mailboxes(paths):
    return sorted((re.search(rb'Delivered-To: (\S+)', p.read_bytes()).group(1), left(p)) for p in paths)


@pytest.mark.parametrize('name', [n for n in CASES if n not in KNOWN])
def test_same_fate(filter_, postfix, malle, name):
    script, options, lines = CASES[name]
    log = postfix.dir / 'log/maillog'

    def their_log():
        return log.read_text(errors='replace').splitlines()
    before = {'theirs': set(postfix.messages()), 'ours': set(malle.messages(DEMO) + malle.messages(ANN))}
    first = {'theirs': len(their_log()), 'ours': len(malle.lines)}
    filter_.behave(script, **options)
    theirs = dialogue(postfix.port, lines)
    their_session = filter_.last
    ours = dialogue(malle.port('smtp'), lines)
    our_session = filter_.last
    assert our_session is not their_session
    assert ours == theirs
    eventually(lambda: any('disconnect from' in line for line in their_log()[first['theirs']:]), 20)
    eventually(lambda: any('disconnect from' in line for line in malle.lines[first['ours']:]), 20)
    assert [e for e in heard(our_session)[0]] == [e for e in heard(their_session)[0]]
    assert heard(our_session)[1] == heard(their_session)[1]
    our_macros, their_macros = heard(our_session)[2], heard(their_session)[2]
    for letter, values in their_macros.items():  # of the content Postfix's cleanup knows less than its smtpd
        assert values == {n: v for n, v in our_macros[letter].items() if letter not in 'LNBE' or n in values}, letter
    ours, theirs = logged(malle.lines[first['ours']:]), logged(their_log()[first['theirs']:])
    different = [f'\n  Postfix: {t}\n  malle:   {o}' for t, o in itertools.zip_longest(theirs, ours) if t != o]
    assert name == 'lines' or not different, ''.join(different)
    our_mail = set(malle.messages(DEMO) + malle.messages(ANN)) - before['ours']
    eventually(lambda: len(set(postfix.messages()) - before['theirs']) >= len(our_mail), 20)
    assert mailboxes(our_mail) == mailboxes(set(postfix.messages()) - before['theirs'])
