"""kill -9 of any role while mail leaves for a remote that misbehaves: every message ends in exactly one way."""
import random
import threading
import time

import pytest

from faults.bad_disk import BadDisk
from faults.load import message
from faults.relay_load import LOCAL, SENDER, Moody, RelayLoad, queued
from faults.test_kill import EVERYTHING, kill_one
from harness import FULL, eventually
from talk import Smtp

CONF = {'smtpd_client_connection_count_limit': 1000, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms',
        'mynetworks': '127.0.0.0/8', 'smtp_destination_concurrency_limit': 10}
ROLES = ('smtp', 'queue', 'smtpd', 'smtp', 'deliver', 'queue', 'mailbox', 'auth', EVERYTHING)
KILLS, MESSAGES = (150, 10000) if FULL else (9, 1200)
CLIENTS = 4


def test_nothing_leaves_before_it_lasts():
    """While the disk syncs what was accepted, it is not sent: if the server were killed now, the client would come again. The
    notification of a failure does not wait for long either."""
    with Moody(1) as remote, BadDisk(conf={**CONF, 'relayhost': remote.site}, users={SENDER: 'secret'}) as server:
        remote.trouble = 0
        server.set(sync_us=2000000)
        with Smtp(server) as client:
            client.hello()
            for i, recipient in enumerate(('u1@remote.example', 'bad1@remote.example')):
                assert client.envelope(recipient, sender=SENDER).startswith('250')
                sending = threading.Thread(target=client.data, args=(message(i, 'x'),))
                sending.start()
                eventually(lambda i=i: server.log().count('(queue active)') == i + 1)
                time.sleep(0.5)
                assert sending.is_alive() and server.log().count('status=') == i
                sending.join()
                eventually(lambda i=i: server.log().count('status=') == i + 1)
        server.set()
        eventually(lambda: len(server.messages(SENDER)) == 1)
        assert sum(remote.taken().values()) == 1


def moods(server, remote, source):
    """Half of the time the remote turns everybody away, or is fine, or makes trouble; the disk is busy or not."""
    remote.closed = source.random() < 0.2
    remote.trouble = source.choice((0, 0.01, 0.1))
    server.set(sync_us=source.choice((0, 0, 10000, 100000)))


@pytest.mark.seconds(1800 if FULL else 240)
def test_every_message_ends_once():
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    with Moody(seed) as remote, BadDisk(conf={**CONF, 'relayhost': remote.site}, users={SENDER: 'secret', LOCAL: 'secret'}) as server:
        with RelayLoad(server, CLIENTS, seed) as load:
            for target in source.sample(ROLES * (KILLS // len(ROLES) + 1), KILLS):
                time.sleep(source.uniform(0.05, 0.8))
                moods(server, remote, source)
                eventually(lambda target=target: kill_one(server, target), 20)
            eventually(lambda: len(load.acknowledged) >= MESSAGES, 600)
        remote.closed, remote.trouble = False, 0
        server.set()
        eventually(lambda: not queued(server), 300, step=1)
        kills_of_senders = 2 * KILLS // 3 * CONF['smtp_destination_concurrency_limit']
        ends, twice = load.check(remote, kills_of_senders)
        print(f'acknowledged {len(load.acknowledged)}; relayed, bounced, delivered: {ends}; came again: {twice}; '
              f'replies lost by the remote: {remote.lost_replies}; errors {dict(load.errors)}')
        assert all(ends)
