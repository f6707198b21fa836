"""smtpd_proxy_filter: a filter that has each message before its client is answered, and answers itself."""
import contextlib

import pytest

from harness import Server, eventually
from relay.conftest import SENDER
from relay.remote import KEYWORDS, Remote
from talk import Port, Smtp

DEMO, COPY, ALIAS = 'demo@malle.test', 'copy@malle.test', 'alias@malle.test'
BACK = '[listener back]\nprotocol = smtp\nport = 226\nsmtpd_proxy_filter =\nsmtpd_authorized_xforward_hosts = 127.0.0.1\n'
ORIGIN = 'XFORWARD NAME ADDR PROTO HELO PORT IDENT SOURCE'
AWAY = '451 4.3.0 Error: queue file write error'
MESSAGE = b'Subject: hello\r\n\r\n.dot\r\n' + 'ä\r\n'.encode()


@contextlib.contextmanager
def filtered(remote, **conf):
    conf = {'smtpd_proxy_filter': f'inet:127.0.0.1:{remote.port}', 'virtual_alias_maps': f'inline:{{ {{{ALIAS}={DEMO}}} }}', 'smtpd_proxy_timeout': '2s',
            'mynetworks': '127.0.0.0/8', **conf}
    with Server(conf=conf, sections=BACK, users={DEMO: 'demo', COPY: 'copy'}) as server:
        yield server


@pytest.fixture(scope='module')
def remote():
    with Remote(keywords=(*KEYWORDS, ORIGIN)) as it:
        yield it


@pytest.fixture(scope='module')
def server(remote):
    with filtered(remote) as it:
        yield it


@pytest.fixture(autouse=True)
def forget(remote):
    remote.rules, remote.messages, remote.origins = [], [], []


def behind(server):
    return Port(226 + server.offset)


def send(server, *recipients, listener='smtp', content=MESSAGE, parameters=''):
    with Smtp(server, listener) as client:
        client.hello()
        assert client.envelope(*recipients or (DEMO,), sender=SENDER, parameters=parameters).startswith('250')
        reply = client.data(content)[0]
        assert client.command('NOOP').startswith('250')
        return reply


def test_its_words(server, remote):
    """It gets the message with our Received, to those whom the client named, and the client its reply."""
    remote.answer('DOT', '250 2.6.0 Ok: it passed as 42')
    assert send(server, ALIAS, DEMO, parameters=' BODY=8BITMIME') == '250 2.6.0 Ok: it passed as 42'
    (message,) = remote.messages
    assert message.sender == SENDER and message.recipients == (ALIAS, DEMO) and 'BODY=8BITMIME' in message.parameters[0]
    head, _, body = message.content.partition(b'\r\n\r\n')
    assert head.startswith(b'Received: from client.example') and head.endswith(b'\r\nSubject: hello') and b'Delivered-To' not in head
    assert body == MESSAGE.partition(b'\r\n\r\n')[2]
    (origin,) = remote.origins
    assert origin.startswith('XFORWARD NAME=localhost ADDR=127.0.0.1 PORT=') and ' PROTO=ESMTP HELO=client.example IDENT=' in origin
    assert origin.endswith(' SOURCE=REMOTE')
    line = server.wait_log('proxy-accept: END-OF-MESSAGE: 250 2.6.0 Ok: it passed as 42;')
    assert line.endswith(f' from=<{SENDER}> proto=ESMTP helo=<client.example>')
    assert not server.messages(DEMO)


@pytest.mark.parametrize('verb, said', [
    ('DOT', '554 5.7.1 it is spam'), ('DOT', '452 4.3.1 no room'), ('MAIL', '550 5.1.8 not you'), ('RCPT', '550 5.7.1 not him'),
    ('RCPT', '450 4.7.1 greylisted'), ('DATA', '451 4.3.2 not now'), ('DOT', '550 no enhanced code')])
def test_its_refusals(server, remote, verb, said):
    """Also of one of two recipients: the message goes to both or to nobody."""
    remote.answer(verb, said, match='demo' if verb == 'RCPT' else '')
    expected = said if said[4].isdigit() else '550 5.0.0 no enhanced code'
    assert send(server, ALIAS, DEMO) == expected
    assert not remote.messages
    server.wait_log(f'proxy-reject: END-OF-MESSAGE: {expected};')


@pytest.mark.parametrize('trouble', ['absent', 'CONNECT', 'EHLO', 'MAIL', 'DATA', 'BODY', 'DOT', '421', 'silent', 'refuses us'])
def test_when_it_is_away(remote, server, trouble):
    """The client comes again; what the filter says to us alone is not said to him."""
    if trouble == 'silent':
        remote.hang('DOT', 4, times=1)
    elif trouble == '421':
        remote.answer('DOT', '421 4.3.2 closing', times=1)
    elif trouble == 'refuses us':
        remote.answer('CONNECT', '554 5.7.1 go away', times=1)
    elif trouble != 'absent':
        remote.drop(trouble, times=1)
    if trouble == 'absent':
        with filtered(remote, smtpd_proxy_filter='inet:127.0.0.1:9') as other:
            assert send(other) == AWAY
            other.wait_log('connect to proxy filter inet:127.0.0.1:9: ')
    else:
        assert send(server) == AWAY
        assert send(server).startswith('250')


def test_large(server, remote):
    """What is too large for memory comes from the spool."""
    content = b'Subject: large\r\n\r\n' + b'\r\n'.join([b'0123456789' * 7] * 30000) + b'\r\n'
    assert send(server, content=content).startswith('250')
    assert remote.messages[0].content.endswith(content)


def test_what_it_hands_back(server, remote):
    """Tables and copies are asked behind it alone; whoever it was is in the log there, too."""
    conf = {'always_bcc': COPY, 'header_checks': 'inline:{ {Subject: hello = PREPEND X-Seen: once} }'}
    with filtered(remote, **conf) as other:
        assert send(other, ALIAS).startswith('250')
        assert remote.messages[0].recipients == (ALIAS,) and b'X-Seen' not in remote.messages[0].content
        with Smtp(behind(other)) as client:
            client.hello()
            assert client.command(remote.origins[0]).startswith('250')
            assert client.envelope(ALIAS, sender=SENDER).startswith('250')
            client.data(remote.messages[0].content)
        for address in (DEMO, COPY):
            (message,) = eventually(lambda address=address: other.messages(address))
            assert message.read_bytes().count(b'X-Seen: once') == 1
        other.wait_log(', orig_client=localhost[127.0.0.1]')


def test_extensions(server):
    """What it may not know is not offered."""
    with Smtp(server) as filtered_client, Smtp(behind(server)) as client:
        client.send('EHLO x\r\n')
        filtered_client.send('EHLO x\r\n')
        offers = [set(), set()]
        for said, connection in zip(offers, (filtered_client, client)):
            while (line := connection.line())[3] == '-':
                said.add(line[4:].split()[0])
            said.add(line[4:].split()[0])
        assert {'BINARYMIME', 'DELIVERBY', 'MT-PRIORITY'} <= offers[1] and not {'BINARYMIME', 'DELIVERBY', 'MT-PRIORITY'} & offers[0]
        assert {'8BITMIME', 'DSN', 'SMTPUTF8', 'SIZE'} <= offers[0]


def test_over_a_socket(tmp_path):
    tmp_path.chmod(0o755)
    with Remote(path=tmp_path / 'filter') as there:
        (tmp_path / 'filter').chmod(0o777)
        with Server(conf={'smtpd_proxy_filter': f'unix:{tmp_path}/filter'}) as server:
            assert send(server).startswith('250')
            assert len(there.messages) == 1 and not server.messages(DEMO)


@pytest.mark.parametrize('value', ['127.0.0.1:10025', 'unix:relative', 'inet:host', 'smtp:host:25'])
def test_wrong_settings(value):
    server = Server(users={}, start=False)
    try:
        done = server.malle('--set', f'smtpd_proxy_filter={value}', 'check', check=False)
        assert done.returncode == 1 and 'smtpd_proxy_filter' in done.stderr
    finally:
        server.discard()
