"""Clients that say who they are (XCLIENT, XFORWARD), and those that do too much: the same dialogues with Debian's Postfix and with malle,
and the same replies and log lines."""
import contextlib
import pathlib
import re
import socket
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, running  # noqa: E402
from ports import free_port  # noqa: E402

LIMITS = {'smtpd_client_message_rate_limit': 2, 'smtpd_client_recipient_rate_limit': 5, 'smtpd_client_connection_rate_limit': 12}
SETTINGS = {'smtpd_forbidden_commands': '!foobar, CONNECT GET POST regexp:{ {/^[^A-Z]/ Bogus} {/foo./ x} }', 'smtpd_noop_commands': 'nothing ETRN inline:{ { noop = x } }',
            'smtpd_authorized_xclient_hosts': '127.0.0.1, 127.0.0.2, 127.0.0.66, [2001:db8::]/32',
            'smtpd_authorized_xforward_hosts': '127.0.0.1, 127.0.0.4', 'smtpd_client_event_limit_exceptions': '127.0.0.51', **LIMITS,
            'mynetworks': '198.51.100.0/24', 'smtpd_delay_reject': 'no', 'smtpd_helo_required': 'no',
            'smtpd_client_restrictions': 'inline:{ { 127.0.0.66 = REJECT no } }'}
MAIL = ('MAIL FROM:<demo@malle.test>', 'RCPT TO:<demo@malle.test>', 'RSET')
ELSEWHERE = ('MAIL FROM:<x@c.example>', 'RCPT TO:<a@elsewhere.example>', 'RSET')
# each from an address of its own, which counts for the limits
DIALOGUES = {
    'wrong': ('127.0.0.1', [f'XCLIENT{text}' for text in (
        '', ' FOO=bar', ' NAME', ' NAME=', ' NAME=-bad-', ' ADDR=1.2.3', ' PORT=abc', ' PROTO=X', ' NAME=a+ZZ', ' PORT=000025',
        ' ADDR=2001:db8::1', ' ADDR=[127.0.0.1]', ' ADDR=IPV6:192.0.2.1', ' NAME=1.2.3.4', ' PROTO=[UNAVAILABLE]', ' IDENT=x',
        ' LOGIN=' + 256 * 'a')]),
    'right': ('127.0.0.1', [line for text in (
        'PROTO=ESMTP', 'HELO=h.example', 'HELO=h.example PROTO=ESMTP', 'NAME=n.example', 'NAME=[UNAVAILABLE]', 'NAME=[TEMPUNAVAIL]',
        'REVERSE_NAME=r.example', 'PORT=77 ADDR=127.0.0.2 DESTADDR=203.0.113.1 DESTPORT=587', 'PORT=[UNAVAILABLE] HELO=[UNAVAILABLE]',
        'name=lower.example', 'NAME=a.example NAME=b.example', 'LOGIN=demo@malle.test', 'PORT=1', 'ADDR=IPV6:2001:db8::1', 'ADDR=198.51.100.1')
        for line in (f'XCLIENT {text}', *MAIL)] + [*ELSEWHERE, 'XCLIENT ADDR=127.0.0.1', 'EHLO x', 'QUIT']),
    'offered': ('127.0.0.1', ['EHLO x', 'XCLIENT ADDR=192.0.2.1', 'EHLO x', 'XCLIENT ADDR=127.0.0.1', *ELSEWHERE, 'XFORWARD NAME=x.example']),
    'refused': ('127.0.0.1', ['XCLIENT ADDR=127.0.0.66', 'EHLO x', 'XCLIENT ADDR=127.0.0.1', 'QUIT']),
    'within a transaction': ('127.0.0.1', ['EHLO x', MAIL[0], 'XCLIENT NAME=x', 'XFORWARD NAME=x', MAIL[1]]),
    'unauthorized': ('127.0.0.3', ['EHLO x', 'XCLIENT NAME=a.example', 'XFORWARD NAME=a.example', 'XCLIENT', 'XFORWARD', *ELSEWHERE]),
    'forwarded': ('127.0.0.4', ['XFORWARD NAME=a', 'EHLO x', *(f'XFORWARD{text}' for text in (
        '', ' FOO=x', ' LOGIN=x', ' NAME', ' NAME=-bad-', ' ADDR=1.2.3', ' PORT=abc', ' SOURCE=X', ' NAME=a+ZZ', ' NAME=[TEMPUNAVAIL]')),
        'XFORWARD NAME=c.example ADDR=192.0.2.1 PORT=99', 'XFORWARD PROTO=ESMTP HELO=helo.example IDENT=4bX SOURCE=REMOTE', *MAIL]),
    'forwarded twice': ('127.0.0.4', ['EHLO x', 'XFORWARD IDENT=only', *MAIL]),
    'too much mail': ('127.0.0.5', ['EHLO x', 'MAIL FROM:<x', *MAIL, *MAIL, MAIL[0]]),
    'too many recipients': ('127.0.0.6', ['EHLO x', MAIL[0], *3 * [MAIL[1]], 'RCPT TO:<a', 'RCPT TO:<a@elsewhere.example>', *2 * [MAIL[1]]]),
    'browser': ('127.0.0.8', ['get / HTTP/1.0']),
    'browser in a session': ('127.0.0.8', ['EHLO x', 'FOO', MAIL[0], '  POST /' + 200 * 'x' + ' HTTP/1.1']),
    'field': ('127.0.0.8', ['Subject: x']),
    'field without a name': ('127.0.0.8', ['EHLO x', 'Subject : x', ': x']),
    'no letter': ('127.0.0.8', ['EHLO x', '\x16\x03\x01']),
    'in a table': ('127.0.0.8', ['EHLO x', 'FOOBAR', 'BARFOO', 'foo2 x']),
    'known': ('127.0.0.8', ['EHLO x', 'RSET', 'NOOP', 'FOO', 'QUIT']),
    'nothing to do': ('127.0.0.8', ['EHLO x', 'NOTHING at all', 'rset', 'ETRN x', 'MAIL FROM:<x@c.example>', 'QUIT']),
    'foreign and refused': ('127.0.0.66', ['FOO', 'NOTHING', 'CONNECT x:25 HTTP/1.0']),
    'as much as one likes': ('127.0.0.51', ['EHLO x', *4 * MAIL]),
}


class Asked(Postfix):
    def changes(self):
        return {**SETTINGS, 'virtual_mailbox_domains': 'malle.test', 'smtpd_peername_lookup': 'no', 'inet_protocols': 'all',
                'smtpd_error_sleep_time': '0', 'smtpd_hard_error_limit': '1000',
                'smtpd_relay_restrictions': 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination'}


@pytest.fixture(scope='module')
def postfix():
    with running(Asked, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def server():
    with Server(conf={**SETTINGS, 'smtpd_hard_error_limit': '1000'}) as s:
        yield s


def talk(port, source, lines):
    """The greeting and the last line of each reply; of those to EHLO what it offers that begins with X."""
    with socket.create_connection(('127.0.0.1', port), 30, (source, 0)) as sock:
        file = sock.makefile('rwb')

        def reply():
            found = []
            while line := file.readline().decode():
                found.append(line.rstrip())
                if line[3:4] != '-':
                    break
            return found
        said = [reply()[-1][:4]]
        for line in lines:
            file.write(line.encode() + b'\r\n')
            file.flush()
            answer = reply()
            said.append([one[4:] for one in answer if one[4:5] == 'X'] if line.startswith('EHLO') and answer[0].startswith('250')
                        else normal(answer[-1]))
        return said


def normal(line):
    if line.startswith('220 '):
        return '220'
    line = re.sub('Bad (sender |recipient )?address syntax', 'Bad address syntax', line.replace('localhost[', 'unknown['))
    return re.sub('^250 2.1.[05] Ok$', '250', line)


def logged(lines):
    """Who the client is, and what it did too often or must not, without names of this machine and of the service; Postfix has ? for odd bytes."""
    found = (re.search(r'smtpd\[\d+\]: (?:\w+: (client=.*)|warning: (non-SMTP command) from .*?(\[.*)|(disconnect) from .*?(\[127\.0\.0\.(?:8|66)\].*)|.*?(\w[\w ]* limit exceeded): \d+ from .*?(\[.*\]))', line) for line in lines)
    return [re.sub(r'localhost|unknown|\\\d\d\d', '?', ' '.join(part for part in m.groups() if part)) for m in found if m]


@pytest.mark.parametrize('name', DIALOGUES)
def test_same_words(postfix, server, name):
    source, lines = DIALOGUES[name]
    log = postfix.dir / 'log/maillog'
    theirs_before, ours_before = len(log.read_text().splitlines()), len(server.lines)
    theirs, ours = talk(postfix.port, source, lines), talk(server.port('smtp'), source, lines)
    different = [f'{line}\n  Postfix: {t}\n  malle:   {o}' for line, t, o in zip(['(greeting)', *lines], theirs, ours) if t != o]
    assert not different, '\n'.join(different)

    def theirs_said():
        return log.read_text().splitlines()[theirs_before:]

    def ours_said():
        return server.lines[ours_before:]
    for said in (theirs_said, ours_said):
        eventually(lambda: any('disconnect from' in line for line in said()))
    assert logged(ours_said()) == logged(theirs_said())


def test_too_many_connections(postfix, server):
    def greetings(port, source):
        said = []
        for _ in range(14):
            with contextlib.closing(socket.create_connection(('127.0.0.1', port), 30, (source, 0))) as sock:
                said.append(re.sub('(peer.example|mail.malle.test) ', 'HOST ', sock.makefile('rb').readline().decode().strip()))
        return [normal(line) for line in said]
    theirs = greetings(postfix.port, '127.0.0.7')
    assert theirs == greetings(server.port('smtp'), '127.0.0.7')
    assert greetings(postfix.port, '127.0.0.2') == greetings(server.port('smtp'), '127.0.0.2') == ['220'] * 14  # may use XCLIENT
    assert theirs[-1] == '421 4.7.0 HOST Error: too many connections from 127.0.0.7'
