"""SASL over the wire on SMTP, IMAP and POP3: mechanisms, channel binding, downgrades, clear connections, limits."""
import time

import pytest

from harness import Server
from mail import Lines
from sasl import Login, Plain, Scram, run_imap, run_pop3, run_smtp
from tls import TLS_1_2, TLS_1_3, TlsSocket

USER, PASSWORD = 'joe@malle.test', 'p\u00e4ss w\u00f6rd,=x'
FAILURE_DELAY = 0.08
PROTOCOLS = {'submissions': run_smtp, 'imaps': run_imap, 'pop3s': run_pop3}
PLAINTEXT = [Plain, Login]
SCRAM = ['SCRAM-SHA-1', 'SCRAM-SHA-256']


@pytest.fixture(scope='module')
def server():
    conf = {'auth_failure_delay': '80ms', 'auth_account_failures': '1000', 'auth_network_failures': '1000'}
    with Server(users={USER: PASSWORD}, conf=conf) as s:
        yield s


class Client:
    """A connection over TLS, past the greeting."""

    def __init__(self, server, listener, version=TLS_1_3):
        self.tls = TlsSocket(server.connect(listener), version)
        self.lines, self.run = Lines(self.tls), PROTOCOLS[listener]
        self.lines.line()
        if listener == 'submissions':
            self.lines.send('EHLO client.example')
            self.lines.until('250 ')

    def log_in(self, mechanism):
        """(whether it worked, the last line)"""
        return self.run(self.lines, mechanism)

    def binding(self, kind):
        return {'tls-exporter': self.tls.exporter, 'tls-server-end-point': self.tls.end_point}[kind]()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()


@pytest.fixture(params=PROTOCOLS)
def listener(request):
    return request.param


@pytest.mark.parametrize('kind', PLAINTEXT, ids=lambda kind: kind.mechanism)
def test_plain_and_login(server, listener, kind):
    with Client(server, listener) as client:
        assert not client.log_in(kind(USER, 'wrong'))[0]
        assert client.log_in(kind(USER, PASSWORD))[0]


@pytest.mark.parametrize('name', SCRAM)
def test_scram(server, listener, name):
    with Client(server, listener) as client:
        assert not client.log_in(Scram(name, USER, 'wrong'))[0]
        assert not client.log_in(Scram(name, 'nobody@malle.test', PASSWORD))[0]
        scram = Scram(name, USER, PASSWORD)
        assert client.log_in(scram)[0] and scram.server_proven


@pytest.mark.parametrize('version, binding', [(TLS_1_3, 'tls-exporter'), (TLS_1_3, 'tls-server-end-point'),
                                              (TLS_1_2, 'tls-server-end-point')])
@pytest.mark.parametrize('name', SCRAM)
def test_scram_plus(server, listener, name, version, binding):
    """RFC 9266 and RFC 5929: the exchange is bound to this very connection."""
    with Client(server, listener, version) as client:
        scram = Scram(f'{name}-PLUS', USER, PASSWORD, f'p={binding}', client.binding(binding))
        works, reply = client.log_in(scram)
        assert works and scram.server_proven, reply


@pytest.mark.parametrize('name', SCRAM)
def test_a_wrong_binding_is_refused(server, listener, name):
    with Client(server, listener) as client:
        with Client(server, listener) as other:
            elsewhere = other.binding('tls-exporter')
        assert not client.log_in(Scram(f'{name}-PLUS', USER, PASSWORD, 'p=tls-exporter', elsewhere))[0]
        assert not client.log_in(Scram(f'{name}-PLUS', USER, PASSWORD, 'p=tls-exporter', b''))[0]
        assert not client.log_in(Scram(f'{name}-PLUS', USER, PASSWORD, 'p=tls-unique', b'x' * 12))[0]
        assert client.log_in(Scram(name, USER, PASSWORD))[0]


@pytest.mark.parametrize('name', SCRAM)
def test_flags_that_do_not_fit_are_refused(server, listener, name):
    """RFC 5802 §6: "y" says that no PLUS was offered, which is false here: somebody changed the list."""
    with Client(server, listener) as client:
        assert not client.log_in(Scram(name, USER, PASSWORD, 'y'))[0]
        assert not client.log_in(Scram(name, USER, PASSWORD, 'p=tls-exporter', client.binding('tls-exporter')))[0]
        assert not client.log_in(Scram(f'{name}-PLUS', USER, PASSWORD, 'n'))[0]


def test_y_is_fine_where_no_plus_is_offered():
    with Server(users={USER: PASSWORD}, conf={'auth_mechanisms': 'plain, scram-sha-256'}) as s:
        for listener in PROTOCOLS:
            with Client(s, listener) as client:
                assert client.log_in(Scram('SCRAM-SHA-256', USER, PASSWORD, 'y'))[0]
        with Client(s, 'imaps') as client:
            works, reply = client.log_in(Scram('SCRAM-SHA-1', USER, PASSWORD))
            assert not works and reply.startswith('a NO '), 'auth_mechanisms does not name it'


def test_a_wrong_password_costs_time(server, listener):
    with Client(server, listener) as client:
        before = time.monotonic()
        works, reply = client.log_in(Plain(USER, 'wrong'))
        assert not works and time.monotonic() - before >= FAILURE_DELAY
        expected = {'submissions': '535 5.7.8 ', 'imaps': 'a NO [AUTHENTICATIONFAILED] ', 'pop3s': '-ERR [AUTH] '}
        assert reply.startswith(expected[listener]), reply


def test_other_connections_do_not_wait_for_the_delay():
    with Server(users={USER: PASSWORD}, conf={'auth_failure_delay': '2s'}) as s, Client(s, 'imaps') as slow, Client(s, 'imaps') as client:
        before = time.monotonic()
        slow.lines.send(f'a LOGIN {USER} wrong')
        assert client.log_in(Plain(USER, PASSWORD))[0]
        assert time.monotonic() - before < 2
        assert slow.lines.line().startswith('a NO ')
        assert time.monotonic() - before >= 2


def test_no_password_on_a_clear_connection(server):
    imap = Lines(server.connect('imap'))
    assert 'LOGINDISABLED' in imap.line()
    imap.send(f'a LOGIN {USER} secret')
    assert imap.line().startswith('a NO [PRIVACYREQUIRED] ')
    imap.send('b AUTHENTICATE PLAIN')
    assert imap.line().startswith('b NO ')
    pop3 = Lines(server.connect('pop3'))
    pop3.line()
    pop3.send(f'USER {USER}')
    assert pop3.line().startswith('-ERR ')
    pop3.send('AUTH PLAIN')
    assert pop3.line().startswith('-ERR ')
    smtp = Lines(server.connect('submission'))
    smtp.line()
    smtp.send('EHLO client.example')
    while (line := smtp.line()).startswith('250-'):
        assert 'AUTH' not in line
    smtp.send('AUTH PLAIN')
    assert smtp.line().startswith('538 5.7.11 ')


def test_scram_without_tls_shows_no_password(server):
    """SCRAM may be used on a clear IMAP connection, its PLUS form not."""
    lines = Lines(server.connect('imap'))
    assert 'AUTH=SCRAM-SHA-256' in (greeting := lines.line()) and 'PLUS' not in greeting
    assert run_imap(lines, Scram('SCRAM-SHA-256', USER, PASSWORD))[0]


def test_too_many_failures_lock_an_account_for_a_while():
    """Guesses of different passwords; the same wrong one again and again is a program that was not told the new one."""
    users = {USER: PASSWORD, 'ann@malle.test': 'anns'}
    conf = {'auth_account_failures': '3', 'auth_failure_window': '3s', 'auth_failure_delay': '10ms'}
    with Server(users=users, conf=conf) as s:
        with Client(s, 'submissions') as client:
            for _ in range(6):
                assert not client.log_in(Plain(USER, 'the old one'))[0]
            assert not client.log_in(Plain(USER, 'guess 1'))[0]
        with Client(s, 'imaps') as client:
            for i in range(2, 4):
                assert not client.log_in(Plain(USER, f'guess {i}'))[0]
            assert not client.log_in(Plain(USER, PASSWORD))[0], 'locked, on every protocol'
        with Client(s, 'submissions') as client:
            assert not client.log_in(Scram('SCRAM-SHA-256', USER, PASSWORD))[0]
            assert client.log_in(Plain('ann@malle.test', 'anns'))[0]
        time.sleep(3.2)
        with Client(s, 'submissions') as client:
            assert client.log_in(Plain(USER, PASSWORD))[0]


def test_the_server_does_not_lock_itself_out():
    """Failures from one address count for all accounts together, but never on loopback, where other users' programs are."""
    conf = {'auth_network_failures': '3', 'auth_failure_window': '60s', 'auth_failure_delay': '10ms'}
    with Server(users={USER: PASSWORD}, conf=conf) as s:
        with Client(s, 'submissions') as client:
            for i in range(8):
                assert not client.log_in(Plain(f'guess{i}@malle.test', f'x{i}'))[0]
            assert client.log_in(Plain(USER, PASSWORD))[0]
