"""A server that relays to a Remote, and a user who sends."""
import contextlib
import json
import pathlib
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server  # noqa: E402
from remote import Remote  # noqa: E402
from talk import Smtp  # noqa: E402

SENDER, OTHER = 'sender@malle.test', 'other@malle.test'
QUICK = {'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', 'smtp_connect_timeout': '5s', 'mynetworks': '127.0.0.0/8'}


@contextlib.contextmanager
def relaying(remote, sections='', **conf):
    with Server(conf={**QUICK, 'relayhost': remote.site, **conf}, users={SENDER: 'secret', OTHER: 'secret'}, sections=sections) as server:
        yield server


@pytest.fixture
def remote():
    with Remote() as it:
        yield it


@pytest.fixture
def server(remote):
    with relaying(remote) as it:
        yield it


def send(server, *recipients, content=b'Subject: hello\r\n\r\nbody\r\n', sender=SENDER, parameters=''):
    """The reply to the end of data; 127.0.0.1 may relay."""
    with Smtp(server) as client:
        client.hello()
        reply = client.envelope(*recipients, sender=sender, parameters=parameters)
        assert reply.startswith('250'), reply
        return client.data(content)[0]


def queue_is_empty(server):
    """Nothing is left in the queue, nor was in transit a moment ago."""
    return not json.loads(server.malle('queue', 'list', '--json').stdout or '[]')


def certificate(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                    '/CN=relay.example', '-addext', 'subjectAltName=DNS:relay.example', '-keyout', folder / 'key', '-out', folder / 'cert'],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'cert', folder / 'key')
    return context
