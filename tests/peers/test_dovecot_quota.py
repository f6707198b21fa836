"""A real Dovecot with its plugin quota on the same Maildirs as malle: each goes on from the other's maildirsize, both print the same."""
import imaplib
import os
import pathlib
import smtplib
import socket
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, imap_at, needs_root, short_folder  # noqa: E402
from harness import DOMAIN, TOP, Server  # noqa: E402
from ports import free_port  # noqa: E402

ANN, BOB = f'ann@{DOMAIN}', f'bob@{DOMAIN}'
RULES = '*:storage=100:messages=1000', 'Trash:storage=+50', 'Junk:ignore'
MAIL = 'Subject: x\r\n\r\n' + 'y' * 60 + '\r\n'

pytestmark = needs_root


class Quota(Dovecot):
    def doveadm(self, *words, input=None, check=True):
        done = subprocess.run([TOP / 'tools/peers', 'dovecot', 'doveadm', '-c', str(self.conf), *words], input=input, text=True,
                              capture_output=True, timeout=60)
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr, self.log())
        return done


@pytest.fixture(scope='module')
def pair():
    """malle, and Dovecot on the mail of its accounts."""
    with short_folder() as folder, Server(users={ANN: 'ann', BOB: 'bob'}, conf={
            'quota_rule': ', '.join(RULES), 'quota_warning': '', 'hierarchy_separator': '.'},
            sections='[listener status]\nprotocol = quota-status\nsocket = status\n') as server:
        for user in (ANN, BOB):  # makes the Maildirs
            send(server, user)
        owner = server.maildir(ANN).stat()
        port = free_port()
        settings = f'''protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{server.dir}/mail/%d/%n
mail_plugins = quota
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
namespace inbox {{
  inbox = yes
  separator = .
}}
plugin {{
  quota = maildir:User quota
  quota_rule = {RULES[0]}
  quota_rule2 = {RULES[1]}
  quota_rule3 = {RULES[2]}
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner.st_uid} gid={owner.st_gid} home={server.dir}/mail/%d/%n
}}
service quota-status {{
  executable = quota-status -p postfix
  unix_listener {folder}/status {{
    mode = 0666
  }}
}}
{imap_at(port)}'''
        with Quota(folder, settings, folder / 'run/auth-userdb') as dovecot:
            dovecot.port = port
            yield server, dovecot


def send(server, to):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), 'client.example', timeout=30) as client:
        client.sendmail('a@client.example', [to], MAIL)


def imap(server, user):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, user.partition('@')[0])
    return client


def ask(path, *requests):
    """What a policy server says to each."""
    actions = []
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(path))
        answers = s.makefile('r')
        for recipient, size in requests:
            s.sendall(f'request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nrecipient={recipient}\nsize={size}\n\n'.encode())
            actions.append(answers.readline())
            assert answers.readline() == '\n'
    return actions


def of_malle(server, user):
    return server.malle('doveadm', '-f', 'tab', 'quota', 'get', '-u', user).stdout


def of_dovecot(dovecot, user):
    return dovecot.doveadm('-f', 'tab', 'quota', 'get', '-u', user).stdout


def real(server, user):
    root = server.maildir(user)
    files = [p for folder in [root, *root.glob('.*')] if folder.name != '.Junk' for where in ('new', 'cur')
             for p in folder.glob(f'{where}/*')]
    return sum(p.stat().st_size for p in files), len(files)


def kept(server, user):
    """What maildirsize comes to."""
    lines = (server.maildir(user) / 'maildirsize').read_text().splitlines()[1:]
    numbers = [tuple(map(int, line.split())) for line in lines]
    return sum(n[0] for n in numbers), sum(n[1] for n in numbers)


def test_there_and_back(pair):
    server, dovecot = pair
    for _ in range(3):
        send(server, ANN)
    client = imap(server, ANN)
    client.append('INBOX', '', None, MAIL.encode())
    client.select()
    client.copy('1', 'Sent')
    client.logout()
    before = (server.maildir(ANN) / 'maildirsize').read_text()
    assert kept(server, ANN) == real(server, ANN)
    assert of_dovecot(dovecot, ANN) == of_malle(server, ANN)
    assert (server.maildir(ANN) / 'maildirsize').read_text() == before  # Dovecot believes it
    # and back
    dovecot.doveadm('save', '-u', ANN, input=MAIL)
    dovecot.doveadm('save', '-u', ANN, '-m', 'Sent', input=MAIL)
    dovecot.doveadm('expunge', '-u', ANN, 'mailbox', 'INBOX', '1')
    between = (server.maildir(ANN) / 'maildirsize').read_text()
    assert between.startswith(before) and between != before
    assert kept(server, ANN) == real(server, ANN)
    assert of_dovecot(dovecot, ANN) == of_malle(server, ANN)
    send(server, ANN)
    assert (server.maildir(ANN) / 'maildirsize').read_text().startswith(between)
    assert kept(server, ANN) == real(server, ANN)


def test_each_refuses_by_the_count_of_the_other(pair):
    server, dovecot = pair
    big = 'Subject: big\r\n\r\n' + ('z' * 70 + '\r\n') * 800  # 56 kB
    dovecot.doveadm('save', '-u', BOB, input=big)
    client = imap(server, BOB)
    assert client.append('INBOX', '', None, big.encode())[0] == 'NO'
    client.create('Trash')
    assert client.append('Trash', '', None, big.encode())[0] == 'OK'  # +50
    refused = dovecot.doveadm('save', '-u', BOB, input=big, check=False)
    assert refused.returncode != 0 and 'Quota exceeded (mailbox for user is full)' in refused.stderr + dovecot.log()
    assert kept(server, BOB) == real(server, BOB)
    assert of_dovecot(dovecot, BOB) == of_malle(server, BOB)
    client.logout()


def test_quota_status(pair):
    """The policy server in front of RCPT; BOB is full by now."""
    server, dovecot = pair
    requests = (ANN, 100), (BOB, 100), (BOB, 60000), (ANN, 200000), (ANN, 0)
    ours, theirs = ask(server.dir / 'run/status', *requests), ask(dovecot.folder / 'status', *requests)
    assert ours == theirs
    assert set(ours) == {'action=OK\n', 'action=554 5.2.2 Quota exceeded (mailbox for user is full)\n'}
    assert ask(server.dir / 'run/status', (f'nobody@{DOMAIN}', 1), ('x@elsewhere.example', 1)) == ['action=REJECT Unknown user\n'] * 2


def test_table(pair):
    """The shape on the terminal, and of the formats."""
    server, dovecot = pair
    for form in ('table', 'flow', 'tab', 'pager', 'json'):
        ours = server.malle('doveadm', '-f', form, 'quota', 'get', '-u', ANN).stdout
        theirs = dovecot.doveadm('-f', form, 'quota', 'get', '-u', ANN).stdout
        assert ours == theirs, form
    nobody = f'nobody@{DOMAIN}'
    assert dovecot.doveadm('quota', 'recalc', '-u', ANN).stdout == server.malle('doveadm', 'quota', 'recalc', '-u', ANN).stdout == ''
    assert server.malle('doveadm', 'quota', 'get', '-u', nobody, check=False).returncode == 67


def test_imap_answers(pair):
    server, dovecot = pair
    ours = imap(server, ANN)
    theirs = imaplib.IMAP4('127.0.0.1', dovecot.port, timeout=30)
    theirs.login(ANN, 'secret')
    for client in (ours, theirs):
        assert 'QUOTA' in client.capabilities or client.capability()[0] == 'OK'
    assert ours.getquotaroot('INBOX') == theirs.getquotaroot('INBOX')
    assert ours.getquota('"User quota"') == theirs.getquota('"User quota"')
    ours.logout()
    theirs.logout()


def removed(root):
    """The old messages that are gone, in the order in which they go."""
    left = {(path.parent.parent.name, int(path.name.partition('.')[0])) for path in root.glob('.*/cur/*') if path.name.partition('.')[0].isdigit()}
    return sorted(set(OLD) - left, key=lambda one: (one[0] == '.Trash', one[1]))


OLD = (('.Junk', 300), ('.Junk', 100), ('.Trash', 50), ('.Trash', 400), ('.Spam', 200))


def lay(root, owner):
    for folder, since in OLD:
        for sub in ('cur', 'new', 'tmp'):
            (root / folder / sub).mkdir(parents=True, exist_ok=True)
        path = root / folder / 'cur' / f'{since}.M1P1.host,S=20000:2,S'
        path.write_bytes(b'Subject: old\n\n' + b'x' * 19986)
        os.utime(path, (since, since))
    for path in [root, *root.rglob('*')]:
        os.chown(path, *owner)


@pytest.mark.parametrize('sizes', ([1000], [30000], [50000], [30000, 30000], [110000]))
def test_trash(sizes):
    """Both take old messages away in the same order for a new one of that size, or none. malle stops when there is room, Dovecot when as
    much is gone as comes."""
    with short_folder() as folder, Server(users={ANN: 'ann'}, conf={'quota_rule': '*:bytes=120000', 'quota_grace': '0', 'quota_warning': '',
                                                                    'quota_trash': '"1 Junk", "1 Spam", "2 Trash"'}) as server:
        send(server, ANN)
        root, owner = server.maildir(ANN), (server.maildir(ANN).stat().st_uid, server.maildir(ANN).stat().st_gid)
        (folder / 'trash').write_text('1 Junk\n1 Spam\n2 Trash\n')
        for path in root.glob('new/*'):
            path.unlink()
        lay(root, owner)
        lay(folder / 'mail', owner)
        server.malle('doveadm', 'quota', 'recalc', '-u', ANN)
        settings = f'''protocols = imap
first_valid_uid = 1
mail_location = maildir:{folder}/mail
mail_plugins = quota trash
namespace inbox {{
  inbox = yes
  separator = .
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:bytes=120000
  quota_grace = 0
  trash = {folder}/trash
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner[0]} gid={owner[1]} home={folder}/home
}}
{imap_at(free_port())}'''
        with Quota(folder, settings, folder / 'run/auth-userdb') as dovecot:
            client = imap(server, ANN)
            for size in sizes:
                text = 'Subject: x\n\n' + 'y' * (size - 13) + '\n'
                theirs = dovecot.doveadm('save', '-u', ANN, input=text, check=False).returncode == 0
                ours = client.append('INBOX', '', None, text.replace('\n', '\r\n').encode())[0] == 'OK'
                assert ours == theirs
                mine, other = removed(root), removed(folder / 'mail')
                assert mine == other[:len(mine)] and len(mine) <= len(other) and (len(other) == 0 or len(mine) > 0), (size, mine, other)
            client.logout()
