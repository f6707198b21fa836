"""The same commands to malle and to Debian's Dovecot, which must say the same: CONDSTORE, QRESYNC, ESEARCH, SORT and THREAD. Numbers that are
each server's own (modification sequences, UIDVALIDITY) are compared by their names, texts and the order of flags not at all."""
import os
import pathlib
import re
import shutil
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Programs, needs_root  # noqa: E402
from harness import Server  # noqa: E402
from imap_model import Connection  # noqa: E402

USER, PASSWORD = 'joe@malle.test', 'joes'
OWNER = 64791  # nobody's number
BODIES = [('Mon, 1 Jan 2024 10:00:00 +0000', 'Zoe <adam@a.example>', 'beta', 'a', ''),
          ('Mon, 1 Jan 2024 10:30:00 +0200', '=?utf-8?q?=C3=89va?= <carl@a.example>', 'Re: [list] alpha', 'b', '<a@x>'),
          ('Tue, 2 Jan 2024 08:00:00 +0000', 'bert@a.example', 'Gamma', 'c', '<gone@x>'),
          ('Sun, 31 Dec 2023 10:00:00 +0000', 'Alf <x@a.example>', 'Re: beta (fwd)', 'd', '<gone@x>'),
          ('Wed, 3 Jan 2024 10:00:00 +0000', 'adam@a.example', 'beta', 'e', '<a@x> <b@x>'),
          ('Thu, 4 Jan 2024 10:00:00 +0000', 'dora@a.example', 'other', 'f', '')]

# Session, command; {name} is a number that the same server said before, as "name" of a step (the last HIGHESTMODSEQ or MODSEQ in its answer).
STEPS = [
    ('a', 'ENABLE QRESYNC', None),
    ('a', 'SELECT INBOX', 'high'),
    ('b', 'SELECT INBOX', None),
    ('a', 'FETCH 1:2 (MODSEQ)', None),
    ('a', 'STORE 2 +FLAGS (\\Seen)', 'two'),
    ('a', 'STORE 3 +FLAGS.SILENT (\\Flagged)', 'three'),
    ('a', 'STORE 2:4 (UNCHANGEDSINCE {high}) +FLAGS.SILENT (\\Answered)', None),
    ('a', 'UID STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Answered)', None),
    ('a', 'FETCH 1:* (FLAGS) (CHANGEDSINCE {two})', None),
    ('a', 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE {high})', None),
    ('a', 'SEARCH MODSEQ {three}', None),
    ('a', 'SEARCH RETURN (MIN) MODSEQ {two}', None),
    ('a', 'SEARCH RETURN (MIN MAX) MODSEQ {two}', None),
    ('a', 'SEARCH RETURN (COUNT ALL) MODSEQ {two}', None),
    ('b', 'NOOP', None),
    ('b', 'STORE 1 +FLAGS (\\Draft)', None),
    ('a', 'NOOP', None),
    ('b', 'STORE 5 +FLAGS (\\Deleted)', None),
    ('b', 'EXPUNGE', None),
    ('a', 'FETCH 1 (UID)', None),
    ('a', 'SEARCH UNDELETED', None),
    ('a', 'UID FETCH 1:9 (FLAGS) (CHANGEDSINCE {three} VANISHED)', None),
    ('a', 'NOOP', None),
    ('a', 'SELECT INBOX (QRESYNC ({validity} {high}))', None),
    ('a', 'SELECT INBOX (QRESYNC ({validity} {high} 1:4))', None),
    ('a', 'SELECT INBOX (QRESYNC (1 {high}))', None),
    ('a', 'SEARCH RETURN (SAVE) FLAGGED', None),
    ('a', 'FETCH $ (UID)', None),
    ('a', 'UID SEARCH RETURN (MIN MAX COUNT ALL) ALL', None),
    ('a', 'SEARCH RETURN (MIN COUNT) KEYWORD none', None),
    ('a', 'SEARCH RETURN (PARTIAL 1:2) ALL', None),
    ('a', 'UID SEARCH YOUNGER 1000000', None),
    ('a', 'STORE 1 +FLAGS (\\Deleted)', None),
    ('a', 'UID EXPUNGE 2:9', None),
    ('a', 'EXPUNGE', None),
    ('b', 'NOOP', None),
    ('b', 'SORT (DATE) UTF-8 ALL', None),
    ('b', 'SORT (REVERSE SUBJECT) UTF-8 ALL', None),
    ('b', 'UID SORT (FROM REVERSE ARRIVAL) UTF-8 ALL', None),
    ('b', 'SORT (DISPLAYFROM) UTF-8 ALL', None),
    ('b', 'SORT RETURN (MIN MAX COUNT) (SIZE) UTF-8 ALL', None),
    ('b', 'THREAD REFERENCES UTF-8 ALL', None),
    ('b', 'UID THREAD REFS UTF-8 ALL', None),
    ('b', 'STATUS INBOX (MESSAGES UNSEEN UIDNEXT)', None),
    ('b', 'UNSELECT', None),
    ('b', 'LIST "" INBOX RETURN (STATUS (MESSAGES UIDNEXT))', None),
]


class Malle:
    def __init__(self):
        self.server = Server(users={USER: PASSWORD})

    def connect(self):
        raw = self.server.connect('imaps')
        connection = Connection(self.server.tls_context().wrap_socket(raw))
        connection.line()
        assert connection.say(f'LOGIN {USER} {PASSWORD}')[1].startswith('OK')
        return connection

    def close(self, failed):
        self.server.__exit__(*((AssertionError, None, None) if failed else (None, None, None)))


class Dovecot:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-di-', dir='/tmp'))
        os.chmod(self.folder, 0o755)
        mail = self.folder / 'mail'
        mail.mkdir()
        os.chown(mail, OWNER, OWNER)
        self.programs = Programs(self.folder, mail, OWNER, OWNER)

    def connect(self):
        connection = Connection(self.programs.start('imap'))
        line = connection.line()
        assert line.startswith('* PREAUTH'), line
        return connection

    def close(self, failed):
        self.programs.close(failed)
        shutil.rmtree(self.folder, ignore_errors=True)


def fill(connection):
    for date, sender, subject, name, references in BODIES:
        text = f'Date: {date}\r\nFrom: {sender}\r\nSubject: {subject}\r\nMessage-ID: <{name}@x>\r\n'
        text += (f'References: {references}\r\n' if references else '') + '\r\nbody\r\n' + 'x' * len(text)
        day = date.split()
        when = f'{int(day[1]):2}-{day[2]}-{day[3]} {day[4]} {day[5]}'
        assert connection.say(f'APPEND INBOX "{when}" {{{len(text)}+}}\r\n{text}')[1].startswith('OK')


ITEMS = re.compile(r'(?:UID|MIN|MAX|COUNT) \d+|ALL [\d:,]+|MODSEQ (?:\(#\)|#)|FLAGS \([^)]*\)')


def same_words(line):
    """A response without what differs between servers by right: the order of items, texts, and the UID that malle always tells."""
    line = re.sub(r'(MODSEQ \(?)\d+', r'\1#', line)
    line = re.sub(r'FLAGS \(([^)]*)\)', lambda m: f'FLAGS ({" ".join(sorted(set(m[1].split()) - {chr(92) + "Recent"}))})', line)
    line = re.sub(r'TAG "[^"]*"', 'TAG', re.sub(r'^(\* OK \[[^]]*\]).*', r'\1', re.sub(r'^\* LIST \([^)]*\)', '* LIST', line)))
    items = sorted(ITEMS.findall(line))
    if re.match(r'\* \d+ FETCH .*FLAGS', line):
        items = [item for item in items if not item.startswith('UID ')]
    return ' '.join([ITEMS.sub('', line).replace(' ', ''), *items])


LEFT_OUT = re.compile(r'\* (FLAGS|OK \[(PERMANENTFLAGS|UIDVALIDITY|UNSEEN|CLOSED|UIDNEXT|MAILBOXID|NOMODSEQ)|\d+ RECENT)')


def play(server):
    """What a server says to each step."""
    sessions, names, said = {}, {}, []
    fill(server.connect())
    for session, command, name in STEPS:
        if session not in sessions:
            sessions[session] = server.connect()
        for key, value in names.items():
            command = command.replace('{' + key + '}', value)
        lines, tagged = sessions[session].say(command)
        everything = ' '.join(lines + [tagged])
        validity = re.search(r'UIDVALIDITY (\d+)', everything)
        if validity:
            names['validity'] = validity[1]
        if name:
            names[name] = re.findall(r'MODSEQ \(?(\d+)', everything)[-1]
        word = re.match(r'\w+( \[[A-Z]+[^]]*\])?', tagged)[0]
        said.append(sorted(same_words(line) for line in lines if not LEFT_OUT.match(line)) + [same_words(word)])
    return said


# Where malle differs on purpose, and why.
ON_PURPOSE = {
    'FETCH 1 (UID)': 'Dovecot tells new flags of a message that is gone, and HIGHESTMODSEQ with each sync',
    'UID FETCH 1:9 (FLAGS) (CHANGEDSINCE {three} VANISHED)': 'Dovecot tells one message as vanished earlier and as vanished now (RFC 7162 §3.2.10)',
    'UID EXPUNGE 2:9': 'malle tells HIGHESTMODSEQ whether a message went or not',
    'STATUS INBOX (MESSAGES UNSEEN UIDNEXT)': 'Dovecot calls STATUS of the selected mailbox a bug of the client',
}


@needs_root
def test_says_what_dovecot_says():
    answers = []
    for kind in (Dovecot, Malle):
        server, failed = kind(), True
        try:
            if kind is Malle:
                server.server.__enter__()
            answers.append(play(server))
            failed = False
        finally:
            server.close(failed)
    wrong = [f'{session}: {command}\n  Dovecot {there}\n  malle   {here}'
             for (session, command, _), there, here in zip(STEPS, *answers) if there != here and command not in ON_PURPOSE]
    assert not wrong, '\n'.join(wrong)
