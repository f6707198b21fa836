"""COMPRESS=DEFLATE (RFC 4978) with Python's zlib on the other side."""
import zlib

import pytest

from harness import Server
from imap_model import Connection

USER, PASSWORD = 'joe@malle.test', 'joes'
TEXT = 'Subject: x\r\n\r\n' + ''.join(f'line {n} of many that are much alike\r\n' for n in range(20000))


class Deflated:
    """A socket with DEFLATE on it, which counts the bytes of both sides."""

    def __init__(self, sock):
        self.sock, self.out, self.into = sock, zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)
        self.sent = self.received = 0

    def sendall(self, data):
        data = self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH)
        self.sent += len(data)
        self.sock.sendall(data)

    def recv(self, _):
        while data := self.sock.recv(65536):
            self.received += len(data)
            if plain := self.into.decompress(data):
                return plain
        return b''


@pytest.fixture(scope='module')
def server():
    with Server(users={USER: PASSWORD}) as s:
        yield s


def compressed(server):
    connection = Connection(server.tls_context().wrap_socket(server.connect('imaps')))
    connection.line()
    tagged = connection.say(f'LOGIN {USER} {PASSWORD}')[1]
    assert 'COMPRESS=DEFLATE' in tagged
    assert connection.say('COMPRESS DEFLATE')[1].startswith('OK')
    assert not connection.pending
    connection.sock = Deflated(connection.sock)
    return connection


def test_a_session_goes_on_compressed(server):
    client = compressed(server)
    assert client.say('COMPRESS DEFLATE')[1].startswith('NO [COMPRESSIONACTIVE]')
    assert client.say('COMPRESS BZIP2')[1].startswith('NO ')
    assert client.say(f'APPEND INBOX {{{len(TEXT)}+}}\r\n{TEXT}')[1].startswith('OK [APPENDUID')
    assert client.sock.sent < len(TEXT) / 5
    client.say('SELECT INBOX')
    lines, tagged = client.say('FETCH 1 (RFC822.SIZE BODY.PEEK[])')
    assert lines == [f'* 1 FETCH (RFC822.SIZE {len(TEXT)} BODY[] {{{len(TEXT)}}})'] and tagged.startswith('OK')
    assert client.sock.received < len(TEXT) / 5
    client.send('i IDLE')
    assert client.line().startswith('+ ')
    other = compressed(server)
    assert other.say('APPEND INBOX {6+}\r\na: b\r\n\r\n')[1].startswith('OK')
    assert client.line() == '* 2 EXISTS'
    client.line()
    client.send('DONE')
    assert client.line().startswith('i OK')
    assert client.say('LOGOUT')[0][0].startswith('* BYE')


def test_what_is_no_deflate_ends_the_session(server):
    client = compressed(server)
    client.sock.sock.sendall(b'\xff' * 100)
    while client.sock.sock.recv(65536):
        pass


def test_a_bomb_is_a_line_too_long(server):
    """Ten megabytes of zeros in ten kilobytes: refused as any line of that length, without holding it."""
    client = compressed(server)
    client.send('a NOOP ' + 'x' * 10_000_000)
    assert client.line().startswith('a BAD')
    assert client.say('NOOP')[1].startswith('OK')
