"""./start as a newcomer uses it: ready, usable by the two printed commands, quick the second time, and gone on Ctrl-C; as
root below a closed folder, as an ordinary user, and where packages are missing."""
import os
import pathlib
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import threading
import time

import pytest

from harness import TOP, eventually
from ports import free_offset


NOBODY = 65534
ROOT = os.geteuid() == 0


class Start:
    def __init__(self, *arguments, top=TOP, user=None):
        self.begin = time.monotonic()
        identity = {} if user is None else {'user': user, 'group': user, 'extra_groups': []}
        self.process = subprocess.Popen([top / 'start', *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, start_new_session=True, stdin=subprocess.DEVNULL, **identity)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.keep()), daemon=True).start()

    def keep(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip('\n'))
        return []

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, '\n'.join(self.lines)
            return 'malle: ready' in self.lines
        eventually(ready, 300)
        return time.monotonic() - self.begin

    def printed(self, word):
        return next(line.strip() for line in self.lines if line.strip().startswith(word))

    def send_and_read(self):
        """Pastes the two printed commands; what the second prints."""
        for command in (self.printed('printf'), self.printed('curl')):
            done = subprocess.run(['bash', '-c', command], timeout=30, capture_output=True, text=True)
            assert done.returncode == 0, f'{command}\n{done.stderr}\n' + '\n'.join(self.lines)
        assert 'Subject: hello' in done.stdout and 'It works.' in done.stdout

    def processes(self):
        """The process ids of the master and of everything below it."""
        listed = subprocess.run(['ps', '-e', '-o', 'pid=,ppid='], capture_output=True, text=True, check=True).stdout
        parent = dict(map(int, line.split()) for line in listed.splitlines())
        found = {self.process.pid}
        while more := {pid for pid in parent if parent[pid] in found} - found:
            found |= more
        return found

    def interrupt(self, send=os.killpg):
        """Ctrl-C, which the whole foreground group gets, or a signal to the one process; everything must be gone within 2 s."""
        processes = self.processes()
        assert len(processes) > 5
        begin = time.monotonic()
        send(self.process.pid, signal.SIGINT)
        status = self.process.wait(10)
        left = [pid for pid in processes if pathlib.Path(f'/proc/{pid}').exists()]
        assert status == 0 and not left and time.monotonic() - begin < 2, f'{status} {left}\n' + '\n'.join(self.lines)

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


@pytest.mark.seconds(400)
def test_start_twice(tmp_path):
    os.chmod(tmp_path, 0o700)  # as /root is
    offset = free_offset()
    arguments = ('--state', tmp_path / 'a b%', '--port-offset', str(offset), '--demo-password', 'open "sesame"')
    first = Start(*arguments)
    try:
        first.wait_ready()
        first.send_and_read()
        assert re.search(rf'SMTP 127\.0\.0\.1 port {465 + offset} ', '\n'.join(first.lines))
        first.interrupt()
    finally:
        first.kill()
    second = Start(*arguments[:4], '--set', 'message_size_limit=123k')
    try:
        assert second.wait_ready() < 2
        done = subprocess.run(['bash', '-c', second.printed('curl')], check=True, timeout=30, capture_output=True, text=True)
        assert 'It works.' in done.stdout
        with smtplib.SMTP('127.0.0.1', 25 + offset, timeout=20) as smtp:
            smtp.ehlo('client.example')
            assert smtp.esmtp_features['size'] == str(123 << 10)
        second.interrupt(os.kill)
    finally:
        second.kill()


def copy_checkout(to, owner):
    """A checkout of somebody else's: what ./start needs, built already."""
    shutil.copytree(TOP, to, ignore=lambda folder, names: [
        name for name in names if name in ('.git', 'var', 'corpus') or name.startswith('build-') or
        (name in ('tests', 'peers') and folder.endswith('/build'))])
    for folder, _, names in os.walk(to):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, owner, owner, follow_symlinks=False)


@pytest.mark.seconds(400)
@pytest.mark.skipif(not ROOT, reason='the other tests run as an ordinary user already')
def test_as_an_ordinary_user():
    home = tempfile.mkdtemp(prefix='malle-start-')  # pytest's folders are closed to others
    os.chown(home, NOBODY, NOBODY)
    top = pathlib.Path(home) / 'malle'
    copy_checkout(top, NOBODY)
    start = Start('--port-offset', str(free_offset()), top=top, user=NOBODY)
    try:
        start.wait_ready()
        start.send_and_read()
        assert not [line for line in start.lines if line.startswith('installing')]
        start.interrupt()
        assert (top / 'var/malle.conf').stat().st_uid == NOBODY
    finally:
        start.kill()
        shutil.rmtree(home)


def setup_without(package, folder, user):
    """Runs tools/setup where one package is missing, with an apt-get that only notes what it is asked."""
    folder.chmod(0o777)
    for name, script in (('dpkg-query', f'/usr/bin/dpkg-query "$@" | grep -v "^{package} "'),
                         ('apt-get', f'echo "$@" >>{folder}/asked')):
        (folder / name).write_text(f'#!/bin/sh\n{script}\n')
        (folder / name).chmod(0o755)
    identity = {'user': user, 'group': user, 'extra_groups': []} if ROOT else {}
    return subprocess.run([TOP / 'tools/setup', 'start'], env={**os.environ, 'PATH': f'{folder}:{os.environ["PATH"]}'},
                          capture_output=True, text=True, timeout=60, **identity)


@pytest.mark.parametrize('user', [0, NOBODY] if ROOT else [NOBODY])
def test_missing_package(user):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = setup_without('ninja-build', folder, user)
        if user == 0:
            assert done.returncode == 0 and 'installing ninja-build' in done.stdout, done.stderr
            assert (folder / 'asked').read_text().splitlines()[-1] == '-qq install -y --no-install-recommends ninja-build'
        else:
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1] == '  sudo apt-get install -y --no-install-recommends ninja-build'
            assert not (folder / 'asked').exists()


@pytest.mark.parametrize('arguments, status, word', [
    (['--help'], 0, 'usage: ./start'),
    (['--frob'], 2, 'there is no option --frob'),
    (['--state'], 2, '--state needs a value'),
    (['--port-offset', 'x'], 2, '--port-offset needs a number'),
    (['--set', 'smtp_baner=x'], 1, 'is no option'),
    (['--port-offset', '99999'], 1, 'port_offset: 99999 is more than 50000'),
])
def test_arguments(arguments, status, word, tmp_path):
    state = ['--state', tmp_path] if status == 1 else []
    done = subprocess.run([TOP / 'start', *state, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == status
    assert word in done.stdout + done.stderr
