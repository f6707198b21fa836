"""One Maildir under malle and Debian's Dovecot: each takes over from the other all that clients keep of it, and both work on it at once."""
import contextlib
import copy
import datetime
import os
import pathlib
import pwd
import re
import smtplib
import subprocess
import sys
import threading
import time

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot as DovecotServer  # noqa: E402
from dovecots import Programs, needs_root, short_folder  # noqa: E402
from harness import FULL, Server  # noqa: E402
from imap_model import Connection, numbers, parse_fetch  # noqa: E402

USER, PASSWORD = 'joe@malle.test', 'joes'
pytestmark = needs_root


class Malle:
    def __init__(self, server):
        self.server = server
        self.environment = dict(os.environ)

    def imap(self):
        connection = Connection(self.server.tls_context().wrap_socket(self.server.connect('imaps')))
        connection.line()
        do(connection, f'LOGIN {USER} {PASSWORD}')
        return connection

    def pop3(self):
        stream = self.server.tls_context().wrap_socket(self.server.connect('pop3s')).makefile('rwb')
        stream.readline()
        for command in (f'USER {USER}', f'PASS {PASSWORD}'):
            stream.write(f'{command}\r\n'.encode())
            stream.flush()
            assert stream.readline().startswith(b'+OK')
        return stream

    def far(self):
        return (f'Host 127.0.0.1\nPort {self.server.port("imaps")}\nUser {USER}\nPass {PASSWORD}\nSSLType IMAPS\n'
                f'CertificateFile {self.server.dir}/state/tls/self-signed.pem\n')


class Dovecot:
    def __init__(self, programs):
        self.programs, self.environment = programs, programs.environment

    def imap(self):
        connection = Connection(self.programs.start('imap'))
        assert connection.line().startswith('* PREAUTH')
        return connection

    def pop3(self):
        return self.programs.start('pop3').makefile('rwb')

    def far(self):
        return f'Tunnel "{" ".join(self.programs.command("imap"))}"\n'


class World:
    """The Maildir of an account, and both servers over it."""

    def __init__(self, server, programs):
        self.server, self.maildir = server, server.maildir(USER)
        self.malle, self.dovecot = Malle(server), Dovecot(programs)

    def deliver(self, subject):
        """As another program would, under a name that tells no size."""
        path = self.maildir / 'tmp' / f'1700000000.M1P1{subject}.elsewhere'
        path.write_text(f'From: a@b.example\nSubject: {subject}\n\nBody of {subject}\n')
        owner = self.maildir.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
        path.rename(self.maildir / 'new' / path.name)


@pytest.fixture
def settings():
    """Further ones of Dovecot."""
    return ''


@pytest.fixture
def world(settings):
    owner = pwd.getpwnam('vmail')
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(users={USER: PASSWORD}))
        programs = Programs(stack.enter_context(short_folder()), server.maildir(USER), owner.pw_uid, owner.pw_gid, settings)
        stack.push(lambda kind, *_: programs.close(kind is not None))
        maildir = server.maildir(USER)
        maildir.mkdir(parents=True)
        for path in (maildir.parent.parent, maildir.parent, maildir):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        yield World(server, programs)


def do(connection, command):
    lines, tagged = connection.say(command)
    assert tagged.startswith('OK'), (command, tagged, lines)
    return lines


def append(connection, mailbox, subject, flags='', date='1-Jan-2024 10:00:00 +0000'):
    """The UID."""
    text = f'From: a@b.example\r\nSubject: {subject}\r\n\r\nBody of {subject}\r\n'
    _, tagged = connection.say(f'APPEND {mailbox} ({flags}) "{date:>26}" {{{len(text)}+}}\r\n{text}')
    done = re.match(r'OK \[APPENDUID \d+ (\d+)\]', tagged)
    assert done, tagged
    return int(done[1])


def uid_of(connection, subject):
    return re.fullmatch(r'\* SEARCH (\d+)', do(connection, f'UID SEARCH SUBJECT {subject}')[0])[1]


# --- what must be the same ---

def message(line):
    """UID: all else that a FETCH response tells."""
    uid, flags, _ = parse_fetch(line)
    date = datetime.datetime.strptime(re.search(r'INTERNALDATE "([^"]*)"', line)[1].strip(), '%d-%b-%Y %H:%M:%S %z')
    subject = re.search(r'ENVELOPE \(\S+ "?(\w+)', line)[1]
    return uid, (subject, frozenset(flags), date.timestamp(), int(re.search(r'RFC822.SIZE (\d+)', line)[1]))


def mailbox_facts(connection, name):
    lines = do(connection, f'EXAMINE {name}')
    numbers_of_it = {word: re.search(rf'{word} (\d+)', ' '.join(lines))[1] for word in ('UIDVALIDITY', 'UIDNEXT')}
    fetched = do(connection, 'UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)')
    return numbers_of_it, dict(message(line) for line in fetched if ' FETCH ' in line)


def listed(connection, command):
    lines = [re.fullmatch(r'\* \w+ \(([^)]*)\) "(.)" "?([^"]*)"?', line) for line in do(connection, f'{command} "" *')]
    return sorted(line[3] for line in lines if '\\Noselect' not in line[1])


def uidls(side):
    stream = side.pop3()
    stream.write(b'NOOP\r\nUIDL\r\nQUIT\r\n')
    stream.flush()
    lines = stream.read().decode().splitlines()
    stream.close()
    return sorted(line.split()[1] for line in lines if re.match(r'\d+ \S+$', line))


def facts(side):
    """All that clients keep of an account from one session to the next."""
    connection = side.imap()
    names = listed(connection, 'LIST')
    result = {name: mailbox_facts(connection, name) for name in names}
    result['subscribed'] = listed(connection, 'LSUB')
    do(connection, 'LOGOUT')
    result['UIDLs'] = uidls(side)
    return result


class Mirror:
    """A QRESYNC client: what it holds of INBOX is what it is told when it comes back (RFC 7162 §3.2.5)."""

    def __init__(self, connection):
        self.validity, self.modseq, self.flags = '1', '1', {}
        self.come_back(connection, first=True)

    def come_back(self, connection, first=False):
        do(connection, 'ENABLE QRESYNC')
        lines = do(connection, f'SELECT INBOX (QRESYNC ({self.validity} {self.modseq}))')
        validity = re.search(r'UIDVALIDITY (\d+)', ' '.join(lines))[1]
        assert first or validity == self.validity
        self.validity, self.modseq = validity, re.search(r'HIGHESTMODSEQ (\d+)', ' '.join(lines))[1]
        for line in do(connection, 'UID FETCH 1:* (FLAGS)') if first else lines:
            if line.startswith('* VANISHED (EARLIER) '):
                for uid in numbers(line[21:]):
                    self.flags.pop(uid, None)
            elif ' FETCH ' in line:
                uid, flags, _ = parse_fetch(line)
                self.flags[uid] = flags
        do(connection, 'LOGOUT')

    def agrees(self, there):
        return self.flags == {uid: flags for uid, (_, flags, _, _) in there['INBOX'][1].items()}


def mbsync(side, folder):
    """Synchronizes; what lies near then: content by name."""
    near = folder / 'near'
    near.mkdir(exist_ok=True)
    rc = folder / 'rc'
    rc.write_text(f'IMAPStore far\n{side.far()}\nMaildirStore near\nPath {near}/\nInbox {near}/INBOX\nSubFolders Verbatim\n\n'
                  'Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n')
    done = subprocess.run(['mbsync', '-q', '-c', rc, 'all'], capture_output=True, text=True, env=side.environment, timeout=100)
    assert done.returncode == 0, done.stderr
    return {str(path.relative_to(near)): path.read_bytes() for path in near.rglob('*') if path.parent.name in ('cur', 'new')}


# --- one after the other ---

def work(world, side, mark):
    """Leaves behind everything that a Maildir can hold."""
    c = side.imap()
    for i, flags in enumerate(['', '\\Seen', '\\Flagged work', f'\\Answered \\Draft $Forwarded {mark}', '$Forwarded']):
        append(c, 'INBOX', f'{mark}{i}', flags, f'{i + 1}-Feb-2024 10:00:00 +0100')
    world.deliver(f'{mark}new')
    do(c, 'SELECT INBOX')
    do(c, f'UID STORE {uid_of(c, mark + "1")} +FLAGS.SILENT (\\Deleted)')
    do(c, 'EXPUNGE')
    do(c, f'STORE 1 +FLAGS (\\Seen {mark})')
    do(c, f'UID STORE {uid_of(c, mark + "4")} -FLAGS ($Forwarded)')
    do(c, f'CREATE Archive.{mark}')
    do(c, f'SUBSCRIBE Archive.{mark}')
    do(c, f'UID COPY {uid_of(c, mark + "2")} Archive.{mark}')
    do(c, f'UID MOVE {uid_of(c, mark + "3")} Archive.{mark}')
    do(c, 'LOGOUT')


@pytest.mark.parametrize('first', ['dovecot', 'malle'])
def test_take_over(world, first, tmp_path):
    """Four days, each at the other server. Clients that come from there have nothing to do, those that were away hear what was done."""
    sides = [world.dovecot, world.malle] if first == 'dovecot' else [world.malle, world.dovecot]
    there, near, mirrors = None, None, {}
    for day, side in enumerate(sides * 2):
        if there:
            assert facts(side) == there
            assert mbsync(side, tmp_path) == near
            assert facts(side) == there
            # Dovecot's modification sequences are far below malle's: a client can go there with them, but not back
            for mirror in [mirrors[home] for home in mirrors if side in (home, world.malle)]:
                visitor = copy.deepcopy(mirror)
                visitor.come_back(side.imap())
                assert visitor.agrees(there)
        work(world, side, f'w{day}')
        there, near = facts(side), mbsync(side, tmp_path)
        mirrors[side] = Mirror(side.imap())
        assert mirrors[side].agrees(there) and len(there['INBOX'][1]) == 4 * (day + 1) and len(there['UIDLs']) == 4 * (day + 1)


@pytest.mark.parametrize('settings', [f'pop3_save_uidl = yes\npop3_uidl_format = {form}\n' for form in ('%v.%u', '%f')], ids=['numbers', 'name'])
def test_saved_uidls(world):
    """UIDLs that Dovecot wrote down (P in dovecot-uidlist) stay, through malle and back."""
    c = world.dovecot.imap()
    for i in range(3):
        append(c, 'INBOX', f'm{i}')
    saved = uidls(world.dovecot)
    assert len(re.findall(r' P\S* :', (world.maildir / 'dovecot-uidlist').read_text())) == 3
    assert uidls(world.malle) == saved
    (world.maildir / 'malle.index').unlink()
    with (world.maildir / 'dovecot-uidlist').open('a') as uidlist:
        uidlist.write('9 :half')  # a line cut short, for which it is written anew
    world.deliver('new')
    assert set(uidls(world.malle)) > set(saved)
    assert set(uidls(world.dovecot)) > set(saved)


# --- both at once ---

EACH = 400 if FULL else 25


class Hand(threading.Thread):
    """Calls work(i) again and again until it has done so `rounds` times, or is told to stop. Its failure is raised where it is joined."""

    def __init__(self, work, rounds=sys.maxsize):
        super().__init__(daemon=True)
        self.work, self.rounds, self.stopped, self.failure = work, rounds, False, None
        self.start()

    def run(self):
        try:
            for i in range(self.rounds):
                if self.stopped:
                    break
                self.work(i)
        except Exception as e:  # pylint: disable=broad-except  # for the test's thread
            self.failure = e

    def finish(self):
        self.join()
        if self.failure:
            raise self.failure


class Watcher:
    """A selected session that polls, and notes what it is told: subjects by UID, and the UIDs in the order in which they came."""

    def __init__(self, side):
        self.connection, self.told = side.imap(), []
        do(self.connection, 'SELECT INBOX')

    def look(self, _=0):
        do(self.connection, 'NOOP')
        last = max((uid for uid, _ in self.told), default=0)
        for line in do(self.connection, f'UID FETCH {last + 1}:* (ENVELOPE)'):
            if found := re.search(r'UID (\d+) ENVELOPE \((?:NIL|"[^"]*") "?(\w+)', line):
                if int(found[1]) > last:  # the last message is always told
                    self.told.append((int(found[1]), found[2]))
        time.sleep(0.01)


def lmtp(path, name):
    """Delivers message after message over one connection."""
    client = smtplib.LMTP(str(path), local_hostname='client.example', timeout=60)

    def deliver(i):
        client.sendmail('sender@client.example', [USER], f'From: a@b.example\r\nSubject: {name}{i}\r\n\r\nBody\r\n'.encode())
    return deliver


def appender(side, name):
    connection = side.imap()
    return lambda i: append(connection, 'INBOX', f'{name}{i}')


@pytest.fixture
def dovecot_lmtp(world):
    """The socket of Dovecot's LMTP server over the same Maildir."""
    with short_folder() as folder, DovecotServer(folder, f'''protocols = lmtp
mail_location = maildir:{world.maildir}
first_valid_uid = 1
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={folder} allow_all_users=yes
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
''', folder / 'lmtp'):
        yield folder / 'lmtp'


def uids_of(side):
    """UIDVALIDITY, and subjects by UID, as a new session sees them."""
    connection = side.imap()
    facts_of_it, messages = mailbox_facts(connection, 'INBOX')
    do(connection, 'LOGOUT')
    return facts_of_it['UIDVALIDITY'], {uid: subject for uid, (subject, *_) in messages.items()}


@pytest.mark.seconds(900 if FULL else 90)
def test_both_at_once(world, dovecot_lmtp):
    """Mail comes from all sides while sessions of both look: each message is there once, and has one UID for everybody."""
    validity, _ = uids_of(world.malle)
    ways = {'malleLmtp': lmtp(world.server.dir / 'run/lmtp', 'malleLmtp'), 'dovecotLmtp': lmtp(dovecot_lmtp, 'dovecotLmtp'),
            'malleAppend': appender(world.malle, 'malleAppend'), 'dovecotAppend': appender(world.dovecot, 'dovecotAppend'),
            'other': lambda i: (world.deliver(f'other{i}'), time.sleep(0.01))}
    watchers = [Watcher(side) for side in (world.malle, world.dovecot) * 2]
    looking = [Hand(watcher.look) for watcher in watchers]
    for hand in [Hand(work, EACH) for work in ways.values()]:
        hand.finish()
    for hand in looking:
        hand.stopped = True
        hand.finish()
    for watcher in watchers:
        watcher.look()
    there = uids_of(world.malle)
    assert there == uids_of(world.dovecot) == (validity, there[1])
    assert sorted(there[1].values()) == sorted(f'{name}{i}' for name in ways for i in range(EACH))
    for watcher in watchers:
        assert dict(watcher.told) == there[1]
