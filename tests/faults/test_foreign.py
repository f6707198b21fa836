"""What others do to a Maildir under an open session: many programs rename at once, the index goes away or is overwritten."""
import contextlib
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import pytest

from harness import FULL, Server, eventually
from talk import Imap, Smtp, Talk

RENAMED, SPOILT = 'renamed@malle.test', 'spoilt@malle.test'
FILES, SCANS = (20000, 1000) if FULL else (500, 12)
ROUNDS = 60 if FULL else 6
LETTERS = {'D': '\\Draft', 'F': '\\Flagged', 'R': '\\Answered', 'S': '\\Seen', 'T': '\\Deleted'}

# Gives every third file of a folder new flags again and again. All who do so at once rest at the same time, for long enough that the folder is
# believed, and begin again together.
RENAMER = '''
import os, random, sys, time
os.chdir(sys.argv[1])
part, flags = int(sys.argv[2]), random.Random(sys.argv[2])
names = {n.partition(":")[0]: n for n in os.listdir(".") if int(n.partition(".")[0]) % 3 == part}
bases = list(names)
while True:
    if time.time() % 3 > 0.7:
        time.sleep(0.01)
        continue
    base = flags.choice(bases)
    new = base + ":2," + "".join(c for c in "DFRST" if flags.random() < 0.5)
    os.rename(names[base], new)
    names[base] = new
    time.sleep(0.0003)
'''


@pytest.fixture(scope='module')
def server():
    with Server(users={RENAMED: 'secret', SPOILT: 'secret'}) as it:
        yield it


def selected(server, address, command='SELECT INBOX'):
    """A session, and what SELECT told."""
    client = Imap(server)
    assert client.login(address).startswith('OK')
    reply, told = client.command(command)
    assert reply.startswith('OK'), reply
    return client, told.decode()


def number(word, text):
    return int(re.search(rf'{word} (\d+)|(\d+) {word}', text).group(1, 2)[word == 'EXISTS'])


def fill(server, address):
    """Many files, as another program would lay them into cur/."""
    selected(server, address)[0].close()
    maildir = server.maildir(address)
    owner = maildir.stat()
    for i in range(FILES):
        path = maildir / 'cur' / f'{i}.M1P1.elsewhere,S=17,W=20:2,'
        path.write_bytes(b'Subject: x\n\nbody\n')
        os.chown(path, owner.st_uid, owner.st_gid)
    return maildir / 'cur'


@contextlib.contextmanager
def renaming(folder):
    programs = [subprocess.Popen([sys.executable, '-c', RENAMER, folder, str(part)]) for part in range(3)]
    yield programs
    for program in programs:
        assert program.poll() is None
        program.kill()
        program.wait()


def names_agree(client, maildir):
    """Whether a session tells of each UID the flags that its file's name has."""
    uids = dict(re.findall(r'^(\d+) [^:\n]*:(.*)$', (maildir / 'dovecot-uidlist').read_text(), re.M))
    info = {name.partition(':')[0]: name.partition(':2,')[2] for name in os.listdir(maildir / 'cur')}
    told = client.command('UID FETCH 1:* (FLAGS)')[1].decode()
    there = {uid: set(flags.split()) - {'\\Recent'} for uid, flags in re.findall(r'FETCH \(UID (\d+) FLAGS \(([^)]*)\)\)', told)}
    assert len(there) == FILES
    return all({LETTERS[c] for c in info[uids[uid]]} == flags for uid, flags in there.items())


@pytest.mark.seconds(1800 if FULL else 100)
def test_no_false_expunge(server):
    """However others rename while the folder is read, no message is ever taken for gone."""
    folder = fill(server, RENAMED)
    client, told = selected(server, RENAMED)
    with client:
        assert number('EXISTS', told) == FILES
        with renaming(folder):
            scans, before = 0, 0
            while scans < SCANS:
                now = os.stat(folder).st_mtime_ns
                if now == before:
                    time.sleep(0.05)
                scans, before = scans + (now != before), now
                reply, told = client.command('NOOP')
                assert reply.startswith('OK') and b' EXPUNGE' not in told and b' EXISTS' not in told
        other, told = selected(server, RENAMED)
        other.close()
        assert number('EXISTS', told) == FILES and number('UIDNEXT', told) == FILES + 1
        eventually(lambda: client.command('NOOP') and names_agree(client, folder.parent), 20, step=0.5)


# --- the index ---

def deliver(server, subject):
    with Smtp(server) as client:
        client.hello()
        assert client.envelope(SPOILT).startswith('250')
        assert client.data(f'Subject: {subject}\r\n\r\nbody\r\n'.encode())[0].startswith('250')


def view(server):
    """What a new session sees: UIDVALIDITY, and subject and flags by UID. None while it is told to come again."""
    with Imap(server) as client:
        if not client.login(SPOILT).startswith('OK'):
            return None
        reply, told = client.command('EXAMINE INBOX')
        fetched, rows = client.command('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])') if reply.startswith('OK') else ('', b'')
        if not fetched.startswith('OK'):
            return None
        client.command('LOGOUT')
    rows = re.findall(r'UID (\d+) FLAGS \(([^)]*)\).*\{\d+\}\r\nSubject: (\w+)', rows.decode())
    return number('UIDVALIDITY', told.decode()), {int(uid): (subject, frozenset(flags.split()) - {'\\Recent'}) for uid, flags, subject in rows}


@pytest.fixture
def truth(server):
    """Ten messages, some with flags and a keyword, and a hole."""
    with selected(server, SPOILT)[0] as client:
        for i in range(10):
            assert client.append(f'Subject: m{i}\r\n\r\nbody\r\n'.encode()).startswith('OK')
        for command in ('STORE 3 +FLAGS (\\Deleted)', 'EXPUNGE', 'STORE 2:4 +FLAGS (\\Flagged)', 'STORE 5 +FLAGS (work)', 'LOGOUT'):
            assert client.command(command)[0].startswith('OK'), command
        client.rest()  # until the names have the flags
    return view(server)


def index_files(server):
    return [path for path in server.maildir(SPOILT).iterdir() if path.name in ('malle.index', 'malle.index-wal', 'malle.index-shm')]


def test_index_removed(server, truth):
    """Sessions end, so that their clients come again and find all as it was; POP3, which looks once, goes on."""
    client, _ = selected(server, SPOILT)
    idle, _ = selected(server, SPOILT)
    idle.send('i IDLE\r\n')
    assert idle.line().startswith('+')
    with Talk(server, 'pop3s', tls=True) as pop3:
        for command in (None, f'USER {SPOILT}', 'PASS secret'):
            pop3.send(f'{command}\r\n' if command else '')
            assert pop3.line().startswith('+OK')
        for path in index_files(server):
            path.unlink()
        with client:
            assert client.command('NOOP')[0].startswith('OK') and client.rest().startswith('* BYE')
        deliver(server, 'more')
        with idle:
            assert eventually(lambda: '* BYE' in idle.line())
        pop3.send('RETR 1\r\nQUIT\r\n')
        assert pop3.rest().startswith(('+OK', '-ERR'))
    validity, messages = view(server)
    assert validity == truth[0] and {uid: messages[uid] for uid in truth[1]} == truth[1]
    assert [subject for uid, (subject, _) in messages.items() if uid not in truth[1]] == ['more']


def spoil(chance, path: pathlib.Path, how):
    size = path.stat().st_size
    with path.open('r+b') as file:
        if how == 'cut':
            file.truncate(chance.randrange(size + 1))
        for at in range(0, size, 4096) if how == 'overwritten' else ():
            if chance.random() < 0.5:
                file.seek(at)
                file.write(chance.randbytes(4096))


@pytest.mark.parametrize('how', ['cut', 'overwritten'])
def test_index_spoilt(server, truth, how):
    """Under an open session: whatever it says is true, and those that come after it find all as it was."""
    chance = random.Random(how)
    for _ in range(ROUNDS):
        client, _ = selected(server, SPOILT)
        for path in index_files(server):
            if path.name != 'malle.index-shm' and path.stat().st_size:  # that is memory of the sessions, not a file
                spoil(chance, path, how)
        with client, contextlib.suppress(ConnectionError):
            for command in ('NOOP', 'UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])', 'UID SEARCH FLAGGED', 'CHECK'):
                reply, told = client.command(command)
                assert reply.startswith(('OK', 'NO')) and b' EXPUNGE' not in told
                for uid, subject in re.findall(r'UID (\d+) .*\{\d+\}\r\nSubject: (\w+)', told.decode()):
                    assert truth[1][int(uid)][0] == subject
        assert eventually(lambda: view(server), 20) == truth
