"""The disk fails: reads, writes and syncs of files end with EIO now and then (faildisk.c), under load that goes to mailboxes here and to
another server. What was acknowledged is not lost, and a message comes again only where what became of it could not be written down."""
import random
import time

import pytest

from faults.bad_disk import BadDisk
from faults.relay_load import LOCAL, SENDER, Moody, RelayLoad, queued
from harness import FULL, eventually

CONF = {'smtpd_client_connection_count_limit': 1000, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms',
        'mynetworks': '127.0.0.0/8', 'smtp_destination_concurrency_limit': 10}
SPELLS, MESSAGES, FAULTS = (100, 10000, 1000) if FULL else (8, 400, 30)
CLIENTS = 4


@pytest.mark.seconds(1800 if FULL else 200)
def test_every_message_ends_once():
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    with Moody(seed) as remote, BadDisk(conf={**CONF, 'relayhost': remote.site}, users={SENDER: 'secret', LOCAL: 'secret'}) as server:
        with RelayLoad(server, CLIENTS, seed) as load:
            for _ in range(SPELLS):
                remote.closed = source.random() < 0.3  # so that mail waits, too
                server.set(source.choice((5000, 50000, 300000)))
                time.sleep(source.uniform(0.2, 0.8))
                server.set(0)
                time.sleep(source.uniform(0.1, 0.4))
            eventually(lambda: len(load.acknowledged) >= MESSAGES, 600)
        remote.closed = False
        eventually(lambda: not queued(server), 120, step=1)
        ends, twice = load.check(remote, server.failed())
        print(f'acknowledged {len(load.acknowledged)}; relayed, bounced, delivered: {ends}; came again: {twice}; '
              f'calls that failed: {server.failed()}; errors {dict(load.errors)}')
        assert all(ends) and server.failed() > FAULTS
        assert not [error for error in load.errors if error.startswith('5')], 'mail was refused for good'
