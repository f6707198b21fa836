"""malle's socket for users, Dovecot's master protocol: Dovecot's LMTP and doveadm look users up there; and clients that do not keep to
the protocol or have no business there."""
import contextlib
import os
import pathlib
import pwd
import smtplib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, Talk, as_user, listener, needs_root, peer  # noqa: E402
from harness import Server, eventually  # noqa: E402

JOE, MARY = 'joe@malle.test', 'mary@malle.test'


@pytest.fixture(scope='module')
def server(folder):
    sections = listener('userdb', 'auth-userdb', folder / 'userdb', mode='0600') + \
        listener('userdb-open', 'auth-userdb', folder / 'users', mode='0666')
    with Server(sections=sections, users={JOE: 'joe', MARY: 'mary'}) as s:
        yield s


# --- real programs ---

@pytest.fixture(scope='module')
def dovecot(folder, server):
    settings = f'''protocols = lmtp
auth_socket_path = {folder}/userdb
mail_location = maildir:/nonexistent
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
'''
    with Dovecot(folder, settings, folder / 'lmtp') as there:
        yield there


def deliver(path, *recipients):
    """The replies to RCPT and those after the content, for each recipient."""
    with smtplib.LMTP(str(path), local_hostname='client.example', timeout=60) as client:
        client.ehlo()
        assert client.docmd('MAIL', 'FROM:<sender@client.example>')[0] == 250
        replies = [client.docmd('RCPT', f'TO:<{recipient}>') for recipient in recipients]
        taken = [recipient for recipient, reply in zip(recipients, replies) if reply[0] == 250]
        if taken:
            assert client.docmd('DATA')[0] == 354
            client.send(b'Subject: through Dovecot\r\n\r\nhello\r\n.\r\n')
        return replies + [client.getreply() for _ in taken]


@needs_root
def test_dovecot_lmtp(server, dovecot, folder):
    """Dovecot delivers into the Maildir of malle's account, as its user, who owns the folder above it."""
    owner = pwd.getpwnam('vmail')
    server.maildir(JOE).parent.mkdir(parents=True, exist_ok=True)
    os.chown(server.maildir(JOE).parent, owner.pw_uid, owner.pw_gid)
    known, unknown, done = deliver(folder / 'lmtp', JOE, 'nobody@malle.test')
    assert known[0] == 250 and unknown[0] == 550 and b"User doesn't exist" in unknown[1] and done[0] == 250, (unknown, done)
    [path] = eventually(lambda: server.messages(JOE), 20)
    assert b'Subject: through Dovecot' in path.read_bytes()
    assert path.stat().st_uid == pwd.getpwnam('vmail').pw_uid
    killed = server.kill_role('userdb')
    server.wait_role('userdb', other_than=killed)
    eventually(lambda: deliver(folder / 'lmtp', JOE)[0][0] == 250, 30)
    assert len(server.messages(JOE)) == 2


@needs_root
def test_doveadm(server, dovecot, folder):
    def doveadm(*arguments):
        return peer('dovecot', 'doveadm', '-c', dovecot.conf, *arguments)
    uid, home = pwd.getpwnam('vmail').pw_uid, server.maildir(JOE)
    found = dict(line.split('\t', 1) for line in doveadm('user', '-a', folder / 'userdb', JOE).stdout.splitlines()[1:])
    assert found == {'uid': str(uid), 'gid': str(pwd.getpwnam('vmail').pw_gid), 'home': str(home), 'mail': f'maildir:{home}'}
    assert doveadm('user', '-a', folder / 'userdb', '*').stdout.split() == [JOE, MARY]
    lost = doveadm('user', '-a', folder / 'userdb', 'nobody@malle.test')
    assert lost.returncode == 67 and "doesn't exist" in lost.stdout + lost.stderr


# --- the protocol, by hand ---

class Users(Talk):
    def __init__(self, path):
        super().__init__(path, greet=False)
        self.send('VERSION\t1\t1')

    def greeting(self):
        return [self.line(), self.line()]

    def lines(self, *lines):
        self.send(*lines)
        found = [self.line()]
        while found[-1] is not None and not found[-1].startswith(('DONE', 'NOTFOUND', 'FAIL', 'USER', 'PASS')):
            found.append(self.line())
        return found


def test_users(server, folder):
    home = server.maildir(JOE)
    with Users(folder / 'userdb') as users:
        version, spid = users.greeting()
        assert version == 'VERSION\t1\t1' and int(spid.split('\t')[1]) in server.role_pids('userdb')
        [found] = users.lines(f'USER\t1\tJoe@Malle.Test\tservice=lmtp')
        owner = pwd.getpwnam('vmail') if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        assert found == f'USER\t1\t{JOE}\tuid={owner.pw_uid}\tgid={owner.pw_gid}\thome={home}\tmail=maildir:{home}'
        assert users.lines('USER\t2\tnobody@malle.test') == ['NOTFOUND\t2']
        assert users.lines('USER\t3\t' + 'x' * 5000) == ['NOTFOUND\t3']
        assert users.lines('USER\t4\tj\001toe') == ['NOTFOUND\t4']
        assert users.lines(f'PASS\t5\t{JOE}\tservice=lmtp') == [f'PASS\t5\tuser={JOE}']
        assert users.lines('PASS\t6\tnobody@malle.test') == ['NOTFOUND\t6']
        assert users.lines('LIST\t7\tuser=*') == [f'LIST\t7\t{JOE}', f'LIST\t7\t{MARY}', 'DONE\t7']


def test_quota_and_a_disabled_account(server, folder):
    server.malle('user', 'quota', '--quota', '10M', MARY)
    with Users(folder / 'userdb') as users:
        users.greeting()
        assert users.lines(f'USER\t1\t{MARY}')[0].endswith(f'\tquota_rule=*:bytes={10 << 20}')
        server.malle('user', 'disable', MARY)
        assert users.lines(f'USER\t2\t{MARY}') == ['NOTFOUND\t2']
        assert users.lines('LIST\t3') == [f'LIST\t3\t{JOE}', 'DONE\t3']
        server.malle('user', 'enable', MARY)
        assert users.lines(f'USER\t4\t{MARY}')[0].startswith('USER\t4')


@pytest.mark.parametrize('line', ('AUTH\t1\tPLAIN\tresp=AGEAYg==', 'CONT\t1\tabc', 'USER\t1', 'x' * 9000, '\0'), ids=lambda x: repr(x)[:20])
def test_users_out_of_order(server, folder, line):
    before = server.role_pids('userdb')
    with Users(folder / 'userdb') as users:
        users.greeting()
        with contextlib.suppress(ConnectionError):
            users.send(line)
        assert users.line() is None
    assert server.role_pids('userdb') == before


def questions(path):
    with Users(path) as users:
        users.greeting()
        return users.lines(f'USER\t1\t{JOE}') + users.lines(f'PASS\t2\t{JOE}') + users.lines('LIST\t3')


@needs_root
def test_users_for_everybody(server, folder):
    """Where everybody may connect, root is told of all, others of themselves."""
    assert questions(folder / 'users')[0].startswith('USER\t1') and len(questions(folder / 'users')) == 5
    assert as_user(pwd.getpwnam('nobody').pw_uid, questions, folder / 'users') == ['NOTFOUND\t1', 'NOTFOUND\t2', 'DONE\t3\tfail']
    own = as_user(pwd.getpwnam('vmail').pw_uid, questions, folder / 'users')
    assert own[0].startswith('USER\t1') and own[1:] == [f'PASS\t2\tuser={JOE}', 'DONE\t3\tfail']
    assert 'PermissionError' in as_user(pwd.getpwnam('nobody').pw_uid, questions, folder / 'userdb')
