"""Mail to and from Postfix, Exim and OpenSMTPD over STARTTLS: whole and encrypted."""
import contextlib
import email
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import DOMAIN, PEERS, running  # noqa: E402
from ports import PORTS, free_offset  # noqa: E402
from talk import Port, Smtp  # noqa: E402

JOE = 'joe@malle.test'
TEXTS = {
    'short': b'Subject: short\r\nMessage-ID: <short@malle.test>\r\n\r\nhello\r\n',
    'dots': b'Subject: dots\r\nMessage-ID: <dots@malle.test>\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n',
    'utf8': 'Subject: utf8\r\nMessage-ID: <utf8@malle.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
            'Content-Transfer-Encoding: 8bit\r\n\r\né à ü — 日本\r\n'.encode(),
    'large': b'Subject: large\r\nMessage-ID: <large@malle.test>\r\n\r\n' + b'0123456789 abcdefghij 0123456789\r\n' * 60000,
}


@pytest.fixture(scope='module', params=PEERS, ids=lambda kind: kind.name)
def pair(request):
    """(malle, a peer), each the other's way out."""
    offset = free_offset()
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(running(request.param, PORTS['smtp'] + offset))
        conf = {'port_offset': offset, 'relayhost': f'[127.0.0.1]:{peer.port}', 
                'smtp_tls_security_level': 'encrypt' if peer.takes_tls else 'none',
                'mynetworks': '127.0.0.0/8', 'minimal_backoff_time': '1s', 'maximal_backoff_time': '1s'}
        server = stack.enter_context(Server(conf=conf, users={JOE: 'joes'}))
        server.offset = offset
        yield server, peer


def body(path):
    return path.read_bytes().replace(b'\r\n', b'\n').partition(b'\n\n')[2]


def find(messages, content):
    subject = email.message_from_bytes(content)['Subject']
    return [path for path in messages if email.message_from_bytes(path.read_bytes())['Subject'] == subject]


def deliver(port, sender, recipient, content, parameters=''):
    with Smtp(Port(port)) as client:
        client.hello()
        assert client.envelope(recipient, sender=sender, parameters=parameters).startswith('250')
        reply = client.data(content)[0]
        assert reply.startswith('250'), reply


@pytest.mark.parametrize('name', TEXTS)
def test_to_the_peer(pair, name):
    server, peer = pair
    parameters = ' BODY=8BITMIME' if name == 'utf8' else ''
    deliver(server.port('smtp'), JOE, f'someone@{DOMAIN}', TEXTS[name], parameters)
    [path] = eventually(lambda: find(peer.messages(), TEXTS[name]), 30)
    assert body(path) == TEXTS[name].replace(b'\r\n', b'\n').partition(b'\n\n')[2]
    received = email.message_from_bytes(path.read_bytes()).get_all('Received')[0]
    assert 'mail.malle.test' in received and ('ESMTPS' in received.upper()) == peer.takes_tls, received


@pytest.mark.parametrize('name', TEXTS)
def test_from_the_peer(pair, name):
    server, peer = pair
    parameters = ' BODY=8BITMIME' if name == 'utf8' else ''
    deliver(peer.port, f'someone@{DOMAIN}', JOE, TEXTS[name], parameters)
    [path] = eventually(lambda: find(server.messages(JOE), TEXTS[name]), 30)
    assert body(path) == TEXTS[name].replace(b'\r\n', b'\n').partition(b'\n\n')[2]
    message = email.message_from_bytes(path.read_bytes())
    assert 'with ESMTPS' in message.get_all('Received')[0].replace('\n', ' ')


def test_refused_by_malle(pair):
    """The peer tells its sender what malle said."""
    server, peer = pair
    deliver(peer.port, f'someone@{DOMAIN}', 'nobody@malle.test', b'Subject: to nobody\r\n\r\nx\r\n')

    def bounce():
        return [p for p in peer.messages() if b'nobody@malle.test' in p.read_bytes() and b'5.1.1' in p.read_bytes()]
    eventually(bounce, 30)
