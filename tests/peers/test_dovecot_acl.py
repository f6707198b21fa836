"""Rights on mailboxes: what an owner says at malle counts in a real Dovecot with its plugin acl on the same Maildirs, and the other way round."""
import imaplib
import pathlib
import shlex
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, imap_at, needs_root, short_folder  # noqa: E402
from harness import DOMAIN, Server  # noqa: E402
from ports import free_port  # noqa: E402

ANN, BOB = f'ann@{DOMAIN}', f'bob@{DOMAIN}'
SHARED = f'shared/{ANN}/'
ALL = frozenset('lrswipkxteacd')

pytestmark = needs_root


@pytest.fixture(scope='module')
def pair():
    """malle, and Dovecot on the mail of its accounts, where each sees what others let it see."""
    with short_folder() as folder, Server(users={ANN: 'ann', BOB: 'bob'}, conf={'acl_anyone': 'yes', 'hierarchy_separator': '/', 'shared_prefix': 'shared/'}) as server:
        for user in (ANN, BOB):  # makes the Maildirs
            of_malle(server, user).logout()
        owner = server.maildir(ANN).stat()
        (folder / 'lists').mkdir(mode=0o777)
        (folder / 'lists').chmod(0o777)
        port = free_port()
        settings = f'''protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{server.dir}/mail/%d/%n
mail_plugins = acl
protocol imap {{
  mail_plugins = $mail_plugins imap_acl
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
namespace {{
  type = shared
  separator = /
  prefix = shared/%%u/
  location = maildir:{server.dir}/mail/%%d/%%n
  list = children
  subscriptions = no
}}
plugin {{
  acl = vfile
  acl_anyone = allow
  acl_shared_dict = file:{folder}/lists/shared
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner.st_uid} gid={owner.st_gid} home={server.dir}/mail/%d/%n
}}
{imap_at(port)}'''
        with Dovecot(folder, settings, folder / 'run/auth-userdb') as dovecot:
            dovecot.port = port
            yield server, dovecot


def of_malle(server, user):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, user.partition('@')[0])
    return client


def of_dovecot(dovecot, user):
    client = imaplib.IMAP4('127.0.0.1', dovecot.port, timeout=30)
    client.login(user, 'secret')
    return client


def do(answer):
    assert answer[0] == 'OK', answer
    return answer[1]


def acl(client, mailbox):
    """Rights by identifier."""
    words = shlex.split(do(client.getacl(mailbox))[0].decode())[1:]
    return {who: frozenset(rights) for who, rights in zip(words[::2], words[1::2])}


def rights(client, mailbox):
    """Those of the client; None where it hears of no such mailbox."""
    word, answer = client.myrights(mailbox)
    return frozenset(shlex.split(answer[0].decode())[1]) if word == 'OK' else None


def shown(client):
    """Mailboxes of others that LIST tells of."""
    lines = [line.decode() for line in do(client.list('""', 'shared/*')) if line]
    return sorted(line.rpartition('"/" ')[2].strip('"') for line in lines if '\\Noselect' not in line)


def test_said_at_malle(pair):
    server, dovecot = pair
    malle = of_malle(server, ANN)
    for name in ('Work', 'Open', 'Shut', 'Mine'):
        do(malle.create(name))
    do(malle.append('Work', '', None, b'Subject: x\r\n\r\nbody\r\n'))
    do(malle.setacl('Work', BOB, 'lrs'))
    do(malle.setacl('Work', '"the boss"', 'lrwi'))
    do(malle.setacl('Work', '$staff', 'lc'))
    do(malle.setacl('Open', 'anyone', 'lr'))
    do(malle.setacl('Open', f'-{BOB}', 'r'))
    do(malle.setacl('Shut', 'authenticated', 'lrd'))
    do(malle.setacl('Shut', BOB, '""'))
    do(malle.setacl('Mine', BOB, 'lrstwi'))
    do(malle.deleteacl('Mine', BOB))
    do(malle.create('Work/Below'))
    ann, bob = of_dovecot(dovecot, ANN), of_dovecot(dovecot, BOB)
    for name in ('Work', 'Work/Below', 'Open', 'Shut', 'Mine', 'INBOX'):
        assert acl(ann, name) == acl(malle, name), name
        assert acl(ann, name)[ANN] == ALL
    assert {name: rights(bob, SHARED + name) for name in ('Work', 'Work/Below', 'Open', 'Shut', 'Mine', 'INBOX')} == {
        'Work': frozenset('lrs'), 'Work/Below': frozenset('lrs'), 'Open': frozenset('l'), 'Shut': None, 'Mine': None, 'INBOX': None}
    assert do(bob.select(SHARED + 'Work')) == [b'1']
    do(bob.store('1', '+FLAGS', '(\\Seen \\Flagged)'))
    flags = imaplib.ParseFlags(do(bob.fetch('1', '(FLAGS)'))[0])
    assert b'\\Seen' in flags and b'\\Flagged' not in flags
    assert bob.append(SHARED + 'Work', '', None, b'Subject: y\r\n\r\n\r\n')[0] == 'NO'
    assert [bob.select(SHARED + name)[0] for name in ('Open', 'Shut', 'Mine')] == ['NO'] * 3


def test_said_at_dovecot(pair):
    server, dovecot = pair
    ann, malle = of_dovecot(dovecot, ANN), of_malle(server, ANN)
    do(ann.create('Old'))
    do(ann.append('Old', '', None, b'Subject: x\r\n\r\nbody\r\n'))
    for who, what in ((BOB, 'lrw'), (f'-{BOB}', 'w'), ('"the boss"', 'lrkx'), ('$staff', 'l'), ('!$chiefs', 'te'), ('anyone', 'l'), (ANN, 'lra')):
        do(ann.setacl('Old', who, what))
    there = acl(malle, 'Old')
    assert there.pop(ANN) == ALL  # at malle owners do what they like; Dovecot's line for them stays
    assert there == {who: what for who, what in acl(ann, 'Old').items() if who != ANN}
    assert len(there) == 6
    do(malle.select('Old'))
    do(malle.store('1', '+FLAGS', '(\\Flagged)'))
    do(malle.setacl('Old', BOB, '+s'))
    do(malle.setacl('Old', '"the boss"', '-x'))
    do(malle.deleteacl('Old', f'-{BOB}'))
    do(malle.deleteacl('Old', '$staff'))
    again = acl(of_dovecot(dovecot, ANN), 'Old')
    assert again.pop(ANN) == frozenset('lra')
    assert again == {BOB: frozenset('lrsw'), 'the boss': frozenset('lrkc'), '!$chiefs': frozenset('ted'), 'anyone': frozenset('l')}
    assert rights(of_dovecot(dovecot, BOB), f'{SHARED}Old') == frozenset('lrsw')


def test_lists(pair):
    """Dovecot keeps a list of the mailboxes that others may see: it makes it anew after malle has changed something."""
    server, dovecot = pair
    malle = of_malle(server, ANN)
    for name in ('First', 'Second'):
        do(malle.create(name))
    do(malle.setacl('First', BOB, 'lr'))

    def seen():
        acl(of_dovecot(dovecot, ANN), 'First')
        return shown(of_dovecot(dovecot, BOB))
    assert f'{SHARED}First' in seen() and f'{SHARED}Second' not in seen()
    do(malle.setacl('Second', BOB, 'l'))
    assert f'{SHARED}Second' in seen()
    do(malle.rename('Second', 'Third'))
    assert f'{SHARED}Third' in seen() and f'{SHARED}Second' not in seen()


FILES = ['', f'user={BOB} lrs', f'user={BOB} lr\nanyone lrw', 'anyone lr', 'authenticated lr\nanyone w', 'anyone lrswipkxtea\nuser=' + BOB + ' l',
         f'anyone lr\nuser={BOB}', f'user={BOB} lrw\n-user={BOB} w', f'-anyone r\nuser={BOB} lrw', f'-anyone r\n-user={BOB} w\nuser={BOB} lrw',
         f'-user={ANN} r\nuser={BOB} lr', f'user={BOB} l:read write-seen', f'group=staff lr\nuser={BOB} l', f'group-override=staff\nuser={BOB} lr',
         f'# of Ann\nuser={BOB} lr', 'owner lrswipkxtea', 'user=bob lr', f'user={BOB}x lr\nuser={BOB.upper()} lr', f'"user={BOB}" lr']


def test_same_rights(pair):
    """What Bob may do, by the files of either: malle lets him in where Dovecot does, and nowhere else."""
    server, dovecot = pair
    ann = of_malle(server, ANN)
    names = [f'Rule{i}' for i in range(len(FILES))]
    for name, text in zip(names, FILES):
        do(ann.create(name))
        (server.maildir(ANN) / f'.{name}' / 'dovecot-acl').write_text(text + '\n')
    bobs = of_dovecot(dovecot, BOB), of_malle(server, BOB)
    of = [{name: rights(bob, SHARED + name) for name in names} for bob in bobs]
    assert of[0] == of[1]
    assert [{name: bob.select(SHARED + name, readonly=True)[0] for name in names} for bob in bobs][0] == {
        name: 'OK' if of[1][name] and 'r' in of[1][name] else 'NO' for name in names}
    assert {name: bobs[1].select(SHARED + name, readonly=True)[0] for name in names} == {
        name: 'OK' if of[1][name] and 'r' in of[1][name] else 'NO' for name in names}


def test_given_at_dovecot(pair):
    """Bob reads at malle what Ann opened for him at Dovecot, finds it after her next log-in, and is out when she closes it there."""
    server, dovecot = pair
    ann = of_dovecot(dovecot, ANN)
    do(ann.create('There'))
    do(ann.append('There', '', None, b'Subject: x\r\n\r\nbody\r\n'))
    do(ann.setacl('There', BOB, 'lrsi'))
    of_malle(server, ANN).logout()
    bob = of_malle(server, BOB)
    assert f'{SHARED}There' in shown(bob)
    assert do(bob.select(f'{SHARED}There')) == [b'1']
    do(bob.store('1', '+FLAGS', '(\\Seen \\Flagged)'))
    do(bob.append(f'{SHARED}There', '', None, b'Subject: y\r\n\r\n\r\n'))
    bob.unselect()
    do(ann.select('There'))
    flags = [imaplib.ParseFlags(line) for line in do(ann.fetch('1:2', '(FLAGS)'))]
    assert b'\\Seen' in flags[0] and b'\\Flagged' not in flags[0] and len(flags) == 2
    do(ann.deleteacl('There', BOB))
    assert bob.select(f'{SHARED}There')[0] == 'NO' and bob.append(f'{SHARED}There', '', None, b'x: y\r\n\r\n')[0] == 'NO'
    assert f'{SHARED}There' not in shown(bob)
