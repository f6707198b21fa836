"""UNAUTHENTICATE (RFC 8437): the next user of a connection gets nothing of the one before."""
import os
import re

import pytest

from harness import Server, eventually
from imap_model import Connection
from test_imap_compress import compressed

JOE, ANN = ('joe@malle.test', 'joes'), ('ann@malle.test', 'anns')
USERS = dict([JOE, ANN])


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS) as s:
        yield s


def connect(server):
    connection = Connection(server.tls_context().wrap_socket(server.connect('imaps')))
    connection.line()
    return connection


def log_in(server, connection, user):
    """The id of the session's process."""
    def logged():
        return re.findall(rf'Login: user=<{user[0]}>.* mpid=(\d+)', server.log())
    before = len(logged())
    assert connection.say(f'LOGIN {user[0]} {user[1]}')[1].startswith('OK')
    eventually(lambda: len(logged()) > before)
    return int(logged()[-1])


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_each_user_has_a_process_of_its_own(server):
    client = connect(server)
    pids = []
    for user in (JOE, ANN, JOE, ANN):
        pids.append(log_in(server, client, user))
        assert client.say('APPEND INBOX {6+}\r\na: b\r\n\r\n')[1].startswith('OK')
        assert client.say('UNAUTHENTICATE')[1].startswith('OK')
        assert client.say('SELECT INBOX')[1].startswith('BAD')
        eventually(lambda: is_gone(pids[-1]))
    assert len(set(pids)) == 4
    log_in(server, client, JOE)
    assert client.say('STATUS INBOX (MESSAGES)')[0] == ['* STATUS INBOX (MESSAGES 2)']


def test_sessions_are_counted_once(server):
    """More log-ins over one connection than sessions are allowed at a time."""
    client = connect(server)
    for _ in range(15):
        log_in(server, client, JOE)
        assert client.say('UNAUTHENTICATE')[1].startswith('OK')


def test_a_session_that_is_killed_closes_the_connection(server):
    client = connect(server)
    pid = log_in(server, client, JOE)
    os.kill(pid, 9)
    assert client.sock.recv(100) == b''


def test_too_much_behind_it(server):
    """What has come by then is too much to be taken back; what comes later is too long a command, as ever before log-in."""
    client = connect(server)
    log_in(server, client, JOE)
    client.send('a UNAUTHENTICATE\r\nb NOOP ' + 'x' * 40000)
    assert client.line().startswith('a OK')
    assert client.sock.recv(100) in (b'', b'* BAD The command is too long.\r\n')


def test_a_compressed_connection_is_closed(server):
    client = compressed(server)
    lines, tagged = client.say('UNAUTHENTICATE')
    assert lines[0].startswith('* BYE') and tagged.startswith('OK')
    assert client.sock.recv(100) == b''


def test_it_can_be_switched_off():
    with Server(users=USERS, conf={'imap_unauthenticate': 'no'}) as server:
        client = connect(server)
        tagged = client.say(f'LOGIN {JOE[0]} {JOE[1]}')[1]
        assert 'UNAUTHENTICATE' not in tagged
        assert client.say('UNAUTHENTICATE')[1].startswith('BAD')
        assert client.say('NOOP')[1].startswith('OK')
