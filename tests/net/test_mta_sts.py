"""MTA-STS (RFC 8461): policies fetched over HTTPS decide where mail goes and how, survive a restart, and are counted for
reports (RFC 8460)."""
import collections
import contextlib
import json
import pathlib
import sqlite3
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'relay'))

from certificates import Authority  # noqa: E402
from fakedns import FakeDns  # noqa: E402
from harness import Server, eventually  # noqa: E402
from policyhost import PolicyHost  # noqa: E402
from remote import Remote  # noqa: E402
from talk import Smtp  # noqa: E402

SENDER = 'sender@malle.test'
# domain: mode, the hosts that the policy names
POLICIES = {'good': ('enforce', 'mx.good.example'), 'wild': ('enforce', '*.wild.example'), 'other': ('enforce', 'mx.elsewhere.example'),
            'badcert': ('enforce', 'mx.badcert.example'), 'clear': ('enforce', 'mx.clear.example'),
            'testing': ('testing', 'mx.elsewhere.example'), 'off': ('none', 'mx.elsewhere.example'),
            'badhost': ('enforce', 'mx.elsewhere.example'), 'moved': ('enforce', 'mx.elsewhere.example'),
            'nonsense': ('enforce', ''), 'huge': ('enforce', 'mx.huge.example\r\nx: ' + 'y' * 70000), 'late': ('enforce', 'mx.elsewhere.example')}
PLAIN = 'plain'  # announces nothing


class World:
    def __init__(self, folder):
        names = [*POLICIES, PLAIN]
        self.authority = Authority(folder)
        self.https = PolicyHost(self.authority.context(*(f'mta-sts.{n}.example' for n in names if n != 'badhost')), POLICIES, moved=('moved',))
        self.remote = Remote(starttls=self.authority.context(*(f'mx.{n}.example' for n in names if n != 'badcert')))
        self.clear = Remote()
        records = {}
        for n in names:
            records[f'{n}.example', 'MX'] = [f'10 mx.{n}.example']
            records[f'mx.{n}.example', 'A'] = records[f'mta-sts.{n}.example', 'A'] = ['127.0.0.1']
            if n != PLAIN:
                records[f'_mta-sts.{n}.example', 'TXT'] = ['v=STSv1; id=1;']
        self.dns = FakeDns(records, folder)
        routes = ' '.join(f'{{{n}.example=smtp:{n}.example:{(self.clear if n == "clear" else self.remote).port}}}' for n in names)
        self.conf = {**self.dns.conf, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', 'mynetworks': '127.0.0.0/8',
                     'smtp_tls_ca_file': self.authority.certificate, 'smtp_mta_sts_port': self.https.port,
                     'smtp_address_preference': 'ipv4', 'smtp_tls_security_level': 'may', 'transport_maps': f'inline:{{ {routes} }}'}

    def close(self):
        self.https.close()
        self.remote.stop()
        self.clear.stop()

    def arrived(self, domain, count=1):
        """The messages that came for a domain, once there are as many."""
        def found():
            return [m for m in self.remote.messages + self.clear.messages if m.recipients[0].endswith(f'@{domain}.example')]
        eventually(lambda: len(found()) >= count)
        return found()


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    it = World(tmp_path_factory.mktemp('sts'))
    with it.dns:
        yield it
    it.close()


@contextlib.contextmanager
def serving(world, **conf):
    with Server(conf={**world.conf, **conf}, users={SENDER: 'secret'}) as server:
        yield server


@pytest.fixture(scope='module')
def server(world):
    with serving(world) as it:
        yield it


def send(server, *domains):
    with Smtp(server) as client:
        client.hello()
        assert client.envelope(*(f'x@{d}.example' for d in domains), sender=SENDER).startswith('250')
        assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')


def deferred(server, domain):
    return eventually(lambda: next((line for line in server.lines if f'to=<x@{domain}.example>' in line and 'status=deferred' in line), None))


def counts(server):
    found = collections.Counter()
    for row in json.loads(server.malle('queue', 'stats', '--json').stdout)['tls']:
        found[row['policy_domain'], row['policy_type'], row['result'], row['mx']] += row['sessions']
    return found


def test_policies(world, server):
    """Mail goes where the policy in force lets it go; one that cannot be had counts as none (RFC 8461 §3.3)."""
    send(server, *(domain for domain in POLICIES if domain != 'late'), PLAIN)
    for domain in ('good', 'wild', 'testing', 'off', 'badhost', 'moved', 'nonsense', 'huge', PLAIN):
        assert world.arrived(domain)[0].tls
    assert 'does not name the host mx.other.example' in deferred(server, 'other')
    assert 'certificate is not for mx.badcert.example' in deferred(server, 'badcert')
    assert 'TLS is required' in deferred(server, 'clear')
    assert not world.clear.messages
    for domain, why in ('moved', 'status 301'), ('nonsense', 'malformed'), ('huge', 'too long'), ('badhost', 'not for mta-sts.badhost.example'):
        assert why in server.wait_log(f'the policy of {domain}.example cannot be fetched')
    assert world.https.requests['good'] == 1
    send(server, 'good')
    world.arrived('good', 2)
    assert world.https.requests['good'] == 1 and PLAIN not in world.https.requests


def test_counts(world, server):
    """RFC 8460 §4.3"""
    if not world.remote.messages:
        test_policies(world, server)
    found = counts(server)
    assert found['good.example', 'sts', 'success', 'mx.good.example'] >= 1
    assert found['plain.example', 'no-policy-found', 'success', 'mx.plain.example'] == 1
    assert found['testing.example', 'sts', 'validation-failure', 'mx.testing.example'] == 1
    assert found['other.example', 'sts', 'validation-failure', 'mx.other.example'] >= 1
    assert found['badcert.example', 'sts', 'certificate-host-mismatch', 'mx.badcert.example'] >= 1
    assert found['clear.example', 'sts', 'starttls-not-supported', 'mx.clear.example'] >= 1
    assert found['moved.example', 'sts', 'sts-policy-fetch-error', ''] == 1
    assert found['nonsense.example', 'sts', 'sts-policy-invalid', ''] == 1
    assert found['badhost.example', 'sts', 'sts-webpki-invalid', ''] == 1
    text = server.malle('queue', 'stats').stdout
    assert 'nonsense.example (sts): 1 sts-policy-invalid\n' in text
    assert 'plain.example (no-policy-found): 1 success with mx.plain.example\n' in text


def test_off(world):
    """Without the setting nothing is asked; a table's word sts brings it back for a domain, and another word does without."""
    before = world.https.requests.copy()
    hop = f'badcert.example:{world.remote.port}'
    with serving(world, smtp_tls_policy_maps=f'inline:{{ {{{hop}=sts}} }}', smtp_mta_sts='no') as server:
        send(server, 'other', 'badcert')
        world.arrived('other')
        assert 'not for mx.badcert.example' in deferred(server, 'badcert')
    assert world.https.requests - before == collections.Counter({'badcert': 1})
    with serving(world, smtp_tls_policy_maps=f'inline:{{ {{{hop}=may}} }}') as server:
        send(server, 'badcert')
        world.arrived('badcert')


def test_survives_and_follows(world):
    """A policy outlives restarts and a DNS that hides it; another id brings the new one; it is fetched again in time."""
    txt = '_mta-sts.late.example', 'TXT'
    with serving(world) as server:
        send(server, 'late')
        deferred(server, 'late')
        del world.dns.records[txt]
        server.stop()
        with contextlib.closing(sqlite3.connect(server.dir / 'state/spool/tls.db')) as db:
            assert db.execute("SELECT id FROM sts WHERE domain='late.example'").fetchone() == ('1',)
        del server.lines[:]
        server.start()
        assert 'does not name the host' in deferred(server, 'late')
        assert world.https.requests['late'] == 1
        world.https.policies['late'] = ('enforce', 'mx.late.example')
        world.dns.records[txt] = ['v=STSv1; id=2;']
        world.arrived('late')
        assert world.https.requests['late'] == 2
        server.stop()
        with contextlib.closing(sqlite3.connect(server.dir / 'state/spool/tls.db')) as db, db:
            db.execute('UPDATE sts SET refresh=0')
        server.start()
        eventually(lambda: world.https.requests['late'] == 3)
