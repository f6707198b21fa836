"""Several clients work on one mailbox at random, and each response to each of them is held against a model (imap_model.py): numbers and
order of EXPUNGE, VANISHED and EXISTS, flags, modification sequences, and what QRESYNC tells after an absence."""
import random
import re

import pytest

from harness import FULL, Server
from imap_model import FLAGS, MESSAGE, Client, Connection, Referee, Truth, Wrong, as_set, check, numbers

USER, PASSWORD, MAILBOX = 'joe@malle.test', 'joes', 'model'
STEPS, PARKED_STEPS = (25000, 2000) if FULL else (900, 150)
KINDS = ('plain', 'plain', 'condstore', 'qresync', 'qresync')


def log_in(server):
    raw = server.connect('imaps')
    connection = Connection(server.tls_context().wrap_socket(raw))
    connection.line()
    assert connection.say(f'LOGIN {USER} {PASSWORD}')[1].startswith('OK')
    return connection


class World:
    def __init__(self, server, seed):
        self.random, self.truth, self.server = random.Random(seed), Truth(), server
        first = log_in(server)
        first.say(f'CREATE {MAILBOX}')
        first.say('CREATE other')
        self.referee = Referee(first, self.truth, MAILBOX)
        self.referee.begin()
        self.clients = [Client(log_in(server), self.truth, kind, MAILBOX) for kind in KINDS]
        self.away = {}  # client: what it remembers
        for client in self.clients:
            self.open(client)
        for _ in range(12):
            self.referee.judge(self.append(self.clients[0]))

    def open(self, client, read_only=False):
        client.select(' (CONDSTORE)' if client.kind == 'condstore' else '', read_only)
        client.learn()

    # --- what a client may do; each returns the command when it changed something

    def step(self):
        client = self.random.choice(self.clients)
        if client in self.away:
            if self.random.random() < 0.3:
                client.come_back(self.away.pop(client), self.random)
            return
        actions = [self.store] * 8 + [self.expunge, self.uid_expunge, self.fetch, self.read, self.changed_since, self.search, self.copy, self.replace,
                                      self.rest, self.rest, self.go] + [self.append] * (4 if len(self.truth.flags) < 15 else 1)
        text = self.random.choice(actions)(client)
        if text:
            self.referee.judge(text)

    def some(self, client, most=6):
        """Some of the client's messages as (set of a command, UIDs, "UID " or "")."""
        if not client.view:
            return None
        if self.random.random() < 0.2:
            first, last = sorted(self.random.choices(range(1, len(client.view) + 1), k=2))
            places = range(first, last + 1)
        else:
            places = sorted(self.random.sample(range(1, len(client.view) + 1), min(len(client.view), self.random.randint(1, most))))
        uids = [client.view[k - 1] for k in places]
        return (as_set(uids), uids, 'UID ') if self.random.random() < 0.5 else (as_set(places), uids, '')

    def flags(self):
        return frozenset(self.random.sample(FLAGS, self.random.randint(0, 2)))

    def append(self, client):
        text = f'APPEND {MAILBOX}'
        for _ in range(self.random.choice([1, 1, 3])):
            text += self.message()
        client.run(text)
        return 'APPEND'

    def message(self):
        """A new one with flags of chance, as the end of a command."""
        flags = self.flags()
        self.truth.add(flags)
        return f' ({" ".join(sorted(flags))}) {{{len(MESSAGE)}+}}\r\n{MESSAGE.decode()}'

    def replace(self, client):
        if not client.view or client.read_only:
            return None
        uid, by_uid = self.random.choice(client.view), self.random.random() < 0.5
        text = f'UID REPLACE {uid} {MAILBOX}' if by_uid else f'REPLACE {client.view.index(uid) + 1} {MAILBOX}'
        if uid not in self.truth.flags:
            tagged = client.run(f'{text} {{1+}}\r\nx')[2]
            check(tagged.startswith('NO [EXPUNGEISSUED]'), text, tagged)
            return None
        self.truth.expunge([uid])
        _, _, tagged = client.run(text + self.message())
        check(tagged.startswith('OK'), text, tagged)
        return text

    def unchanged_since(self, client, uids):
        if client.kind == 'plain' or self.random.random() < 0.5:
            return None
        known = [client.modseq.get(uid, 0) for uid in uids]
        return self.random.choice([0, self.truth.highest, max(known), min(known)])

    def store(self, client):
        chosen = self.some(client)
        if not chosen or client.read_only:
            return None
        (members, uids, form), flags, operation = chosen, self.flags(), self.random.choice(['+', '-', ''])
        silent, since = self.random.random() < 0.5, self.unchanged_since(client, uids)
        failed = {uid for uid in uids if uid in self.truth.flags and since is not None and self.truth.modseq[uid] > since}
        for uid in set(uids) - failed:
            self.truth.store(uid, operation, flags)
            if silent and uid in client.flags:
                old = client.flags[uid]
                client.flags[uid] = old | flags if operation == '+' else old - flags if operation == '-' else flags
        text = (f'{form}STORE {members} {"" if since is None else f"(UNCHANGEDSINCE {since}) "}{operation}FLAGS{".SILENT" if silent else ""} '
                f'({" ".join(sorted(flags))})')
        view = list(client.view)
        told, _, tagged = client.run(text, seqs_fixed=not form)
        check(tagged.startswith('OK'), text, tagged)
        self.check_store(client, view, told, tagged, failed, [uid for uid in uids if uid in self.truth.flags], silent, form)
        return text

    def check_store(self, client, view, told, tagged, failed, uids, silent, form):
        modified = re.search(r'\[MODIFIED ([\d:,]+)\]', tagged)
        named = set(numbers(modified[1])) if modified else set()
        check(named == {uid if form else view.index(uid) + 1 for uid in failed}, 'MODIFIED', named, 'and not', failed)
        first = told[:len(uids) - len(failed)]
        if not silent or client.kind != 'plain':
            check([uid for uid, *_ in first] == [uid for uid in uids if uid not in failed], 'STORE told', first, 'of', uids)
        for _, flags, modseq, has_uid in first if client.kind != 'plain' else ():
            check(modseq and has_uid and (silent or flags is not None), 'STORE told', first)

    def expunge(self, client):
        if client.read_only:
            return None
        deleted = [uid for uid in client.view if '\\Deleted' in self.truth.flags.get(uid, ())]
        self.truth.expunge(deleted)
        if self.random.random() < 0.3:
            client.expect_ok('CLOSE')
            self.referee.judge('CLOSE')
            self.open(client)
            return None
        _, _, tagged = client.run('EXPUNGE')
        if client.kind == 'qresync':
            check('[HIGHESTMODSEQ ' in tagged, tagged)
        return 'EXPUNGE'

    def uid_expunge(self, client):
        chosen = self.some(client, 20)
        if not chosen or client.read_only:
            return None
        uids = chosen[1] + [self.truth.uidnext + 5]
        self.truth.expunge([uid for uid in uids if '\\Deleted' in self.truth.flags.get(uid, ())])
        text = f'UID EXPUNGE {as_set(uids)}'
        client.run(text)
        return text

    def fetch(self, client):
        chosen = self.some(client)
        if chosen:
            members, uids, form = chosen
            wanted = [uid for uid in uids if uid in self.truth.flags]
            told, _, tagged = client.run(f'{form}FETCH {members} (FLAGS)', seqs_fixed=not form)
            check([uid for uid, *_ in told[:len(wanted)]] == wanted, 'FETCH told', told)
            check(tagged.startswith('OK' if wanted else 'NO'), tagged)

    def read(self, client):
        chosen = self.some(client, 2)
        if not chosen:
            return None
        members, uids, form = chosen
        if not client.read_only:
            for uid in uids:
                self.truth.store(uid, '+', {'\\Seen'})
        client.run(f'{form}FETCH {members} (BODY[TEXT])', seqs_fixed=not form)
        return 'FETCH BODY[TEXT]'

    def changed_since(self, client):
        since = self.random.choice([0, self.truth.highest] + list(self.truth.modseq.values()))
        view = list(client.view)
        wanted = [uid for uid in view if self.truth.modseq.get(uid, 0) > since]
        if client.kind == 'plain':
            return  # the command would make it one that knows
        told, _, tagged = client.run(f'UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since})')
        check(tagged.startswith('OK') and [uid for uid, *_ in told[:len(wanted)]] == wanted, 'CHANGEDSINCE', since, 'told', told, 'of', wanted)
        for uid, _, modseq, _ in told[:len(wanted)]:
            check(modseq == self.truth.modseq[uid], 'the modification sequence of', uid, 'is', self.truth.modseq[uid], 'and not', modseq)

    def search(self, client):
        flag = self.random.choice(['DELETED', 'SEEN', 'FLAGGED', 'DRAFT', 'ANSWERED'])
        here = [uid for uid in client.view if '\\' + flag.capitalize() in self.truth.flags.get(uid, ())]
        lines = client.run(f'UID SEARCH RETURN (ALL COUNT MIN MAX) {flag}')[1]
        found = re.search(r'\* ESEARCH \(TAG "[^"]+"\) UID(?: MIN (\d+) MAX (\d+))? COUNT (\d+)(?: ALL ([\d:,]+))?', lines[0])
        check(found and numbers(found[4]) == here and int(found[3]) == len(here), 'SEARCH', flag, lines[0], 'and not', here)
        check(not here or (int(found[1]), int(found[2])) == (here[0], here[-1]), lines[0])
        if client.kind != 'plain' and self.truth.modseq:
            since = self.random.choice(list(self.truth.modseq.values()))
            here = {uid: self.truth.modseq[uid] for uid in client.view if self.truth.modseq.get(uid, 0) >= since}
            lines = client.run(f'UID SEARCH MODSEQ {since}')[1]
            high = f' (MODSEQ {max(here.values())})' if here else ''
            check(lines[0] == '* SEARCH' + ''.join(f' {uid}' for uid in here) + high, lines[0], 'and not', here)

    def copy(self, client):
        chosen = self.some(client, 3)
        if not chosen:
            return None
        (members, uids, form), how = chosen, self.random.choice(['self', 'away', 'move'])
        here = [uid for uid in uids if uid in self.truth.flags]
        if how == 'away' or len(here) < len(uids) or (how == 'self' and len(self.truth.flags) > 40) or (how == 'move' and client.read_only):
            client.run(f'{form}COPY {members} other')
            return 'COPY to another mailbox'
        if how == 'self':
            for uid in here:
                self.truth.add(self.truth.flags[uid])
            client.run(f'{form}COPY {members} {MAILBOX}')
            return 'COPY'
        self.truth.expunge(here)
        client.run(f'{form}MOVE {members} other')
        return 'MOVE'

    def rest(self, client):
        if self.random.random() < 0.3:
            client.idle()
        else:
            client.run(self.random.choice(['NOOP', 'CHECK', 'STATUS other (MESSAGES)']))

    def go(self, client):
        """Leaves the mailbox; a QRESYNC client comes back later and wants to know what it missed."""
        if client.kind == 'qresync':
            client.learn()
            self.away[client] = client.leave()
            return
        client.run('NOOP')
        client.expect_ok('UNSELECT')
        self.open(client, read_only=self.random.random() < 0.2)

    def finish(self):
        for client in self.clients:
            if client in self.away:
                client.come_back(self.away.pop(client), self.random)
            client.run('NOOP')


@pytest.mark.parametrize('seed', [1, 2] if not FULL else range(1, 5))
def test_clients_see_the_truth(seed):
    work(seed, 'never', STEPS)


@pytest.mark.seconds(600 if FULL else 120)
@pytest.mark.parametrize('seed', [5] if not FULL else [5, 6])
def test_clients_see_the_truth_of_parked_sessions(seed):
    """Nearly every command is answered by a session of its own."""
    work(seed, '0', PARKED_STEPS)


def work(seed, hibernate_timeout, steps):
    with Server(users={USER: PASSWORD}, conf={'imap_hibernate_timeout': hibernate_timeout}) as server:
        world = World(server, seed)
        for number in range(steps):
            try:
                world.step()
            except Wrong as e:
                logs = '\n'.join(f'--- {client.kind}\n' + '\n'.join(client.connection.log[-12:]) for client in [*world.clients, world.referee])
                raise Wrong(f'seed {seed}, step {number}: {e}\n{logs}') from None
        world.finish()
