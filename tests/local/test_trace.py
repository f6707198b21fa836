"""malle trace: the story of a message, from connection to mailbox or bounce."""
import contextlib
import gzip
import json

import pytest

from harness import DOMAIN, Server, eventually
from relay.remote import Remote
from talk import Smtp

SENDER, OTHER = f'sender@{DOMAIN}', f'other@{DOMAIN}'
CONTENT = b'Subject: x\r\nMessage-ID: <%s@client.example>\r\n\r\nbody\r\n'


class World:
    """A server that relays to a Remote and logs into a file."""

    def __init__(self, server, remote, log):
        self.server, self.remote, self.log = server, remote, log

    def send(self, name, *recipients):
        """The message's id."""
        with Smtp(self.server) as client:
            client.hello()
            client.command(f'MAIL FROM:<{SENDER}>')
            for recipient in recipients:
                client.command(f'RCPT TO:<{recipient}>')
            return client.data(CONTENT % name.encode())[0].split()[-1]

    def wait_log(self, text):
        eventually(lambda: text in self.log.read_text(), 30)

    def trace(self, wanted, *options, check=True):
        done = self.server.malle('trace', wanted, *options, '--json', check=check)
        return json.loads(done.stdout)

    def words(self, wanted):
        return self.server.malle('trace', wanted).stdout


@contextlib.contextmanager
def running(folder, log_format):
    conf = {'mynetworks': '127.0.0.0/8', 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms',
            'log_format': log_format, 'log_target': folder / 'mail.log'}
    with Remote() as remote:
        with Server(conf={**conf, 'relayhost': remote.site}, users={SENDER: 'a', OTHER: 'b'}) as server:
            remote.answer('RCPT', '450 4.2.1 busy', match='ever@')
            remote.answer('RCPT', '450 4.2.1 later', times=1, match='later@')
            remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
            yield World(server, remote, folder / 'mail.log')


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    with running(tmp_path_factory.mktemp('log'), 'text') as it:
        yield it


def events(story, kind, **fields):
    return [e for e in story if e['event'] == kind and all(e.get(k) == v for k, v in fields.items())]


def test_delivered_here(world):
    ident = world.send('here', OTHER)
    world.wait_log(f'{ident}: to=')
    story = world.trace(ident)
    assert [e['event'] for e in story] == ['client', 'message-id', 'saved', 'received', 'delivery', 'removed']
    assert story[0]['client'] == 'localhost[127.0.0.1]' and story[1]['message_id'] == '<here@client.example>'
    assert story[3]['sender'] == SENDER and story[3]['recipients'] == 1 and story[3]['size'] > 0
    assert story[4]['recipient'] == OTHER and story[4]['status'] == 'sent' and story[4]['relay'] == 'virtual'
    assert all(e['id'] == ident and e['time'].endswith('Z') for e in story)


def test_deferred_bounced_and_delivered(world):
    """The remote's own words, and the message by which the sender is told."""
    ident = world.send('split', 'good@remote.example', 'later@remote.example', 'bad@remote.example')
    world.wait_log(f'{ident}: removed')
    note = events(world.trace(ident), 'notification')[0]['notification']
    world.wait_log(f'{note}: removed')
    story = world.trace('<split@client.example>')
    assert events(story, 'delivery', recipient='good@remote.example', status='sent', reply='250 2.0.0 Ok: taken')
    assert events(story, 'delivery', recipient='later@remote.example', status='deferred', reply='450 4.2.1 later')
    assert events(story, 'delivery', recipient='later@remote.example', status='sent')
    failed = events(story, 'delivery', recipient='bad@remote.example', status='bounced')[0]
    assert failed['reply'] == '550 5.1.1 no such user' and failed['dsn'] == '5.1.1' and failed['host'].startswith('127.0.0.1[')
    assert events(story, 'delivery', id=note, recipient=SENDER, status='sent') and events(story, 'removed', id=ident)
    assert [e['time'] for e in story] == sorted(e['time'] for e in story)
    assert world.trace(note) == story  # also from the notification
    words = world.words(ident)
    assert f'{ident}: came from localhost[127.0.0.1]\n' in words
    assert 'cannot be delivered to bad@remote.example: 127.0.0.1[127.0.0.1]' in words
    assert 'said "550 5.1.1 no such user"; given up\n' in words
    assert f'{ident}: its sender is told, by message {note}\n' in words and f'{ident}: it left the queue\n' in words


def test_what_waits(world):
    ident = world.send('waits', 'ever@remote.example')
    world.wait_log(f'{ident}: to=<ever@')
    eventually(lambda: events(world.trace('ever@remote.example'), 'waiting', status='deferred'))
    last = world.trace('EVER@remote.example')[-1]
    assert last['id'] == ident and last['role'] == 'queue' and last['reply'] == '450 4.2.1 busy'
    assert last['attempts'] >= 1 and 'next_attempt' in last and '450 4.2.1 busy; next ' in last['reason']
    assert f'{ident}: waits now for ever@remote.example: 127.0.0.1[' in world.words(ident)
    world.server.malle('queue', 'delete', ident)


def test_refused_at_the_door(world):
    with Smtp(world.server) as client:
        client.hello()
        client.command('MAIL FROM:<stranger@client.example>')
        assert client.command(f'RCPT TO:<nosuch@{DOMAIN}>').startswith('550')
    world.wait_log('NOQUEUE: reject')
    (refusal,) = world.trace(f'nosuch@{DOMAIN}')
    assert refusal['event'] == 'rejected' and refusal['stage'] == 'RCPT' and refusal['sender'] == 'stranger@client.example'
    assert refusal['reply'].startswith('550 5.1.1 <nosuch@')


def test_of_nothing(world):
    assert world.trace('nobody@nowhere.example', check=False) == []
    done = world.server.malle('trace', 'nobody@nowhere.example', check=False)
    assert done.returncode == 1 and 'nothing is known of nobody@nowhere.example' in done.stderr
    for wrong in (['trace'], ['trace', 'a', 'b'], ['trace', '--no']):
        assert world.server.malle(*wrong, check=False).returncode == 2
    assert world.server.malle('trace', 'a', '--log', '/nonexistent', check=False).returncode == 1


def test_rotated_files_and_standard_input(world, tmp_path):
    """The story goes on over mail.log.2.gz, mail.log.1 and mail.log."""
    ident = world.send('rotated', OTHER)
    world.wait_log(f'{ident}: to=')
    lines = [line for line in world.log.read_text().splitlines(True) if f'{ident}: ' in line]
    log = tmp_path / 'mail.log'
    (tmp_path / 'mail.log.2.gz').write_bytes(gzip.compress(''.join(lines[:2]).encode()))
    (tmp_path / 'mail.log.1').write_text(lines[2])
    log.write_text('noise\n' + ''.join(lines[3:]))
    whole = world.trace(ident)
    assert world.trace(ident, '--log', str(log)) == whole and len(whole) == len(lines)
    piped = world.server.malle('trace', ident, '--log', '-', '--json', input=''.join(lines)).stdout
    assert json.loads(piped) == whole
    (tmp_path / 'mail.log.1').unlink()
    assert len(world.trace(ident, '--log', str(log))) == len(lines) - 1
    (tmp_path / 'mail.log.3.gz').write_bytes(b'this is no gzip')
    assert 'mail.log.3.gz cannot be read' in world.server.malle('trace', ident, '--log', str(log), check=False).stderr


def test_a_log_in_json(tmp_path):
    with running(tmp_path, 'json') as world:
        ident = world.send('json', 'bad@remote.example')
        world.wait_log(f'{ident}: removed')
        story = world.trace('<json@client.example>')
        assert events(story, 'delivery', id=ident, status='bounced', reply='550 5.1.1 no such user')
        assert events(story, 'client', id=ident)
