"""malle import --imap: from another malle, and from servers that say odd things."""
import contextlib
import imaplib
import json
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import DOMAIN, Server, eventually

ANN, BOB = f'ann@{DOMAIN}', f'bob@{DOMAIN}'
DATES = [1784281465, 951782400, 1300000000]
MAILS = [b'Subject: one\r\n\r\nfirst\r\n', b'Subject: two\r\n\r\n' + b'x' * 100000 + b'\r\n', b'Subject: three\r\n\r\nno end']
FLAGS = [r'\Seen', r'\Flagged work', '']
EXPECTED = [(set(flags.split()), date, mail) for mail, flags, date in zip(MAILS, FLAGS, DATES)]


@pytest.fixture(scope='module')
def pair(tmp_path_factory):
    """(certificate and key of localhost in one folder, a server)"""
    folder = tmp_path_factory.mktemp('tls')
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.name.startswith('pytest-'):
            parent.chmod(0o755)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost', '-keyout', folder / 'key', '-out', folder / 'cert'], check=True, capture_output=True)
    (folder / 'cert').chmod(0o644)
    with Server(users={ANN: 'ann', BOB: 'bob'}, conf={'tls_certificates': f'{folder}/cert:{folder}/key'}) as server:
        yield folder, server


@contextlib.contextmanager
def imap(server, user):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, user.partition('@')[0])
    yield client
    client.logout()


def fetch(pair, port, *words, user=ANN, password='ann', status=0):
    folder, server = pair
    done = server.malle('import', BOB, '--imap', f'localhost:{port}', '--user', user, '--ca-file', folder / 'cert', '--json', *words,
                        input=password + '\n', check=False)
    assert done.returncode == status, done
    return json.loads(done.stdout) if done.stdout else None, done.stderr


def contents(client, name):
    client.select(name, readonly=True)
    found = []
    for head, body in (part for part in client.uid('FETCH', '1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')[1] if isinstance(part, tuple)):
        found.append(({f.decode() for f in imaplib.ParseFlags(head)} - {r'\Recent'}, time.mktime(imaplib.Internaldate2tuple(head)), body))
    return found


@pytest.fixture
def empty(pair):
    yield
    pair[1].malle('message', 'delete', BOB, '--mailbox', '*', 'ALL')


def test_from_another_malle(pair, empty):
    folder, server = pair
    with imap(server, ANN) as ann, imap(server, BOB) as bob:
        for name in ('Work', 'Work.K&APY-ln'):
            ann.create(name)
            for mail, flags, date in zip(MAILS, FLAGS, DATES):
                ann.append(name, f'({flags})', imaplib.Time2Internaldate(date), mail)
        boxes = len(server.malle('mailbox', 'list', ANN).stdout.splitlines())
        assert fetch(pair, server.port('imaps')) == ({'mailboxes': boxes, 'messages': 6, 'failed': 0}, '')
        assert contents(bob, 'Work') == contents(bob, 'Work.K&APY-ln') == contents(ann, 'Work') == EXPECTED
        assert any(line.endswith(b' Work.K&APY-ln') for line in bob.lsub()[1])
        assert fetch(pair, server.port('imap'), '--starttls', '--mailbox', 'Work') == ({'mailboxes': 1, 'messages': 3, 'failed': 0}, '')
        assert contents(bob, 'Work') == EXPECTED + EXPECTED


def test_many_messages(pair, empty):
    """More than one batch, with holes among the UIDs."""
    folder, server = pair
    with imap(server, ANN) as ann:
        ann.create('Many')
        for number in range(120):
            ann.append('Many', None, None, b'Subject: %d\r\n\r\n' % number)
        ann.select('Many')
        ann.store('3:10', '+FLAGS', r'(\Deleted)')
        ann.expunge()
        assert fetch(pair, server.port('imaps'), '--mailbox', 'Many')[0] == {'mailboxes': 1, 'messages': 112, 'failed': 0}
        rows = json.loads(server.malle('message', 'fetch', BOB, '--mailbox', 'Many', '--json').stdout)
        assert [row['subject'] for row in rows] == [str(n) for n in range(120) if not 2 <= n < 10]


def test_who_cannot_be_trusted_gets_no_password(pair):
    folder, server = pair
    for words, said in ((('--imap', f'127.0.0.1:{server.port("imaps")}'), 'malle: 127.0.0.1: '), (('--ca-file', server.once.authority), 'localhost: ')):
        result, err = fetch(pair, server.port('imaps'), *words, status=1)
        assert result is None and said in err, err
        assert 'auth' not in err.lower()
    assert fetch(pair, server.port('imaps'), password='wrong', status=1)[1].startswith('malle: localhost: ')
    assert fetch(pair, 1, status=1)[1].startswith('malle: connect to localhost')


# --- servers that say odd things ---

class Odd:
    """A server for one connection. says(words): the lines for a command; a line None ends the connection."""

    def __init__(self, folder, says, starttls=False, greeting='* OK ready'):
        self.says, self.starttls, self.greeting, self.heard = says, starttls, greeting, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / 'cert', folder / 'key')
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError):
            connection = self.socket.accept()[0]
            connection.settimeout(20)
            if not self.starttls:
                connection = self.context.wrap_socket(connection, server_side=True)
            connection.sendall(self.greeting.encode() + b'\r\n')
            while self.talk(connection):
                pass
            connection.close()

    def talk(self, connection):
        line = b''
        while not line.endswith(b'\r\n'):
            byte = connection.recv(1)
            if not byte:
                return False
            line += byte
        self.heard.append(line.decode().rstrip())
        tag, _, words = self.heard[-1].partition(' ')
        for answer in self.says(words or tag):
            if answer is None:
                return False
            connection.sendall((answer.replace('TAG', tag) + '\r\n').encode())
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.thread.join(20)


def courier(words):
    """Mailboxes below INBOX, LOGIN alone, literals where nobody needs one, flags and items that nobody knows."""
    verb = words.split()[0]
    return {'CAPABILITY': ['* CAPABILITY IMAP4rev1 NAMESPACE'],
            'NAMESPACE': ['* NAMESPACE (("INBOX." ".")) NIL NIL'],
            'LIST': ['* LIST (\\HasChildren) "." {5}\r\nINBOX', '* LIST (\\Noselect) "." INBOX.none', '* LIST (\\Unknown) "." "INBOX.A/b"'],
            'EXAMINE': ['* 1 EXISTS', '* OK [UIDVALIDITY 1] {x}'],
            'UID': ['* 2 EXISTS', '* 1 FETCH (FLAGS (\\Seen \\Strange NonJunk) X-GM ("a" (b)) UID 5 RFC822.SIZE 9 INTERNALDATE "17-Jul-2026 09:44:25 +0000")']
                   if 'FLAGS' in words else
                   ['* 1 FETCH (FLAGS (\\Seen))', '* 1 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)', '* 1 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)',
                    '* 9 FETCH (UID 77 BODY[] "x")']}.get(verb, []) + ['TAG OK done']


def test_an_old_server(pair, empty):
    folder, server = pair
    with Odd(folder, courier) as odd:
        assert fetch(pair, odd.port) == ({'mailboxes': 2, 'messages': 2, 'failed': 0}, '')
    assert 'LOGIN "ann@malle.test" "ann"' in odd.heard[1] and not any('STORE' in line or 'SELECT' in line for line in odd.heard)
    rows = json.loads(server.malle('message', 'fetch', BOB, '--mailbox', '*', '--json').stdout)
    assert [(row['mailbox'], row['flags'], row['received'], row['message']) for row in rows] == [
        (name, [r'\Seen', 'NonJunk'], '2026-07-17T09:44:25Z', 'A: b\n\nc') for name in ('INBOX', 'A_b')]


@pytest.mark.parametrize('greeting, says, said', (
    ('* BYE too busy', lambda words: [], 'too busy'),
    ('220 mail ESMTP', lambda words: [], 'does not speak IMAP'),
    ('* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] x', lambda words: ['TAG OK'], 'takes no password'),
    ('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x', lambda words: ['TAG OK early'], 'does not speak IMAP'),
    ('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x', lambda words: ['+ '] if words.startswith('AUTH') else ['m1 NO \x1b[31mnever'], 'never'),
    ('* OK [CAPABILITY IMAP4rev1] x', lambda words: ['m9 OK'], 'does not speak IMAP'),
    ('* OK [CAPABILITY IMAP4rev1] x', lambda words: [None], 'the connection ended'),
    ('* OK [CAPABILITY IMAP4rev1] x', lambda words: ['* LIST ((((', 'TAG OK'] if words.startswith('LIST') else ['TAG OK'], 'does not speak IMAP'),
    ('* OK [CAPABILITY IMAP4rev1] x', lambda words: ['* X {99999999999}', 'TAG OK'] if words.startswith('LIST') else ['TAG OK'], 'too long'),
    ('* OK [CAPABILITY IMAP4rev1] x', lambda words: ['* LIST () "/" INBOX', 'TAG OK'] if words.startswith('LIST') else
     ['TAG OK'] if words.startswith('LOGIN') else ['TAG NO not for you'], 'not for you'),
), ids=range(10))
def test_servers_that_cannot_be_used(pair, greeting, says, said):
    folder, server = pair
    with Odd(folder, says, greeting=greeting) as odd:
        _, err = fetch(pair, odd.port, status=1)
    assert said in err and '\x1b' not in err, err


def test_nothing_counts_that_came_before_tls(pair):
    """RFC 9051 §11.1: neither what is said behind the answer to STARTTLS, nor who is logged in already."""
    folder, server = pair
    for greeting, answer in (('* OK x', 'TAG OK go\r\n* CAPABILITY IMAP4rev1'), ('* OK x', 'TAG NO not here'), ('* PREAUTH x', 'TAG BAD logged in')):
        with Odd(folder, lambda words, answer=answer: [answer], starttls=True, greeting=greeting) as odd:
            fetch(pair, odd.port, '--starttls', status=1)
        assert not any('LOGIN' in line or 'AUTH' in line for line in odd.heard)


def test_a_source_that_dies_in_the_middle(pair, empty):
    """What came is kept, and it is told that it was not all."""
    folder, server = pair

    def says(words):
        if words.startswith('UID') and 'FLAGS' not in words:
            return ['* 1 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)', None]
        return courier(words)
    with Odd(folder, says) as odd:
        result, err = fetch(pair, odd.port, status=1)
    assert result['messages'] == 1 and 'the connection ended' in err
    eventually(lambda: len(server.malle('message', 'search', BOB).stdout.splitlines()) == 1)


def test_usage(pair):
    folder, server = pair
    for words in (['--imap', 'localhost'], ['--user', 'x'], ['--imap', 'x', '--user', 'x', '--mbox', 'y'], ['--imap', 'x:0', '--user', 'x', '--password', 'x'],
                  ['--imap', ':993', '--user', 'x', '--password', 'x']):
        done = server.malle('import', BOB, *words, check=False)
        assert done.returncode in (1, 2) and done.stderr and not done.stdout, words
