"""doveadm of Dovecot beside malle's: the same accounts, the same Maildirs, the same commands, the same words."""
import concurrent.futures
import contextlib
import imaplib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from local.programs import Programs  # noqa: E402
from dovecots import NO_PENALTY, imap_at  # noqa: E402
from peers import IMPOSSIBLE, TOP  # noqa: E402
from ports import free_port  # noqa: E402

JOE, ANN = 'joe@malle.test', 'ann@malle.test'
MAIL = b'Subject: x\r\n\r\nbody\r\n'


class Dovecot:
    """With the accounts and the mail owner of a server of ours, and Maildirs of its own."""

    def __init__(self, server, uid, gid):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='malle-peer-dovecot-'))
        self.dir.chmod(0o755)
        self.port = free_port()
        (self.dir / 'mail').mkdir()
        os.chown(self.dir / 'mail', uid, gid)
        (self.dir / 'passwd').write_text(''.join(
            f'{name}:{{PLAIN}}{password}:{uid}:{gid}::{self.dir}/mail/{name.partition("@")[2]}/{name.partition("@")[0]}\n'
            for name, password in server.users.items()))
        (self.dir / 'passwd').chmod(0o644)
        (self.dir / 'conf').write_text(f'''base_dir = {self.dir}/run
state_dir = {self.dir}/state
log_path = {self.dir}/log
protocols = imap
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
auth_verbose = yes
auth_failure_delay = 0
mail_location = maildir:{self.dir}/mail/%d/%n
namespace inbox {{
  inbox = yes
  separator = .
}}
passdb {{
  driver = passwd-file
  args = {self.dir}/passwd
}}
userdb {{
  driver = passwd-file
  args = {self.dir}/passwd
}}
{NO_PENALTY}{imap_at(self.port)}''')

    def command(self, *words):
        return [TOP / 'tools/peers', 'dovecot', words[0], '-c', self.dir / 'conf', *map(str, words[1:])]

    def start(self):
        self.process = subprocess.Popen(self.command('dovecot', '-F'), stdin=subprocess.DEVNULL, start_new_session=True,
                                        stdout=open(self.dir / 'output', 'wb'), stderr=subprocess.STDOUT)

        def answers():
            if self.process.poll() == IMPOSSIBLE:
                pytest.skip((self.dir / 'output').read_text().strip())
            assert self.process.poll() is None, (self.dir / 'output').read_text()
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                imaplib.IMAP4('127.0.0.1', self.port, timeout=5).logout()
                return True
        eventually(answers, 30, step=0.2)

    def stop(self):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, sig)
                self.process.wait(5)
        shutil.rmtree(self.dir, ignore_errors=True)

    def tell(self, name, *arguments, stdin=''):
        done = subprocess.run(self.command(name, *arguments), input=stdin, text=True, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope='module')
def pair():
    """(malle's programs, Dovecot's)"""
    if os.geteuid() != 0:
        pytest.skip('needs root')
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(users={JOE: 'joes', ANN: 'anns'}))
        ours = Programs(server)
        uid, gid = (int(ours('doveadm', 'user', '-f', field, JOE)[1]) for field in ('uid', 'gid'))
        peer = Dovecot(server, uid, gid)
        stack.callback(peer.stop)
        peer.start()
        yield ours, peer


def plain(text, folder):
    """Paths below one folder."""
    return re.sub(r'doveadm\(([^)]*)\)(<[^>]*>)*:', r'doveadm(\1):', text.replace(str(folder), 'TOP'))


def at_once(*calls):
    """What these return, in order."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def both(pair, *arguments, stdin=''):
    ours, peer = pair
    said = at_once(lambda: ours('doveadm', *arguments, stdin=stdin), lambda: peer.tell('doveadm', *arguments, stdin=stdin))
    return [(status, plain(out, folder), plain(err, folder)) for folder, (status, out, err) in zip((ours.server.dir, peer.dir), said)]


# --- pw ---

SCHEMES = ('CRYPT', 'BLF-CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'MD5-CRYPT', 'PLAIN', 'CLEARTEXT', 'SHA', 'SHA1', 'SHA256', 'SHA512', 'SSHA',
           'SSHA256', 'SSHA512', 'SMD5', 'LDAP-MD5', 'PLAIN-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'ARGON2ID')


@pytest.mark.parametrize('scheme', SCHEMES)
def test_each_takes_the_others_hash(pair, scheme):
    ours, peer = pair[0], pair[1].tell
    made = [tell('doveadm', 'pw', '-s', scheme, '-p', 'pass wörd') for tell in (ours, peer)]
    for status, out, err in made:
        assert (status, err) == (0, ''), err
        stored = out.strip()
        for tell in (ours, peer):
            assert tell('doveadm', 'pw', '-t', stored, '-p', 'pass wörd') == (0, f'{stored} (verified)\n', '')
            assert tell('doveadm', 'pw', '-t', stored, '-p', 'other') == (
                75, '', 'Fatal: reverse password verification check failed: Password mismatch\n')
    heads = [re.match(r'\{[^}]*\}(\$\w+\$)?', out)[0] for _, out, _ in made]
    assert heads[0] == heads[1]
    if scheme in ('PLAIN', 'CLEARTEXT', 'SHA', 'SHA1', 'SHA256', 'SHA512', 'LDAP-MD5', 'PLAIN-MD5'):
        assert made[0] == made[1]


@pytest.mark.parametrize('arguments', (['-s', 'nope', '-p', 'x'], ['-t', 'x', '-p', 'x'], ['-t', '{PLAIN}a', '-p', 'a'], ['-V', '-s', 'PLAIN', '-p', 'a']), ids=' '.join)
def test_pw_words(pair, arguments):
    ours, theirs = both(pair, 'pw', *arguments)
    assert ours == theirs


def test_pw_lists_schemes_that_dovecot_has(pair):
    ours, theirs = both(pair, 'pw', '-l')
    assert set(ours[1].split()) - {'YESCRYPT'} <= set(theirs[1].split())


# --- user, auth ---

@pytest.mark.parametrize('arguments', ([JOE], [JOE, ANN], ['nobody@malle.test'], ['-f', 'home', JOE], ['-f', 'uid', 'nobody@malle.test'],
                                       ['-u', JOE], [JOE, 'nobody@malle.test'], ['no*'], [f'{JOE[:2]}?@malle.test']), ids=' '.join)
def test_user(pair, arguments):
    ours, theirs = both(pair, 'user', *arguments)
    # Dovecot buffers what it says and the empty lines between, each for itself
    assert (ours[0], re.sub(r'\n+', '\n', ours[1]), ours[2]) == (theirs[0], re.sub(r'\n+', '\n', theirs[1]), theirs[2])


def test_users(pair):
    ours, theirs = both(pair, 'user', '*')
    assert (ours[0], sorted(ours[1].split('\n')), ours[2].rpartition(': ')[2]) == (theirs[0], sorted(theirs[1].split('\n')), theirs[2].rpartition(': ')[2])


@pytest.mark.parametrize('arguments', ([JOE, 'joes'], [JOE, 'wrong'], ['nobody@malle.test', 'x']), ids=' '.join)
def test_auth_test(pair, arguments):
    ours, theirs = both(pair, 'auth', 'test', *arguments)
    assert ours == theirs


@pytest.mark.parametrize('arguments', ([JOE, 'joes'], [JOE, 'wrong'], ['nobody@malle.test', 'x']), ids=' '.join)
def test_auth_login(pair, arguments):
    ours, theirs = both(pair, 'auth', 'login', *arguments)
    assert ours == theirs


# --- who, kick ---

@contextlib.contextmanager
def sessions(pair, *names):
    """The same log-ins at both."""
    ours, peer = pair
    open_ones = []
    for name in names:
        password = ours.server.users[name]
        clients = [imaplib.IMAP4_SSL('127.0.0.1', ours.server.port('imaps'), ssl_context=ours.server.tls_context(), timeout=30),
                   imaplib.IMAP4('127.0.0.1', peer.port, timeout=30)]
        for client in clients:
            client.login(name, password)
        open_ones += clients
    yield open_ones
    for client in open_ones:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def is_gone(client):
    try:
        client.noop()
    except (imaplib.IMAP4.error, OSError):
        return True
    return False


def rows(text):
    """Without process ids, whose lengths set the width of a column; sorted."""
    return sorted(re.sub(r' +', ' ', re.sub(r'\b\d{2,}\b(?!\.)', 'PID', line)).replace('0.0.PID', '0.0.1').strip() for line in text.splitlines())


def test_who(pair):
    with sessions(pair, JOE, JOE, ANN):
        for arguments in ([], ['joe*'], ['127.0.0.0/8'], ['192.0.2.0/24'], ['-1'], ['-1', ANN], ['a', 'b']):
            ours, theirs = both(pair, 'who', *arguments)
            assert (ours[0], rows(ours[1]), rows(ours[2])) == (theirs[0], rows(theirs[1]), rows(theirs[2])), arguments


def test_kick(pair):
    with sessions(pair, JOE, ANN) as open_ones:
        for arguments in (['nobody'], [JOE, '192.0.2.0/24'], [], [JOE], ['*']):
            ours, theirs = both(pair, 'kick', *arguments)
            # of what it says on a pipe, Dovecot writes the end first
            assert (ours[0], sorted(ours[1].split()), ours[2]) == (theirs[0], sorted(theirs[1].split()), theirs[2]), arguments
        for client in open_ones:
            eventually(lambda client=client: is_gone(client), 20)


def test_instances(pair):
    """One, which runs: its folder, a name and the time of its start."""
    def shape(text):
        return [re.sub(r'\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d', 'WHEN', line).split()[-4:] if n else line.split() for n, line in enumerate(text.splitlines())]
    ours, theirs = both(pair, 'instance', 'list')
    assert ours[0] == theirs[0] == 0 and ours[2] == theirs[2] == ''
    assert shape(ours[1]) == [shape(theirs[1])[0], ['TOP/run', 'malle', 'WHEN', 'yes']]
    assert shape(theirs[1])[1][1:] == ['dovecot', 'WHEN', 'yes']
    ours, theirs = both(pair, 'instance', 'list', 'nosuch')
    assert (ours[0], ours[1].split(), ours[2]) == (theirs[0], theirs[1].split(), theirs[2])


def test_service_status(pair):
    """The same shape; of the lines those that malle has."""
    def lines(text):
        return [re.sub(r': .*', '', line) for line in text.split('\n')[:-1]]
    for arguments in (['auth'], ['auth', 'auth']):
        ours, theirs = both(pair, 'service', 'status', *arguments)
        assert ours[0] == theirs[0] == 0 and ours[2] == theirs[2] == ''
        assert lines(ours[1]) == [line for line in lines(theirs[1]) if line in ('name', 'process_count', 'process_total', '\f')], theirs
        assert ours[1].startswith('name: auth\n') and theirs[1].startswith('name: auth\n')
    ours, theirs = (lines(said[1]) for said in both(pair, 'service', 'status'))
    assert ours[0] == theirs[0] and ours[-1] == theirs[-1]
    assert ours[ours.index('name', 1) - 1] == theirs[theirs.index('name', 1) - 1]


def test_every_command_is_answered(pair):
    """What the other one's doveadm has is there, or is answered by a line that says why not."""
    theirs = pair[1].tell('doveadm', 'help')[2]
    words = re.findall(r'^  (\S+) +(\S*)', theirs, re.M)
    commands = [[name, *([sub] if '|' in subs else [])] for name, subs in words for sub in subs.split('|') if not sub.startswith(('[', '<'))]
    commands += [[name] for name, subs in words if '|' not in subs or subs.startswith(('[', '<'))] + [['acl', 'list'], ['fts', 'rescan'], ['sieve', 'list']]
    assert ['service', 'stop'] in commands and ['penalty'] in commands and len(commands) > 80, theirs
    ours = pair[0]
    listed = ours('doveadm', 'help')[2]
    for words in commands:
        if not re.search(rf'^  {" ".join(words)}( |$)', listed, re.M):
            status, out, err = ours('doveadm', *words)
            assert (status, out) == (69, '') and re.fullmatch(r'Fatal: malle has no "doveadm [^"]*": .+\n', err), (words, status, out, err)


@pytest.mark.parametrize('arguments', ([], ['Entwürfe', 'a&b'], ['-8', 'INBOX/&-'], ['-7', 'Entw&APw-rfe', 'INBOX/&-'], ['-x', 'a']), ids=' '.join)
def test_mutf7(pair, arguments):
    ours, theirs = both(pair, 'mailbox', 'mutf7', *arguments)
    assert ours[:2] == theirs[:2]


@pytest.mark.parametrize('words', (['path', 'INBOX'], ['path', 'a.b'], ['path', '-t', 'mailbox', 'Entwürfe'], ['path', '-t', 'nosuch', 'INBOX'], ['path']), ids=' '.join)
def test_mailbox_path(pair, words):
    for name in ('a.b', 'Entwürfe'):
        both(pair, 'mailbox', 'create', '-u', JOE, name)
    ours, theirs = both(pair, 'mailbox', words[0], '-u', JOE, *words[1:])
    assert ours[:2] == (theirs[0], theirs[1].replace('TOP/mail', str(pair[0].server.maildir(JOE).parent.parent).replace(str(pair[0].server.dir), 'TOP')))


def test_purge_and_reopen(pair):
    for words in (['purge', '-u', JOE], ['purge', '-u', 'nobody@malle.test'], ['purge', '-u', JOE, 'x'], ['log', 'reopen']):
        ours, theirs = both(pair, *words)
        assert ours[:2] == theirs[:2], (words, ours, theirs)


# --- mailbox ---

def test_mailboxes(pair):
    """One life of some mailboxes, step by step."""
    for arguments in (['create', 'Work'], ['create', 'Work'], ['create', '-s', 'Sub', 'Work.One'], ['list', 'Work*', 'Sub'],
                      ['list', 'W%'], ['list', '-s', 'Sub*'], ['list', 'nosuch*'], ['subscribe', 'Work'], ['list', '-s', 'Work', 'Sub'],
                      ['unsubscribe', 'Sub'], ['list', '-s', 'Sub*'], ['rename', 'Work', 'Job'], ['list', 'Work*', 'Job*'],
                      ['rename', 'nosuch', 'other'], ['delete', 'nosuch'], ['delete', '-s', 'Sub'], ['delete', '-r', 'Job'],
                      ['list', 'Job*', 'Sub']):
        ours, theirs = both(pair, 'mailbox', arguments[0], '-u', JOE, *arguments[1:])
        # the words of the reason are each one's own
        assert (ours[0], ours[1]) == (theirs[0], theirs[1]), arguments
        assert [e.split(': ')[:3] for e in ours[2].splitlines()] == [e.split(': ')[:3] for e in theirs[2].splitlines()], arguments


def test_mailbox_status(pair):
    with sessions(pair, ANN) as open_ones:
        for client in open_ones:
            for flags in ('', r'(\Seen)', ''):
                client.append('INBOX', flags, None, MAIL)
    for arguments in (['messages unseen vsize', 'INBOX'], ['messages', 'IN*'], ['uidnext', 'INBOX'], ['messages', 'nosuch', 'INBOX'], ['messages', 'nosuch'], ['messages', 'inbox'], ['-t', 'messages unseen vsize', '*'],
                      ['nosuch', 'INBOX'], ['-t', 'uidnext', 'INBOX'], ['messages', 'nosuch*']):
        ours, theirs = both(pair, 'mailbox', 'status', '-u', ANN, *arguments)
        assert ours == theirs, arguments
    ours, theirs = both(pair, 'mailbox', 'status', '-u', 'nobody@malle.test', 'messages', 'INBOX')
    assert ours == theirs


# --- messages ---

LETTERS = [(b'Subject: one\r\nDate: Fri, 17 Jul 2026 09:44:25 +0200\r\nFrom: Carl <carl@client.example>\r\n\r\nfirst\r\n', r'\Seen', 1784281465),
           (b'Subject: =?utf-8?q?K=C3=B6ln?=\r\n\r\nFrom here\r\n', r'\Flagged work', 951782400),
           (b'Subject: three words here\r\nTo: a@b.example\r\n\r\n' + b'x' * 3000 + b'\r\n', '', 1300000000)]


@pytest.fixture
def letters(pair):
    """Both have a mailbox Letters with three messages, and an empty one, Letters.Old."""
    with sessions(pair, ANN) as open_ones:
        for client in open_ones:
            for name in ('Letters.Old', 'Letters'):
                client.delete(name)
            for name in ('Letters', 'Letters.Old'):
                assert client.create(name)[0] == 'OK'
            for mail, flags, date in LETTERS:
                assert client.append('Letters', f'({flags})', imaplib.Time2Internaldate(date), mail)[0] == 'OK'
            client.select('Letters')  # nothing is recent from here on
            client.close()
        yield pair


def without_guids(said):
    """Nor what is recent, which each judges for itself."""
    return said[0], re.sub(r'\b[0-9a-f]{32}\b', 'GUID', said[1]).replace(r'\Recent ', '').replace(r' \Recent', ''), said[2]


IN = ['mailbox', 'Letters']
SEARCHES = [IN, [*IN, 'seen'], [*IN, 'not', 'seen'], [*IN, 'subject', 'three words'], [*IN, 'subject', 'Köln'], [*IN, '(', 'seen', 'or', 'flagged', ')'],
            ['mailbox', 'Lett*', 'seen', 'or', 'keyword', 'work'], [*IN, 'since', '2011-03-01', 'before', '1-Jan-2020'], [*IN, 'since', '1300000000'],
            [*IN, 'before', '1300000001'], [*IN, 'since', '1300000001'], [*IN, 'older', '86400'], [*IN, 'since', '2 days'], [*IN, 'larger', '2k'], [*IN, 'uid', '2:*'], [*IN, '1,3'],
            [*IN, 'header', 'To', ''], ['mailbox', 'nosuch'], ['mailbox', 'Letters.Old'], [*IN, 'body', 'first'], [*IN, 'senton', '2026-07-17'], [*IN, 'all']]


@pytest.mark.parametrize('query', SEARCHES, ids=' '.join)
def test_search(letters, query):
    ours, theirs = (without_guids(said) for said in both(letters, 'search', '-u', ANN, *query))
    assert (ours[0], sorted(ours[1].split('\n')), ours[2].rpartition(': ')[2]) == (theirs[0], sorted(theirs[1].split('\n')), theirs[2].rpartition(': ')[2])


@pytest.mark.parametrize('query', (['fly'], [*IN, 'subject'], ['(', 'seen'], [*IN, 'since', 'yesterday'], [*IN, 'larger', 'much'], []), ids=' '.join)
def test_queries_that_are_none(letters, query):
    """The words are each one's own."""
    ours, theirs = both(letters, 'search', '-u', ANN, *query)
    assert (ours[0], ours[1]) == (theirs[0], theirs[1]) and bool(ours[2]) == bool(theirs[2])


FIELDS = ['uid', 'uid seq flags', 'mailbox size.virtual user', 'hdr', 'body', 'text', 'uid text', 'hdr.subject hdr.nosuch hdr.subject.utf8', 'date.received uid', 'date.sent',
          'date.received.unixtime', 'imap.envelope', 'imap.body', 'imap.bodystructure', 'uid body hdr', 'mailbox-guid uid']


@pytest.mark.parametrize('fields', FIELDS)
def test_fetch(letters, fields):
    ours, theirs = (without_guids(said) for said in both(letters, 'fetch', '-u', ANN, fields, *IN))
    assert ours == theirs


@pytest.mark.parametrize('format', ('flow', 'tab', 'json', 'table'))
def test_fetch_in_formats(letters, format):
    ours, theirs = both(letters, '-f', format, 'fetch', '-u', ANN, 'uid flags mailbox', *IN)
    assert ours == theirs


def state(pair):
    return [without_guids(said)[:2] for said in both(pair, 'fetch', '-u', ANN, 'mailbox flags hdr.subject', 'mailbox', 'Letters*')]


def test_changes(letters):
    """One life of some messages, step by step; after each both have the same."""
    for name, *arguments in (
            ['flags', 'add', r'\Seen', *IN], ['flags', 'remove', r'\Flagged work', *IN, 'keyword', 'work'], ['flags', 'replace', r'\Answered later', *IN, 'uid', '1'],
            ['copy', 'Letters.Old', *IN, 'answered'], ['move', 'Letters.Old', *IN, 'subject', 'three'], ['move', 'nosuch', *IN, 'all'], ['copy', 'nosuch', *IN, 'all'],
            ['expunge', 'mailbox', 'Letters.Old', 'keyword', 'later'], ['expunge', 'seen'], ['expunge', *IN, 'or', 'seen'], ['index', 'Letters*'],
            ['index', '-q', 'Letters'], ['force-resync', 'Letters*'], ['expunge', *IN, 'all']):
        words = [name] + ([arguments.pop(0)] if name == 'flags' else [])
        ours, theirs = both(letters, *words, '-u', ANN, *arguments)
        assert (ours[0], ours[1]) == (theirs[0], theirs[1]) and bool(ours[2]) == bool(theirs[2]), (words, arguments, ours, theirs)
        mine, other = state(letters)
        assert mine == other, (words, arguments)


def test_import(letters, tmp_path):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.name.startswith('pytest-'):
            parent.chmod(0o755)
    source = tmp_path / 'Maildir'
    for folder in ('', '.Sub'):
        for sub in ('cur', 'new', 'tmp'):
            (source / folder / sub).mkdir(parents=True)
        (source / folder / 'cur/1.x:2,S').write_bytes(b'Subject: of %s\n\n' % folder.encode())
    subprocess.run(['chmod', '-R', 'a+rwX', source], check=True)
    ours, theirs = both(letters, 'import', '-u', ANN, f'maildir:{source}', 'Letters.In', 'all')
    assert (ours[0], ours[1]) == (theirs[0], theirs[1]) == (0, ''), (ours, theirs)
    mine, other = state(letters)
    assert mine == other and 'of .Sub' in mine[1], (mine, other)


def test_stop_when_nothing_runs(pair, tmp_path):
    """With another folder for what runs."""
    ours, peer = pair
    said = []
    for tell, conf, option, below in ((ours, ours.server.dir / 'malle.conf', 'run_dir', 'run'), (peer.tell, peer.dir / 'conf', 'base_dir', 'run')):
        text = re.sub(rf'^{option} = .*$', f'{option} = {tmp_path}/none', conf.read_text(), flags=re.M)
        path = tmp_path / option
        path.write_text(text)
        said.append([tell(name, '-c', path, *words) for name, *words in (('doveadm', 'stop'), ('doveadm', 'reload'), ('dovecot', 'stop'),
                                                                        ('dovecot', 'reload'))])
    assert said[0] == said[1]


@pytest.mark.parametrize('format', ('flow', 'table', 'tab', 'pager', 'json', 'nosuch'))
def test_formats(pair, format):
    with sessions(pair, ANN) as open_ones:
        for client in open_ones:
            client.create('Other')
        ours, theirs = both(pair, '-f', format, 'who')
        mask = (lambda text: re.sub(r'\(\d+\)', '(PID)', text)) if format != 'table' else (lambda text: rows(text))
        assert (ours[0], mask(ours[1]), ours[2].rpartition(': ')[2]) == (theirs[0], mask(theirs[1]), theirs[2].rpartition(': ')[2])
    for arguments in (['mailbox', 'status', '-u', ANN, 'messages unseen', 'INBOX'], ['mailbox', 'status', '-u', ANN, '-t', 'messages', '*'],
                      ['mailbox', 'status', '-u', ANN, 'messages', 'nosuch*'], ['mailbox', 'list', '-u', ANN, 'Oth*'],
                      ['mailbox', 'list', '-u', ANN, 'nosuch*']):
        ours, theirs = both(pair, '-f', format, *arguments)
        assert (ours[0], ours[1], ours[2].rpartition(': ')[2]) == (theirs[0], theirs[1], theirs[2].rpartition(': ')[2]), arguments


# --- dovecot-lda ---

LDA = [
    ([], 'Subject: one\n\nbody\n'),
    ([], 'Subject: with CRLF\r\n\r\n.\r\n\r\nno newline at the end'),
    ([], 'From sender@client.example Fri Jan 30 23:20:00 2026\nSubject: of an mbox file\n\nFrom here\n'),
    ([], ''),
    ([], 'no header\n'),
    (['-f', 'sender@client.example', '-a', 'joe+tag@malle.test', '-r', JOE, '-e', '-k'], 'Subject: all options\n\n'),
    (['-m', ''], 'Subject: no name\n\n'),
    (['-m', 'inbox'], 'Subject: inbox\n\n'),
    (['-m', 'Lists'], 'Subject: goes to INBOX, for there is no such mailbox\n\n'),
    (['-m', 'a/b'], 'Subject: no name of a mailbox\n\n'),
    (['-o', 'lda_mailbox_autocreate=yes', '-m', 'Lists'], 'Subject: is made\n\nx\n'),
    (['-m', 'Lists'], 'Subject: is there now\n\n'),
    (['-o', 'lda_mailbox_autocreate=yes', '-o', 'lda_mailbox_autosubscribe=yes', '-m', 'Lists.Sub'], 'Subject: below\r\n\r\n'),
    (['-m', 'Entw\u00fcrfe'], 'Subject: not made\n\n'),
    (['-o', 'lda_mailbox_autocreate=yes', '-m', 'Entw\u00fcrfe'], 'Subject: in UTF-7\n\n'),
    (['-p', '/nonexistent'], ''),
    (['-q'], ''), (['extra'], ''), (['-m'], ''),
]


def laid(folder):
    """The messages of a Maildir, with the mailboxes in which they lie."""
    return sorted((str(path.parent.parent.relative_to(folder)), path.read_bytes()) for path in folder.rglob('*')
                  if path.parent.name in ('new', 'cur'))


def test_lda(pair):
    """The same messages in the same mailboxes, byte by byte, and the same statuses."""
    ours, peer = pair
    folders = ours.server.maildir(JOE), peer.dir / 'mail/malle.test/joe'
    begin = [laid(folder) if folder.exists() else [] for folder in folders]
    for arguments, text in LDA:
        words = '-d', JOE, *arguments
        mine, real = at_once(lambda: ours('dovecot-lda', *words, stdin=text),
                             lambda: peer.tell('/usr/lib/dovecot/dovecot-lda', *words, stdin=text))
        assert mine[0] == real[0], (arguments, mine, real)
        after = [laid(folder) for folder in folders]
        new = [[one for one in there if there.count(one) > before.count(one)] for there, before in zip(after, begin)]
        assert new[0] == new[1] and len(new[0]) == (mine[0] == 0), (arguments, new)
        begin = after
    assert both(pair, 'mailbox', 'list', '-u', JOE, '-s', 'Lists*')[0][1] == 'Lists.Sub\n'


@pytest.mark.parametrize('arguments, stdin', [(['-d', 'nobody@malle.test'], 'x'), (['-d', ''], 'x'), ([], 'x'), (['-d'], 'x')], ids=str)
def test_lda_to_nobody(pair, arguments, stdin):
    ours, peer = pair
    mine = ours('deliver', *arguments, stdin=stdin)
    real = peer.tell('/usr/lib/dovecot/deliver', *arguments, stdin=stdin)
    assert mine[0] == real[0], (mine, real)
