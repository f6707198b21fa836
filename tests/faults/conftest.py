"""A server of limits that tests can reach, and an onlooker who must not notice what they do."""
import contextlib

import pytest

from harness import Server
from talk import Imap, Smtp

LIMIT = 65536
VICTIM, ONLOOKER = 'victim@malle.test', 'onlooker@malle.test'
ELSEWHERE = '127.0.0.2'  # the onlooker's address, so that limits per address do not meet it


@pytest.fixture(scope='module')
def server():
    conf = {'message_size_limit': LIMIT, 'header_count_limit': 1000}
    with Server(conf=conf, users={VICTIM: 'secret', ONLOOKER: 'secret'}) as it:
        yield it


@contextlib.contextmanager
def onlooker_of(server):
    """Sessions that were open before work on after the block; no role died; mail is still taken and read."""
    restarts = [role['restarts'] for role in server.status()['roles']]
    with Smtp(server, source=ELSEWHERE) as smtp, Imap(server, source=ELSEWHERE) as imap:
        assert smtp.hello().startswith('250')
        assert imap.login(ONLOOKER).startswith('OK')
        assert imap.command('SELECT INBOX')[0].startswith('OK')
        yield
        assert smtp.envelope(ONLOOKER).startswith('250')
        assert smtp.data(b'Subject: still here\r\n\r\nbody\r\n')[0].startswith('250')
        reply, before = imap.command('NOOP')
        assert reply.startswith('OK') and b' EXISTS' in before
        with Imap(server, source=ELSEWHERE) as fresh:
            assert fresh.login(ONLOOKER).startswith('OK')
    now = server.status()
    assert now['ready'] and [role['restarts'] for role in now['roles']] == restarts


@pytest.fixture
def onlooker(server):
    with onlooker_of(server):
        yield
