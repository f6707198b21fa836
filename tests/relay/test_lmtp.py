"""LMTP over Unix sockets: to a script, and to Dovecot from Debian."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

import pytest

from harness import TOP, eventually
from relay.conftest import QUICK, SENDER, queue_is_empty, relaying, send
from relay.remote import Remote
from talk import Smtp


@pytest.fixture
def folder():
    """With a name that is short enough for a socket, and open to Dovecot's users."""
    with tempfile.TemporaryDirectory(prefix='malle-lmtp-') as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def test_socket(remote, folder):
    """RFC 2033 over a socket that lmtp_sockets names, an answer for each recipient; others are not reached, whoever asks."""
    path, other = folder / 'lmtp', folder / 'other'
    maps = f'inline:{{ {{a.example=lmtp:unix:{path}}} {{b.example=lmtp:unix:{other}}} {{c.example=lmtp:unix:{folder}/none}} }}'
    conf = {'transport_maps': maps, 'lmtp_sockets': f'{path}, {folder}/none'}
    with Remote(path=path) as there, Remote(path=other) as unnamed, relaying(remote, **conf) as server:
        there.answer('RCPT', '550 5.1.1 no such user', match='<nobody@')
        assert send(server, 'x@a.example', 'nobody@a.example', 'x@b.example', 'x@c.example').startswith('250')
        eventually(lambda: there.messages, 20)
        assert there.messages[0].recipients == ('x@a.example',) and there.greetings == ['LHLO mail.malle.test']
        assert f'relay=mail.malle.test[{path}]' in server.wait_log('to=<x@a.example>')
        text = eventually(lambda: ''.join(p.read_text() for p in server.messages(SENDER)), 20)
        assert 'no such user' in text and 'nobody@a.example' in text
        assert f'the socket {other} is not named in lmtp_sockets' in server.wait_log('to=<x@b.example>', 20)
        assert f'connect to {folder}/none: No such file or directory' in server.wait_log('to=<x@c.example>', 20)
        assert not unnamed.connections and not remote.connections
        server.write_conf({**QUICK, 'relayhost': remote.site, **conf, 'lmtp_sockets': f'{path}, {other}, {folder}/none'})
        server.reload()
        eventually(lambda: unnamed.messages, 20)
        with Remote(path=folder / 'none') as late:
            eventually(lambda: late.messages, 20)
        eventually(lambda: queue_is_empty(server), 20)


def test_mailboxes_elsewhere(remote, folder):
    """mailbox_transport: who has a mailbox here is decided here, an alias's members go there too, and so do notifications."""
    path = folder / 'lmtp'
    conf = {'mailbox_transport': f'lmtp:unix:{path}', 'lmtp_sockets': path}
    with Remote(path=path) as there, relaying(remote, **conf) as server:
        server.malle('alias', 'add', 'both@malle.test', SENDER, 'x@elsewhere.example')
        assert send(server, SENDER).startswith('250')
        assert send(server, 'both@malle.test').startswith('250')
        remote.answer('RCPT', '550 5.1.1 no such user', match='<bad@')
        assert send(server, 'bad@elsewhere.example').startswith('250')
        eventually(lambda: len(there.messages) == 3 and len(remote.messages) == 1, 20)
        assert {m.recipients for m in there.messages} == {(SENDER,)}
        assert any(b'no such user' in m.content for m in there.messages)
        with Smtp(server) as client:
            client.hello()
            assert client.envelope('nobody@malle.test', sender=SENDER).startswith('550 5.1.1')
        assert not server.messages(SENDER)


@pytest.fixture
def dovecot(folder):
    """Dovecot's LMTP at folder/lmtp, for x@a.example. On a machine where it is installed the socket is what its
    `service lmtp { unix_listener lmtp { } }` makes, /run/dovecot/lmtp."""
    peers = TOP / 'tools/peers'
    ready = subprocess.run([peers, 'dovecot', 'true'], capture_output=True, text=True, timeout=110)
    if ready.returncode == 3:
        pytest.skip(ready.stderr.strip())
    (folder / 'mail').mkdir()
    os.chown(folder / 'mail', 2000, 2000)
    (folder / 'users').write_text('x@a.example:{PLAIN}secret::::::\n')
    (folder / 'conf').write_text(f'''base_dir = {folder}/run
log_path = {folder}/log
protocols = lmtp
ssl = no
mail_location = maildir:{folder}/mail/%n
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
  override_fields = uid=2000 gid=2000 home={folder}/mail/%n
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
''')
    process = subprocess.Popen([peers, 'dovecot', 'dovecot', '-F', '-c', str(folder / 'conf')], start_new_session=True)

    def listens():
        assert process.poll() is None, (folder / 'log').read_text()
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(folder / 'lmtp')) == 0
    try:
        eventually(listens, 20)
        yield folder
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason='tools/peers needs root')
def test_dovecot(remote, dovecot):
    conf = {'transport_maps': f'inline:{{ {{a.example=lmtp:unix:{dovecot}/lmtp}} }}', 'lmtp_sockets': f'{dovecot}/lmtp'}
    with relaying(remote, **conf) as server:
        assert send(server, 'x@a.example', 'nobody@a.example', content=b'Subject: to Dovecot\r\n\r\n..body\r\n').startswith('250')
        [path] = eventually(lambda: list((dovecot / 'mail/x/new').glob('*')), 20)
        assert b'Subject: to Dovecot' in path.read_bytes() and b'Delivered-To: x@a.example' in path.read_bytes()
        text = eventually(lambda: ''.join(p.read_text() for p in server.messages(SENDER)), 20)
        assert 'nobody@a.example' in text and "User doesn't exist" in text
        eventually(lambda: queue_is_empty(server), 20)
