"""Debian's haproxy, unpacked by tools/peers, in front of ports of a server on loopback."""
import pathlib
import subprocess
import tempfile

import pytest

from harness import eventually
from peers import IMPOSSIBLE, TOP
from ports import free_port


class HaProxy:
    """ports: name of a port to the number behind it, and then to the one in front; version: send-proxy or send-proxy-v2."""

    def __init__(self, behind, version):
        self.folder = tempfile.TemporaryDirectory(prefix='malle-haproxy-')
        self.ports = {name: free_port() for name in behind}
        self.conf = pathlib.Path(self.folder.name) / 'haproxy.cfg'
        self.conf.write_text('defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n' + ''.join(
            f'listen {name}\n bind 127.0.0.1:{self.ports[name]}\n server one 127.0.0.1:{port} {version}\n'
            for name, port in behind.items()))

    def __enter__(self):
        self.process = subprocess.Popen([TOP / 'tools/peers', 'haproxy', 'haproxy', '-db', '-f', self.conf],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        eventually(self.is_ready, 60, step=0.05)
        return self

    def is_ready(self):
        if self.process.poll() == IMPOSSIBLE:
            pytest.skip(self.process.stdout.read().strip())
        assert self.process.poll() is None, self.process.stdout.read()
        return is_listening(list(self.ports.values()))

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def is_listening(ports):
    """Without a connection, which would be one of the proxy's to the server, too."""
    lines = pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]
    listening = {int(line.split()[1].split(':')[1], 16) for line in lines if line.split()[3] == '0A'}
    return set(ports) <= listening
