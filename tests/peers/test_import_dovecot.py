"""malle import --imap from Debian's Dovecot, whose mailboxes lie below INBOX and have another separator."""
import contextlib
import imaplib
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from dovecots import Dovecot, needs_root, users_in  # noqa: E402
from harness import Server  # noqa: E402
from ports import free_port  # noqa: E402

ANN, OWNER = 'ann@malle.test', 64790
MAILS = [(b'Subject: one\r\n\r\nfirst\r\n', r'\Seen', 1784281465), (b'Subject: two\r\n\r\n' + b'x' * 70000 + b'\r\n', r'\Flagged work $Forwarded', 951782400),
         (b'Subject: three\r\n\r\nno end', r'\Answered \Draft', 1300000000)]
NAMES = ['INBOX', 'INBOX/Work', 'INBOX/Work/K&APY-ln', 'INBOX/a.b']


def settings(folder, port, plain):
    return f'''protocols = imap
listen = 127.0.0.1
mail_location = maildir:{folder}/mail:LAYOUT=fs
first_valid_uid = 1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
ssl = yes
ssl_cert = <{folder}/cert
ssl_key = <{folder}/key
namespace inbox {{
  inbox = yes
  prefix = INBOX/
  separator = /
}}
{users_in(folder)}service auth {{
  unix_listener {folder}/listens {{
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
'''


@contextlib.contextmanager
def dovecot():
    """(its folder, the ports of TLS and of STARTTLS)"""
    port, plain = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix='malle-di-', dir='/tmp') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / 'mail').mkdir()
        os.chown(folder / 'mail', OWNER, OWNER)
        (folder / 'users').write_text(f'joe:{{PLAIN}}pass word:{OWNER}:{OWNER}::{folder}\n')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                        '-addext', 'subjectAltName=DNS:localhost', '-keyout', folder / 'key', '-out', folder / 'cert'], check=True, capture_output=True)
        with Dovecot(folder, settings(folder, port, plain), folder / 'listens') as peer:
            yield folder, port, plain, peer


def contents(client, name):
    client.select(name, readonly=True)
    found = []
    for head, body in (part for part in client.uid('FETCH', '1:*', '(FLAGS INTERNALDATE BODY.PEEK[])')[1] if isinstance(part, tuple)):
        found.append(({f.decode() for f in imaplib.ParseFlags(head)} - {r'\Recent'}, time.mktime(imaplib.Internaldate2tuple(head)), body))
    return found


@needs_root
def test_all_of_an_account(tmp_path):
    expected = [(set(flags.split()), date, mail) for mail, flags, date in MAILS]
    with dovecot() as (folder, port, plain, _), Server(users={ANN: 'ann'}) as server:
        context = ssl.create_default_context(cafile=folder / 'cert')
        there = imaplib.IMAP4_SSL('localhost', port, ssl_context=context, timeout=30)
        there.login('joe', 'pass word')
        for name in NAMES:
            if name != 'INBOX':
                assert there.create(name)[0] == 'OK'
            for mail, flags, date in MAILS:
                assert there.append(name, f'({flags})', imaplib.Time2Internaldate(date), mail)[0] == 'OK'
        before = contents(there, 'INBOX')
        for at, more in ((port, []), (plain, ['--starttls', '--mailbox', 'INBOX'])):
            done = server.malle('import', ANN, '--imap', f'localhost:{at}', '--user', 'joe', '--ca-file', folder / 'cert', '--json', *more,
                                input='pass word\n')
            assert json.loads(done.stdout) == {'mailboxes': 1 if more else 4, 'messages': 3 if more else 12, 'failed': 0}, done
        here = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
        here.login(ANN, 'ann')
        for name in ('Work', 'Work.K&APY-ln', 'a_b'):
            assert contents(here, name) == expected, name
        assert contents(here, 'INBOX') == expected * 2
        assert contents(there, 'INBOX') == before  # nothing was marked as read
        here.logout()
        there.logout()
