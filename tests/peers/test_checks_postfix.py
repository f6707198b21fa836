"""The same header_checks(5) and body_checks and the same messages for Debian's Postfix and for malle: replies, log lines and what is left of the
messages must be the same."""
import email
import itertools
import pathlib
import re
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, overrides, running  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Port, Smtp  # noqa: E402

DEMO, BOB = 'demo@malle.test', 'bob@malle.test'
PARTS = ('Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\nX-Test: %s\r\n\r\npreamble\r\n--b\r\nContent-Type: '
         'text/plain\r\nX-Inner: one\r\n\r\nfirst\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment;\r\n filename="evil.exe"'
         '\r\n\r\nSubject: inside\r\nMIME-Version: 1.0\r\nX-Inner: two\r\n\r\nnested\r\n--b--\r\nepilogue\r\n')
MESSAGES = {
    'plain': 'Subject: plain\r\nX-Test: %s\r\n\r\nhello\r\n',
    'folded': 'Subject: one\r\n two\r\n\tthree\r\nX-Test: %s\r\n\r\nhello\r\nbad word\r\nbye\r\n',
    'twice': 'X-A: 1\r\nSubject: bad one\r\nX-A: 2\r\nSubject: bad two\r\nX-Test: %s\r\n\r\nbad word\r\nbad word again\r\n',
    'spaced': 'Subject : spaced\r\nX-A  :   wide\r\nX-Test: %s\r\n\r\nx\r\n',
    'parts': PARTS,
    'message': 'Subject: outer\r\nContent-Type: message/rfc822\r\nX-Test: %s\r\n\r\nSubject: inside\r\nX-A: 1\r\n\r\nbad word\r\n',
    'none': 'X-Test: %s\r\nSubject: last\r\n\r\n',
    'utf8': 'Subject: caf\xe9\r\nX-Test: %s\r\n\r\nd\xe9j\xe0 vu\r\n',
    'long': 'Subject: ' + 'x' * 900 + '\r\n ' + 'y' * 900 + '\r\nX-Test: %s\r\n\r\n' + 'z' * 900 + '\r\nbad word\r\n',
    'lines': 'X-Test: %s\r\n\r\n' + ''.join(f'line {i}\r\n' for i in range(30)) + 'bad word\r\n',
    'odd': 'Subject: odd\r\nX-Test: %s\r\n\r\none\r\ntwo\x01three\r\n', 'odd field': 'Subject: o\\dd\r\nX-Test: %s\r\n\r\nx\r\n',
    'broken': 'X-Test: %s\r\nno field\r\nSubject: bad one\r\n\r\nbad word\r\n',
    'digest': 'Content-Type: multipart/digest; boundary=d\r\nX-Test: %s\r\n\r\n--d\r\n\r\nSubject: inside\r\n\r\nbad word\r\n--d--\r\n',
}
# rules for header, MIME, nested and body; None: not set
CASES = {
    'reject': ('/^Subject: bad/ REJECT\n/^Subject: one\\n two/ REJECT no folding\n/^Subject: plain/ REJECT 5.6.7 not plain\n/^X-A: wide/ REJECT 4.2.1 later',
               None, None, '/^bad word$/ REJECT bad language'),
    'tell': ('/^(Subject|X-A): (.*)/ WARN found $2 in $1\n/^X-Test/ DUNNO\n/^X-Inner/ INFO', None, None, '/^bad (.*)/ INFO $1\n/^$/ WARN empty'),
    'drop': ('/^X-A:/ IGNORE\n/^Subject: (bad|plain)/ STRIP gone\n/^Content-Disposition/ IGNORE', None, None, '/^bad word$/ IGNORE\n/^first/ STRIP'),
    'change': ('/^Subject: (.*)/ REPLACE Subject: [x] $1\n/^X-A: (.*)/ PREPEND X-Was: $1', None, None,
               '/^bad (.*)/ REPLACE good $1\n/^hello/ PREPEND well'),
    'mime': (None, '/./ INFO m', None, None),
    'nested': (None, '', '/./ INFO n', None),
    'own mime': ('/^Subject|^Content|^MIME|^X/ INFO h', '/^Content-Type: text/ REPLACE Content-Type: text/html', '', None),
    'pass': ('/^X-A: 1/ PASS\n/^Subject: bad/ REJECT\n/^Subject: plain/ DISCARD quiet\n/^Subject: one/ HOLD wait', None, None,
             '/^bad word$/ REJECT\n/^nested/ DISCARD'),
    'elsewhere': ('/^Subject: bad one/ BCC %s\n/^Subject: plain/ REDIRECT %s\n/^X-Test: / INFO' % (BOB, BOB), None, None, '/^nested$/ REDIRECT %s' % BOB),
    'blocks': ('if /^Subject:/\n!/plain/ INFO other\n/plain/ WARN plain\nendif\n/^X-A: ([0-9])/ REPLACE X-B: ${1}0', None, None, None),
    'wrong': ('/^Subject: plain/ NONSENSE\n/^Subject: one/ REPLACE no header\n/^Subject: bad/ PREPEND\n/^X-A: 1/ BCC nobody\n/^X-A: wide/ REJECT 2.0.0 odd',
              None, None, '/^bad word$/ REPLACE'),
    'received': ('/^Received:/ IGNORE', None, None, None),
    'characters': (None, None, None, None),
    'left alone': (None, None, None, None),
}
CHARACTERS = {'message_reject_characters': r'\1\\', 'message_strip_characters': r'z\172\n'}
MORE = {'characters': CHARACTERS, 'left alone': {**CHARACTERS, 'receive_override_options': 'no_header_body_checks'}}
LIMIT = {'tell': 100}
KINDS = ('header_checks', 'mime_header_checks', 'nested_header_checks', 'body_checks')


def settings(folder, case):
    """The settings of a case; its rules are in files of the folder."""
    values = {}
    for kind, rules in zip(KINDS, CASES[case]):
        if rules:
            path = folder / f'{case.replace(" ", "-")}-{kind}'
            path.write_text(rules + '\n')
            values[kind] = f'regexp:{path}'
        elif rules == '':
            values[kind] = ''
    if case in LIMIT:
        values['body_checks_size_limit'] = str(LIMIT[case])
    return {**values, **MORE.get(case, {})}


class Checking(Postfix):
    """A service of smtpd with its own of cleanup for each case."""
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.ports = {case: free_port() for case in CASES}

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test'}

    def services(self):
        lines = ''
        for i, case in enumerate(CASES):
            own = settings(self.dir, case)
            of_smtpd = {name: own.pop(name) for name in ('receive_override_options',) if name in own}
            lines += f'127.0.0.1:{self.ports[case]} inet n - n - - smtpd\n  -o cleanup_service_name=cleanup{i}\n' + overrides(of_smtpd)
            lines += f'cleanup{i} unix n - n - 0 cleanup\n' + overrides(own)
        return lines


def submit(port, case, name):
    """What is said to one message."""
    with Smtp(Port(port)) as client:
        client.hello()
        client.envelope(DEMO, sender='sender@client.example')
        text = (MESSAGES[name] % f'{case}/{name}').encode('latin-1')
        return re.sub(r'(Ok: \w+ as) \w+', r'\1', client.data(text)[0].strip()).replace('delivered as', 'queued as')


def logged(lines):
    """The lines about fields and lines, without times, processes, ids and the client's name, cut where that is long."""
    found = (re.search(r'(?:cleanup|smtpd)\[\d+\]: \w+: ((?:reject|warning|info|strip|replace|prepend|pass|discard|hold|bcc|redirect): (?:header|body) .*)', line)
             for line in lines)
    return [re.sub(r' from [\w.]+\[', ' from [', m.group(1))[:600] for m in found if m]


def left(path):
    """What a delivered message has of what was sent."""
    text = path.read_bytes().replace(b'\r\n', b'\n')
    header, _, body = text.partition(b'\n\n')
    fields = re.split(rb'\n(?![ \t])', header)
    own = (b'return-path', b'delivered-to', b'x-original-to', b'received', b'message-id', b'date', b'from', b'to')
    return [f for f in fields if f.split(b':')[0].strip().lower() not in own], body


def by_name(paths):
    names = {}
    for path in paths:
        message = email.message_from_bytes(path.read_bytes())
        to = message['Delivered-To'] or message['X-Original-To']
        names[f"{message['X-Test']} to {to}"] = left(path)
    return names


@pytest.fixture(scope='module')
def postfix():
    with running(Checking, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def malle():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-checks-'))
    sections = ''.join(f'[listener case{i}]\nprotocol = smtp\nport = {200 + i}\n' + ''.join(f'{n} = {v}\n' for n, v in settings(folder, case).items())
                       for i, case in enumerate(CASES))
    folder.chmod(0o755)
    with Server(users={DEMO: 'demo', BOB: 'bob'}, sections=sections) as server:
        server.cases = {case: 200 + i + server.offset for i, case in enumerate(CASES)}
        yield server


def test_same_fate(postfix, malle):
    log = postfix.dir / 'log/maillog'
    # malle leaves a field as it is where nothing is to be looked at
    pairs = [(case, name) for case in CASES for name in MESSAGES if case not in MORE or name not in ('spaced', 'broken')]
    for case, name in pairs:
        theirs, ours = submit(postfix.ports[case], case, name), submit(malle.cases[case], case, name)
        assert ours == theirs, f'{case}, {name}'

    def postfix_log():
        return log.read_text(errors='replace').splitlines()
    count = len(pairs)
    eventually(lambda: sum('disconnect from' in line for line in postfix_log()) >= count, 20)
    eventually(lambda: sum('disconnect from' in line for line in malle.lines) >= count, 20)
    ours, theirs = logged(malle.lines), logged(postfix_log())
    different = [f'\n  Postfix: {t}\n  malle:   {o}' for t, o in itertools.zip_longest(theirs, ours) if t != o]
    assert not different, ''.join(different)
    paths = malle.messages(DEMO) + malle.messages(BOB)
    ours = by_name(paths)
    eventually(lambda: len(postfix.messages()) >= len(paths), 20)
    theirs = by_name(postfix.messages())
    assert sorted(ours) == sorted(theirs)
    for name, message in ours.items():
        assert message == theirs[name], name
