"""doveadm beside a running server, with accounts of the database and users of the system."""
import imaplib
import os
import pathlib
import re
import subprocess

import pytest

from harness import DOMAIN, Server, eventually
from local.programs import Programs
from system_users import system_users_for_a_while

JOE, ANN = f'joe@{DOMAIN}', f'ann@{DOMAIN}'


@pytest.fixture(scope='module')
def malle():
    with Server(users={JOE: 'joes', ANN: 'anns'}) as server:
        yield Programs(server)


@pytest.fixture(scope='module')
def system():
    """A server that has users of the system, and one of them."""
    with system_users_for_a_while() as users:
        user = users.add('users')
        with Server(conf={'system_users': 'yes', 'pam_service': users.service}, users={JOE: 'joes'}) as server:
            yield Programs(server), user


def imap(malle, user, password):
    client = imaplib.IMAP4_SSL('127.0.0.1', malle.server.port('imaps'), ssl_context=malle.server.tls_context(), timeout=30)
    client.login(user, password)
    return client


def is_gone(client):
    try:
        client.noop()
    except (imaplib.IMAP4.abort, OSError):
        return True
    return False


# --- pw ---

@pytest.mark.parametrize('scheme, shape', (
    ('SHA512-CRYPT', r'\$6\$[^$]{8,16}\$\S{86}'), ('sha256-crypt', r'\$5\$\S+'), ('BLF-CRYPT', r'\$2y\$05\$\S{53}'), ('PLAIN', 'x'),
    ('SSHA512', r'[A-Za-z0-9+/]{96}'), ('SHA256', r'[A-Za-z0-9+/]{43}='), ('PLAIN-MD5', r'[0-9a-f]{32}'),
    ('SCRAM-SHA-256', r'\d+,[^,]+,[^,]+,[^,]+'), ('ARGON2ID', r'\$argon2id\$\S+')))
def test_pw(malle, scheme, shape):
    status, out, err = malle('doveadm', 'pw', '-s', scheme, '-p', 'x')
    assert (status, err) == (0, '') and re.fullmatch(r'\{' + scheme.upper() + r'\}' + shape + '\n', out), out
    stored = out.strip()
    assert malle('doveadm', 'pw', '-t', stored, '-p', 'x') == (0, f'{stored} (verified)\n', '')
    assert malle('doveadm', 'pw', '-t', stored, '-p', 'y') == (
        75, '', 'Fatal: reverse password verification check failed: Password mismatch\n')


def test_pw_without_scheme(malle):
    assert malle('doveadm', 'pw', stdin='secret\n')[1].startswith('{CRYPT}$2y$05$')
    assert malle('doveadm', 'pw', '-r', '9', '-p', 'x')[1].startswith('{CRYPT}$2y$09$')
    assert malle('doveadm', 'pw', '-V', '-p', 'x')[1].endswith(' (verified)\n')
    assert malle('doveadm', 'pw', '-s', 'rot13', '-p', 'x') == (75, '', 'Fatal: Unknown scheme: ROT13\n')
    assert malle('doveadm', 'pw', '-t', 'x', '-p', 'x') == (75, '', 'Fatal: Missing {scheme} prefix from hash\n')
    assert malle('doveadm', 'pw', '-t', '{ROT13}x', '-p', 'x')[0] == 75
    assert malle('doveadm', 'pw', '-r', '99', '-p', 'x')[0] == 75
    assert {'PLAIN', 'SSHA512', 'SHA512-CRYPT'} <= set(malle('doveadm', 'pw', '-l')[1].split())
    assert malle('doveadm', 'pw', '-Q')[0] == 64


def test_a_hash_is_a_password(malle):
    """What doveadm pw makes is what malle user add --hash takes."""
    stored = malle('doveadm', 'pw', '-s', 'SSHA512', '-p', 'hashed')[1].strip()
    malle.server.malle('user', 'add', f'hashed@{DOMAIN}', '--hash', stored)
    assert malle('doveadm', 'auth', 'test', f'hashed@{DOMAIN}', 'hashed')[0] == 0
    malle.server.malle('user', 'del', f'hashed@{DOMAIN}')


# --- user, auth test ---

def test_user(malle):
    home = malle.server.maildir(JOE)
    status, out, err = malle('doveadm', 'user', JOE)
    assert (status, err) == (0, '')
    lines = out.splitlines()
    assert lines[0] == 'field\tvalue' and lines[3:] == [f'home\t{home}', f'mail\tmaildir:{home}']
    assert [line.split('\t')[0] for line in lines[1:3]] == ['uid', 'gid'] and int(lines[1].split('\t')[1]) > 0
    assert malle('doveadm', 'user', 'JOE')[1] == out.replace('value\n', f'value\nuser\t{JOE}\n')  # of the first domain
    assert malle('doveadm', 'user', '-f', 'home', JOE) == (0, f'{home}\n', '')
    assert malle('doveadm', 'user', '-u', JOE)[1].startswith(f'userdb: {JOE}\n  user      : {JOE}\n  uid       : ')
    assert malle('doveadm', 'user', JOE, ANN)[1].count('\n\nuid\t') == 1
    assert malle('doveadm', 'user', f'nobody@{DOMAIN}') == (
        67, f"field\tvalue\n\nuserdb lookup: user nobody@{DOMAIN} doesn't exist\n", '')
    malle.server.malle('user', 'quota', ANN, '--quota', '1M')
    assert malle('doveadm', 'user', '-f', 'quota_rule', ANN)[1] == '*:bytes=1048576\n'
    malle.server.malle('user', 'disable', ANN)
    assert malle('doveadm', 'user', ANN)[0] == 75  # it is there, but gets neither mail nor session
    malle.server.malle('user', 'enable', ANN)


def test_users_by_mask(malle):
    assert malle('doveadm', 'user', '*') == (0, f'{ANN}\n{JOE}\n', '')
    assert malle('doveadm', 'user', 'J?E@*') == (0, f'{JOE}\n', '')
    assert malle('doveadm', 'user', 'x*', f'*nn@{DOMAIN}') == (0, f'{ANN}\n', '')
    assert malle('doveadm', 'user', 'x*') == (0, '', '')
    assert malle('doveadm', 'user')[0] == 64


def test_auth_test(malle):
    good = (0, f'passdb: {JOE} auth succeeded\nextra fields:\n  user={JOE}\n', '')
    assert malle('doveadm', 'auth', 'test', JOE, 'joes') == malle('doveadm', 'auth', 'test', JOE, stdin='joes\n') == good
    for name, password in ((JOE, 'anns'), (JOE, ''), (f'nobody@{DOMAIN}', 'joes')):
        assert malle('doveadm', 'auth', 'test', name, password) == (
            77, f'passdb: {name} auth failed\nextra fields:\n  user={name}\n', '')
    malle.server.malle('user', 'disable', ANN)
    assert malle('doveadm', 'auth', 'test', ANN, 'anns')[0] == 77
    malle.server.malle('user', 'enable', ANN)
    assert malle('doveadm', 'auth', 'test')[0] == 64


def test_a_user_of_the_system(system):
    malle, user = system
    assert malle('doveadm', 'user', user.pw_name) == (
        0, f'field\tvalue\nuid\t{user.pw_uid}\ngid\t{user.pw_gid}\nhome\t{user.pw_dir}\nmail\tmaildir:{user.pw_dir}/Maildir\n', '')
    everybody = malle('doveadm', 'user', '*')[1].splitlines()
    assert everybody[0] == JOE and user.pw_name in everybody and 'root' not in everybody and 'daemon' not in everybody
    assert malle('doveadm', 'auth', 'test', user.pw_name, 'users')[0] == 0
    assert malle('doveadm', 'auth', 'test', user.pw_name, 'other')[0] == 77
    assert malle('doveadm', 'user', 'root')[0] == 67
    assert malle('doveadm', 'mailbox', 'create', '-u', user.pw_name, 'Work') == (0, '', '')
    made = pathlib.Path(user.pw_dir, 'Maildir/.Work').stat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (user.pw_uid, user.pw_gid, 0o700)


# --- who, kick, service status ---

def test_who_and_kick(malle):
    titles = ['username', '#', 'proto', '(pids)', '(ips)']
    assert malle('doveadm', 'who')[1].split() == titles
    one, two, other = imap(malle, JOE, 'joes'), imap(malle, JOE, 'joes'), imap(malle, ANN, 'anns')
    status, out, err = malle('doveadm', 'who')
    assert (status, err) == (0, '') and out.splitlines()[0].split() == titles
    rows = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert set(rows) == {JOE, ANN}
    assert re.fullmatch(re.escape(JOE) + r' 2 imap  \(\d+ \d+\) +\(127\.0\.0\.1\) *', rows[JOE])
    assert re.fullmatch(re.escape(ANN) + r' 1 imap  \(\d+\) +\(127\.0\.0\.1\) *', rows[ANN])
    assert len(malle('doveadm', 'who', '-1')[1].splitlines()) == 4
    assert malle('doveadm', 'who', 'a*')[1].splitlines()[1].startswith(ANN)
    assert len(malle('doveadm', 'who', '10.0.0.0/8')[1].splitlines()) == 1 and JOE in malle('doveadm', 'who', '127.0.0.0/8', JOE)[1]
    assert malle('doveadm', 'kick', 'nobody') == (68, 'no users kicked\n', '')
    assert malle('doveadm', 'kick', JOE, '10.0.0.0/8')[0] == 68
    assert malle('doveadm', 'kick', JOE) == (0, f'kicked connections from the following users:\n{JOE} \n', '')
    for client in (one, two):
        eventually(lambda client=client: is_gone(client), 20)
    assert other.noop()[0] == 'OK'
    eventually(lambda: JOE not in malle('doveadm', 'who')[1], 10, step=0.2)
    other.logout()
    assert malle('doveadm', 'kick')[0] == 64


def test_service_status(malle):
    status, out, err = malle('doveadm', 'service', 'status')
    assert (status, err) == (0, '')
    blocks = [dict(line.split(': ') for line in block.splitlines()) for block in out.split('\f\n')]
    assert {'auth', 'login', 'mailbox', 'queue'} <= {block['name'] for block in blocks}
    assert all(block['process_count'] == '1' for block in blocks if block['name'] in ('auth', 'queue'))
    assert malle('doveadm', 'service', 'status', 'auth')[1].startswith('name: auth\n')
    assert malle('doveadm', 'service', 'status', 'auth')[1].count('name:') == 1


# --- mailbox ---

def test_mailboxes(malle):
    def names(*options):
        return malle('doveadm', 'mailbox', 'list', '-u', JOE, *options)[1].split('\n')[:-1]
    assert malle('doveadm', 'mailbox', 'create', '-u', JOE, 'Work', 'Work.2026') == (0, '', '')
    assert malle('doveadm', 'mailbox', 'create', '-u', JOE, '-s', 'Listed') == (0, '', '')
    assert {'INBOX', 'Work', 'Work.2026', 'Listed'} <= set(names())
    assert 'Listed' in names('-s') and 'Work' not in names('-s')
    assert names('W*') == ['Work', 'Work.2026'] and names('Listed', 'nosuch') == ['Listed']
    status, out, err = malle('doveadm', 'mailbox', 'create', '-u', JOE, 'Work')
    assert (status, out) == (65, '') and err.startswith(f"doveadm({JOE}): Error: Can't create mailbox Work: ")
    assert malle('doveadm', 'mailbox', 'subscribe', '-u', JOE, 'Work') == (0, '', '') and 'Work' in names('-s')
    assert malle('doveadm', 'mailbox', 'unsubscribe', '-u', JOE, 'Work') == (0, '', '') and 'Work' not in names('-s')
    assert malle('doveadm', 'mailbox', 'rename', '-u', JOE, 'Work', 'Job') == (0, '', '')
    assert names('Job*', 'Work*') == ['Job', 'Job.2026']
    status, out, err = malle('doveadm', 'mailbox', 'delete', '-u', JOE, 'nosuch')
    assert (status, out) == (68, '') and err.startswith(f"doveadm({JOE}): Error: Can't delete mailbox nosuch: ")
    assert malle('doveadm', 'mailbox', 'delete', '-u', JOE, '-r', '-s', 'Job') == (0, '', '')
    assert malle('doveadm', 'mailbox', 'delete', '-u', JOE, '-s', 'Listed') == (0, '', '')
    assert names('Job*', 'Listed') == [] and 'Listed' not in names('-s')


def test_mailbox_status(malle):
    client = imap(malle, ANN, 'anns')
    for flags in ('', r'(\Seen)'):
        assert client.append('INBOX', flags, None, b'Subject: x\r\n\r\nbody\r\n')[0] == 'OK'
    client.logout()
    assert malle('doveadm', 'mailbox', 'status', '-u', ANN, 'messages unseen vsize', 'INBOX') == (
        0, 'INBOX messages=2 unseen=1 vsize=40\n', '')
    status, out, err = malle('doveadm', 'mailbox', 'status', '-u', ANN, 'all', 'IN*')
    assert re.fullmatch(r'INBOX messages=2 recent=\d uidnext=3 uidvalidity=\d+ unseen=1 highestmodseq=\d+ vsize=40\n', out)
    assert malle('doveadm', 'mailbox', 'status', '-u', ANN, '-t', 'all', '*')[1].startswith('messages=2 recent=')
    assert malle('doveadm', 'mailbox', 'status', '-u', ANN, 'guid', 'INBOX') == (64, '', 'Fatal: Unknown status field: guid\n')
    assert malle('doveadm', 'mailbox', 'status', '-u', ANN, '-t', 'uidnext', 'INBOX') == (
        64, '', "Fatal: Status field uidnext can't be used with -t\n")
    assert malle('doveadm', 'mailbox', 'status', '-u', ANN, 'messages')[0] == 64


def test_a_session_sees_the_change(malle):
    client = imap(malle, ANN, 'anns')
    malle('doveadm', 'mailbox', 'create', '-u', ANN, 'Fresh')
    assert any(b'Fresh' in line for line in client.list()[1])
    assert client.select('Fresh')[0] == 'OK'
    client.logout()
    if os.geteuid() == 0:
        files = [p for p in malle.server.maildir(ANN).rglob('*') if not p.name.endswith(('-shm', '-wal'))]  # those come and go
        assert {p.stat().st_uid for p in files} == {malle.server.maildir(ANN).stat().st_uid} != {0}


def test_an_account_that_never_had_mail(malle):
    new = f'new@{DOMAIN}'
    malle.server.malle('user', 'add', new, '--password', 'x')
    assert malle('doveadm', 'mailbox', 'list', '-u', new, 'INBOX') == (0, 'INBOX\n', '')
    assert malle('doveadm', 'mailbox', 'list', '-u', f'nobody@{DOMAIN}') == (
        67, '', f"doveadm(nobody@{DOMAIN}): Error: User doesn't exist\n")
    malle.server.malle('user', 'del', new)


# --- the rest ---

def test_log_find(malle, tmp_path):
    assert malle('doveadm', 'log', 'find')[1].splitlines() == [f'{level}: Not found' for level in
                                                              ('Debug', 'Info', 'Warning', 'Error', 'Fatal')]
    (tmp_path / 'log').touch()
    conf = tmp_path / 'malle.conf'
    conf.write_text((malle.server.dir / 'malle.conf').read_text().replace('log_target = stderr', f'log_target = {tmp_path}/log'))
    assert malle('doveadm', '-c', conf, 'log', 'find')[1].splitlines()[1] == f'Info: {tmp_path}/log'


@pytest.mark.parametrize('words', (['log', 'nosuch'], ['mailbox'], ['nosuch']))
def test_what_is_not_there_says_so(malle, words):
    status, out, err = malle('doveadm', *words)
    assert (status, out) == (64, '') and err.startswith(f'Fatal: malle has no "doveadm {" ".join(words[:2])}"\n')
    assert 'auth test <user>' in err


def test_auth_cache_flush():
    """A password that PAM has seen is right for auth_cache_ttl, and no longer when that is forgotten."""
    def logs_in(password):
        try:
            imap(programs, user.pw_name, password).logout()
            return True
        except imaplib.IMAP4.error:
            return False
    with system_users_for_a_while() as users:
        user = users.add('before')
        conf = {'system_users': 'yes', 'pam_service': users.service, 'auth_cache_ttl': '1h', 'auth_account_failures': '1000'}
        with Server(conf=conf, users={}) as server:
            programs = Programs(server)
            assert logs_in('before')
            subprocess.run(['chpasswd'], input=f'{user.pw_name}:after\n', text=True, check=True)
            assert logs_in('before') and logs_in('after')
            assert programs('doveadm', 'auth', 'cache', 'flush') == (0, 'cache entries flushed\n', '')
            eventually(lambda: not logs_in('before'), 10)
            assert logs_in('after')
            assert programs('doveadm', 'auth', 'cache')[0] == 64
