"""What a client asks for in MAIL and the header holds on the way to the next hop."""
import base64
import contextlib
import email
import itertools
import json
import re
import time

import pytest

from harness import eventually
from relay.conftest import OTHER, QUICK, SENDER, certificate, queue_is_empty, relaying, send
from relay.remote import KEYWORDS, Remote
from relay.test_relay import bounce, settled
from talk import Smtp

PLAIN = base64.b64encode(f'\0{SENDER}\0secret'.encode()).decode()


@contextlib.contextmanager
def user(server):
    """A connection of SENDER, who has logged in over TLS."""
    with Smtp(server, 'submissions', tls=True) as client:
        client.hello()
        assert client.command(f'AUTH PLAIN {PLAIN}').startswith('235')
        yield client


def submit(server, *recipients, parameters='', content=b'Subject: hello\r\n\r\nbody\r\n'):
    with user(server) as client:
        reply = client.envelope(*recipients, sender=SENDER, parameters=parameters)
        assert reply.startswith('250'), reply
        reply = client.data(content)[0]
        assert reply.startswith('250'), reply


# --- REQUIRETLS and TLS-Required ---

@contextlib.contextmanager
def secured(folder, *keywords, match='relay.example', **conf):
    """A server that relays to a Remote with a certificate that it can verify."""
    folder.chmod(0o755)
    with Remote(KEYWORDS + keywords, starttls=certificate(folder)) as remote:
        policy = folder / 'policy'
        policy.write_text(f'{remote.site} verify match={match}\n')
        with relaying(remote, smtp_tls_ca_file=folder / 'cert', smtp_tls_policy_maps=f'texthash:{policy}', **conf) as server:
            yield server, remote


def bounces(server, count=1):
    """The text of all that SENDER has, the newest last."""
    eventually(lambda: len(server.messages(SENDER)) == count, 20)
    return [p.read_text() for p in sorted(server.messages(SENDER), key=lambda p: p.stat().st_mtime_ns)]


def test_requiretls(tmp_path):
    """RFC 8689 §4.2.1, §5: passed on where it is offered; elsewhere the header comes back. A notification asks for it, too."""
    with secured(tmp_path) as (server, remote):
        submit(server, 'a@remote.example', parameters=' REQUIRETLS RET=FULL')
        text = bounces(server)[0]
        assert 'Status: 5.7.30' in text and 'Action: failed' in text and '\nbody\n' not in text
        eventually(lambda: queue_is_empty(server))
        assert not remote.messages
        remote.keywords += ('REQUIRETLS',)
        submit(server, 'a@remote.example', parameters=' REQUIRETLS')
        settled(server, remote, 1)
        assert remote.messages[0].tls and ' REQUIRETLS' in remote.messages[0].parameters[0]
        submit(server, 'a@remote.example')
        settled(server, remote, 2)
        assert ' REQUIRETLS' not in remote.messages[1].parameters[0]
        remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
        with Smtp(server) as client:
            client.hello()
            client.command('STARTTLS')
            client.socket = server.tls_context().wrap_socket(client.socket)
            client.hello()
            assert client.envelope('bad@remote.example', sender='s@remote.example', parameters=' REQUIRETLS').startswith('250')
            assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')
        settled(server, remote, 3)
        assert remote.messages[2].sender == '' and ' REQUIRETLS' in remote.messages[2].parameters[0]


OPTIONAL = b'TLS-Required: No\r\nSubject: hello\r\n\r\nbody\r\n'


def test_requiretls_without_verified_tls(tmp_path):
    """RFC 8689 §2: not to a server that cannot be verified, nor over a connection that was made for less, nor without TLS;
    whatever the header says (§4.1)."""
    with secured(tmp_path, 'REQUIRETLS', match='other.example') as (server, remote):
        submit(server, 'a@remote.example', parameters=' REQUIRETLS', content=OPTIONAL)
        assert 'Status: 5.7.10' in bounces(server)[0] and not remote.messages
    with Remote(KEYWORDS + ('REQUIRETLS',), starttls=certificate(tmp_path)) as remote, relaying(remote) as server:
        submit(server, 'a@remote.example')
        settled(server, remote, 1)
        submit(server, 'a@remote.example', parameters=' REQUIRETLS')
        assert 'Status: 5.7.10' in bounces(server)[0]
        remote.starttls = None
        submit(server, 'a@remote.example', parameters=' REQUIRETLS')
        assert 'Status: 5.7.10' in bounces(server, 2)[1]
        assert len(remote.messages) == 1


def test_tls_optional(remote):
    """RFC 8689 §4.2.2: the header does without TLS where the policy does not, unless the setting forbids it."""
    conf = {'smtp_tls_security_level': 'encrypt'}
    with relaying(remote, **conf) as server:
        assert send(server, 'a@remote.example').startswith('250')
        server.wait_log('TLS is required, but was not offered')
        assert send(server, 'b@remote.example', content=OPTIONAL).startswith('250')
        eventually(lambda: remote.messages, 20)
        assert remote.messages[0].recipients == ('b@remote.example',) and not remote.messages[0].tls
        server.write_conf({**QUICK, 'relayhost': remote.site, 'tls_required_enable': 'no', **conf})
        server.reload()
        numbers = itertools.count()

        def is_deferred():
            address = f'c{next(numbers)}@remote.example'
            assert send(server, address, content=OPTIONAL).startswith('250')
            return 'status=deferred (TLS is required' in server.wait_log(f': to=<{address}>')
        eventually(is_deferred)


def test_discarded(remote):
    """smtp_discard_ehlo_keywords: what the server offers counts as not offered."""
    for words, extended in (('', True), ('size, DSN', False)):
        with relaying(remote, smtp_discard_ehlo_keywords=words) as server:
            before = len(remote.messages)
            submit(server, 'a@remote.example', parameters=' ENVID=abc')
            eventually(lambda: len(remote.messages) > before, 20)
            mail = remote.messages[-1].parameters[0]
            assert (' SIZE=' in mail) == (' ENVID=abc' in mail) == extended, mail


# --- servers for all tests below that look at one message ---

ALL = ('CHUNKING', 'BINARYMIME', 'DELIVERBY 5', 'MT-PRIORITY')


@pytest.fixture(scope='module')
def pairs():
    with Remote() as few, Remote(KEYWORDS + ALL) as many, relaying(few) as to_few, relaying(many) as to_many:
        yield {'few': (to_few, few), 'many': (to_many, many)}


def cleared(pair):
    """A server and its remote, with nothing in the queue and in the mailboxes."""
    server, remote = pair
    eventually(lambda: queue_is_empty(server), 20)
    for path in server.messages(SENDER) + server.messages(OTHER):
        path.unlink()
    remote.messages.clear()
    remote.rules.clear()
    return pair


@pytest.fixture
def few(pairs):
    """The next hop has none of the extensions."""
    return cleared(pairs['few'])


@pytest.fixture
def many(pairs):
    """The next hop has them all."""
    return cleared(pairs['many'])


# --- FUTURERELEASE ---

def test_future_release(few):
    """RFC 4865 §4.2: held for those here and elsewhere alike."""
    server, remote = few
    begin = time.monotonic()
    submit(server, 'a@remote.example', OTHER, parameters=' HOLDFOR=3')
    eventually(lambda: remote.messages and server.messages(OTHER) and queue_is_empty(server), 20)
    assert time.monotonic() - begin > 3
    assert 'HOLD' not in remote.messages[0].parameters[0]


@pytest.mark.parametrize('parameter, field', [('HOLDFOR=2', 'for;2'), ('HOLDUNTIL=2001-02-03T04:05:06Z', 'until;2001-02-03T04:05:06Z')])
def test_future_release_in_reports(few, parameter, field):
    """RFC 4865 §5.1.2: what was asked for, and when."""
    server, remote = few
    remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
    submit(server, 'bad@remote.example', parameters=f' {parameter}')
    text = bounce(server)
    assert f'\nFuture-Release-Request: {field}\n' in text and '\nArrival-Date: ' in text
    submit(server, 'bad@remote.example')
    eventually(lambda: len(server.messages(SENDER)) == 2, 20)
    assert sum('Future-Release-Request' in p.read_text() for p in server.messages(SENDER)) == 1


def test_future_release_is_listed(few):
    """The administrator sees why it waits; trying again is not for him to say."""
    server, remote = few
    submit(server, 'a@remote.example', OTHER, parameters=' HOLDFOR=3600')
    for _ in range(2):
        listed = json.loads(server.malle('queue', 'list', '--json').stdout)[0]
        assert listed['hold_until']
        for recipient in listed['recipients']:
            assert recipient['reason'].startswith('its sender chose a later time; first try in 5')
        server.malle('queue', 'retry', listed['id'])
    submit(server, 'b@remote.example')
    messages = eventually(lambda: remote.messages, 20)
    assert messages[0].recipients == ('b@remote.example',) and not server.messages(OTHER)
    server.malle('queue', 'delete', listed['id'])


def test_future_release_limit(remote):
    with relaying(remote, future_release_limit='1h') as server:
        with user(server) as client:
            assert client.envelope(sender=SENDER, parameters=' HOLDFOR=3601').startswith('501 5.5.4')
            assert client.envelope(sender=SENDER, parameters=' HOLDUNTIL=2999-01-01T00:00:00Z').startswith('501 5.5.4')
            assert client.envelope(sender=SENDER, parameters=' HOLDUNTIL=2001-01-01T00:00:00Z').startswith('250')
        server.write_conf({**QUICK, 'future_release_limit': '0'})
        server.reload()

        def refused():
            with user(server) as client:
                return client.envelope(sender=SENDER, parameters=' HOLDFOR=1').startswith('555')
        eventually(refused)


# --- DELIVERBY ---

def test_deliver_by_is_passed_on(many):
    """RFC 2852 §4.1.4: with what is left of the time; who wants a trace hears of the relay."""
    server, remote = many
    submit(server, 'a@remote.example', parameters=' BY=120;R')
    settled(server, remote, 1)
    assert 90 < int(re.search(r' BY=(\d+);R$', remote.messages[0].parameters[0])[1]) < 120
    assert not server.messages(SENDER)
    submit(server, 'a@remote.example', parameters=' BY=120;NT')
    settled(server, remote, 2)
    assert remote.messages[1].parameters[0].endswith(';NT')
    assert 'Action: relayed' in bounce(server)


def test_deliver_by_is_not_offered(few):
    """RFC 2852 §4.1.4: mode R comes back, mode N is relayed, and the sender told so."""
    server, remote = few
    submit(server, 'a@remote.example', parameters=' BY=120;R')
    text = bounce(server)
    assert 'Action: failed' in text and 'Status: 5.3.3' in text and not remote.messages
    submit(server, 'b@remote.example', parameters=' BY=120;N')
    eventually(lambda: any('Action: relayed' in p.read_text() for p in server.messages(SENDER)), 20)
    assert ' BY=' not in remote.messages[0].parameters[0]
    assert remote.messages[0].parameters[1].endswith(' NOTIFY=FAILURE,DELAY')  # §4.1.4.2
    with user(server) as client:  # §3: less than our minimum
        assert client.envelope(sender=SENDER, parameters=' BY=1;R').startswith('555 5.5.4')
        assert client.envelope(sender=SENDER, parameters=' BY=0;R').startswith('501 5.5.4')


def test_deliver_by_is_over(remote):
    """RFC 2852 §4.1.3."""
    remote.answer('RCPT', '450 4.2.1 busy')
    remote.keywords += ('DELIVERBY',)
    with relaying(remote, deliver_by_minimum='0') as server:
        submit(server, 'a@remote.example', parameters=' BY=2;R')
        text = bounce(server)
        assert 'Action: failed' in text and 'Status: 5.4.7' in text


# --- MT-PRIORITY ---

def test_priority_is_passed_on(many):
    """RFC 6710 §4.2, also what the header of a message says that came over a hop without it (RFC 6758 §3.1), and that it has none."""
    server, remote = many
    submit(server, 'a@remote.example', parameters=' MT-PRIORITY=4')
    settled(server, remote, 1)
    assert remote.messages[0].parameters[0].endswith(' MT-PRIORITY=4')
    assert b'MT-Priority' not in remote.messages[0].content and b' PRIORITY 4\r\n' in remote.messages[0].content
    submit(server, 'a@remote.example', content=b'MT-Priority: -3\r\n\r\n')
    settled(server, remote, 2)
    assert remote.messages[1].parameters[0].endswith(' MT-PRIORITY=-3')
    submit(server, 'a@remote.example')
    settled(server, remote, 3)
    assert remote.messages[2].parameters[0].endswith(' MT-PRIORITY=0')
    with user(server) as client:
        assert client.envelope(sender=SENDER, parameters=' MT-PRIORITY=10').startswith('501 5.5.2')


def test_priority_in_the_header(few):
    """RFC 6758 §3.3: where the next hop does not offer it, once."""
    server, remote = few
    submit(server, 'a@remote.example', parameters=' MT-PRIORITY=4')
    submit(server, 'a@remote.example', content=b'MT-Priority: -3\r\n\r\n')
    settled(server, remote, 2)
    fields = sorted(re.findall(rb'^MT-Priority: .*\r$', b''.join(m.content for m in remote.messages), re.M))
    assert fields == [b'MT-Priority: -3\r', b'MT-Priority: 4\r']


def test_priority_of_strangers(remote):
    """RFC 6710 §4.1: they do not get ahead of others, neither by the parameter nor by the header, but may stand back."""
    remote.keywords += ('MT-PRIORITY',)
    with relaying(remote, mynetworks='', relay_domains='open.example') as server:
        assert send(server, 'a@open.example', sender='x@client.example', parameters=' MT-PRIORITY=9').startswith('250')
        settled(server, remote, 1)
        assert remote.messages[0].parameters[0].endswith(' MT-PRIORITY=0')
        assert send(server, 'a@open.example', sender='x@client.example', content=b'MT-Priority: 9\r\n\r\n').startswith('250')
        settled(server, remote, 2)
        assert remote.messages[1].parameters[0].endswith(' MT-PRIORITY=0')
        assert send(server, 'a@open.example', sender='x@client.example', content=b'MT-Priority: -2\r\n\r\n').startswith('250')
        settled(server, remote, 3)
        assert remote.messages[2].parameters[0].endswith(' MT-PRIORITY=-2')


@pytest.mark.parametrize('more', [0, 2_000_000])
def test_priority_of_strangers_in_the_header(remote, more):
    """RFC 6758 §3.3: what a next hop without it could believe is replaced, from memory and from a spool file."""
    head = b'X-A: 1\r\nMT-Priority: 9\r\nX-B: 2\r\n folded\r\nmt-priority:\r\n 8\r\n'
    with relaying(remote, mynetworks='', relay_domains='open.example') as server:
        cases = ((head, b'MT-Priority: 0\r\nX-A: 1\r\nX-B: 2\r\n folded\r\n'),
                 (b'MT-Priority: -4\r\nX-A: 1\r\n', b'MT-Priority: -4\r\nX-A: 1\r\n'),
                 (b'X-A: 1\r\nMT-Priority: high\r\n', b'MT-Priority: 0\r\nX-A: 1\r\n'))
        for number, (fields, left) in enumerate(cases, 1):
            body = b'\r\nMT-Priority: 9\r\n' + b'0123456789\r\n' * (more // 12)
            assert send(server, 'a@open.example', sender='x@client.example', content=fields + body).startswith('250')
            settled(server, remote, number)
            content = remote.messages[-1].content
            assert content.endswith(b'\r\n' + left + body) and content.lower().count(b'mt-priority:') == 2
            size = int(re.search(r' SIZE=(\d+)', remote.messages[-1].parameters[0])[1])
            assert size == len(content)


# --- BINARYMIME ---

BYTES = bytes(range(256)) + b'\n\r\n\r.\r\n\n'
BINARY = (b'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n'
          b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + BYTES + b'\r\n--b--')


def submit_binary(server, *recipients, content=BINARY):
    with user(server) as client:
        assert client.envelope(*recipients, sender=SENDER, parameters=' BODY=BINARYMIME').startswith('250')
        assert client.bdat(content, chunk=max(100, len(content) // 10))[0].startswith('250 2.0.0 Ok: queued as ')


def decoded(content):
    """The second part's bytes; all lines are short and 7bit."""
    assert max(content) < 128 and b'\0' not in content and max(map(len, content.split(b'\n'))) < 1000
    return email.message_from_bytes(content).get_payload()[1].get_payload(decode=True)


@pytest.mark.parametrize('more', [0, 2_000_000])
def test_binary_is_passed_on(many, more):
    """RFC 3030 §3: byte by byte, from memory and from a spool file."""
    server, remote = many
    content = BINARY[:-7] + bytes(more) + BINARY[-7:]
    submit_binary(server, 'a@remote.example', content=content)
    settled(server, remote, 1)
    assert remote.messages[0].content.endswith(b'\r\n' + content)
    assert ' BODY=BINARYMIME' in remote.messages[0].parameters[0]
    head = remote.messages[0].content[:-len(content)]
    assert head.count(b'\n') == head.count(b'\r\n')


def is_encoded(message):
    assert decoded(message.content) == BYTES and message.content.count(b'\n') == message.content.count(b'\r\n')
    return 'BINARYMIME' not in message.parameters[0]


def test_binary_is_encoded(few):
    """RFC 3030 §3: a next hop without it gets base64."""
    server, remote = few
    submit_binary(server, 'a@remote.example')
    settled(server, remote, 1)
    assert is_encoded(remote.messages[0])


def test_binary_without_chunking():
    with Remote(('PIPELINING', 'BINARYMIME')) as remote, relaying(remote) as server:
        submit_binary(server, 'a@remote.example')
        settled(server, remote, 1)
        assert is_encoded(remote.messages[0])


@pytest.mark.parametrize('more', [0, 2_000_000])
def test_binary_into_a_mailbox(few, more):
    server, _ = few
    submit_binary(server, OTHER, content=BINARY[:-7] + bytes(more) + BINARY[-7:])
    content = eventually(lambda: server.messages(OTHER), 20)[0].read_bytes()
    assert decoded(content) == BYTES + bytes(more) and b'\r' not in content


def test_binary_is_returned_as_its_header(few):
    server, remote = few
    remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
    submit_binary(server, 'bad@remote.example')
    text = eventually(lambda: server.messages(SENDER), 20)[0].read_bytes()
    assert b'Subject: x\nMIME-Version: 1.0\n' in text and b'\0' not in text and b'\r' not in text


# --- XFORWARD ---

def test_origin():
    """The next server is told from whom a message came, what it wants to know of that, where a setting says so."""
    for wanted, said in (('NAME ADDR PROTO HELO SOURCE PORT IDENT', 'XFORWARD NAME=localhost ADDR=127.0.0.1 IDENT={id} SOURCE=REMOTE'),
                         ('ADDR', 'XFORWARD ADDR=127.0.0.1'), ('PROTO', None)):
        with Remote((*KEYWORDS, f'XFORWARD {wanted}')) as remote, relaying(remote, smtp_send_xforward_command='yes') as server:
            identity = send(server, 'a@remote.example').split()[-1]
            eventually(lambda: remote.messages, 20)
            assert remote.origins == ([said.format(id=identity)] if said else [])


def test_origin_of_local_mail():
    with Remote((*KEYWORDS, 'XFORWARD NAME ADDR SOURCE')) as remote, relaying(remote, smtp_send_xforward_command='yes') as server:
        server.malle('sendmail', 'a@remote.example', input='Subject: x\n\nx\n')
        eventually(lambda: remote.messages, 20)
        assert remote.origins == ['XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] SOURCE=LOCAL']


def test_origin_that_nobody_wants_to_know():
    """A refusal changes nothing; a connection that ends is tried again; without the setting nothing is said."""
    with Remote((*KEYWORDS, 'XFORWARD NAME ADDR')) as remote:
        with relaying(remote, smtp_send_xforward_command='yes') as server:
            remote.answer('XFORWARD', '550 5.7.0 Error: insufficient authorization', times=1)
            send(server, 'a@remote.example')
            eventually(lambda: len(remote.messages) == 1, 20)
            remote.drop('XFORWARD', times=1)
            remote.answer('XFORWARD', '421 4.3.2 later', times=1)
            send(server, 'b@remote.example')
            eventually(lambda: len(remote.messages) == 2, 20)
            assert len(remote.origins) == 4
        with relaying(remote, lmtp_send_xforward_command='yes') as server:
            send(server, 'c@remote.example')
            eventually(lambda: len(remote.messages) == 3, 20)
            assert len(remote.origins) == 4
