"""A program in a terminal of its own, for programs that are made for people."""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

CONTROLS = re.compile(rb'\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78MDE]|[\x00-\x09\x0b-\x1f]')


class Terminal:
    """answers: what is typed whenever a pattern shows, as (pattern, keys)."""

    def __init__(self, command, env, answers=()):
        self.fd, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('4H', 40, 100, 0, 0))
        self.process = subprocess.Popen(['setsid', '--ctty', *map(str, command)], stdin=slave, stdout=slave, stderr=slave,
                                        env={**env, 'TERM': 'vt100', 'LANG': 'C.UTF-8'})
        os.close(slave)
        self.answers = [(pattern, keys, 0) for pattern, keys in answers]
        self.shown, self.seen = '', 0  # all that was written, without controls; how much of it was waited for

    def _read(self):
        """False at the end."""
        if not select.select([self.fd], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False  # nobody has the other side any more
        self.shown += CONTROLS.sub(b'', data).decode('utf-8', 'replace')
        for i, (pattern, keys, after) in enumerate(self.answers):
            if match := re.compile(pattern).search(self.shown, after):
                self.answers[i] = pattern, keys, match.end()
                self.type(keys)
        return bool(data)

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait(self, pattern, seconds=20):
        """Until it shows behind what was waited for before."""
        end = time.monotonic() + seconds
        while not (match := re.compile(pattern).search(self.shown, self.seen)):
            assert time.monotonic() < end and self._read(), f'no "{pattern}" in:\n{self.shown[-3000:]}'
        self.seen = match.end()

    def finish(self, seconds=20):
        """Until the program ends by itself."""
        end = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < end, f'it does not end:\n{self.shown[-3000:]}'
        status = self.process.wait(10)
        assert status == 0, f'it ended with {status}:\n{self.shown[-3000:]}'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.fd)
