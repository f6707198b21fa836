"""Mail to another server: it arrives whole and once, answers are understood, and what fails is told to the sender."""
import contextlib
import re
import time

import pytest

from harness import eventually
from relay.conftest import OTHER, SENDER, certificate, queue_is_empty, relaying, send
from relay.remote import KEYWORDS, Remote
from talk import Smtp


def settled(server, remote, count):
    eventually(lambda: len(remote.messages) >= count and queue_is_empty(server), 30)
    assert len(remote.messages) == count


def bounce(server, account=SENDER):
    """The one message in the account's INBOX, as text."""
    path = eventually(lambda: server.messages(account), 20)
    assert len(path) == 1
    return path[0].read_text()


def test_whole_and_once(server, remote):
    """RFC 5321 §6.1: what was taken is passed on, with a Received field in front and not a byte changed behind it."""
    content = b'From: a@b\r\nSubject: x\r\n\r\n.dot\r\n..two\r\nlast line\r\n'
    assert send(server, 'a@remote.example', 'b@remote.example', content=content).startswith('250 2.0.0 Ok: queued as ')
    settled(server, remote, 1)
    message = remote.messages[0]
    assert message.sender == SENDER and set(message.recipients) == {'a@remote.example', 'b@remote.example'}
    head, _, rest = message.content.partition(b'From: a@b')
    assert b'From: a@b' + rest == content
    assert head.startswith(b'Received: from client.example')


@pytest.mark.parametrize('size', [10, 30_000, 300_000, 3_000_000])
def test_sizes(server, remote, size):
    """In the IPC message, in a memory file, in the database, in a spool file."""
    content = b'Subject: large\r\n\r\n' + b'0123456789abcde\r\n' * (size // 17 + 1)
    assert send(server, 'a@remote.example', content=content).startswith('250')
    settled(server, remote, 1)
    assert remote.messages[0].content.endswith(content)
    eventually(lambda: not [p for p in (server.dir / 'state/spool').iterdir() if re.fullmatch(r'\w{10,}', p.name)])


def test_chunking():
    with Remote(KEYWORDS + ('CHUNKING',)) as remote, relaying(remote) as server:
        content = b'Subject: x\r\n\r\n.\r\n.dots stay\r\n'
        assert send(server, 'a@remote.example', content=content).startswith('250')
        settled(server, remote, 1)
        assert remote.messages[0].content.endswith(content)


def test_refused_for_now_and_for_good(server, remote):
    """RFC 5321 §4.2.1: 4yz comes again, 5yz comes back; the others are not held up."""
    remote.answer('RCPT', '450 4.2.1 busy', times=1, match='later@')
    remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
    assert send(server, 'good@remote.example', 'later@remote.example', 'bad@remote.example').startswith('250')
    settled(server, remote, 2)
    assert [m.recipients for m in remote.messages] == [('good@remote.example',), ('later@remote.example',)]
    text = bounce(server)
    assert 'Final-Recipient: rfc822; bad@remote.example' in text and 'Status: 5.1.1' in text
    assert 'Diagnostic-Code: smtp; 550 5.1.1 no such user' in text and 'good@remote' not in text
    assert 'Return-Path: <>' in text
    server.wait_log('status=bounced (host 127.0.0.1[127.0.0.1] said: 550 5.1.1 no such user')


TROUBLE = {'drop': None, '421': '421 4.3.2 closing', '4yz': '451 4.3.0 trouble', 'garbage': '\x00\xff what'}


@pytest.mark.parametrize('how', TROUBLE)
def test_trouble_at_every_point(server, remote, how):
    """Whatever goes wrong before the end of data, the message is there once in the end."""
    verbs = ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', *(['BODY'] if how == 'drop' else [])]
    for i, verb in enumerate(verbs):
        remote.answer(verb, TROUBLE[how], times=2)
        assert send(server, 'a@remote.example').startswith('250')
        settled(server, remote, i + 1)


POINTS = ('CONNECT', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'BODY', 'DOT', 'BDAT')
SHORT = {**{f'smtp_{what}_timeout': '1s' for what in ('helo', 'starttls', 'mail', 'rcpt', 'data_init', 'data_xfer')}, 'smtp_data_done_timeout': '2s',
         'smtp_tls_security_level': 'encrypt', 'smtp_sasl_auth_enable': 'yes'}


@pytest.mark.parametrize('how', ['hang', 'drip', 'cut', 'drop'])
def test_every_point_of_the_dialogue(how, tmp_path):
    """A remote for each point of the dialogue that is silent there, or says one byte at a time, or ends within its reply, or without one: each
    costs its time (RFC 5321 §4.5.3.2), nobody hears of it, and the message is taken once in the end, or again where its reply was lost."""
    context = certificate(tmp_path)
    with contextlib.ExitStack() as stack:
        remotes = {point.lower(): stack.enter_context(Remote(
            KEYWORDS + ('AUTH PLAIN',) + ('CHUNKING',) * (point == 'BDAT'), starttls=context)) for point in POINTS}
        for point, remote in zip(POINTS, remotes.values()):
            trouble = 'drop' if point == 'BODY' else how
            getattr(remote, trouble)('DOT' if point == 'BDAT' else point, *{'hang': (4,), 'drip': (0.3,)}.get(trouble, ()), times=1)
        ways = ' '.join(f'{{{point}.example=smtp:{remote.site}}}' for point, remote in remotes.items())
        words = ' '.join(f'{{{remote.site}=joe:secret}}' for remote in remotes.values())
        conf = {**SHORT, 'transport_maps': f'inline:{{ {ways} }}', 'smtp_sasl_password_maps': f'inline:{{ {words} }}'}
        server = stack.enter_context(relaying(remotes['dot'], **conf))
        for point in remotes:
            assert send(server, f'a@{point}.example', content=f'Subject: {point}\r\n\r\n{"text " * 10000}\r\n'.encode()).startswith('250')
        eventually(lambda: queue_is_empty(server), 30)
        for point, remote in remotes.items():
            assert len(remote.messages) == (2 if point in ('dot', 'bdat') else 1), point
            assert remote.messages[-1].content.endswith(b'text \r\n') and remote.messages[-1].tls
            [line] = [line for line in server.lines if f'to=<a@{point}.example>' in line and 'status=deferred' in line]
            assert ('timed out' if how in ('hang', 'drip') and point != 'body' else 'lost connection') in line
        assert not server.messages(SENDER)


def test_lost_after_the_dot(server, remote):
    """RFC 5321 §6.1: without the last reply it cannot be known whether the message arrived; it is sent again."""
    remote.drop('DOT', times=1)
    assert send(server, 'a@remote.example').startswith('250')
    settled(server, remote, 2)


def test_dead_and_back():
    """A destination that is down is tried again, and everything arrives when it is back."""
    with Remote() as first:
        port = first.port
    with relaying(first) as server:
        for i in range(20):
            assert send(server, f'u{i}@remote.example').startswith('250')
        server.wait_log('Connection refused')
        time.sleep(1)
        with Remote(port=port) as remote:
            settled(server, remote, 20)


def test_connections_are_kept(server, remote):
    """Many messages to one place go over few connections."""
    for i in range(50):
        assert send(server, f'u{i}@remote.example').startswith('250')
    settled(server, remote, 50)
    assert remote.connections < 25


def test_connections_are_kept_for_whoever_has_the_next_message(remote):
    """Mail goes to two places in turn, by workers in any order: each finds the connection that another one left open."""
    with Remote() as other:
        with relaying(remote, transport_maps=f'inline:{{ {{b.example=smtp:{other.site}}} }}') as server:
            for n in range(1, 11):
                for place, address in ((remote, 'x@a.example'), (other, 'x@b.example')):
                    assert send(server, address).startswith('250')
                    eventually(lambda place=place, n=n: len(place.messages) == n)
            assert remote.connections <= 4 and other.connections <= 4  # one each, but for one that a slow machine let expire


def test_alias_to_elsewhere(server, remote):
    server.malle('alias', 'add', 'list@malle.test', OTHER, 'far@remote.example')
    server.reload()
    assert send(server, 'list@malle.test', sender='stranger@client.example').startswith('250')
    settled(server, remote, 1)
    assert remote.messages[0].recipients == ('far@remote.example',)
    assert len(server.messages(OTHER)) == 1


def test_expires(remote):
    """maximal_queue_lifetime: the sender is warned, and then told that it is over."""
    remote.answer('RCPT', '450 4.2.1 busy')
    with relaying(remote, maximal_queue_lifetime='6s', delay_warning_time='2s') as server:
        assert send(server, 'a@remote.example').startswith('250')
        eventually(lambda: len(server.messages(SENDER)) == 2 and queue_is_empty(server), 30)
        texts = sorted(p.read_text() for p in server.messages(SENDER))
        assert sorted(re.findall(r'^Action: (\w+)', '\n'.join(texts), re.M)) == ['delayed', 'failed']
        assert any('450 4.2.1 busy' in text for text in texts)


@pytest.mark.parametrize('extensions', [('PIPELINING',), ('PIPELINING', 'DSN')])
@pytest.mark.parametrize('confirm', ['yes', 'no'])
def test_delay_is_over(confirm, extensions):
    """confirm_delay_cleared: who was warned hears of the delivery, whether or not the next server sends reports; who was not asked for warnings of no end."""
    with Remote(extensions) as remote:
        remote.answer('RCPT', '450 4.2.1 busy')
        with relaying(remote, delay_warning_time='1s', confirm_delay_cleared=confirm) as server:
            with Smtp(server) as client:
                client.hello()
                assert client.command(f'MAIL FROM:<{SENDER}>').startswith('250')
                assert client.command('RCPT TO:<a@remote.example>').startswith('250')
                assert client.command('RCPT TO:<quiet@remote.example> NOTIFY=FAILURE').startswith('250')
                assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')
            eventually(lambda: len(server.messages(SENDER)) == 1, 20)
            remote.rules.clear()
            assert send(server, 'late@remote.example').startswith('250')  # of which nobody was warned
            eventually(lambda: queue_is_empty(server), 30)
            texts = [path.read_text() for path in server.messages(SENDER)]
            told = sorted(re.findall(r'^Action: (\w+)', text, re.M) for text in texts)
            assert told == [['delayed'], ['relayed']][:1 + (confirm == 'yes')]
            assert not any('quiet@' in text or 'late@' in text for text in texts)
            assert confirm == 'no' or any('passed on to' in text and '\nSubject: Successful Mail Delivery Report\n' in text for text in texts)


def test_8bit_is_converted():
    """RFC 6152 §3: a next hop without 8BITMIME gets quoted-printable."""
    with Remote(('PIPELINING',)) as remote, relaying(remote) as server:
        content = 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ncafé\r\n'.encode()
        assert send(server, 'a@remote.example', content=content, parameters=' BODY=8BITMIME').startswith('250')
        settled(server, remote, 1)
        got = remote.messages[0].content
        assert b'caf=C3=A9' in got and b'Content-Transfer-Encoding: quoted-printable' in got and max(got) < 128


def test_dsn_is_passed_on(server, remote):
    """RFC 3461 §5.2.1."""
    with_dsn = 'NOTIFY=SUCCESS ORCPT=rfc822;a+2Bb@remote.example'
    with Smtp(server) as client:
        client.hello()
        assert client.command(f'MAIL FROM:<{SENDER}> RET=HDRS ENVID=QQ314').startswith('250')
        assert client.command(f'RCPT TO:<a@remote.example> {with_dsn}').startswith('250')
        assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')
    settled(server, remote, 1)
    mail, rcpt = remote.messages[0].parameters
    assert 'RET=HDRS' in mail and 'ENVID=QQ314' in mail
    assert 'NOTIFY=SUCCESS' in rcpt and 'ORCPT=rfc822;a+2Bb@remote.example' in rcpt
    assert not server.messages(SENDER)


def test_relayed_report():
    """RFC 3461 §5.2.2: who asked for success hears that the next hop knows no DSN."""
    with Remote(('PIPELINING', '8BITMIME')) as remote, relaying(remote) as server:
        with Smtp(server) as client:
            client.hello()
            client.command(f'MAIL FROM:<{SENDER}>')
            client.command('RCPT TO:<a@remote.example> NOTIFY=SUCCESS')
            assert client.data(b'Subject: x\r\n\r\n')[0].startswith('250')
        assert 'Action: relayed' in bounce(server)


def test_null_sender_never_bounces(server, remote):
    """RFC 5321 §4.5.5: the postmaster hears of it instead."""
    remote.answer('RCPT', '550 5.1.1 no such user')
    server.malle('user', 'add', 'postmaster@malle.test', input='secret\n')
    assert send(server, 'bad@remote.example', sender='').startswith('250')
    eventually(lambda: queue_is_empty(server), 20)
    [told] = server.messages('postmaster@malle.test')
    assert 'Final-Recipient: rfc822; bad@remote.example' in told.read_text() and 'Return-Path: <>' in told.read_text()
    assert not remote.messages and not server.messages(SENDER)
