"""Whose an address is: accounts of the database, aliases, catch-all, the addresses that every domain has."""
import os
import pwd
import stat

import pytest

from harness import Server, eventually
from mail import connect_smtp, open_imap, open_pop3, read_imap, send, try_rcpt

USERS = {'joe@malle.test': 'joes', 'ann@malle.test': 'anns', 'off@malle.test': 'offs', 'all@catch.test': 'alls'}
MESSAGE = 'Subject: hello\r\n\r\ntext\r\n'


@pytest.fixture(scope='module')
def server():
    sections = '[domain catch.test]\ncatch_all = all@catch.test\n[domain malle.test]\npostmaster = ann@malle.test\n'
    with Server(conf={'domains': 'malle.test, catch.test, bare.test'}, users=USERS, sections=sections) as s:
        for name, *targets in (('team', 'joe@malle.test', 'ann@malle.test'), ('one', 'two@malle.test'),
                               ('two', 'one@malle.test'), ('self', 'self@malle.test', 'joe@malle.test'),
                               ('away', 'someone@example.net'), ('nested', 'team@malle.test', 'joe@malle.test')):
            s.malle('alias', 'add', f'{name}@malle.test', *targets)
        s.malle('user', 'disable', 'off@malle.test')
        yield s


def count(server, user):
    return len(server.messages(user))


def arrivals(server, recipient):
    """Who got the message that was sent to the recipient."""
    before = {user: count(server, user) for user in USERS}
    code, text = send(server, [recipient], MESSAGE)
    assert (code, text[:6]) == (250, '2.0.0 '), text
    return {user: n for user in USERS if (n := count(server, user) - before[user])}


def test_files_belong_to_the_mail_user_and_to_nobody_else(server):
    send(server, ['joe@malle.test'], MESSAGE)
    uid = pwd.getpwnam('vmail').pw_uid if os.geteuid() == 0 else os.geteuid()
    seen = 0
    for top, folders, files in os.walk(server.maildir('joe@malle.test')):
        assert stat.S_IMODE(os.stat(top).st_mode) == 0o700 and os.stat(top).st_uid == uid, top
        for name in files:
            status = os.stat(os.path.join(top, name))
            assert stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == uid, name
            seen += 1
    assert seen >= 1
    for part in ('tmp', 'new', 'cur'):
        assert (server.maildir('joe@malle.test') / part).is_dir()
    assert list((server.maildir('joe@malle.test') / 'tmp').iterdir()) == []


@pytest.mark.parametrize('address, who', [
    ('joe@malle.test', {'joe@malle.test': 1}),
    ('JOE@Malle.Test', {'joe@malle.test': 1}),
    ('joe+tag@malle.test', {'joe@malle.test': 1}),
    ('team@malle.test', {'joe@malle.test': 1, 'ann@malle.test': 1}),
    ('team+tag@malle.test', {'joe@malle.test': 1, 'ann@malle.test': 1}),
    ('nested@malle.test', {'joe@malle.test': 1, 'ann@malle.test': 1}),
    ('self@malle.test', {'joe@malle.test': 1}),
    ('nobody@catch.test', {'all@catch.test': 1}),
    ('postmaster@malle.test', {'ann@malle.test': 1}),
    ('abuse@malle.test', {'ann@malle.test': 1}),
    ('root@malle.test', {'ann@malle.test': 1}),
    ('Postmaster', {'ann@malle.test': 1}),
])
def test_address_leads_to(server, address, who):
    assert arrivals(server, address) == who


@pytest.mark.parametrize('address, code, text', [
    ('nobody@malle.test', 550, '5.1.1 '),
    ('nobody+joe@malle.test', 550, '5.1.1 '),
    ('joe@example.net', 554, '5.7.1 '),
    ('off@malle.test', 550, '5.2.1 '),
    ('one@malle.test', 550, '5.4.6 '),
    ('joe', 501, '5.1.3 '),
])
def test_address_is_refused(server, address, code, text):
    got = try_rcpt(server, address)
    assert got[0] == code and got[1].startswith(text), got


def test_a_domain_without_accounts_still_has_a_postmaster(server):
    assert sum(arrivals(server, 'postmaster@bare.test').values()) == 1


def test_tag_stays_in_delivered_to(server):
    send(server, ['ann+Shop@malle.test'], 'Subject: tagged\r\n\r\ntext\r\n')
    found = [m for m in read_imap(server, 'ann@malle.test', 'anns') if b'Subject: tagged' in m]
    assert b'\r\nDelivered-To: ann+Shop@malle.test\r\n' in found[0]


def test_a_disabled_account_cannot_log_in(server):
    for opens in (open_imap, open_pop3):
        with pytest.raises(Exception, match='(?i)auth'):
            opens(server, 'off@malle.test', 'offs')


def test_a_logged_in_user_sends_as_himself(server):
    with connect_smtp(server, 'submissions', 'joe@malle.test', 'joes') as client:
        for sender, code in (('joe@malle.test', 250), ('joe+list@malle.test', 250), ('team@malle.test', 250), ('', 250),
                             ('ann@malle.test', 553), ('joe@example.net', 553), ('nobody@malle.test', 553)):
            got = client.docmd('MAIL', f'FROM:<{sender}>')
            assert got[0] == code, (sender, got)
            client.rset()
        client.docmd('MAIL', 'FROM:<joe@malle.test>')
        assert client.docmd('RCPT', 'TO:<someone@example.net>')[0] == 250
        code, text = client.docmd('RCPT', 'TO:<nobody@malle.test>')
        assert code == 550 and text.startswith(b'5.1.1 ')


def test_submission_wants_a_log_in(server):
    with connect_smtp(server, 'submission') as client:
        assert client.docmd('MAIL', 'FROM:<joe@malle.test>')[0] == 530


def test_a_new_account_counts_at_once(server):
    assert try_rcpt(server, 'late@malle.test')[0] == 550
    server.malle('user', 'add', 'late@malle.test', input='lates\n')
    assert send(server, ['late@malle.test'], MESSAGE)[0] == 250
    assert len(read_imap(server, 'late@malle.test', 'lates')) == 1
    server.malle('user', 'passwd', 'late@malle.test', input='other\n')
    with pytest.raises(Exception, match='(?i)auth'):
        open_imap(server, 'late@malle.test', 'lates')
    open_imap(server, 'late@malle.test', 'other').logout()
    server.malle('domain', 'add', 'late.test')
    server.malle('alias', 'add', 'x@late.test', 'late@malle.test')
    assert send(server, ['x@late.test'], MESSAGE)[0] == 250
    server.malle('user', 'del', 'late@malle.test')
    eventually(lambda: try_rcpt(server, 'late@malle.test')[0] == 550)
