"""Parked IMAP sessions (imap_hibernate_timeout): a client hears what it would hear of one that has a process all the time, and no process is
there while it is silent. test_imap_model.py runs its random clients on sessions that park, too."""
import contextlib
import os
import pathlib
import re
import signal
import time

import pytest

from harness import Server, eventually
from imap_model import Connection
from mail import open_imap, open_pop3, send

USER, PASSWORD = 'joe@malle.test', 'joes'
USERS = {USER: PASSWORD, 'ann@malle.test': 'anns'}
MESSAGE = 'Subject: x\r\n\r\nx\r\n'
AT_ONCE, NEVER = {'imap_hibernate_timeout': '0'}, {'imap_hibernate_timeout': 'never'}


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS, conf=AT_ONCE) as s:
        yield s


@pytest.fixture
def fresh():
    with Server(users=USERS, conf={**AT_ONCE, 'mail_max_userip_connections': '4'}) as s:
        yield s


class Client(Connection):
    def __init__(self, server, user=USER, mailbox='INBOX'):
        super().__init__(server.tls_context().wrap_socket(server.connect('imaps')))
        self.line()
        self.ok(f'LOGIN {user} {USERS[user]}')
        if mailbox:
            self.ok(f'SELECT {mailbox}')

    def ok(self, text):
        lines, tagged = self.say(text)
        assert tagged.startswith('OK'), f'{text}: {tagged}'
        return lines

    def idle(self):
        self.send('i IDLE')
        assert self.line().startswith('+ ')

    def done(self):
        self.send('DONE')
        lines = []
        while not (line := self.line()).startswith('i '):
            lines.append(line)
        assert line.startswith('i OK')
        return lines

    def ended(self):
        """Whether the server closes the connection in order, with nothing more on it."""
        self.sock.settimeout(10)
        return self.pending == b'' and self.sock.recv(1000) == b''


def mailbox_pid(server):
    """Asked once, for that takes as long as a process takes to start."""
    if not pathlib.Path(f'/proc/{getattr(server, "mailbox_pid", 0)}').exists():
        server.mailbox_pid = server.role_pids('mailbox')[0]
    return server.mailbox_pid


def processes(server):
    """Those of sessions, by their titles; one that was just started is still called mailbox."""
    mailbox, found = mailbox_pid(server), {}
    for pid in pathlib.Path(f'/proc/{mailbox}/task/{mailbox}/children').read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended, before or while it was read
            title = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().rstrip(b'\0').decode()
            if title.startswith(('malle: imap ', 'malle: pop3 ', 'malle: mailbox')):
                found[int(pid)] = title
    return found


def all_parked(server):
    return eventually(lambda: not processes(server))


# --- a client cannot tell

class Dialogue:
    """What several clients of one server are told, with what differs between two servers left out."""

    def __init__(self, server, parks):
        self.server, self.parks, self.heard, self.clients = server, parks, [], {}

    def says(self, name, text):
        if self.parks:
            all_parked(self.server)
        if name not in self.clients:
            self.clients[name] = Client(self.server, mailbox=None)
        lines, tagged = self.clients[name].say(text)
        for line in [*lines, tagged]:
            self.heard.append((name, re.sub(r'(UIDVALIDITY|MAILBOXID|APPENDUID|COPYUID) \(?\w+\)?', r'\1', line)))

    def idles(self, name):
        self.clients[name].idle()
        if self.parks:
            all_parked(self.server)

    def hears(self, name, count=1):
        self.heard += [(name, self.clients[name].line()) for _ in range(count)]

    def done(self, name):
        if self.parks:
            all_parked(self.server)
        self.heard += [(name, line) for line in self.clients[name].done()]


def talk(d):
    append = f'APPEND INBOX {{{len(MESSAGE)}+}}\r\n{MESSAGE}'
    for _ in range(5):
        d.says('actor', append)
    d.says('old', 'SELECT INBOX')
    d.says('old', 'FETCH 1:* (UID FLAGS)')
    d.says('quick', 'ENABLE QRESYNC')
    d.says('quick', 'SELECT INBOX')
    d.says('new', 'ENABLE IMAP4rev2 UIDONLY')
    d.says('new', 'EXAMINE INBOX')
    d.says('actor', 'SELECT INBOX')
    d.says('old', 'UID SEARCH RETURN (SAVE) 2:4')
    d.says('quick', 'SEARCH RETURN (SAVE ALL) FLAGGED')
    d.says('actor', 'UID STORE 2:3 +FLAGS (\\Deleted new)')
    d.says('actor', 'EXPUNGE')
    d.says('actor', append)
    d.says('old', 'FETCH $ FLAGS')        # no expunge may be told
    d.says('old', 'STORE 1 +FLAGS.SILENT (\\Flagged)')
    d.says('old', 'NOOP')
    d.says('old', 'SEARCH $')
    d.says('quick', 'SEARCH $')
    d.says('quick', 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)')
    d.says('new', 'UID SEARCH ALL')
    d.says('new', 'FETCH 1 FLAGS')
    d.says('new', 'UID STORE 1 +FLAGS (\\Seen)')
    d.says('old', 'NONSENSE')
    d.says('old', 'FETCH 9 FLAGS')
    for name in ('old', 'quick', 'new'):
        d.idles(name)
    d.says('actor', 'UID STORE 4 +FLAGS (\\Seen newer)')
    d.hears('old', 3)
    d.hears('quick', 3)
    d.hears('new', 3)
    d.says('actor', append)
    d.hears('old', 2)
    d.hears('quick', 2)
    d.hears('new', 1)
    d.says('actor', 'UID STORE 1 +FLAGS.SILENT (\\Deleted)')
    for name in ('old', 'quick', 'new'):
        d.hears(name)
    d.says('actor', 'EXPUNGE')
    for name in ('old', 'quick', 'new'):
        d.hears(name)
        d.done(name)
    d.says('old', 'FETCH 1:* (UID FLAGS)')
    d.says('quick', 'UID EXPUNGE 1:9')
    d.says('old', 'UNSELECT')
    d.says('old', 'FETCH 1 FLAGS')
    d.says('quick', 'CLOSE')
    d.says('actor', 'STATUS INBOX (MESSAGES RECENT UNSEEN UIDNEXT HIGHESTMODSEQ)')
    for name in ('old', 'quick', 'new', 'actor'):
        d.says(name, 'LOGOUT')
    return d.heard


def test_a_client_hears_the_same():
    heard = []
    for conf in (NEVER, AT_ONCE):
        with Server(users=USERS, conf=conf) as s:
            heard.append(talk(Dialogue(s, parks=conf is AT_ONCE)))
    assert heard[0] == heard[1]
    assert len(heard[0]) > 100


def test_the_log_counts_on(server):
    """One line for the whole connection, with the bytes of all its sessions."""
    client = Client(server)
    for _ in range(3):
        client.ok('NOOP')
        all_parked(server)
    client.ok('LOGOUT')
    line = server.wait_log('Disconnected: Logged out')
    assert int(re.search(r' in=(\d+)', line)[1]) > 4 * len('t1 NOOP\r\n')


def test_a_client_that_goes_while_parked(server):
    """No process is started for it; the log says as much as otherwise."""
    count = server.log().count('Disconnected: Connection closed in=')
    client = Client(server)
    all_parked(server)
    client.sock.close()
    eventually(lambda: server.log().count('Disconnected: Connection closed in=') == count + 1)
    assert f'imap({USER})<' in server.wait_log('Disconnected: Connection closed in=')
    assert not processes(server)


# --- what wakes

def test_idle_hears_of_a_delivery_within_a_second(server):
    watchers = [Client(server) for _ in range(3)]
    for watcher in watchers:
        watcher.idle()
    all_parked(server)
    sent = time.monotonic()
    send(server, [USER], MESSAGE)
    for watcher in watchers:
        assert watcher.line().endswith(' EXISTS')
    assert time.monotonic() - sent < 1
    all_parked(server)
    for watcher in watchers:
        assert [line[-7:] for line in watcher.done()] == [' RECENT']
        watcher.ok('LOGOUT')


def test_idle_hears_of_another_program(server):
    """A Maildir program that moves a file from new to cur and renames it."""
    send(server, [USER], MESSAGE)
    watcher = Client(server)
    count = len(watcher.ok('UID SEARCH ALL')[0].split()) - 2
    newest = eventually(lambda: max(server.messages(USER), key=lambda path: path.name))
    watcher.idle()
    all_parked(server)
    os.rename(newest, server.maildir(USER) / 'cur' / (newest.name.partition(':')[0] + ':2,F'))
    assert watcher.line().startswith(f'* {count} FETCH ')
    watcher.done()
    watcher.ok('LOGOUT')


def test_between_commands_nothing_wakes(server):
    """A client that does not listen is not told, and no process is started to find that out."""
    watcher, actor = Client(server), Client(server)
    all_parked(server)
    actor.ok('NOOP')
    before = processes(server)
    send(server, [USER], MESSAGE)
    time.sleep(0.3)
    assert not processes(server).keys() - before.keys()
    assert any(line.endswith(' EXISTS') for line in watcher.ok('NOOP'))
    for client in (watcher, actor):
        client.ok('LOGOUT')


def test_idle_without_a_mailbox(server):
    client = Client(server, mailbox=None)
    client.idle()
    all_parked(server)
    assert client.done() == []
    client.ok('LOGOUT')


def test_signs_of_life():
    """RFC 2177 leaves it to the server how a connection is kept alive: as often as without parking."""
    with Server(users=USERS, conf={**AT_ONCE, 'imap_idle_notify_interval': '10s'}) as s:
        client = Client(s)
        client.idle()
        all_parked(s)
        assert client.line() == '* OK Still here'
        assert not processes(s)
        assert client.done() == []


def test_it_parks_after_the_time_that_is_set():
    with Server(users=USERS, conf={'imap_hibernate_timeout': '1s'}) as s:
        client = Client(s)
        client.idle()
        begun = time.monotonic()
        assert processes(s)
        all_parked(s)
        assert time.monotonic() - begun > 0.8
        client.done()


def test_who_and_kick(server):
    """Those that are parked are seen, and ended, as others are."""
    clients = [Client(server) for _ in range(2)] + [Client(server, 'ann@malle.test')]
    all_parked(server)
    assert server.status()['parked'] == 3
    rows = server.malle('doveadm', 'who').stdout.splitlines()[1:]
    assert sorted(row.split()[:3] for row in rows) == [['ann@malle.test', '1', 'imap'], [USER, '2', 'imap']]
    assert server.malle('doveadm', 'kick', USER).stdout.endswith(f':\n{USER} \n')
    assert all(client.ended() for client in clients[:2])
    assert clients[2].ok('NOOP') == []
    clients[2].ok('LOGOUT')


# --- what does not park

def test_compression_does_not_park(server):
    client = Client(server)
    client.ok('COMPRESS DEFLATE')
    time.sleep(0.3)
    assert len(processes(server)) == 1
    client.sock.close()
    all_parked(server)


def test_half_a_command_does_not_park(server):
    client = Client(server)
    all_parked(server)
    client.sock.sendall(b'h APPEND INBOX {9}')
    eventually(lambda: processes(server))
    time.sleep(0.3)
    [pid] = processes(server)
    client.sock.sendall(b'\r\n')
    assert client.line().startswith('+ ')
    time.sleep(0.3)
    assert list(processes(server)) == [pid]
    client.sock.sendall(b'a: b\r\n\r\nc\r\nh NOOP\r\n')
    for _ in range(2):
        while not (line := client.line()).startswith('h OK'):
            assert line.startswith('* ')
    client.ok('LOGOUT')


def test_pop3_does_not_park(server):
    client = open_pop3(server, USER, PASSWORD)
    time.sleep(0.3)
    assert any('pop3' in title for title in processes(server).values())
    client.quit()


# --- limits and accidents

def test_parked_sessions_count(fresh):
    held = [Client(fresh) for _ in range(4)]
    all_parked(fresh)
    with pytest.raises(Exception, match='Maximum number of connections'):
        open_imap(fresh, USER, PASSWORD, '127.0.0.1')
    held[0].sock.close()
    eventually(lambda: could_log_in(fresh))
    for client in held[1:]:
        client.ok('LOGOUT')


def could_log_in(server):
    with contextlib.suppress(Exception):
        return open_imap(server, USER, PASSWORD, '127.0.0.1').logout()
    return None


def test_mailbox_killed(fresh):
    """The connections end, and whoever comes back finds everything."""
    clients = [Client(fresh) for _ in range(3)]
    clients[0].idle()
    clients[1].ok('CREATE kept')
    all_parked(fresh)
    pids = fresh.kill_role('mailbox')
    assert all(client.ended() for client in clients)
    fresh.wait_role('mailbox', other_than=pids)
    again = eventually(lambda: come_back(fresh))
    assert any('kept' in line for line in again.ok('LIST "" *'))


def come_back(server):
    with contextlib.suppress(AssertionError, OSError):
        return Client(server)
    return None


def test_login_killed(fresh):
    """What was parked is forgotten: the account has all its log-ins again."""
    clients = [Client(fresh) for _ in range(4)]
    all_parked(fresh)
    fresh.wait_role('login', other_than=fresh.kill_role('login'))
    for client in clients:
        with contextlib.suppress(OSError):
            assert client.ended()
    again = [eventually(lambda: come_back(fresh)) for _ in range(4)]
    assert again[3].ok('NOOP') == []


def test_sessions_killed_as_they_park_and_wake(fresh):
    """kill -9 at any moment: the connection ends, or what is said next is right. Nothing that was acknowledged is lost."""
    kept, ended, end = set(), 0, time.monotonic() + 6
    client = Client(fresh, 'ann@malle.test')
    while time.monotonic() < end:
        for pid in list(processes(fresh))[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            name = f'k{len(kept) + ended}'
            lines, tagged = client.say(f'CREATE {name}')
            assert tagged.startswith('OK'), tagged
            kept.add(name)
        except (AssertionError, OSError):
            ended += 1
            client = eventually(lambda: log_in_as_ann(fresh))
    assert kept and ended
    there = {line.rpartition(' ')[2] for line in client.ok('LIST "" k%')}
    assert kept <= there


def log_in_as_ann(server):
    with contextlib.suppress(AssertionError, OSError):
        return Client(server, 'ann@malle.test')
    return None


def test_the_mailbox_is_deleted_meanwhile(server):
    actor = Client(server, mailbox=None)
    actor.ok('CREATE gone')
    client, idler = Client(server, mailbox='gone'), Client(server, mailbox='gone')
    idler.idle()
    all_parked(server)
    actor.ok('DELETE gone')
    client.send('x NOOP')
    assert client.line() == '* BYE The selected mailbox was deleted.'
    assert idler.line() == '* BYE The selected mailbox was deleted.'
    actor.ok('LOGOUT')


def test_the_index_is_removed_meanwhile(server):
    """Another session has it built anew: the numbers stay (doc/storage.md), and the client hears of flags again."""
    user = 'ann@malle.test'
    client = Client(server, user)
    text = f'APPEND INBOX (\\Seen) {{{len(MESSAGE)}+}}\r\n{MESSAGE}'
    client.ok(text)
    uids = client.ok('UID SEARCH ALL')
    all_parked(server)
    for path in server.maildir(user).glob('malle.index*'):
        path.unlink()
    assert client.ok('UID SEARCH ALL')[0] == uids[0]
    client.ok('LOGOUT')


def test_no_process_more_than_permitted():
    """mailbox_process_limit: those that are woken wait for their turn."""
    with Server(users=USERS, conf={**AT_ONCE, 'mailbox_process_limit': '2'}) as s:
        clients = []
        for _ in range(6):
            clients.append(Client(s))
            all_parked(s)
        for client in clients:
            client.idle()
        all_parked(s)
        send(s, [USER], MESSAGE)
        for client in clients:
            assert client.line() == '* 1 EXISTS'
        for client in clients:
            client.done()
