"""Where mail goes as the DNS has it (RFC 5321 §5.1, RFC 7505), and a DNS that is slow, dead, or lies."""
import contextlib
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'relay'))

from fakedns import FakeDns  # noqa: E402
from harness import Server, eventually  # noqa: E402
from remote import Remote  # noqa: E402
from talk import Smtp  # noqa: E402

SENDER = 'sender@malle.test'
OWN = 'mail.malle.test'
RECORDS = {
    ('null.example', 'MX'): ['0 .'], ('null.example', 'A'): ['127.0.0.1'],
    ('loop.example', 'MX'): [f'10 {OWN}', '20 backup.example'], ('backup.example', 'A'): ['127.0.0.1'],
    ('nobody.example', 'MX'): ['10 gone.nobody.example', '20 no.nobody.example'],
    # ways through a host that does not answer, to be passed over or to be waited for
    ('first.example', 'MX'): ['20 mx.example', '10 dead.example'], ('dead.example', 'A'): ['127.0.0.66'], ('mx.example', 'A'): ['127.0.0.1'],
    ('behind.example', 'MX'): ['10 dead.example', '20 ' + OWN.upper(), '30 mx.example'],
    ('partly.example', 'MX'): ['10 gone.example', '20 mx.example'],
    ('odd.example', 'MX'): ['0 .', '10 mx.example'],
    ('plain.example', 'A'): ['127.0.0.1'],
    ('outside.example', 'MX'): ['10 dead.example', '20 nat.example', '30 mx.example'], ('nat.example', 'A'): ['192.0.2.7'],
    ('both.example', 'A'): ['127.0.0.66', '127.0.0.1'],
    # this server under another name
    ('alias.example', 'MX'): ['10 other.alias.example', '20 mx.example'], ('other.alias.example', 'A'): ['127.0.0.1'],
}


class World:
    def __init__(self, dns, remote):
        self.dns, self.remote = dns, remote
        self.conf = {**dns.conf, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', 'mynetworks': '127.0.0.0/8',
                     'smtp_address_preference': 'ipv4', 'dns_timeout': '1s', 'smtp_mta_sts': 'no', 'smtp_tls_security_level': 'may'}

    def via(self, *domains, hops=None):
        """Settings that send mail for these domains to their MX hosts at the remote's port, and for others to what hops says."""
        ways = {**{d: f'smtp:{d}:{self.remote.port}' for d in domains}, **(hops or {})}
        routes = ' '.join(f'{{{d}={way}}}' for d, way in ways.items())
        return {**self.conf, 'transport_maps': f'inline:{{ {routes} }}'}


@pytest.fixture
def world(tmp_path):
    with FakeDns(RECORDS, tmp_path) as dns, Remote() as remote:
        yield World(dns, remote)


@contextlib.contextmanager
def serving(conf):
    with Server(conf=conf, users={SENDER: 'secret'}) as server:
        yield server


def send(server, *domains):
    with Smtp(server) as client:
        client.hello()
        for domain in domains:
            assert client.envelope(f'x@{domain}', sender=SENDER).startswith('250')
            assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')


def outcome(server, domain):
    """The first line that tells of the recipient there."""
    return eventually(lambda: next((line for line in server.lines if f'to=<x@{domain}>' in line and 'status=' in line), None), 20)


def test_never(world):
    """What the DNS rules out is returned at once, with the status that says why."""
    expected = {'null.example': ('5.1.10', 'does not accept mail'), 'loop.example': ('5.4.6', 'loops back to myself'),
                'nobody.example': ('5.4.4', 'has no address'), 'nx.elsewhere': ('5.1.2', 'does not exist')}
    with serving(world.conf) as server:
        send(server, *expected)
        for domain, (status, words) in expected.items():
            line = outcome(server, domain)
            assert f'dsn={status}, status=bounced' in line and words in line
        eventually(lambda: len(server.messages(SENDER)) == len(expected), 20)
        text = ''.join(path.read_text() for path in server.messages(SENDER))
        assert all(f'Status: {status}' in text for status, _ in expected.values())


def test_ways(world):
    """Hosts in their order; never to a host behind this server; without MX records to the domain itself. A next hop of the
    configuration that does not exist is an administrator's mistake, and loses no mail."""
    domains = ('first.example', 'behind.example', 'partly.example', 'odd.example', 'plain.example')
    conf = world.via(*domains, hops={'typo.example': 'smtp:nx.elsewhere'})
    with serving(conf) as server:
        send(server, *domains, 'typo.example')
        line = outcome(server, 'typo.example')
        assert 'dsn=4.3.5, status=deferred' in line and 'nx.elsewhere does not exist' in line
        assert 'relay=none' in outcome(server, 'behind.example') and 'dead.example[127.0.0.66]' in outcome(server, 'behind.example')
        for domain, host in (('first', 'mx'), ('partly', 'mx'), ('odd', 'mx'), ('plain', 'plain')):
            assert f'relay={host}.example[127.0.0.1]:{world.remote.port}' in outcome(server, domain + '.example')
        assert not [m for m in world.remote.messages if m.recipients == ('x@behind.example',)]


def test_alias(world):
    """An MX host that turns out to be this server, and those behind it, are no way."""
    with serving(world.conf) as server:
        conf = world.via()
        conf['transport_maps'] = f'inline:{{ {{alias.example=smtp:alias.example:{server.port("smtp")}}} }}'
        server.write_conf(conf)
        server.reload()
        server.wait_log('reload: done')
        send(server, 'alias.example')
        line = outcome(server, 'alias.example')
        assert 'dsn=4.3.5, status=deferred' in line and 'loops back to myself' in line
        assert not world.remote.connections


def test_address_outside(world):
    """An MX host whose address own_addresses has is this server, behind a proxy: it and those behind it are no way."""
    with serving({**world.via('outside.example'), 'own_addresses': '192.0.2.7, 2001:db8::7', 'smtp_connect_timeout': '1s'}) as server:
        send(server, 'outside.example')
        line = outcome(server, 'outside.example')
        assert 'dsn=4.3.5, status=deferred' in line and 'mail for outside.example loops back to myself' in line
        assert not world.remote.connections


def test_port(world):
    """smtp_tcp_port, where nothing names another."""
    with serving({**world.conf, 'smtp_tcp_port': str(world.remote.port)}) as server:
        send(server, 'plain.example')
        assert f'relay=plain.example[127.0.0.1]:{world.remote.port}' in outcome(server, 'plain.example')


def test_records_that_do_not_count(world):
    """smtp_dns_reply_filter: hosts and addresses that are left out are not tried; with nothing left mail waits, and so it does when the table is wrong."""
    domains = ('first.example', 'both.example', 'odd.example', 'plain.example')
    table = ('regexp:{{/^first\\.example\\. [0-9]+ IN MX 10 dead\\.example\\.$/ IGNORE}, {/^both\\.example\\. .* A 127\\.0\\.0\\.66$/ IGNORE}, '
             '{/^odd\\.example\\. .* IN MX / IGNORE}, {/^plain\\.example\\. .* A 127/ DROP}}')
    with serving({**world.via(*domains), 'smtp_dns_reply_filter': table, 'smtp_connect_timeout': '1s'}) as server:
        send(server, *domains)
        for domain in ('first', 'both'):
            assert 'status=sent' in outcome(server, f'{domain}.example')
        assert 'connect to' not in server.log()
        line = outcome(server, 'odd.example')
        assert 'dsn=4.7.0, status=deferred' in line and 'Error looking up name=odd.example: DNS reply filter drops all results' in line
        assert 'status=deferred' in outcome(server, 'plain.example')
        server.wait_log('unknown DNS filter action: "DROP"')
        server.wait_log('ignoring DNS RR: first.example. ')


def test_trouble(world):
    """Without an answer that is one, mail waits, nobody hears of it, and it goes when there is one; a slow one is as good as any."""
    world.dns.trouble = {f'{what}.example': what for what in ('fails', 'dead', 'lies', 'slow')}
    for domain in world.dns.trouble:
        world.dns.records[domain, 'MX'], world.dns.records['mx.' + domain, 'A'] = ['10 mx.' + domain], ['127.0.0.1']
    domains = list(world.dns.trouble)
    with serving(world.via(*domains)) as server:
        begun = time.monotonic()
        send(server, *domains)
        assert 'status=sent' in outcome(server, 'slow.example') and time.monotonic() - begun > 0.6
        for domain in domains[:3]:
            line = outcome(server, domain)
            assert 'dsn=4.4.3, status=deferred' in line and domain in line
        world.dns.trouble = {}
        eventually(lambda: len(world.remote.messages) == len(domains), 30)
        assert not server.messages(SENDER)
