"""Users of the system: PAM, passwd, mail in their homes with their own rights. Needs root."""
import grp
import os
import pathlib
import pwd
import stat

import pytest

from harness import Server, eventually
from mail import connect_smtp, open_imap, open_pop3, read_imap, send, try_rcpt

MESSAGE = 'Subject: to a system user\r\n\r\ntext\r\n'


@pytest.fixture(scope='module')
def server(system_users):
    conf = {'system_users': 'yes', 'pam_service': system_users.service}
    sections = '[domain malle.test]\npostmaster = joe@malle.test\n'
    with Server(conf=conf, users={'joe@malle.test': 'joes'}, sections=sections) as s:
        yield s


@pytest.fixture(scope='module')
def bob(system_users):
    return system_users.add('bobs')


def address(user):
    return f'{user.pw_name}@malle.test'


def inbox(user):
    return sorted((pathlib.Path(user.pw_dir) / 'Maildir/new').iterdir())


def test_delivery_makes_the_maildir_as_the_user(server, system_users):
    user = system_users.add()
    maildir = pathlib.Path(user.pw_dir) / 'Maildir'
    assert not maildir.exists()
    code, text = send(server, [address(user)], MESSAGE)
    assert code == 250, text
    [message] = inbox(user)
    for path in (maildir, maildir / 'new', maildir / 'cur', maildir / 'tmp', message):
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (user.pw_uid, user.pw_gid), path
        assert stat.S_IMODE(status.st_mode) == (0o600 if path == message else 0o700), path


@pytest.mark.parametrize('opens', [open_imap, open_pop3], ids=['imaps', 'pop3s'])
def test_log_in_to_read(server, bob, opens):
    opens(server, bob.pw_name, 'bobs')
    with pytest.raises(Exception, match='(?i)auth'):
        opens(server, bob.pw_name, 'wrong')


@pytest.mark.parametrize('name', ['{0.pw_name}', '{0.pw_name}@malle.test'])
@pytest.mark.parametrize('listener', ['submission', 'submissions'])
def test_log_in_to_send(server, bob, listener, name):
    with connect_smtp(server, listener) as client:
        with pytest.raises(Exception, match='authentication failed'):
            client.login(name.format(bob), 'wrong')
    before = len(server.messages('joe@malle.test'))
    code, text = send(server, ['joe@malle.test'], MESSAGE, sender=address(bob), listener=listener,
                      user=name.format(bob), password='bobs')
    assert code == 250, text
    assert len(server.messages('joe@malle.test')) == before + 1


def test_a_system_user_sends_as_himself_only(server, bob):
    with connect_smtp(server, 'submissions', bob.pw_name, 'bobs') as client:
        assert client.docmd('MAIL', 'FROM:<joe@malle.test>')[0] == 553


def test_a_session_makes_the_maildir(server, system_users):
    user = system_users.add('fresh')
    client = open_imap(server, user.pw_name, 'fresh', mailbox='INBOX')
    client.append('INBOX', '', None, b'Subject: appended\r\n\r\nx\r\n')
    assert b'Sent' in b''.join(client.list()[1])
    client.logout()
    eventually(lambda: not server.role_pids('imap'))  # it takes the database's own files along
    maildir = pathlib.Path(user.pw_dir) / 'Maildir'
    for path in [maildir, *maildir.rglob('*')]:
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (user.pw_uid, user.pw_gid), path
        assert stat.S_IMODE(status.st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_without_a_home_mail_is_deferred(server, system_users):
    user = system_users.add('homeless', home=False)
    code, text = send(server, [address(user)], MESSAGE)
    assert code == 451, text
    assert not pathlib.Path(user.pw_dir).exists()
    with pytest.raises(Exception):
        open_imap(server, user.pw_name, 'homeless', mailbox='INBOX')
    pathlib.Path(user.pw_dir).mkdir(mode=0o700)
    os.chown(user.pw_dir, user.pw_uid, user.pw_gid)
    code, text = send(server, [address(user)], MESSAGE)
    assert code == 250, text
    assert len(inbox(user)) == 1


def test_low_uids_get_neither_session_nor_mail(server, system_users):
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    user = system_users.add('low', uid=next(uid for uid in range(700, 999) if uid not in taken))
    assert try_rcpt(server, address(user))[0] == 550
    for opens in (open_imap, open_pop3):
        with pytest.raises(Exception):
            opens(server, user.pw_name, 'low')
    assert os.listdir(user.pw_dir) == []


def test_mail_for_root_is_the_postmasters(server):
    before = len(server.messages('joe@malle.test'))
    code, text = send(server, ['root@malle.test'], MESSAGE)
    assert code == 250, text
    assert len(server.messages('joe@malle.test')) == before + 1
    assert not any('uid 0' in child['title'] for role in server.status()['roles'] for child in role['children'])


def test_root_cannot_log_in(server):
    with connect_smtp(server, 'submissions') as client:
        with pytest.raises(Exception, match='authentication failed'):
            client.login('root', 'whatever')


def test_a_link_into_another_home_is_not_followed_as_anybody_else(server, system_users):
    """The Maildir is opened with the user's own rights, below the user's own home."""
    victim, attacker = system_users.add(), system_users.add('attack')
    send(server, [address(victim)], MESSAGE)
    os.chmod(victim.pw_dir, 0o700)
    link = pathlib.Path(attacker.pw_dir) / 'Maildir'
    link.symlink_to(pathlib.Path(victim.pw_dir) / 'Maildir')
    os.chown(link, attacker.pw_uid, attacker.pw_gid, follow_symlinks=False)
    code, text = send(server, [address(attacker)], MESSAGE)
    assert code == 451, text
    assert len(inbox(victim)) == 1
    with pytest.raises(Exception):
        open_imap(server, attacker.pw_name, 'attack', mailbox='INBOX')
    os.chmod(victim.pw_dir, 0o777)  # even where the permissions would allow it
    os.chmod(pathlib.Path(victim.pw_dir) / 'Maildir', 0o777)
    os.chmod(pathlib.Path(victim.pw_dir) / 'Maildir/new', 0o777)
    os.chmod(pathlib.Path(victim.pw_dir) / 'Maildir/tmp', 0o777)
    code, text = send(server, [address(attacker)], MESSAGE)
    assert code == 451, text
    assert len(inbox(victim)) == 1


def test_sessions_and_deliveries_have_the_users_groups(server, system_users):
    group = system_users.add_group()
    user = system_users.add('grouped', groups=group)
    gid = grp.getgrnam(group).gr_gid
    assert send(server, [address(user)], MESSAGE)[0] == 250
    client = open_imap(server, user.pw_name, 'grouped', mailbox='INBOX')
    seen = {}
    for role in server.status()['roles']:
        for child in role['children']:
            if child['title'] == f'deliver uid {user.pw_uid}' or child['title'].startswith(f'imap {user.pw_name} '):
                seen[child['title'].split()[0]] = pathlib.Path(f'/proc/{child["pid"]}/status').read_text()
    client.logout()
    assert set(seen) == {'deliver', 'imap'}
    for text in seen.values():
        fields = dict(line.split(':\t', 1) for line in text.splitlines() if ':\t' in line)
        assert fields['Uid'].split() == [str(user.pw_uid)] * 4
        assert fields['Gid'].split() == [str(user.pw_gid)] * 4
        assert {int(g) for g in fields['Groups'].split()} - {user.pw_gid} == {gid}


def test_recipients_of_several_uids_get_one_message(server, system_users, bob):
    users = [system_users.add() for _ in range(2)]
    before = len(server.messages('joe@malle.test'))
    code, text = send(server, ['joe@malle.test', *map(address, users)], MESSAGE)
    assert code == 250, text
    assert [len(inbox(user)) for user in users] == [1, 1]
    assert len(server.messages('joe@malle.test')) == before + 1


def test_one_failing_uid_does_not_keep_the_message_from_the_others(server, system_users):
    fine, broken = system_users.add(), system_users.add()
    maildir = pathlib.Path(broken.pw_dir) / 'Maildir'
    maildir.mkdir(mode=0o700)  # belongs to root: the user can neither write nor look inside
    before = len(server.messages('joe@malle.test'))
    recipients = ['joe@malle.test', address(fine), address(broken)]
    code, text = send(server, recipients, MESSAGE)
    assert code == 250, text
    assert len(server.messages('joe@malle.test')) == before + 1
    assert len(inbox(fine)) == 1
    replies = send(server, recipients, MESSAGE, listener='lmtp')
    assert [code for code, _ in replies] == [250, 250, 451]
    assert len(server.messages('joe@malle.test')) == before + 2
    assert len(inbox(fine)) == 2
    os.chown(maildir, broken.pw_uid, broken.pw_gid)
    assert send(server, [address(broken)], MESSAGE)[0] == 250
    assert read_imap(server, broken.pw_name, 'secret')
