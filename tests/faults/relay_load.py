"""Marked mail to another server that misbehaves, and the count of what became of each message.

Every attempt to hand over a message has a mark. Afterwards each acknowledged (mark, recipient) has exactly one end: the remote took
it, a notification of its failure lies in the sender's mailbox, or it lies in the recipient's. The remote may have taken it twice where SMTP
makes that unavoidable (RFC 5321 §4.5.3.2.6: the reply to the end of data was lost), and not more often than replies were lost.
"""
import collections
import json
import random
import re
import threading
import time

from faults.load import Clients, body, marks, message, parse
from relay.remote import Remote
from talk import Smtp

SENDER, LOCAL = 'sender@malle.test', 'local@malle.test'
REMOTE = 'remote.example'
TROUBLES = (None, '421 4.3.2 closing', '451 4.3.0 trouble', '\x00\xff what', 'slow', 'drip')


class Moody(Remote):
    """Knows nobody called bad*; while its mood lasts, it also does everything else that remotes do."""

    def __init__(self, seed):
        self.source = random.Random(seed)
        self.trouble = 0.0   # the part of its replies that are none
        self.closed = False  # turns everybody away
        self.lost_replies = 0
        super().__init__()

    def rule(self, verb, line=''):
        if verb == 'CONNECT' and self.closed:
            return self.source.choice((None, '421 4.7.0 try later'))
        if verb == 'RCPT' and '<bad' in line:
            return '550 5.1.1 no such user'
        if self.source.random() >= self.trouble:
            return ''
        trouble = self.source.choice(TROUBLES)
        if trouble in ('slow', 'drip'):
            time.sleep(0.3 if trouble == 'slow' else 0.05)
            return ''
        if trouble is None and verb == 'DOT':
            self.lost_replies += 1
        return trouble

    def taken(self):
        """How often it took each (mark, recipient)."""
        found = collections.Counter()
        with self.lock:
            messages = list(self.messages)
        for m in messages:
            mark = int(re.search(rb'^X-Mark: (\d+)\r$', m.content, re.M)[1])
            found.update((mark, recipient) for recipient in m.recipients)
        return found


def queued(server):
    return json.loads(server.malle('queue', 'list', '--json').stdout or '[]')


class RelayLoad(Clients):
    """Clients that send to the remote, and sometimes here, too."""

    def __init__(self, server, clients, seed):
        super().__init__(server, ['smtp'] * clients, seed)
        self.marks = {}  # of those that were acknowledged, by their ids

    @staticmethod
    def recipients(source):
        n = source.randrange(1000)
        return source.choice(([f'u{n}@{REMOTE}'],) * 7 + (
            [f'u{n}@{REMOTE}', f'bad{n}@{REMOTE}'], [f'bad{n}@{REMOTE}'], [f'u{n}@{REMOTE}', LOCAL], [f'a{n}@{REMOTE}', f'b{n}@{REMOTE}']))

    def session(self, kind, source):
        with Smtp(self.server) as client:
            client.hello()
            for _ in range(source.randint(1, 40)):
                if self.ending.is_set():
                    return
                recipients = self.recipients(source)
                reply = client.envelope(*recipients, sender=SENDER)
                if reply.startswith('250'):
                    mark = next(marks)
                    size = 1200000 if source.random() < 0.005 else source.choice((100, 1000, 10000, 40000))
                    self.tried.update((mark, r) for r in recipients)
                    reply = client.data(message(mark, body(source, size)))[0]
                if not reply.startswith('250'):
                    self.errors[reply[:3]] += 1
                    time.sleep(0.02)
                    return
                self.marks[reply.split()[-1]] = mark
                self.acknowledged.update((mark, r) for r in recipients)

    # --- the count ---

    def bounced(self):
        """The (mark, recipient) of every notification in the sender's mailbox, and how often each is told."""
        found = collections.Counter()
        for path in self.server.messages(SENDER):
            text = path.read_bytes()
            marked = re.search(rb'^X-Mark: (\d+)$', text, re.M)
            id = re.search(rb'^X-Malle-Queue-Id: (\S+)$', text, re.M)[1].decode()
            # a disk that fails may have kept the message from its notification
            mark = int(marked[1]) if marked else self.marks.get(id)
            if mark is None:
                continue
            failed = re.findall(rb'^Final-Recipient: rfc822; (\S+)\n(?:.+\n)*?Action: failed$', text, re.M)
            assert failed, text
            found.update((mark, recipient.decode()) for recipient in failed)
        return found

    def delivered(self):
        found = collections.Counter()
        for path in self.server.messages(LOCAL):
            mark, whole = parse(path)
            assert whole, path
            found[mark, LOCAL] += 1
        return found

    def check(self, remote, unanswered):
        """Asserts what the top of this file promises. unanswered: ends of data whose reply may have been lost besides those the remote
        knows of, because a process was killed. Returns how many (mark, recipient) ended how, and how many came twice."""
        taken, bounced, delivered = remote.taken(), self.bounced(), self.delivered()
        ends = [set(taken), set(bounced), set(delivered)]
        lost = self.acknowledged.difference(*ends)
        assert not lost, f'{len(lost)} acknowledged messages are lost: {sorted(lost)[:10]}'
        assert set().union(*ends) <= self.tried, 'messages that nobody sent'
        assert sum(map(len, ends)) == len(set().union(*ends)), 'messages with two ends'
        assert max(delivered.values(), default=1) == 1, 'a local message came twice'
        twice = [key for key, times in bounced.items() if times > 1]
        assert not twice, f'failures were told twice: {twice}'
        assert all(recipient.startswith('bad') for _, recipient in bounced), 'a message was given up too early'
        twice = sum(times - 1 for times in taken.values())
        assert twice <= 2 * (remote.lost_replies + unanswered), f'{twice} came again, {remote.lost_replies} replies were lost'
        return [len(end) for end in ends], twice
