"""NOTIFY (RFC 5465) across processes: what deliveries and other programs do is told, within limits. tests/wire/imap/notify.t has the protocol."""
import contextlib
import pathlib
import shutil
import time

import pytest

from harness import Server, eventually
from imap_model import Connection
from mail import send
from test_parking import processes

USER, PASSWORD = 'joe@malle.test', 'joes'
BOTH = 'MessageNew MessageExpunge'


@pytest.fixture(scope='module')
def server():
    with Server(users={USER: PASSWORD}, conf={'imap_hibernate_timeout': '0', 'hierarchy_separator': '/'}) as s:
        yield s


class Client(Connection):
    def __init__(self, server):
        super().__init__(server.tls_context().wrap_socket(server.connect('imaps')))
        self.line()
        self.ok(f'LOGIN {USER} {PASSWORD}')

    def ok(self, text):
        lines, tagged = self.say(text)
        assert tagged.startswith('OK'), f'{text}: {tagged}'
        return lines

    def is_silent(self, seconds=0.3):
        self.sock.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            self.pending += self.sock.recv(1000)
        self.sock.settimeout(20)
        return self.pending == b''


@pytest.fixture
def client(server):
    c = Client(server)
    yield c
    c.sock.close()


@pytest.fixture
def other(server):
    c = Client(server)
    yield c
    c.sock.close()


def watches(server):
    """How many folders mailbox watches."""
    found = 0
    for fd in pathlib.Path(f'/proc/{server.role_pids("mailbox")[0]}/fdinfo').iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += fd.read_text().count('inotify wd:')
    return found


def test_deliveries_are_told(server, client):
    client.ok('SELECT Sent')
    client.ok(f'NOTIFY SET (selected NONE) (inboxes ({BOTH}))')
    assert client.is_silent()
    for expected in (1, 2, 3):
        assert send(server, [USER], 'Subject: x\r\n\r\nx\r\n')[0] == 250
        assert client.line() == f'* STATUS INBOX (MESSAGES {expected} UIDNEXT {expected + 1})'
    assert client.is_silent()


def test_other_programs(server, client):
    client.ok(f'NOTIFY SET (personal ({BOTH} MailboxName SubscriptionChange))')
    server.malle('mailbox', 'create', USER, 'made')
    assert client.line() == '* LIST (\\HasNoChildren) "/" made'
    folder = server.maildir(USER) / '.made'
    (folder / 'new' / f'{int(time.time())}.M1P1.host').write_text('Subject: x\n\nx\n')
    assert client.line() == '* STATUS made (MESSAGES 1 UIDNEXT 2)'
    folder.rename(folder.with_name('.moved'))
    lines = [client.line()]
    if 'moved' not in lines[0]:  # to the index a folder that another program renames is a new one, unless its uidlist says more
        lines.append(client.line())
    assert any(line.startswith('* LIST (\\HasNoChildren) "/" moved') for line in lines)
    folder.with_name('.moved').rename(folder.with_name('..gone'))
    shutil.rmtree(folder.with_name('..gone'))
    assert eventually(lambda: client.line() == '* LIST (\\NonExistent \\HasNoChildren) "/" moved')
    with (server.maildir(USER) / 'subscriptions').open('a') as f:
        f.write('Later\n')
    (server.maildir(USER) / 'x').touch()  # a file that is written in place is not noticed by itself
    assert client.line() == '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" Later'
    (server.maildir(USER) / 'x').unlink()


def test_many_renamed_at_once(server, client, other):
    for name in ('tree', *(f'tree/{i}' for i in range(30))):
        other.ok(f'CREATE {name}')
    client.ok(f'NOTIFY SET (subtree (tree wood) ({BOTH} MailboxName))')
    for old, new in (('tree', 'wood'), ('wood', 'tree')) * 5:
        other.ok(f'RENAME {old} {new}')
        assert client.line() == f'* LIST (\\HasChildren) "/" {new} ("OLDNAME" ({old}))'
        assert client.is_silent(0.05)
    other.ok('APPEND tree/7 {3+}\r\nx\r\n')
    assert client.line() == '* STATUS tree/7 (MESSAGES 1 UIDNEXT 2)'
    for i in range(30):
        other.ok(f'DELETE tree/{i}')
    other.ok('DELETE tree')


def test_watches_end(server, client, other):
    assert eventually(lambda: watches(server) == 0)
    client.ok(f'NOTIFY SET (mailboxes (INBOX Sent) ({BOTH}))')
    assert eventually(lambda: watches(server) == 5)  # new, cur, and the folder of the names
    other.ok('SELECT Drafts')
    other.ok(f'NOTIFY SET (mailboxes INBOX ({BOTH}))')
    assert eventually(lambda: watches(server) == 7)
    client.ok('NOTIFY NONE')
    assert eventually(lambda: watches(server) == 5)
    other.ok('UNSELECT')
    assert eventually(lambda: watches(server) == 3)
    other.sock.close()
    assert eventually(lambda: watches(server) == 0)


def test_parking(server, client):
    """With NOTIFY SET a session has a process; with NOTIFY NONE it parks, and still tells nothing."""
    client.ok('SELECT INBOX')
    client.ok(f'NOTIFY SET (selected ({BOTH}))')
    time.sleep(0.3)
    assert processes(server)
    send(server, [USER], 'Subject: x\r\n\r\nx\r\n')
    assert client.line().endswith(' EXISTS')
    assert client.line().endswith(' RECENT')
    client.ok('NOTIFY NONE')
    assert eventually(lambda: not processes(server))
    send(server, [USER], 'Subject: x\r\n\r\nx\r\n')
    assert client.ok('NOOP') == []
    assert client.is_silent()


def test_overflow(server, client, other):
    have = len(other.ok('LIST "" *'))
    for i in range(have, 200):
        other.ok(f'CREATE many{i}')
    client.ok(f'NOTIFY SET (personal ({BOTH}))')
    assert other.say(f'NOTIFY SET (personal ({BOTH})) (selected NONE)')[1].startswith('OK')
    other.ok('NOTIFY NONE')
    other.ok('APPEND many199 {3+}\r\nx\r\n')
    assert client.line() == '* STATUS many199 (MESSAGES 1 UIDNEXT 2)'
    other.ok('CREATE more')
    assert client.line().startswith('* OK [NOTIFICATIONOVERFLOW] ')
    assert client.say(f'NOTIFY SET (personal ({BOTH}))')[1].startswith('NO [NOTIFICATIONOVERFLOW] ')
    other.ok('APPEND INBOX {3+}\r\nx\r\n')
    assert client.is_silent()
    client.ok(f'NOTIFY SET (mailboxes INBOX ({BOTH}))')
    other.ok('APPEND INBOX {3+}\r\nx\r\n')
    assert client.line().startswith('* STATUS INBOX (MESSAGES ')
