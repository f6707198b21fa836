"""How often a client may log in, begin TLS sessions and send, in anvil_rate_time_unit; tests/peers/test_clients_postfix.py compares the words."""
import smtplib
import ssl
import time

import pytest

from harness import Server
from talk import Smtp, Talk

USER, PASSWORD = 'joe@malle.test', 'joes'


@pytest.fixture(scope='module')
def server():
    conf = {'smtpd_client_auth_rate_limit': '2', 'smtpd_client_new_tls_session_rate_limit': '2', 'anvil_rate_time_unit': '1h',
            'smtpd_client_event_limit_exceptions': '127.0.0.99'}
    with Server(conf=conf, users={USER: PASSWORD}) as s:
        yield s


def tls(server, source):
    """A TLS connection and its greeting."""
    talk = Talk(server, 'submissions', source=source, tls=True)
    talk.greeting = talk.line()
    return talk


def test_log_ins(server):
    with tls(server, '127.0.0.9') as client:
        client.send('EHLO client.example\r\nAUTH PLAIN AAAA\r\nAUTH PLAIN AAAA\r\nAUTH PLAIN AAAA\r\n')
        replies = read(client, 4)
    assert replies[1].startswith('535 ') and replies[2].startswith('535 ')
    assert replies[3] == '450 4.7.1 Error: too many AUTH commands from 127.0.0.9'
    server.wait_log('warning: AUTH command rate limit exceeded: 3 from unknown[127.0.0.9] for service submissions')
    with tls(server, '127.0.0.10') as client:
        client.send('EHLO client.example\r\nAUTH PLAIN AAAA\r\n')
        assert read(client, 2)[1].startswith('535 ')


def read(client, count):
    """The last lines of so many replies."""
    replies = []
    while len(replies) < count:
        line = client.line()
        if line[3:4] == ' ':
            replies.append(line)
    return replies


def test_tls_from_the_start(server):
    greetings = []
    for _ in range(3):
        with tls(server, '127.0.0.11') as client:
            greetings.append(client.greeting)
    assert [text[:4] for text in greetings] == ['220 ', '220 ', '421 ']
    assert greetings[2] == '421 4.7.0 mail.malle.test Error: too many new TLS sessions from unknown[127.0.0.11]'
    server.wait_log('warning: New TLS session rate limit exceeded: 3 from unknown[127.0.0.11] for service submissions')


def test_starttls(server):
    """Counted for each listener alone."""
    for _ in range(2):
        with smtplib.SMTP('127.0.0.1', server.port('submission'), source_address=('127.0.0.11', 0)) as client:
            assert client.starttls(context=server.tls_context())[0] == 220
            client.ehlo()
    with Smtp(server, 'submission', source='127.0.0.11') as client:
        client.hello()
        assert client.command('STARTTLS') == '454 4.7.0 Error: too many new TLS sessions from unknown[127.0.0.11]'
    server.wait_log('warning: Refusing STARTTLS request from unknown[127.0.0.11] for service submission')


def test_sessions_that_are_resumed_are_not_new(server):
    context = server.tls_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the ticket comes with the handshake
    session = None
    for i in range(5):
        talk = Talk(server, 'submissions', source='127.0.0.12')
        with context.wrap_socket(talk.socket, session=session) as sock:
            assert sock.recv(1000).startswith(b'220 ')
            assert sock.session_reused == (i > 0)
            session = sock.session


def test_exceptions(server):
    for _ in range(4):
        with tls(server, '127.0.0.99') as client:
            assert client.greeting.startswith('220 ')


def test_time_heals():
    with Server(conf={'smtpd_client_message_rate_limit': '2', 'anvil_rate_time_unit': '2s'}) as server, \
            Smtp(server, source='127.0.0.9') as client:
        client.hello()

        def mail():
            reply = client.command('MAIL FROM:<a@client.example>')
            client.command('RSET')
            return reply[:4]
        assert [mail() for _ in range(3)] == ['250 ', '250 ', '450 ']
        time.sleep(1.1)
        assert mail() == '250 '
