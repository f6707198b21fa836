"""postqueue, postsuper, postcat and mailq beside a running server with mail in its queue."""
import json
import re

import pytest

from harness import DOMAIN, Server, eventually
from local.conftest import USER
from local.programs import Programs
from relay.remote import Remote

DEAD = 'ever@dead.example'
NOTHING = 'postsuper: Deleted: 0 messages\n'


@pytest.fixture(scope='module')
def remote():
    with Remote() as it:
        yield it


@pytest.fixture(scope='module')
def malle(remote):
    conf = {'relayhost': remote.site, 'minimal_backoff_time': '1h', 'maximal_backoff_time': '1h'}
    with Server(conf=conf) as server:
        yield Programs(server)


@pytest.fixture(autouse=True)
def empty(malle, remote):
    """Each test begins with an empty queue, and a remote that takes nothing now."""
    remote.rules.clear()
    remote.messages.clear()
    remote.answer('RCPT', '450 4.2.1 busy')
    yield
    malle.server.malle('queue', 'delete', 'ALL', check=False)


def put(malle, *recipients, sender=USER, subject='x'):
    """Puts a message into the queue and waits until it was tried; its id."""
    before = set(ids(malle))
    done = malle('sendmail', '-f', sender, *recipients, stdin=f'Subject: {subject}\n\nbody of {subject}\n')
    assert done == (0, '', '')

    def deferred():
        new = [m for m in messages(malle) if m['queue_id'] not in before]
        return new and new[0]['queue_name'] == 'deferred' and new[0]['queue_id']
    return eventually(deferred, 20)


def messages(malle):
    status, out, err = malle('postqueue', '-j')
    assert (status, err) == (0, '')
    return [json.loads(line) for line in out.splitlines()]


def ids(malle):
    return [m['queue_id'] for m in messages(malle)]


def places(malle):
    return {m['queue_id']: m['queue_name'] for m in messages(malle)}


def test_an_empty_queue(malle):
    assert malle('postqueue', '-p') == malle('mailq') == (0, 'Mail queue is empty\n', '')
    assert malle('postqueue', '-j') == (0, '', '')
    assert malle.server.malle('postqueue', '-p').stdout == 'Mail queue is empty\n'  # as a command of malle


def test_lists(malle):
    one = put(malle, DEAD, 'forever@dead.example')
    other = put(malle, DEAD, sender='')
    assert malle('postsuper', '-h', other)[0] == 0
    status, out, err = malle('postqueue', '-p')
    assert (status, err) == (0, '') and out == malle('mailq')[1] == malle('sendmail', '-bp')[1]
    lines = out.splitlines()
    assert lines[0] == '----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------'
    assert re.fullmatch(one + r' +\d+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d ' + USER, lines[1])
    assert re.fullmatch(other + r'! +\d+ \w{3} .* MAILER-DAEMON', lines[6])
    first, second = messages(malle)
    assert list(first) == ['queue_name', 'queue_id', 'arrival_time', 'message_size', 'forced_expire', 'sender', 'recipients']
    assert (first['queue_name'], first['queue_id'], first['sender'], first['forced_expire']) == ('deferred', one, USER, False)
    assert [r['address'] for r in first['recipients']] == [DEAD, 'forever@dead.example']
    assert '450 4.2.1 busy' in first['recipients'][0]['delay_reason']
    assert first['message_size'] == int(lines[1].split()[1]) and first['arrival_time'] > 1700000000
    assert (second['queue_name'], second['queue_id'], second['sender']) == ('hold', other, 'MAILER-DAEMON')


def test_the_place_of_the_settings(malle):
    """-c names the file, and goes before the environment."""
    conf = malle.server.dir / 'malle.conf'
    assert malle('postqueue', '-c', conf, '-p') == (0, 'Mail queue is empty\n', '')
    status, out, err = malle('postqueue', '-c', '/nonexistent/postfix', '-p')
    assert status == 69 and not out and '/nonexistent' in err


def test_flushing(malle, remote):
    one, other, third = put(malle, DEAD), put(malle, DEAD), put(malle, 'a@third.example')
    remote.rules.clear()
    assert malle('postqueue', '-i', one) == (0, '', '')
    eventually(lambda: one not in ids(malle), 20)
    assert set(ids(malle)) == {other, third} and len(remote.messages) == 1
    assert malle('postqueue', '-s', 'THIRD.example') == (0, '', '')
    eventually(lambda: third not in ids(malle), 20)
    assert ids(malle) == [other]
    assert malle('postqueue', '-f') == (0, '', '')
    eventually(lambda: not ids(malle), 20)
    assert len(remote.messages) == 3


@pytest.mark.parametrize('arguments, words', (
    ([], 'usage: postqueue'), (['-p', '-j'], 'usage: postqueue'), (['-p', 'x'], 'usage: postqueue'), (['-x'], 'usage: postqueue'),
    (['-i', '../x'], 'Cannot flush queue ID - invalid name: "../x"'),
    (['-s', 'no host'], 'Cannot flush mail queue - invalid destination: "no host"'),
    (['-s', '[300.1.1.1]'], 'Cannot flush mail queue - invalid destination: "[300.1.1.1]"')))
def test_postqueue_refuses(malle, arguments, words):
    status, out, err = malle('postqueue', *arguments)
    assert (status, out) == (69, '') and err.startswith(f'postqueue: fatal: {words}')


def test_postsuper_by_id(malle):
    one, other, third = (put(malle, DEAD) for _ in range(3))
    assert malle('postsuper', '-h', one) == (
        0, '', f'postsuper: {one}: placed on hold\npostsuper: Placed on hold: 1 message\n')
    assert malle('postsuper', '-h', one) == (0, '', 'postsuper: Placed on hold: 0 messages\n')  # it is held already
    assert malle('postsuper', '-H', other) == (0, '', 'postsuper: Released from hold: 0 messages\n')
    assert malle('postsuper', '-H', one) == (
        0, '', f'postsuper: {one}: released from hold\npostsuper: Released from hold: 1 message\n')
    assert malle('postsuper', '-d', one, '-d', 'NOSUCHID') == (
        0, '', f'postsuper: {one}: removed\npostsuper: Deleted: 1 message\n')
    assert malle('postsuper', '-d', '-', stdin=f'{other}\n{other}\n../{third}\n{third}\n') == (
        0, '', f'postsuper: {other}: removed\npostsuper: warning: invalid mail queue id: ../{third}\npostsuper: {third}: removed\n'
               'postsuper: Deleted: 2 messages\n')
    assert ids(malle) == []


def test_postsuper_by_queue(malle):
    one, other, third = (put(malle, DEAD) for _ in range(3))
    malle('postsuper', '-h', one)
    assert malle('postsuper', '-d', one, 'deferred') == (0, '', NOTHING)  # it is in hold
    assert malle('postsuper', '-d', other, 'hold', 'deferred')[2].endswith('Deleted: 1 message\n')
    assert malle('postsuper', '-d', 'ALL', 'hold') == (0, '', 'postsuper: Deleted: 1 message\n')
    assert malle('postsuper', '-d', 'ALL', 'hold', 'active') == (0, '', NOTHING)
    assert places(malle) == {third: 'deferred'}
    assert malle('postsuper', '-d', 'ALL', 'deferrred') == (
        1, '', 'postsuper: fatal: there is no queue "deferrred"; there are hold, incoming, active and deferred\n')
    assert malle('postsuper', '-d', 'ALL', 'deferred') == (0, '', 'postsuper: Deleted: 1 message\n')


def test_postsuper_all(malle, remote):
    for _ in range(3):
        put(malle, DEAD)
    one = ids(malle)[0]
    assert malle('postsuper', '-h', 'ALL') == (0, '', 'postsuper: Placed on hold: 3 messages\n')
    assert set(places(malle).values()) == {'hold'}
    assert malle('postsuper', '-H', 'ALL') == (0, '', 'postsuper: Released from hold: 3 messages\n')
    malle('postsuper', '-h', one)
    assert malle('postsuper', '-d', 'ALL', '-d', one) == (
        0, '', 'postsuper: Deleted: 3 messages\n')
    assert malle('postsuper', '-d', 'ALL') == (0, '', NOTHING)
    assert not remote.messages


def test_postsuper_requeues(malle, remote):
    one = put(malle, DEAD)
    malle('postsuper', '-h', one)
    remote.rules.clear()
    assert malle('postsuper', '-r', one) == (0, '', f'postsuper: {one}: requeued\npostsuper: Requeued: 1 message\n')
    eventually(lambda: not ids(malle), 20)
    assert len(remote.messages) == 1


def test_postsuper_expires(malle):
    held, waiting = put(malle, DEAD, subject='held'), put(malle, DEAD, subject='waiting')
    malle('postsuper', '-h', held)
    assert malle('postsuper', '-e', held, '-e', waiting) == (
        0, '', f'postsuper: {waiting}: expired\npostsuper: Force-expired: 1 message\n')
    eventually(lambda: places(malle) == {held: 'hold'}, 20)
    assert malle('postsuper', '-f', held) == (0, '', f'postsuper: {held}: expired\npostsuper: Force-expired: 1 message\n')
    eventually(lambda: not ids(malle), 20)
    returned = eventually(lambda: [p.read_text() for p in malle.server.messages(USER)][1:2], 20)
    assert 'Undelivered' in returned[0]


def test_postsuper_without_work(malle):
    for arguments in ([], ['-s'], ['-p'], ['-S'], ['-v']):
        assert malle('postsuper', *arguments) == (0, '', '')
    assert malle('postsuper', '-x')[0] == 1


def test_postcat(malle):
    one = put(malle, DEAD, f'b@{DOMAIN.replace("malle", "dead")}', subject='seen')
    status, out, err = malle('postcat', '-q', one)
    assert (status, err) == (0, '')
    lines = out.splitlines()
    assert lines[0] == f'*** ENVELOPE RECORDS deferred/{one} ***' and lines[1].startswith('message_size: ')
    envelope = lines[:lines.index(f'*** MESSAGE CONTENTS deferred/{one} ***')]
    assert f'sender: {USER}' in envelope and f'recipient: {DEAD}' in envelope and f'original_recipient: {DEAD}' in envelope
    assert lines[-2:] == [f'*** HEADER EXTRACTED deferred/{one} ***', f'*** MESSAGE FILE END deferred/{one} ***']
    message = malle.server.malle('queue', 'cat', one).stdout
    assert malle('postcat', '-bhq', one) == (0, message, '')
    header, _, body = message.partition('\n\n')
    assert malle('postcat', '-hq', one) == (0, header + '\n', '')
    assert malle('postcat', '-b', '-q', one) == (0, '\n' + body, '') and body == 'body of seen\n'
    assert malle('postcat', '-e', '-q', one)[1].splitlines() == envelope + [lines[len(envelope)]] + lines[-2:]
    offset = message.index('\nbody of seen')
    assert f'{offset + 1:9} body of seen\n' in malle('postcat', '-oq', one)[1]
    malle('postsuper', '-h', one)
    assert malle('postcat', '-eq', one)[1].startswith(f'*** ENVELOPE RECORDS hold/{one} ***\n')


def test_postcat_refuses(malle):
    assert malle('postcat', '-q', 'NOSUCHID') == (
        1, '', 'postcat: fatal: open queue file NOSUCHID: No such file or directory\n')
    assert malle('postcat', '-q', '../../etc/passwd')[0] == 1
    assert malle('postcat', '/etc/passwd')[0] == 1 and malle('postcat', '-x')[0] == 1
