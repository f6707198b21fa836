"""A server whose disk fails now and then, or is slow (faildisk.c)."""
import struct

from harness import MALLE, Server

LIBRARY = MALLE.parent / 'tests/libfaildisk.so'


class BadDisk(Server):
    """A server whose disk is as bad as set() says."""

    def __init__(self, **options):
        self.orders = None
        super().__init__(start=False, **options)
        self.orders = self.dir / 'faildisk'
        self.orders.write_bytes(struct.pack('=QQQ', 0, 0, 0))
        self.orders.chmod(0o666)  # each role counts what failed
        self.start()

    def environment(self, leaks):
        env = Server.environment(leaks)
        env['ASAN_OPTIONS'] += ':verify_asan_link_order=0'
        return {**env, 'LD_PRELOAD': str(LIBRARY), 'FAILDISK': str(self.orders)} if self.orders else env

    def set(self, failing=0, sync_us=0):
        """failing: so many calls in a million; sync_us: what a sync takes longer, in microseconds."""
        with open(self.orders, 'r+b', buffering=0) as f:  # mapped by the server: never another file
            f.write(struct.pack('=QQ', failing, sync_us))

    def failed(self):
        return struct.unpack('=QQQ', self.orders.read_bytes())[2]
