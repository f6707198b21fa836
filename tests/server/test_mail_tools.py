"""malle mailbox, message, index, export and import: what they print and do, beside clients that have the mailboxes open."""
import contextlib
import imaplib
import json
import mailbox
import os
import pathlib
import shutil
import smtplib
import sqlite3
import stat
import time

import pytest

from harness import DOMAIN, Server

ANN, BOB = f'ann@{DOMAIN}', f'bob@{DOMAIN}'
ROOT = os.geteuid() == 0
DATES = [1784281465, 951782400, 1300000000, 1700000000]
MAILS = [b'Subject: one\r\nFrom: Carl <carl@client.example>\r\nMessage-ID: <1@client.example>\r\n\r\nfirst body\r\n',
         b'Subject: =?iso-8859-1?q?K=F6ln?=\r\n\r\nFrom here it goes\r\n>From there\r\n',
         b'Subject: three words here\r\n\r\n' + b'x' * 3000 + b'\r\n',
         b'Return-Path: <dave@client.example>\r\nSubject: four\r\n\r\nno end']
FLAGS = [r'\Seen', r'\Flagged work', '', r'\Answered $Forwarded']


@pytest.fixture(scope='module')
def server():
    with Server(users={ANN: 'ann', BOB: 'bob'}) as s:
        yield s


def imap(server, user):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, user.partition('@')[0])
    return client


def fill(client, name='INBOX'):
    for mail, flags, date in zip(MAILS, FLAGS, DATES):
        assert client.append(name, f'({flags})', imaplib.Time2Internaldate(date), mail)[0] == 'OK'


@pytest.fixture
def ann(server):
    """A client of an account in which INBOX has four messages, and nothing else is."""
    client = imap(server, ANN)
    for line in client.list()[1]:
        name = line.decode().rpartition(' "." ')[2]
        if name != 'INBOX':
            client.delete(name)
    client.select()
    client.uid('STORE', '1:*', '+FLAGS', r'(\Deleted)')
    client.expunge()
    fill(client)
    client.select()
    yield client
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        client.logout()


def told(server, *words, status=0, **more):
    done = server.malle(*words, check=False, **more)
    assert done.returncode == status, (words, done)
    return done


def as_json(server, *words, **more):
    return json.loads(told(server, *words, '--json', **more).stdout)


def contents(client, name):
    """What a mailbox has: of each message its flags, date, and bytes."""
    client.select(name, readonly=True)
    found = []
    for head, body in (part for part in client.uid('FETCH', '1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')[1] if isinstance(part, tuple)):
        flags = {f.decode() for f in imaplib.ParseFlags(head)} - {r'\Recent'}
        found.append((flags, time.mktime(imaplib.Internaldate2tuple(head)), body))
    return found


EXPECTED = [(set(flags.split()), date, mail) for mail, flags, date in zip(MAILS, FLAGS, DATES)]


# --- mailbox ---

def test_mailboxes(server, ann):
    assert told(server, 'mailbox', 'create', ANN, 'Work', 'Work.Köln', 'R&D').stdout == 'Work created\nWork.Köln created\nR&D created\n'
    assert told(server, 'mailbox', 'list', ANN).stdout.split() == ['INBOX', 'R&D', 'Work', 'Work.Köln']
    assert ann.status('Work.K&APY-ln', '(MESSAGES)')[0] == ann.status('R&-D', '(MESSAGES)')[0] == 'OK'
    assert told(server, 'mailbox', 'rename', ANN, 'Work', 'Job').stdout == 'Work renamed to Job\n'
    assert told(server, 'mailbox', 'list', ANN, 'J*', 'IN%').stdout.split() == ['Job', 'Job.Köln', 'INBOX']
    assert as_json(server, 'mailbox', 'list', ANN, 'Job') == [
        {'name': 'Job', 'selectable': True, 'subscribed': False, 'special_use': None}]
    told(server, 'mailbox', 'subscribe', ANN, 'Job')
    assert as_json(server, 'mailbox', 'list', ANN, 'Job')[0]['subscribed'] and any(line.endswith(b' Job') for line in ann.lsub()[1])
    told(server, 'mailbox', 'unsubscribe', ANN, 'Job')
    assert told(server, 'mailbox', 'delete', ANN, 'Job.Köln', 'Job').stdout.count('deleted with its messages') == 2
    assert told(server, 'mailbox', 'list', ANN).stdout.split() == ['INBOX', 'R&D']
    if ROOT:
        made = (server.maildir(ANN) / '.R&-D').stat()
        assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (server.maildir(ANN).stat().st_uid, 0o700) and made.st_uid != 0


def test_mailbox_status(server, ann):
    row = as_json(server, 'mailbox', 'status', ANN, 'INBOX')[0]
    told_by_imap = ann.status('INBOX', '(UIDVALIDITY UIDNEXT)')[1][0].decode()
    assert f'UIDVALIDITY {row["uidvalidity"]}' in told_by_imap and f'UIDNEXT {row["uidnext"]}' in told_by_imap
    assert (row['name'], row['messages'], row['unseen']) == ('INBOX', 4, 3) and row['size'] == sum(map(len, MAILS)) and row['highestmodseq']
    assert told(server, 'mailbox', 'status', ANN).stdout == f'INBOX: 4 messages, 3 unseen, {row["size"]} bytes\n'


@pytest.mark.parametrize('words, status, said', (
    (['mailbox', 'list', 'nobody@malle.test'], 1, 'there is no account nobody@malle.test'),
    (['mailbox', 'list', ANN, 'nosuch'], 1, 'there is no mailbox nosuch'),
    (['mailbox', 'create', ANN, 'INBOX'], 1, 'INBOX: '),
    (['mailbox', 'delete', ANN, 'nosuch'], 1, 'nosuch: '),
    (['mailbox', 'create', ANN, '../x', 'a/b', ''], 1, '../x: '),
    (['mailbox', 'rename', ANN, 'one'], 2, 'NEW-NAME'),
    (['mailbox', 'create', ANN], 2, 'NAME'),
    (['mailbox', 'fly', ANN], 2, 'mailbox needs'),
    (['mailbox'], 2, 'mailbox needs'),
    (['message', 'search', ANN, 'FLY'], 1, 'search'),
    (['message', 'delete', ANN], 2, 'KEY'),
    (['message', 'move', ANN, 'Trash'], 2, 'KEY'),
    (['message', 'move', ANN, 'nosuch', 'ALL'], 1, 'move'),
    (['message', 'flags', ANN, 'fly', 'x', 'ALL'], 2, 'add|remove|replace'),
    (['message', 'flags', ANN, 'add', '(x', 'ALL'], 2, 'no flags'),
    (['message', 'search', ANN, '--mailbox', 'nosuch'], 1, 'there is no mailbox nosuch'),
    (['index', 'check'], 2, 'index needs'),
    (['index', 'check', 'nobody@malle.test'], 1, 'there is no account'),
    (['export', ANN], 2, 'export needs'),
    (['import', ANN, '--maildir', 'a', '--mbox', 'b'], 2, 'import needs'),
    (['import', ANN, '--maildir', '/nosuch'], 1, '/nosuch is no Maildir'),
    (['import', ANN, '--mbox', '/nosuch'], 1, '/nosuch cannot be read'),
), ids=lambda value: ' '.join(value) if isinstance(value, list) else None)
def test_wrong_words(server, ann, words, status, said):
    done = told(server, *words, status=status)
    assert said in done.stderr and done.stdout == '', done
    assert len(contents(ann, 'INBOX')) == 4


# --- message ---

def uids(client):
    return client.uid('search', 'ALL')[1][0].decode().split()


@pytest.mark.parametrize('keys, expected', (
    ([], [0, 1, 2, 3]), (['ALL'], [0, 1, 2, 3]), (['SEEN'], [0]), (['SUBJECT', 'Köln'], [1]), (['SUBJECT', 'three words'], [2]),
    (['SUBJECT "three words" UNSEEN'], [2]), (['OR', 'SEEN', '(', 'FLAGGED', 'KEYWORD', 'work', ')'], [0, 1]), (['(SEEN)'], [0]),
    (['NOT', 'LARGER', '2000', 'BODY', 'first'], [0]), (['SINCE', '1-Jan-2020'], [0, 3]), (['TEXT', ''], [0, 1, 2, 3]), (['BODY', '"quoted"'], []),
    (['SUBJECT', 'one\r\nx LOGOUT'], []), (['KEYWORD', '$Forwarded'], [3])), ids=repr)
def test_search(server, ann, keys, expected):
    known = uids(ann)
    assert told(server, 'message', 'search', ANN, *keys).stdout == ''.join(f'{known[i]} INBOX\n' for i in expected)
    assert as_json(server, 'message', 'search', ANN, *keys) == [{'mailbox': 'INBOX', 'uid': int(known[i])} for i in expected]


def test_search_leaves_recent_messages_alone(server):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=30) as client:
        client.sendmail('x@client.example', [BOB], 'Subject: new\r\n\r\n')
    assert len(as_json(server, 'message', 'search', BOB, 'RECENT')) == 1
    assert len(as_json(server, 'message', 'fetch', BOB)) == 1
    assert len(list((server.maildir(BOB) / 'new').iterdir())) == 1
    assert as_json(server, 'message', 'delete', BOB, 'ALL') == {'messages': 1}


def test_fetch(server, ann):
    assert told(server, 'message', 'fetch', ANN, 'SUBJECT', 'Köln').stdout == MAILS[1].decode().replace('\r\n', '\n')
    several = told(server, 'message', 'fetch', ANN).stdout
    assert several.startswith('From MAILER-DAEMON Fri Jul 17 09:44:25 2026\n') and '\nFrom dave@client.example Tue Nov 14 22:13:20 2023\n' in several
    assert '\n>From here it goes\n>>From there\n' in several
    rows = as_json(server, 'message', 'fetch', ANN)
    assert [row['subject'] for row in rows] == ['one', 'Köln', 'three words here', 'four']
    assert rows[0]['flags'] == [r'\Seen'] and rows[0]['received'] == '2026-07-17T09:44:25Z' and rows[0]['size'] == len(MAILS[0])
    assert (rows[0]['from'], rows[0]['message_id'], rows[1]['from']) == ('Carl <carl@client.example>', '<1@client.example>', None)
    assert rows[0]['message'] == MAILS[0].decode().replace('\r\n', '\n') and str(rows[0]['uid']) == uids(ann)[0]
    assert ann.uid('search', 'SEEN')[1][0].decode().split() == [uids(ann)[0]]  # nothing was marked as read


def test_changes_beside_an_open_session(server, ann):
    known = uids(ann)
    told(server, 'mailbox', 'create', ANN, 'Old')
    assert told(server, 'message', 'flags', ANN, 'add', r'\Seen later', 'UID', known[2]).stdout == '1 messages changed\n'
    ann.noop()
    assert ann.uid('search', 'SEEN KEYWORD later')[1] == [known[2].encode()]
    assert as_json(server, 'message', 'flags', ANN, 'remove', r'\Seen', 'SEEN') == {'messages': 2}
    assert as_json(server, 'message', 'flags', ANN, 'replace', '', 'KEYWORD', 'later') == {'messages': 1}
    assert told(server, 'message', 'copy', ANN, 'Old', 'FLAGGED').stdout == '1 messages copied\n'
    assert told(server, 'message', 'move', ANN, 'Old', 'UID', f'{known[0]},{known[3]}').stdout == '2 messages moved\n'
    assert told(server, 'message', 'delete', ANN, 'SUBJECT', 'nothing').stdout == '0 messages deleted\n'
    ann.noop()
    assert uids(ann) == known[1:3]
    assert [row['mailbox'] for row in as_json(server, 'message', 'search', ANN, '--mailbox', '*')] == ['INBOX'] * 2 + ['Old'] * 3
    assert told(server, 'message', 'delete', ANN, '--mailbox', '*', 'ALL').stdout == '5 messages deleted\n'
    ann.noop()
    assert uids(ann) == [] and contents(ann, 'Old') == []


# --- index ---

def test_index_check_and_rebuild(server, ann):
    told(server, 'mailbox', 'create', ANN, 'Old')
    sound = as_json(server, 'index', 'check', ANN)
    assert sound == {'faults': [], 'mailboxes': 2, 'messages': 4}
    assert told(server, 'index', 'check', ANN).stdout == f'{ANN}: the index is sound: 2 mailboxes, 4 messages\n'
    known, before = uids(ann), contents(ann, 'INBOX')
    numbers = ann.status('INBOX', '(UIDVALIDITY UIDNEXT)')
    modseq = as_json(server, 'mailbox', 'status', ANN, 'INBOX')[0]['highestmodseq']
    ann.logout()
    with sqlite3.connect(server.maildir(ANN) / 'malle.index') as db:
        db.execute("UPDATE mailbox SET unseen = 77 WHERE dir = ''")
        db.execute("DELETE FROM message WHERE key IN (SELECT max(key) FROM file JOIN mailbox ON mailbox.id = file.key >> 32 WHERE dir = '')")
    db.close()
    found = as_json(server, 'index', 'check', ANN, status=1)
    assert {(fault['mailbox'], fault['fault']) for fault in found['faults']} == {('INBOX', 'the tables of the index contradict each other')}
    assert 'malle index rebuild' in told(server, 'index', 'check', ANN, status=1).stdout
    assert told(server, 'index', 'rebuild', ANN).stdout == f'{ANN}: the index is new: 2 mailboxes, 4 messages\n'
    assert as_json(server, 'index', 'check', ANN) == sound
    client = imap(server, ANN)
    assert contents(client, 'INBOX') == before and uids(client) == known and client.status('INBOX', '(UIDVALIDITY UIDNEXT)') == numbers
    assert as_json(server, 'mailbox', 'status', ANN, 'INBOX')[0]['highestmodseq'] > modseq
    client.logout()


def test_index_rebuild_beside_an_open_session(server, ann):
    """What it has changed just now is kept, and it is sent away."""
    known = uids(ann)
    ann.store('3', '+FLAGS', r'(\Seen)')
    told(server, 'index', 'rebuild', ANN)
    assert ann.store('4', '+FLAGS', r'(\Flagged)')[0] == 'NO'
    client = imap(server, ANN)
    client.select()
    assert uids(client) == known and client.search(None, 'SEEN')[1] == [b'1 3'] and client.search(None, 'FLAGGED')[1] == [b'2']
    client.logout()


def test_index_check_counts(server, ann):
    ann.close()
    with sqlite3.connect(server.maildir(ANN) / 'malle.index') as db:
        db.execute("UPDATE mailbox SET unseen = 77 WHERE dir = ''")
    db.close()
    found = as_json(server, 'index', 'check', ANN, status=1)
    assert found['faults'] == [{'mailbox': 'INBOX', 'fault': 'the index counts its messages wrongly'}]
    told(server, 'index', 'rebuild', ANN)
    ann.noop()


# --- export and import ---

def test_there_and_back_as_maildir(server, ann, tmp_path):
    told(server, 'mailbox', 'create', ANN, 'Old.Köln')
    fill(ann, 'Old.K&APY-ln')
    assert told(server, 'export', ANN, '--maildir', tmp_path / 'out').stdout == f'8 messages of 2 mailboxes are in {tmp_path}/out\n'
    out = tmp_path / 'out'
    assert (stat.S_IMODE(out.stat().st_mode), out.stat().st_uid) == (0o700, os.geteuid())
    theirs = mailbox.Maildir(out, create=False)
    assert len(theirs) == 4 and {'Old.K&APY-ln'} <= set(theirs.list_folders())
    assert sorted(theirs[key].get_flags() for key in theirs.keys()) == ['', 'Fa', 'Rb', 'S']
    assert f'V{as_json(server, "mailbox", "status", ANN, "INBOX")[0]["uidvalidity"]}' in (out / 'dovecot-uidlist').read_text().split('\n')[0]
    assert (out / 'dovecot-keywords').read_text() == '0 work\n1 $Forwarded\n'
    assert as_json(server, 'import', BOB, '--maildir', out) == {'mailboxes': 2, 'messages': 8, 'failed': 0}
    bob = imap(server, BOB)
    for name in ('INBOX', 'Old.K&APY-ln'):
        assert contents(bob, name) == contents(ann, name) == EXPECTED
    bob.logout()
    told(server, 'export', ANN, '--maildir', tmp_path / 'one', '--mailbox', 'Old.Köln')
    assert as_json(server, 'import', BOB, '--maildir', tmp_path / 'one') == {'mailboxes': 2, 'messages': 4, 'failed': 0}
    told(server, 'message', 'delete', BOB, '--mailbox', '*', 'ALL')
    assert 'it is there already' in told(server, 'export', ANN, '--maildir', out, status=1).stderr


def test_utf8_in_headers(server, ann, tmp_path):
    """RFC 9755 §8: commands read and save messages with UTF-8 in headers as they are."""
    mail = 'From: Jürgen <jürgen@exämple.example>\nSubject: Grüße\n\nGrüße\n'
    mailbox.Maildir(tmp_path / 'in').add(mail.encode())
    assert as_json(server, 'import', ANN, '--maildir', tmp_path / 'in', '--mailbox', 'EAI')['messages'] == 1
    assert told(server, 'message', 'fetch', ANN, '--mailbox', 'EAI', 'SUBJECT', 'Grüße').stdout == mail
    told(server, 'export', ANN, '--maildir', tmp_path / 'out', '--mailbox', 'EAI')
    there = [path for path in (tmp_path / 'out').rglob('*') if path.parent.name in ('cur', 'new')]
    assert [path.read_text() for path in there] == [mail]


def test_there_and_back_as_mbox(server, ann, tmp_path):
    told(server, 'mailbox', 'create', ANN, 'Old')
    fill(ann, 'Old')
    told(server, 'export', ANN, '--mbox', tmp_path / 'out', '--mailbox', 'Old')
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['Old.mbox']
    theirs = mailbox.mbox(tmp_path / 'out/Old.mbox', create=False)
    assert len(theirs) == 4 and [m.get_flags() for m in theirs] == ['RO', 'F', '', 'A']
    for words, name in ((['--mbox', tmp_path / 'out'], 'Old'), (['--mbox', tmp_path / 'out/Old.mbox', '--mailbox', 'One'], 'One')):
        assert as_json(server, 'import', BOB, *words) == {'mailboxes': 1, 'messages': 4, 'failed': 0}
        bob = imap(server, BOB)
        got, expected = contents(bob, name), [(f, d, m if m.endswith(b'\n') else m + b'\r\n') for f, d, m in EXPECTED]
        bob.logout()
        assert got == expected
    text = (tmp_path / 'out/Old.mbox').read_text()
    assert as_json(server, 'import', BOB, '--mbox', '-', '--mailbox', 'Two', input=text)['messages'] == 4
    told(server, 'message', 'delete', BOB, '--mailbox', '*', 'ALL')


def test_an_exported_maildir_keeps_uids(server, ann, tmp_path):
    """It can be put in the place of the account's own."""
    told(server, 'message', 'delete', ANN, 'SUBJECT', 'one')
    ann.noop()
    known, numbers, before = uids(ann), ann.status('INBOX', '(UIDVALIDITY UIDNEXT)'), contents(ann, 'INBOX')
    ann.logout()
    told(server, 'export', ANN, '--maildir', tmp_path / 'out')
    own = server.maildir(ANN)
    owner = own.stat()
    shutil.rmtree(own)
    shutil.move(tmp_path / 'out', own)
    for path in [own, *own.rglob('*')]:
        os.chown(path, owner.st_uid, owner.st_gid)
    client = imap(server, ANN)
    client.select()
    assert (uids(client), client.status('INBOX', '(UIDVALIDITY UIDNEXT)'), contents(client, 'INBOX')) == (known, numbers, before)
    client.logout()


def maildir_of(path, *mails):
    for sub in ('cur', 'new', 'tmp'):
        (path / sub).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (path / 'cur' / f'{number}.x:2,').write_bytes(mail)
    return path


def test_what_cannot_be_imported_is_told(server, tmp_path):
    """The rest comes all the same."""
    source = maildir_of(tmp_path / 'in', b'Subject: 0\n\n', b'', b'Subject: with \0\n\n', b'Subject: 3\n\n')
    (source / 'cur/4.link').symlink_to('/etc/passwd')
    (source / 'cur/5.folder').mkdir()
    os.mkfifo(source / 'new/6.fifo')
    (source / '.link').symlink_to('/etc')
    (source / '.Sub').mkdir()  # no mailbox: without cur
    done = told(server, 'import', BOB, '--maildir', source, status=1)
    assert done.stdout == '2 messages came into 1 mailboxes; 5 did not\n'
    assert [line.split(': ')[2] for line in done.stderr.splitlines()] == ['1.x:2,', '2.x:2,', '4.link', '5.folder', '6.fifo']
    assert sorted(row['subject'] for row in as_json(server, 'message', 'fetch', BOB)) == ['0', '3']
    told(server, 'message', 'delete', BOB, 'ALL')
    (tmp_path / 'way').symlink_to(tmp_path)
    for words in (['import', BOB, '--maildir', tmp_path / 'way/in'], ['import', BOB, '--mbox', tmp_path / 'way/x'],
                  ['export', BOB, '--maildir', tmp_path / 'way/new'], ['export', BOB, '--mbox', tmp_path / 'way/new']):
        assert 'a symbolic link is on the way' in told(server, *words, status=1).stderr
    assert not (tmp_path / 'new').exists()
    (tmp_path / 'no.mbox').write_text('Subject: x\n\nFrom here\n')
    assert 'is no mbox file' in told(server, 'import', BOB, '--mbox', tmp_path / 'no.mbox', status=1).stderr


def test_import_stops_at_the_quota(server, tmp_path):
    source = maildir_of(tmp_path / 'in', *[b'Subject: x\n\n' + b'y' * 1000 + b'\n'] * 9)
    server.malle('user', 'quota', BOB, '--quota', '5k')
    try:
        done = told(server, 'import', BOB, '--maildir', source, status=1)
        assert 0 < int(done.stdout.split()[0]) < 6 and '; 1 did not' in done.stdout
    finally:
        server.malle('user', 'quota', BOB, '--quota', 'default')
        told(server, 'message', 'delete', BOB, 'ALL')


def test_without_a_server(tmp_path):
    """The session is the command's own."""
    with Server(users={ANN: 'ann'}) as server:
        server.stop()
        source = maildir_of(tmp_path / 'in', b'Subject: x\n\n')
        assert as_json(server, 'import', ANN, '--maildir', source)['messages'] == 1
        assert len(as_json(server, 'message', 'search', ANN)) == 1
        server.start()


@pytest.mark.skipif(not ROOT, reason='needs root')
def test_the_session_is_the_owners(server):
    """A command's session never has root's rights: a Maildir that is a link of its owner leads nowhere."""
    home = server.maildir(BOB)
    owner = home.stat()
    shutil.rmtree(home)
    target = pathlib.Path(server.dir / 'roots')
    target.mkdir(mode=0o700)
    home.symlink_to(target)
    os.chown(home, owner.st_uid, owner.st_gid, follow_symlinks=False)
    try:
        assert told(server, 'mailbox', 'create', BOB, 'x', status=1).stdout == ''
        assert list(target.iterdir()) == []
    finally:
        home.unlink()
