"""malle user, alias and domain: what they print and store, and whose files they make and delete."""
import json
import os
import pwd
import stat
import subprocess

import pytest

from harness import MALLE

ROOT = os.geteuid() == 0
AUTH, MAIL = 'daemon', 'mail'  # stand for malle-auth and vmail: users that every Debian has


@pytest.fixture
def malle(tmp_path):
    conf = tmp_path / 'malle.conf'
    conf.write_text(f'hostname = mail.example.com\ndomains = example.com\nstate_dir = {tmp_path}/state\n'
                    f'mail_location = maildir:{tmp_path}/mail/%d/%n\nuser_auth = {AUTH}\nmail_user = {MAIL}\n')

    # the leak checker wants /proc, which is not there in the database's folder that root's command locks itself into
    env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'} if ROOT else os.environ

    def malle(*arguments, stdin=''):
        done = subprocess.run([MALLE, '-c', conf, *arguments], input=stdin, env=env, capture_output=True, text=True,
                              timeout=20)
        return done.returncode, done.stdout, done.stderr
    malle.top = tmp_path
    return malle


def owner(name):
    return pwd.getpwnam(name).pw_uid if ROOT else os.geteuid()


def make_mail(malle, box='bob'):
    """A Maildir with three messages in two mailboxes, owned by the mail user."""
    root = malle.top / 'mail' / 'example.com' / box
    for folder in ('cur', 'new', 'tmp', '.Sent/cur', '.Sent/new', '.Sent/tmp'):
        (root / folder).mkdir(parents=True)
    for name in ('cur/1:2,S', 'new/2', '.Sent/cur/3:2,', 'tmp/4', 'dovecot-uidlist'):
        (root / name).write_text('x')
    if ROOT:
        for top, folders, files in os.walk(malle.top / 'mail'):
            for name in [top] + [os.path.join(top, f) for f in files]:
                os.chown(name, owner(MAIL), 0)
    return root


def test_life_of_an_account(malle):
    assert malle('user', 'list') == (0, '', '')
    assert malle('user', 'add', 'Bob@Example.com', stdin='secret\n') == (0, 'Bob@Example.com added\n', '')
    assert malle('user', 'list') == (0, 'bob@example.com\n', '')
    status, out, err = malle('user', 'info', 'bob@example.com', '--json')
    info = json.loads(out)
    assert (status, err, info['enabled'], info['scram_sha_256']) == (0, '', True, True)
    assert malle('user', 'passwd', 'bob@example.com', '--password', 'other')[0] == 0
    assert malle('user', 'disable', 'bob@example.com')[0] == 0
    assert malle('user', 'quota', 'bob@example.com', '--quota', '2G')[0] == 0
    [info] = json.loads(malle('user', 'list', 'example.com', '--json')[1])
    assert (info['address'], info['enabled'], info['quota_bytes']) == ('bob@example.com', False, 2 << 30)
    assert malle('user', 'list', 'example.net') == (0, '', '')
    assert malle('user', 'del', 'bob@example.com') == (0, 'bob@example.com deleted; its mail is kept\n', '')
    assert malle('user', 'info', 'bob@example.com') == (
        1, '', 'malle: there is no account bob@example.com; see malle user list\n')


def test_refusals_say_what_to_do(malle):
    assert malle('user', 'add', 'bob@example.net', '--password', 'x') == (
        1, '', "malle: example.net is none of this server's domains; run malle domain add example.net\n")
    assert malle('user', 'add', 'bob@example.com') == (
        1, '', 'malle: there is no password; give it on standard input or with --password\n')
    assert malle('user', 'add', 'bob@example.com', '--hash', 'secret')[0] == 1
    assert malle('user', 'add', '../x@example.com', '--password', 'x')[0] == 1
    assert malle('user', 'passwd', 'bob@example.com', '--password', 'x')[0] == 1
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    status, _, err = malle('user', 'add', 'bob@example.com', '--password', 'x')
    assert (status, err) == (1, 'malle: the account bob@example.com is there already; '
                                'set its password with malle user passwd\n')
    assert malle('user')[0] == 2
    assert malle('user', 'add')[0] == 2
    assert malle('user', 'frobnicate', 'x')[0] == 2
    assert malle('user', 'list', '--frobnicate')[0] == 2
    assert malle('user', 'add', 'bob@example.com', '--quota', 'much', '--password', 'x')[0] == 2
    assert malle('alias', 'add', 'a@example.com')[0] == 2
    assert malle('domain', 'add')[0] == 2


def test_aliases_and_domains(malle):
    assert malle('domain', 'add', 'Example.NET')[0] == 0
    assert malle('domain', 'add', 'example.com')[0] == 1
    assert json.loads(malle('domain', 'list', '--json')[1]) == [
        {'domain': 'example.com', 'source': 'configuration'}, {'domain': 'example.net', 'source': 'database'}]
    assert malle('alias', 'add', 'info@example.net', 'bob@example.com', 'eve@remote.example')[0] == 0
    assert malle('alias', 'add', '@example.net', '@example.com')[0] == 0
    assert malle('alias', 'add', 'info@remote.example', 'bob@example.com')[0] == 1
    assert malle('alias', 'list')[1] == ('@example.net @example.com\ninfo@example.net bob@example.com\n'
                                         'info@example.net eve@remote.example\n')
    assert malle('domain', 'del', 'example.net')[0] == 1
    assert malle('alias', 'del', 'info@example.net', 'eve@remote.example')[0] == 0
    assert malle('alias', 'del', 'info@example.net')[0] == 0
    assert malle('alias', 'del', 'info@example.net')[0] == 1
    assert malle('alias', 'del', '@example.net')[0] == 0
    assert malle('domain', 'del', 'example.net') == (0, 'example.net deleted\n', '')


def test_masked_and_blocked_addresses(malle):
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    status, text, _ = malle('alias', 'add', '--masked', 'Bob@example.com', '--note', 'the shop', '--expires', '30d')
    address = text.split(' ')[0]
    assert status == 0 and text == f'{address} leads to bob@example.com\n' and len(address) == len('0123456789ab@example.com')
    other = malle('alias', 'add', '--masked', 'bob@example.com')[1].split(' ')[0]
    assert other != address
    assert malle('alias', 'add', '--block', 'Spam@example.com', '--note', 'Ask us by telephone')[0] == 0
    assert malle('alias', 'add', '--block', 'spam@example.com') == (1, '', 'malle: spam@example.com is masked or blocked already\n')
    assert malle('alias', 'add', '--block', 'spam@remote.example')[0] == 1
    assert malle('alias', 'add', '--block', '@example.com')[0] == 1
    assert malle('alias', 'add', '--masked', 'nobody@example.com')[0] == 1
    assert malle('alias', 'add', '--masked', 'bob@example.com', '--note', 'x' * 201)[0] == 1
    for wrong in (('--note', 'x'), ('--masked', 'bob@example.com', '--expires', 'soon'), ('--block', 'x@example.com', '--expires', '1d'),
                  ('--masked', 'bob@example.com', '--block', 'x@example.com'), ('a@example.com', 'b@example.com', '--note', 'x')):
        assert malle('alias', 'add', *wrong)[0] == 2, wrong
    assert malle('alias', 'disable', other)[0] == 0
    assert malle('alias', 'disable', 'bob@example.com')[0] == 1
    rows = {row['address']: row for row in json.loads(malle('alias', 'list', '--json')[1])}
    assert {name: (row['target'], row['state'], row['note']) for name, row in rows.items()} == {
        address: ('bob@example.com', 'masked', 'the shop'), other: ('bob@example.com', 'disabled', ''),
        'spam@example.com': ('', 'blocked', 'Ask us by telephone')}
    assert rows[address]['expires'] > rows[address]['created'] and rows[other]['expires'] == ''
    assert 'spam@example.com - (blocked: Ask us by telephone)\n' in malle('alias', 'list')[1]
    assert malle('alias', 'del', 'spam@example.com')[0] == 0
    assert malle('alias', 'del', 'spam@example.com')[0] == 1
    assert malle('user', 'del', 'bob@example.com', '--yes')[0] == 0
    assert malle('alias', 'list') == (0, '', '')


def test_files_belong_to_the_role(malle):
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    folder = malle.top / 'state' / 'auth'
    for path, mode in ((folder, 0o700), (folder / 'accounts.db', 0o600)):
        st = path.stat()
        assert (st.st_uid, stat.S_IMODE(st.st_mode)) == (owner(AUTH), mode), path


@pytest.mark.skipif(not ROOT, reason='needs root')
def test_a_planted_link_is_not_followed(malle):
    """Whoever took over `auth` cannot make root's command write somewhere else."""
    victim = malle.top / 'victim'
    victim.write_text('')
    folder = malle.top / 'state' / 'auth'
    folder.mkdir(parents=True)
    os.chown(folder, owner(AUTH), 0)
    for name in ('accounts.db', 'accounts.db-wal', 'accounts.db-journal'):
        (folder / name).symlink_to(victim)
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 1
    assert victim.read_text() == ''


def test_empty_deletes_messages_and_keeps_mailboxes(malle):
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    root = make_mail(malle)
    assert malle('user', 'empty', 'bob@example.com') == (
        1, '', 'malle: nothing was deleted; confirm with --yes\n')
    assert (root / 'new/2').exists()
    assert malle('user', 'empty', 'eve@example.com', '--yes')[0] == 1
    assert malle('user', 'empty', 'bob@example.com', '--yes') == (0, '3 messages deleted\n', '')
    left = sorted(str(p.relative_to(root)) for p in root.rglob('*') if p.is_file())
    assert left == ['dovecot-uidlist', 'tmp/4']
    assert (root / '.Sent/cur').is_dir()


def test_empty_without_mail(malle):
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    assert malle('user', 'empty', 'bob@example.com', '--yes')[0] == 0


def test_del_with_mail(malle):
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    root = make_mail(malle)
    other = make_mail(malle, 'carol')
    assert malle('user', 'del', '--mail', '--yes', 'bob@example.com') == (
        0, 'bob@example.com deleted with its mail\n', '')
    assert not root.exists() and (other / 'new/2').exists()
    assert malle('user', 'info', 'bob@example.com')[0] == 1


@pytest.mark.skipif(not ROOT, reason='needs root')
def test_mail_is_deleted_as_the_mail_user(malle):
    """A link to files of others deletes nothing there."""
    assert malle('user', 'add', 'bob@example.com', '--password', 'x')[0] == 0
    foreign = malle.top / 'foreign'
    (foreign / 'cur').mkdir(parents=True)
    (foreign / 'cur' / 'keep').write_text('x')
    folder = malle.top / 'mail' / 'example.com'
    folder.mkdir(parents=True)
    (folder / 'bob').symlink_to(foreign)
    os.chown(malle.top / 'mail', owner(MAIL), 0)
    os.chown(folder, owner(MAIL), 0)
    malle('user', 'empty', 'bob@example.com', '--yes')
    malle('user', 'del', 'bob@example.com', '--mail', '--yes')
    assert (foreign / 'cur' / 'keep').exists()
