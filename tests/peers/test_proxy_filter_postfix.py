"""The same filter before the queue, of Debian's Postfix and of malle: the replies to clients and the log lines, and what it hears itself. And
clients that do not wait for replies, where they have to."""
import pathlib
import re
import socket
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, running  # noqa: E402
from ports import free_port  # noqa: E402
from relay.remote import Remote  # noqa: E402
from talk import Port, Smtp  # noqa: E402

ORIGIN = 'XFORWARD NAME ADDR PROTO HELO PORT IDENT SOURCE'
KEYWORDS = ('8BITMIME', 'SIZE 50000000', 'ENHANCEDSTATUSCODES', ORIGIN)
# what the filter answers
REPLIES = {
    'it is fine': {}, 'it says so': {'DOT': '250 2.6.0 passed as 42'}, 'spam': {'DOT': '554 5.7.1 spam'}, 'no room': {'DOT': '452 4.3.1 no room'},
    'not this sender': {'MAIL': '550 5.1.8 not you'}, 'no more data': {'DATA': '451 4.3.2 not now'}, 'lost': {'DOT': None},
    'busy': {'CONNECT': '421 4.3.2 busy'},
}
# commands sent ahead, and how they begin
AHEAD = {
    'EHLO': (b'', b'EHLO x\r\nMAIL FROM:<a@c.example>\r\n'), 'HELO': (b'HELO x\r\n', b'MAIL FROM:<a@c.example>\r\nRCPT TO:<demo@malle.test>\r\n'),
    'NOOP': (b'EHLO x\r\n', b'NOOP\r\nNOOP\r\n'), 'VRFY': (b'EHLO x\r\n', b'VRFY demo\r\nNOOP\r\n'),
    'DATA': (b'EHLO x\r\n', b'MAIL FROM:<a@c.example>\r\nRCPT TO:<demo@malle.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n'),
    'fine': (b'EHLO x\r\n', b'MAIL FROM:<a@c.example>\r\nRSET\r\nMAIL FROM:<b@c.example>\r\nQUIT\r\n'),
    'before RSET': (b'EHLO x\r\n', b'RSET\r\nQUIT\r\n'), 'unknown': (b'EHLO x\r\n', b'FOO\r\nNOOP\r\n'),
}


class Filtered(Postfix):
    def changes(self):
        return {'virtual_mailbox_domains': 'malle.test', 'smtpd_peername_lookup': 'no', 'smtpd_proxy_timeout': '5s', 'smtpd_proxy_options': 'speed_adjust',
                'smtpd_proxy_filter': f'127.0.0.1:{self.filter.port}', 'smtpd_forbid_unauth_pipelining': 'yes'}


@pytest.fixture(scope='module')
def remote():
    with Remote(keywords=KEYWORDS) as it:
        yield it


@pytest.fixture(scope='module')
def postfix(remote):
    Filtered.filter = remote
    with running(Filtered, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def server(remote):
    with Server(conf={'smtpd_proxy_filter': f'inet:127.0.0.1:{remote.port}', 'smtpd_proxy_timeout': '5s', 'smtpd_forbid_unauth_pipelining': 'yes'}) as s:
        yield s


def lines_of(postfix):
    return (postfix.dir / 'log/maillog').read_text().splitlines()


def logged(lines):
    found = (re.search(r'smtpd\[\d+\]: ((?:proxy-\w+|improper).*)', line) for line in lines)
    return [m.group(1).replace('localhost[', 'unknown[') for m in found if m]


@pytest.mark.parametrize('name', REPLIES)
def test_same_replies(postfix, server, remote, name):
    def send(port):
        remote.rules, remote.messages, remote.origins = [], [], []
        for verb, reply in REPLIES[name].items():
            remote.answer(verb, reply)
        with Smtp(Port(port)) as client:
            client.hello()
            assert client.envelope('demo@malle.test').startswith('250')
            reply = client.data(b'Subject: x\r\n\r\nx\r\n')[0]
        heard = [(m.sender, m.recipients, m.content.split(b'\r\n')[-4:]) for m in remote.messages]
        origins = [re.sub('PORT=\\d+|IDENT=\\S+|NAME=\\S+|SOURCE=\\S+', '', origin).split() for origin in remote.origins]
        return reply, heard, [sorted(words) for words in origins]
    before, ours_before = len(lines_of(postfix)), len(server.lines)
    theirs, ours = send(postfix.port), send(server.port('smtp'))
    assert ours == theirs
    for said in (lambda: lines_of(postfix)[before:], lambda: server.lines[ours_before:]):
        eventually(lambda: any('disconnect from' in line for line in said()))
    assert logged(server.lines[ours_before:]) == logged(lines_of(postfix)[before:])


@pytest.mark.parametrize('name', AHEAD)
def test_same_patience(postfix, server, name):
    first, ahead = AHEAD[name]

    def said(port):
        with socket.create_connection(('127.0.0.1', port), 30) as sock:
            file = sock.makefile('rb')
            assert file.readline().startswith(b'220')
            if first:
                sock.sendall(first)
                while file.readline()[3:4] == b'-':
                    pass
            sock.sendall(ahead)
            sock.shutdown(socket.SHUT_WR)
            return [line[:9].decode() for line in file.read().splitlines() if line[3:4] == b' ' and line[:3] != b'421']
    before, ours_before = len(lines_of(postfix)), len(server.lines)
    theirs = said(postfix.port)
    assert said(server.port('smtp')) == theirs
    for lines in (lambda: lines_of(postfix)[before:], lambda: server.lines[ours_before:]):
        eventually(lambda: any('disconnect from' in line for line in lines()))
    assert logged(server.lines[ours_before:]) == logged(lines_of(postfix)[before:])
