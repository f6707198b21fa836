"""sendmail as programs of this machine call it."""
import os
import socket
import threading

import pytest

from harness import DOMAIN, Server, eventually
from local.conftest import NOBODY, OTHER, USER, Local

root = pytest.mark.skipif(os.geteuid() != 0, reason='becomes another user')


def arrived(local, address=USER, text=''):
    """The newest message of an account that holds the text."""
    def find():
        return next((m for m in (p.read_text() for p in local.server.messages(address)) if text in m), None)
    return eventually(find)


@root
def test_a_user_without_rights_sends(local):
    done = local.run('sendmail', USER, message='Subject: from nobody\n\nbody\n', uid=NOBODY)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    text = arrived(local, text='from nobody')
    assert f'Return-Path: <nobody@{DOMAIN}>\n' in text
    assert f'(malle, from user nobody, uid {NOBODY})' in text
    assert f'\nFrom: nobody <nobody@{DOMAIN}>\n' in text and '\nDate: ' in text and '\nMessage-ID: <' in text
    local.server.wait_log(f': uid={NOBODY} from=<nobody@{DOMAIN}>')


def test_t_takes_recipients_from_the_header_and_drops_bcc(local):
    done = local.run('sendmail', '-t', '-i', message=f'To: {USER}\nBcc: other\nSubject: with bcc\n\n.\nbehind the dot\n')
    assert (done.returncode, done.stderr) == (0, '')
    for address in (USER, OTHER):
        text = arrived(local, address, 'with bcc')
        assert 'Bcc' not in text and text.endswith('\n\n.\nbehind the dot\n') and f'\nTo: {USER}\n' in text


def test_a_lone_dot_ends_the_message(local):
    assert local.run('sendmail', USER, message='Subject: dots\r\n\r\nbody\r\n.\r\nnot this\r\n').returncode == 0
    assert arrived(local, text='Subject: dots').endswith('\n\nbody\n')


def test_text_without_a_header(local):
    assert local.run('sendmail', '-F', 'The "Tool"', USER, message='no header: in sight here\n').returncode == 0
    text = arrived(local, text='in sight')
    head, _, body = text.partition('\n\n')
    assert body == 'no header: in sight here\n' and '\nFrom: "The \\"Tool\\"" <root@' in head or os.geteuid() != 0


def test_cron(local):
    """Addresses without a domain, as cron writes them."""
    done = local.run('sendmail', '-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'demo',
                     message='From: root (Cron Daemon)\nTo: demo\nSubject: Cron <x> run\n\nzufällig\n')
    assert (done.returncode, done.stderr) == (0, '')
    text = arrived(local, text='Cron <x> run')
    assert f'\nFrom: Cron Daemon <root@{DOMAIN}>\nTo: {USER}\n' in text and 'zufällig' in text


def test_unknown_recipients(local):
    done = local.run('sendmail', f'nosuch@{DOMAIN}', USER, message='Subject: half known\n\n')
    assert done.returncode == 67
    assert done.stderr.startswith(f'malle: not sent to nosuch@{DOMAIN}: 550 5.1.1 ')
    arrived(local, text='half known')


@pytest.mark.parametrize('arguments', [[], ['-t'], ['-bv', 'x'], ['-Y'], ['-N', 'sometimes', 'x'], ['-f', 'a b', 'x']])
def test_wrong_usage(local, arguments):
    done = local.run('sendmail', *arguments)
    assert done.returncode == 64 and done.stderr.startswith('malle: ')


@root
def test_sender_of_a_user(local):
    """Its own, with a tag, and none; nobody else's. Root and trusted_users may take any."""
    for sender, status in (('nobody', 0), (f'nobody+x@{DOMAIN}', 0), ('<>', 0), (USER, 77), ('x@elsewhere.example', 77)):
        done = local.run('sendmail', '-f', sender, USER, uid=NOBODY)
        assert done.returncode == status, done.stderr
        assert (done.stderr == '') == (status == 0)
    assert '553 5.7.1 <x@elsewhere.example>: Sender address rejected' in done.stderr
    for uid in (None, 1):  # daemon is one of trusted_users
        assert local.run('sendmail', '-f', 'x@elsewhere.example', USER, message=f'Subject: as {uid}\n\n', uid=uid).returncode == 0
        assert 'Return-Path: <x@elsewhere.example>' in arrived(local, text=f'Subject: as {uid}\n')


@root
def test_who_may_submit():
    """authorized_submit_users: nobody else, but root always."""
    with Server(conf={'authorized_submit_users': '!nobody, *'}, users={USER: 'demo'}) as server:
        local = Local(server)
        done = local.run('sendmail', USER, uid=NOBODY)
        assert done.returncode == 77 and f'User nobody({NOBODY}) is not allowed to submit mail' in done.stderr
        assert local.run('sendmail', USER, message='Subject: of another\n\n', uid=1).returncode == 0
        assert local.run('sendmail', USER, message='Subject: of root\n\n').returncode == 0
        arrived(local, text='Subject: of another')
        arrived(local, text='Subject: of root')
        assert len(server.messages(USER)) == 2


@root
def test_smtp_on_standard_input(local):
    dialogue = f'EHLO x\r\nMAIL FROM:<nobody@{DOMAIN}>\r\nRCPT TO:<{USER}>\r\nDATA\r\nSubject: by hand\r\n\r\nx\r\n.\r\nQUIT\r\n'
    done = local.run('sendmail', '-bs', message=dialogue, uid=NOBODY)
    replies = done.stdout.splitlines()
    assert done.returncode == 0 and replies[0].startswith('220 ') and replies[-1].startswith('221 ')
    assert [line[:3] for line in replies if line[3] == ' '] == ['220', '250', '250', '250', '354', '250', '221']
    assert f'\nFrom: nobody@{DOMAIN}\n' in arrived(local, text='by hand')


def test_delivery_notifications(local):
    """-N, -R and -V become NOTIFY, RET and ENVID: RFC 3461 §4."""
    assert local.run('sendmail', '-N', 'success', '-V', 'QQ314', '-R', 'hdrs', '-f', 'other', USER).returncode == 0
    text = arrived(local, OTHER, 'Action: delivered')
    assert 'Original-Envelope-Id: QQ314' in text


@root
def test_while_the_server_is_down(local):
    """Messages are kept and sent by who gave them, when the server is back."""
    drop = local.server.dir / 'state/maildrop'
    local.server.stop()
    try:
        assert drop.stat().st_mode & 0o7777 == 0o1733
        arguments = ['-t', '-F', 'Me', '-N', 'never', '-f', '<>']
        done = local.run('sendmail', *arguments, message=f'To: {USER}\nSubject: dropped\n\n.\nno more\n', uid=NOBODY)
        assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
        assert local.run('sendmail', '-i', '-f', 'x@elsewhere.example', USER, message='Subject: by root\n\n.\nmore\n').returncode == 0
        assert local.run('sendmail', f'nosuch@{DOMAIN}', message='Subject: to nobody\n\n', uid=NOBODY).returncode == 0
        assert local.run('sendmail', '-f', USER, USER, message='Subject: forged\n\n', uid=NOBODY).returncode == 0
        assert local.run('sendmail', '-t', message='To: a b c\nSubject: whom\n\n').returncode == 0
        assert local.run('sendmail', '-f', OTHER, '-V', 'QQ314', f'nosuch@{DOMAIN}', USER, message='Subject: to two\n\ntext of it\n').returncode == 0
        assert local.run('sendmail', '-f', OTHER, '-N', 'never', f'nosuch@{DOMAIN}', message='Subject: silent\n\n').returncode == 0
        assert local.run('sendmail', '-f', '<>', f'nosuch@{DOMAIN}', message='Subject: of nobody\n\n').returncode == 0
        assert {(p.name[:2], p.stat().st_mode & 0o777) for p in drop.iterdir()} == {('d.', 0o600)} and len([*drop.iterdir()]) == 8
        done = local.run('sendmail', '-bs', message='QUIT\r\n')
        assert done.returncode == 75 and done.stdout.startswith('421 ')
    finally:
        local.server.start()
    text = arrived(local, text='Subject: dropped')
    assert 'Return-Path: <>\n' in text and f'from user nobody, uid {NOBODY})' in text and text.endswith('\n\n')
    assert arrived(local, text='Subject: by root').endswith('\n\n.\nmore\n')
    local.server.wait_log('550 5.1.1 <nosuch@')
    local.server.wait_log('553 5.7.1 <demo@')
    eventually(lambda: not [*drop.iterdir()])
    # the sender is told of the one who was refused; the other got it
    report = arrived(local, OTHER, 'Subject: to two')
    assert report.startswith('Return-Path: <>\n') and 'text of it' in report and 'Original-Envelope-Id: QQ314' in report
    assert f'Final-Recipient: rfc822; nosuch@{DOMAIN}\nAction: failed\nStatus: 5.1.1\n' in report and 'Diagnostic-Code: smtp; 550 5.1.1' in report
    assert report.count('Final-Recipient') == 1
    assert arrived(local, text='Subject: to two').endswith('\ntext of it\n')
    # nobody has no mailbox, and demo did not write what has his name on it
    postmaster = [m for m in (p.read_text() for p in local.server.messages(USER)) if 'Action: failed' in m]
    assert sorted(next(w for w in ('to nobody', 'forged', 'whom', 'of nobody') if f'Subject: {w}' in m) for m in postmaster) == \
        ['forged', 'of nobody', 'to nobody', 'whom']
    assert all(f'\nTo: <root@{DOMAIN}>\n' in m if 'Subject: whom' in m else f'\nTo: <postmaster@mail.{DOMAIN}>\n' in m for m in postmaster)
    assert any('Final-Recipient: rfc822; unknown' in m and 'x-malle; the header names no recipient' in m for m in postmaster)
    assert not [m for m in (p.read_text() for p in local.server.messages(OTHER)) if 'silent' in m]
    local.server.wait_log('was returned to its sender')


@root
def test_what_others_put_into_the_maildrop(local):
    """A link to somebody's file, and what is no message, are never sent."""
    drop, secret = local.server.dir / 'state/maildrop', local.server.dir / 'secret'
    for path in drop.iterdir():
        path.unlink()
    secret.write_bytes(b'malle 1 3\nsendmail\0--\0' + USER.encode() + b'\0Subject: secret\n\n')
    (drop / 'd.hard').hardlink_to(secret)
    (drop / 'd.soft').symlink_to(secret)
    (drop / 'd.text').write_text('hello')
    (drop / 'd.mode').write_bytes(b'malle 1 2\nsendmail\0-bp\0')
    (drop / 't.unfinished').write_text('x')
    os.mkfifo(drop / 'd.fifo')
    local.server.malle('pickup')
    names = sorted(p.name for p in drop.iterdir())
    assert names == ['failed.fifo', 'failed.hard', 'failed.mode', 'failed.soft', 'failed.text', 't.unfinished']
    assert not [p for p in local.server.messages(USER) if 'secret' in p.read_text()]


def test_nowhere_to_keep_it(tmp_path):
    """Neither a server nor a maildrop: the caller is told to try again."""
    with Server(start=False) as server:
        done = Local(server).run('sendmail', USER)
        assert done.returncode == 75 and done.stdout == ''
        assert done.stderr.startswith('malle: the message was not sent, because the mail server cannot be reached (connect to ')


def refuse_for_now(path, word):
    """A server for one connection that answers 450 to recipients with the word; the thread that it runs in."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve():
        connection, _ = listener.accept()
        with listener, connection, connection.makefile('rwb', buffering=0) as stream:
            stream.write(b'220 x\r\n')
            content = False
            for line in stream:
                verb = line[:4].upper()
                content = content and line != b'.\r\n'
                if content:
                    continue
                content = verb == b'DATA'
                stream.write(b'450 4.2.1 busy\r\n' if verb == b'RCPT' and word in line else
                             b'354 go on\r\n' if content else
                             b'250-x\r\n250 XORIGIN ' + DOMAIN.encode() + b'\r\n' if verb == b'EHLO' else b'250 2.0.0 Ok\r\n')
                if verb == b'QUIT':
                    return
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize('word', [b'other', b'@'])
def test_who_is_refused_for_now_gets_it_later(word):
    """One of two, or both: what waits is the message as it was completed, for them alone."""
    with Server(start=False, users={USER: 'a', OTHER: 'b'}) as server:
        local = Local(server)
        drop = server.dir / 'state/maildrop'
        drop.mkdir()
        (server.dir / 'run').mkdir(exist_ok=True)
        thread = refuse_for_now(server.dir / 'run/sendmail', word)
        done = local.run('sendmail', '-t', '-f', USER, message='To: demo\nBcc: other\nSubject: later\n\nx\n')
        thread.join(10)
        assert (done.returncode, done.stderr) == (0, '')
        assert len([*drop.iterdir()]) == 1
        server.start()
        text = arrived(local, OTHER, 'Subject: later')
        assert f'\nTo: {USER}\n' in text and 'Bcc' not in text
        eventually(lambda: not [*drop.iterdir()])
        assert len(server.messages(USER)) == (1 if word == b'@' else 0)


def test_too_many_connections_of_one_user():
    """421 is no loss: the message waits."""
    with Server(conf={'smtpd_client_connection_count_limit': '1'}) as server:
        local = Local(server)
        with socket.socket(socket.AF_UNIX) as busy:
            busy.connect(str(server.dir / 'run/sendmail'))
            assert busy.recv(100).startswith(b'220 ')
            assert local.run('sendmail', USER).returncode == 0
            assert len([*(server.dir / 'state/maildrop').iterdir()]) == 1
        server.wait_log('lost connection')
        server.malle('pickup')
        arrived(local)
