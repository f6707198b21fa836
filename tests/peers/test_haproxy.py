"""Debian's haproxy before four ports: the client has an address of its own, which is not the proxy's."""
import contextlib
import imaplib
import pathlib
import poplib
import smtplib
import socket
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers')]

from harness import Server, eventually  # noqa: E402
from haproxy import HaProxy  # noqa: E402

USER, PASSWORD = 'joe@malle.test', 'joes'
BEHIND = ('smtp', 'submission', 'imaps', 'pop3s')
SECTIONS = 'haproxy_trusted_networks = 127.0.0.1\n' + ''.join(f'[listener {name}]\nproxy_protocol = yes\n' for name in BEHIND)


@pytest.mark.parametrize('version', ['send-proxy', 'send-proxy-v2'])
def test_haproxy(version):
    with Server(users={USER: PASSWORD}, sections=SECTIONS) as server, \
            HaProxy({name: server.port(name) for name in BEHIND}, version) as proxy:
        source = ('127.0.0.77', 0)
        with smtplib.SMTP('127.0.0.1', proxy.ports['smtp'], 'c.example', source_address=source) as client:
            client.sendmail('x@example.org', [USER], 'Subject: one\r\n\r\nx\r\n')
        with smtplib.SMTP('127.0.0.1', proxy.ports['submission'], 'c.example', source_address=source) as client:
            client.starttls(context=server.tls_context())
            client.login(USER, PASSWORD)
            client.sendmail(USER, [USER], 'Subject: two\r\n\r\nx\r\n')
        server.wait_log('client=unknown[127.0.0.77], sasl_method=')
        texts = eventually(lambda: len(server.messages(USER)) == 2 and [path.read_text() for path in server.messages(USER)])
        assert all('[127.0.0.77])' in text for text in texts)
        with from_address(source):
            imap = imaplib.IMAP4_SSL('127.0.0.1', proxy.ports['imaps'], ssl_context=server.tls_context())
            imap.login(USER, PASSWORD)
            assert imap.select()[1] == [b'2']
            imap.logout()
            pop3 = poplib.POP3_SSL('127.0.0.1', proxy.ports['pop3s'], context=server.tls_context())
            pop3.user(USER)
            pop3.pass_(PASSWORD)
            assert pop3.stat()[0] == 2
            pop3.quit()
        for service in ('imap', 'pop3'):
            assert 'rip=127.0.0.77, lip=127.0.0.1, ' in server.wait_log(f'{service}-login: Login: ')


@contextlib.contextmanager
def from_address(source):
    """imaplib and poplib have no word for it."""
    plain = socket.create_connection
    socket.create_connection = lambda *args, **how: plain(*args, **{**how, 'source_address': source})
    try:
        yield
    finally:
        socket.create_connection = plain
