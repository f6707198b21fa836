"""Certificates of IMAP and POP3 clients, with Debian's Dovecot and with malle: who may log in, and what the others are told."""
import contextlib
import pathlib
import socket
import ssl
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, users_in  # noqa: E402
from harness import Server, eventually  # noqa: E402
from net.certificates import KEY, Authority  # noqa: E402
from ports import free_port  # noqa: E402

USER, PASSWORD = 'joe@malle.test', 'joes'
NAMED = 'good.example'  # as a certificate says
CLIENTS = ('nobody', 'good.example', 'revoked.example', 'selfmade')
CASES = {
    'no lists': {'ssl_ca': 'ca.pem', 'auth_ssl_require_client_cert': 'yes'},
    'lists not needed': {'ssl_ca': 'ca.pem', 'auth_ssl_require_client_cert': 'yes', 'ssl_require_crl': 'no'},
    'lists': {'ssl_ca': 'both.pem', 'auth_ssl_require_client_cert': 'yes'},
    'only asked': {'ssl_ca': 'both.pem', 'ssl_verify_client_cert': 'yes'},
    'named by it': {'ssl_ca': 'both.pem', 'ssl_verify_client_cert': 'yes', 'auth_ssl_username_from_cert': 'yes'},
}
LET_IN = {'no lists': (), 'lists not needed': ('good.example', 'revoked.example'), 'lists': ('good.example',), 'only asked': CLIENTS,
          'named by it': ('nobody', 'revoked.example', 'selfmade')}


class Certificates:
    def __init__(self, folder):
        self.folder, a = folder, Authority(folder)
        self.pairs = {'nobody': None, **{name: a.pair(name) for name in ('good.example', 'revoked.example', 'server.example')}}
        self.pairs['selfmade'] = folder / 'selfmade.crt', folder / 'selfmade.key'
        a.openssl('req', '-x509', *KEY, '-days', '2', '-subj', '/CN=selfmade', '-keyout', folder / 'selfmade.key', '-out', folder / 'selfmade.crt')
        (folder / 'index').touch()
        (folder / 'number').write_text('01\n')
        (folder / 'conf').write_text(f'[ca]\ndefault_ca = it\n[it]\ndatabase = {folder}/index\ncrlnumber = {folder}/number\ndefault_md = sha256\n'
                                     f'default_crl_days = 2\ncertificate = {folder}/ca.pem\nprivate_key = {folder}/ca.key\n')
        a.openssl('ca', '-config', folder / 'conf', '-revoke', folder / 'revoked.crt')
        a.openssl('ca', '-config', folder / 'conf', '-gencrl', '-out', folder / 'crl.pem')
        (folder / 'both.pem').write_text((folder / 'ca.pem').read_text() + (folder / 'crl.pem').read_text())
        folder.chmod(0o755)


@pytest.fixture(scope='module')
def certificates():
    with tempfile.TemporaryDirectory(prefix='malle-dc-') as folder:
        yield Certificates(pathlib.Path(folder))


def answer(port, pair, commands):
    """The reply to the log-in, "in" for a good one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if pair:
        context.load_cert_chain(*pair)
    with context.wrap_socket(socket.create_connection(('127.0.0.1', port), 30)) as sock:
        file = sock.makefile('rwb')
        reply = file.readline()
        for command in commands:
            file.write(command.encode() + b'\r\n')
            file.flush()
            reply = file.readline().decode().strip()
        return 'in' if reply.startswith(('a OK', '+OK Logged in')) or (reply.startswith('+OK') and 'PASS' in commands[-1]) else reply


def answers(imap, pop3, certificates):
    return {(client, protocol): answer(port, certificates.pairs[client], commands)
            for client in CLIENTS for protocol, port, commands in
            (('imap', imap, [f'a LOGIN {USER} {PASSWORD}']), ('pop3', pop3, [f'USER {USER}', f'PASS {PASSWORD}']))}


@contextlib.contextmanager
def dovecot(certificates, settings):
    imap, pop3 = free_port(), free_port()
    chain, key = certificates.pairs['server.example']
    with tempfile.TemporaryDirectory(prefix='malle-dd-', dir='/tmp') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        (folder / 'users').write_text(''.join(f'{name}:{{PLAIN}}{password}:64790:64790::{folder}\n' for name, password in ((USER, PASSWORD), (NAMED, 'other'))))
        lines = f'''protocols = imap pop3
listen = 127.0.0.1
mail_location = maildir:{folder}/mail
first_valid_uid = 1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
{users_in(folder)}service auth {{
  unix_listener {folder}/listens {{
  }}
}}
'''
        for service, plain, tls, port in (('imap-login', 'imap', 'imaps', imap), ('pop3-login', 'pop3', 'pop3s', pop3)):
            lines += f'service {service} {{\n  inet_listener {plain} {{\n    port = 0\n  }}\n  inet_listener {tls} {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n'
        lines += ''.join(f'{name} = {"<" + str(certificates.folder / value) if name == "ssl_ca" else value}\n'
                         for name, value in {'ssl_verify_client_cert': 'yes', **settings}.items())
        with Dovecot(folder, lines, folder / 'listens'):
            for port in (imap, pop3):
                eventually(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0)
            yield imap, pop3


@pytest.mark.parametrize('case', CASES)
def test_same_words(certificates, case):
    settings = CASES[case]
    with dovecot(certificates, settings) as (imap, pop3):
        theirs = answers(imap, pop3, certificates)
    conf = {name: certificates.folder / value if name == 'ssl_ca' else value for name, value in settings.items()}
    with Server(conf=conf, users={USER: PASSWORD}) as server:
        ours = answers(server.port('imaps'), server.port('pop3s'), certificates)
        assert ours == theirs
        assert {client for (client, _), reply in ours.items() if reply == 'in'} == set(LET_IN[case])
        if 'nobody' not in LET_IN[case]:
            server.wait_log("(client didn't send a cert): user=<")
            server.wait_log('(client sent an invalid cert): user=<')


def test_named_by_the_certificate(certificates):
    """Whatever name is given, the certificate's counts, with the password of that one."""
    settings = CASES['named by it']
    tries = [[f'a LOGIN {USER} other'], [f'a LOGIN whoever {PASSWORD}'], ['a LOGIN whoever other'], ['USER whoever', 'PASS other']]

    def said(imap, pop3, client):
        return [answer(pop3 if commands[-1].startswith('PASS') else imap, certificates.pairs[client], commands) for commands in tries]
    with dovecot(certificates, settings) as ports:
        theirs = [said(*ports, client) for client in ('good.example', 'nobody')]
    conf = {name: certificates.folder / value if name == 'ssl_ca' else value for name, value in settings.items()}
    with Server(conf=conf, users={USER: PASSWORD, f'{NAMED}@malle.test': 'other'}) as server:
        ours = [said(server.port('imaps'), server.port('pop3s'), client) for client in ('good.example', 'nobody')]
    assert ours == theirs and [reply == 'in' for reply in ours[0]] == [True, False, True, True] and 'in' not in ours[1]


def test_without_tls_nobody_has_one(certificates):
    with Server(conf={'auth_ssl_require_client_cert': 'yes', 'disable_plaintext_auth': 'no'}, users={USER: PASSWORD}) as server, \
            server.connect('imap') as sock:
        file = sock.makefile('rwb')
        file.readline()
        file.write(f'a LOGIN {USER} {PASSWORD}\r\n'.encode())
        file.flush()
        assert file.readline() == b"a NO [ALERT] Client didn't present valid SSL certificate\r\n"
