"""malle undelete: what is kept of expunged messages, for how long, and how it comes back."""
import contextlib
import imaplib
import json
import os
import poplib
import re
import time

import pytest

from harness import DOMAIN, Server, eventually

ANN = f'ann@{DOMAIN}'
DATE = 1300000000


@pytest.fixture
def server():
    with Server(users={ANN: 'ann'}, conf={'expunged_mail_lifetime': '2d', 'quota_rule': '*:messages=10', 'quota_warning': ''}) as s:
        yield s


@contextlib.contextmanager
def imap(server):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(ANN, 'ann')
    client.select()
    yield client
    client.logout()


def fill(client, name='INBOX', n=3):
    for number in range(n):
        assert client.append(name, r'(\Flagged work)', imaplib.Time2Internaldate(DATE + number), b'Subject: %d\r\n\r\n' % number)[0] == 'OK'


def expunge(client, messages):
    client.store(messages, '+FLAGS', r'(\Deleted)')
    client.expunge()


def kept(server):
    rows = json.loads(server.malle('undelete', ANN, '--list', '--json').stdout)
    return {(row['day'], row['mailbox']): row['messages'] for row in rows}


def today(days=0):
    return time.strftime('%Y-%m-%d', time.gmtime(time.time() + days * 86400))


def undelete(server, *words, status=0):
    done = server.malle('undelete', ANN, '--json', *words, check=False)
    assert done.returncode == status, done
    return json.loads(done.stdout)


def rows(server, name='INBOX'):
    found = json.loads(server.malle('message', 'fetch', ANN, '--mailbox', name, '--json').stdout)
    return [(row['subject'], sorted(row['flags']), row['received']) for row in found]


def test_there_and_back(server):
    with imap(server) as client:
        client.create('Work.K&APY-ln')
        fill(client)
        fill(client, 'Work.K&APY-ln', 1)
        before = rows(server)
        client.store('1', '+FLAGS', r'(\Seen)')
        expunge(client, '1,3')
        client.select('Work.K&APY-ln')
        expunge(client, '1')
        client.select()
        assert kept(server) == {(today(), 'INBOX'): 2, (today(), 'Work.Köln'): 1}
        assert server.malle('undelete', ANN, '--list').stdout.splitlines()[0].startswith(today())
        uidnext = int(re.search(rb'UIDNEXT (\d+)', client.status('INBOX', '(UIDNEXT)')[1][0])[1])
        assert undelete(server, '--mailbox', 'nosuch') == {'mailboxes': 0, 'messages': 0, 'failed': 0}
        assert undelete(server, '--since', today(1))['messages'] == 0
        assert undelete(server, '--mailbox', 'Work.Köln') == {'mailboxes': 1, 'messages': 1, 'failed': 0}
        assert undelete(server) == {'mailboxes': 1, 'messages': 2, 'failed': 0}
        assert kept(server) == {} and undelete(server)['messages'] == 0
        client.noop()  # an open session hears of it
        assert [int(uid) for uid in client.uid('search', 'ALL')[1][0].split()][1:] == [uidnext, uidnext + 1]
    after = rows(server)
    assert sorted((s, [f for f in flags if f != r'\Seen'], d) for s, flags, d in after) == sorted(before)
    assert [flags for s, flags, d in after if s == '0'] == [[r'\Flagged', r'\Seen', 'work']]
    assert len(rows(server, 'Work.Köln')) == 1
    home = server.maildir(ANN)
    assert not any(path.is_file() for path in (home / '..malle-expunged').rglob('*'))
    assert {path.stat().st_uid for path in home.rglob('*')} == {home.stat().st_uid}


def test_a_mailbox_that_is_gone_is_made(server):
    with imap(server) as client:
        client.create('Old')
        fill(client, 'Old', 1)
        client.select('Old')
        expunge(client, '1')
        client.close()
        client.delete('Old')
        assert undelete(server)['messages'] == 1
        assert len(rows(server, 'Old')) == 1


def test_what_is_kept_and_what_not(server):
    """Deletions over IMAP and POP3 and by the tools; not what was moved."""
    with imap(server) as client:
        client.create('Old')
        fill(client)
        client.uid('MOVE', '1:*', 'Old')
        assert kept(server) == {}
        server.malle('message', 'delete', ANN, '--mailbox', 'Old', 'SUBJECT', '0')
        fill(client, n=1)
    pop3 = poplib.POP3_SSL('127.0.0.1', server.port('pop3s'), context=server.tls_context(), timeout=30)
    pop3.user(ANN)
    pop3.pass_('ann')
    pop3.dele(1)
    pop3.quit()
    assert kept(server) == {(today(), 'Old'): 1, (today(), 'INBOX'): 1}


def test_the_quota_holds(server):
    """What is kept does not count; what comes back does."""
    with imap(server) as client:
        fill(client, n=8)
        expunge(client, '1:*')
        fill(client, n=8)
        assert undelete(server, status=1)['messages'] == 2
        assert kept(server) == {(today(), 'INBOX'): 6}
        client.noop()
        expunge(client, '1:*')
    assert kept(server) == {(today(), 'INBOX'): 16}


def age(server, days):
    """As if it had been expunged so long ago."""
    top = server.maildir(ANN) / '..malle-expunged'
    day = int(time.time()) // 86400
    os.rename(top / str(day), top / str(day - days))


def test_its_time_is_over(server):
    with imap(server) as client:
        fill(client)
        expunge(client, '1')
    age(server, 2)
    with imap(server) as client:
        pass
    assert kept(server) == {(today(-2), 'INBOX'): 1}
    age_days = server.maildir(ANN) / '..malle-expunged' / str(int(time.time()) // 86400 - 2)
    age_days.rename(age_days.parent / str(int(age_days.name) - 1))
    with imap(server) as client:
        expunge(client, '1')
    eventually(lambda: kept(server) == {(today(), 'INBOX'): 1})
    conf = server.dir / 'malle.conf'
    conf.write_text(conf.read_text().replace('expunged_mail_lifetime = 2d\n', ''))
    server.reload()
    with imap(server) as client:
        expunge(client, '1')
    assert kept(server) == {} and not (server.maildir(ANN) / '..malle-expunged').exists()


def test_strange_files(server):
    """Links and folders in the place of messages lead nowhere."""
    with imap(server) as client:
        fill(client)
        expunge(client, '1')
    place = server.maildir(ANN) / '..malle-expunged' / str(int(time.time()) // 86400) / 'INBOX'
    (place / 'link').symlink_to('/etc/passwd')
    (place / 'folder').mkdir()
    (place.parent / 'x').mkdir()
    (place.parent.parent / 'nonsense').mkdir()
    assert undelete(server, status=1) == {'mailboxes': 1, 'messages': 1, 'failed': 2}
    assert len(rows(server)) == 3
    for words in (['--since', 'yesterday'], ['--list', '--mailbox', 'x'], ['x']):
        assert server.malle('undelete', ANN, *words, check=False).returncode == 2
