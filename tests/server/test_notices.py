"""notify_classes: what a postmaster is told of sessions with errors."""
import base64

import pytest

from harness import Server, eventually
from talk import Smtp

POSTMASTER, DEMO = 'chief@malle.test', 'demo@malle.test'
USERS = {POSTMASTER: 'secret', DEMO: 'demo'}


@pytest.fixture(scope='module')
def server():
    conf = {'notify_classes': 'policy, protocol', 'error_notice_recipient': POSTMASTER, 'mynetworks': '192.0.2.1', 'smtpd_hard_error_limit': '3',
            'disable_plaintext_auth': 'no'}
    with Server(conf=conf, users=USERS) as it:
        yield it


def session(server, *commands, listener='smtp', quits=True):
    """What is left at the end are the notices."""
    before = len(server.messages(POSTMASTER))
    with Smtp(server, listener) as client:
        said = [client.command(line) for line in (*commands, *(('QUIT',) if quits else ()))]
    return said, before


def notice(server, before):
    """The one that came, without its header, in lines."""
    messages = eventually(lambda: server.messages(POSTMASTER)[before:] or None)
    (message,) = messages
    header, _, body = message.read_text().partition('\n\n')
    return header, body.split('\n')


def test_transcript(server):
    said, before = session(server, 'EHLO client.example', 'NONSENSE ' + 'word ' * 30, 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@elsewhere.example>',
                           f'RCPT TO:<{DEMO}>')
    header, body = notice(server, before)
    assert 'Subject: malle SMTP server: errors from localhost[127.0.0.1]' in header.replace('unknown[', 'localhost[')
    assert f'From: Mail Delivery System <MAILER-DAEMON@mail.malle.test>\nTo: Postmaster <{POSTMASTER}>\n' in header
    assert header.startswith('Return-Path: <>\n') and 'Auto-Submitted: auto-generated' in header
    assert body[0] == 'Transcript of session follows.' and body[2].startswith(' Out: 220 mail.malle.test')
    assert ' In:  EHLO client.example' in body and f' Out: {said[1]}' in body and ' In:  RCPT TO:<b@elsewhere.example>' in body
    at = body.index(' In:  NONSENSE ' + ' '.join(['word'] * 13))
    assert body[at + 1].startswith('     word word') and all(len(line) <= 79 for line in body[:at + 3])
    assert body[-5:] == [' Out: 221 2.0.0 Bye', '', '', 'For other details, see the local mail logfile', '']


def test_what_is_not_told(server):
    """A session without errors, or with those of other classes; and never a password or a message."""
    session(server, 'EHLO client.example', 'MAIL FROM:<a@client.example>', f'RCPT TO:<{DEMO}>')
    session(server, 'EHLO client.example', 'MAIL FROM:<a@client.example>', 'RCPT TO:<nobody@malle.test>')
    before = len(server.messages(POSTMASTER))
    password = base64.b64encode(f'\0{DEMO}\0wrong'.encode()).decode()
    said, before_auth = session(server, 'EHLO client.example', f'AUTH PLAIN {password}', 'AUTH PLAIN', password, 'FOO', listener='submission')
    header, body = notice(server, before)
    assert before == before_auth and password not in '\n'.join(body) and ' In:  AUTH PLAIN *' in body and ' In:  AUTH PLAIN' in body


def test_why_it_ended(server):
    _, before = session(server, 'EHLO client.example', 'FOO', 'FOO', quits=False)
    assert 'Session aborted, reason: lost connection' in notice(server, before)[1]
    _, before = session(server, 'FOO', 'FOO', 'FOO', quits=False)
    assert 'Session aborted, reason: too many errors' in notice(server, before)[1]


def test_nobody_is_told_by_default():
    with Server(users=USERS) as server:
        session(server, 'FOO', 'EHLO x', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@elsewhere.example>')
        server.wait_log('disconnect from')
        assert not server.messages(POSTMASTER) and 'notify' not in server.log()


def test_recipients():
    """postmaster is found as any client would find him; one who is not there is a line in the log."""
    conf = {'notify_classes': 'protocol', 'virtual_alias_maps': f'inline:{{ {{postmaster@malle.test={POSTMASTER}}} }}'}
    with Server(conf=conf, users=USERS) as server:
        _, before = session(server, 'FOO')
        assert 'To: Postmaster <postmaster@mail.malle.test>' in notice(server, before)[0]
    with Server(conf={'notify_classes': 'protocol', 'error_notice_recipient': 'nobody@malle.test'}, users=USERS) as server:
        session(server, 'FOO')
        server.wait_log('postmaster notify: nobody@malle.test: ')
