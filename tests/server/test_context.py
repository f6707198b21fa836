"""Searches that are kept up to date (RFC 5267 §4.3): what a client makes of ADDTO and REMOVEFROM is at every step what a new search finds, while it
and another client change the mailbox at random. tests/wire/imap/context.t has the protocol."""
import random
import re

import pytest

from harness import FULL, Server
from imap_model import Connection

USER, PASSWORD = 'joe@malle.test', 'joes'
STEPS = 3000 if FULL else 120
SEARCHES = ('SEARCH RETURN (UPDATE ALL{}) UNSEEN', 'UID SEARCH RETURN (UPDATE ALL{}) OR SUBJECT b FLAGGED',
            'UID SORT RETURN (UPDATE ALL{}) (SUBJECT REVERSE SIZE) UTF-8 UNDELETED', 'SORT RETURN (UPDATE ALL{}) (REVERSE SUBJECT) UTF-8 NOT KEYWORD hidden',
            'UID SEARCH RETURN (UPDATE ALL{}) 3:5')


@pytest.fixture(scope='module')
def server():
    with Server(users={USER: PASSWORD}) as s:
        yield s


def members(text):
    found = []
    for part in text.split(','):
        first, _, last = part.partition(':')
        found += range(int(first), int(last or first) + 1)
    return found


class Mirror:
    """A result as the client knows it."""

    def __init__(self, uid, by_place, result):
        self.uid, self.by_place, self.result = uid, by_place, result

    def add(self, place, some):
        assert self.by_place == (place > 0) and not set(some) & set(self.result)
        if place:
            assert place <= len(self.result) + 1
            self.result[place - 1:place - 1] = some
        else:
            self.result = sorted(self.result + some)

    def remove(self, place, some):
        assert self.by_place == (place > 0) and set(some) <= set(self.result)
        if place:
            assert self.result[place - 1:place - 1 + len(some)] == some
        self.result = [member for member in self.result if member not in some]

    def expunged(self, number):
        if not self.uid:
            assert number not in self.result, 'REMOVEFROM comes first'
            self.result = [member - (member > number) for member in self.result]


class Client(Connection):
    def __init__(self, server, enable=''):
        super().__init__(server.tls_context().wrap_socket(server.connect('imaps')))
        self.line()
        self.mirrors, self.view = {}, []
        self.ok(f'LOGIN {USER} {PASSWORD}')
        if enable:
            self.ok(f'ENABLE {enable}')
        self.ok('SELECT INBOX')
        self.learn()

    def ok(self, text):
        lines, tagged = self.say(text)
        assert tagged.startswith('OK'), f'{text}: {tagged}'
        for line in lines:
            self.take(line)
        return lines

    def learn(self):
        self.found('UID SEARCH RETURN (ALL) ALL')  # without the messages that are told of behind its answer
        self.view = self.found('UID SEARCH RETURN (ALL) ALL')

    def found(self, text):
        lines, tagged = self.say(text)
        assert tagged.startswith('OK'), f'{text}: {tagged}'
        answer = [line for line in lines if f'(TAG "t{self.count}")' in line]
        for line in lines:
            if line not in answer:
                self.take(line)
        got = re.search(r' ALL ([\d,:]+)', answer[0])
        return members(got[1]) if got else []

    def watch(self, text):
        result = self.found(text.format(''))
        self.mirrors[f't{self.count}'] = text, Mirror(text.startswith('UID'), 'SORT' in text, result)

    def take(self, line):
        if expunge := re.fullmatch(r'\* (\d+) EXPUNGE', line):
            self.expunge(int(expunge[1]))
        elif vanished := re.fullmatch(r'\* VANISHED ([\d,:]+)', line):
            for uid in reversed(members(vanished[1])):
                self.expunge(self.view.index(uid) + 1)
        elif update := re.fullmatch(r'\* ESEARCH \(TAG "(\w+)"\)( UID)?((?: (?:ADDTO|REMOVEFROM) \([^)]*\))+)', line):
            mirror = self.mirrors[update[1]][1]
            assert mirror.uid == bool(update[2])
            for verb, body in re.findall(r'(ADDTO|REMOVEFROM) \(([^)]*)\)', update[3]):
                words = body.split()
                for place, some in zip(words[::2], words[1::2], strict=True):
                    (mirror.add if verb == 'ADDTO' else mirror.remove)(int(place), members(some))

    def expunge(self, number):
        del self.view[number - 1]
        for _, mirror in self.mirrors.values():
            mirror.expunged(number)

    def check(self):
        self.ok('NOOP')
        for text, mirror in self.mirrors.values():
            if '3:5' in text:
                assert set(mirror.result) <= self.fixed & set(self.view)
                continue
            found = self.found(text.replace('UPDATE ', '').format(''))
            assert mirror.result == found, text
        self.learn()


def step(rand, client):
    flag = rand.choice(('\\Seen', '\\Flagged', '\\Deleted', 'hidden', '\\Answered'))
    some = ','.join(str(rand.randint(1, len(client.view))) for _ in range(3)) if client.view else '1'
    action = rand.random()
    if action < 0.3 or len(client.view) < 5:
        text = f'Subject: {rand.choice("abcd")}\r\n\r\n{"x" * rand.randint(1, 9)}\r\n'
        client.ok(f'APPEND INBOX ({flag}) {{{len(text)}+}}\r\n{text}')
    elif action < 0.8:
        client.ok(f'STORE {some} {rand.choice("+-")}FLAGS{rand.choice(("", ".SILENT"))} ({flag})')
    elif action < 0.9:
        client.ok('EXPUNGE')
    else:
        client.ok(f'FETCH {some} BODY[]')


@pytest.mark.parametrize('enable', ['', 'QRESYNC'])
def test_results_stay_true(server, enable):
    rand = random.Random(5267)
    actor = Client(server)
    for _ in range(8):
        step(rand, actor)
        actor.learn()
    client = Client(server, enable)
    client.fixed = set(client.view[2:5])
    for text in SEARCHES:
        client.watch(text)
    for _ in range(STEPS):
        step(rand, rand.choice((actor, client)))
        if rand.random() < 0.4:
            actor.ok('NOOP')
            actor.learn()
            client.check()
        else:
            actor.learn()
            client.learn()
