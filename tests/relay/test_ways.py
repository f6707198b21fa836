"""How connections leave: through a SOCKS5 proxy, from an address for each sender, and to the address that the DNS or /etc/hosts has."""
import os

import pytest

from harness import Server, eventually
from net.fakedns import FakeDns
from relay.conftest import OTHER, QUICK, SENDER, queue_is_empty, relaying, send
from relay.socks import Socks


@pytest.fixture
def password_file(tmp_path):
    tmp_path.chmod(0o755)
    path = tmp_path / 'proxy'
    path.write_text('joe:se:cret\n')
    path.chmod(0o600)
    return path


def test_proxy(remote, password_file):
    """It is asked for addresses, with the password; nothing goes past it, and its refusals are said in words."""
    with Socks(remote.port, login=('joe', 'se:cret')) as proxy:
        conf = {'relayhost': '[192.0.2.77]:2525', 'smtp_socks5_proxy': f'[127.0.0.1]:{proxy.port}', 'smtp_socks5_password_file': password_file}
        with relaying(remote, **conf) as server:
            assert send(server, 'x@a.example').startswith('250')
            eventually(lambda: remote.messages, 20)
            assert proxy.asked == [('192.0.2.77', 2525)] and proxy.logins == [('joe', 'se:cret')]
            eventually(lambda: queue_is_empty(server), 20)
            server.write_conf({**QUICK, **conf, 'relayhost': '[2001:db8::7]:2526'})
            server.reload()
            proxy.reply = 5
            refused = 'status=deferred (connect to 2001:db8::7[2001:db8::7]:2526: the proxy says: connection refused)'
            # each role takes the new settings a moment after the reload is done
            line = eventually(lambda: send(server, 'y@a.example') and next((line for line in server.lines if refused in line), None), 20, step=0.2)
            assert 'to=<y@a.example>, relay=none' in line  # and not the host before
            assert proxy.asked[-1] == ('2001:db8::7', 2526)
            proxy.reply = 0
            eventually(lambda: queue_is_empty(server), 20)


@pytest.mark.parametrize('login, why', [(('joe', 'other'), 'refuses the user name or the password'), (None, '')])
def test_proxy_password(remote, password_file, login, why):
    """A wrong password waits; a proxy that wants none gets none."""
    with Socks(remote.port, login=login) as proxy:
        with relaying(remote, smtp_socks5_proxy=f'127.0.0.1:{proxy.port}', smtp_socks5_password_file=password_file) as server:
            assert send(server, 'x@a.example').startswith('250')
            assert why in server.wait_log('to=<x@a.example>', 20)
            assert len(proxy.logins) == 0 if login is None else not proxy.asked
            assert bool(remote.connections) == (login is None)


def test_proxy_is_gone(remote):
    """Nothing goes directly instead."""
    with Socks(remote.port) as proxy:
        pass
    with relaying(remote, smtp_socks5_proxy=f'[127.0.0.1]:{proxy.port}') as server:
        assert send(server, 'x@a.example').startswith('250')
        assert 'the proxy cannot be reached: Connection refused' in server.wait_log('to=<x@a.example>', 20)
        assert not remote.connections


def test_proxy_settings(remote, password_file):
    with relaying(remote) as server:
        server.write_conf({'smtp_socks5_proxy': 'a..b:1080'})
        assert 'smtp_socks5_proxy' in server.malle('check', check=False).stderr


def test_sender_dependent_source(remote):
    """An address or a @domain decides, also over connections that are kept; the setting is for all others."""
    maps = f'inline:{{ {{{SENDER}=127.0.0.7, ::1}} {{@b.example=127.0.0.8}} {{<>=127.0.0.10}} {{bad@c.example=nonsense}} }}'
    with relaying(remote, sender_dependent_bind_address_maps=maps, smtp_bind_address='127.0.0.9') as server:
        senders = {SENDER: '127.0.0.7', OTHER: '127.0.0.9', 'x@b.example': '127.0.0.8', '': '127.0.0.10'}
        for _ in range(2):
            for sender in senders:
                assert send(server, 'x@a.example', sender=sender).startswith('250')
        eventually(lambda: len(remote.messages) == 8, 20)
        assert {(m.sender, remote.peers[m.connection - 1]) for m in remote.messages} == set(senders.items())
        assert send(server, 'y@a.example', sender='bad@c.example').startswith('250')
        assert '"nonsense" is no IP address' in server.wait_log('to=<y@a.example>', 20)
        assert len(remote.messages) == 8


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
def test_where_hosts_are_looked_up(remote, tmp_path):
    """Each name is right in one place only; without MX records the domain's own address counts."""
    port = remote.port
    (tmp_path / 'hosts').write_text('127.0.0.1 localhost file.example\n127.0.0.2 both.example\n')
    records = {('dns.example', 'A'): ['127.0.0.1'], ('both.example', 'A'): ['127.0.0.1'], ('file.example', 'MX'): ['1 dns.example']}
    ways = {'dns': 'smtp_host_lookup = dns', 'native': 'smtp_host_lookup = native', 'all': 'smtp_host_lookup = dns, native',
            'alone': 'smtp_host_lookup = native\nsmtp_mx_lookup = no'}
    maps = ' '.join(f'{{{way}-{name}.test={way}:[{name}.example]:{port}}}' for way in ways for name in ('dns', 'file', 'both'))
    maps += f' {{mx.test=native:file.example:{port}}} {{no-mx.test=alone:file.example:{port}}}'
    with FakeDns(records, tmp_path) as dns:
        server = Server(conf={**QUICK, **dns.conf, 'transport_maps': f'inline:{{ {maps} }}', 'smtp_tls_security_level': 'none'}, users={SENDER: 'secret', OTHER: 'secret'}, start=False,
                        sections=''.join(f'[transport {way}]\n{text}\n' for way, text in ways.items()))
        server.prefix = ['unshare', '-m', 'sh', '-c', f'mount --bind {tmp_path}/hosts /etc/hosts && exec "$@"', 'sh']
        with server:
            server.start()

            def outcome(domain):
                send(server, f'x@{domain}')
                line = server.wait_log(f'to=<x@{domain}>')
                return 'sent' if 'status=sent' in line else '127.0.0.2' if '[127.0.0.2]' in line else line.partition('status=')[2]
            assert outcome('dns-dns.test') == outcome('native-file.test') == outcome('all-dns.test') == outcome('all-file.test') == 'sent'
            assert outcome('native-dns.test') == 'sent'  # behind /etc/hosts
            assert 'has no address' in outcome('dns-file.test')
            assert outcome('dns-both.test') == outcome('all-both.test') == 'sent' and outcome('native-both.test') == '127.0.0.2'
            assert outcome('mx.test') == 'sent' and dns.asked['file.example', 'MX'] == 1
            assert outcome('no-mx.test') == 'sent' and dns.asked['file.example', 'MX'] == 1
