"""Listeners behind a proxy: what its header says is the client for everything, and nobody else may send one."""
import base64
import contextlib
import smtplib
import socket
import ssl
import struct
import time

import pytest

from harness import Server, eventually
from talk import Smtp, Talk

USER, PASSWORD = 'joe@malle.test', 'joes'
CLIENT, SERVER = '192.0.2.7', '203.0.113.10'
BEHIND = ('smtp', 'submission', 'imaps', 'pop3s')
STRANGER = '127.0.0.9'  # not one of haproxy_trusted_networks


def sections(trusted='127.0.0.1, ::1', names=BEHIND):
    return ''.join(f'[listener {name}]\nproxy_protocol = yes\nhaproxy_trusted_networks = {trusted}\nhaproxy_timeout = 1s\n'
                   for name in names)


@pytest.fixture(scope='module')
def server():
    with Server(conf={'mynetworks': '198.51.100.0/24', 'smtpd_client_connection_rate_limit': '3'}, users={USER: PASSWORD},
                sections=sections()) as s:
        yield s


def line(client=CLIENT, port=4711, family='TCP4', server=SERVER):
    return f'PROXY {family} {client} {server} {port} 25\r\n'.encode()


def binary(client=CLIENT, port=4711, server=SERVER, command=1, more=b''):
    family = socket.AF_INET6 if ':' in client else socket.AF_INET
    ends = socket.inet_pton(family, client) + socket.inet_pton(family, server) + struct.pack('!HH', port, 25) + more
    return b'\r\n\r\n\0\r\nQUIT\n' + bytes([0x20 | command, 0x21 if ':' in client else 0x11]) + struct.pack('!H', len(ends)) + ends


def connected(server, listener='smtp', source='127.0.0.1'):
    return Talk(server, listener, source=source)


class Behind(Smtp):
    """A client behind a proxy that says so."""

    def __init__(self, server, header):
        Talk.__init__(self, server, 'smtp')
        self.send(header)
        self.greeting = self.reply()


def talk(server, header, *commands):
    """The greeting and the reply to each command."""
    with Behind(server, header) as client:
        return [client.greeting, *map(client.command, commands)]


@pytest.mark.parametrize('header, shown', [
    (line(), CLIENT), (binary(), CLIENT), (binary(more=b'\x02\0\x04mail'), CLIENT),
    (line('2001:db8::7', family='TCP6', server='2001:db8::25'), '2001:db8::7'),
    (binary('2001:db8::8', server='2001:db8::25'), '2001:db8::8'),
    (b'PROXY UNKNOWN\r\n', '127.0.0.1'), (binary(command=0), '127.0.0.1'),
])
def test_the_client_is_the_one_of_the_header(server, header, shown):
    first = len(server.lines)
    assert talk(server, header, 'QUIT')[0].startswith('220 ')
    eventually(lambda: [one for one in server.lines[first:] if 'connect from ' in one and one.endswith(f'[{shown}]')])


@pytest.mark.parametrize('header', [line('192.0.2.20'), binary('192.0.2.21')])
def test_a_header_in_pieces(server, header):
    with connected(server) as client:
        for i in range(len(header)):
            client.send(header[i:i + 1])
        assert client.line().startswith('220 ')


def test_trace_and_permission_to_relay(server):
    rcpt = 'RCPT TO:<a@elsewhere.example>'
    mail = 'EHLO c.example', 'MAIL FROM:<x@example.org>'
    assert talk(server, line('192.0.2.30'), *mail, rcpt)[-1].startswith('554 5.7.1 ')
    assert talk(server, line('198.51.100.3'), *mail, rcpt)[-1].startswith('250 ')
    assert talk(server, line('192.0.2.31'), *mail, f'RCPT TO:<{USER}>', 'DATA', 'Subject: x\r\n\r\nx\r\n.')[-1].startswith('250 ')
    assert b' (unknown [192.0.2.31])' in server.messages(USER)[-1].read_bytes()


def test_limits_count_the_client(server):
    """smtpd_client_connection_rate_limit = 3, though all come from one proxy."""
    assert all(talk(server, line('192.0.2.40'), 'QUIT')[0].startswith('220 ') for _ in range(3))
    assert talk(server, line('192.0.2.40'))[0].startswith('421 4.7.0 ')
    assert talk(server, line('192.0.2.41'), 'QUIT')[0].startswith('220 ')


def test_log_in(server):
    plain = base64.b64encode(f'\0{USER}\0{PASSWORD}'.encode()).decode()
    for listener, commands, shown in (('imaps', (b'a LOGIN joe@malle.test joes\r\n',), 'imap-login: Login: '),
                                      ('pop3s', (b'USER joe@malle.test\r\n', b'PASS joes\r\n'), 'pop3-login: Login: ')):
        with connected(server, listener) as client:
            client.send(binary('192.0.2.50'))
            with server.tls_context().wrap_socket(client.socket) as tls:
                for command in (b'', *commands):
                    tls.sendall(command)
                    assert tls.recv(1000).startswith((b'+OK', b'* OK', b'a OK', b'* CAP'))
        assert f'rip=192.0.2.50, lip={SERVER}' in server.wait_log(shown)
    with connected(server, 'submission') as raw:
        raw.send(line('192.0.2.51'))
        client = smtplib.SMTP()
        client.sock, client._host = raw.socket, 'localhost'
        assert client.getreply()[0] == 220
        client.starttls(context=server.tls_context())
        client.ehlo()
        assert client.docmd('AUTH', f'PLAIN {plain}')[0] == 235
        client.mail(USER)
        client.rcpt(USER)
        client.data('Subject: y\r\n\r\ny\r\n')
    server.wait_log('client=unknown[192.0.2.51], sasl_method=PLAIN')


def test_handshake_right_behind_the_header(server):
    """In one segment, as haproxy sends it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.tls_context().wrap_bio(incoming, outgoing)
    with connected(server, 'imaps') as client:
        client.send(line('192.0.2.60') + hello(tls, outgoing))
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(client.socket.recv(65536))
        assert tls.version() == 'TLSv1.3'


def hello(tls, outgoing):
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize('listener', ['smtp', 'imaps'])
def test_strangers_are_not_let_in(server, listener):
    first = len(server.lines)
    with connected(server, listener, source=STRANGER) as client:
        with contextlib.suppress(OSError):
            client.send(line('198.51.100.9'))
        assert client.ends()
    eventually(lambda: [one for one in server.lines[first:] if f'{listener}: haproxy: Client not trusted (rip={STRANGER})' in one])
    assert not [one for one in server.lines[first:] if '198.51.100.9' in one]


@pytest.mark.parametrize('sent, text', [
    (b'EHLO client.example\r\n', 'Client sent no valid header'), (line('192.0.2.256'), 'Client sent no valid header'),
    (binary()[:14] + b'\xff\xff', 'Client sent no valid header'), (line()[:-4], 'Client timed out before its header was there'),
])
def test_what_is_no_header(server, sent, text):
    first = len(server.lines)
    begin = time.monotonic()
    with connected(server) as client:
        client.send(sent)
        assert client.ends()
    assert time.monotonic() - begin < 5
    eventually(lambda: [one for one in server.lines[first:] if f'smtp: haproxy: {text} (rip=127.0.0.1)' in one])


def test_nobody_is_trusted_without_being_named():
    with Server(sections='[listener smtp]\nproxy_protocol = yes\n') as server:
        with connected(server) as client:
            assert client.ends()
        server.wait_log('smtp: haproxy: Client not trusted (rip=127.0.0.1)')
        said = server.malle('check')
        assert 'nobody can connect to the listener smtp: haproxy_trusted_networks names no proxy' in said.stdout + said.stderr


def test_a_header_where_none_belongs():
    with Server() as server:
        assert talk(server, b'', 'EHLO x.example', line('198.51.100.3').decode().strip())[-1].startswith('500 ')
        assert not [one for one in server.lines if '198.51.100.3' in one]


def test_the_gate_behind_a_proxy():
    """Whom the header names is tested, and remembered, not the proxy."""
    with Server(conf={'gate': 'yes', 'gate_greet_wait': '1s', 'gate_greet_teaser': 'no', 'mynetworks': '198.51.100.0/24'}, users={},
                sections=sections(names=('smtp',))) as gated:
        def wait(client):
            begin = time.monotonic()
            assert talk(gated, line(client), 'QUIT')[0].startswith('220 ')
            return time.monotonic() - begin
        assert wait('198.51.100.1') < 0.7
        gated.wait_log('ALLOWLISTED [198.51.100.1]:4711')
        assert wait(CLIENT) > 0.9
        gated.wait_log(f'PASS NEW [{CLIENT}]:4711')
        assert wait(CLIENT) < 0.7
        assert wait('192.0.2.8') > 0.9
