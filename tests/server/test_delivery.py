"""What happens to a message with many recipients, of any size, when one mailbox cannot be written."""
import contextlib
import fcntl
import os
import random
import re
import shutil

import pytest

from harness import Server, eventually
from mail import connect_smtp, read_imap, read_pop3, send, without_trace

USERS = {f'u{i}@malle.test': f'pw{i}' for i in range(5)}
READERS = {f'reader{i}@malle.test': 'pw' for i in range(12)}


@pytest.fixture(scope='module')
def server():
    quick = {'minimal_backoff_time': '1s', 'maximal_backoff_time': '2s'}
    with Server(conf=quick, users=USERS | READERS) as s:
        yield s


@pytest.fixture
def clean(server):
    """The server with the mailboxes of USERS empty; nobody logs in to them."""
    for user in USERS:
        for path in server.messages(user):
            path.unlink()
    return server


def counts(server):
    return [len(server.messages(user)) for user in USERS]


def nothing_in_tmp(server):
    return not any(p.is_file() for user in USERS for p in (server.maildir(user) / 'tmp').glob('*'))


def broken_by_owner(maildir):
    os.chown(maildir / 'new', 1, 1)
    os.chown(maildir / 'tmp', 1, 1)
    return lambda: [os.chown(maildir / name, maildir.stat().st_uid, maildir.stat().st_gid) for name in ('new', 'tmp')]


def broken_by_mode(maildir):
    (maildir / 'tmp').chmod(0o500)
    return lambda: (maildir / 'tmp').chmod(0o700)


def broken_at_commit(maildir):
    (maildir / 'new').chmod(0o500)
    return lambda: (maildir / 'new').chmod(0o700)


def broken_by_a_file(maildir):
    shutil.rmtree(maildir / 'tmp')
    (maildir / 'tmp').write_text('rubbish')
    return lambda: ((maildir / 'tmp').unlink(), (maildir / 'tmp').mkdir(mode=0o700),
                    shutil.chown(maildir / 'tmp', maildir.stat().st_uid, maildir.stat().st_gid))


@pytest.mark.parametrize('breaks', [broken_by_owner, broken_by_mode, broken_by_a_file])
def test_one_broken_mailbox(clean, breaks):
    users = list(USERS)
    assert send(clean, users, 'Subject: warm up\r\n\r\nx\r\n')[0] == 250
    if breaks is broken_by_owner and os.geteuid() != 0:
        pytest.skip('needs root: gives folders away')
    mend = breaks(clean.maildir(users[2]))
    try:
        code, text = send(clean, [users[2]], 'Subject: for nobody\r\n\r\nx\r\n')
        assert code == 451, text
        code, text = send(clean, users, 'Subject: the queue keeps one\r\n\r\nx\r\n')
        assert code == 250, text
        assert counts(clean) == [2, 2, 1, 2, 2]
        replies = send(clean, users, 'Subject: for each\r\n\r\nx\r\n', listener='lmtp')
        assert [code for code, _ in replies] == [250, 250, 451, 250, 250]
        assert counts(clean) == [3, 3, 1, 3, 3]
    finally:
        mend()
    eventually(lambda: counts(clean) == [3, 3, 2, 3, 3])
    code, text = send(clean, users, 'Subject: again\r\n\r\nx\r\n')
    assert code == 250, text
    assert counts(clean) == [4, 4, 3, 4, 4] and nothing_in_tmp(clean)


def test_a_mailbox_that_fails_at_commit_is_not_acknowledged(clean):
    """The rename fails after every copy was prepared: alone, the client hears 451 and sends again; among others it is
    kept in the queue. Nothing stays in tmp."""
    users = list(USERS)
    assert send(clean, users, 'Subject: warm up\r\n\r\nx\r\n')[0] == 250
    mend = broken_at_commit(clean.maildir(users[2]))
    try:
        assert send(clean, [users[2]], 'Subject: late\r\n\r\nx\r\n')[0] == 451
        assert send(clean, users, 'Subject: late\r\n\r\nx\r\n')[0] == 250
        assert counts(clean) == [2, 2, 1, 2, 2]
        eventually(lambda: nothing_in_tmp(clean))  # the queue may be at it
    finally:
        mend()
    eventually(lambda: counts(clean) == [2, 2, 2, 2, 2])


@pytest.mark.parametrize('listener', ['smtp', 'lmtp'])
def test_two_hundred_recipients(clean, listener):
    users = list(USERS)
    recipients = [users[i % 5].replace('@', f'+{i}@') for i in range(200)]
    answer = send(clean, recipients, 'Subject: many\r\n\r\nx\r\n', listener=listener)
    codes = {code for code, _ in answer} if listener == 'lmtp' else {answer[0]}
    assert codes == {250}, answer
    found = [path.read_bytes().split(b'Delivered-To: ')[1].split(b'\n')[0].decode()
             for user in users for path in clean.messages(user)]
    assert sorted(found) == sorted(recipients)


def body_of(size):
    """Lines of every kind, dots first and 8-bit among them, of exactly this size with CRLF."""
    chance = random.Random(size)
    head = f'Subject: {size} bytes\r\nX-Mark: {size}\r\n\r\n'.encode()
    kinds = [b'.' * 3, b'', b'..', '\u00e9t\u00e9 '.encode() * 10, bytes(range(32, 127)), b'\tx' * 450]
    lines, left = [head], size - len(head)
    while left > 2:
        line = kinds[chance.randrange(len(kinds))][:left - 2] + b'\r\n'
        if left - len(line) == 1:
            line = b'x' + line
        lines.append(line)
        left -= len(line)
    text = b''.join(lines)
    assert len(text) == size and text.endswith(b'\r\n')
    return text


def nobody_holds(paths):
    for path in paths:
        with open(path, 'r+b') as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
    return True


SIZES = {'100': 100, '32k': 32 << 10, '32k+': (32 << 10) + 3, '1M': 1 << 20, '1M+': (1 << 20) + 1, '30M': 30 << 20}


@pytest.mark.parametrize('size', SIZES)
def test_the_same_bytes_come_back(server, size):
    at = list(SIZES).index(size)
    text, (first, second) = body_of(SIZES[size]), list(READERS)[2 * at:2 * at + 2]
    code, answer = send(server, [first, second], text)
    assert code == 250, answer
    [by_imap] = read_imap(server, first, 'pw')
    assert without_trace(by_imap) == text
    [by_pop3] = read_pop3(server, first, 'pw')
    assert by_pop3 == by_imap
    assert without_trace(read_imap(server, second, 'pw')[0]) == text
    eventually(lambda: nobody_holds((server.dir / 'state/spool').glob('content.*')))


def deliver_one(server, listener, orcpt=''):
    """What the header says of the recipient: (Delivered-To, "for" in Received)."""
    with contextlib.closing(connect_smtp(server, listener)) as client:
        for command, code in (('MAIL FROM:<a@b.example>', 250), (f'RCPT TO:<all@malle.test>{orcpt}', 250), ('DATA', 354), ('Subject: x', None), ('.', 250)):
            client.putcmd(command)
            assert code is None or client.getreply()[0] == code
    path, = server.messages('u0@malle.test')
    head = path.read_text().partition('Subject:')[0]
    path.unlink()
    found = [re.findall(expression, head) for expression in (r'(?m)^Delivered-To: (.*)$', r'\bfor <(.*)>;')]
    return tuple(values[0] if values else None for values in found)


def test_address_in_the_header_over_lmtp():
    final, rcpt = 'u0@malle.test', 'all@malle.test'
    with Server(users={final: 'pw'}) as server:
        server.malle('alias', 'add', rcpt, final)
        for setting, with_orcpt, without in (('final', (final, rcpt), (final, rcpt)), ('original', ('first@c.example',) * 2, (rcpt, rcpt)), ('none', (None, None), (None, None))):
            server.write_conf({'lmtp_hdr_delivery_address': setting})
            server.reload()
            assert deliver_one(server, 'lmtp', ' ORCPT=rfc822;first+40c.example') == with_orcpt
            assert deliver_one(server, 'lmtp') == deliver_one(server, 'lmtp', ' ORCPT=rfc822;no+20address') == without
            assert deliver_one(server, 'smtp', ' ORCPT=rfc822;first+40c.example') == (final, rcpt)


def test_lmtp_gives_each_recipient_its_copy(clean):
    """RFC 2033 §4.2: an address given twice is answered twice."""
    replies = send(clean, ['u0@malle.test', 'u1@malle.test'], 'Subject: l\r\n\r\nx\r\n', listener='lmtp')
    assert [code for code, _ in replies] == [250, 250]
    assert counts(clean) == [1, 1, 0, 0, 0]
