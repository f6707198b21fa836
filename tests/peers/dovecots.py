"""Debian's Dovecot with a configuration of a test's own, SASL over an smtplib client, and lines to and from malle's sockets."""
import base64
import contextlib
import multiprocessing
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

import pytest

from harness import TOP, eventually

IMPOSSIBLE = 3

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='needs root: other servers and other users')


@contextlib.contextmanager
def short_folder():
    """With a name that is short enough for sockets, and open to all users."""
    with tempfile.TemporaryDirectory(prefix='malle-da-', dir='/tmp') as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def peer(name, *command):
    """What a short command of a peer prints."""
    done = subprocess.run([TOP / 'tools/peers', name, *map(str, command)], capture_output=True, text=True, timeout=110)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    return done


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


NO_PENALTY = '''service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
'''


def imap_at(port):
    """Settings for IMAP on this port alone."""
    return f'''service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
'''


def users_in(folder):
    """Settings for the accounts in its file `users`."""
    return ''.join(f'''{kind} {{
  driver = passwd-file
  args = {folder}/users
}}
''' for kind in ('passdb', 'userdb'))


class Dovecot:
    """settings: of dovecot.conf, beside where it runs and logs. listens: the socket that tells that it listens. package: of tools/peers."""

    def __init__(self, folder, settings, listens, package='dovecot'):
        self.folder, self.listens, self.package, self.process = folder, listens, package, None
        self.conf = folder / 'dovecot.conf'
        self.conf.write_text(f'base_dir = {folder}/run\nlog_path = {folder}/log\nssl = no\nauth_verbose = yes\n{NO_PENALTY}{settings}')

    def start(self):
        peer(self.package, 'true')  # unpacks it, or skips the test
        self.process = subprocess.Popen([TOP / 'tools/peers', self.package, 'dovecot', '-F', '-c', str(self.conf)],
                                        start_new_session=True)

        def listens():
            assert self.process.poll() is None, self.log()
            return is_listening(self.listens)
        eventually(listens, 20)

    def stop(self):
        process, self.process = self.process, None
        if not process:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self):
        return (self.folder / 'log').read_text() if (self.folder / 'log').exists() else ''

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.log())
        self.stop()


class Programs:
    """Dovecot's imap and pop3 without their master, on a Maildir: logged in as whoever runs them, which is its owner."""

    def __init__(self, folder, mail, uid, gid, settings=''):
        self.folder, self.uid, self.gid, self.processes = folder, uid, gid, []
        self.conf = folder / 'dovecot.conf'
        self.conf.write_text(f'base_dir = {folder}/run\nlog_path = {folder}/log\nmail_location = maildir:{mail}\nssl = no\n'
                             f'first_valid_uid = 0\nmail_uid = {uid}\nmail_gid = {gid}\n'
                             'service stats {\n  unix_listener stats-writer {\n    mode = 0666\n  }\n}\n' + settings)
        (folder / 'run').mkdir()
        for path in (folder, folder / 'run'):
            os.chown(path, uid, gid)
        self.environment = {**os.environ, 'USER': 'joe', 'HOME': str(folder)}
        peer('dovecot', 'true')  # unpacks it, or skips the test

    def command(self, name):
        """What runs one of them on its standard input and output."""
        return [str(TOP / 'tools/peers'), 'dovecot', 'setpriv', f'--reuid={self.uid}', f'--regid={self.gid}', '--clear-groups',
                f'/usr/lib/dovecot/{name}', '-c', str(self.conf)]

    def start(self, name):
        """A socket to it."""
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        with theirs, (self.folder / 'errors').open('ab') as errors:
            self.processes.append(subprocess.Popen(self.command(name), stdin=theirs, stdout=theirs, stderr=errors, env=self.environment))
        return ours

    def close(self, failed):
        if failed:
            for name in ('log', 'errors'):
                path = self.folder / name
                print(name, path.read_text() if path.exists() else '')
        for process in self.processes:
            process.kill()
            process.wait()


def log_in(client, mechanism):
    """The last reply of an exchange (server/sasl.py) over an smtplib client: (code, text)."""
    code, text = client.docmd('AUTH', mechanism.mechanism)
    while code == 334:
        code, text = client.docmd(base64.b64encode(mechanism.answer(base64.b64decode(text))).decode())
    return code, text.decode()


def listener(name, protocol, path, **keys):
    return f'[listener {name}]\nprotocol = {protocol}\nsocket = {path}\n' + ''.join(f'{k} = {v}\n' for k, v in keys.items())


class Talk:
    """Lines to and from a socket of malle; the greeting is read."""

    def __init__(self, path, greet=True, timeout=40):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.pending = b''
        if greet:
            self.send('VERSION\t1\t2', 'CPID\t1')

    def send(self, *lines):
        self.socket.sendall(''.join(line + '\n' for line in lines).encode())

    def line(self):
        """The next line; None at the end."""
        while b'\n' not in self.pending:
            try:
                more = self.socket.recv(65536)
            except ConnectionError:
                more = b''
            if not more:
                return None
            self.pending += more
        line, _, self.pending = self.pending.partition(b'\n')
        return line.decode()

    def greeting(self):
        lines = []
        while (line := self.line()) not in ('DONE', None):
            lines.append(line)
        return lines

    def answer(self, *lines):
        """What comes after these lines and the greeting."""
        self.greeting()
        self.send(*lines)
        return self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def as_user(uid, function, *arguments):
    """What the function returns in a process that is another user."""
    def run(pipe):
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            pipe.send(function(*arguments))
        except BaseException as e:  # noqa: BLE001  # shown in the test
            pipe.send(repr(e))
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context('fork').Process(target=run, args=(there,))
    process.start()
    result = here.recv() if here.poll(60) else 'no answer'
    process.join(10)
    return result
