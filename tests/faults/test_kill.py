"""kill -9 of any role at any moment under load: nothing acknowledged is lost, nothing comes twice, the role is back."""
import contextlib
import os
import pathlib
import random
import re
import signal
import time

import pytest

from faults.load import Load
from faults.relay_load import queued
from harness import FULL, MALLE, Server, eventually
from talk import Imap, Smtp

USERS = {f'user{i}@malle.test': 'secret' for i in range(1, 6)}
LIMITS = {'smtpd_client_connection_count_limit': 1000, 'login_client_limit': 1000, 'mail_max_userip_connections': 100}
BACKOFF = {'minimal_backoff_time': '300ms', 'maximal_backoff_time': '1s'}  # what was deferred when deliver ended is not waited for
ROLES = ('deliver', 'smtpd', 'auth', 'mailbox', 'queue', 'login', 'imap')  # mailbox ends deliver, so it comes later
EVERYTHING = 'everything'  # the master and all roles at once, as a power cut ends them
KILLS = 500 if FULL else 40
CLIENTS = ('smtp', 'smtp', 'smtp', 'bdat', 'lmtp', 'lmtp', 'append', 'append', 'multiappend')
BACK_SECONDS = 3.0 if 'tsan' in str(MALLE) else 1.0


def sessions_without_mailbox(server, protocol):
    """Those that outlived the mailbox process that started them: it knew their ids, its successor does not."""
    pids = []
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            title = (folder / 'cmdline').read_bytes()
            if title.startswith(f'malle: {protocol} '.encode()) and (folder / 'root').readlink().is_relative_to(server.dir):
                pids.append(int(folder.name))
    return pids


def kill_one(server, target):
    """False when no process of that name runs at this moment."""
    if target == EVERYTHING:
        server.kill()
        server.start()
        return True
    pids = server.role_pids(target) or sessions_without_mailbox(server, target)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pids)


@pytest.mark.seconds(1800 if FULL else 240)
def test_nothing_acknowledged_is_lost():
    """40 kills here, 500 in ./test full; each role in turn, in an order and at moments of chance."""
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    targets = (*ROLES, EVERYTHING) * (KILLS // len(ROLES))
    with Server(conf=LIMITS | BACKOFF, users=USERS) as server, Load(server, USERS, CLIENTS, seed) as load:
        for target in source.sample(targets, KILLS):
            time.sleep(source.uniform(0.05, 0.6))
            eventually(lambda target=target: kill_one(server, target), 20)
        before = len(load.acknowledged)
        eventually(lambda: len(load.acknowledged) > before + 20, 30)  # it serves again
        load.stop()
        eventually(lambda: not queued(server), 60, step=0.3)
        found = load.check()
        print(f'{found} messages, acknowledged {dict(load.counts)}, errors {dict(load.errors)}')
        assert all(load.counts[kind] for kind in CLIENTS)


def send(server, listener='smtp'):
    with Smtp(server, listener) as client:
        client.hello()
        reply = client.envelope('user1@malle.test')
        return client.data(b'Subject: alive\r\n\r\nbody\r\n')[0] if reply.startswith('250') else reply


def is_served(server):
    """True when mail goes in by SMTP and LMTP and is read by IMAP."""
    try:
        if not all(send(server, listener).startswith('250') for listener in ('smtp', 'lmtp')):
            return False
        with Imap(server) as client:
            return client.login('user1@malle.test').startswith('OK') and client.command('SELECT INBOX')[0].startswith('OK')
    except OSError:
        return False


@pytest.fixture(scope='module')
def quiet():
    """A server without load, whose roles have run for so long that one which is killed is started again at once."""
    with Server(conf=LIMITS, users=USERS) as server:
        assert is_served(server)  # deliver runs from here on
        time.sleep(2.1)
        yield server


def assert_logged(server, first, role, pid):
    name = 'session' if role == 'imap' else role
    logged = re.compile(rf'{name}\b.*\b{pid}\b.*signal 9')
    eventually(lambda: any(logged.search(line) for line in server.lines[first:]), 2)


@pytest.mark.parametrize('role', [r for r in ROLES if r != 'imap'])
def test_back_within_a_second(quiet, role):
    """The crash is logged with its signal, and everything is served again."""
    assert is_served(quiet)
    first = len(quiet.lines)
    pids = quiet.kill_role(role)
    begin = time.monotonic()
    eventually(lambda: is_served(quiet), timeout=BACK_SECONDS, step=0.01)
    print(f'{role}: served again after {time.monotonic() - begin:.2f} s')
    for pid in pids:
        assert_logged(quiet, first, role, pid)


@pytest.mark.parametrize('role', [*ROLES, 'submission'])
def test_idle_session_survives_or_ends(quiet, role):
    """An IMAP session in IDLE goes on, or its client is told or disconnected: it never waits for ever."""
    eventually(lambda: is_served(quiet))
    with Imap(quiet, timeout=5) as client:
        assert client.login('user2@malle.test').startswith('OK')
        assert client.command('SELECT INBOX')[0].startswith('OK')
        client.send('i IDLE\r\n')
        assert client.line().startswith('+')
        first = len(quiet.lines)
        pid = quiet.kill_role(role)[0]
        try:
            client.send('DONE\r\n')
            lines = [client.line()]
            while not lines[-1].startswith(('i OK', '* BYE')):
                lines.append(client.line())
        except TimeoutError:
            pytest.fail('the session hangs')
        except ConnectionError:
            assert role in ('login', 'mailbox', 'imap'), f'the session ended without a word when {role} was killed'
        else:
            print(role, lines)
    assert_logged(quiet, first, role, pid)
    eventually(lambda: is_served(quiet))
