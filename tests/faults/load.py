"""A load of marked messages, and the count of what became of them.

Every attempt to hand over a message has a mark of its own, also when the same client tries again. The client notes, by recipient, which
attempts were acknowledged. Afterwards each acknowledged (mark, recipient) is exactly once in the recipient's Maildir,
every other one at most once, and each with its content whole, which a checksum in its header tells.
"""
import collections
import hashlib
import itertools
import random
import re
import threading
import time

from talk import Imap, Smtp

marks = itertools.count(1)


def body(random_source, size):
    lines = []
    while size > 0:
        lines.append(random_source.randbytes(min(size // 2 + 1, 36)).hex())
        size -= len(lines[-1]) + 2
    return '\r\n'.join(lines) + '\r\n'


def message(mark, text):
    total = hashlib.sha256(text.encode()).hexdigest()
    return (f'From: <sender@client.example>\r\nSubject: mark {mark}\r\nX-Mark: {mark}\r\nX-Sum: {total}\r\n'
            f'\r\n{text}').encode()


def parse(path):
    """(mark, whole) of a message file."""
    head, _, text = path.read_bytes().partition(b'\n\n')
    mark = re.search(rb'^X-Mark: (\d+)$', head, re.M)
    total = re.search(rb'^X-Sum: (\w+)$', head, re.M)
    whole = bool(total) and hashlib.sha256(text.replace(b'\n', b'\r\n')).hexdigest() == total[1].decode()
    return (int(mark[1]) if mark else None), whole


class Clients:
    """Threads that talk to a server until stop(). Each calls session(kind, source) again and again, with its kind and a source of
    randomness of its own; lost connections are counted, anything else that goes wrong fails the test."""

    def __init__(self, server, kinds, seed):
        self.server = server
        self.acknowledged = set()
        self.tried = set()
        self.errors = collections.Counter()
        self.surprises = []
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(kind, random.Random(f'{seed} {i}')), daemon=True)
                        for i, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), 'a client hangs'
        assert not self.surprises, self.surprises

    def session(self, kind, source):
        raise NotImplementedError

    def run(self, kind, source):
        while not self.ending.is_set():
            try:
                self.session(kind, source)
            except OSError as why:
                self.errors[f'{kind} {type(why).__name__}'] += 1
                time.sleep(0.01)
            except Exception as why:  # pylint: disable=broad-except
                self.surprises.append(f'{kind}: {why!r}')
                return


class Load(Clients):
    """Clients that send to users here; `clients` names the kind of each thread: smtp, bdat, lmtp, append or multiappend."""

    def __init__(self, server, users, clients, seed=0):
        super().__init__(server, clients, seed)
        self.users = list(users)
        self.counts = collections.Counter()  # acknowledged, by kind
        self.replies = {}  # by mark, the last one with its time
        self.together = []  # what came in one command: all of it is there or nothing (RFC 3502)

    def session(self, kind, source):
        (self.send_append if kind.endswith('append') else self.send_mail)(kind, source)

    def attempt(self, source):
        """A new message: its mark and content."""
        size = source.choice((100, 1000, 10000, 10000, 60000))
        if source.random() < 0.01:
            size = 1500000  # beyond what is kept in memory
        mark = next(marks)
        return mark, message(mark, body(source, size))

    def note(self, kind, mark, recipients, replies):
        self.replies[mark] = f'{time.strftime("%H:%M:%S")} {kind} {replies}'
        for recipient, reply in zip(recipients, replies):
            if reply.startswith(('250', 'OK')):
                self.acknowledged.add((mark, recipient))
                self.counts[kind] += 1
            else:
                self.errors[f'{kind} {reply[:3]}'] += 1

    def send_mail(self, kind, source):
        with Smtp(self.server, 'lmtp' if kind == 'lmtp' else 'smtp') as client:
            client.hello()
            for _ in range(source.randint(1, 30)):
                if self.ending.is_set():
                    return
                recipients = source.sample(self.users, source.choice((1, 1, 1, 2, 3)))
                reply = client.envelope(*recipients)
                if not reply.startswith('250'):
                    self.errors[f'{kind} {reply[:3]}'] += 1
                    time.sleep(0.01)
                    return
                mark, content = self.attempt(source)
                self.tried.update((mark, r) for r in recipients)
                count = len(recipients) if kind == 'lmtp' else 1
                replies = client.bdat(content, count=count, chunk=40000) if kind == 'bdat' else client.data(content, count=count)
                self.note(kind, mark, recipients, replies * len(recipients) if count == 1 else replies)

    def send_append(self, kind, source):
        user = source.choice(self.users)
        with Imap(self.server) as client:
            if not client.login(user).startswith('OK'):
                time.sleep(0.05)
                return
            for _ in range(source.randint(1, 30)):
                if self.ending.is_set():
                    return
                attempts = [self.attempt(source) for _ in range(source.randint(2, 9) if kind == 'multiappend' else 1)]
                self.together.append([(mark, user) for mark, _ in attempts])
                self.tried.update(self.together[-1])
                reply = client.append(*(content for _, content in attempts))
                for mark, _ in attempts:
                    self.note(kind, mark, [user], [reply])
                if not reply.startswith('OK'):
                    return

    def story(self, mark, user):
        """What is known of a message: the reply, and what the log says of its id."""
        reply = self.replies[mark]
        name = re.search(r'[0-9A-Za-z]{16}', reply)
        return mark, user, reply, [line for line in self.server.lines if name and name[0] in line]

    def check(self):
        """Asserts what the top of this file promises; the number of messages found."""
        found = collections.Counter()
        broken = []
        for user in self.users:
            for path in self.server.messages(user):
                mark, whole = parse(path)
                found[mark, user] += 1
                if not whole:
                    broken.append(path)
        lost = self.acknowledged - set(found)
        assert not lost, f'{len(lost)} acknowledged messages are lost: {[self.story(*key) for key in sorted(lost)[:10]]}; not whole: {broken[:10]}'
        assert not broken, f'{len(broken)} messages are not whole: {broken[:10]}'
        assert set(found) <= self.tried, 'messages that nobody sent'
        double = [key for key, times in found.items() if times > 1]
        assert not double, f'{len(double)} attempts are there more than once: {double[:10]}'
        torn = [keys for keys in self.together if 0 < sum(found[key] for key in keys) < len(keys)]
        assert not torn, f'of {len(torn)} commands a part is there: {torn[:3]}'
        return len(found)
