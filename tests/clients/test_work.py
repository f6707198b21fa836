"""Real programs do a day's work in an account each; what they did is looked at from the server's side."""
import contextlib
import email.header
import email.parser
import imaplib
import pathlib
import pwd
import re
import subprocess
import tempfile
import time

import pytest

from clients import work
from clients.conftest import PASSWORD, address, with_lf
from clients.terminal import Terminal
from harness import FULL, eventually
from talk import Imap

MESSAGES = {name: f'From: sender@client.example\r\nTo: you@malle.test\r\nSubject: {name}\r\nMessage-ID: <{name}@client.example>\r\n'
                  f'Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nBody of {name}\r\n'.encode()
            for name in ('one', 'two', 'three', 'four', 'five')}
MORNING = ['one', 'two', 'three', 'four']  # what INBOX has when a program begins


def unpack(tree):
    """Skips the test where that cannot be done."""
    done = subprocess.run(work.program('true', tree=tree), capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='session', autouse=True)
def unpacked():
    unpack('clients')


@pytest.fixture
def begun(server):
    """Call it with the account: fills INBOX and returns a session of its own."""
    with contextlib.ExitStack() as stack:
        def begin(account):
            client = stack.enter_context(Imap(server))
            assert client.login(address(account), PASSWORD).startswith('OK')
            for name in MORNING:
                assert client.append(MESSAGES[name]).startswith('OK')
            return client
        yield begin


def subject_of(content):
    field = email.parser.BytesHeaderParser().parsebytes(content)['Subject']
    return str(email.header.make_header(email.header.decode_header(field)))


def found(server, account, mailbox):
    """(flags, content) of each message by its subject, as a new session sees them."""
    with imaplib.IMAP4_SSL('localhost', server.port('imaps'), ssl_context=server.tls_context()) as client:
        client.login(address(account), PASSWORD)
        status, _ = client.select(mailbox, readonly=True)
        assert status == 'OK'
        _, parts = client.uid('FETCH', '1:*', '(FLAGS BODY.PEEK[])')
        messages = [part for part in parts if isinstance(part, tuple)]
    there = {subject_of(content): (set(re.search(rb'FLAGS \(([^)]*)\)', head)[1].decode().split()) - {'\\Recent'}, content)
             for head, content in messages}
    assert len(there) == len(messages), 'a message is there twice'
    return there


def flags(server, account, mailbox='INBOX'):
    return {subject: flags for subject, (flags, _) in found(server, account, mailbox).items()}


def assert_contents(server, account, mailbox, *subjects):
    """They are there, whole, and no others."""
    assert {subject: content for subject, (_, content) in found(server, account, mailbox).items()} == \
        {subject: MESSAGES[subject] for subject in subjects}


def assert_worked(server, account, sent):
    """One was read, two flagged, three moved to Archive, four deleted; a copy of what was sent is in Sent."""
    assert flags(server, account) == {'one': {'\\Seen'}, 'two': {'\\Flagged'}}
    assert_contents(server, account, 'INBOX', 'one', 'two')
    assert_contents(server, account, 'Archive', 'three')
    assert '\\Deleted' not in flags(server, account, 'Archive')['three']
    [(subject, (_, content))] = found(server, account, 'Sent').items()
    assert subject == sent and b'Hello.' in content


# Thunderbird is 80 MB, and more than that of libraries.
@pytest.mark.seconds(600)
@pytest.mark.parametrize('account', ['mutt', 'neomutt', 'alpine', *['thunderbird'] * FULL])
def test_work_and_send(server, begun, account, scratch):
    if account == 'thunderbird':
        unpack(account)
    begun(account)
    getattr(work, f'with_{account}')(server, account, scratch)
    sent = f'sent by {account}'
    assert_worked(server, account, sent)
    if account == 'thunderbird':
        assert_contents(server, account, 'Trash', 'four')
    eventually(lambda: sent in flags(server, 'friend'))


@pytest.mark.parametrize('account', ['perl', 'imapflow'] if FULL else ['perl'])
def test_work(server, begun, account, scratch):
    """Libraries, which send nothing: they only put it into Sent. Debian 12 has neither imapflow nor the node that it needs."""
    if account == 'imapflow':
        unpack(account)
    begun(account)
    getattr(work, f'with_{account}')(server, account, scratch)
    assert_worked(server, account, f'sent by {account}')


@pytest.mark.parametrize('kind', [work.Mbsync, work.Offlineimap])
def test_synchronize(server, begun, kind, scratch):
    account = kind.__name__.lower()
    session = begun(account)
    program = kind(server, account, scratch)
    program.sync()
    texts = {name: with_lf(content) for name, content in MESSAGES.items()}
    assert sorted(program.messages('INBOX').values()) == sorted(texts[name] for name in MORNING)
    # both sides change
    program.flag('INBOX', texts['one'], 'S')
    program.delete('INBOX', texts['four'])
    program.add('Archive', texts['three'])
    program.delete('INBOX', texts['three'])
    program.add('Sent', texts['five'].replace(b'five', b'here'))
    assert session.command('SELECT INBOX')[0].startswith('OK')
    assert session.command('STORE 2 +FLAGS (\\Flagged)')[0].startswith('OK')
    assert session.append(MESSAGES['five']).startswith('OK')
    program.sync()
    assert flags(server, account) == {'one': {'\\Seen'}, 'two': {'\\Flagged'}, 'five': set()}
    assert_contents(server, account, 'INBOX', 'one', 'two', 'five')
    assert {subject: with_lf(re.sub(rb'X-[A-Z-]+: [^\n]*\n', b'', content, flags=re.I)) for subject, (_, content) in
            (found(server, account, 'Archive') | found(server, account, 'Sent')).items()} == \
        {'three': texts['three'], 'here': texts['five'].replace(b'five', b'here')}
    assert sorted(program.messages('INBOX').values()) == sorted(texts[name] for name in ('one', 'two', 'five'))
    assert program.find('INBOX', texts['two']).name.endswith(':2,F')
    # nothing is left to do
    before = [program.messages(mailbox) for mailbox in ('INBOX', 'Archive', 'Sent')], server.messages(address(account))
    program.sync()
    assert before == ([program.messages(mailbox) for mailbox in ('INBOX', 'Archive', 'Sent')], server.messages(address(account)))


@pytest.mark.parametrize('kind, settings', [('IMAP', 'mailboxes = ("INBOX",)\nmove_on_delete = Archive'), ('POP3', '')])
def test_getmail(server, begun, kind, settings):
    """It takes each message once, and moves or removes it."""
    account = f'getmail-{kind.lower()}'
    session = begun(account)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        keep = settings.partition('move_on_delete')[0] if kind == 'IMAP' else settings
        assert work.getmail(server, account, folder, kind, keep) == sorted(with_lf(MESSAGES[name]) for name in MORNING)
        if kind == 'IMAP':
            assert work.getmail(server, account, folder, kind, keep) == []
        assert session.append(MESSAGES['five']).startswith('OK')
        assert work.getmail(server, account, folder, kind, settings) == [with_lf(MESSAGES['five'])]
    assert flags(server, account) == {}
    assert_contents(server, account, 'Archive', *(MESSAGES if kind == 'IMAP' else ()))


def test_mutt_in_the_maildir(server, begun, scratch):
    """It works in the files themselves, under a session that is told."""
    account = 'mutt-maildir'
    session, maildir = begun(account), server.maildir(address(account))
    assert session.command('SELECT INBOX')[0].startswith('OK')
    time.sleep(2)  # that the folder is not too young to be believed
    (scratch / 'rc').write_text(f'{work.MUTT_RC}set mbox_type=Maildir folder="{maildir}" tmpdir=/tmp\n')
    owner = pwd.getpwnam('vmail')
    command = ('setpriv', f'--reuid={owner.pw_uid}', f'--regid={owner.pw_gid}', '--clear-groups', 'mutt', '-n', '-F', '/dev/null', '-f', maildir)
    keys = [arg for line in (scratch / 'rc').read_text().splitlines() for arg in ('-e', line)]
    with Terminal(work.program(*command, *keys, '-e', work.mutt_keys(f'{maildir}/.Archive')), work.environment(scratch)) as terminal:
        terminal.finish()
    told = b''

    def expunged():
        nonlocal told
        told += session.command('NOOP')[1]
        return told.count(b' EXPUNGE') == 2
    eventually(expunged, 10)
    assert b'* 1 FETCH (UID 1 FLAGS (\\Seen' in told and b'* 2 FETCH (UID 2 FLAGS (\\Flagged' in told
    assert flags(server, account) == {'one': {'\\Seen'}, 'two': {'\\Flagged'}}
    assert_contents(server, account, 'INBOX', 'one', 'two')
    assert {subject: content.replace(b'Content-Length: 14\r\n', b'') for subject, (_, content) in found(server, account, 'Archive').items()} == \
        {'three': MESSAGES['three']}
