"""What hostile or broken clients send: each gets its protocol's own clear error or a bounded refusal, nobody else notices."""
import concurrent.futures
import socket
import time

import pytest

from faults.conftest import ELSEWHERE, LIMIT, ONLOOKER, VICTIM, onlooker_of
from harness import Server
from talk import Imap, Smtp, Talk

pytestmark = pytest.mark.usefixtures('onlooker')


def content_of(size, head=b'Subject: size\r\n\r\n'):
    lines = b'0123456789' * 7 + b'\r\n'
    text = head + lines * ((size - len(head)) // len(lines) + 1)
    return text[:size - 2] + b'\r\n'


# --- lines ---

@pytest.mark.parametrize('listener, begin, error', [
    ('smtp', 'EHLO client.example', '500 5.5.2'),
    ('smtp', 'VRFY ', '500 5.5.2'),
    ('lmtp', 'LHLO client.example', '500 5.5.2'),
    ('pop3', 'USER ', '-ERR'),
])
def test_overlong_line(server, listener, begin, error):
    """A megabyte without a line end is one error, and the session stays in step."""
    with Talk(server, listener) as client:
        client.line()
        client.send(begin + 'x' * (1 << 20) + ('\r\nCAPA\r\n' if listener == 'pop3' else '\r\nNOOP\r\n'))
        assert client.line().startswith(error)
        assert client.line().startswith(('250', '+OK'))


def test_overlong_line_imap(server):
    with Imap(server) as client:
        for logged_in in (False, True):
            if logged_in:
                assert client.login(VICTIM).startswith('OK')
            client.send('x NOOP ' + 'y' * (1 << 20) + '\r\n')
            assert client.line().startswith(('x BAD', '* BAD'))
            assert client.command('NOOP')[0].startswith('OK')


def test_line_without_end(server):
    """100 MB that never become a command line neither fill the memory nor keep the session for ever."""
    for listener in ('smtp', 'imap', 'pop3'):
        with Talk(server, listener) as client:
            client.line()
            piece = b'x' * (1 << 20)
            try:
                for _ in range(100):
                    client.send(piece)
            except OSError:
                pass  # the server hung up: as good


@pytest.mark.parametrize('listener, line, error', [
    ('smtp', b'EHLO client\0.example\r\n', '50'),
    ('smtp', b'MAIL FROM:<a\0@b.example>\r\n', '50'),
    ('pop3', b'USER a\0b\r\n', '-ERR'),
    ('imap', b'a NOOP\0\r\n', 'a BAD'),
    ('imap', b'\0\0\0\0\r\n', '* BAD'),
])
def test_nul(server, listener, line, error):
    with Talk(server, listener) as client:
        client.line()
        client.send(line)
        assert client.line().startswith(error)


def test_binary_rubbish(server):
    """Bytes of no protocol, a TLS hello in the clear and text on a TLS port end in an error or a closed connection."""
    rubbish = bytes(range(256)) * 512 + b'\r\n'
    hello = bytes.fromhex('16030100050100000100') + b'\r\n'
    for listener in ('smtp', 'submission', 'lmtp', 'imap', 'pop3', 'imaps', 'pop3s', 'submissions'):
        for data in (rubbish, hello):
            with Talk(server, listener) as client:
                try:
                    client.send(data)
                    client.half_close()
                except OSError:
                    pass
                client.rest()


# --- order and half-closed sockets ---

@pytest.mark.parametrize('listener, lines, error', [
    ('smtp', ['DATA'], '503'), ('smtp', ['EHLO c.example', 'DATA'], '503'), ('smtp', ['EHLO c.example', 'BDAT 0 LAST'], '503'),
    ('smtp', ['LHLO c.example'], '50'), ('lmtp', ['EHLO c.example'], '50'),
    ('submission', ['EHLO c.example', f'MAIL FROM:<{VICTIM}>'], '530'),
    ('pop3', ['STAT'], '-ERR'), ('pop3', ['PASS secret'], '-ERR'),
    ('imap', ['a SELECT INBOX'], 'a BAD'), ('imap', ['a DONE'], 'a BAD'),
])
def test_wrong_order(server, listener, lines, error):
    with Talk(server, listener) as client:
        client.line()
        for line in lines[:-1]:
            client.send(line + '\r\n')
            while client.line()[3:4] == '-':
                pass
        client.send(lines[-1] + '\r\n')
        assert client.line().startswith(error)


def test_half_closed_smtp(server):
    """Who sends everything and closes his half still gets every reply, and the mail is delivered."""
    with Smtp(server) as client:
        before = len(server.messages(VICTIM))
        client.send(f'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{VICTIM}>\r\nDATA\r\n')
        client.reply(), client.reply(), client.reply(), client.reply()
        client.send('Subject: half\r\n\r\nbody\r\n.\r\n')
        client.half_close()
        assert client.reply().startswith('250')
        assert len(server.messages(VICTIM)) == before + 1


def test_half_closed_in_a_message(server):
    """A message that ends before its dot is nothing; the session ends."""
    before = len(server.messages(VICTIM))
    for verb in ('DATA\r\n', 'BDAT 100 LAST\r\n'):
        with Smtp(server) as client:
            client.hello()
            assert client.envelope(VICTIM).startswith('250')
            client.send(verb + 'Subject: half\r\n\r\nbo')
            client.half_close()
            assert '250' not in client.rest()
    assert len(server.messages(VICTIM)) == before


def test_half_closed_imap_and_pop3(server):
    for listener, line, answer in (('imap', 'a CAPABILITY\r\n', 'a OK'), ('pop3', 'CAPA\r\n', '+OK')):
        with Talk(server, listener) as client:
            client.line()
            client.send(line)
            client.half_close()
            assert answer in client.rest()
    with Imap(server) as client:
        assert client.login(VICTIM).startswith('OK')
        client.send('a APPEND INBOX {100}\r\n')
        assert client.line().startswith('+')
        client.send('only this')
        client.socket.close()


# --- slow clients ---

def drip(client, data, seconds, pause):
    """Sends a byte each pause until the server closes or the time is up: the seconds it took, and what was said."""
    begin = time.monotonic()
    client.socket.settimeout(pause)
    said = b''
    for i in range(int(seconds / pause)):
        try:
            client.send(data[i % len(data):i % len(data) + 1])
            more = client.socket.recv(65536)
            if not more:
                return time.monotonic() - begin, said.decode('latin-1')
            said += more
        except TimeoutError:
            pass
        except OSError:
            return time.monotonic() - begin, said.decode('latin-1')
    return None, said.decode('latin-1')


def test_one_byte_at_a_time():
    """Bytes keep a session no longer than its command line, its message or its log-in may take."""
    conf = {'smtpd_timeout': '1s', 'smtpd_command_time_limit': '2s', 'smtpd_data_timeout': '10s', 'login_timeout': '5s'}

    def slow_message(verb):
        with Smtp(server) as client:
            client.hello()
            assert client.envelope(VICTIM).startswith('250')
            if verb == 'DATA':
                assert client.command('DATA').startswith('354')
            else:
                client.send('BDAT 60000 LAST\r\n')
            return drip(client, b'text ', 20, 0.3)

    def slow_line(listener):
        with Talk(server, listener) as client:
            client.line()
            return drip(client, b'NOOP ', 20, 0.3)

    with Server(conf=conf, users={VICTIM: 'secret'}) as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        messages = [pool.submit(slow_message, verb) for verb in ('DATA', 'BDAT')]
        lines = {name: pool.submit(slow_line, name) for name in ('smtp', 'lmtp', 'imap', 'pop3')}
        for done in messages:
            seconds, said = done.result()
            assert seconds and 9 < seconds < 15 and '421' in said
        for name, done in lines.items():
            seconds, said = done.result()
            limit = 2 if name in ('smtp', 'lmtp') else 5
            assert seconds and limit - 1 < seconds < limit + 3, name
            assert {'smtp': '421', 'lmtp': '421', 'imap': '* BYE', 'pop3': '-ERR'}[name] in said
        assert not server.messages(VICTIM)


# --- crowds ---

CROWD = 10000


@pytest.mark.parametrize('listener', ['smtp', 'imap'])
def test_crowd_from_one_address(server, listener):
    """10,000 connections of one address: all but 50 are refused, and another address is served meanwhile."""
    held, refused = [], 0
    begin = time.monotonic()
    try:
        for i in range(CROWD):
            client = socket.create_connection(('127.0.0.1', server.port(listener)), 10)
            if len(held) < 50:
                held.append(client)
                continue
            answer = client.recv(1000)
            client.close()
            refused += answer.startswith((b'421', b'* BYE'))
            if i % 1000 == 0 and listener == 'smtp':
                with Smtp(server, source=ELSEWHERE) as other:
                    assert other.hello().startswith('250')
        # login counts in each of its processes
        assert refused >= CROWD - 50 * 4
        with Imap(server, source=ELSEWHERE) as other:
            assert other.login(VICTIM).startswith('OK')
    finally:
        for client in held:
            client.close()
    assert time.monotonic() - begin < 60


# --- sizes ---

def send_data(server, content):
    with Smtp(server) as client:
        client.hello()
        client.envelope(VICTIM)
        reply = client.data(content)[0]
        assert client.command('NOOP').startswith('250')
        return reply


def send_bdat(server, content):
    with Smtp(server) as client:
        client.hello()
        client.envelope(VICTIM)
        reply = client.bdat(content, chunk=20000)[0]
        assert client.command('NOOP').startswith('250')
        return reply


def send_lmtp(server, content):
    with Smtp(server, 'lmtp') as client:
        client.hello()
        client.envelope(VICTIM)
        reply = client.data(content)[0]
        assert client.command('NOOP').startswith('250')
        return reply


def send_append(server, content):
    with Imap(server) as client:
        assert client.login(VICTIM).startswith('OK')
        reply = client.append(content)
        assert client.command('NOOP')[0].startswith('OK')
        return reply


@pytest.mark.parametrize('send, fine, too_big', [
    (send_data, '250', '552'), (send_bdat, '250', '552'), (send_lmtp, '250', '552'), (send_append, 'OK', 'NO [TOOBIG]'),
])
def test_size_limit(server, send, fine, too_big):
    """message_size_limit counts the message with CRLF line ends: exactly that passes, one byte more does not."""
    before = len(server.messages(VICTIM))
    assert send(server, content_of(LIMIT)).startswith(fine)
    assert send(server, content_of(LIMIT + 1)).startswith(too_big)
    found = server.messages(VICTIM)
    assert len(found) == before + 1


def test_announced_size(server):
    """RFC 1870 §6.1: what is announced too large is refused before it is sent."""
    with Smtp(server) as client:
        assert client.hello().startswith('250')
        assert client.command(f'MAIL FROM:<a@b.example> SIZE={LIMIT + 1}').startswith('552')
        assert client.command('MAIL FROM:<a@b.example> SIZE=18446744073709551616').startswith(('501', '552', '555'))
        assert client.command(f'MAIL FROM:<a@b.example> SIZE={LIMIT}').startswith('250')


@pytest.mark.parametrize('size', ['4294967296', '4294967295', '18446744073709551615', '99999999999999999999999'])
@pytest.mark.parametrize('mark', ['', '+'])
@pytest.mark.parametrize('logged_in', [False, True])
def test_huge_literal(server, size, mark, logged_in):
    """Nothing of a literal is taken that its announcement makes too large; the session may end, orderly."""
    with Imap(server) as client:
        if logged_in:
            assert client.login(VICTIM).startswith('OK')
        client.send(f'x {"APPEND INBOX" if logged_in else "LOGIN"} {{{size}{mark}}}\r\n')
        assert client.line().startswith(('x NO', 'x BAD', '* BYE', '* BAD'))
        if not mark:
            assert client.command('NOOP')[0].startswith('OK')


def test_huge_chunk(server):
    for size in ('4294967296', '18446744073709551615', '99999999999999999999999'):
        with Smtp(server) as client:
            client.hello()
            assert client.envelope(VICTIM).startswith('250')
            client.send(f'BDAT {size} LAST\r\n')
            client.half_close()
            assert '250' not in client.rest()


def test_many_header_lines():
    """100,000 of them are too many for SMTP; APPEND takes or refuses them; the next client is served."""
    content = b''.join(b'X-%d: y\r\n' % i for i in range(100000)) + b'\r\nbody\r\n'
    with Server(users={VICTIM: 'secret', ONLOOKER: 'secret'}) as server, onlooker_of(server):
        assert send_data(server, content).startswith('552')
        assert send_lmtp(server, content).startswith('552')
        with Imap(server, timeout=40) as client:
            assert client.login(VICTIM).startswith('OK')
            if client.append(content).startswith('OK'):
                assert client.command('SELECT INBOX')[0].startswith('OK')
                for item in ('ENVELOPE', 'BODYSTRUCTURE', 'BODY.PEEK[HEADER.FIELDS (X-99999)]'):
                    assert client.command(f'FETCH 1 {item}')[0].startswith(('OK', 'NO'))


def nested(depth, kind):
    """A message with parts inside parts."""
    if kind == 'rfc822':
        return b'Content-Type: message/rfc822\r\n\r\n' * depth + b'Subject: core\r\n\r\ntext\r\n'
    begin = b''.join(b'Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n' % (i, i) for i in range(depth))
    return begin + b'Content-Type: text/plain\r\n\r\ntext\r\n' + b''.join(b'--b%d--\r\n' % i for i in reversed(range(depth)))


@pytest.mark.parametrize('kind', ['multipart', 'rfc822', 'closed by nobody'])
def test_deep_mime(kind):
    """1,000 levels: taken or refused by SMTP, and the structure of one that lies in the Maildir is answered in time."""
    content = b'Subject: deep\r\nMIME-Version: 1.0\r\n' + nested(1000, kind)
    if kind == 'closed by nobody':
        content = content[:content.index(b'--b999--')]
    with Server(users={VICTIM: 'secret', ONLOOKER: 'secret'}) as server, onlooker_of(server):
        assert send_data(server, content).startswith(('250', '55'))
        assert send_append(server, content)[:2] in ('OK', 'NO')
        with Imap(server) as client:
            assert client.login(VICTIM).startswith('OK')
            assert client.command('SELECT INBOX')[0].startswith('OK')
            for item in ('BODYSTRUCTURE', 'BODY', 'ENVELOPE', f'BODY.PEEK[{".".join("1" * 1000)}]', 'BODY.PEEK[1.1.1.1.1.1.MIME]',
                         'RFC822.SIZE'):
                assert client.command(f'FETCH 1:* {item}')[0].startswith(('OK', 'NO', 'BAD'))
            assert client.command('SEARCH BODY nowhere-to-be-found')[0].startswith('OK')
