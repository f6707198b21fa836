"""The gate before SMTP sessions: what it remembers, what is left for a session, and who waits while others are served."""
import contextlib
import os
import pathlib
import resource
import socket
import struct
import tempfile
import threading
import time

import pytest

from harness import Server, eventually
from net.fakedns import FakeDns
from talk import Smtp, Talk

DEMO = 'demo@malle.test'
STRANGER, OTHER, FRIEND = '127.0.3.1', '127.0.3.2', '127.0.3.9'
MANY = 2000 if os.environ.get('MALLE_TEST_FULL') else 300


@pytest.fixture(scope='module')
def dns():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-dns-'))
    with FakeDns({('1.3.0.127.bl.example', 'A'): ['127.0.0.2']}, folder) as server:
        server.trouble['dead.example'] = 'dead'
        server.trouble['fails.example'] = 'fails'
        yield server


@contextlib.contextmanager
def gated(dns=None, **conf):
    values = {'gate': 'yes', 'gate_greet_wait': '1s', 'mynetworks': f'{FRIEND}/32', 'relay_domains': '', **(dns.conf if dns else {}), **conf}
    with Server(conf=values, users={DEMO: 'demo'}) as server:
        yield server


def greeted(server, source=STRANGER):
    """A client that has its greeting, and how long that took."""
    begin = time.monotonic()
    client = Smtp(server, source=source)
    assert client.greeting.startswith('220 '), client.greeting
    return client, time.monotonic() - begin


def wait_of(server, source=STRANGER):
    client, waited = greeted(server, source)
    client.command('QUIT')
    client.close()
    return waited


def offers(client):
    """The extensions that EHLO names."""
    client.send('EHLO client.example\r\n')
    lines = []
    while not lines or lines[-1][3] == '-':
        lines.append(client.line())
    return {line[4:] for line in lines}


def expiries(server, source):
    """In how many seconds each test of the client expires, as the cache has it; of tests it did not pass something below 0."""
    data = (server.dir / 'state/gate-cache').read_bytes()
    at = data.find(bytes(10) + b'\xff\xff' + socket.inet_aton(source), 64)
    return [until - time.time() for until in struct.unpack('<5I', data[at + 16:at + 36])] if at >= 0 else None


# --- what is remembered ---

def test_known_clients_do_not_wait(dns):
    with gated(dns) as server:
        assert wait_of(server) > 0.9
        server.wait_log(f'PASS NEW [{STRANGER}]')
        assert 86300 < expiries(server, STRANGER)[0] <= 86400 and expiries(server, STRANGER)[1] < 0
        assert wait_of(server) < 0.7
        server.wait_log(f'PASS OLD [{STRANGER}]')
        assert wait_of(server, FRIEND) < 0.7  # permit_mynetworks
        server.wait_log(f'ALLOWLISTED [{FRIEND}]')
        server.wait_role('smtpd', other_than=server.kill_role('smtpd'))
        eventually(lambda: wait_of(server) < 0.7)
        server.restart()
        assert wait_of(server) < 0.7
        assert wait_of(server, OTHER) > 0.9


@pytest.mark.parametrize('damage', ['records', 'length', 'head', 'folder'])
def test_a_broken_cache_is_none(dns, damage):
    with gated(dns) as server:
        wait_of(server)
        server.wait_log('PASS NEW')
        server.stop()
        path = server.dir / 'state/gate-cache'
        data = bytearray(path.read_bytes())
        assert path.stat().st_mode & 0o777 == 0o600 and len(data) == 64 + 65536 * 64
        if damage == 'records':
            data[64:] = bytes(b ^ 1 if b else 0 for b in data[64:])
        elif damage == 'length':
            del data[-100:]
        elif damage == 'head':
            data[3] ^= 1
        path.write_bytes(data)
        if damage == 'folder':
            path.unlink()
            path.mkdir()
        server.start()
        assert wait_of(server) > 0.9
        assert wait_of(server) < 0.7
        if damage == 'folder':
            server.wait_log('gate-cache cannot be used')


def test_without_a_cache_everybody_is_new(dns):
    with gated(dns, gate_cache_size='0') as server:
        for _ in range(2):
            assert wait_of(server) > 0.9
        assert not (server.dir / 'state/gate-cache').exists()


# --- what is left for the session ---

DEEP = {'gate_pipelining_enable': 'yes', 'gate_non_smtp_command_enable': 'yes', 'gate_bare_newline_enable': 'yes', 'gate_greet_wait': '0s'}


def send_one(client):
    assert client.command('MAIL FROM:<a@client.example>')[:3] == '250'
    assert client.command(f'RCPT TO:<{DEMO}>')[:3] == '250'
    assert client.command('DATA')[:3] == '354'
    return client.command('Subject: x\r\n\r\nx\r\n.')


def test_nobody_is_sent_away_for_the_tests_of_the_dialogue(dns):
    with gated(dns, **DEEP) as server:
        with greeted(server)[0] as client:
            assert 'PIPELINING' not in offers(client)
            assert send_one(client).startswith('250 ')
            assert 'PIPELINING' in offers(client)
            client.command('QUIT')
        server.wait_log(f'PASS NEW [{STRANGER}]')
        assert len(server.messages(DEMO)) == 1
        with greeted(server)[0] as client:
            assert 'PIPELINING' in offers(client)
        server.wait_log(f'PASS OLD [{STRANGER}]')


@pytest.mark.parametrize('then', ['DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n', 'BDAT 5 LAST\r\nhello'])
def test_recipients_are_gone_when_a_test_fails(dns, then):
    with gated(dns, **DEEP) as server:
        with greeted(server)[0] as client:
            offers(client)
            assert client.envelope(DEMO)[:3] == '250'
            client.send('NOOP\r\n' + then)
            assert client.reply()[:3] == '250'
            assert client.reply()[:3] == '503'
        server.wait_log(f'COMMAND PIPELINING from [{STRANGER}]')
        with greeted(server)[0] as client:  # nothing was passed
            assert 'PIPELINING' not in offers(client)
            client.send(f'MAIL FROM:<>\r\nRCPT TO:<{DEMO}>\r\n')
            assert [client.reply()[:9] for _ in range(2)] == ['250 2.1.0', '550 5.5.1']
            for _ in range(2):
                assert client.command(f'RCPT TO:<{DEMO}>')[:9] == '550 5.5.1'
            assert client.command('DATA')[:3] == '554'
        assert server.messages(DEMO) == []


def test_who_fails_in_the_dialogue_is_new_again(dns):
    with gated(dns, **{**DEEP, 'gate_greet_wait': '1s'}) as server:
        for _ in range(2):
            with greeted(server)[0] as client:
                offers(client)
                client.send('NOOP\r\nNOOP\r\n')
                assert [client.reply()[:3] for _ in range(2)] == ['250', '250']
                client.command('QUIT')
            eventually(lambda: 'DISCONNECT' in server.log())
            assert expiries(server, STRANGER) is None
        assert wait_of(server) > 0.9  # without a failure
        eventually(lambda: expiries(server, STRANGER))
        assert wait_of(server) < 0.7
        assert [e > 0 for e in expiries(server, STRANGER)] == [True, False, False, False, False]


def test_an_ignored_failure_is_not_looked_for_again_at_once(dns):
    with gated(dns, **DEEP, gate_pipelining_action='ignore') as server:
        with greeted(server)[0] as client:
            offers(client)
            client.send(f'MAIL FROM:<>\r\nRCPT TO:<{DEMO}>\r\n')
            assert [client.reply()[:3] for _ in range(2)] == ['250', '250']
            client.command('QUIT')
        server.wait_log('disconnect from')
        with greeted(server)[0] as client:
            assert 'PIPELINING' in offers(client)
        assert server.log().count('COMMAND PIPELINING') == 1


def test_refused_sessions(dns):
    """TLS is there, AUTH is not; nothing is taken, also from those who could relay."""
    conf = {'gate_dnsbl_sites': 'bl.example', 'gate_dnsbl_action': 'enforce', 'smtpd_sasl_auth_enable': 'yes', 'disable_plaintext_auth': 'no',
            'mynetworks': '127.0.3.0/24', 'gate_access_list': ''}
    with gated(dns, **conf) as server:
        with greeted(server)[0] as client:
            assert not any(line.startswith('AUTH') for line in offers(client))
            assert client.command('STARTTLS')[:3] == '220'
            client.socket = server.tls_context().wrap_socket(client.socket)
            assert not any(line.startswith('AUTH') for line in offers(client))
            assert client.command('AUTH PLAIN AAAA')[:1] == '5'
            assert client.envelope('x@elsewhere.example', DEMO) == f'550 5.7.1 Service unavailable; client [{STRANGER}] blocked using bl.example'
            assert client.command('RCPT TO:<postmaster>')[:3] == '550'
        server.wait_log('proto=ESMTPS, helo=<client.example>')
        with greeted(server, OTHER)[0] as client:
            assert any(line.startswith('AUTH') for line in offers(client))
        assert server.messages(DEMO) == []


def test_the_gate_permits_nothing(dns):
    """Whoever passes, by whatever way, has the rules of the session before him."""
    permitted = f'inline:{{ {{ {OTHER} = permit }} }}'
    with gated(dns, gate_access_list=permitted, gate_dnsbl_sites='dead.example fails.example', gate_greet_action='enforce',
               smtpd_recipient_restrictions='check_recipient_access inline:{ { no@malle.test = REJECT } }, permit_mynetworks, reject_unauth_destination') as server:
        for source in (STRANGER, OTHER):
            with greeted(server, source)[0] as client:
                client.hello()
                assert client.envelope('x@elsewhere.example')[:9] == '554 5.7.1'
                assert client.command('RCPT TO:<no@malle.test>')[:3] == '554'
                assert client.command(f'RCPT TO:<{DEMO}>')[:3] == '250'


def test_lists_that_do_not_answer_hold_nobody_longer(dns):
    with gated(dns, gate_dnsbl_sites='dead.example, bl.example*-1', gate_dnsbl_action='drop') as server:
        assert 0.9 < wait_of(server) < 4
        assert wait_of(server) < 0.7
        assert 40 < expiries(server, STRANGER)[1] <= 60  # gate_dnsbl_min_ttl
    with gated(dns, gate_dnsbl_sites='dead.example', gate_dnsbl_timeout='1s', gate_greet_wait='30s', gate_dnsbl_allowlist_threshold='-1') as server:
        with Talk(server, 'smtp', source=STRANGER) as client:
            assert client.line().startswith('220-')
            time.sleep(2)  # a list that is silent is not good for the other tests
            client.socket.settimeout(0.1)
            with pytest.raises(TimeoutError):
                client.line()


# --- Postfix's files ---

MAIN = """myhostname = mail.malle.test
mydestination =
home_mailbox = Maildir/
virtual_mailbox_domains = malle.test
mynetworks = 127.0.3.9/32
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
postscreen_access_list = permit_mynetworks, cidr:SCREEN
postscreen_denylist_action = drop
postscreen_greet_wait = 1s
postscreen_greet_action = enforce
postscreen_dnsbl_sites = bl.example*2 wl.example*-1
postscreen_dnsbl_threshold = 2
postscreen_dnsbl_action = enforce
"""
MASTER = """smtp inet n - y - 1 postscreen
smtpd pass - - y - - smtpd
dnsblog unix - - y - 0 dnsblog
tlsproxy unix - - y - 0 tlsproxy
"""


class Screened(Server):
    """With the files of Postfix in the place of malle.conf, which is read behind them."""
    def write_conf(self, conf, sections=''):
        super().write_conf(conf, sections)
        top, native = self.dir / 'malle.conf', self.dir / 'native'
        top.rename(native)
        for folder in ('postfix', 'malle'):
            (top / folder).mkdir(parents=True)
        native.rename(top / 'malle/local.conf')
        (self.dir / 'screen.cidr').write_text('127.0.3.66 reject\n')
        (top / 'postfix/main.cf').write_text(MAIN.replace('SCREEN', str(self.dir / 'screen.cidr')))
        (top / 'postfix/master.cf').write_text(MASTER)


def test_with_the_files_of_postfix(dns):
    with Screened(conf=dns.conf, users={DEMO: 'demo'}) as server:
        with greeted(server)[0] as client:
            client.hello()
            assert client.envelope(DEMO) == f'550 5.7.1 Service unavailable; client [{STRANGER}] blocked using bl.example'
        client, waited = greeted(server, OTHER)
        with client:
            assert waited > 0.9
            client.hello()
            assert send_one(client)[:3] == '250'
        assert wait_of(server, FRIEND) < 0.7
        with Talk(server, 'smtp', source='127.0.3.66') as client:
            assert client.line() == '521 5.3.2 Service currently unavailable'
        with Talk(server, 'smtp', source='127.0.3.3') as client:
            client.line()
            client.send('EHLO x\r\n')
            server.wait_log('PREGREET 8 after')
        assert len(server.messages(DEMO)) == 1


# --- who waits ---

def is_sanitized(server):
    return 'san.so' in pathlib.Path(f'/proc/{server.role_pids("smtpd")[0]}/maps').read_text()


def test_a_crowd_waits_while_friends_are_served(dns):
    """Strangers who wait take no threads, no places of sessions, and little memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MANY + 1000), hard))
    conf = {'gate_greet_wait': '60s', 'gate_stress_greet_wait': '60s', 'gate_waiting_limit': str(MANY), 'smtpd_process_limit': '10',
            'gate_client_connection_count_limit': '100000', 'gate_dnsbl_sites': 'bl.example dead.example other.example'}
    try:
        with gated(dns, **conf) as server, contextlib.ExitStack() as crowd:
            def status(name):
                text = pathlib.Path(f'/proc/{server.role_pids("smtpd")[0]}/status').read_text()
                return int(next(line for line in text.splitlines() if line.startswith(name + ':')).split()[1])
            wait_of(server, FRIEND)
            server.wait_log('disconnect from')
            threads, memory = status('Threads'), 0
            for i in range(MANY):
                if i == MANY // 2:  # what there is once, there is by now
                    memory = status('VmRSS')
                crowd.enter_context(Talk(server, 'smtp', source=f'127.0.{4 + i // 200}.{1 + i % 200}', timeout=60)).line()
            grown, many = status('VmRSS') - memory, MANY - MANY // 2
            print(f'{MANY} waiting: {grown / many:.1f} KiB each')
            assert grown < many * (300 if is_sanitized(server) else 12) + 2000  # and what the allocator keeps
            assert server.log().count('entering STRESS mode') == 1
            with Talk(server, 'smtp', source=STRANGER) as client:
                assert client.line() == '421 4.3.2 All screening ports are busy'
            for _ in range(5):
                assert wait_of(server, FRIEND) < 2
            assert status('Threads') <= threads + 2
            crowd.close()
            eventually(lambda: server.log().count('HANGUP') == MANY, 30)
            assert server.log().count('leaving STRESS mode') == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_limit_of_one_address(dns):
    with gated(dns, gate_client_connection_count_limit='2', gate_greet_wait='60s') as server, contextlib.ExitStack() as waiting:
        for _ in range(2):
            assert waiting.enter_context(Talk(server, 'smtp', source=STRANGER)).line().startswith('220-')
        with Talk(server, 'smtp', source=STRANGER) as client:
            assert client.line() == '421 4.7.0 Error: too many connections'
        waiting.enter_context(Talk(server, 'smtp', source=OTHER)).line()


def test_sessions_that_refuse_are_a_part_of_all(dns):
    with gated(dns, gate_access_list='static:reject', gate_denylist_action='enforce', gate_greet_wait='0s', smtpd_process_limit='8') as server, \
            contextlib.ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(greeted(server)[0])
        with Talk(server, 'smtp', source=STRANGER) as client:
            assert client.line() == '421 4.3.2 All server ports are busy'
        open_ones.close()
        eventually(lambda: server.log().count('DISCONNECT') == 4)
        wait_of(server)


def test_stop_and_reload(dns):
    with gated(dns, gate='no', gate_greet_wait='60s') as server:
        assert wait_of(server) < 0.7
        server.write_conf({'gate': 'yes', 'gate_greet_wait': '60s', 'gate_greet_banner': 'mail.malle.test stay', **dns.conf})
        server.reload()

        def is_gated():
            with Talk(server, 'smtp', source=STRANGER) as client:
                return client.line() == '220-mail.malle.test stay'
        eventually(is_gated)
        with Talk(server, 'smtp', source=STRANGER) as client:
            client.line()
            threading.Thread(target=server.stop).start()
            assert client.line() == '421 4.3.2 Service shutting down'
            eventually(lambda: server.process is None, 20)


def test_a_client_that_is_cut_off(dns):
    with gated(dns, gate_greet_wait='60s') as server:
        client = Talk(server, 'smtp', source=STRANGER)
        client.line()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        client.close()
        server.wait_log('HANGUP after')
        server.wait_log(f'DISCONNECT [{STRANGER}]')
