"""A mailbox as it must be, and clients that hold every untagged response of the server against it.

One command runs at a time, so what is true is known. After each command a referee, a QRESYNC client that asks for what changed since the
last time (RFC 7162 §3.2.6), must be told exactly what the command changed, with modification sequences that rose."""
import re

FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '\\Deleted', 'work', '$Forwarded']
MESSAGE = b'Subject: x\r\n\r\nbody\r\n'


class Wrong(AssertionError):
    pass


def check(condition, *what):
    if not condition:
        raise Wrong(' '.join(map(str, what)))


def numbers(text):
    """The members of a sequence-set, in its order."""
    found = []
    for part in text.split(',') if text else []:
        first, _, last = part.partition(':')
        found += range(int(first), int(last or first) + 1)
    return found


def as_set(members):
    return ','.join(map(str, members))


class Truth:
    """What is in the mailbox: flags and modification sequence by UID."""

    def __init__(self):
        self.flags, self.modseq = {}, {}
        self.uidnext, self.highest, self.uidvalidity = 1, 0, None
        self.changed, self.expunged = set(), set()  # by the present command

    def uids(self):
        return sorted(self.flags)

    def add(self, flags):
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.flags[uid] = frozenset(flags)
        self.changed.add(uid)
        return uid

    def store(self, uid, operation, flags):
        if uid not in self.flags:
            return
        old = self.flags[uid]
        new = old | flags if operation == '+' else old - flags if operation == '-' else frozenset(flags)
        if new != old:
            self.flags[uid] = frozenset(new)
            self.changed.add(uid)

    def expunge(self, uids):
        for uid in uids:
            del self.flags[uid]
            self.modseq.pop(uid, None)
            self.changed.discard(uid)
            self.expunged.add(uid)


class Connection:
    """Commands and their untagged responses; literals are taken out of the line, as {n}."""

    def __init__(self, sock):
        self.sock, self.pending, self.count, self.log = sock, b'', 0, []

    def _more(self):
        data = self.sock.recv(65536)
        check(data, 'the server closed the connection')
        self.pending += data

    def line(self):
        line = b''
        while True:
            while b'\r\n' not in self.pending:
                self._more()
            part, _, self.pending = self.pending.partition(b'\r\n')
            line += part
            literal = re.search(rb'\{(\d+)\}\Z', part)
            if not literal:
                return line.decode('utf-8', 'replace')
            size = int(literal[1])
            while len(self.pending) < size:
                self._more()
            self.pending = self.pending[size:]

    def send(self, text):
        self.log.append(f'C: {text[:200]}')
        self.sock.sendall(f'{text}\r\n'.encode())

    def say(self, text):
        """The untagged lines, and the tagged one without its tag."""
        self.count += 1
        tag = f't{self.count}'
        self.send(f'{tag} {text}')
        lines = []
        while True:
            line = self.line()
            self.log.append(f'S: {line[:300]}')
            if line.startswith(tag + ' '):
                return lines, line[len(tag) + 1:]
            lines.append(line)


def parse_fetch(rest):
    """(UID, flags or None, modseq or None, other) of the list of a FETCH response."""
    uid = re.search(r'\bUID (\d+)', rest)
    flags = re.search(r'FLAGS \(([^)]*)\)', rest)
    modseq = re.search(r'MODSEQ \((\d+)\)', rest)
    names = frozenset(flags[1].split()) - {'\\Recent'} if flags else None
    return int(uid[1]) if uid else None, names, int(modseq[1]) if modseq else None


class Client:
    """A session with its view of the mailbox. kind: 'plain', 'condstore' or 'qresync'."""

    def __init__(self, connection, truth, kind, mailbox):
        self.connection, self.truth, self.kind, self.mailbox = connection, truth, kind, mailbox
        self.view, self.flags, self.modseq = [], {}, {}
        self.next = 1       # UIDs below were told to be there or not
        self.read_only = False
        if kind == 'qresync':
            self.expect_ok('ENABLE QRESYNC')

    def expect_ok(self, text):
        lines, tagged = self.connection.say(text)
        check(tagged.startswith('OK'), text, '->', tagged)
        return lines, tagged

    # --- what the server says

    def take(self, line, seqs_fixed=False, told=None):
        """Applies an untagged response to the view, after holding it against the truth. told gets (UID, flags, modseq) of FETCH."""
        match = re.match(r'\* (\d+) (EXPUNGE|EXISTS|RECENT|FETCH)(.*)\Z', line, re.S)
        if match:
            getattr(self, 'take_' + match[2].lower())(int(match[1]), match[3], seqs_fixed, told)
        elif line.startswith('* VANISHED (EARLIER) '):
            check(self.kind == 'qresync', 'VANISHED for a client that did not enable it')
            for uid in numbers(line[21:]):
                check(uid not in self.truth.flags, 'VANISHED (EARLIER) of a message that is there:', uid)
                self.forget(uid)
        elif line.startswith('* VANISHED '):
            check(self.kind == 'qresync' and not seqs_fixed, 'VANISHED at the wrong time')
            for uid in numbers(line[11:]):
                check(uid in self.view and uid not in self.truth.flags, 'VANISHED of', uid, 'view', self.view)
                self.forget(uid)
                self.view.remove(uid)
        else:
            check(re.match(r'\* (FLAGS|OK|SEARCH|ESEARCH|STATUS|ENABLED)\b', line), 'unexpected', line)

    def forget(self, uid):
        self.flags.pop(uid, None)
        self.modseq.pop(uid, None)

    def take_expunge(self, seq, _, seqs_fixed, __):
        check(self.kind != 'qresync' and not seqs_fixed, 'EXPUNGE at the wrong time')
        check(1 <= seq <= len(self.view), 'EXPUNGE of number', seq, 'of', len(self.view))
        uid = self.view.pop(seq - 1)
        check(uid not in self.truth.flags, 'EXPUNGE of a message that is there:', uid)
        self.forget(uid)

    def take_exists(self, count, *_):
        new = [uid for uid in self.truth.uids() if uid >= self.next]
        check(count == len(self.view) + len(new), 'EXISTS', count, 'but', len(self.view), 'and', len(new), 'new')
        self.view += new
        self.next = self.truth.uidnext

    def take_recent(self, *_):
        pass

    def take_fetch(self, seq, rest, _, told):
        check(1 <= seq <= len(self.view), 'FETCH of number', seq, 'of', len(self.view))
        uid, flags, modseq = parse_fetch(rest)
        check(uid in (None, self.view[seq - 1]), 'number', seq, 'is UID', self.view[seq - 1], 'and not', uid)
        uid = self.view[seq - 1]
        if flags is not None:
            check(uid not in self.truth.flags or flags == self.truth.flags[uid], 'flags of', uid, 'are',
                  sorted(self.truth.flags.get(uid, [])), 'and not', sorted(flags))
            self.flags[uid] = flags
        if modseq is not None:
            check(modseq >= self.modseq.get(uid, 0), 'the modification sequence of', uid, 'went back')
            self.modseq[uid] = modseq
        if told is not None:
            told.append((uid, flags, modseq, 'UID' in rest))

    # --- commands

    def run(self, text, seqs_fixed=False):
        """Runs a command whose responses announce things; returns (FETCH data, untagged lines, tagged line)."""
        lines, tagged = self.connection.say(text)
        told = []
        for line in lines:
            self.take(line, seqs_fixed, told)
        if tagged.startswith('OK'):
            self.in_sync(text, seqs_fixed)
        return told, lines, tagged

    def in_sync(self, text, seqs_fixed=False):
        """After a command the flags that the client knows are the true ones, and, where expunges may be told, the view is what is there."""
        truth = self.truth
        check(seqs_fixed or self.view == truth.uids(), 'after', text, 'the view is', self.view, 'and not', truth.uids())
        for uid, flags in self.flags.items():
            check(flags == truth.flags.get(uid, flags), 'after', text, 'the flags of', uid, 'are thought to be', sorted(flags), 'and are',
                  sorted(truth.flags.get(uid, [])))

    def idle(self):
        """Whatever changed is told within IDLE."""
        self.connection.send('i IDLE')
        while not (line := self.connection.line()).startswith('+ '):
            self.take(line)
        self.connection.send('DONE')
        while not (line := self.connection.line()).startswith('i '):
            self.take(line)
        self.in_sync('IDLE')

    def learn(self):
        """All flags, by sequence number."""
        items = '(UID FLAGS)' if self.kind == 'plain' else '(UID FLAGS MODSEQ)'
        if self.view:
            self.run(f'FETCH 1:* {items}', seqs_fixed=True)
        self.run('NOOP')

    def select(self, how='', read_only=False):
        """Opens the mailbox anew and forgets the view; the flags are kept when QRESYNC brings them up to date."""
        self.view, self.next, self.read_only = self.truth.uids(), self.truth.uidnext, read_only
        if 'QRESYNC' not in how:
            self.flags, self.modseq = {}, {}
        lines, tagged = self.expect_ok(f'{"EXAMINE" if read_only else "SELECT"} {self.mailbox}{how}')
        check(f'* {len(self.view)} EXISTS' in lines, 'EXISTS', lines)
        for line in lines:
            if not re.match(r'\* \d+ EXISTS', line):
                self.take(line)
        values = dict(re.findall(r'\[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]', ' '.join(lines)))
        check(int(values['UIDNEXT']) == self.truth.uidnext, 'UIDNEXT', values, self.truth.uidnext)
        check(int(values['HIGHESTMODSEQ']) == self.truth.highest, 'HIGHESTMODSEQ', values, self.truth.highest)
        check(self.truth.uidvalidity in (None, int(values['UIDVALIDITY'])), 'UIDVALIDITY')
        self.truth.uidvalidity = int(values['UIDVALIDITY'])
        return lines

    def leave(self):
        """Deselects; what a QRESYNC client keeps meanwhile: view, flags, HIGHESTMODSEQ."""
        self.run('NOOP')
        self.expect_ok('UNSELECT')
        return list(self.view), dict(self.flags), self.truth.highest

    def come_back(self, memory, random):
        """With QRESYNC all that it knew is brought up to date, and all that is new is told."""
        view, self.flags, high = memory
        self.modseq = {}
        known, match = '', ''
        if random.random() < 0.5:
            known = f' 1:{max(view, default=1)}'
        if view and random.random() < 0.5:
            places = sorted(random.sample(range(1, len(view) + 1), min(3, len(view))))
            match = f' ({as_set(places)} {as_set(view[k - 1] for k in places)})'
        complete = set(self.flags) == set(view)
        self.select(f' (QRESYNC ({self.truth.uidvalidity} {high}{known}{match}))')
        gone = set(self.flags) - set(self.truth.flags)
        check(not gone, 'QRESYNC did not tell that these vanished:', gone)
        wanted = {uid for uid in self.truth.flags if not known or uid <= max(view, default=1)}
        if complete:
            check(set(self.flags) == wanted, 'QRESYNC leaves the client with', sorted(self.flags), 'and not', sorted(wanted))
        self.in_sync('SELECT with QRESYNC')


class Referee(Client):
    """Learns after each command what changed, by UID FETCH with CHANGEDSINCE and VANISHED."""

    def __init__(self, connection, truth, mailbox):
        super().__init__(connection, truth, 'qresync', mailbox)

    def begin(self):
        lines, _ = self.expect_ok(f'EXAMINE {self.mailbox}')
        self.truth.highest = int(re.search(r'HIGHESTMODSEQ (\d+)', ' '.join(lines))[1])
        self.truth.uidvalidity = int(re.search(r'UIDVALIDITY (\d+)', ' '.join(lines))[1])
        self.truth.uidnext = int(re.search(r'UIDNEXT (\d+)', ' '.join(lines))[1])
        self.next = self.truth.uidnext
        check('* 0 EXISTS' in lines, 'the mailbox is not empty')

    def judge(self, text):
        truth, before = self.truth, self.truth.highest
        self.run('NOOP')
        lines, tagged = self.connection.say(f'UID FETCH 1:{truth.uidnext} (FLAGS) (CHANGEDSINCE {before} VANISHED)')
        check(tagged.startswith('OK'), tagged)
        told, vanished = [], set()
        for line in lines:
            if line.startswith('* VANISHED (EARLIER) '):
                vanished |= set(numbers(line[21:]))
            self.take(line, told=told)
        changed = {uid for uid, *_ in told}
        check(changed == truth.changed, 'after', text, 'changed are', sorted(changed), 'and not', sorted(truth.changed))
        check(vanished == truth.expunged, 'after', text, 'vanished', sorted(vanished), 'and not', sorted(truth.expunged))
        for uid, _, modseq, _ in told:
            check(modseq > before, 'the modification sequence of', uid, 'is', modseq, 'and was', before)
            truth.modseq[uid] = modseq
        status, _ = self.expect_ok(f'STATUS {self.mailbox} (HIGHESTMODSEQ)')
        high = re.search(r'HIGHESTMODSEQ (\d+)', ' '.join(status))[1]
        check(int(high) >= before, 'HIGHESTMODSEQ went back from', before, 'to', high)
        if truth.changed or truth.expunged:
            check(int(high) > before, 'HIGHESTMODSEQ stays at', before, 'after', text)
        check(int(high) >= max(truth.modseq.values(), default=0), 'HIGHESTMODSEQ', high, 'is below that of a message')
        truth.highest = int(high)
        truth.changed, truth.expunged = set(), set()
