"""The wall clock is set, by hours and days, forwards and back, while mail comes, waits and leaves: setclock.c shifts it for the server
and its commands alone. Nothing is lost, nothing comes twice, nothing is given up before its time, and nobody waits for a clock."""
import datetime
import random
import struct
import time

import pytest

from faults.relay_load import LOCAL, REMOTE, SENDER, Moody, RelayLoad, queued
from harness import FULL, MALLE, Server, eventually
from relay.remote import Remote
from talk import Imap, Smtp

LIBRARY = MALLE.parent / 'tests/libsetclock.so'
HOUR = 3600
DAY = 24 * HOUR
CONF = {'smtpd_client_connection_count_limit': 1000, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms',
        'mynetworks': '127.0.0.0/8'}
SET_TO = (6 * DAY, -6 * DAY, 3 * HOUR, -3 * HOUR, 400 * DAY, 0, -90, 90)
STEPS, MESSAGES = (100, 5000) if FULL else (8, 400)
SOON = 15  # seconds
REPORTS = 32  # of messages that were taken, not committed yet when queue is killed (src/queue/commit.c), at most


class Shifted(Server):
    """A server whose clock set() sets."""

    def __init__(self, tmp_path, **options):
        self.offset_file = tmp_path / 'offset'
        self.offset_file.write_bytes(struct.pack('=q', 0))
        self.shift = 0
        super().__init__(**options)

    def environment(self, leaks):
        env = Server.environment(leaks)
        env['ASAN_OPTIONS'] += ':verify_asan_link_order=0'
        return {**env, 'LD_PRELOAD': str(LIBRARY), 'SETCLOCK': str(self.offset_file)}

    def set(self, seconds):
        self.shift = seconds
        with open(self.offset_file, 'r+b', buffering=0) as f:  # mapped by the server: never another file
            f.write(struct.pack('=q', seconds))

    def now(self):
        return time.time() + self.shift


@pytest.fixture
def server(request, tmp_path):
    with Shifted(tmp_path, conf={**CONF, **getattr(request, 'param', {})}, users={SENDER: 'secret', LOCAL: 'secret'}) as there:
        yield there


def at(text):
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=datetime.timezone.utc).timestamp()


def is_told_right(server, message, absence):
    """absence: up to so many seconds count that no server ran, once for each time."""
    lives = at(message['expires']) - server.now()
    return 5 * DAY - 2 * absence - 180 < lives < 5 * DAY + 5 and all(
        at(recipient['next_attempt']) < server.now() + 5 for recipient in message['recipients'])


def send(server, recipient, parameters=''):
    with Smtp(server) as client:
        client.hello()
        assert client.envelope(recipient, sender=SENDER, parameters=parameters).startswith('250')
        assert client.data(b'Subject: x\r\nX-Mark: 1\r\n\r\nbody\r\n')[0].startswith('250')


def log_in(server):
    with Imap(server) as client:
        assert client.login(LOCAL).startswith('OK')
        assert client.command('SELECT INBOX')[0].startswith('OK')


def test_the_library_sets_the_clock(server):
    server.set(400 * DAY)
    send(server, LOCAL)
    [path] = eventually(lambda: server.messages(LOCAL))
    assert abs(int(path.name.split('.')[0]) - server.now()) < 60
    year = time.gmtime(server.now()).tm_year
    assert f' {year} ' in next(line for line in path.read_text().splitlines() if line.startswith(('Received:', '\t')) and ':' in line and str(year) in line)


@pytest.mark.seconds(1800 if FULL else 120)
def test_every_message_ends_once(tmp_path):
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    with Moody(seed) as remote, Shifted(tmp_path, conf={**CONF, 'relayhost': remote.site},
                                        users={SENDER: 'secret', LOCAL: 'secret'}) as server:
        kills = 0
        with RelayLoad(server, 4, seed) as load:
            for step in range(STEPS):
                server.set(SET_TO[step] if step < len(SET_TO) else source.choice(SET_TO))
                remote.closed = source.random() < 0.3
                remote.trouble = source.choice((0, 0.02))
                if source.random() < 0.3:
                    kills += 1
                    server.wait_role('queue', server.kill_role('queue'), 20)
                log_in(server)
                time.sleep(source.uniform(0.2, 1))
            eventually(lambda: len(load.acknowledged) >= MESSAGES, 600)
        server.set(0)
        remote.closed, remote.trouble = False, 0
        eventually(lambda: not queued(server), 60, step=0.5)
        ends, twice = load.check(remote, (20 + REPORTS) * kills)
        names = [path.name for user in (SENDER, LOCAL) for path in server.messages(user)]
        assert len(set(names)) == len(names)
        print(f'relayed, bounced, delivered: {ends}; came again: {twice}; errors {dict(load.errors)}')
        assert all(ends)


@pytest.mark.parametrize('restart', ['runs', 'is restarted'])
@pytest.mark.parametrize('away', [6 * DAY, -6 * DAY])
def test_there_and_back(server, away, restart):
    """What waits before, meanwhile and afterwards leaves at once when the remote is back, and no notification was sent."""
    def step(seconds):
        if restart == 'is restarted':
            server.stop()
        server.set(seconds)
        if restart == 'is restarted':
            server.start()

    with Remote() as remote:
        port = remote.port
    server.write_conf({**CONF, 'relayhost': f'[127.0.0.1]:{port}', 'delay_warning_time': '4h'})
    server.reload()
    for seconds in (0, away, 0):
        step(seconds)
        send(server, f'u{seconds}@{REMOTE}')
        tries = [r['attempts'] for m in queued(server) for r in m['recipients']]
        eventually(lambda tries=tries: sum(r['attempts'] for m in queued(server) for r in m['recipients']) > sum(tries), SOON)
        eventually(lambda: all(is_told_right(server, message, 2 * HOUR if restart == 'is restarted' else 0) for message in queued(server)), SOON)
        assert server.malle('queue', 'retry', 'ALL').stdout
    with Remote(port=port) as remote:
        eventually(lambda: len(remote.messages) == 3 and not queued(server), SOON)
    assert not server.messages(SENDER)


@pytest.mark.parametrize('away', [6 * DAY, -6 * DAY])
def test_nobody_is_locked_out(server, away):
    """Sessions that are open work on; logging in, wrong passwords before, and resumed TLS sessions do as ever."""
    context = server.tls_context()
    with Imap(server) as old, Smtp(server) as smtp:
        assert old.login(LOCAL).startswith('OK')
        smtp.hello()
        for _ in range(3):
            with Imap(server) as client:
                assert client.login(LOCAL, 'wrong').startswith('NO')
        for seconds in (away, 0):
            with context.wrap_socket(server.connect('imaps')) as tls:
                tls.recv(100)
                session = tls.session
            server.set(seconds)
            with context.wrap_socket(server.connect('imaps'), session=session) as tls:
                assert tls.recv(100).startswith(b'* OK')
            log_in(server)
            assert old.command('SELECT INBOX')[0].startswith('OK')
            send(server, LOCAL)
            assert smtp.envelope(LOCAL).startswith('250')
            assert smtp.data(b'Subject: x\r\n\r\nbody\r\n')[0].startswith('250')
        assert old.command('NOOP')[1].count(b' EXISTS') == 1
    eventually(lambda: len(server.messages(LOCAL)) == 4)
