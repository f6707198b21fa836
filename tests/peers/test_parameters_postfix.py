"""Single parameters of Postfix: its own effect of each, and malle's of the option of the same name."""
import pathlib
import re
import smtplib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from peers import Postfix, overrides, running  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Port, Smtp  # noqa: E402

DEMO = 'demo@malle.test'
TEXTS = {'bare': b'Subject: %s\r\n\r\nx\r\n', 'dated': b'Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nSubject: %s\r\nCC: a@b.example\r\n\r\nx\r\n',
         'whole': b'Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nFrom: x@y.example\r\nMessage-ID: <1@y.example>\r\nTo: z@y.example\r\nSubject: %s\r\n\r\nx\r\n',
         'none': b'\r\n%s\r\n'}
SLOW = {'smtpd_soft_error_limit': '2', 'smtpd_error_sleep_time': '1s'}
HEADERS = {'left': {'undisclosed_recipients_header': 'To: undisclosed-recipients:;'}, 'added': {'always_add_missing_headers': 'yes'},
           'told': {'always_add_missing_headers': 'yes', 'undisclosed_recipients_header': 'To: undisclosed-recipients:;'}}
TAGS = {'both': 'canonical, virtual', 'canonical': 'canonical', 'virtual': 'virtual', 'none': ''}
MAPS = {'virtual_alias_maps': f'inline:{{ {{ alias@malle.test = {DEMO} }} }}', 'recipient_canonical_maps': f'inline:{{ {{ other@malle.test = {DEMO} }} }}',
        'recipient_delimiter': '+'}


class Own(Postfix):
    """Services of smtpd, and of cleanup behind them, with settings of their own."""
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.slow, self.headers, self.tags = free_port(), {case: free_port() for case in HEADERS}, {case: free_port() for case in TAGS}

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test', 'local_header_rewrite_clients': '', **MAPS}

    def services(self):
        lines = f'127.0.0.1:{self.slow} inet n - n - - smtpd\n' + overrides(SLOW)
        cleanups = {**{port: HEADERS[case] for case, port in self.headers.items()},
                    **{port: {'propagate_unmatched_extensions': TAGS[case]} for case, port in self.tags.items()}}
        for port, settings in cleanups.items():
            lines += f'127.0.0.1:{port} inet n - n - - smtpd\n  -o cleanup_service_name=c{port}\nc{port} unix n - n - 0 cleanup\n' + overrides(settings)
        return lines


@pytest.fixture(scope='module')
def postfix():
    with running(Own, free_port()) as peer:
        yield peer


def seconds(port):
    """How long each reply takes; a message that is accepted forgives what was before."""
    took = []
    with Smtp(Port(port)) as client:
        def timed(what, *arguments):
            begun = time.monotonic()
            what(*arguments)
            took.append(round(time.monotonic() - begun))
        for line in ('HELO x', 'FOO', 'FOO', 'FOO', 'NOOP', f'MAIL FROM:<{DEMO}>', f'RCPT TO:<{DEMO}>'):
            timed(client.command, line)
        client.data(b'Subject: x\r\n\r\nx\r\n')
        timed(client.command, 'FOO')
        timed(client.command, 'NOOP')
    return took


def test_slow_after_errors(postfix):
    with Server(conf=SLOW) as server:
        assert seconds(server.port('smtp')) == seconds(postfix.slow) == [0, 0, 0, 1, 1, 1, 1, 0, 0]
        with Smtp(server, 'submission') as client:
            assert client.command('HELO x').startswith('250')
    with Server() as server:
        assert seconds(server.port('smtp')) == 9 * [0]


def put(port, text, recipient=DEMO):
    with Smtp(Port(port)) as client:
        client.hello()
        assert client.envelope(recipient, sender='a@client.example').startswith('250')
        assert client.data(text)[0].startswith('250')


def arrived(messages, mark):
    """The one with this mark, once it is there."""
    return eventually(lambda: [text for text in (path.read_text() for path in messages()) if mark in text], 20)[0]


def fields(text):
    """What the header has, but for what delivery adds; values that are made anew count as such."""
    header = text.replace('\r\n', '\n').partition('\n\n')[0]
    found = sorted(line for line in re.split(r'\n(?![ \t])', header) if not re.match('(?i)Return-Path|Delivered-To|X-Original-To|Received', line))
    return [re.sub(r'(?i)^(date: )(?!Fri, 27).*|^(message-id: )<(?!1@).*', lambda m: (m[1] or m[2]).lower(), line) for line in found]


@pytest.mark.parametrize('case', HEADERS)
def test_missing_headers(postfix, case):
    with Server(conf=HEADERS[case]) as server:
        for name, text in TEXTS.items():
            mark = f'mark-{case}-{name}'
            put(postfix.headers[case], text % mark.encode())
            put(server.port('smtp'), text % mark.encode())
            theirs, ours = arrived(postfix.messages, mark), arrived(lambda: server.messages(DEMO), mark)
            assert fields(ours) == fields(theirs), mark
            assert ours.replace('\r\n', '\n').partition('\n\n')[2] == theirs.partition('\n\n')[2]


@pytest.mark.parametrize('case', TAGS)
def test_extensions_of_tables(postfix, case):
    with Server(conf={**MAPS, 'propagate_unmatched_extensions': TAGS[case]}) as server:
        for name in ('alias', 'other'):
            mark = f'mark-tag-{case}-{name}'
            put(postfix.tags[case], f'Subject: {mark}\r\n\r\nx\r\n'.encode(), f'{name}+tag@malle.test')
            put(server.port('smtp'), f'Subject: {mark}\r\n\r\nx\r\n'.encode(), f'{name}+tag@malle.test')
            theirs, ours = (re.search('^Delivered-To: (.*)', text, re.M)[1] for text in (arrived(postfix.messages, mark), arrived(lambda: server.messages(DEMO), mark)))
            assert ours == theirs, name


def test_not_offered_to_log_in():
    """Of the networks that are excepted; and names are looked up, or not."""
    sections = '[listener apart]\nprotocol = submission\nport = 301\nsmtpd_sasl_exceptions_networks = 192.0.2.0/24\nsmtpd_peername_lookup = no\n'
    with Server(conf={'smtpd_sasl_exceptions_networks': '127.0.0.0/8', 'disable_plaintext_auth': 'no'}, sections=sections) as server:
        for listener, offered in (('submission', False), ('apart', True)):
            with smtplib.SMTP('127.0.0.1', 301 + server.offset if listener == 'apart' else server.port(listener)) as client:
                client.ehlo()
                assert client.has_extn('auth') == offered
                assert (client.docmd('AUTH', 'PLAIN =') == (503, b'5.5.1 Error: authentication not enabled')) != offered
        assert 'connect from localhost[127.0.0.1]' in server.log()
        eventually(lambda: 'connect from unknown[127.0.0.1]' in server.log())
