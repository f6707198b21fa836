"""dovecot-lda as mail servers call it: as the owner of the mail, who asks the server who a user is; as the user; and when something is
wrong, which must keep the mail with who calls."""
import os
import pathlib
import pwd
import subprocess
import time

import pytest

from harness import DOMAIN, Server, eventually
from local.programs import Programs
from system_users import system_users_for_a_while
from talk import Smtp

JOE, TEXT = f'joe@{DOMAIN}', 'Subject: by the agent\n\nhello\n'
NOBODY = 65534
TEMPORARY, NO_USER, FULL = 75, 67, 77

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root: other users')


@pytest.fixture(scope='module')
def malle():
    with Server(users={JOE: 'joes'}, sections='[listener userdb]\nprotocol = auth-userdb\nsocket = userdb\nmode = 0600\nuser = vmail\n') as server:
        yield Programs(server)


def lda(malle, uid, *arguments, name='deliver', text=TEXT):
    """The status, and how many messages have come into the Maildir of JOE."""
    before = len(malle.server.messages(JOE))
    done = subprocess.run(['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups', malle.dir / name, *arguments], input=text,
                          text=True, capture_output=True, timeout=60,
                          env=malle.environment(MAIL_CONFIG=str(malle.server.dir / 'malle.conf')))
    return done.returncode, len(malle.server.messages(JOE)) - before


def test_as_the_owner_of_the_mail(malle):
    """As `pipe flags=DRhu user=vmail argv=/usr/lib/dovecot/deliver -f ${sender} -d ${recipient}` calls it."""
    vmail = pwd.getpwnam('vmail').pw_uid
    lda(malle, 0, '-d', JOE)  # root may make the folders above
    assert lda(malle, vmail, '-f', 'sender@client.example', '-d', JOE) == (0, 1)
    assert {path.read_text() for path in malle.server.messages(JOE)} == {TEXT}
    assert {path.stat().st_uid for path in malle.server.messages(JOE)} == {vmail}
    assert lda(malle, vmail, '-d', f'nobody@{DOMAIN}') == (NO_USER, 0)


def test_as_somebody_else(malle):
    """The socket is not theirs, and the mail is not either."""
    assert lda(malle, NOBODY, '-d', JOE) == (TEMPORARY, 0)
    assert lda(malle, NOBODY) == (TEMPORARY, 0), 'its home is missing'


def test_what_is_in_doubt_is_kept(malle):
    assert lda(malle, 0, '-d', JOE) == (0, 1)
    new = malle.server.maildir(JOE) / 'new'
    new.rename(new.with_name('elsewhere'))
    new.write_text('')
    try:
        assert lda(malle, 0, '-d', JOE) == (TEMPORARY, 0)
        assert list((malle.server.maildir(JOE) / 'tmp').iterdir()) == []
    finally:
        new.unlink()
        new.with_name('elsewhere').rename(new)
    assert lda(malle, 0, '-d', JOE, '-o', 'mail_location=maildir:/tmp') == (TEMPORARY, 0)
    assert lda(malle, 0, '-d', JOE, '-c', '/nonexistent') == (TEMPORARY, 0)


def test_a_full_mailbox(malle):
    """Refused for good, or for now; the server tells the owner of the mail the limit."""
    vmail = pwd.getpwnam('vmail').pw_uid
    lda(malle, 0, '-d', JOE)
    malle.server.malle('user', 'quota', JOE, '--messages', '1')
    try:
        for uid in (0, vmail):
            assert lda(malle, uid, '-d', JOE) == (FULL, 0)
            assert lda(malle, uid, '-d', JOE, '-m', 'Archive') == (FULL, 0)
        done = malle.run('deliver', '-d', JOE, stdin=TEXT)
        assert done.stderr.endswith('Quota exceeded (mailbox for user is full)\n')
        malle.server.malle('user', 'quota', JOE, '--messages', '1000')
        assert lda(malle, vmail, '-d', JOE) == (0, 1)
    finally:
        malle.server.malle('user', 'quota', JOE, '--messages', 'default')


def test_a_disabled_account(malle):
    malle.server.malle('user', 'disable', JOE)
    try:
        assert lda(malle, 0, '-d', JOE) == (TEMPORARY, 0)
    finally:
        malle.server.malle('user', 'enable', JOE)


def test_while_the_server_is_down(malle):
    """Root needs no server; the owner of the mail is told to come again."""
    malle.server.stop()
    try:
        assert lda(malle, pwd.getpwnam('vmail').pw_uid, '-d', JOE) == (TEMPORARY, 0)
        assert lda(malle, 0, '-d', JOE) == (0, 1)
    finally:
        malle.server.start()


def test_as_mailbox_command():
    """By malle itself, with the lines that it puts above a message."""
    with system_users_for_a_while() as users:
        user = users.add()
        with Server(users={}, conf={'system_users': 'yes', 'pam_service': users.service}, start=False) as server:
            program = Programs(server).dir / 'dovecot-lda'
            server.write_conf({'system_users': 'yes', 'pam_service': users.service,
                               'mailbox_command': f'{program} -c {server.dir}/malle.conf -f "$SENDER" -a "$RECIPIENT"'})
            server.start()
            with Smtp(server) as client:
                client.hello()
                assert client.envelope(f'{user.pw_name}@{DOMAIN}').startswith('250')
                assert client.data(TEXT.replace('\n', '\r\n').encode())[0].startswith('250')
            maildir = pathlib.Path(user.pw_dir, 'Maildir')
            [path] = eventually(lambda: list(maildir.glob('new/*')), 20)
            text = path.read_text()
            assert text.startswith('Return-Path: <sender@client.example>\n') and text.endswith(TEXT)
            assert path.stat().st_uid == user.pw_uid and time.time() - path.stat().st_mtime < 60
