"""Maildirs that cannot be used, are full or hold rubbish: mail is put off, not lost, and nobody else notices."""
import os
import pathlib
import shutil
import socket
import stat
import subprocess

import pytest

from harness import eventually
from talk import Imap, Smtp

ROOT = os.getuid() == 0
MESSAGE = b'Subject: disk\r\n\r\nbody\r\n'


pytestmark = pytest.mark.usefixtures('onlooker')


class Victim:
    """An account of its own for each test, with one message."""
    count = 0

    def __init__(self, server):
        Victim.count += 1
        self.address = f'victim{Victim.count}@malle.test'
        self.server = server
        self.maildir = server.maildir(self.address)
        server.malle('user', 'add', self.address, input='secret\n')
        assert self.send().startswith('250')
        self.owner = self.maildir.stat()

    def send(self, listener='smtp', content=MESSAGE):
        with Smtp(self.server, listener) as client:
            client.hello()
            reply = client.envelope(self.address)
            return client.data(content)[0] if reply.startswith('250') else reply

    def login(self):
        """A session with INBOX open, and the reply; or the refusal."""
        client = Imap(self.server)
        reply = client.login(self.address)
        if reply.startswith('OK'):
            reply = client.command('SELECT INBOX')[0]
        return client, reply

    def messages(self):
        return self.server.messages(self.address)

    def own(self):
        """Gives everything to the account's user."""
        if ROOT:
            for p in [self.maildir, *self.maildir.rglob('*')]:
                os.chown(p, self.owner.st_uid, self.owner.st_gid, follow_symlinks=False)


@pytest.fixture
def victim(server):
    return Victim(server)


def every_file(folder):
    return [p for p in [folder, *folder.rglob('*')] if not p.is_symlink()]


def test_read_only(victim):
    """Files that may be read and not changed: mail waits at the sender, what is there can be read or is refused."""
    maildir = victim.maildir
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in every_file(maildir)}
    for p in modes:
        p.chmod(0o500 if p.is_dir() else 0o400)
    try:
        assert victim.send().startswith('4')
        assert victim.send('lmtp').startswith('4')
        client, reply = victim.login()
        with client:
            assert reply.startswith(('OK', 'NO'))
            if reply.startswith('OK'):
                assert client.append(MESSAGE).startswith('NO')
    finally:
        for p, mode in modes.items():
            if p.exists():
                p.chmod(mode)
    assert victim.send().startswith('250')
    assert len(victim.messages()) == 2


@pytest.mark.skipif(not ROOT, reason='changing owners needs root')
def test_of_someone_else(victim):
    """A Maildir that belongs to another user is not written as that user, nor read."""
    maildir = victim.maildir
    for p in every_file(maildir):
        os.chown(p, 65534, 65534)
        p.chmod(0o700 if p.is_dir() else 0o600)
    assert victim.send().startswith('4')
    client, reply = victim.login()
    with client:
        assert reply.startswith('NO')
    for p in every_file(maildir):
        os.chown(p, victim.owner.st_uid, victim.owner.st_gid)
    assert victim.send().startswith('250')
    assert len(victim.messages()) == 2


@pytest.fixture
def small_disk(victim):
    """The victim's Maildir on a file system of 1 MB."""
    maildir = victim.maildir
    shutil.rmtree(maildir)
    maildir.mkdir(0o700)
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size=1m,mode=700,uid={victim.owner.st_uid},gid={victim.owner.st_gid}', 'tmpfs',
                           maildir], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'no mount here: {done.stderr}')
    yield maildir
    subprocess.run(['umount', '-l', maildir], check=True)


@pytest.mark.skipif(not ROOT, reason='mounting needs root')
def test_full_disk(victim, small_disk):
    """What was acknowledged is there, the rest got 4yz and left nothing behind; deleting makes room again."""
    content = MESSAGE + b'0123456789abcdef' * 4 * 1000 + b'\r\n'
    accepted = 0
    for listener in ('smtp', 'lmtp') * 20:
        reply = victim.send(listener, content)
        accepted += reply.startswith('250')
        assert reply.startswith(('250', '4'))
    assert 0 < accepted < 40
    found = victim.messages()
    assert len(found) == accepted
    assert all(path.read_bytes().endswith(content[-100:].replace(b'\r\n', b'\n')) for path in found)
    assert not list((small_disk / 'tmp').iterdir())
    client, reply = victim.login()
    with client:
        assert reply.startswith(('OK', 'NO'))
        if reply.startswith('OK'):
            assert client.append(content).startswith('NO')
            client.command('STORE 1:* +FLAGS (\\Deleted)')
    for path in victim.messages():
        path.unlink()
    assert victim.send(content=content).startswith('250')
    assert len(victim.messages()) == 1


def litter(maildir):
    """Everything that does not belong into a Maildir."""
    outside = maildir.parent / 'outside'
    outside.write_bytes(b'Subject: not yours\n\nroot:x:0:0\n')
    for sub in ('new', 'cur'):
        folder = maildir / sub
        (folder / 'folder').mkdir()
        (folder / 'folder' / 'file').write_bytes(b'x')
        os.mkfifo(folder / '1.fifo.host')
        (folder / '2.link.host:2,S').symlink_to('/etc/passwd')
        (folder / '3.outside.host').symlink_to(outside)
        (folder / '4.dangling.host').symlink_to('nowhere')
        (folder / '5.loop.host').symlink_to('5.loop.host')
        (folder / '6.empty.host:2,').write_bytes(b'')
        (folder / '7.binary.host:2,F').write_bytes(bytes(range(256)) * 100)
        (folder / '8.no-header.host:2,ZZZZ,,,').write_bytes(b'\n')
        (folder / '9.S=999999999,W=0:2,S').write_bytes(b'Subject: lies about its size\n\nx\n')
        (folder / b'\xff\xfe\r\n \t"\\*%'.decode('utf-8', 'surrogateescape')).write_bytes(b'Subject: name\n\nx\n')
        (folder / ('x' * 255)).write_bytes(b'Subject: long name\n\nx\n')
        (folder / '.hidden').write_bytes(b'x')
        bound = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(folder)
        bound.bind('10.socket')
        os.chdir(here)
    (maildir / '...').mkdir()
    (maildir / '.a..b').mkdir()
    (maildir / '.\xff&bad-name').mkdir()
    (maildir / '.file-not-folder').write_bytes(b'x')
    (maildir / '.Broken').mkdir()
    (maildir / '.Broken' / 'cur').write_bytes(b'a file')


def test_rubbish(server, victim):
    """Rubbish is passed over; links and pipes are not followed; mail among it is served."""
    maildir = victim.maildir
    litter(maildir)
    victim.own()
    assert victim.send().startswith('250')
    client, reply = victim.login()
    with client:
        assert reply.startswith('OK')
        assert client.command('LIST "" *')[0].startswith('OK')
        for command in ('FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)', 'FETCH 1:* (BODY.PEEK[])', 'SEARCH TEXT body',
                        'STORE 1:* +FLAGS (\\Seen)', 'STATUS Broken (MESSAGES)', 'SELECT Broken', 'SELECT INBOX', 'CREATE file-not-folder'):
            reply, before = client.command(command)
            assert reply.startswith(('OK', 'NO')), command
            assert b'root:x' not in before, 'followed a link out of the Maildir'
            if command.startswith('FETCH 1:* (BODY'):
                assert before.count(b'Subject: disk') == 2
    with Imap(server, 'imap') as unused:
        assert unused.greeting.startswith('* OK')


@pytest.mark.parametrize('name', ['malle.index', 'dovecot-uidlist', 'dovecot-keywords', 'subscriptions', 'maildirsize'])
@pytest.mark.parametrize('damage', ['rubbish', 'cut', 'folder', 'empty'])
def test_damaged_files(victim, name, damage):
    """Beside the mail, any file may be lost or garbled: the mail itself is served, and new mail comes."""
    client, reply = victim.login()
    with client:
        assert reply.startswith('OK')
        client.command('STORE 1 +FLAGS (keyword)')
        client.send('x LOGOUT\r\n')
        client.rest()  # until the session's process has ended
    maildir = victim.maildir
    for path in {maildir / name, *maildir.rglob(name)}:
        damaged(path, damage)
    victim.own()
    assert victim.send().startswith('250')
    client, reply = victim.login()
    with client:
        if damage == 'folder' and reply.startswith('NO'):
            return  # an administrator's matter, said clearly
        assert reply.startswith('OK'), reply
        reply, before = client.command('FETCH 1:* (UID FLAGS BODY.PEEK[])')
        assert reply.startswith('OK')
        assert before.count(b'Subject: disk') == 2


def damaged(path: pathlib.Path, damage):
    old = path.read_bytes() if path.is_file() else b''
    path.unlink(missing_ok=True)
    if damage == 'folder':
        path.mkdir()
    else:
        path.write_bytes({'rubbish': os.urandom(5000) + b'\n', 'cut': old[:len(old) // 2], 'empty': b''}[damage])


def test_vanishing_files(victim):
    """Files that another program removes or renames while a session has them open."""
    for _ in range(4):
        assert victim.send().startswith('250')
    client, reply = victim.login()
    with client:
        assert reply.startswith('OK')
        files = victim.messages()
        files[0].unlink()
        files[1].rename(files[1].parent.parent / 'cur' / (files[1].name.partition(':')[0] + ':2,FS'))
        files[2].write_bytes(b'')
        reply, before = client.command('FETCH 1:* (BODY.PEEK[])')
        assert reply.startswith(('OK', 'NO')) and before.count(b'Subject: disk') >= 3
        shutil.rmtree(victim.maildir)
        for command in ('NOOP', 'FETCH 1:* FLAGS', 'STORE 1:* +FLAGS (\\Seen)', 'EXPUNGE', 'SELECT INBOX'):
            try:
                assert client.command(command)[0].startswith(('OK', 'NO', 'BAD'))
            except ConnectionError:
                break  # after a BYE
    eventually(lambda: victim.send().startswith('250'), 5)  # put off at first, then made anew
    assert len(victim.messages()) == 1
