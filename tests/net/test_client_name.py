"""The names of SMTP clients in the log and in Received, and sessions while the DNS is down. The clients have addresses that
belong to nobody (RFC 5737 §3), on the loopback device of a network namespace of their own: the test runs this file there as a
program and judges what it reports."""
import fcntl
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = {'named': '192.0.2.1', 'liar': '192.0.2.66', 'nameless': '192.0.2.99'}
SIOCSIFADDR, SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8916, 0x8913, 0x8914, 1


# --- inside the namespace ---

def set_up_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        flags = struct.unpack('16sh', fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack('16sh', b'lo', 0))[:18])[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sh', b'lo', flags | IFF_UP))
        for i, address in enumerate(CLIENTS.values()):
            fcntl.ioctl(s, SIOCSIFADDR, struct.pack('16sHH4s8s', b'lo:%d' % (i + 1), socket.AF_INET, 0,
                                                    socket.inet_aton(address), b''))


def greet(server, address):
    """Seconds until the greeting, and the connection."""
    begin = time.monotonic()
    s = socket.create_connection(('127.0.0.1', server.port('smtp')), timeout=20, source_address=(address, 0))
    f = s.makefile('rw', newline='')
    line = f.readline()
    assert line.startswith('220 '), line
    return time.monotonic() - begin, s, f


def say(f, line):
    f.write(line + '\r\n')
    f.flush()
    answer = f.readline()
    while answer[3:4] == '-':
        answer = f.readline()
    return answer


def send(server, address):
    took, s, f = greet(server, address)
    with s:
        say(f, 'EHLO client.example')
        say(f, 'MAIL FROM:<a@example>')
        say(f, 'RCPT TO:<demo@malle.test>')
        say(f, 'DATA')
        assert say(f, 'Subject: x\r\n\r\nx\r\n.').startswith('250 ')
        say(f, 'QUIT')
    received = [line for path in server.messages('demo@malle.test') for line in path.read_text().splitlines()
                if '[' + address + ']' in line]
    server.wait_log(f'[{address}]')
    return {'seconds': took, 'received': received, 'log': [line for line in server.lines if f'[{address}]' in line]}


def program(folder):
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    import dnsworld
    import harness
    set_up_loopback()
    try:
        world = dnsworld.World(pathlib.Path(folder))
    except pytest.skip.Exception as impossible:
        print(impossible)
        return
    silent = dnsworld.SilentServer()
    out = {}
    try:
        with harness.Server({'dns_resolvers': world.server, 'dns_trust_anchor': world.anchor}) as server:
            for name, address in CLIENTS.items():
                out[name] = send(server, address)
        with harness.Server({'dns_resolvers': silent.server, 'dns_timeout': '700ms'}) as server:
            out['silent'] = send(server, CLIENTS['named'])
            out['loopback'] = send(server, '127.0.0.1')
    finally:
        world.stop()
    print(json.dumps(out))


# --- the tests ---

@pytest.fixture(scope='module')
def outcome(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which('unshare'):
        pytest.skip('needs root for a network namespace')
    import dnsworld
    dnsworld.prepare()
    run = subprocess.run(['unshare', '--net', '--kill-child', sys.executable, __file__, tmp_path_factory.mktemp('dns')],
                         capture_output=True, text=True, timeout=110)
    assert run.returncode == 0, run.stdout + run.stderr
    if not run.stdout.startswith('{'):
        pytest.skip(run.stdout + run.stderr)
    return json.loads(run.stdout)


@pytest.mark.parametrize('client, name', [('named', 'www.example'), ('liar', 'unknown'), ('nameless', 'unknown')])
def test_name(outcome, client, name):
    shown = f'{name}[{CLIENTS[client]}]'
    assert any(shown in line for line in outcome[client]['log']), outcome[client]['log']
    assert any(f'({name} [{CLIENTS[client]}])' in line for line in outcome[client]['received']), outcome[client]


def test_without_dns(outcome):
    """Sessions start after dns_timeout, and those of loopback at once."""
    assert 0.65 <= outcome['silent']['seconds'] < 5
    assert any(f'unknown[{CLIENTS["named"]}]' in line for line in outcome['silent']['log'])
    assert outcome['loopback']['seconds'] < 0.6
    assert any('localhost[127.0.0.1]' in line for line in outcome['loopback']['log'])


if __name__ == '__main__':
    program(sys.argv[1])
