"""SASL EXTERNAL (RFC 4422 appendix A) over IMAP, POP3 and submission: who has a certificate that is trusted logs in as the one it names."""
import base64
import pathlib
import socket
import ssl
import tempfile

import pytest

from harness import Server
from mail import Lines
from net.certificates import Authority

USER, NOBODY, DISABLED, IN_DATABASE = 'joe@malle.test', 'nobody@malle.test', 'off@malle.test', 'ann@malle.test'
NEEDS_PASSWORD = 'bob@malle.test'
REFUSED = {'imaps': 'a NO [AUTHENTICATIONFAILED] ', 'pop3s': '-ERR [AUTH] ', 'submissions': '535 5.7.8 '}
LOGGED_IN = {'imaps': 'a OK ', 'pop3s': '+OK ', 'submissions': '235 2.7.0 '}
NOT_THERE = {'imaps': 'a NO [CANNOT] ', 'pop3s': '-ERR ', 'submissions': '504 5.5.4 '}


@pytest.fixture(scope='module')
def certificates():
    with tempfile.TemporaryDirectory(prefix='malle-external-') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / 'other').mkdir()
        (folder / 'homes').mkdir()
        (folder / 'homes').chmod(0o777)
        ours, others = Authority(folder), Authority(folder / 'other')
        (folder / 'users').write_text(f'{IN_DATABASE}:::::::nopassword=yes\n{NEEDS_PASSWORD}:{{PLAIN}}bobs:::::\n')
        pairs = {name: ours.pair(name) for name in (USER, NOBODY, DISABLED, IN_DATABASE, NEEDS_PASSWORD)}
        yield folder, {**pairs, 'untrusted': others.pair(USER), 'nothing': None}


@pytest.fixture(scope='module')
def server(certificates):
    folder, _ = certificates
    conf = {'auth_mechanisms': 'plain, external', 'auth_ssl_username_from_cert': 'yes', 'ssl_verify_client_cert': 'yes', 'ssl_ca': folder / 'ca.pem',
            'ssl_require_crl': 'no', 'smtpd_tls_ask_ccert': 'yes', 'smtpd_tls_ca_file': folder / 'ca.pem', 'auth_failure_delay': '10ms',
            'passdb': f'{{driver=passwd-file, args={folder}/users}}', 'first_valid_uid': '1000',
            'userdb': f'{{driver=static, {{args = uid=64790 gid=64790 allow_all_users=yes home={folder}/homes/%u mail=maildir:{folder}/homes/%u/Maildir}}}}'}
    with Server(conf=conf, users={USER: 'joes', DISABLED: 'offs'}) as s:
        s.malle('user', 'disable', DISABLED)
        yield s


class Client:
    def __init__(self, server, listener, pair):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if pair:
            context.load_cert_chain(*pair)
        self.listener, self.sock = listener, context.wrap_socket(server.connect(listener))
        self.lines = Lines(self.sock)
        self.greeting = self.lines.line()
        if listener == 'submissions':
            self.lines.send('EHLO client.example')
            self.offered = self.lines_until('250 ')

    def lines_until(self, last):
        lines = []
        while not lines or not lines[-1].startswith(last):
            lines.append(self.lines.line())
        return lines

    def external(self, authzid=None, initial=False):
        """The reply; without an initial response the server asks for it with an empty challenge."""
        word = 'a AUTHENTICATE' if self.listener == 'imaps' else 'AUTH'
        response = base64.b64encode((authzid or '').encode()).decode()
        self.lines.send(f'{word} EXTERNAL' + (f' {response or "="}' if initial else ''))
        reply = self.lines.line()
        if not initial and reply.startswith(('+ ', '334 ')):
            assert reply in ('+ ', '334 ')
            self.lines.send(response)
            reply = self.lines.line()
        return reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


@pytest.fixture(params=REFUSED)
def listener(request):
    return request.param


@pytest.mark.parametrize('initial', [False, True])
@pytest.mark.parametrize('who, authzid, replies', [
    (USER, None, LOGGED_IN), (USER, USER, LOGGED_IN), (USER, USER.upper(), LOGGED_IN), (IN_DATABASE, None, LOGGED_IN),
    (USER, IN_DATABASE, REFUSED), (NOBODY, None, REFUSED), (NOBODY, USER, REFUSED), (DISABLED, None, REFUSED), (NEEDS_PASSWORD, None, REFUSED),
    ('untrusted', None, NOT_THERE), ('untrusted', USER, NOT_THERE), ('nothing', USER, NOT_THERE)])
def test_external(server, certificates, listener, who, authzid, replies, initial):
    with Client(server, listener, certificates[1][who]) as client:
        assert client.external(authzid, initial).startswith(replies[listener])


def test_who_is_offered_it(server, certificates):
    for who, offered in ((USER, True), ('untrusted', False), ('nothing', False)):
        with Client(server, 'imaps', certificates[1][who]) as client:
            assert ('AUTH=EXTERNAL' in client.greeting) == offered
        with Client(server, 'submissions', certificates[1][who]) as client:
            assert any(' EXTERNAL' in line for line in client.offered) == offered
        with Client(server, 'pop3s', certificates[1][who]) as client:
            client.lines.send('CAPA')
            assert any(line.startswith('SASL') and 'EXTERNAL' in line for line in client.lines_until('.')) == offered


def test_the_client_that_cancels(server, certificates):
    with Client(server, 'imaps', certificates[1][USER]) as client:
        client.lines.send('a AUTHENTICATE EXTERNAL')
        assert client.lines.line() == '+ '
        client.lines.send('*')
        assert client.lines.line().startswith('a BAD ')


def test_submission_still_asks_for_the_password_of_others(server, certificates):
    """Only EXTERNAL looks at the certificate of an SMTP client: PLAIN logs in whom it names."""
    with Client(server, 'submissions', certificates[1][NOBODY]) as client:
        client.lines.send('AUTH PLAIN ' + base64.b64encode(f'\0{USER}\0joes'.encode()).decode())
        assert client.lines.line().startswith('235 ')


def test_without_the_setting_a_certificate_names_nobody(certificates):
    folder, pairs = certificates
    conf = {'auth_mechanisms': 'plain, external', 'ssl_verify_client_cert': 'yes', 'ssl_ca': folder / 'ca.pem', 'ssl_require_crl': 'no'}
    with Server(conf=conf, users={USER: 'joes'}) as s, Client(s, 'imaps', pairs[USER]) as client:
        assert client.external(initial=True).startswith(NOT_THERE['imaps'])
