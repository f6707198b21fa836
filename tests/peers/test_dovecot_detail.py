"""lmtp_save_to_detail_mailbox with Debian's Dovecot and with malle: into which mailbox of user+tag a message goes, and which are made."""
import os
import pathlib
import pwd
import smtplib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, needs_root, short_folder  # noqa: E402
from harness import Server, eventually  # noqa: E402

pytestmark = needs_root

JOE = 'joe@malle.test'
THERE = ('Lists', 'Lists.Deep')  # mailboxes that are there before
TAGS = ('', '+Lists', '+nothere', '+INBOX', '+inbox', '+Lists.Deep', '+lists', '+a+b', '+..', '+.x', '+a..b', '+x.', '+two words', '+New.Sub')


def deliver(path):
    """The replies to a message for each of the tags."""
    with smtplib.LMTP(str(path), local_hostname='client.example', timeout=60) as client:
        said = []
        for tag in TAGS:
            client.ehlo()
            client.docmd('MAIL', 'FROM:<sender@client.example>')
            local = f'joe{tag}'
            said.append(client.docmd('RCPT', f'TO:<"{local}"@malle.test>' if not all(c.isalnum() or c in '+.' for c in local) or '..' in local or
                                     local.endswith('.') else f'TO:<{local}@malle.test>')[0])
            if said[-1] == 250:
                client.docmd('DATA')
                client.send(f'Subject: {tag or "none"}\r\n\r\nx\r\n.\r\n'.encode())
                said.append(client.getreply()[0])
            else:
                client.docmd('RSET')
        return said


def prepare(maildir):
    owner = pwd.getpwnam('vmail')
    for folder in ('', *(f'.{name}' for name in THERE)):
        for part in ('cur', 'new', 'tmp'):
            (maildir / folder / part).mkdir(parents=True, exist_ok=True)
        if folder:
            (maildir / folder / 'maildirfolder').touch()
    for path in [maildir, *maildir.rglob('*')]:
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def found(maildir):
    """{subject: folder}, and what is subscribed."""
    where = {}
    for path in maildir.rglob('new/*'):
        subject = next(line for line in path.read_text().splitlines() if line.startswith('Subject: ')).removeprefix('Subject: ')
        folder = str(path.parent.parent.relative_to(maildir))
        where[subject] = '' if folder == '.' else folder
    lines = (maildir / 'subscriptions').read_text().splitlines() if (maildir / 'subscriptions').exists() else []
    return where, sorted(line.replace('\t', '.') for line in lines if line not in ('V\t2', ''))


@pytest.mark.parametrize('settings', [{}, {'lda_mailbox_autocreate': 'yes'}, {'lda_mailbox_autocreate': 'yes', 'lda_mailbox_autosubscribe': 'yes'}],
                         ids=['there', 'create', 'subscribe'])
def test_tags(settings):
    with short_folder() as folder:
        prepare(folder / 'mail/joe/Maildir')
        owner = pwd.getpwnam('vmail')
        os.chown(folder / 'mail/joe', owner.pw_uid, owner.pw_gid)
        lines = ''.join(f'{name} = {value}\n' for name, value in settings.items())
        with Dovecot(folder, f'''protocols = lmtp
mail_location = maildir:~/Maildir
first_valid_uid = 1
lmtp_save_to_detail_mailbox = yes
{lines}passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={folder}/mail/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
''', folder / 'lmtp'):
            theirs = deliver(folder / 'lmtp'), found(folder / 'mail/joe/Maildir')
    with Server(conf={'lmtp_save_to_detail_mailbox': 'yes', **settings}, users={JOE: 'joes'}) as server:
        maildir = server.dir / 'mail/malle.test/joe'
        prepare(maildir)
        ours = deliver(server.dir / 'run/lmtp'), eventually(lambda: found(maildir))
    assert ours == theirs


def test_over_smtp_and_without():
    """Other deliveries go there, too; and nothing goes anywhere else as long as nobody says so."""
    for value, folder in (('yes', '.Lists'), ('no', '')):
        with Server(conf={'lmtp_save_to_detail_mailbox': value}, users={JOE: 'joes'}) as server:
            maildir = server.dir / 'mail/malle.test/joe'
            prepare(maildir)
            with smtplib.SMTP('127.0.0.1', server.port('smtp'), local_hostname='client.example', timeout=30) as client:
                client.sendmail('sender@client.example', ['joe+Lists@malle.test'], b'From: a@client.example\r\nSubject: it\r\n\r\nx\r\n')
            assert eventually(lambda: found(maildir)[0]) == {'it': folder}
