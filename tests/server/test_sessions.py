"""Sessions side by side: limits, \\Recent, IDLE, and roles that are killed under them."""
import imaplib
import os
import pathlib
import re
import shutil
import signal
import socket
import time

import pytest

from harness import Server, eventually
from mail import Lines, open_imap, open_pop3, send

USER, PASSWORD = 'joe@malle.test', 'joes'
USERS = {USER: PASSWORD, 'ann@malle.test': 'anns'}
MESSAGE = 'Subject: x\r\n\r\nx\r\n'


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS) as s:
        yield s


@pytest.fixture
def fresh():
    """A server for a test that kills roles or fills limits."""
    with Server(users=USERS) as s:
        yield s


class ImapLines(Lines):
    """A logged-in IMAP connection on which untagged responses can be awaited."""

    def __init__(self, server, user=USER, password=PASSWORD, mailbox='INBOX'):
        raw = server.connect('imaps')
        super().__init__(server.tls_context().wrap_socket(raw))
        self.line()
        self.command(f'LOGIN {user} {password}')
        if mailbox:
            self.command(f'SELECT {mailbox}')

    def command(self, text):
        """The untagged lines before the tagged OK."""
        self.send(f'x {text}')
        lines = []
        while not (line := self.line()).startswith('x '):
            lines.append(line)
        assert line.startswith('x OK'), line
        return lines

    def idle(self):
        self.send('i IDLE')
        self.until('+ ')

    def done(self):
        self.send('DONE')
        self.until('i OK')


def test_an_account_has_ten_sessions(fresh):
    """Of each protocol, from each address."""
    held = [open_imap(fresh, USER, PASSWORD, '127.0.0.1') for _ in range(10)]
    with pytest.raises(imaplib.IMAP4.error, match=r'LIMIT|Maximum number of connections from user\+IP exceeded \(mail_max_userip_connections=10\)'):
        open_imap(fresh, USER, PASSWORD, '127.0.0.1')
    fresh.wait_log('mail_max_userip_connections (10) reached')
    open_imap(fresh, 'ann@malle.test', 'anns').logout()
    other = open_pop3(fresh, USER, PASSWORD)
    open_imap(fresh, USER, PASSWORD, '::1').logout()
    other.quit()
    for client in held:
        assert client.noop()[0] == 'OK'
    held[0].logout()
    eventually(lambda: try_imap(fresh))
    for client in held[1:]:
        client.logout()


def try_imap(server):
    try:
        return open_imap(server, USER, PASSWORD).logout()
    except imaplib.IMAP4.error:
        return None


def test_recent_is_told_to_one_session(server):
    """RFC 3501 §2.3.2: the first session that is told of a message owns its \\Recent flag."""
    send(server, [USER], MESSAGE)
    first, second = open_imap(server, USER, PASSWORD), open_imap(server, USER, PASSWORD)
    count = first.select('INBOX')[1][0].decode()
    assert rb'\Recent' in first.fetch(count, '(FLAGS)')[1][0]
    second.select('INBOX')
    assert rb'\Recent' not in second.fetch(count, '(FLAGS)')[1][0]
    first.logout()
    second.logout()


@pytest.mark.parametrize('listener', ['smtp', 'lmtp'])
def test_idle_hears_of_a_delivery_within_a_second(server, listener):
    watcher = ImapLines(server)
    watcher.idle()
    sent = time.monotonic()
    send(server, [USER], MESSAGE, listener=listener)
    watcher.until('* ')
    assert time.monotonic() - sent < 1
    watcher.done()


def test_idle_hears_of_flags_and_of_expunges(server):
    send(server, [USER], MESSAGE)
    watcher, actor = ImapLines(server), ImapLines(server)
    count = len(actor.command('UID SEARCH ALL')[0].split()) - 2
    watcher.idle()
    for command, told in ((f'STORE {count} +FLAGS (\\Flagged)', f'* {count} FETCH '),
                          (f'STORE {count} +FLAGS (\\Deleted)', f'* {count} FETCH '),
                          ('EXPUNGE', f'* {count} EXPUNGE')):
        begun = time.monotonic()
        actor.command(command)
        watcher.until(told)
        assert time.monotonic() - begun < 1, command
    watcher.done()


def test_idle_hears_of_changes_by_another_program(server):
    """A Maildir program that moves a file from new to cur and renames it."""
    send(server, [USER], MESSAGE)
    watcher = ImapLines(server)
    count = len(watcher.command('UID SEARCH ALL')[0].split()) - 2
    watcher.idle()
    newest = max(server.messages(USER), key=lambda path: path.name)
    os.rename(newest, server.maildir(USER) / 'cur' / (newest.name.partition(':')[0] + ':2,F'))
    assert r'\Flagged' in watcher.until(f'* {count} FETCH ')
    watcher.done()


def test_a_maildir_that_disappears_under_a_session(server):
    """The session ends or says so; other sessions do not notice, and the next message makes the folder again."""
    other = ImapLines(server, 'ann@malle.test', 'anns')
    lost = ImapLines(server)
    shutil.rmtree(server.maildir(USER))
    lost.send('x NOOP')
    try:
        lost.until('x ')
    except (AssertionError, OSError):
        pass
    other.command('NOOP')
    assert send(server, [USER, 'ann@malle.test'], MESSAGE)[0] == 250
    assert ImapLines(server).command('STATUS INBOX (MESSAGES)') == ['* STATUS INBOX (MESSAGES 1)']


def closed(lines):
    lines.sock.settimeout(10)
    try:
        return lines.is_closed()
    except OSError:
        return True


def test_mailbox_killed_under_sessions(fresh):
    """Sessions end in order, new log-ins and deliveries work at once, nothing that was acknowledged is lost."""
    sessions = [ImapLines(fresh) for _ in range(3)]
    sessions[0].idle()
    sessions[1].command('CREATE kept')
    pop3 = open_pop3(fresh, 'ann@malle.test', 'anns')
    assert send(fresh, [USER], MESSAGE)[0] == 250
    pids = fresh.kill_role('mailbox')
    fresh.wait_role('mailbox', other_than=pids)
    again = eventually(lambda: log_in(fresh))
    assert '* STATUS INBOX (MESSAGES 1)' in again.command('STATUS INBOX (MESSAGES)')
    assert any('kept' in line for line in again.command('LIST "" *'))
    eventually(lambda: send(fresh, [USER], MESSAGE)[0] == 250)
    assert closed(sessions[0])
    pop3.close()
    eventually(lambda: len(children(fresh, 'imap')) == 1)


def log_in(server):
    try:
        return ImapLines(server)
    except (AssertionError, OSError):
        return None


def children(server, kind):
    return [child for role in server.status()['roles'] for child in role['children'] if child['title'].startswith(kind)]


def is_alive(session):
    try:
        return session.command('NOOP') == []
    except (AssertionError, OSError):
        return False


def test_login_killed_under_sessions():
    """Its connections end, those of the other process do not notice; both kinds can log in again."""
    with Server(users=USERS, conf={'login_processes': '2'}) as s:
        sessions = [ImapLines(s) for _ in range(8)]
        pids = s.role_pids('login')
        others = s.log().count(f'malle/login[{pids[1]}]: imap-login: Login')
        os.kill(pids[0], signal.SIGKILL)
        assert sum(is_alive(session) for session in sessions) == others
        assert s.wait_role('login', other_than=pids[:1])
        assert eventually(lambda: log_in(s)).command('NOOP') == []
        eventually(lambda: len(children(s, 'imap')) <= 1 + others)
        s.wait_log(f'login[{pids[0]}] was killed by signal 9')


def test_auth_killed_between_log_ins(fresh):
    before = ImapLines(fresh)
    pids = fresh.kill_role('auth')
    fresh.wait_role('auth', other_than=pids)
    before.command('NOOP')
    eventually(lambda: log_in(fresh))
    eventually(lambda: send(fresh, [USER], MESSAGE)[0] == 250)


def test_deliver_killed_between_messages(fresh):
    assert send(fresh, [USER], MESSAGE)[0] == 250
    for child in children(fresh, 'deliver'):
        os.kill(child['pid'], signal.SIGKILL)
    eventually(lambda: send(fresh, [USER], MESSAGE)[0] == 250, 3)


@pytest.mark.parametrize('role', ['smtpd', 'submission', 'queue'])
def test_other_roles_are_back_within_a_second(fresh, role):
    pids = fresh.kill_role(role)
    killed = time.monotonic()
    fresh.wait_role(role, other_than=pids)
    assert time.monotonic() - killed < 2
    assert eventually(lambda: send(fresh, [USER], MESSAGE)[0] == 250)
    text = 'Subject: large\r\n\r\n' + ('x' * 900 + '\r\n') * 3000
    assert send(fresh, [USER], text)[0] == 250
    assert send(fresh, [USER], MESSAGE, sender=USER, listener='submissions', user=USER, password=PASSWORD)[0] == 250


def test_a_killed_session_ends_its_connection_only(server):
    session, other = ImapLines(server, 'ann@malle.test', 'anns'), ImapLines(server)
    eventually(lambda: len(children(server, 'imap ann@malle.test')) == 1)
    [child] = children(server, 'imap ann@malle.test')
    os.kill(child['pid'], signal.SIGKILL)
    assert closed(session)
    other.command('NOOP')
    server.wait_log('was killed by signal 9')


def test_half_closed_connection(server):
    """A client that has said all it wants closes its side; it still gets every answer."""
    with server.connect('smtp') as sock:
        sock.sendall(b'EHLO a.example\r\nQUIT\r\n')
        sock.shutdown(socket.SHUT_WR)
        lines = Lines(sock)
        lines.until('250 ')
        assert lines.line().startswith('221 ')


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root: it gives files to a group')
def test_groups_that_every_user_has():
    """Where mail is reached through a group alone: by deliveries, sessions and commands."""
    with Server(users=USERS, conf={'mail_access_groups': '64700, nosuch, root'}) as server:
        below = server.maildir(USER).parent
        below.mkdir(parents=True)
        os.chown(below, 0, 64700)
        below.chmod(0o2770)
        send(server, [USER], MESSAGE)
        with open_imap(server, USER, PASSWORD) as client:
            assert client.select()[1] == [b'1']
            for role in ('imap', 'deliver'):
                status = pathlib.Path(f'/proc/{server.role_pids(role)[0]}/status').read_text()
                assert re.search(r'^Groups:\t(.*?) *$', status, re.M)[1] == '64700'
        assert 'INBOX' in server.malle('mailbox', 'list', USER).stdout
        for group in ('nosuch', 'root'):
            server.wait_log(f'mail_access_groups: {group} is no group that users may have')
