"""doveadm backup and sync: an account, and a Maildir over which Debian's Dovecot works, or Debian's Dovecot as an IMAP server."""
import imaplib
import pathlib
import pwd
import re
import shlex
import ssl
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from dovecots import Programs, needs_root, short_folder  # noqa: E402
from harness import Server  # noqa: E402
from test_import_dovecot import ANN, MAILS, NAMES, contents, dovecot  # noqa: E402

pytestmark = needs_root
MORE = [(b'Message-ID: <%d@x>\r\nSubject: more\r\n\r\nmore\r\n' % n, '', 1400000000) for n in range(3)]


@pytest.fixture
def server():
    with Server(users={ANN: 'ann'}) as s:
        yield s


def log_in(server):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(ANN, 'ann')
    return client


def fill(client, name, mails):
    if name != 'INBOX':
        assert client.create(name)[0] == 'OK' and client.subscribe(name)[0] == 'OK'
    for mail, flags, date in mails:
        append(client, name, mail, flags, date)


def append(client, name, mail, flags='', date=1400000000):
    assert client.append(name, f'({flags})', imaplib.Time2Internaldate(date), mail)[0] == 'OK'


def names(client, lsub=False):
    listed = client.lsub() if lsub else client.list()
    return sorted(re.fullmatch(rb'\(.*?\) \S+ "?(.*?)"?', line)[1].decode() for line in listed[1])


def sorted_contents(client, name):
    return sorted(contents(client, name), key=lambda message: (message[1:], sorted(message[0])))


def everything(client):
    return {name: sorted_contents(client, name) for name in names(client)}


def change(client, name, number, what, *flags):
    assert client.select(name)[0] == 'OK'
    assert client.store(str(number), what, f'({" ".join(flags)})')[0] == 'OK'
    assert client.expunge()[0] == 'OK'


def run(server, *arguments, status=0):
    if 'maildir:' in arguments[-1]:
        time.sleep(2.1)  # what is missing in a Maildir is believed then
    done = server.malle('doveadm', *arguments, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, '', ''), done


def test_maildir_of_dovecot(server):
    owner = pwd.getpwnam('vmail')
    with short_folder() as folder:
        (folder / 'dovecot').mkdir()
        place = f'maildir:{folder}/copy'
        here = log_in(server)
        for name in ('INBOX', 'Work', 'Work.K&APY-ln', 'Old'):
            fill(here, name, MAILS + MORE[:1])
        run(server, 'backup', '-u', ANN, place)
        programs = Programs(folder / 'dovecot', folder / 'copy', owner.pw_uid, owner.pw_gid, 'mailbox_list_index = no\n')  # which may be a second old
        command = programs.command('imap')
        there = imaplib.IMAP4_stream(shlex.join(['env', 'USER=joe', f'HOME={folder}/dovecot', *command]))
        first = everything(here)
        assert everything(there) == first and len(first['Work.K&APY-ln']) == 4
        assert names(there, lsub=True) == names(here, lsub=True)

        # both change; what is gone at one side alone comes back
        append(there, 'Work', *MORE[1])
        change(there, 'INBOX', 1, '+FLAGS', 'seen-there')
        change(there, 'INBOX', 2, '+FLAGS', r'\Deleted')
        assert there.delete('Old')[0] == 'OK'
        fill(there, 'New', MORE[2:])
        append(here, 'INBOX', *MORE[2])
        change(here, 'INBOX', 1, 'FLAGS', r'\Answered')
        run(server, 'sync', '-u', ANN, place)
        both = everything(here)
        assert everything(there) == both
        assert len(both['INBOX']) == 5 and len(both['Work']) == 5 and len(both['Old']) == 4 and len(both['New']) == 1
        assert [flags for flags, _, mail in both['INBOX'] if b'Subject: one' in mail] == [{r'\Answered', r'\Seen', 'seen-there'}]
        before = [client.status(name, '(UIDNEXT MESSAGES)') for client in (here, there) for name in ('INBOX', 'Work')]
        run(server, 'sync', '-u', ANN, place)
        assert [client.status(name, '(UIDNEXT MESSAGES)') for client in (here, there) for name in ('INBOX', 'Work')] == before

        # -1 removes nothing and takes nothing back
        change(there, 'Work', 1, '+FLAGS', r'\Deleted')
        append(there, 'Work', b'Subject: there\r\n\r\nx\r\n')
        change(here, 'Work', 2, 'FLAGS', r'\Draft')
        run(server, 'sync', '-1', '-m', 'Work', '-u', ANN, place)
        assert everything(here)['Work'] == [m for m in everything(there)['Work'] if b'Subject: there' not in m[2]]
        assert len(everything(there)['Work']) == 6

        # backup makes the other side what this one is, either way
        change(there, 'INBOX', 1, '-FLAGS', r'\Seen')
        change(there, 'INBOX', 3, '+FLAGS', r'\Deleted')
        assert there.delete('Old')[0] == 'OK' and there.unsubscribe('New')[0] == 'OK'
        theirs = everything(there)
        run(server, 'backup', '-R', '-u', ANN, place)
        assert everything(here) == everything(there) == theirs
        assert 'New' not in names(here, lsub=True) and 'Work' in names(here, lsub=True)
        change(here, 'Work', 1, '+FLAGS', r'\Deleted')
        append(here, 'New', *MORE[0])
        fill(there, 'Gone', MORE)
        append(there, 'INBOX', *MORE[1])
        ours = everything(here)
        run(server, 'backup', '-u', ANN, place)
        assert everything(there) == everything(here) == ours and 'Gone' not in ours
        there.logout()
        here.logout()
        programs.close(False)


def test_imap_server(server):
    with dovecot() as (folder, port, plain, _):
        there = imaplib.IMAP4_SSL('localhost', port, ssl_context=ssl.create_default_context(cafile=folder / 'cert'), timeout=30)
        there.login('joe', 'pass word')
        for name in NAMES:
            fill(there, name, MAILS + MORE[:1])

        def other(*arguments, at=port, tls='imaps'):
            login = ('imapc_host=localhost', f'imapc_port={at}', f'imapc_ssl={tls}', 'imapc_user=joe', 'imapc_password=pass word', f'ssl_client_ca_file={folder}/cert')
            return *(word for setting in login for word in ('-o', setting)), *arguments, '-u', ANN, 'imapc:'
        run(server, *other('backup', '-R'))
        here = log_in(server)
        pairs = {'INBOX': 'INBOX', 'Work': 'INBOX/Work', 'Work.K&APY-ln': 'INBOX/Work/K&APY-ln', 'a_b': 'INBOX/a.b'}

        def are_alike():
            return all(sorted_contents(here, ours) == sorted_contents(there, theirs) for ours, theirs in pairs.items())
        assert are_alike() and len(contents(here, 'Work')) == 4
        append(here, 'Work', *MORE[1])
        fill(here, 'Mine.Deep', MORE)
        change(there, 'INBOX/a.b', 1, '+FLAGS', r'\Deleted')
        append(there, 'INBOX', *MORE[2])
        pairs['Mine.Deep'] = 'INBOX/Mine/Deep'
        run(server, *other('sync', at=plain, tls='starttls'))
        assert are_alike() and len(contents(there, 'INBOX/Mine/Deep')) == 3 and len(contents(there, 'INBOX/a.b')) == 4
        run(server, *other('backup', '-m', 'a_b'))
        assert are_alike()
        fill(there, 'INBOX/a_b', MORE)  # would meet INBOX/a.b in a_b
        met = server.malle('doveadm', *other('backup', '-R'), check=False)
        assert met.returncode and 'the mailboxes INBOX/a.b and INBOX/a_b would have one name, a_b; rename one of them' in met.stderr, met
        assert are_alike()
        refused = server.malle('doveadm', *other('sync', tls='no'), check=False)
        assert refused.returncode == 64 and 'TLS' in refused.stderr
        here.logout()
        there.logout()


def test_wrong_words(server):
    for words, status, said in ((['sync', '-u', ANN, 'remote:other'], 64, 'maildir:PATH'), (['backup', '-u', ANN], 64, 'doveadm backup'),
                                (['-o', 'mail_location=maildir:/x', 'sync', '-u', ANN, 'imapc:'], 64, 'imapc_*'),
                                (['sync', '-u', ANN, 'imapc:'], 64, 'imapc_host'), (['sync', '-u', ANN, f'maildir:{server.maildir(ANN)}'], 64, "own mail"),
                                (['backup', '-R', '-u', ANN, f'maildir:{server.dir}/slip'], 68, 'no Maildir'),
                                (['sync', '-u', 'nobody@malle.test', 'maildir:/tmp/x'], 67, "doesn't exist")):
        done = server.malle('doveadm', *words, check=False)
        assert done.returncode == status and said in done.stderr, done
    assert not (server.dir / 'slip').exists()
