"""The disk of the queue is full: further mail is refused for now, what was acknowledged is delivered, mailboxes here are not touched."""
import os
import random
import subprocess

import pytest

from faults.load import body, message, parse
from faults.relay_load import LOCAL, SENDER, Moody, queued
from harness import Server, eventually
from talk import Smtp

DISK_MB = 24
CONF = {'queue_minfree': '4M', 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', 'mynetworks': '127.0.0.0/8'}


@pytest.fixture
def world():
    """(server, remote) with the spool on a small file system."""
    if os.geteuid() != 0 or not os.path.exists('/dev/loop-control'):
        pytest.skip('mounting needs root and loop devices')
    with Moody(0) as remote, Server(conf={**CONF, 'relayhost': remote.site}, users={SENDER: 'secret', LOCAL: 'secret'},
                                    start=False) as server:
        image, spool = server.dir / 'image', server.dir / 'state/spool'
        spool.mkdir(parents=True, exist_ok=True)
        with open(image, 'wb') as disk:
            disk.truncate(DISK_MB << 20)
        subprocess.run(['mkfs.ext4', '-q', '-m', '0', image], check=True)
        subprocess.run(['mount', '-o', 'loop', image, spool], check=True)
        try:
            server.start()
            yield server, remote
        finally:
            server.kill()
            subprocess.run(['umount', '-l', spool], check=True)


def submit(server, recipient, mark, size):
    """The reply to the end of data."""
    with Smtp(server) as client:
        client.hello()
        assert client.envelope(recipient, sender=SENDER).startswith('250')
        return client.data(message(mark, body(random.Random(mark), size)))[0]


@pytest.mark.parametrize('size', [100_000, 2_000_000], ids=['in the database', 'in spool files'])
def test_full_and_mended(world, size):
    server, remote = world
    remote.closed = True
    kept, refused = [], 0
    for mark in range(1, 600):
        reply = submit(server, f'u{mark}@remote.example', mark, size)
        if reply.startswith('250'):
            kept.append(mark)
            assert not refused, 'it is not full after all'
        else:
            assert reply.startswith(('451 4.3.0', '452 4.3.1')), reply
            refused += 1
            if refused == 3:
                break
    assert refused == 3 and len(kept) > 3
    assert submit(server, LOCAL, 1000, 50_000).startswith('250')
    assert parse(eventually(lambda: server.messages(LOCAL))[0]) == (1000, True)
    assert len(queued(server)) == len(kept)  # the administrator can look

    remote.closed = False
    eventually(lambda: not queued(server), 60, step=0.3)
    assert sorted(mark for mark, _ in remote.taken()) == kept and set(remote.taken().values()) == {1}
    eventually(lambda: submit(server, 'later@remote.example', 2000, size).startswith('250'), 10, step=0.3)
    eventually(lambda: (2000, 'later@remote.example') in remote.taken(), 20)
