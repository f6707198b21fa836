"""The disk fails: reads, writes and syncs of files end with EIO now and then (faildisk.c), under load that goes to mailboxes here and to
another server. What was acknowledged is not lost, and a message comes again only where what became of it could not be written down."""
import random
import struct
import time

import pytest

from faults.relay_load import LOCAL, SENDER, Moody, RelayLoad, queued
from harness import FULL, MALLE, Server, eventually

LIBRARY = MALLE.parent / 'tests/libfaildisk.so'
CONF = {'smtpd_client_connection_count_limit': 1000, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms',
        'mynetworks': '127.0.0.0/8', 'smtp_destination_concurrency_limit': 10}
SPELLS, MESSAGES, FAULTS = (100, 10000, 1000) if FULL else (8, 400, 30)
CLIENTS = 4


class Failing(Server):
    """A server whose disk fails as often as set() says."""

    def __init__(self, **options):
        self.orders = None
        super().__init__(start=False, **options)
        self.orders = self.dir / 'faildisk'
        self.orders.write_bytes(struct.pack('=QQ', 0, 0))
        self.orders.chmod(0o666)  # each role counts what failed
        self.start()

    def environment(self, leaks):
        env = Server.environment(leaks)
        env['ASAN_OPTIONS'] += ':verify_asan_link_order=0'
        return {**env, 'LD_PRELOAD': str(LIBRARY), 'FAILDISK': str(self.orders)} if self.orders else env

    def set(self, millionth):
        with open(self.orders, 'r+b', buffering=0) as f:  # mapped by the server: never another file
            f.write(struct.pack('=Q', millionth))

    def failed(self):
        return struct.unpack('=QQ', self.orders.read_bytes())[1]


@pytest.mark.seconds(1800 if FULL else 200)
def test_every_message_ends_once():
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    with Moody(seed) as remote, Failing(conf={**CONF, 'relayhost': remote.site}, users={SENDER: 'secret', LOCAL: 'secret'}) as server:
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
