"""malle's socket for Dovecot's authentication protocol: Postfix and Exim log users in there; and clients that do not keep to the
protocol, or hold it up."""
import base64
import contextlib
import grp
import os
import pathlib
import pwd
import re
import resource
import smtplib
import sys
import threading
import time

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Talk, as_user, listener, log_in, needs_root, peer  # noqa: E402
from harness import Server, eventually  # noqa: E402
from peers import Exim, Postfix, running  # noqa: E402
from sasl import Login, Plain, Scram, b64  # noqa: E402

JOE, PASSWORD = 'joe@malle.test', 'p\u00e4ss w\u00f6rd,=x'
LIMIT = 100
STEP = 10  # seconds in which a line must end


@pytest.fixture(scope='module')
def server(folder):
    conf = {'auth_account_failures': '10000', 'auth_network_failures': '10000', 'auth_exchange_timeout': '6s',
            'auth_client_limit': str(LIMIT), 'auth_mechanisms': 'plain, login, scram-sha-256, scram-sha-256-plus'}
    sections = ''.join((listener('auth', 'auth-client', folder / 'auth', mode='0660'),
                        listener('auth-open', 'auth-client', folder / 'open', mode='0666')))
    with Server(conf=conf, sections=sections, users={JOE: PASSWORD}) as s:
        yield s


class Later(threading.Thread):
    """What waits for a limit of time while other tests run; ended() is where its failure shows."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.call, self.failure = (function, arguments), None
        self.start()

    def run(self):
        try:
            self.call[0](*self.call[1])
        except BaseException as e:  # noqa: BLE001  # raised again by ended()
            self.failure = e

    def ended(self):
        self.join(60)
        if self.failure:
            raise self.failure
        assert not self.is_alive()


@pytest.fixture(scope='module', autouse=True)
def waiting(server, folder):
    return [Later(half_a_line, folder), Later(cancelled_late_and_too_many, folder)]


def plain(name=JOE, password=PASSWORD):
    return b64(f'\0{name}\0{password}'.encode())


def auth(name=JOE, password=PASSWORD, number=1):
    return f'AUTH\t{number}\tPLAIN\tservice=smtp\trip=192.0.2.1\tresp={plain(name, password)}'


# --- real programs ---

@pytest.fixture(scope='module')
def postfix(folder):
    """Postfix, the malle that it asks, which gives the socket to Postfix' user alone, and that user's number."""
    found = peer('postfix', 'id', '-u', 'postfix')
    assert found.returncode == 0, found.stderr
    uid = int(found.stdout)
    path = folder / 'postfix-auth'

    class Asking(Postfix):
        def changes(self):
            return {'smtpd_sasl_auth_enable': 'yes', 'smtpd_sasl_type': 'dovecot', 'smtpd_sasl_path': path, 'smtpd_sasl_security_options': 'noanonymous',
                    'smtpd_tls_auth_only': 'yes', 'mynetworks': '192.0.2.0/24', 'smtpd_relay_restrictions': 'permit_sasl_authenticated, reject'}
    sections = listener('auth', 'auth-client', path, mode='0600', user=uid, group='mail') + \
        '[listener lmtp-socket]\nuser = nobody\nmode = 0600\n'
    with Server(users={JOE: PASSWORD}, sections=sections) as server, \
            running(Asking, server.port('smtp')) as there:
        yield there, server, uid


@contextlib.contextmanager
def encrypted(port):
    with smtplib.SMTP('127.0.0.1', port, local_hostname='client.example', timeout=30) as client:
        client.starttls(context=Server.tls_context())
        client.ehlo()
        yield client


@needs_root
def test_owner_of_the_socket(postfix, folder):
    _, server, uid = postfix
    there, lmtp = os.stat(folder / 'postfix-auth'), os.stat(server.dir / 'run/lmtp')
    assert (there.st_uid, there.st_gid, there.st_mode & 0o777) == (uid, grp.getgrnam('mail').gr_gid, 0o600)
    assert (lmtp.st_uid, lmtp.st_gid, lmtp.st_mode & 0o777) == (pwd.getpwnam('nobody').pw_uid, 0, 0o600)


@needs_root
@pytest.mark.parametrize('kind', (Plain, Login), ids=lambda kind: kind.mechanism)
def test_postfix(postfix, kind):
    there, server, _ = postfix
    with encrypted(there.port) as client:
        assert client.esmtp_features['auth'].split() == ['PLAIN', 'LOGIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256']
        assert client.docmd('MAIL', f'FROM:<{JOE}>')[0] == 250
        assert client.docmd('RCPT', 'TO:<x@elsewhere.example>')[0] == 554
        client.rset()
        assert log_in(client, kind(JOE, 'wrong'))[0] == 535
        assert log_in(client, kind('nobody@malle.test', PASSWORD))[0] == 535
        assert log_in(client, kind(JOE, PASSWORD)) == (235, '2.7.0 Authentication successful')
        client.sendmail(JOE, [JOE], f'Subject: by {kind.mechanism}\r\n\r\nhello\r\n')
    log = there.dir / 'log/maillog'
    eventually(lambda: f'sasl_method={kind.mechanism}, sasl_username={JOE}' in log.read_text(), 20)
    assert f'SASL {kind.mechanism} authentication failed' in log.read_text()
    eventually(lambda: [m for m in server.messages(JOE) if f'by {kind.mechanism}'.encode() in m.read_bytes()], 30)
    assert server.wait_log(f'auth: smtp({JOE},127.0.0.1): {kind.mechanism}: ')


@needs_root
@pytest.mark.parametrize('name', ('SCRAM-SHA-1', 'SCRAM-SHA-256'))
def test_postfix_scram(postfix, name):
    there, _, _ = postfix
    with encrypted(there.port) as client:
        assert log_in(client, Scram(name, JOE, 'wrong'))[0] == 535
        scram = Scram(name, JOE, PASSWORD)
        assert log_in(client, scram)[0] == 235 and scram.server_proven


@needs_root
def test_postfix_and_ended_roles(postfix):
    """What Postfix asked is lost with the role, for that client alone; the next one is served."""
    there, server, _ = postfix

    def works():
        with encrypted(there.port) as client:
            return log_in(client, Plain(JOE, PASSWORD))[0] == 235
    for role in ('sasl', 'auth'):
        killed = server.kill_role(role)
        server.wait_role(role, other_than=killed)
        eventually(works, 30)


@needs_root
def test_exim(folder, server):
    """Exim's driver of that protocol is in the heavy package only."""
    found = peer('exim-heavy', 'exim4', '-bV')
    if 'dovecot' not in found.stdout.lower():
        pytest.skip(f'this Exim does not speak it: {found.stderr}')

    class Asking(Exim):
        name = 'exim-heavy'
        settings = 'begin authenticators\n' + ''.join(f'''{kind.lower()}:
  driver = dovecot
  public_name = {kind}
  server_socket = {folder}/open
  server_set_id = $auth1
''' for kind in ('PLAIN', 'LOGIN'))
    with running(Asking, server.port('smtp')) as there:
        for kind in (Plain, Login):
            with encrypted(there.port) as client:
                assert log_in(client, kind(JOE, 'wrong'))[0] == 535
            with encrypted(there.port) as client:
                assert log_in(client, kind(JOE, PASSWORD))[0] == 235


# --- the protocol, by hand ---

def test_greeting(server, folder):
    with Talk(folder / 'auth') as first, Talk(folder / 'auth') as second:
        lines, others = first.greeting(), second.greeting()
    assert lines[0] == 'VERSION\t1\t2'
    assert lines[1:4] == ['MECH\tPLAIN\tplaintext', 'MECH\tLOGIN\tplaintext', 'MECH\tSCRAM-SHA-256\tmutual-auth']
    rest = dict(line.split('\t') for line in lines[4:])
    assert sorted(rest) == ['COOKIE', 'CUID', 'SPID'] and re.fullmatch('[0-9a-f]{32}', rest['COOKIE'])
    assert int(rest['SPID']) in server.role_pids('sasl')
    other = dict(line.split('\t') for line in others[4:])
    assert other['COOKIE'] != rest['COOKIE'] and other['CUID'] != rest['CUID']


def test_exchanges(server, folder):
    with Talk(folder / 'auth') as talk:
        assert talk.answer(auth()) == f'OK\t1\tuser={JOE}'
        talk.send(auth(password='wrong'))  # a number is free again after its outcome
        assert talk.line() == f'FAIL\t1\tuser={JOE}'
        talk.send(auth(name='JOE@Malle.Test', number=2))
        assert talk.line() == f'OK\t2\tuser={JOE}'
        talk.send('AUTH\t3\tLOGIN\tservice=smtp\tresp=')
        assert talk.line() == f'CONT\t3\t{b64(b"Username:")}'
        talk.send('AUTH\t4\tPLAIN\tservice=smtp')  # another one meanwhile
        assert talk.line() == 'CONT\t4\t'
        talk.send(f'CONT\t3\t{b64(JOE.encode())}', f'CONT\t4\t{plain(password="wrong")}')
        assert talk.line() == f'CONT\t3\t{b64(b"Password:")}'
        assert talk.line() == f'FAIL\t4\tuser={JOE}'
        talk.send(f'CONT\t3\t{b64(PASSWORD.encode())}')
        assert talk.line() == f'OK\t3\tuser={JOE}'


@pytest.mark.parametrize('together', (False, True))
def test_scram(server, folder, together):
    """The server's proof comes with OK, or as one more challenge before it."""
    scram = Scram('SCRAM-SHA-256', JOE, PASSWORD)
    with Talk(folder / 'auth') as talk:
        flag = '\tfinal-resp-ok' if together else ''
        line = talk.answer(f'AUTH\t1\tSCRAM-SHA-256\tservice=smtp{flag}\tresp={b64(scram.answer(b""))}')
        talk.send(f'CONT\t1\t{b64(scram.answer(base64.b64decode(line.split(chr(9))[2])))}')
        line = talk.line()
        if together:
            assert line.startswith(f'OK\t1\tuser={JOE}\tresp=')
            scram.answer(base64.b64decode(line.partition('resp=')[2]))
        else:
            assert line.startswith('CONT\t1\t')
            scram.answer(base64.b64decode(line.split('\t')[2]))
            talk.send('CONT\t1\t')
            assert talk.line() == f'OK\t1\tuser={JOE}'
    assert scram.server_proven


@pytest.mark.parametrize('line, answer', (
    ('AUTH\t7\tPLAIN\tservice=smtp\tresp=!!!', 'FAIL\t7\treason=Invalid base64 data'),
    ('AUTH\t7\tPLAIN\tservice=smtp\tresp=' + b64(b'joe'), 'FAIL\t7'),
    ('AUTH\t7\tPLAIN\tservice=smtp\tresp=' + b64(bytes(4097)), 'FAIL\t7\treason=Invalid base64 data'),
    ('AUTH\t7\tSCRAM-SHA-256-PLUS\tservice=smtp', 'FAIL\t7'),
    ('AUTH\t7\tSCRAM-SHA-1\tservice=smtp', 'FAIL\t7'),  # not in auth_mechanisms
    ('AUTH\t7\tGSSAPI\tservice=smtp', 'FAIL\t7'),
    ('AUTH\t7\t' + 'X' * 5000 + '\tservice=smtp', 'FAIL\t7\treason=Unsupported authentication mechanism'),
    ('AUTH\t7\tPLAIN\tservice=' + 's' * 5000 + '\trip=' + '1' * 2000 + f'\tresp={plain()}', f'OK\t7\tuser={JOE}'),
    ('AUTH\t7\tPLAIN\trip=a\001nb' + f'\tresp={plain()}', f'OK\t7\tuser={JOE}'),
    ('CONT\t7\t' + b64(b'x'), 'FAIL\t7\treason=Timed out'),
), ids=str)
def test_odd_requests(server, folder, line, answer):
    with Talk(folder / 'auth') as talk:
        assert talk.answer(line) == answer
        talk.send(auth(number=8))
        assert talk.line() == f'OK\t8\tuser={JOE}'


@pytest.mark.parametrize('lines', (
    [auth()],
    ['CPID\t1', 'VERSION\t1\t2'],
    ['VERSION\t2\t0', 'CPID\t1'],
    ['VERSION\t1\t2', auth()],
    ['VERSION\t1\t2', 'CPID\t1', 'CPID\t2'],
    ['VERSION\t1\t2', 'CPID\t1', 'VERSION\t1\t2'],
    ['VERSION\t1\t2', 'CPID\t1', ''],
    ['VERSION\t1\t2', 'CPID\t1', 'AUTH\tx\tPLAIN'],
    ['VERSION\t1\t2', 'CPID\t1', 'AUTH\t1\tLOGIN', 'AUTH\t1\tLOGIN'],
    ['VERSION\t1\t2', 'CPID\t1', 'USER\t1\t' + JOE],
    ['VERSION\t1\t2', 'CPID\t1', 'LIST\t1'],
    ['VERSION\t1\t2', 'CPID\t1', 'EHLO client.example'],
    ['VERSION\t1\t2', 'CPID\t1', 'AUTH\t1\tPLAIN\tservice=\0'],
    ['VERSION\t1\t2', 'CPID\t1', 'AUTH\t1\tPLAIN\tresp=' + 'A' * 9000],
    ['x' * 100000],
), ids=lambda lines: repr(lines[-1])[:40])
def test_out_of_order(server, folder, lines):
    """Closed, nobody is logged in, and the role goes on."""
    before = server.role_pids('sasl')
    with Talk(folder / 'auth', greet=False) as talk:
        with contextlib.suppress(ConnectionError):
            talk.send(*lines)
        talk.greeting()
        while (line := talk.line()) is not None:
            assert not line.startswith(('OK', 'USER', 'LIST')), line
    assert server.role_pids('sasl') == before
    with Talk(folder / 'auth') as talk:
        assert talk.answer(auth()) == f'OK\t1\tuser={JOE}'


def cancelled_late_and_too_many(folder):
    with Talk(folder / 'auth') as talk:
        assert talk.answer('AUTH\t1\tLOGIN').startswith('CONT\t1')
        talk.send('CANCEL\t1', 'CANCEL\t99', f'CONT\t1\t{b64(JOE.encode())}')
        assert talk.line() == 'FAIL\t1\treason=Timed out'
        talk.send(*(f'AUTH\t{i}\tLOGIN' for i in range(1, 6)))
        assert [talk.line()[:6] for _ in range(4)] == [f'CONT\t{i}' for i in range(1, 5)]
        assert talk.line() == 'FAIL\t5\ttemp\tcode=temp_fail\treason=Too many requests'
        assert [talk.line() for _ in range(4)] == [f'FAIL\t{i}\treason=Timed out' for i in range(1, 5)]
        talk.send(auth())
        assert talk.line() == f'OK\t1\tuser={JOE}'


def half_a_line(folder):
    with Talk(folder / 'auth') as half, Talk(folder / 'auth', greet=False) as mute, Talk(folder / 'auth') as idle:
        half.greeting()
        idle.greeting()
        start = time.monotonic()
        half.socket.sendall(b'AUTH\t1\tPLAIN\tresp=')
        mute.greeting()
        assert half.line() is None and mute.line() is None
        assert time.monotonic() - start >= STEP - 1
        idle.send(auth())
        assert idle.line() == f'OK\t1\tuser={JOE}'


def test_half_a_line(waiting):
    """It is not waited for, and neither is a greeting; silence between requests is fine."""
    waiting[0].ended()


def test_cancelled_late_and_too_many(waiting):
    waiting[1].ended()


def test_auth_ends_within_an_exchange(server, folder):
    with Talk(folder / 'auth') as talk:
        assert talk.answer('AUTH\t1\tLOGIN').startswith('CONT\t1')
        killed = server.kill_role('auth')
        talk.send(f'CONT\t1\t{b64(JOE.encode())}')
        assert talk.line() == 'FAIL\t1\ttemp\tcode=temp_fail'
        server.wait_role('auth', other_than=killed)

        def works():
            talk.send(auth(number=2))
            return talk.line() == f'OK\t2\tuser={JOE}'
        eventually(works, 30)


def one_log_in(path):
    """The reply; None where the server has no room and closes before it was asked."""
    try:
        with Talk(path) as talk:
            return talk.answer(auth())
    except ConnectionError:
        return None


@needs_root
@pytest.mark.seconds(240)
def test_a_thousand_connections(server, folder):
    """One user gets half of what there is; others are served meanwhile, and it is, too, afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    talks = []
    try:
        for _ in range(1000):
            talks.append(Talk(folder / 'open', greet=False))
        open_ones = [talk for talk in talks if talk.greeting()]
        assert len(open_ones) == LIMIT // 2, len(open_ones)
        assert server.wait_log('auth_client_limit (100) reached')
        assert as_user(pwd.getpwnam('nobody').pw_uid, one_log_in, folder / 'open') == f'OK\t1\tuser={JOE}'
    finally:
        for talk in talks:
            talk.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    eventually(lambda: one_log_in(folder / 'open') == f'OK\t1\tuser={JOE}', 30, step=0.5)
