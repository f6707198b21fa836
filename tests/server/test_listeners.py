"""Every listener on IPv4, IPv6 and the Unix socket, with the name that the log gives to the client."""
import imaplib
import poplib
import re
import socket

import pytest

from harness import Server, eventually
from mail import Lines, connect_smtp, open_imap, open_pop3, send, try_rcpt

USER, PASSWORD = 'joe@malle.test', 'joes'


@pytest.fixture(scope='module')
def server():
    with Server(users={USER: PASSWORD}) as s:
        yield s


@pytest.mark.parametrize('address', ['127.0.0.1', '::1'])
class TestAddresses:
    def test_smtp_and_lmtp(self, server, address):
        before = len(server.messages(USER))
        assert send(server, [USER], 'Subject: x\r\n\r\nx\r\n', address=address)[0] == 250
        assert send(server, [USER], 'Subject: x\r\n\r\nx\r\n', address=address, listener='lmtp')[0][0] == 250
        files = server.messages(USER)
        assert len(files) == before + 2
        literal = f'IPv6:{address}' if ':' in address else address
        assert sum(f'[{literal}]'.encode() in path.read_bytes() for path in files) == 2
        shown = re.compile(r': client=(unknown|localhost)\[' + re.escape(address) + r'\]')
        eventually(lambda: sum(bool(shown.search(line)) for line in server.lines) == 2)

    @pytest.mark.parametrize('listener', ['submission', 'submissions'])
    def test_submission(self, server, address, listener):
        code, text = send(server, [USER], 'Subject: x\r\n\r\nx\r\n', sender=USER, listener=listener, user=USER,
                          password=PASSWORD, address=address)
        assert code == 250, text

    def test_smtp_with_tls(self, server, address):
        with connect_smtp(server, address=address) as client:
            assert client.starttls(context=server.tls_context())[0] == 220
            assert client.ehlo()[0] == 250

    def test_imaps_and_pop3s(self, server, address):
        open_imap(server, USER, PASSWORD, address=address, mailbox='INBOX').logout()
        open_pop3(server, USER, PASSWORD, address=address).quit()

    def test_starttls_of_imap_and_pop3(self, server, address):
        imap = imaplib.IMAP4(address, server.port('imap'))
        imap.starttls(server.tls_context())
        imap.login(USER, PASSWORD)
        imap.logout()
        pop3 = poplib.POP3(address, server.port('pop3'))
        pop3.stls(server.tls_context())
        pop3.user(USER)
        pop3.pass_(PASSWORD)
        pop3.quit()
        server.wait_log(f'method=PLAIN, rip={address}, lip={address}, ')


def test_lmtp_over_the_unix_socket(server):
    path = str(server.dir / 'run/lmtp')
    before = len(server.messages(USER))
    replies = send(server, [USER, 'joe+b@malle.test'], 'Subject: local\r\n\r\nx\r\n', listener='lmtp', address=path)
    assert [code for code, _ in replies] == [250, 250]
    assert len(server.messages(USER)) == before + 2
    newest = max(server.messages(USER), key=lambda path: path.name).read_text()
    assert 'with LMTP id' in newest
    assert try_rcpt(server, 'nobody@malle.test', listener='lmtp', address=path)[0] == 550


def test_a_second_address_family_is_a_limit_of_its_own():
    """smtpd_client_connection_count_limit counts each client address; the 421 names it."""
    with Server(conf={'smtpd_client_connection_count_limit': '2'}) as s:
        held = [s.connect('smtp') for _ in range(2)]
        assert all(Lines(sock).line().startswith('220 ') for sock in held)
        with s.connect('smtp') as sock:
            lines = Lines(sock)
            assert lines.line().startswith('421 4.7.0 ') and lines.is_closed()
        with socket.create_connection(('::1', s.port('smtp')), timeout=20) as sock:
            assert Lines(sock).line().startswith('220 ')
        for sock in held:
            sock.close()
