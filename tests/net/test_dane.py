"""DANE for mail to other servers (RFC 7672): TLSA records of a signed zone decide whether and how TLS is spoken."""
import contextlib
import hashlib
import pathlib
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'relay'))

import dnsworld  # noqa: E402
from certificates import Authority  # noqa: E402
from harness import Server, eventually  # noqa: E402
from policyhost import PolicyHost  # noqa: E402
from remote import Remote  # noqa: E402
from talk import Smtp  # noqa: E402

SENDER = 'sender@malle.test'


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """(a server's SSLContext, the digest of its public key)"""
    folder = tmp_path_factory.mktemp('tls')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=whatever', '-keyout', folder / 'key', '-out', folder / 'cert'], check=True, capture_output=True)
    der = subprocess.run(['openssl', 'pkey', '-in', folder / 'key', '-pubout', '-outform', 'DER'], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'cert', folder / 'key')
    return context, hashlib.sha256(der.stdout).hexdigest()


@pytest.fixture(scope='module')
def remotes(certificate):
    """One server with TLS and one without."""
    with Remote(starttls=certificate[0]) as with_tls, Remote() as without:
        yield with_tls, without


@pytest.fixture(scope='module')
def policies(tmp_path_factory):
    """(a CA, the host of two domains' MTA-STS policies)"""
    authority = Authority(tmp_path_factory.mktemp('ca'))
    mode = {'to-right': ('enforce', 'right.example'), 'to-unnamed': ('enforce', 'elsewhere.example')}
    host = PolicyHost(authority.context('mta-sts.to-right.example', 'mta-sts.to-unnamed.example'), mode)
    yield authority, host
    host.close()


@pytest.fixture(scope='module')
def world(tmp_path_factory, certificate, remotes):
    port, clear = (r.port for r in remotes)
    right, wrong = certificate[1], '00' * 32
    hosts = {'right': f'_{port}._tcp.right TLSA 3 1 1 {right}', 'wrong': f'_{port}._tcp.wrong TLSA 3 1 1 {wrong}',
             'unusable': f'_{port}._tcp.unusable TLSA 0 1 1 {wrong}', 'norecord': '; none',
             'clear': f'_{clear}._tcp.clear TLSA 3 1 1 {right}'}
    records = ''.join(f'{name} A 127.0.0.1\nto-{name} MX 10 {name}\n{tlsa}\n' for name, tlsa in hosts.items())
    records += 'to-unnamed MX 10 right\n' + ''.join(
        f'_mta-sts.{name} TXT "v=STSv1; id=1;"\nmta-sts.{name} A 127.0.0.1\n' for name in ('to-right', 'to-unnamed'))
    zones = dict(dnsworld.ZONES)
    zones['example'] += records
    zones['insecure.example'] += f'mx A 127.0.0.1\nto MX 10 mx\n_{port}._tcp.mx TLSA 3 1 1 {wrong}\n'
    zones['bogus.example'] += f'mx A 127.0.0.1\nto MX 10 mx\n_{port}._tcp.mx TLSA 3 1 1 {right}\n'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dnsworld, 'ZONES', zones)
        it = dnsworld.World(tmp_path_factory.mktemp('dns'))
    try:
        yield it
    finally:
        it.stop()


@contextlib.contextmanager
def relaying(world, domain, port, level='dane', parameters='', header=b'', **more):
    """A server that relays to the domain, and has been given a message over TLS."""
    conf = {'dns_resolvers': world.server, 'dns_trust_anchor': world.anchor, 'relayhost': f'{domain}:{port}',
            'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', 'mynetworks': '127.0.0.0/8',
            'smtp_tls_security_level': level, 'smtp_mta_sts': 'no', **more}
    with Server(conf=conf, users={SENDER: 'secret'}) as server:
        with Smtp(server) as client:
            client.hello()
            assert client.command('STARTTLS').startswith('220')
            client.socket = server.tls_context().wrap_socket(client.socket)
            client.hello()
            assert client.envelope('a@remote.example', sender=SENDER, parameters=parameters).startswith('250')
            assert client.data(header + b'Subject: x\r\n\r\n')[0].startswith('250')
        yield server


@pytest.mark.parametrize('domain', ['to-right.example', 'to-unusable.example', 'to-norecord.example', 'to.insecure.example'])
def test_delivered_over_tls(world, remotes, domain):
    """A matching record, none, none that can be used (TLS all the same), and one that an unsigned zone may not speak with."""
    remote = remotes[0]
    before = len(remote.messages)
    with relaying(world, domain, remote.port):
        eventually(lambda: len(remote.messages) == before + 1)
        assert remote.messages[-1].tls


@pytest.mark.parametrize('domain, why', [
    ('to-wrong.example', 'TLSA'), ('to.bogus.example', 'DNSSEC'), ('to-clear.example', 'TLS')])
def test_waits(world, remotes, domain, why):
    """RFC 7672 §2.2: with a wrong certificate, a forged answer or a stripped STARTTLS the mail waits."""
    remote = remotes[1] if 'clear' in domain else remotes[0]
    before = len(remote.messages)
    with relaying(world, domain, remote.port) as server:
        line = server.wait_log('status=deferred')
        assert why in line
        assert len(remote.messages) == before


def test_dane_only(world, remotes):
    """Without records nothing is sent."""
    remote = remotes[0]
    before = len(remote.messages)
    with relaying(world, 'to-norecord.example', remote.port, level='dane-only') as server:
        assert 'no usable TLSA records' in server.wait_log('status=deferred')
        assert len(remote.messages) == before
    with relaying(world, 'to-right.example', remote.port, level='dane-only'):
        eventually(lambda: len(remote.messages) == before + 1)


def test_with_mta_sts(world, remotes, policies):
    """RFC 8461 §2: TLSA records say who a host is, and no CA has to; the policy still says which hosts there are."""
    remote, (authority, host) = remotes[0], policies
    conf = {'smtp_mta_sts': 'yes', 'smtp_mta_sts_port': host.port, 'smtp_tls_ca_file': authority.certificate}
    before = len(remote.messages)
    with relaying(world, 'to-right.example', remote.port, **conf) as server:
        eventually(lambda: len(remote.messages) == before + 1)
        assert host.requests['to-right'] == 1
        server.wait_log('MTA-STS: policy 1 of to-right.example: enforce')
    with relaying(world, 'to-unnamed.example', remote.port, **conf) as server:
        assert 'does not name the host right.example' in server.wait_log('status=deferred')
        assert len(remote.messages) == before + 1


def test_requiretls(world, remotes, monkeypatch):
    """RFC 8689 §2: TLSA records verify the server, whatever the policy; what follows MX records without DNSSEC comes back."""
    remote = remotes[0]
    monkeypatch.setattr(remote, 'keywords', (*remote.keywords, 'REQUIRETLS'))
    before = len(remote.messages)
    with relaying(world, 'to-right.example', remote.port, level='may', parameters=' REQUIRETLS'):
        eventually(lambda: len(remote.messages) == before + 1)
        assert remote.messages[-1].tls and ' REQUIRETLS' in remote.messages[-1].parameters[0]
    for domain, why in (('to.insecure.example', 'nothing vouches for the MX records'), ('to-wrong.example', 'REQUIRETLS is required')):
        with relaying(world, domain, remote.port, level='may', parameters=' REQUIRETLS') as server:
            line = server.wait_log('status=bounced')
            assert why in line and 'dsn=5.7.10' in line
            assert len(remote.messages) == before + 1


def test_tls_optional(world, remotes):
    """RFC 8689 §4.2.2: with TLS-Required: No a wrong TLSA record, or a missing STARTTLS, does not matter."""
    for domain, remote in (('to-wrong.example', remotes[0]), ('to-clear.example', remotes[1])):
        before = len(remote.messages)
        with relaying(world, domain, remote.port, header=b'TLS-Required: No\r\n'):
            eventually(lambda: len(remote.messages) == before + 1)
