"""The power fails at any moment under load: nothing acknowledged is lost, nothing is there in part or twice.

All mail, the queue and the other state lie on a real file system, on a loop device, on a disk with a volatile cache that a small FUSE program plays (cutdisk.c). When
its power is cut, of each block that was not flushed a version of chance is kept. Everything of malle is killed, the file system is
mounted anew, and malle starts in what it takes for another boot of the machine.
"""
import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from faults.load import Load
from faults.relay_load import LOCAL, SENDER, Moody, RelayLoad, queued
from harness import FULL, MALLE, Server, eventually

USERS = {f'user{i}@malle.test': 'secret' for i in range(1, 6)}
CONF = {'smtpd_client_connection_count_limit': 1000, 'login_client_limit': 1000, 'mail_max_userip_connections': 100,
        'mynetworks': '127.0.0.0/8', 'smtp_destination_concurrency_limit': 10,
        'minimal_backoff_time': '2s', 'maximal_backoff_time': '5s'}
CUTDISK = MALLE.parent / 'tests/cutdisk'
CLIENTS = ('smtp', 'smtp', 'smtp', 'smtp', 'bdat', 'lmtp', 'lmtp')
RELAY_CLIENTS = 2
CUTS = 100 if FULL else 10
DISK_MB = 16384  # of a file with holes
BOOT_ID = '/proc/sys/kernel/random/boot_id'


def run(*command, check=True):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, f'{command}: {done.stderr}{done.stdout}'
    return done.stdout.strip()


@contextlib.contextmanager
def own_mounts():
    """What this thread and its children mount is theirs alone: a namespace that others make meanwhile would keep the disk."""
    libc = ctypes.CDLL(None, use_errno=True)
    newns, fs, folder = 0x20000, 0x200, os.getcwd()
    before = os.open('/proc/thread-self/ns/mnt', os.O_RDONLY | os.O_CLOEXEC)
    assert libc.unshare(newns) == 0, os.strerror(ctypes.get_errno())
    try:
        run('mount', '--make-rprivate', '/')
        yield
    finally:
        # threads that were started in between share what setns changes
        assert libc.unshare(fs) == 0 and libc.setns(before, newns) == 0, os.strerror(ctypes.get_errno())
        os.close(before)
        os.chdir(folder)


def why_not():
    """What this machine lacks, or None."""
    if os.geteuid() != 0:
        return 'needs root'
    if not CUTDISK.exists():
        return 'cutdisk was not built: libfuse3-dev is missing'
    for path in ('/dev/fuse', '/dev/loop-control'):
        if not os.path.exists(path):
            return f'there is no {path}'
    return next((f'there is no {tool}' for tool in ('mkfs.ext4', 'losetup', 'unshare') if not shutil.which(tool)), None)


class Disk:
    """A disk whose power can be cut, with ext4 on it; its folders stand as `parts` in `folder`."""

    def __init__(self, folder, parts, source):
        self.image, self.fuse, self.where, self.source = folder / 'image', folder / 'fuse', folder / 'disk', source
        self.parts = [folder / name for name in parts]
        self.process = self.loop = None
        for path in (self.fuse, self.where, *self.parts):
            path.mkdir(exist_ok=True)
        with open(self.image, 'wb') as image:
            image.truncate(DISK_MB << 20)
        self.attach()
        run('mkfs.ext4', '-q', '-E', 'nodiscard', self.loop)
        run('mount', self.loop, self.where)
        for part in self.parts:
            (self.where / part.name).mkdir()
        run('umount', self.where)
        self.mount()

    def mount(self):
        run('mount', self.loop, self.where)
        for part in self.parts:
            run('mount', '--bind', self.where / part.name, part)

    def attach(self):
        self.process = subprocess.Popen([CUTDISK, self.image, str(self.source.randrange(1 << 31)), self.fuse],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(self.fuse / 'disk'), 10)
        self.loop = run('losetup', '-f', '--show', self.fuse / 'disk')

    def on(self):
        self.attach()
        self.mount()

    def cut(self):
        self.process.send_signal(signal.SIGUSR1)

    def off(self):
        """Takes it apart after the power was cut, and whoever used it killed."""
        for path in (*self.parts, self.where):
            eventually(lambda path=path: run('umount', path, check=False) == '' and not os.path.ismount(path), 20)
        run('losetup', '-d', self.loop)
        self.loop = None
        eventually(lambda: run('umount', self.fuse, check=False) == '' and not os.path.ismount(self.fuse), 20)
        self.process.terminate()
        self.process.wait(60)

    def discard(self):
        for path in (*self.parts, self.where, self.fuse):
            run('umount', '-l', path, check=False)
        if self.loop:
            run('losetup', '-d', self.loop, check=False)
        self.process.kill()
        self.process.wait(60)


def new_boot(server):
    """From here on the server sees another boot id than before."""
    (server.dir / 'boot_id').write_text(f'{uuid.uuid4()}\n')
    server.prefix = ['unshare', '-m', 'sh', '-c', f'mount --bind {server.dir}/boot_id {BOOT_ID} && exec "$@"', 'sh']


def cut_power(server, disk, source):
    """Either the disk or the processes end a moment before the other; or the disk fails (EIO) and the server goes on for a while."""
    steps = [disk.cut, server.kill]
    if source.random() < 0.3:
        steps.reverse()
    steps[0]()
    time.sleep(source.choice((0, 0, 0.5)))
    steps[1]()
    disk.off()
    disk.on()
    new_boot(server)
    server.start()


@pytest.fixture
def world():
    """(server, disk, remote, source of chance)"""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    seed = random.randrange(1 << 32)
    print(f'seed {seed}')
    source = random.Random(seed)
    disk = None
    with own_mounts(), Moody(seed) as remote, Server(conf={**CONF, 'relayhost': remote.site}, users={}, start=False) as server:
        try:
            disk = Disk(server.dir, ('mail', 'state'), source)
            shutil.chown(server.dir / 'mail', 'vmail', 'vmail')
            for user in (*USERS, SENDER, LOCAL):
                server.malle('user', 'add', user, input='secret\n')
            new_boot(server)
            server.start()
            yield server, disk, remote, source
            server.stop()
        finally:
            server.kill()
            print('--- log of malle ---', *server.lines[-200:], sep='\n')
            if disk:
                disk.discard()


@pytest.mark.seconds(3000 if FULL else 500)
def test_power_cuts(world):
    server, disk, remote, source = world
    seed = source.randrange(1 << 30)
    with Load(server, USERS, CLIENTS, seed) as load, RelayLoad(server, RELAY_CLIENTS, seed) as relayed:
        for _ in range(CUTS):
            before, relayed_before = len(load.acknowledged), len(relayed.acknowledged)
            eventually(lambda: len(load.acknowledged) > before + 20 and len(relayed.acknowledged) > relayed_before + 10, 30)
            time.sleep(source.uniform(0, 2.5))
            cut_power(server, disk, source)
        load.stop()
        relayed.stop()
        eventually(lambda: not queued(server), 200, step=0.3)
        found = load.check()
        ends, twice = relayed.check(remote, CUTS * int(CONF['smtp_destination_concurrency_limit']))
        print(f'acknowledged for elsewhere {len(relayed.acknowledged)}; relayed, bounced, delivered: {ends}; came again: {twice}')
        assert all(ends)
    again = sum('written again' in line for line in server.lines)
    print(f'{found} messages, acknowledged {dict(load.counts)}, errors {dict(load.errors)}, {again} written again')
    assert all(load.counts[kind] for kind in CLIENTS)
    assert again > 0, 'the journal was never needed'
