"""smtpd_sasl_type = dovecot: a real Dovecot verifies the passwords of malle's submission; it is started anew, it is down, it hangs, and
something else answers in its place."""
import contextlib
import os
import pathlib
import smtplib
import socket
import sys
import threading

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, log_in, needs_root  # noqa: E402
from harness import Server, eventually  # noqa: E402
from ports import free_port  # noqa: E402
from sasl import Login, Plain, Scram, b64  # noqa: E402

LOCAL, LOCAL_PASSWORD = 'joe@malle.test', 'of malle'
THERE, PASSWORD = 'eve@there.example', 'of Dovecot'  # nobody's account here
BARE = 'walter'
DOWN = (454, '4.7.0 Temporary authentication failure')

@pytest.fixture(scope='module')
def dovecot(folder):
    """Its own sockets: folder/client, and a port."""
    port = free_port()
    (folder / 'users').write_text(f'{THERE}:{{PLAIN}}{PASSWORD}::::::\n{BARE}:{{PLAIN}}{PASSWORD}::::::\n'
                                  f'off@there.example:{{PLAIN}}{PASSWORD}::::::nologin=x reason=on\\ leave\n')
    settings = f'''protocols =
auth_mechanisms = plain login scram-sha-256 cram-md5 anonymous
disable_plaintext_auth = yes
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=2000 gid=2000 home=/nonexistent
}}
service auth {{
  unix_listener {folder}/client {{
    mode = 0666
  }}
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
'''
    with Dovecot(folder, settings, folder / 'client') as there:
        there.port = port
        yield there


def asking(path, **more):
    conf = {'smtpd_sasl_type': 'dovecot', 'smtpd_sasl_path': str(path), 'auth_exchange_timeout': '30s', **more}
    return Server(users={LOCAL: LOCAL_PASSWORD}, conf=conf)


@pytest.fixture(scope='module')
def server(folder):
    with asking(folder / 'client') as s:
        yield s


@contextlib.contextmanager
def submission(server):
    with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), local_hostname='client.example', timeout=90,
                          context=server.tls_context()) as client:
        client.ehlo()
        yield client


def try_one(server, mechanism):
    with submission(server) as client:
        return log_in(client, mechanism)


@needs_root
@pytest.mark.parametrize('kind', (Plain, Login, lambda *who: Scram('SCRAM-SHA-256', *who)), ids=('PLAIN', 'LOGIN', 'SCRAM'))
def test_right_and_wrong(server, dovecot, kind):
    with submission(server) as client:
        assert log_in(client, kind(THERE, 'wrong'))[0] == 535
        assert log_in(client, kind('nobody@there.example', PASSWORD))[0] == 535
        assert log_in(client, kind(LOCAL, LOCAL_PASSWORD))[0] == 535  # malle's own accounts are not asked
        assert log_in(client, kind(THERE, PASSWORD)) == (235, '2.7.0 Authentication successful')
        assert client.docmd('MAIL', f'FROM:<{THERE}>')[0] == 250
    server.wait_log('authentication failed')


@needs_root
def test_offered(server, dovecot):
    """What Dovecot has, but for what is for nobody, and nothing without TLS."""
    with submission(server) as client:
        assert sorted(client.esmtp_features['auth'].split()) == ['CRAM-MD5', 'LOGIN', 'PLAIN', 'SCRAM-SHA-256']
        assert client.docmd('AUTH', 'ANONYMOUS')[0] == 504
        client.user, client.password = THERE, PASSWORD
        assert client.auth('CRAM-MD5', client.auth_cram_md5)[0] == 235
    with smtplib.SMTP('127.0.0.1', server.port('submission'), local_hostname='client.example', timeout=30) as client:
        client.ehlo()
        assert 'auth' not in client.esmtp_features
        assert client.docmd('AUTH', 'PLAIN ' + b64(f'\0{THERE}\0{PASSWORD}'.encode()))[0] == 538


@needs_root
def test_who_may_send_as_whom(server, dovecot):
    with submission(server) as client:
        assert log_in(client, Plain(THERE, PASSWORD))[0] == 235
        for sender, code in ((THERE, 250), ('eve+x@there.example', 250), ('', 250), (LOCAL, 553), ('mary@there.example', 553)):
            assert client.docmd('MAIL', f'FROM:<{sender}>')[0] == code, sender
            client.rset()
        client.sendmail(THERE, [LOCAL], 'Subject: from there\r\n\r\nhello\r\n')
    eventually(lambda: [m for m in server.messages(LOCAL) if b'from there' in m.read_bytes()], 20)
    assert server.wait_log(f'sasl_method=PLAIN, sasl_username={THERE}')
    with submission(server) as client:
        assert log_in(client, Plain(BARE, PASSWORD))[0] == 235
        for sender, code in (('walter@malle.test', 250), (LOCAL, 553), ('walter@there.example', 553)):
            assert client.docmd('MAIL', f'FROM:<{sender}>')[0] == code, sender
            client.rset()


@needs_root
def test_inet(server, dovecot):
    server_here = asking(f'inet:127.0.0.1:{dovecot.port}')
    with server_here as there:
        assert try_one(there, Plain(THERE, PASSWORD))[0] == 235
        assert try_one(there, Plain(THERE, 'wrong'))[0] == 535


@needs_root
@pytest.mark.seconds(240)
def test_restarted_and_stopped(server, dovecot):
    """Nothing is remembered of the one before; while it is down, clients are told to try again; also within an exchange."""
    assert try_one(server, Plain(THERE, PASSWORD))[0] == 235
    dovecot.stop()
    dovecot.start()
    assert try_one(server, Plain(THERE, PASSWORD))[0] == 235
    with submission(server) as client:
        assert client.docmd('AUTH', 'LOGIN')[0] == 334
        dovecot.stop()
        code, text = client.docmd(b64(THERE.encode()))
        assert (code, text.decode()) == DOWN
        assert log_in(client, Plain(THERE, PASSWORD)) == DOWN
    with submission(server) as client:  # offered as before
        assert 'CRAM-MD5' in client.esmtp_features['auth']
        assert log_in(client, Plain(LOCAL, LOCAL_PASSWORD)) == DOWN
    server.wait_log('SASL PLAIN authentication failed')
    dovecot.start()
    assert try_one(server, Plain(THERE, PASSWORD))[0] == 235


@needs_root
def test_many_at_once(server, dovecot):
    """Each connection says another number of its process, as Dovecot wants it."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(try_one(server, Plain(THERE, PASSWORD))[0])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [235] * 20


# --- something else at the socket ---

HELLO = b'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n'


class Impostor:
    """Sends hello, reads until an AUTH line, sends answer, and closes unless it is to hang."""

    def __init__(self, path, hello, answer=b'', hang=False):
        self.hello, self.answer, self.hang, self.held, self.requests = hello, answer, hang, [], []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(50)
        os.chmod(path, 0o666)
        self.path = path
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with contextlib.suppress(OSError):
                    self.talk(connection)
                if self.hang:
                    self.held.append(connection)
                else:
                    connection.close()

    def talk(self, connection):
        connection.sendall(self.hello)
        connection.settimeout(10)
        read = b''
        while self.answer and b'\nAUTH' not in read.rpartition(b'\n')[0]:
            more = connection.recv(4096)
            if not more:
                return
            read += more
        if self.answer:
            self.requests.append(read)
            connection.sendall(self.answer)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.held:
            connection.close()
        self.path.unlink()


@pytest.fixture(scope='module')
def deceived(folder):
    with asking(folder / 'impostor') as s:
        yield s


@pytest.mark.parametrize('hello, answer', (
    (b'', b''),
    (b'SMTP\n', b''),
    (b'VERSION\t2\t0\nDONE\n', b''),
    (b'DONE\n', b''),
    (b'X' * 20000 + b'\n', b''),
    (b'VERSION\t1\t2\n' + b'MECH\tA\n' * 1000, b''),
    (HELLO, b'OK\t1\n'),
    (HELLO, b'OK\t1\tuser=\n'),
    (HELLO, b'OK\t1\tuser=' + b'a' * 400 + b'\n'),
    (HELLO, b'OK\t1\tuser=a\001nb\n'),
    (HELLO, b'OK\t1\tuser=\xff\n'),
    (HELLO, b'OK\t2\tuser=eve@there.example\n'),
    (HELLO, b'OK\tuser=eve@there.example\n'),
    (HELLO, b'OK\t1\tuser=eve@there.example'),
    (HELLO, b'CONT\t1\t!!!\n'),
    (HELLO, b'CONT\t1\t' + b'A' * 9000 + b'\n'),
    (HELLO, b'FAIL\t1\ttemp\treason=later\n'),
    (HELLO, b'\0\n'),
    (HELLO, b'SPID\t1\n' * 1000),
), ids=lambda x: repr(x[-30:]))
def test_not_dovecot(deceived, folder, hello, answer):
    """Nobody is logged in, the client may try again, and the role goes on."""
    before = deceived.role_pids('submission')
    impostor = Impostor(folder / 'impostor', hello, answer)
    try:
        assert try_one(deceived, Plain(THERE, PASSWORD)) == DOWN
    finally:
        impostor.close()
    assert deceived.role_pids('submission') == before


def test_request(deceived, folder):
    """What Dovecot is told of a client; it logs in whom it names."""
    impostor = Impostor(folder / 'impostor', HELLO, b'OK\t1\tuser=' + THERE.encode() + b'\n')
    try:
        with submission(deceived) as client:
            assert client.docmd('AUTH', 'PLAIN ' + b64(b'\0a\0b'))[0] == 235
            assert client.docmd('MAIL', f'FROM:<{THERE}>')[0] == 250
            port = client.sock.getsockname()[1]
    finally:
        impostor.close()
    hello, _, request = impostor.requests[-1].decode().partition('\nAUTH\t')
    assert hello.startswith('VERSION\t1\t2\nCPID\t')
    fields = request.rstrip('\n').split('\t')
    assert fields[:4] == ['1', 'PLAIN', 'service=smtp', 'nologin'] and fields[-1] == 'resp=' + b64(b'\0a\0b')
    assert {'rip=127.0.0.1', 'lip=127.0.0.1', f'rport={port}', f'lport={deceived.port("submissions")}', 'secured'} < set(fields)


def test_hangs(deceived, folder):
    """It is waited for during the greeting for some seconds."""
    impostor = Impostor(folder / 'impostor', b'VERSION\t1\t2\n', hang=True)
    try:
        assert try_one(deceived, Plain(THERE, PASSWORD)) == DOWN
    finally:
        impostor.close()
    deceived.wait_log('does not answer in time')
