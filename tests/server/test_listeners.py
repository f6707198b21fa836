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


def test_without_a_limit_of_connections():
    with Server(conf={'smtpd_client_connection_count_limit': '0'}) as s:
        held = [s.connect('smtp') for _ in range(60)]
        assert all(Lines(sock).line().startswith('220 ') for sock in held)
        for sock in held:
            sock.close()


class TestOwnSettings:
    """What a [listener NAME] section sets holds for its sessions alone."""
    @pytest.fixture(scope='class')
    def server(self):
        sections = ('[listener smtp]\nsmtpd_banner = mail.malle.test ESMTP one of its own\nmessage_size_limit = 1M\ntls = required\n'
                    'smtpd_sasl_auth_enable = yes\n[listener imap]\ntls = required\n')
        with Server(users={USER: PASSWORD}, sections=sections) as s:
            yield s

    def test_smtp(self, server):
        with socket.create_connection(('127.0.0.1', server.port('smtp'))) as s:
            assert s.recv(1000) == b'220 mail.malle.test ESMTP one of its own\r\n'
        with connect_smtp(server) as client:
            client.ehlo()
            assert client.esmtp_features['size'] == '1048576' and not client.has_extn('auth')
            assert client.docmd('MAIL FROM:<a@example.org>') == (530, b'5.7.0 Must issue a STARTTLS command first')
            client.starttls(context=server.tls_context())
            client.ehlo()
            assert client.login(USER, PASSWORD)[0] == 235
            assert client.docmd('MAIL FROM:<joe@malle.test>')[0] == 250
            assert client.rcpt('x@elsewhere.example')[0] == 250
        with connect_smtp(server, 'submission') as client:
            client.ehlo()
            assert client.esmtp_features['size'] == str(50 << 20)

    def test_imap(self, server):
        with imaplib.IMAP4('127.0.0.1', server.port('imap')) as client:
            assert 'LOGINDISABLED' in client.capabilities and not any(c.startswith('AUTH=') for c in client.capabilities)
            with pytest.raises(imaplib.IMAP4.error):
                client.authenticate('SCRAM-SHA-256', lambda _: b'n,,n=x,r=y')
            client.starttls(ssl_context=server.tls_context())
            client.login(USER, PASSWORD)
