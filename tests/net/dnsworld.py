"""A world of zones for tests: knot from Debian, unpacked and run on a free port of loopback, stands for the whole DNS. The
resolver under test is pointed at it and trusts the key of `example`."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from ports import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]

ZONES = {
    'example': '''
@ 3600 SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
www A 192.0.2.1
www AAAA 2001:db8::1
alias CNAME www
mail 2 A 192.0.2.2
mail MX 10 mail
many A 192.0.2.3
many A 192.0.2.4
bank A 192.0.2.99
insecure NS ns
bogus NS ns
bogus DS 1234 13 2 0000000000000000000000000000000000000000000000000000000000000000
broken NS ns
''',
    'insecure.example': '''
@ 3600 SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ NS ns.example.
www A 192.0.2.5
''',
    'bogus.example': '''
@ 3600 SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ NS ns.example.
www A 192.0.2.6
''',
    '2.0.192.in-addr.arpa': '''
@ 3600 SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ NS ns.example.
1 PTR www.example.
3 PTR nowhere.example.
3 PTR many.example.
5 CNAME 5.0-31
5.0-31 PTR www.insecure.example.
6 PTR www.bogus.example.
7 PTR www.broken.example.
66 PTR bank.example.
67 PTR 192.0.2.67.
68 PTR a\\032b.example.
69 PTR www.example.
70 PTR nowhere.example.
''',
    '8.b.d.0.1.0.0.2.ip6.arpa': '''
@ 3600 SOA ns.example. hostmaster.example. 1 3600 600 86400 60
@ NS ns.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR www.example.
2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR www.example.
''',
}
SIGNED = {'example', 'bogus.example'}
UNLOADED = 'broken.example'  # served, but without a file: SERVFAIL


def peer(*command, **options):
    return [TOP / 'tools/peers', 'knot', *command]


def prepare():
    """Unpacks knot where it is not yet; needs the network, so it comes before any namespace."""
    prepared = subprocess.run(peer('true'), capture_output=True, text=True, timeout=110)
    if prepared.returncode == 3:
        pytest.skip(prepared.stderr.strip())


class World:
    def __init__(self, folder):
        self.dir = folder
        self.port = free_port()
        self.server = f'127.0.0.1@{self.port}'
        self.anchor = folder / 'anchor'
        self.process = None
        prepare()
        self.configure()
        self.start()
        self.anchor.write_text('; the key of the tests\n' + self.wait_for_key())

    def configure(self):
        (self.dir / 'db').mkdir()
        zones = ''.join(f'  - domain: {name}\n    file: {self.dir}/{name}.zone\n'
                        + ('    dnssec-signing: on\n    dnssec-policy: test\n' if name in SIGNED else '')
                        for name in [*ZONES, UNLOADED])
        for name, text in ZONES.items():
            (self.dir / f'{name}.zone').write_text(f'$ORIGIN {name}.\n$TTL 3600\n{text}')
        (self.dir / 'knot.conf').write_text(f'''server:
    rundir: {self.dir}
    listen: {self.server}
database:
    storage: {self.dir}/db
log:
  - target: stderr
    any: info
policy:
  - id: test
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    zonefile-sync: -1
zone:
{zones}''')

    def start(self):
        log = open(self.dir / 'knot.log', 'ab')
        self.process = subprocess.Popen(peer('knotd', '-c', self.dir / 'knot.conf'), stdout=log, stderr=log)
        self.wait_until_it_answers()

    def wait_until_it_answers(self):
        """A question for the SOA of example, by hand (RFC 1035 §4.1)."""
        question = b'\x12\x34\0\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1'
        for _ in range(200):
            assert self.process.poll() is None, (self.dir / 'knot.log').read_text()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.1)
                try:
                    s.sendto(question, ('127.0.0.1', self.port))
                    answer = s.recv(512)
                except OSError:
                    time.sleep(0.05)
                    continue
            if answer[3] & 15 == 0 and answer[7] > 0:
                return
            time.sleep(0.05)
        raise AssertionError('knot does not answer:\n' + (self.dir / 'knot.log').read_text())

    def wait_for_key(self):
        for _ in range(50):
            found = subprocess.run(peer('keymgr', '-c', self.dir / 'knot.conf', 'example', 'ds'), capture_output=True,
                                   text=True, timeout=30)
            lines = [line for line in found.stdout.splitlines() if ' DS ' in line]
            if lines:
                return '\n'.join(lines) + '\n'
            time.sleep(0.1)
        raise AssertionError('knot has no key: ' + found.stdout + found.stderr)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class SilentServer:
    """Takes questions and never answers."""
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.server = '127.0.0.1@%d' % self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Resolver:
    """resolver_try, asked line by line."""
    def __init__(self, servers, anchor='', hosts=''):
        build = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build-asan/malle')).parent
        self.empty = tempfile.TemporaryDirectory(prefix='malle-empty-')  # pytest's folders are closed to others
        os.chmod(self.empty.name, 0o755)
        self.process = subprocess.Popen(
            [build / 'tests/resolver_try', str(servers), str(anchor), str(hosts), self.empty.name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, 'MALLE_SECCOMP_KILL': '1'})
        self.first = self.process.stdout.readline().strip()

    def ask(self, kind, name, timeout_ms=8000):
        """(the answer, the milliseconds that it took)"""
        self.process.stdin.write(f'{kind} {name} {timeout_ms}\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        assert line, f'resolver_try ended with {self.process.wait(10)}'
        answer, _, took = line.rpartition(' ')
        return answer, int(took)

    def close(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
            self.empty.cleanup()
        return status
