"""The resolver against a real name server: validation, failures, time, the cache, and names of clients."""
import time

import pytest
from dnsworld import Resolver, SilentServer, World

HOSTS = '''# a comment
127.0.0.1 localhost loopback
192.0.2.200\thosted.example other.example # known here only
::1 localhost
nonsense
192.0.2.201 -bad-
'''


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp('dns'))
    yield w
    w.stop()


@pytest.fixture
def resolver(world, tmp_path):
    hosts = tmp_path / 'hosts'
    hosts.write_text(HOSTS)
    r = Resolver(world.server, world.anchor, hosts)
    assert r.first == 'ready'
    yield r
    assert r.close() == 0


@pytest.mark.parametrize('kind, name, expected', [
    ('A', 'www.example', 'secure found c0000201'),
    ('A', 'WWW.Example.', 'secure found c0000201'),
    ('A', 'alias.example', 'secure found c0000201'),
    ('AAAA', 'www.example', 'secure found 20010db8000000000000000000000001'),
    ('MX', 'mail.example', 'secure found 000a046d61696c076578616d706c6500'),
    ('A', 'nowhere.example', 'secure nxdomain'),
    ('MX', 'www.example', 'secure nodata'),
    ('TLSA', '_25._tcp.www.example', 'secure nxdomain'),
    ('A', 'www.insecure.example', 'insecure found c0000205'),
    ('A', 'nowhere.insecure.example', 'insecure nxdomain'),
    ('PTR', '1.2.0.192.in-addr.arpa', 'insecure found 03777777076578616d706c6500'),
    ('A', 'www.broken.example', 'temp'),
    ('A', 'not-served.test-zone', 'temp'),
    ('A', 'a..example', 'invalid'),
    ('A', 'x' * 64 + '.example', 'invalid'),
])
def test_answers(resolver, kind, name, expected):
    assert resolver.ask(kind, name)[0] == expected


def test_bogus(resolver):
    answer, _ = resolver.ask('A', 'www.bogus.example')
    assert answer.startswith('bogus nodata why: ') and 'c0000206' not in answer


@pytest.mark.parametrize('address, expected', [
    ('192.0.2.1', 'ok www.example'),
    ('2001:db8::1', 'ok www.example'),
    ('::ffff:192.0.2.1', 'ok www.example'),
    ('192.0.2.3', 'ok many.example'),            # the second of its names
    ('192.0.2.5', 'ok www.insecure.example'),    # by way of a CNAME (RFC 2317)
    ('192.0.2.66', 'gone'),                      # says that it is bank.example, which says otherwise
    ('192.0.2.67', 'gone'),                      # a number is no name
    ('192.0.2.68', 'gone'),                      # nor is this
    ('192.0.2.69', 'gone'),                      # a real name of another machine
    ('192.0.2.70', 'gone'),                      # the name does not exist
    ('192.0.2.99', 'gone'),                      # no PTR record
    ('2001:db8::2', 'gone'),
    ('192.0.2.6', 'gone'),                       # the name's address is bogus
    ('192.0.2.7', 'temp'),                       # the name's servers fail
    ('192.0.2.200', 'ok hosted.example'),
    ('192.0.2.201', 'gone'),                     # not a name in the hosts file
    ('127.0.0.1', 'ok localhost'),
    ('::1', 'ok localhost'),
    ('127.0.0.9', 'gone'),
])
def test_client_names(resolver, address, expected):
    assert resolver.ask('ptr', address)[0] == expected


def test_silent_server(world, tmp_path):
    """Nobody waits longer than he said, and loopback does not wait at all."""
    silent = SilentServer()
    hosts = tmp_path / 'hosts'
    hosts.write_text(HOSTS)
    r = Resolver(silent.server, world.anchor, hosts)
    assert r.first == 'ready'
    for kind, name in (('A', 'www.example'), ('ptr', '192.0.2.1'), ('ptr', '192.0.2.1')):
        answer, took = r.ask(kind, name, 300)
        assert answer == 'temp' and 290 <= took < 2000
    for address, expected in (('127.0.0.1', 'ok localhost'), ('127.0.0.9', 'gone'), ('192.0.2.200', 'ok hosted.example')):
        answer, took = r.ask('ptr', address, 5000)
        assert answer == expected and took < 200
    assert r.close() == 0
    silent.close()


def test_cache_outlives_the_server(world):
    """Answers stay for their time to live, also that there are none; failures are soon forgotten."""
    r = Resolver(world.server, world.anchor)
    assert r.ask('A', 'www.example')[0] == 'secure found c0000201'
    assert r.ask('A', 'nowhere.example')[0] == 'secure nxdomain'
    assert r.ask('A', 'mail.example')[0] == 'secure found c0000202'  # for 2 s
    world.stop()
    try:
        assert r.ask('A', 'WWW.EXAMPLE')[0] == 'secure found c0000201'
        assert r.ask('A', 'nowhere.example')[0] == 'secure nxdomain'
        assert r.ask('A', 'many.example', 1000)[0] == 'temp'
        time.sleep(2.1)
        assert r.ask('A', 'mail.example', 1000)[0] == 'temp'
    finally:
        world.start()
    for _ in range(20):
        answer, _ = r.ask('A', 'many.example')
        if answer != 'temp':
            break
        time.sleep(0.5)
    assert answer in ('secure found c0000203 c0000204', 'secure found c0000204 c0000203')
    assert r.close() == 0


def test_servers_of_the_system(world, tmp_path):
    """resolv.conf, with a line that is no address; the port is 53 there, so that nobody answers."""
    conf = tmp_path / 'resolv.conf'
    conf.write_text('# nothing\nsearch example\nnameserver 127.0.0.77\nnameserver fe80::1%eth0\nnameserver rubbish\n')
    r = Resolver(conf, world.anchor)
    assert r.first == 'ready'
    assert r.ask('A', 'www.example', 500)[0] == 'temp'
    r.close()


@pytest.mark.parametrize('servers, anchor, word', [
    ('rubbish', '', 'dns_resolvers: rubbish'),
    ('127.0.0.1', '/nonexistent/anchor', '/nonexistent/anchor'),
    ('127.0.0.1', '/dev/null', 'no records'),
])
def test_wrong_settings(servers, anchor, word):
    r = Resolver(servers, anchor)
    assert r.first.startswith('perm: ') and word in r.first
    r.close()


def test_wrong_anchor(tmp_path):
    (tmp_path / 'anchor').write_text('this is not a key\n')
    r = Resolver('127.0.0.1@1', tmp_path / 'anchor')
    assert r.first != 'ready'
    r.close()


def test_root_keys_are_accepted(world):
    """Without an anchor file the built-in keys of the root are in force: here nothing can be validated with them."""
    r = Resolver(world.server)
    assert r.first == 'ready'
    assert r.ask('A', 'www.example', 3000)[0].split()[0] in ('bogus', 'temp')
    r.close()
