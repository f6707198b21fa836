"""./start as a newcomer uses it: ready, usable by the two printed commands, quick the second time, and gone on Ctrl-C."""
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import TOP, eventually, free_offset


class Start:
    def __init__(self, *arguments):
        self.begin = time.monotonic()
        self.process = subprocess.Popen([TOP / 'start', *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, start_new_session=True, stdin=subprocess.DEVNULL)
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

    def interrupt(self):
        """Ctrl-C: the whole foreground group gets the signal."""
        begin = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(10)
        return status, time.monotonic() - begin

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


@pytest.mark.seconds(400)
def test_start_twice(tmp_path):
    os.chmod(tmp_path, 0o755)
    offset = free_offset()
    arguments = ('--state', tmp_path / 'a b%', '--port-offset', str(offset), '--demo-password', 'open "sesame"')
    first = Start(*arguments)
    try:
        first.wait_ready()
        send, read = first.printed('printf'), first.printed('curl')
        subprocess.run(['bash', '-c', send], check=True, timeout=30)
        done = subprocess.run(['bash', '-c', read], check=True, timeout=30, capture_output=True, text=True)
        assert 'Subject: hello' in done.stdout and 'It works.' in done.stdout
        assert re.search(rf'SMTP 127\.0\.0\.1 port {465 + offset} ', '\n'.join(first.lines))
        status, seconds = first.interrupt()
        assert status == 0 and seconds < 2, '\n'.join(first.lines)
    finally:
        first.kill()
    second = Start(*arguments[:4])
    try:
        assert second.wait_ready() < 2
        done = subprocess.run(['bash', '-c', second.printed('curl')], check=True, timeout=30, capture_output=True, text=True)
        assert 'It works.' in done.stdout
        assert second.interrupt()[0] == 0
    finally:
        second.kill()


@pytest.mark.parametrize('arguments, status, word', [
    (['--help'], 0, 'usage: ./start'),
    (['--frob'], 2, 'there is no option --frob'),
    (['--state'], 2, '--state needs a value'),
    (['--port-offset', 'x'], 2, '--port-offset needs a number'),
])
def test_arguments(arguments, status, word):
    done = subprocess.run([TOP / 'start', *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == status
    assert word in done.stdout + done.stderr
