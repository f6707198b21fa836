"""The certificates that other servers see, and which transport has which."""
import shutil
import signal
import ssl

import pytest

from harness import Server, eventually
from net.certificates import Authority
from relay.conftest import relaying, send
from relay.remote import Remote


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def asking(authority):
    """A server that asks for a certificate, and takes none as well."""
    context = authority.context('relay.example')
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    with Remote(starttls=context) as remote:
        yield remote


def pair(authority, name):
    return ':'.join(map(str, authority.pair(name)))


def shown(server, remote, domain):
    before = len(remote.messages)
    send(server, f'x@{domain}')
    eventually(lambda: len(remote.messages) > before)
    return remote.shown[-1]


def test_by_transport(asking, authority):
    maps = ' '.join(f'{{{name}.example={name}:{asking.site}}}' for name in ('own', 'none'))
    own = f'[transport own]\nsmtp_tls_certificates = {pair(authority, "own.example")}\n[transport none]\nsmtp_tls_certificates =\n'
    conf = {'smtp_tls_certificates': pair(authority, 'usual.example'), 'transport_maps': f'inline:{{ {maps} }}'}
    with relaying(asking, sections=own, smtp_tls_security_level='encrypt', **conf) as server:
        assert shown(server, asking, 'a.example') == 'usual.example'
        assert shown(server, asking, 'own.example') == 'own.example'
        assert shown(server, asking, 'none.example') is None


def test_nobody_sees_one_by_default(asking):
    with relaying(asking, smtp_tls_security_level='encrypt') as server:
        assert shown(server, asking, 'a.example') is None


def test_a_reload_reads_them_again(asking, authority):
    """smtp is started anew when the files changed, and only then; broken ones leave the old in force."""
    chain, key = authority.pair('first.example')
    newer = authority.pair('second.example')
    with relaying(asking, smtp_tls_security_level='encrypt', smtp_tls_certificates=f'{chain}:{key}') as server:
        assert shown(server, asking, 'a.example') == 'first.example'
        server.reload()
        shutil.copy(newer[1], key)
        done = server.malle('reload', check=False)
        assert done.returncode == 1 and 'does not belong to its private key' in done.stderr
        server.process.send_signal(signal.SIGHUP)
        server.wait_log('does not belong to its private key')
        assert shown(server, asking, 'a.example') == 'first.example'
        assert not any('its certificates changed' in line for line in server.lines)
        shutil.copy(newer[0], chain)
        server.reload()
        assert sum('its certificates changed' in line for line in server.lines) == 1
        assert eventually(lambda: shown(server, asking, 'a.example') == 'second.example')


@pytest.mark.parametrize('where', ['', 'transport.own.'])
def test_check_names_what_is_wrong(authority, where):
    server = Server(users={}, sections='[transport own]\n', start=False)
    try:
        chain, _ = authority.pair('a.example')
        _, other = authority.pair('b.example')
        done = server.malle('--set', 'smtp_tls_ciphers=nonsense', 'check', check=False)
        assert done.returncode == 1 and 'smtp_tls_ciphers: TLS cipher list "nonsense" names no cipher' in done.stderr
        for value, says in ((f'{chain}:{other}', 'does not belong to its private key'), (f'{chain}:/no/such/file', '/no/such/file: No such file')):
            done = server.malle('--set', f'{where}smtp_tls_certificates={value}', 'check', check=False)
            assert done.returncode == 1 and says in done.stderr and 'smtp_tls_certificates' in done.stderr, done.stderr
    finally:
        server.discard()


def test_ciphers(authority):
    """Of TLS 1.2: where the server has none of them, mail waits."""
    context = authority.context('relay.example')
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers('ECDHE-ECDSA-AES128-GCM-SHA256')
    with Remote(starttls=context) as remote:
        with relaying(remote, smtp_tls_security_level='encrypt', smtp_tls_ciphers='DEFAULT:!AES128') as server:
            send(server, 'x@a.example')
            assert 'status=deferred' in server.wait_log('to=<x@a.example>') and not remote.messages
        with relaying(remote, smtp_tls_security_level='encrypt', smtp_tls_ciphers='DEFAULT:!AES256') as server:
            send(server, 'x@a.example')
            eventually(lambda: remote.messages)
