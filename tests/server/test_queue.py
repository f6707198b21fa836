"""malle queue, with the server running and stopped."""
import contextlib
import datetime
import json
import sqlite3

import pytest

from harness import FULL, Server, eventually
from mail import send
from sink import Sink, closed_port

JOE, ANN, FAR = 'joe@malle.test', 'ann@malle.test', 'far@example.net'
TEXT = 'Subject: hello\r\nMessage-ID: <one@malle.test>\r\n\r\nbody\r\n'


def conf(port):
    return {'relayhost': f'[127.0.0.1]:{port}', 'mynetworks': '127.0.0.0/8'}


@pytest.fixture
def port():
    return closed_port()


@pytest.fixture
def server(port):
    with Server(conf=conf(port), users={JOE: 'joes', ANN: 'anns'}) as s:
        yield s


def listed(server, *filters):
    return json.loads(server.malle('queue', 'list', '--json', *filters).stdout)


def put(server, *recipients, sender=JOE, text=TEXT):
    """A message that cannot be delivered now; its id."""
    code, answer = send(server, recipients or (FAR,), text, sender=sender)
    assert code == 250, answer
    return answer.split()[-1]


def put_and_wait(server, *recipients, **how):
    ident = put(server, *recipients, **how)

    def tried():
        """The message was tried once."""
        return [m for m in listed(server, ident) if all(r['attempts'] for r in m['recipients'])]
    return ident, eventually(tried)[0]


def change(server, *arguments):
    done = server.malle('queue', *arguments, check=False)
    return done.returncode, done.stdout.strip()


def test_list_says_why_a_message_waits(server, port):
    ident, message = put_and_wait(server)
    assert (message['id'], message['sender'], message['message_id']) == (ident, JOE, '<one@malle.test>')
    assert message['size'] > len(TEXT)
    arrived = datetime.datetime.strptime(message['arrived'], '%Y-%m-%dT%H:%M:%SZ')
    assert abs((datetime.datetime.utcnow() - arrived).total_seconds()) < 60
    [recipient] = message['recipients']
    assert recipient['address'] == FAR and recipient['status'] == 'deferred' and recipient['attempts'] == 1
    assert recipient['next_attempt'] > message['arrived']
    assert 'Connection refused' in recipient['last_reply']
    assert recipient['reason'].startswith(f'[127.0.0.1]:{port} could not be reached (')
    assert 'Connection refused' in recipient['reason'] and '; next try in ' in recipient['reason']
    text = server.malle('queue', 'list').stdout
    assert text.startswith(f'{ident}: from {JOE}, ') and f'\n    {FAR}: deferred: [127.0.0.1]:{port} could' in text
    shown = server.malle('queue', 'show', ident).stdout
    assert '1 attempt, the last at ' in shown and 'received from ' in shown and '<one@malle.test>' in shown
    assert json.loads(server.malle('queue', 'show', ident, '--json').stdout)['id'] == ident


def test_remote_words_are_kept(server, port):
    with Sink(port, rcpt='450 4.2.1 mailbox busy'):
        _, message = put_and_wait(server)
    [recipient] = message['recipients']
    assert recipient['last_reply'] == '450 4.2.1 mailbox busy'
    assert f'127.0.0.1[127.0.0.1]:{port} said 450 4.2.1 mailbox busy; next try in ' in recipient['reason']


def test_retry_clears_the_site(server, port):
    put_and_wait(server)
    with Sink(port) as sink:
        assert change(server, 'retry', 'ALL') == (0, '1 message will be tried now')
        eventually(lambda: sink.messages, 5)
        eventually(lambda: not listed(server), 5)
    sender, recipients, content = sink.messages[0]
    assert (sender, recipients) == (JOE, [FAR]) and content.endswith(b'\r\n\r\nbody\r\n')
    assert server.malle('queue', 'list').stdout == 'the queue is empty\n'


def test_hold_and_release(server, port):
    ident, _ = put_and_wait(server)
    assert change(server, 'hold', ident) == (0, '1 message held')
    [recipient] = listed(server)[0]['recipients']
    assert recipient['status'] == 'held' and recipient['next_attempt'] is None
    assert recipient['reason'] == 'held by an administrator'
    with Sink(port) as sink:
        assert change(server, 'retry', 'ALL') == (1, '0 messages will be tried now')
        assert change(server, 'release', '--sender', JOE) == (0, '1 message released')
        eventually(lambda: sink.messages, 5)


def test_cat_delete_and_filters(server):
    ident, _ = put_and_wait(server)
    put(server, 'x@example.com', 'y@example.net', sender=ANN)  # the site is not tried now
    content = server.malle('queue', 'cat', ident).stdout
    assert content.startswith('Received: ') and content.endswith('\n\nbody\n')
    assert len(listed(server, '--domain', 'example.net')) == 2
    assert len(listed(server, '--reason', 'connection REFUSED')) == 2
    assert len(listed(server, '--recipient', 'x@example.com', '--sender', ANN)) == 1
    assert [m['id'] for m in listed(server, '--limit', '1')] == [ident] and len(listed(server, '--limit', '2')) == 2
    assert 'no number of messages' in server.malle('queue', 'list', '--limit', '0', check=False).stderr
    assert listed(server, '--age', '1h') == listed(server, '--larger-than', '1M') == []
    assert len(listed(server, '--older-than', '0s', '--size', '10')) == 2
    stats = json.loads(server.malle('queue', 'stats', '--json').stdout)
    assert stats['messages'] == 2 and stats['recipients'] == 3 and stats['sites'][0]['dead_until']
    assert change(server, 'delete', '--domain', 'example.com') == (0, '1 message deleted')
    assert [r['address'] for m in listed(server) for r in m['recipients']] == [FAR, 'y@example.net']
    assert change(server, 'delete', ident, ident) == (0, '1 message deleted')
    assert change(server, 'delete', ident) == (1, '0 messages deleted')
    assert change(server, 'delete', 'ALL') == (0, '1 message deleted')


FILTERS = (['--sender', JOE.upper()], ['--recipient', FAR], ['--domain', 'Example.NET'], ['--age', '30m'], ['--reason', 'MAILBOX busy'],
           ['--size', '2000'])


def read_and_change(server, ident, words, status):
    """All actions with a filter that one message alone matches."""
    [before] = status()
    assert [m['id'] for m in json.loads(server.malle('queue', 'show', '--json', *words).stdout)] == [ident]
    assert json.loads(server.malle('queue', 'stats', '--json', *words).stdout)['messages'] == 1
    content = server.malle('queue', 'cat', *words).stdout
    assert content.startswith(f'From {JOE} ') and content.count('\nSubject: ') == 1 and content.endswith('x\n\n')
    assert '\n>From the text\n>>From it\n' in content
    assert change(server, 'hold', *words) == (0, '1 message held') and status() == ['held']
    held = ['--reason', 'held by'] if '--reason' in words else words
    assert change(server, 'release', *held) == (0, '1 message released') and status() == [before]
    assert change(server, 'retry', *words) == (0, '1 message will be tried now')
    assert change(server, 'requeue', *words) == (0, '1 message requeued')
    assert change(server, 'bounce', *words) == (0, '1 message returned to the sender') and status() == ['failed']


def test_every_action_takes_every_filter(server):
    """Of two messages that wait, each filter alone matches one; nothing happens to the other."""
    one = put(server, text=TEXT + 'From the text\r\n>From it\r\n' + 'x' * 2000 + '\r\n')
    two = put(server, 'x@example.com', sender=ANN)
    server.stop()
    path = server.dir / 'state/spool/queue.db'
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        rows = {ident: n for ident, n in db.execute('SELECT id,n FROM message')}
        db.execute('UPDATE message SET arrived=arrived-3600000 WHERE n=?', (rows[one],))
        db.execute("UPDATE rcpt SET attempts=1,code=450,reply='host a[192.0.2.1] said: 450 mailbox busy',remote='a[192.0.2.1]' WHERE message=?",
                   (rows[one],))
        db.execute("UPDATE site SET retry=0,failures=0,reply=''")
    kept = path.read_bytes()

    def status(ident):
        return [r['status'] for m in listed(server, ident) for r in m['recipients']]
    before = status(one) + status(two)
    for i, words in enumerate(FILTERS):
        assert [m['id'] for m in listed(server, *words)] == [one]
        if i == 0 or FULL:
            read_and_change(server, one, words, lambda: status(one))
            path.write_bytes(kept)
        assert change(server, 'delete', *words) == (0, '1 message deleted') and not listed(server, one) and status(two) == before[1:]
        path.write_bytes(kept)
    assert server.malle('queue', 'cat', 'ALL').stdout.count('\nSubject: ') == 2
    assert server.malle('queue', 'show', one, two).stdout.count('message-id <one@malle.test>') == 2
    assert server.malle('queue', 'cat', '--domain', 'none.example', check=False).stderr == 'malle: nothing in the queue matches\n'


def test_bounce_tells_the_sender(server):
    ident, _ = put_and_wait(server)
    assert change(server, 'bounce', ident) == (0, '1 message returned to the sender')
    [path] = eventually(lambda: server.messages(JOE))
    text = path.read_text()
    assert 'returned by an administrator' in text and 'Action: failed' in text and FAR in text
    eventually(lambda: not listed(server))


def test_works_while_the_server_is_down(server, port):
    ident, _ = put_and_wait(server)
    server.stop()
    assert [m['id'] for m in listed(server)] == [ident]
    assert change(server, 'retry', ident) == (0, '1 message will be tried now')
    with Sink(port) as sink:
        server.start()
        eventually(lambda: sink.messages, 10)


def test_relayhost_changed_by_reload(server, port):
    """What is tried next goes the new way, and is still known to have been tried."""
    ident, before = put_and_wait(server)
    server.write_conf(conf(closed_port()))
    server.reload()
    change(server, 'retry', 'ALL')
    [tried] = eventually(lambda: [m for m in listed(server, ident) if m['recipients'][0]['attempts'] == 2])
    assert 'Connection refused' in tried['recipients'][0]['last_reply']
    with Sink() as sink:
        server.write_conf(conf(sink.port))
        server.reload()
        change(server, 'retry', 'ALL')
        eventually(lambda: sink.messages, 10)


def test_requeue(server, port):
    put_and_wait(server)
    assert change(server, 'requeue', 'ALL') == (0, '1 message requeued')
    eventually(lambda: listed(server)[0]['recipients'][0]['attempts'] == 2)


def test_wrong_usage():
    with Server(users={}, start=False) as server:
        for arguments in ([], ['nonsense'], ['retry'], ['delete'], ['show'], ['cat'], ['list', '--age', 'x'], ['list', '--size', 'x'],
                          ['delete', 'ALL', 'id'], ['list', '--nonsense', 'x']):
            done = server.malle('queue', *arguments, check=False)
            assert done.returncode == 2 and done.stderr.startswith('malle: ') and done.stdout == '', arguments


def test_empty_queue_without_a_server():
    with Server(users={}, start=False) as server:
        assert listed(server) == []
        assert change(server, 'delete', 'ALL') == (1, '0 messages deleted')
        assert server.malle('queue', 'show', 'none', check=False).stderr == 'malle: there is no message none in the queue\n'
