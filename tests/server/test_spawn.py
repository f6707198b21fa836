"""Listeners of the protocol spawn: a policy program, whom it runs as and with what, and its limits."""
import contextlib
import os
import pathlib
import pwd
import socket
import tempfile
import time

import pytest

from harness import Server, eventually
from ports import PORTS
from talk import Smtp

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root: programs run as other users')

DEMO = 'demo@malle.test'
POLICY = '''import os, sys
names = sorted(one.partition('=')[0] for one in open('/proc/self/environ').read().split(chr(0)) if one)
facts = [str(each) for each in (os.getuid(), os.getgid(), os.getcwd(), names, sorted(os.listdir('/proc/self/fd'))[:-1], sys.argv[1:])]
said = ' '.join(facts)
sender = ''
for line in sys.stdin:
    name, _, value = line.rstrip('\\n').partition('=')
    sender = value if name == 'sender' else sender
    if not name:
        print('action=' + (f'REJECT {said}' if sender == 'facts@good.example' else 'DUNNO') + '\\n', flush=True)
'''


@pytest.fixture
def top():
    with tempfile.TemporaryDirectory(prefix='malle-spawn-') as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def listener(program, where, more=''):
    return f'[listener policy]\nprotocol = spawn\nprogram = {program}\n{where}\n{more}\n'


def reply_to(server, sender):
    with Smtp(server, source='127.0.0.9') as client:
        client.hello()
        return client.envelope(DEMO, sender=sender)


@pytest.mark.parametrize('kind', ['unix', 'inet'])
def test_policy_program(top, kind):
    """Behind a socket in a folder that is closed to everybody, as Postfix has them in private/; or at a port."""
    (top / 'policy.py').write_text(POLICY)
    (top / 'private').mkdir(mode=0o700)
    daemon = pwd.getpwnam('daemon')
    server = Server(start=False)
    place = f'unix:{top}/private/policy' if kind == 'unix' else f"inet:127.0.0.1:{server.port('pop3s')}"
    where = f'socket = {top}/private/policy\nmode = 0600' if kind == 'unix' else f"port = {PORTS['pop3s']}\n"
    server.write_conf({'smtpd_recipient_restrictions': f'check_policy_service {place}, reject_unauth_destination'},
                      '[listener pop3s]\nenabled = no\n' + listener(f'user=daemon argv=/usr/bin/python3 {top}/policy.py {{two words}}', where))
    with server:
        server.start()
        assert reply_to(server, 'a@good.example').startswith('250')
        facts = f"{daemon.pw_uid} {daemon.pw_gid} / ['LANG', 'PATH'] ['0', '1', '2'] ['two words']"
        assert reply_to(server, 'facts@good.example') == f'554 5.7.1 <{DEMO}>: Recipient address rejected: {facts}'
        assert reply_to(server, 'a@good.example').startswith('250')


@contextlib.contextmanager
def spawning(top, program, more=''):
    """A server with such a program, at top/socket."""
    with Server(sections=listener(program, f'socket = {top}/socket\nmode = 0666', more)) as server:
        yield server


class Client:
    def __init__(self, top):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(top / 'socket'))

    def line(self, timeout=10):
        """'' at the end."""
        self.socket.settimeout(timeout)
        with contextlib.suppress(ConnectionError):
            return self.socket.recv(100).decode()
        return ''


def test_process_limit(top):
    """A connection too many waits until a program has ended; each has its own."""
    with spawning(top, 'user=nobody argv=/bin/sh -c {echo $$; cat}', 'process_limit = 2'):
        first, second, third = (Client(top) for _ in range(3))
        pids = {first.line(), second.line()}
        assert len(pids) == 2
        with pytest.raises(TimeoutError):
            third.line(timeout=0.3)
        first.socket.shutdown(socket.SHUT_WR)
        assert first.line() == '' and third.line() not in pids | {''}


def test_time_limit(top):
    """It and what it started are killed, whatever they think of signals."""
    with spawning(top, 'user=nobody argv=/bin/sh -c {trap "" TERM ALRM; (sleep 60; echo never) & echo started; wait}', 'command_time_limit = 1s') as server:
        begun = time.monotonic()
        client = Client(top)
        assert client.line() == 'started\n' and client.line() == ''
        assert 0.9 < time.monotonic() - begun < 8
        server.wait_log('listener policy: a program has run for longer than command_time_limit')
        server.wait_log('listener policy: its program was ended by signal 9')


@pytest.mark.parametrize('program, why', [
    ('user=root argv=/usr/bin/touch {top}/ran', 'nothing is run as root'), ('user=malle-smtpd argv=/usr/bin/touch {top}/ran', 'nothing is run as malle-smtpd'),
    ('user=daemon:root argv=/usr/bin/touch {top}/ran', 'nothing is run as daemon'), ('user=nobody-at-all argv=/usr/bin/touch {top}/ran', 'there is no such user'),
    ('user=nobody argv=/nonexistent/program', '/nonexistent/program: No such file or directory'),
    ('user=nobody argv=/bin/sh -c {{exit 3}}', 'its program ended with status 3')])
def test_in_vain(top, program, why):
    """The connection ends, the log says why, and the server goes on."""
    top.chmod(0o777)
    with spawning(top, program.format(top=top)) as server:
        for _ in range(2):
            assert Client(top).line() == ''
        server.wait_log(f'listener policy: {why}')
        assert not (top / 'ran').exists()


def test_ends_with_the_server(top):
    with spawning(top, 'user=nobody argv=/bin/sh -c {echo $$; cat}'):
        client = Client(top)
        pid = int(client.line())
        os.kill(pid, 0)
    eventually(lambda: not pathlib.Path(f'/proc/{pid}').exists())
