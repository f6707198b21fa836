"""Mailboxes that users share (RFC 4314): what each right lets somebody do, and that he is refused without it. Each command goes through two
sessions, of which the one in the owner's cage decides; tests/unit/store/test_guest.c has its rules in detail."""
import os
import pathlib
import re

import pytest

from harness import Server, eventually
from imap_model import Connection
from mail import send

ANNE, BOB, CARL = 'anne@malle.test', 'bob@malle.test', 'carl@malle.test'
USERS = {ANNE: 'annes', BOB: 'bobs', CARL: 'carls'}
OF_ANNE = f'shared/{ANNE}/'
CONF = {'shared_prefix': 'shared/', 'hierarchy_separator': '/', 'imap_hibernate_timeout': '0', 'quota_rule': '*:storage=100000'}
ALL = 'lrswipkxtea'
LITERAL = '{17+}\r\nSubject: x\r\n\r\nx\r\n'


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS, conf=CONF) as s:
        yield s


class Client(Connection):
    def __init__(self, server, user):
        super().__init__(server.tls_context().wrap_socket(server.connect('imaps')))
        self.line()
        self.ok(f'LOGIN {user} {USERS[user]}')

    def ok(self, text):
        lines, tagged = self.say(text)
        assert tagged.startswith('OK'), f'{text}: {tagged}'
        return lines

    def code(self, text):
        """Of the refusal; or OK or BAD."""
        tagged = self.say(text)[1]
        return tagged.partition('[')[2].partition(']')[0] if tagged.startswith('NO [') else tagged.partition(' ')[0]

    def is_ended(self):
        """Whether BYE comes, and then nothing."""
        line = self.line()
        return line.startswith('* BYE') and self.sock.recv(1) == b''


@pytest.fixture
def anne(server):
    """With a mailbox of her own for each test, of one message."""
    c = Client(server, ANNE)
    c.box = f'Box{os.urandom(4).hex()}'
    c.ok(f'CREATE {c.box}')
    c.ok(f'APPEND {c.box} {LITERAL}')
    yield c
    c.sock.close()


def client_of(user):
    @pytest.fixture
    def client(server):
        c = Client(server, user)
        yield c
        c.sock.close()
    return client


bob, carl = client_of(BOB), client_of(CARL)


def give(anne, rights, box=None, user=BOB):
    anne.ok(f'SETACL {box or anne.box} {user} "{rights}"')


def listed(client, pattern='*', how=''):
    lines = client.ok(f'LIST {how}"" "{pattern}"')
    return {line.rpartition(' ')[2]: line[8:line.index(')')] for line in lines if line.startswith('* LIST')}


def test_read(server, anne, bob):
    name = OF_ANNE + anne.box
    capabilities = bob.ok('CAPABILITY')[0].split()
    assert {'ACL', 'RIGHTS=texk', 'LIST-MYRIGHTS'} <= set(capabilities)
    assert bob.ok('NAMESPACE') == ['* NAMESPACE (("" "/")) (("shared/" "/")) NIL']
    give(anne, 'lr')
    assert listed(bob)[name] == '\\HasNoChildren'
    assert listed(bob, '%')['shared'] == '\\Noselect \\HasChildren'
    assert listed(bob, f'{OF_ANNE}%') == {name: '\\HasNoChildren'}
    assert bob.ok(f'STATUS {name} (MESSAGES UNSEEN)') == [f'* STATUS {name} (MESSAGES 1 UNSEEN 1)']
    assert bob.ok(f'MYRIGHTS {name}') == [f'* MYRIGHTS {name} lr']
    root, quota = bob.ok(f'GETQUOTAROOT {name}')
    assert root == f'* QUOTAROOT {name} {OF_ANNE}' and re.fullmatch(rf'\* QUOTA {OF_ANNE} \(STORAGE \d+ 100000\)', quota)
    lines, tagged = bob.say(f'SELECT {name}')
    assert tagged.startswith('OK [READ-ONLY]') and '* 1 EXISTS' in lines
    assert '* OK [PERMANENTFLAGS ()] The mailbox is read-only.' in lines
    assert bob.ok('FETCH 1 (FLAGS BODY[])') == ['* 1 FETCH (FLAGS () BODY[] {17})']
    assert bob.ok('UID SEARCH SUBJECT x') == ['* SEARCH 1']
    assert bob.say('STORE 1 +FLAGS (\\Seen)')[1].startswith('NO [READ-ONLY]')
    assert bob.ok('CLOSE') == []
    assert bob.say('FETCH 1 FLAGS')[1].startswith('BAD')
    anne.ok(f'SELECT {anne.box}')
    assert anne.ok('FETCH 1 FLAGS') == ['* 1 FETCH (FLAGS ())']  # as it was


def test_own_and_shared_in_turn(anne, bob):
    name = OF_ANNE + anne.box
    give(anne, 'lrs')
    closed = '* OK [CLOSED] The previous mailbox is closed.'
    bob.ok('SELECT INBOX')
    assert bob.ok(f'SELECT {name}')[0] == closed
    assert bob.ok(f'EXAMINE {name}')[0] == closed
    assert bob.ok('SELECT INBOX')[0] == closed
    bob.ok(f'SELECT {name}')
    assert bob.ok(f'STATUS {name} (MESSAGES)') == [f'* STATUS {name} (MESSAGES 1)']
    assert bob.code(f'SELECT {OF_ANNE}nothing') == 'NONEXISTENT'
    assert bob.say('FETCH 1 FLAGS')[1].startswith('BAD')  # deselected: RFC 9051 §6.3.2
    bob.ok(f'SELECT {name}')
    assert bob.code('SELECT nothing') == 'NONEXISTENT'
    assert bob.say('NOOP')[1].startswith('OK') and bob.say('CHECK')[1].startswith('BAD')
    bob.ok(f'SELECT {name} (CONDSTORE)')
    assert 'MODSEQ' in bob.ok('FETCH 1 (MODSEQ)')[0]
    bob.ok('ENABLE IMAP4rev2')
    assert any(line.startswith('* LIST') for line in bob.ok(f'SELECT {name}'))
    bob.ok('NOTIFY NONE')
    assert bob.code('ENABLE UTF8=ACCEPT') == 'BAD'  # RFC 9755 §3: a mailbox is selected
    bob.ok('UNSELECT')
    bob.ok('ENABLE UTF8=ACCEPT')
    bob.ok(f'SELECT {name}')


# The command that needs each right, and whether it can be said at a mailbox that is not selected.
NEEDS = {
    'r': ['SELECT {box}', 'EXAMINE {box}', 'STATUS {box} (MESSAGES)', 'GETQUOTAROOT {box}', 'GETMETADATA {box} /shared/comment'],
    'i': ['APPEND {box} ' + LITERAL, 'APPEND {box} (\\Seen) ' + LITERAL + ' ' + LITERAL],
    'k': ['CREATE {box}/below', 'CREATE {box}/a/b'],
    'x': ['DELETE {box}', 'RENAME {box} {box}2'],
    'a': ['GETACL {box}', 'SETACL {box} eve l', 'DELETEACL {box} ' + BOB, 'LISTRIGHTS {box} eve'],
    'w': ['SETMETADATA {box} (/shared/comment "x")'],
}
NEEDS_SELECTED = {
    's': ['STORE 1 +FLAGS (\\Seen)', 'UID STORE 1 -FLAGS.SILENT \\Seen'],
    't': ['STORE 1 +FLAGS (\\Deleted)', 'MOVE 1 {to}', 'UID MOVE 1 INBOX', 'REPLACE 1 {to} ' + LITERAL],
    'w': ['STORE 1 FLAGS (\\Flagged)', 'STORE 1 +FLAGS ($Label)'],
    'e': ['EXPUNGE', 'UID EXPUNGE 1', 'MOVE 1 {to}', 'UID MOVE 1 INBOX', 'REPLACE 1 {to} ' + LITERAL],
}


@pytest.mark.parametrize('right', NEEDS)
def test_without_a_right(anne, bob, right):
    """All others are of no help, and none of them shows."""
    name = OF_ANNE + anne.box
    others = ALL.replace(right, '')
    for command in NEEDS[right]:
        command = command.replace('{box}', name)
        give(anne, others)
        assert bob.code(command) == 'NOPERM', command
        give(anne, others.replace('l', ''))
        assert bob.code(command) in ('NONEXISTENT', 'TRYCREATE') or right == 'k', command
    assert anne.ok(f'GETACL {anne.box}')[0].endswith(f'{BOB} {"".join(r for r in others if r != "l")}' + ''.join(
        old for old, new in (('c', 'kx'), ('d', 'te')) if set(new) & set(others)))
    assert anne.ok(f'STATUS {anne.box} (MESSAGES)') == [f'* STATUS {anne.box} (MESSAGES 1)']
    assert list(listed(anne, anne.box + '*')) == [anne.box]


@pytest.mark.parametrize('right', NEEDS)
def test_with_a_right(anne, bob, right):
    name = OF_ANNE + anne.box
    for command in NEEDS[right]:
        anne.say(f'CREATE {anne.box}')
        give(anne, 'l' + right)
        needs_parent = right == 'x' and command.startswith('RENAME')
        assert bob.code(command.replace('{box}', name)) == ('NOPERM' if needs_parent else 'OK'), command


@pytest.mark.parametrize('right', NEEDS_SELECTED)
def test_without_a_right_selected(anne, bob, right):
    name = OF_ANNE + anne.box
    anne.ok(f'CREATE {anne.box}to')
    give(anne, ALL, anne.box + 'to')
    give(anne, ALL)
    bob.ok(f'SELECT {name}')
    give(anne, ALL.replace(right, ''))  # from the next command on
    anne.ok(f'SELECT {anne.box}')
    before = anne.ok('FETCH 1 FLAGS')
    for command in NEEDS_SELECTED[right]:
        assert bob.code(command.replace('{to}', f'{name}to')) == 'NOPERM', command
    anne.ok('NOOP')
    assert anne.ok('FETCH 1 FLAGS') == before
    assert anne.ok(f'STATUS {anne.box}to (MESSAGES)') == [f'* STATUS {anne.box}to (MESSAGES 0)']


def test_flags(anne, bob):
    """RFC 4314 §4: of several flags those are changed that may be; FETCH and CLOSE do not fail."""
    name = OF_ANNE + anne.box
    give(anne, 'lrs')
    lines = bob.ok(f'SELECT {name}')
    assert any(line.startswith('* OK [PERMANENTFLAGS (\\Seen)]') for line in lines)
    assert bob.ok('STORE 1 +FLAGS (\\Seen \\Deleted \\Flagged $Label)') == ['* 1 FETCH (FLAGS (\\Seen))']
    give(anne, 'lrt')
    assert bob.ok('STORE 1 FLAGS (\\Deleted \\Flagged)') == ['* 1 FETCH (FLAGS (\\Deleted \\Seen))']
    bob.ok('CLOSE')  # without e nothing goes
    assert anne.ok(f'STATUS {anne.box} (MESSAGES)') == [f'* STATUS {anne.box} (MESSAGES 1)']
    give(anne, 'lrw')
    bob.ok(f'SELECT {name}')
    anne.ok(f'SELECT {anne.box}')
    anne.ok('STORE 1 FLAGS ()')
    bob.ok('NOOP')
    assert bob.ok('FETCH 1 BODY[TEXT]') == ['* 1 FETCH (BODY[TEXT] {3})']  # and unseen
    give(anne, 'lrs')
    assert '\\Seen' in bob.ok('FETCH 1 BODY[TEXT]')[0]
    give(anne, 'lrte')
    bob.ok('STORE 1 +FLAGS (\\Deleted)')
    bob.ok('CLOSE')
    assert '* 1 EXPUNGE' in anne.ok('NOOP')


@pytest.mark.parametrize('command', [
    'SELECT {}', 'EXAMINE {}', 'STATUS {} (MESSAGES)', 'APPEND {} ' + LITERAL, 'CREATE {}/below', 'DELETE {}', 'RENAME {} {}2', 'GETACL {}',
    'SETACL {} eve l', 'DELETEACL {} eve', 'LISTRIGHTS {} eve', 'MYRIGHTS {}', 'GETQUOTAROOT {}', 'GETMETADATA {} /shared/comment',
    'SETMETADATA {} (/shared/comment "x")', 'COPY 1 {}', 'MOVE 1 {}', 'LIST "" {}', 'LIST (SUBSCRIBED) "" {}'])
def test_not_even_seen(anne, bob, command):
    """What may not be looked up is answered as what does not exist, of accounts too, and of names that are none."""
    bob.ok(f'APPEND INBOX {LITERAL}')
    bob.ok('SELECT INBOX')
    give(anne, '')
    names = [OF_ANNE + anne.box, f'{OF_ANNE}nothing', f'{OF_ANNE}no//name', 'shared/nobody@malle.test/INBOX', f'shared/{BOB}/INBOX', f'shared/{CARL}/x']
    answers = set()
    for name in names:
        bob.ok('SELECT INBOX')
        lines, tagged = bob.say(command.replace('{}', name))
        answers.add((*[line for line in lines if 'CLOSED' not in line], tagged))
    assert len(answers) == 1, answers


def test_revoked(server, anne, bob, carl):
    """A right that is taken away ends with the next command, also in a session that is idle."""
    name = OF_ANNE + anne.box
    give(anne, 'lr')
    give(anne, 'lr', user=CARL)
    for client in (bob, carl):
        client.ok(f'SELECT {name}')
    carl.send('i IDLE')
    assert carl.line().startswith('+ ')
    give(anne, '')
    give(anne, '', user=CARL)
    assert bob.code('FETCH 1 BODY[]') == 'NONEXISTENT' and bob.is_ended()
    assert name not in listed(Client(server, BOB))
    anne.ok(f'APPEND {anne.box} {LITERAL}')  # the session wakes, and finds the door closed
    assert carl.is_ended()


def test_append_asks_first(server, anne, bob):
    """The client of a synchronizing literal is told before it sends the message."""
    name = OF_ANNE + anne.box
    give(anne, 'l')
    bob.send(f'a APPEND {name} {{17}}')
    assert bob.line().startswith('a NO [NOPERM]')
    bob.send(f'b APPEND {name} {{99999999}}')
    assert bob.line().startswith('b NO [NOPERM]')
    give(anne, 'li')
    bob.send(f'c APPEND {name} {{99999999}}')
    assert bob.line().startswith('c NO [TOOBIG]')
    bob.send(f'd APPEND {name} {{17}}')
    assert bob.line().startswith('+ ')
    bob.send('Subject: x\r\n\r\nx\r\n (\\Seen) {17}')
    assert bob.line().startswith('+ ')
    bob.send('Subject: y\r\n\r\ny\r\n')
    assert re.match(r'd OK \[APPENDUID \d+ 2:3\]', bob.line())
    assert bob.code(f'APPEND {name} {LITERAL} {{1+}}\r\n\0') == 'BAD'
    assert anne.ok(f'STATUS {anne.box} (MESSAGES UNSEEN)') == [f'* STATUS {anne.box} (MESSAGES 3 UNSEEN 3)']
    bob.ok('NOOP')


def test_copies_between_owners(server, anne, bob, carl):
    name = OF_ANNE + anne.box
    give(anne, 'lrswite')
    bob.ok('CREATE Mine')
    bob.ok(f'APPEND Mine (\\Flagged $Label) "01-Feb-2020 10:00:00 +0000" {LITERAL}')
    bob.ok(f'APPEND Mine {LITERAL}')
    bob.ok('SELECT Mine')
    assert re.match(r'OK \[COPYUID \d+ 1:2 2:3\]', bob.say(f'COPY 1:2 {name}')[1])
    lines, tagged = bob.say(f'UID MOVE 2 {name}')
    assert re.match(r'\* OK \[COPYUID \d+ 2 4\]', lines[0]) and '* 2 EXPUNGE' in lines and tagged.startswith('OK')
    bob.ok(f'SELECT {name}')
    assert bob.ok('FETCH 2 (FLAGS INTERNALDATE)')[0] == '* 2 FETCH (FLAGS (\\Flagged $Label) INTERNALDATE " 1-Feb-2020 10:00:00 +0000")'
    assert re.match(r'OK \[COPYUID \d+ 2:3 3:4\]', bob.say('COPY 2:3 Mine')[1])
    lines, tagged = bob.say('MOVE 1 Mine')
    assert re.match(r'\* OK \[COPYUID \d+ 1 5\]', lines[0]) and '* 1 EXPUNGE' in lines and tagged.startswith('OK')
    assert bob.code('COPY 1 Nowhere') == 'TRYCREATE'
    assert bob.code('COPY 1 shared/nobody@malle.test/x') == 'TRYCREATE'
    assert bob.code('REPLACE 1 Mine ' + LITERAL) == 'CANNOT'
    assert bob.code(f'RENAME {name} Mine2') == 'CANNOT'
    bob.ok('SELECT Mine')
    assert [line.rpartition('FLAGS ')[2] for line in bob.ok('FETCH 1:* FLAGS')] == ['(\\Flagged $Label))'] * 2 + ['())'] * 2
    # to a third one, whose owner takes no flags
    carl.ok('CREATE Box')
    carl.ok(f'SETACL Box {BOB} i')
    bob.ok(f'SELECT {name}')
    bob.ok(f'COPY 1:* shared/{CARL}/Box')
    carl.ok('SELECT Box')
    assert carl.ok('FETCH 1 FLAGS') == ['* 1 FETCH (FLAGS ())']
    # all or none, and what cannot be removed is not copied
    give(anne, 'lri')
    assert bob.code('MOVE 1 Mine') == 'NOPERM'
    bob.ok('SELECT Mine')
    give(anne, 'lr')
    assert bob.code(f'COPY 1:* {name}') == 'NOPERM' and bob.code(f'MOVE 1:* {name}') == 'NOPERM'
    give(anne, '')
    assert bob.code(f'MOVE 1:* {name}') == 'TRYCREATE'
    assert bob.ok('STATUS Mine (MESSAGES)') == ['* STATUS Mine (MESSAGES 4)']
    assert anne.ok(f'STATUS {anne.box} (MESSAGES)') == [f'* STATUS {anne.box} (MESSAGES 3)']


def test_idle(server, anne, bob):
    """Deliveries and the owner's changes are told."""
    anne.ok(f'SETACL INBOX {BOB} lrs')
    bob.ok(f'SELECT {OF_ANNE}INBOX')
    bob.send('i IDLE')
    assert bob.line().startswith('+ ')
    assert send(server, [ANNE], 'Subject: x\r\n\r\nx\r\n')[0] == 250
    assert bob.line() == '* 1 EXISTS' and bob.line() == '* 1 RECENT'
    anne.ok('SELECT INBOX')
    anne.ok('STORE 1 +FLAGS (\\Deleted)')
    assert bob.line().startswith('* 1 FETCH (UID 1 FLAGS (\\Deleted')
    anne.ok('EXPUNGE')
    assert bob.line() == '* 1 EXPUNGE'
    bob.send('DONE')
    assert bob.line().startswith('i OK')
    bob.send('j IDLE')
    assert bob.line().startswith('+ ')
    bob.send('NOT YET')
    assert bob.line().startswith('j BAD')
    bob.ok('NOOP')
    anne.ok(f'DELETEACL INBOX {BOB}')


def test_lists(server, anne, bob, carl):
    name = OF_ANNE + anne.box
    give(anne, 'l')
    anne.ok(f'CREATE {anne.box}/below')
    carl.ok(f'SETACL Drafts {BOB} lr')
    seen = listed(bob, 'shared/*')
    assert seen[name] == seen[f'{name}/below'].replace('HasNo', 'Has') and f'shared/{CARL}/Drafts' in seen
    assert seen[f'shared/{CARL}'] == seen[OF_ANNE[:-1]] == '\\Noselect \\HasChildren'
    assert all(name.startswith(('shared/', OF_ANNE)) for name in seen)
    bob.ok(f'SUBSCRIBE {name}')
    bob.ok('SUBSCRIBE shared/nobody@malle.test/x')
    assert listed(bob, 'shared/*', '(SUBSCRIBED) ') == {name: '\\HasChildren \\Subscribed', 'shared/nobody@malle.test/x': '\\NonExistent \\HasNoChildren \\Subscribed'}
    assert sorted(bob.ok('LSUB "" "shared/*"')) == sorted([f'* LSUB () "/" {name}', '* LSUB () "/" shared/nobody@malle.test/x'])
    bob.ok('UNSUBSCRIBE shared/nobody@malle.test/x')
    lines = bob.ok(f'LIST "" ({name} shared/{CARL}/Drafts) RETURN (MYRIGHTS STATUS (MESSAGES))')
    assert f'* MYRIGHTS {name} l' in lines and f'* MYRIGHTS shared/{CARL}/Drafts lr' in lines
    assert f'* STATUS shared/{CARL}/Drafts (MESSAGES 0)' in lines and not any(f'STATUS {name}' in line for line in lines)
    bob.ok(f'UNSUBSCRIBE {name}')
    carl.ok(f'DELETEACL Drafts {BOB}')
    assert not any(CARL in name for name in listed(bob, 'shared/*'))
    assert not any(name.startswith('shared') for name in listed(carl, '*'))


def test_administered_by_another(server, anne, bob, carl):
    """Who has the right `a` gives rights on, and these are found."""
    name = OF_ANNE + anne.box
    give(anne, 'la')
    bob.ok(f'SETACL {name} {CARL} lr')
    assert bob.code(f'SETACL {name} {ANNE} l') == 'CANNOT'  # the owner keeps hers
    assert bob.code(f'SETACL {name} anyone l') == 'CANNOT'
    assert name in listed(carl, 'shared/*')
    bob.ok(f'DELETEACL {name} {CARL}')
    assert name not in listed(carl, 'shared/*')
    bob.ok(f'SETACL {name} {BOB} l')  # and gives it away
    assert bob.code(f'GETACL {name}') == 'NOPERM'


def test_files_of_other_programs(server, anne, carl):
    """Rights that another program wrote count at once, and are found from the owner's next log-in on."""
    name = OF_ANNE + anne.box
    folder = server.maildir(ANNE) / f'.{anne.box}'
    (folder / 'dovecot-acl').write_text(f'user={CARL} lr\n')
    assert name not in listed(carl, '*')
    carl.ok(f'SELECT {name}')
    assert name in listed(carl, f'{OF_ANNE}*')
    Client(server, ANNE).ok('LOGOUT')
    assert eventually(lambda: name in listed(carl, '*'))
    (folder / 'dovecot-acl').write_text(f'user={CARL} lr\nno such line\n')
    assert carl.code('FETCH 1 FLAGS') == 'NONEXISTENT' and carl.is_ended()


def processes(server, title):
    found = []
    for child in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if title in child.read_text() and str(server.role_pids('mailbox')[0]) == re.search(r'PPid:\s+(\d+)', (child.parent / 'status').read_text())[1]:
                found.append(child.parent)
        except OSError:
            continue
    return found


def test_processes(server, anne, bob):
    """The mail is open in a process of the owner's alone, which ends with the session that it serves."""
    name = OF_ANNE + anne.box
    give(anne, 'lr')
    bob.ok(f'SELECT {name}')
    guests, own = processes(server, f'shared {ANNE} {BOB}'), processes(server, f'imap {BOB} ')
    assert len(guests) == 1 and len(own) == 1
    opened = {process: [os.readlink(fd) for fd in (process / 'fd').iterdir()] for process in (*guests, *own)}
    assert any('/anne/' in path for path in opened[guests[0]])
    assert not any('anne' in path for path in opened[own[0]]) and not any('/bob' in path for path in opened[guests[0]])
    bob.ok('UNSELECT')
    assert eventually(lambda: not processes(server, f'shared {ANNE} {BOB}') and not processes(server, f'imap {BOB} '))  # it parks
    bob.ok(f'SELECT {name}')
    assert len(processes(server, f'shared {ANNE} {BOB}')) == 1
    bob.sock.close()
    assert eventually(lambda: not processes(server, f'shared {ANNE} {BOB}'))


def test_guest_session_ends(server, anne, bob):
    name = OF_ANNE + anne.box
    give(anne, 'lr')
    bob.ok(f'STATUS {name} (MESSAGES)')
    for process in processes(server, f'shared {ANNE} {BOB}'):
        os.kill(int(process.name), 15)
    assert bob.code(f'STATUS {name} (MESSAGES)') in ('UNAVAILABLE', 'OK')
    bob.ok(f'STATUS {name} (MESSAGES)')
    bob.ok(f'SELECT {name}')
    for process in processes(server, f'shared {ANNE} {BOB}'):
        os.kill(int(process.name), 15)
    bob.send('x NOOP')
    assert bob.is_ended()


def test_not_served():
    """Without shared_prefix there are no mailboxes of others, whatever the files say."""
    with Server(users={ANNE: 'annes', BOB: 'bobs'}, conf={'hierarchy_separator': '/'}) as server:
        anne, bob = Client(server, ANNE), Client(server, BOB)
        anne.ok(f'SETACL INBOX {BOB} lr')
        assert ' ACL' not in bob.ok('CAPABILITY')[0]
        assert bob.ok('NAMESPACE') == ['* NAMESPACE (("" "/")) NIL NIL']
        assert bob.code(f'SELECT {OF_ANNE}INBOX') == 'NONEXISTENT'
        assert not any('shared' in name for name in listed(bob))
