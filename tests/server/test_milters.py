"""Milters in a running server: what they are told, what they may change, and what happens when they fail."""
import contextlib
import email
import os
import pathlib
import re
import stat
import tempfile

import pytest

import milter as m
from harness import DOMAIN, FULL, Server, eventually
from mail import connect_smtp
from talk import Smtp

DEMO, ANN = f'demo@{DOMAIN}', f'ann@{DOMAIN}'
TEXT = b'From: a@client.example\r\nSubject: hello\r\nX-Two: 1\r\nX-Two: 2\r\n folded\r\n\r\nbody\r\n.with dots\r\n'


@pytest.fixture(scope='module')
def filters():
    """Two milters in the order of the setting."""
    with m.Milter() as one, m.Milter() as two:
        yield one, two


@pytest.fixture(scope='module')
def server(filters):
    sections = ('[listener none]\nprotocol = smtp\nport = 201\nsmtpd_milters =\n'
                '[listener off]\nprotocol = smtp\nport = 202\nreceive_override_options = no_milters\n')
    conf = {'smtpd_milters': ', '.join(f.name for f in filters), 'milter_command_timeout': '2s', 'milter_content_timeout': '2s',
            'milter_connect_timeout': '2s', 'smtpd_hard_error_limit': '1000', 'smtpd_client_connection_count_limit': '1000',
            'spool_memory_limit': '64k'}
    with Server(conf=conf, users={DEMO: 'demo', ANN: 'ann'}, sections=sections) as malle:
        yield malle


@pytest.fixture(autouse=True)
def plain(filters):
    for each in filters:
        each.behave()


def send(server, text=TEXT, *recipients, sender='a@client.example', parameters='', listener='smtp'):
    """The reply to the message, or to whatever was refused before."""
    with Smtp(server, listener) as client:
        client.hello()
        reply = client.envelope(*(recipients or [DEMO]), sender=sender, parameters=parameters)
        return client.data(text)[0] if reply.startswith('250') else reply


def newest(server, address=DEMO):
    return max(server.messages(address), key=lambda p: p.stat().st_mtime_ns).read_bytes()


def delivered(server, text=TEXT, *recipients, **how):
    """The message as it lies there, for which 250 was said."""
    assert send(server, text, *recipients, **how).startswith('250 2.0.0 Ok'), server.log()[-2000:]
    return newest(server, (recipients or [DEMO])[0])


def header(message):
    """The fields behind what delivery adds; ours is 'Received'."""
    fields = re.split(rb'\n(?![ \t])', message.partition(b'\n\n')[0].rstrip(b'\n'))
    fields = [f.decode('latin-1') for f in fields]
    while fields[0].startswith(('Return-Path', 'Delivered-To', 'X-Original-To')):
        del fields[0]
    return ['Received' if f.startswith('Received:') else f for f in fields]


FIELDS = ['From: a@client.example', 'Subject: hello', 'X-Two: 1', 'X-Two: 2\n folded']


def test_untouched(server, filters):
    message = delivered(server)
    assert header(message) == ['Received', *FIELDS]
    assert message.endswith(b'\n\nbody\n.with dots\n')
    for each in filters:
        assert each.last.letters() in ('CHMRTLLLLNBE', 'CHMRTLLLLNBEQ')
        assert each.last.header() == [('From', 'a@client.example'), ('Subject', 'hello'), ('X-Two', '1'), ('X-Two', '2\n folded')]
        assert each.last.body() == b'body\r\n.with dots\r\n'
        eventually(lambda each=each: each.last.letters().endswith('EQ'))


def test_events_and_macros(server, filters):
    with connect_smtp(server, 'smtp') as client:
        client.starttls(context=server.tls_context())
        client.ehlo('again.example')
        assert client.docmd('NONSENSE', 'x')[0] == 500
        assert client.docmd('MAIL', 'FROM:<a@client.example> SIZE=100 BODY=8BITMIME')[0] == 250
        assert client.docmd('RCPT', f'TO:<{DEMO}> NOTIFY=NEVER')[0] == 250
        assert client.docmd('RSET')[0] == 250
        assert client.docmd('MAIL', 'FROM:<>')[0] == 250
        assert client.docmd('RCPT', f'TO:<{DEMO}>')[0] == 250
        client.docmd('DATA')
        client.sock.sendall(b'Subject: x\r\n\r\nx\r\n.\r\n')
        assert client.getreply()[0] == 250
        client.quit()
    s = filters[0].last
    eventually(lambda: s.letters().endswith('Q'))
    assert s.offer == (6, 0x1ff, 0x1fffff)
    assert s.letters() == 'CHHUMRAMRTLNBEQ'
    assert s.of('C')[0].startswith(b'localhost\x004') and s.of('C')[0].endswith(b'127.0.0.1\0')
    assert s.of('H') == [b'client.example\0', b'again.example\0']
    assert s.of('U') == [b'NONSENSE x\0']
    assert s.of('M') == [b'<a@client.example>\0SIZE=100\0BODY=8BITMIME\0', b'<>\0']
    assert s.of('R') == [f'<{DEMO}>\0NOTIFY=NEVER\0'.encode(), f'<{DEMO}>\0'.encode()]
    macros = {}
    for letter, values in s.macros:
        macros.setdefault(letter, []).append(values)
    assert macros['C'] == [{'j': f'mail.{DOMAIN}', '{daemon_name}': f'mail.{DOMAIN}', '{daemon_addr}': '127.0.0.1', 'v': 'malle',
                            '_': 'localhost [127.0.0.1]'}]
    assert macros['H'][0] == {} and macros['H'][1]['{tls_version}'].startswith('TLSv1.') and int(macros['H'][1]['{cipher_bits}']) >= 128
    assert macros['M'] == [{'{mail_addr}': 'a@client.example', '{mail_host}': 'client.example', '{mail_mailer}': 'smtp'},
                           {'{mail_addr}': '', '{mail_host}': f'mail.{DOMAIN}', '{mail_mailer}': 'virtual'}]
    assert macros['R'][0] == {'{rcpt_addr}': DEMO, '{rcpt_host}': DOMAIN, '{rcpt_mailer}': 'virtual'}
    ident = macros['T'][0]['i']
    assert re.fullmatch(r'\w+', ident) and macros['N'] == macros['E'] == [{'i': ident}] and ident in server.log()


def test_log_in(server, filters):
    with connect_smtp(server, 'submission', DEMO, 'demo') as client:
        client.docmd('MAIL', f'FROM:<{DEMO}>')
        client.docmd('RCPT', f'TO:<{DEMO}>')
        client.docmd('DATA')
        client.sock.sendall(b'From: demo\r\n\r\nx\r\n.\r\n')
        assert client.getreply()[0] == 250
    values = next(values for letter, values in filters[0].last.macros if letter == 'M')
    assert values['{auth_authen}'] == DEMO and values['{auth_type}'].upper() in ('PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'CRAM-MD5', 'SCRAM-SHA-1')
    names = [name for name, _ in filters[0].last.header()]  # what submission adds is seen
    assert 'Date' in names and 'Message-ID' in names and 'Received' not in names


# what the first milter answers to the end of the message; what becomes of the header (None: as it was) and of the body
EDITS = {
    'add': ([m.add('X-New', 'one')], ['Received', *FIELDS, 'X-New: one'], None),
    'add folded': ([m.add('X-New', 'one\n\ttwo\r\n three')], ['Received', *FIELDS, 'X-New: one\n\ttwo\n three'], None),
    'add what would end it': ([m.add('X-New', 'one\n\nEvil: two')], ['Received', *FIELDS, 'X-New: one\n\tEvil: two'], None),
    'insert above': ([m.insert(0, 'X-New', 'one')], ['X-New: one', 'Received', *FIELDS], None),
    'insert below': ([m.insert(1, 'X-New', 'one')], ['Received', 'X-New: one', *FIELDS], None),
    'insert far': ([m.insert(99, 'X-New', 'one')], ['Received', *FIELDS, 'X-New: one'], None),
    'change': ([m.change(1, 'Subject', 'new')], ['Received', FIELDS[0], 'Subject: new', *FIELDS[2:]], None),
    'change second': ([m.change(2, 'x-two', 'b')], ['Received', *FIELDS[:3], 'x-two: b'], None),
    'change none': ([m.change(3, 'X-Two', 'c')], ['Received', *FIELDS, 'X-Two: c'], None),
    'delete': ([m.change(1, 'X-Two', '')], ['Received', *FIELDS[:2], FIELDS[3]], None),
    'delete ours': ([m.change(1, 'Received', '')], ['Received', *FIELDS], None),
    'all': ([m.add('X-A', '1'), m.PROGRESS, m.insert(1, 'X-B', '2'), m.change(1, 'Subject', 's'), m.change(1, 'From', '')],
            ['Received', 'X-B: 2', 'Subject: s', *FIELDS[2:], 'X-A: 1'], None),
    'body': ([b'bnew\r\nbody\r\n'], ['Received', *FIELDS], b'new\nbody\n'),
    'body in pieces': ([b'bone\r', b'b\ntwo\r\n.\r\n', b'bthree'], ['Received', *FIELDS], b'one\ntwo\n.\nthree\n'),
    'no body': ([b'b'], ['Received', *FIELDS], b''),
    'both': ([b'bx\r\n', m.add('X-New', 'one'), b'by\r\n'], ['Received', *FIELDS, 'X-New: one'], b'x\ny\n'),
}


@pytest.mark.parametrize('last', [m.CONTINUE, m.ACCEPT], ids=['continue', 'accept'])
@pytest.mark.parametrize('name', EDITS)
def test_edits(server, filters, name, last):
    edits, want, body = EDITS[name]
    filters[0].behave({'E': [*edits, last]})
    message = delivered(server)
    assert header(message) == want
    assert message.partition(b'\n\n')[2] == (b'body\n.with dots\n' if body is None else body)
    seen = filters[1].last  # the next one sees what the first has made of it
    assert [f'{n}: {v}' for n, v in seen.header()] == [f for i, f in enumerate(want) if f != 'Received']
    assert seen.body() == (b'body\r\n.with dots\r\n' if body is None else body.replace(b'\n', b'\r\n'))


def test_spool_file(server, filters):
    """A message that does not fit into memory, changed twice; nothing is lost at the edges of pieces."""
    body = b''.join(b'%07d line of a large message\r\n' % i for i in range(400000 if FULL else 40000))
    filters[0].behave({'E': [m.add('X-One', '1'), m.CONTINUE]})
    filters[1].behave({'E': [m.insert(1, 'X-Two', '2'), m.CONTINUE]})
    message = delivered(server, b'Subject: large\r\n\r\n' + body)
    assert header(message) == ['Received', 'X-Two: 2', 'Subject: large', 'X-One: 1']
    assert message.partition(b'\n\n')[2] == body.replace(b'\r\n', b'\n')
    assert filters[0].last.body() == filters[1].last.body() == body
    assert max(len(p) for p in filters[0].last.of('B')) == 65535
    pieces = [b'b' + body[i:i + 60001] for i in range(0, len(body), 60001)]
    filters[0].behave({'E': [*pieces, m.CONTINUE]})
    message = delivered(server, b'Subject: small\r\n\r\nx\r\n')
    assert message.partition(b'\n\n')[2] == body.replace(b'\r\n', b'\n')


def test_header_only(server, filters):
    for text, fields, body in ((b'Subject: x\r\n', ['Subject: x'], b''), (b'\r\nbody\r\n', [], b'body\n'), (b'', [], b''),
                               (b'Subject: x\r\nno field\r\n\r\nmore\r\n', ['Subject: x'], b'no field\n\nmore\n')):
        filters[0].behave({'E': [m.add('X-New', '1'), b'bnew\r\n' if body else m.PROGRESS, m.CONTINUE]})
        message = delivered(server, text)
        assert header(message) == ['Received', *fields, 'X-New: 1']
        assert message.partition(b'\n\n')[2] == (b'new\n' if body else b'')
        assert filters[0].last.body() == body.replace(b'\n', b'\r\n')


def test_envelope(server, filters):
    filters[0].behave({'E': [b'+' + m.text(f'<{ANN}>'), b'-' + m.text(f'<{DEMO}>'), b'e' + m.text('<new@sender.example>', 'RET=HDRS ENVID=x'), m.CONTINUE]})
    before = len(server.messages(DEMO))
    assert send(server).startswith('250')
    assert len(server.messages(DEMO)) == before
    assert newest(server, ANN).startswith(b'Return-Path: <new@sender.example>\n')
    filters[0].behave({'E': [b'2' + m.text(f'<{ANN}>', 'NOTIFY=NEVER ORCPT=rfc822;x@y'), b'2' + m.text(ANN), b'+' + m.text('not an address'),
                             b'e' + m.text('<>'), m.CONTINUE]})
    count = len(server.messages(ANN))
    message = delivered(server)
    assert message.startswith(b'Return-Path: <>\n') and len(server.messages(ANN)) == count + 1
    server.wait_log('ignoring recipient "not an address" of a milter')
    filters[0].behave({'E': [b'+' + m.text(f'nobody@{DOMAIN}'), m.CONTINUE]})
    assert send(server).startswith('451 4.3.0')
    filters[0].behave({'E': [b'-' + m.text(f'<{DEMO}>'), m.CONTINUE]})
    before = len(server.messages(DEMO))
    assert send(server).startswith('250')
    server.wait_log('milters have taken all recipients away')
    assert len(server.messages(DEMO)) == before


def test_quarantine(server, filters):
    filters[0].behave({'E': [m.QUARANTINE, m.add('X-Held', 'yes'), m.CONTINUE]})
    before = len(server.messages(DEMO))
    reply = send(server)
    assert reply.startswith('250 2.0.0 Ok: queued as ')
    ident = reply.split()[-1]
    server.wait_log(f'{ident}: milter-hold: END-OF-MESSAGE from localhost[127.0.0.1]: milter triggers HOLD action; from=<a@client.example> to=<{DEMO}>')
    assert len(server.messages(DEMO)) == before
    assert 'X-Held: yes' in server.malle('queue', 'cat', ident).stdout
    server.malle('queue', 'release', ident)
    eventually(lambda: len(server.messages(DEMO)) == before + 1)


def test_discard(server, filters):
    for letter in 'MRTLNBE':
        filters[0].behave({letter: m.DISCARD})
        before = len(server.messages(DEMO))
        assert send(server).startswith('250 2.0.0 Ok')
        server.wait_log('milter triggers DISCARD action')
        assert len(server.messages(DEMO)) == before
    assert send(server).startswith('250')


STAGES = {'M': 'MAIL', 'R': 'RCPT', 'T': 'DATA', 'L': 'END-OF-MESSAGE', 'N': 'END-OF-MESSAGE', 'B': 'END-OF-MESSAGE', 'E': 'END-OF-MESSAGE'}
REFUSALS = {
    'reject': (m.REJECT, '550 5.7.1 Command rejected'),
    'tempfail': (m.TEMPFAIL, '451 4.7.1 Service unavailable - try again later'),
    'reply': (m.reply('554 5.7.99 100%% spam'), '554 5.7.99 100% spam'),
    'lines': (m.reply('554-5.7.99 first\r\n554 5.7.99 last'), '554 5.7.99 last'),
    'bare': (m.reply('450 later'), '450 later'),
}


@pytest.mark.parametrize('letter', STAGES)
def test_refusals(server, filters, letter):
    for answer, want in REFUSALS.values():
        filters[0].behave({letter: answer})
        before = len(server.messages(DEMO))
        assert send(server) == want
        assert len(server.messages(DEMO)) == before
        text = want if STAGES[letter] != 'END-OF-MESSAGE' else want[4:]
        if 'last' not in want:
            server.wait_log(f'milter-reject: {STAGES[letter]} from localhost[127.0.0.1]: {text}; from=<a@client.example>')
    filters[0].behave({letter: m.SHUTDOWN})
    assert send(server) == '421 4.7.0 Server closing connection'


def test_refusals_of_the_session(server, filters):
    for letter in 'CH':
        filters[0].behave({letter: m.REJECT})
        with Smtp(server) as client:
            assert client.greeting == ('220 ' + f'mail.{DOMAIN} ESMTP malle' if letter == 'H' else f'554 mail.{DOMAIN} ESMTP not accepting connections')
            assert client.hello() == '250 ENHANCEDSTATUSCODES'
            assert client.command('STARTTLS') == '550 5.7.1 Command rejected'
            assert client.command('MAIL FROM:<a@client.example>') == '550 5.7.1 Command rejected'
            assert client.command('NOOP').startswith('250')
        filters[0].behave({letter: m.TEMPFAIL})
        with Smtp(server) as client:
            assert client.greeting.startswith('220')
            assert client.hello().startswith('250 ') and client.command('STARTTLS') == '454 4.3.0 Try again later'
            assert client.command('MAIL FROM:<a@client.example>') == '451 4.7.1 Service unavailable - try again later'
        filters[0].behave({letter: m.reply('421 4.7.0 go')})
        with Smtp(server) as client:
            if letter == 'H':
                assert client.hello() == '421 4.7.0 go'
            else:
                assert client.greeting == f'421 mail.{DOMAIN} Service unavailable - try again later'
            assert client.ends()
        filters[0].behave({letter: m.ACCEPT})
        assert send(server).startswith('250')
        assert filters[0].last.letters() == 'CH'[:'CH'.index(letter) + 1]
        assert filters[1].last.letters().startswith('CHMRT')
    filters[0].behave({'U': m.reply('550 5.7.1 what')})
    with Smtp(server) as client:
        assert client.command('NONSENSE') == '550 5.7.1 what'


def test_one_recipient(server, filters):
    filters[0].behave({'R': m.REJECT})
    with Smtp(server) as client:
        client.hello()
        assert client.envelope(ANN) == '550 5.7.1 Command rejected'
        filters[0].behave()
        assert client.command(f'RCPT TO:<{DEMO}>').startswith('250')
        assert client.data(TEXT)[0].startswith('250')


def test_rejected_recipients(server, filters):
    """Who asks for them hears of recipients that were refused, with the reason; nobody else does."""
    filters[0].behave(protocol=m.REJECTED_RCPT)
    assert send(server, TEXT, f'nobody@{DOMAIN}').startswith('550 5.1.1')
    s = filters[0].last
    assert s.of('R') == [f'<nobody@{DOMAIN}>\0'.encode()] and filters[1].last.of('R') == []
    values = next(values for letter, values in s.macros if letter == 'R')
    assert values['{rcpt_mailer}'] == 'error' and values['{rcpt_host}'] == '5.1.1' and 'Recipient address rejected' in values['{rcpt_addr}']


def test_options(server, filters):
    """What a milter does not want, does not answer, has enough of; header values with their spaces; macros of its own."""
    for letter, bit in m.NO.items():
        filters[0].behave(protocol=bit)
        with Smtp(server) as client:
            client.hello()
            client.command('NONSENSE')
            client.envelope(DEMO)
            assert client.data(TEXT)[0].startswith('250')
        assert filters[0].last.letters().replace('Q', '') == re.sub(letter, '', 'CHUMRTLLLLNBE')
    filters[0].behave(protocol=sum(m.MUTE.values()))
    assert send(server).startswith('250')
    assert filters[0].last.letters().replace('Q', '') == 'CHMRTLLLLNBE'
    filters[0].behave({'L': m.SKIPPED, 'B': m.SKIPPED}, protocol=m.SKIP)
    assert send(server, b'A: 1\r\nB: 2\r\n\r\n' + b'x' * 70 + b'\r\n').startswith('250')
    assert filters[0].last.letters().replace('Q', '') == 'CHMRTLNBE'
    filters[0].behave({'E': [m.add('X-New', ' two'), m.add('X-None', 'none'), m.CONTINUE]}, protocol=m.LEADING_SPACE)
    message = delivered(server, b'A: 1\r\nB:2\r\nC:  3\r\n\r\nx\r\n')
    assert filters[0].last.header() == [('A', ' 1'), ('B', '2'), ('C', '  3')]
    assert header(message)[-2:] == ['X-New: two', 'X-None:none']
    filters[0].behave(symbols=[(2, '{client_addr} i {client_port} {client_connections}'), (0, ''), (77, 'x')])
    assert send(server).startswith('250')
    macros = dict(filters[0].last.macros)
    assert '{daemon_name}' in macros['C'] and macros['M']['{client_addr}'] == '127.0.0.1' and int(macros['M']['{client_port}']) > 0 and int(macros['M']['{client_connections}']) > 0
    assert '{rcpt_addr}' in macros['R']


@pytest.mark.parametrize('version', [2, 3, 4, 6])
def test_versions(server, filters, version):
    """A milter of an older version hears nothing that it does not know."""
    filters[0].behave(version=version, actions=0x3f)
    with Smtp(server) as client:
        client.hello()
        client.command('NONSENSE')
        client.envelope(DEMO)
        assert client.data(TEXT)[0].startswith('250')
    assert filters[0].last.letters().replace('Q', '') == {2: 'CHMRLLLLNBE', 3: 'CHUMRLLLLNBE'}.get(version, 'CHUMRTLLLLNBE')


TOO_LATE = '451 4.7.1 Service unavailable - try again later'
FAULTS = {
    'drop at once': ({}, {'negotiation': m.DROP}, "can't read SMFIC_OPTNEG reply packet header"),
    'another answer': ({}, {'negotiation': b'c'}, 'read error in initial handshake'),
    'short options': ({}, {'negotiation': b'O\0\0\0\6'}, 'read error in initial handshake'),
    'newer version': ({}, {'version': 7}, 'protocol version 7 conflict with MTA protocol version 6'),
    'other actions': ({}, {'actions': 0x1000}, 'request mask 0x1000 conflict with MTA request mask 0x1ff'),
    'drop at HELO': ({'H': m.DROP}, {}, "can't read SMFIC_HELO reply packet header"),
    'drop at MAIL': ({'M': m.DROP}, {}, "can't read SMFIC_MAIL reply packet header"),
    'drop at the end': ({'E': [m.add('X-A', '1'), m.DROP]}, {}, "can't read SMFIC_BODYEOB reply packet header"),
    'drop within': ({'R': m.raw(b'\0\0\0\12yshort')}, {}, 'EOF while reading data'),
    'nothing': ({'M': m.raw(b'\0\0\0\0')}, {}, 'bad packet length'),
    'oversize': ({'M': m.raw(b'\x7f\xff\xff\xffc')}, {}, 'unreasonable packet length'),
    'garbage': ({'M': m.raw(b'HTTP/1.1 400 Bad Request\r\n\r\n')}, {}, 'unreasonable packet length'),
    'unknown': ({'M': b'?'}, {}, 'unexpected filter response (unknown filter reply) after event SMFIC_MAIL'),
    'too early': ({'M': m.add('X-A', '1')}, {}, 'unexpected filter response SMFIR_ADDHEADER after event SMFIC_MAIL'),
    'trailing': ({'M': b'cx'}, {}, 'reply SMFIR_CONTINUE is malformed'),
    'half a field': ({'E': b'hX-A\0'}, {}, 'reply SMFIR_ADDHEADER is malformed'),
}


@pytest.mark.parametrize('name', FAULTS)
def test_faults(server, filters, name):
    script, options, log = FAULTS[name]
    first = len(server.lines)
    script = {letter: ([answer, m.DROP] if isinstance(answer, tuple) else answer) for letter, answer in script.items()}
    filters[0].behave(script, **options)
    before = len(server.messages(DEMO))
    assert send(server) == TOO_LATE
    assert len(server.messages(DEMO)) == before
    eventually(lambda: any(log in line for line in server.lines[first:]))
    filters[0].behave()
    assert send(server).startswith('250')


def test_bad_reply(server, filters):
    filters[0].behave({'M': m.reply('250 fine')})
    assert send(server) == '451 4.3.5 Server configuration problem - try again later'
    server.wait_log('malformed reply: 250 fine')


def test_hang(server, filters):
    """It is waited for no longer than the settings say; with progress, as long as there is some."""
    for letter in 'MB':
        filters[0].behave({letter: m.HANG})
        assert send(server) == TOO_LATE
        server.wait_log('reply packet header: Connection timed out')


DEFAULTS = {'accept': '250', 'reject': '550 5.5.0 Service unavailable', 'tempfail': TOO_LATE, 'quarantine': '250 2.0.0 Ok: queued',
            'shutdown': '421 4.7.0 Server closing connection'}


def test_default_actions(filters):
    """None listens, or it fails under way; a milter's own settings count before those of all."""
    nowhere = 'inet:127.0.0.1:1'
    one = filters[0]
    listeners = ''.join(f'[listener gone-{a}]\nprotocol = smtp\nport = {210 + i}\nsmtpd_milters = {nowhere}\nmilter_default_action = {a}\n'
                        f'[listener own-{a}]\nprotocol = smtp\nport = {220 + i}\nsmtpd_milters = {{ {one.name}, default_action = {a}, command_timeout = 1s }}\n'
                        for i, a in enumerate(DEFAULTS))
    with Server(sections=listeners) as server:
        def port(number):
            class There:
                @staticmethod
                def port(_):
                    return number + server.offset
            return There
        for i, (action, want) in enumerate(DEFAULTS.items()):
            one.behave({'R': m.DROP})
            for number in (210 + i, 220 + i):
                if action == 'shutdown' and number < 220:
                    with Smtp(port(number)) as client:
                        assert client.greeting == f'421 mail.{DOMAIN} Service unavailable - try again later' and client.ends()
                    continue
                if action == 'reject' and number < 220:
                    with Smtp(port(number)) as client:
                        assert client.greeting.startswith('554')
                        client.hello()
                        assert client.envelope(DEMO) == want
                    continue
                before = len(server.messages(DEMO))
                assert send(port(number)).startswith(want), f'{action}, {number}'
                assert len(server.messages(DEMO)) == before + (action == 'accept')
        server.wait_log(f'connect to Milter service {nowhere}: ')
        assert server.log().count('milter triggers HOLD action') >= 2


def test_other_listeners(server, filters):
    class Port:
        def __init__(self, number):
            self.number = number

        def port(self, _):
            return self.number + server.offset
    for number in (201, 202):
        before = [len(f.sessions) for f in filters]
        assert send(Port(number)).startswith('250')
        assert [len(f.sessions) for f in filters] == before
    with Smtp(server, 'lmtp') as client:
        client.hello()
        client.envelope(DEMO)
        assert client.data(TEXT)[0].startswith('250')
    assert [len(f.sessions) for f in filters] == before


def test_binary_is_not_offered(server, filters):
    with connect_smtp(server, 'smtp') as client:
        assert 'binarymime' not in client.esmtp_features and 'chunking' in client.esmtp_features
        filters[0].behave({'T': m.REJECT})
        client.docmd('MAIL', 'FROM:<a@client.example>')
        client.docmd('RCPT', f'TO:<{DEMO}>')
        client.sock.sendall(b'BDAT 14 LAST\r\nSubject: x\r\n\r\n')
        assert client.getreply() == (550, b'5.7.1 Command rejected')


def test_maps(filters):
    """Who gets which milters, by address."""
    one, two = filters
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-milters-'))
    folder.chmod(0o755)
    (folder / 'map').write_text(f'127.0.0.2 DISABLE\n127.0.0.3 {{ {two.name}, default_action = accept }}\n127.0.0.4 nonsense\n')
    with Server(conf={'smtpd_milters': one.name, 'smtpd_milter_maps': f'cidr:{folder}/map'}) as server:
        def said(source):
            counts = len(one.sessions), len(two.sessions)
            with Smtp(server, source=source) as client:
                client.hello()
                reply = client.envelope(DEMO)
            return reply[:9], len(one.sessions) - counts[0], len(two.sessions) - counts[1]
        assert said('127.0.0.1') == ('250 2.1.5', 1, 0)
        assert said('127.0.0.2') == ('250 2.1.5', 0, 0)
        assert said('127.0.0.3') == ('250 2.1.5', 0, 1)
        assert said('127.0.0.4') == ('451 4.3.5', 0, 0)


def test_header_checks(filters):
    one = filters[0]
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-milters-'))
    folder.chmod(0o755)
    (folder / 'checks').write_text('/^X-Spam: yes/ REJECT 5.7.9 spam\n/^X-Spam: maybe/ HOLD\n/^X-Spam: no/ IGNORE\n'
                                   '/^X-Old: (.*)/ REPLACE X-New: $1\n/^X-Gone/ DISCARD\n')
    with Server(conf={'smtpd_milters': one.name, 'milter_header_checks': f'regexp:{folder}/checks'}) as server:
        one.behave({'E': [m.add('X-Spam', 'no'), m.add('X-Old', '1'), m.CONTINUE]})
        assert header(delivered(server, b'X-Spam: yes\r\n\r\n')) == ['Received', 'X-Spam: yes', 'X-New: 1']  # the client's own is none of a milter
        one.behave({'E': [m.add('X-Spam', 'yes'), m.CONTINUE]})
        assert send(server) == '550 5.7.9 spam'
        one.behave({'E': [m.add('X-Spam', 'maybe'), m.CONTINUE]})
        assert send(server).startswith('250 2.0.0 Ok: queued')
        server.wait_log('milter-header-hold: ')
        count = len(server.messages(DEMO))
        one.behave({'E': [m.add('X-Gone', 'yes'), m.CONTINUE]})
        assert send(server).startswith('250') and len(server.messages(DEMO)) == count


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
def test_unix_sockets_and_programs():
    """The master connects to the sockets that settings name; programs of this machine have non_smtpd_milters."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-milters-'))
    folder.chmod(0o755)
    with m.Milter(str(folder / 'a')) as one, m.Milter(str(folder / 'b')) as two:
        with Server(conf={'smtpd_milters': one.name, 'non_smtpd_milters': two.name, 'smtpd_milter_maps': f'inline:{{{{127.0.0.2 = unix:{folder}/c}}}}'},
                    sections='[listener submission]\nsmtpd_milters =\n') as server:
            assert stat.S_ISSOCK((folder / 'a').stat().st_mode)
            one.behave({'E': [m.add('X-One', '1'), m.CONTINUE]})
            two.behave({'E': [m.add('X-Two', '2'), m.CONTINUE]})
            assert header(delivered(server))[-1] == 'X-One: 1' and not two.sessions
            before = len(server.messages(DEMO))
            server.malle('sendmail', '-f', 'root@sender.example', DEMO, input='Subject: local\n\nx\n')
            eventually(lambda: len(server.messages(DEMO)) == before + 1)
            message = email.message_from_bytes(newest(server))
            assert message['X-Two'] == '2' and message['X-One'] is None
            assert two.last.of('C')[0] == b'localhost\x004\0\x00127.0.0.1\0'
            assert 'Date' in [name for name, _ in two.last.header()]
            with m.Milter(str(folder / 'c')), Smtp(server, source='127.0.0.2') as client:  # no setting names it
                client.hello()
                assert client.envelope(DEMO) == TOO_LATE
                server.wait_log('is not named in')
            with contextlib.suppress(FileNotFoundError):
                (folder / 'c').unlink()
