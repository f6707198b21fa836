"""passdb and userdb of dovecot.conf: the same files, databases and servers are asked by malle and by Debian's Dovecot, which agree who logs
in, who is there and where the mail lies; and what malle does when a database is gone, or a name is an attack."""
import contextlib
import imaplib
import json
import os
import pathlib
import poplib
import pwd
import smtplib
import sqlite3
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server'), str(TESTS / 'relay')]

from dovecots import Dovecot, listener, peer, short_folder, users_in  # noqa: E402
from harness import FULL, MALLE, Server, eventually  # noqa: E402
from tableservers import MariaDB, Postgres, Slapd  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root: auth-worker, other servers and users')

PEER = 'dovecot-databases'
PASSWORD = 'the right one'
SCHEMES = ('CRYPT', 'SHA512-CRYPT', 'SHA256-CRYPT', 'BLF-CRYPT', 'ARGON2ID', 'SSHA', 'SSHA256', 'SSHA512', 'SHA', 'SHA256', 'MD5', 'MD5-CRYPT',
           'SMD5', 'LDAP-MD5', 'PLAIN-MD5', 'PBKDF2', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN')
ATTACKS = ("x' OR '1'='1", "joe@malle.test' --", "' UNION SELECT 'a','{PLAIN}the right one' --", 'joe@malle.test\\', '*', 'joe*', 'x)(uid=joe',
           'joe@malle.test\0', '../joe@malle.test', '%u', 'x@../../etc', 'joe@malle.test,dc=x')


class World:
    """A real Dovecot and malle on the same dovecot.conf. settings: what is the test's own; now: the same for malle in the words of 2.4."""

    def __init__(self, folder, settings, now=None):
        self.now = now
        owner = pwd.getpwnam('vmail')
        self.folder, self.mail = folder, folder / 'mail'
        self.mail.mkdir()
        os.chown(self.mail, owner.pw_uid, owner.pw_gid)
        self.settings = f'auth_failure_delay = 0\nmail_location = maildir:~/Maildir\nfirst_valid_uid = 100\n{settings}'
        self.dovecot = Dovecot(folder, f'''protocols =
{self.settings}
service auth {{
  unix_listener {folder}/client {{
    mode = 0666
  }}
}}
''', folder / 'client', PEER)
        self.stack = contextlib.ExitStack()
        self.server = None

    def options(self):
        """What malle's own configuration says of these settings."""
        conf = self.folder / 'etc' / 'dovecot'
        conf.mkdir(parents=True, exist_ok=True)
        text = f'hostname = mail.malle.test\nssl = no\n{self.settings}' if self.now is None else f'''dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
hostname = mail.malle.test
ssl = no
mail_driver = maildir
mail_path = ~/Maildir
first_valid_uid = 100
{self.now}'''
        (conf / 'dovecot.conf').write_text(text)
        done = subprocess.run([MALLE, '-c', conf.parent, 'config', '--json'], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        names = ('passdb', 'userdb', 'mail_home', 'system_users', 'system_mail_location', 'first_valid_uid', 'auth_username_chars', 'auth_username_format',
                 'auth_username_translation', 'auth_default_realm', 'auth_master_user_separator', 'login_greeting', 'first_valid_gid', 'last_valid_gid')
        found = {one['name']: one['value'] for one in json.loads(done.stdout) if not one.get('section')}
        return {name: found[name] for name in names if name in found}

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.dovecot)
            self.server = stack.enter_context(Server(users={}, conf=self.options(),
                                                     sections=listener('userdb', 'auth-userdb', self.folder / 'userdb', mode='0600')))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def doveadm(self, *arguments):
        return peer(PEER, 'doveadm', '-c', self.dovecot.conf, *arguments)

    def client(self):
        return imaplib.IMAP4_SSL('127.0.0.1', self.server.port('imaps'), ssl_context=self.server.tls_context(), timeout=30)

    def imap(self, name, password):
        with self.client() as client:
            client.authenticate('PLAIN', lambda _: f'\0{name}\0{password}'.encode())
            return client.select()[0]

    def malle_says(self, name, password=PASSWORD):
        try:
            assert self.imap(name, password) == 'OK'
            return True
        except imaplib.IMAP4.error as e:
            assert 'UNAVAILABLE' not in str(e), e
            return False

    def dovecot_says(self, name, password=PASSWORD):
        done = self.doveadm('auth', 'test', '-x', 'rip=127.0.0.1', '-x', 'service=imap', name, password)
        assert done.returncode in (0, 77), done.stderr + done.stdout + self.dovecot.log()
        return done.returncode == 0

    def agree(self, name, password=PASSWORD):
        here, there = self.malle_says(name, password), self.dovecot_says(name, password)
        assert here == there, (name, here, there)
        return here

    def users(self, *names):
        """What doveadm user says of these at each: {name: fields}, without the mail, which Dovecot makes of the settings itself."""
        def of(*more):
            found = {}
            for name in names:
                lines = self.doveadm('user', *more, '-u', name).stdout.splitlines()
                found[name] = sorted(line.split()[0] + line.partition(':')[2] for line in lines if ':' in line and not line.startswith('  mail'))
            return found
        return of(), of('-a', self.folder / 'userdb')

    def rcpt(self, *addresses):
        with smtplib.SMTP('127.0.0.1', self.server.port('smtp'), local_hostname='client.example', timeout=30) as client:
            client.ehlo()
            client.docmd('MAIL', 'FROM:<sender@client.example>')
            return [client.docmd('RCPT', f'TO:<{address}>')[0] for address in addresses]

    def deliver(self, address):
        with smtplib.SMTP('127.0.0.1', self.server.port('smtp'), local_hostname='client.example', timeout=30) as client:
            client.sendmail('sender@client.example', [address], b'From: a@client.example\r\nSubject: here\r\n\r\nhello\r\n')

    def attack(self):
        with self.client() as client:
            for name in ATTACKS:
                with pytest.raises(imaplib.IMAP4.error):
                    client.authenticate('PLAIN', lambda _, name=name: f'\0{name}\0{PASSWORD}'.encode())


def entry(name, password, home, extra='', uid=None):
    owner = pwd.getpwnam('vmail')
    return f'{name}:{password}:{owner.pw_uid if uid is None else uid}:{owner.pw_gid}::{home}::{extra}\n'


# --- passwd-file, static, deny ---

def stored_in_each_scheme():
    """The password as Dovecot stores it, in one call of the peer."""
    script = ''.join(f"doveadm -c /dev/null pw -s {scheme} -p '{PASSWORD}'\n" for scheme in SCHEMES)
    stored = peer(PEER, 'bash', '-c', script).stdout.splitlines()
    assert len(stored) == len(SCHEMES)
    return stored


@pytest.fixture(scope='module')
def files():
    with short_folder() as folder:
        mail = folder / 'mail'
        lines = [entry(f's{i}@malle.test', stored, mail / f's{i}') for i, stored in enumerate(stored_in_each_scheme())]
        lines += [entry('joe@malle.test', PASSWORD, mail / 'malle.test/joe', f'userdb_mail=maildir:{mail}/malle.test/joe/%n userdb_quota_rule=*:bytes=1048576'),
                  entry('near@malle.test', '{PLAIN}' + PASSWORD, mail / 'near', 'allow_nets=127.0.0.0/8,192.0.2.7'),
                  entry('far@malle.test', '{PLAIN}' + PASSWORD, mail / 'far', 'allow_nets=192.0.2.0/24'),
                  entry('off@malle.test', '{PLAIN}' + PASSWORD, mail / 'off', 'nologin=yes'),
                  entry('open@malle.test', '', mail / 'open', 'nopassword=yes'),
                  entry('odd@malle.test', '', mail / 'odd'),
                  entry('denied@malle.test', '{PLAIN}' + PASSWORD, mail / 'denied'),
                  'only@malle.test:{PLAIN}' + PASSWORD + '\n', 'short@malle.test:{PLAIN}' + PASSWORD + '::::::\n', '# comment@malle.test:{PLAIN}x\n', '\n', 'joe@malle.test:{PLAIN}second\n']
        (folder / 'users').write_text(''.join(lines))
        (folder / 'deny').write_text('denied@malle.test:::::::\n')
        settings = f'''passdb {{
  driver = passwd-file
  deny = yes
  args = {folder}/deny
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
  default_fields = uid=vmail gid=vmail home={mail}/%d/%n
}}
'''
        with World(folder, settings) as world:
            yield world


def test_schemes(files):
    for i, scheme in enumerate(SCHEMES):
        assert (files.agree if FULL else files.malle_says)(f's{i}@malle.test'), scheme
        assert (i > 3 and not FULL) or not files.malle_says(f's{i}@malle.test', 'wrong'), scheme


@pytest.mark.parametrize('name, fits', [('joe@malle.test', True), ('JOE@malle.TEST', True), ('near@malle.test', True), ('far@malle.test', False),
                                        ('open@malle.test', True), ('odd@malle.test', False),
                                        ('denied@malle.test', False), ('comment@malle.test', False),
                                        ('nobody@malle.test', False), ('joe', False)])
def test_who_logs_in(files, name, fits):
    assert files.agree(name) == fits


def test_nologin(files):
    """Dovecot's login process, which is not asked here, refuses them; and who has no line of the userdb gets no session."""
    assert not files.malle_says('off@malle.test')
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        files.imap('only@malle.test', PASSWORD)


def test_users(files):
    there, here = files.users('joe@malle.test', 'only@malle.test', 'short@malle.test', 'denied@malle.test', 'nobody@malle.test')
    assert here == there and f"home {files.mail}/malle.test/short" in here['short@malle.test']


# What Dovecot's auth says beside the user, of itself, and the mail location, which malle tells with its variables filled in.
LEFT_OUT = ('mail\tmaildir', '  code=', '  original_user=')


def both(world, *arguments):
    """(status, output) of a command of doveadm, malle's and the real one's."""
    ours, theirs = world.server.malle('doveadm', *arguments, check=False), world.doveadm(*arguments)
    return tuple((done.returncode, [line for line in done.stdout.splitlines() if line.strip() and not line.startswith(LEFT_OUT)]) for done in (ours, theirs))


@pytest.mark.parametrize('arguments', [
    ('user', 'joe@malle.test'), ('user', 'JOE@malle.test'), ('user', 'nobody@malle.test'), ('user', 'only@malle.test'), ('user', '-f', 'home', 'short@malle.test'),
    ('user', '-u', 's0@malle.test'), ('user', 's?@malle.test'), ('user', '*r*'),
    ('auth', 'lookup', 's0@malle.test', 'nobody@malle.test'), ('auth', 'lookup', 'denied@malle.test'), ('auth', 'lookup', '-f', 'user', 'S0@malle.test'),
    ('auth', 'test', 'only@malle.test', PASSWORD), ('auth', 'test', 'joe@malle.test', PASSWORD), ('auth', 'test', 'joe@malle.test', 'wrong'), ('auth', 'test', 'nobody@malle.test', PASSWORD),
    ('auth', 'test', 'JOE@malle.test', PASSWORD), ('auth', 'test', 'denied@malle.test', PASSWORD)], ids=' '.join)
def test_doveadm(files, arguments):
    ours, theirs = both(files, *arguments)
    assert ours == theirs


def test_mail(files):
    """Mail for users of the file reaches the place that the file says; that of others is refused."""
    assert files.rcpt('joe@malle.test', 'joe+tag@malle.test', 'nobody@malle.test', 'only@malle.test', 'joe@elsewhere.example') == [250, 250, 550, 550, 554]
    files.deliver('joe@malle.test')
    files.deliver('short@malle.test')
    [path] = eventually(lambda: list((files.mail / 'malle.test/joe/joe/new').iterdir()), 20)
    assert path.stat().st_uid == pwd.getpwnam('vmail').pw_uid
    assert eventually(lambda: list((files.mail / 'malle.test/short/Maildir/new').iterdir()), 20)


def test_submission(files):
    """They send as themselves, and as nobody else."""
    with smtplib.SMTP('127.0.0.1', files.server.port('submission'), local_hostname='client.example', timeout=30) as client:
        client.starttls(context=files.server.tls_context())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login('joe@malle.test', 'wrong')
        client.login('joe@malle.test', PASSWORD)
        assert client.docmd('MAIL', 'FROM:<joe@malle.test>')[0] == 250 and client.docmd('RCPT', 'TO:<near@malle.test>')[0] == 250
        client.docmd('RSET')
        assert 553 in (client.docmd('MAIL', 'FROM:<near@malle.test>')[0], client.docmd('RCPT', 'TO:<joe@malle.test>')[0])


def test_lmtp(files):
    with smtplib.LMTP(str(files.server.dir / 'run/lmtp'), local_hostname='client.example', timeout=30) as client:
        client.ehlo()
        client.docmd('MAIL', 'FROM:<sender@client.example>')
        assert [client.docmd('RCPT', f'TO:<{name}@malle.test>')[0] for name in ('joe', 'nobody')] == [250, 550]


def test_a_file_that_changes(files):
    path = files.folder / 'users'
    before = path.read_text()
    path.write_text(before + entry('late@malle.test', '{PLAIN}' + PASSWORD, files.mail / 'late'))
    assert files.malle_says('late@malle.test') and files.rcpt('late@malle.test') == [250]
    path.write_text(before)
    assert not files.malle_says('late@malle.test')
    path.rename(files.folder / 'away')
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        files.imap('joe@malle.test', PASSWORD)
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        files.imap('nobody@malle.test', PASSWORD)
    (files.folder / 'away').rename(path)
    assert files.malle_says('joe@malle.test')


def test_names_that_attack_files(files):
    files.attack()


@pytest.fixture(scope='module')
def static():
    with short_folder() as folder:
        (folder / 'of-malle.test').write_text('joe:{PLAIN}' + PASSWORD + '\nroot:{PLAIN}' + PASSWORD + '\n')
        settings = f'''auth_username_chars =
auth_default_realm = malle.test
auth_username_translation = =o
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/of-%d
}}
passdb {{
  driver = static
  username_filter = any*@malle.test !anybody@malle.test
  mechanisms = PLAIN LOGIN
  args = password={PASSWORD.replace(' ', '')} user=joe@malle.test
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={folder}/mail/%d/%n
}}
'''
        with World(folder, settings) as world:
            yield world


def test_static(static):
    assert static.agree('joe') and static.agree('joe@malle.test') and static.agree('j=e') and not static.agree('x@other.example')
    assert static.agree('any1', 'therightone') and not static.agree('any1') and not static.agree('anybody', 'therightone')
    there, here = static.users('joe@malle.test', 'nobody@malle.test')
    assert here == there and here['joe@malle.test']
    assert static.rcpt('joe@malle.test', 'nobody@malle.test') == [250, 550]
    static.deliver('joe@malle.test')
    assert eventually(lambda: list((static.mail / 'malle.test/joe/Maildir/new').iterdir()), 20)
    static.attack()


# --- SQL ---

SCHEMA = '''CREATE TABLE users (userid text, domain text, password text, home text, uid int, gid int, active int);
INSERT INTO users VALUES ('joe', 'malle.test', '{{PLAIN}}the right one', '{mail}/malle.test/joe', {uid}, {gid}, 1);
INSERT INTO users VALUES ('ann', 'malle.test', 'the right one', '{mail}/malle.test/ann', {uid}, {gid}, 1);
INSERT INTO users VALUES ('two', 'malle.test', 'the right one', '{mail}/malle.test/two', {uid}, {gid}, 1);
INSERT INTO users VALUES ('two', 'malle.test', 'the right one', '{mail}/malle.test/two', {uid}, {gid}, 1);
INSERT INTO users VALUES ('root', 'malle.test', 'the right one', '{mail}/malle.test/root', 0, {gid}, 1);
INSERT INTO users VALUES ('null', 'malle.test', NULL, '{mail}/malle.test/null', {uid}, {gid}, 1);
INSERT INTO users VALUES ('off', 'malle.test', 'the right one', '{mail}/malle.test/off', {uid}, {gid}, 0);
'''

EXT = '''driver = {driver}
connect = {connect}
default_pass_scheme = PLAIN
password_query = SELECT userid || '@' || domain AS "user", password, home AS userdb_home, uid AS userdb_uid, gid AS userdb_gid \\
  FROM users WHERE userid = '%n' AND domain = '%d' AND active = 1
user_query = SELECT home, uid, gid, '*:bytes=1000000' AS quota_rule FROM users WHERE userid = '%n' AND domain = '%d'
iterate_query = SELECT userid AS username, domain FROM users
'''

SQL_SETTINGS = '''auth_username_chars =
passdb {{
  driver = sql
  args = {folder}/sql.conf.ext
}}
userdb {{
  driver = prefetch
}}
userdb {{
  driver = sql
  args = {folder}/sql.conf.ext
}}
'''


def schema(folder):
    owner = pwd.getpwnam('vmail')
    return SCHEMA.format(mail=folder / 'mail', uid=owner.pw_uid, gid=owner.pw_gid)


@contextlib.contextmanager
def sql_world(folder, driver, connect):
    (folder / 'sql.conf.ext').write_text(EXT.format(driver=driver, connect=connect))
    (folder / 'sql.conf.ext').chmod(0o600)
    with World(folder, SQL_SETTINGS.format(folder=folder)) as world:
        yield world


@pytest.fixture(scope='module')
def sqlite():
    with short_folder() as folder:
        with contextlib.closing(sqlite3.connect(folder / 'users.db')) as db:
            db.executescript(schema(folder))
        with sql_world(folder, 'sqlite', folder / 'users.db') as world:
            yield world


@pytest.fixture(scope='module')
def postgres():
    with Postgres() as there, short_folder() as folder:
        there.sql(schema(folder) + 'GRANT SELECT ON users TO malle;')
        with sql_world(folder, 'pgsql', f'host=127.0.0.1 port={there.port} dbname=mail user=malle password=secret') as world:
            world.database = there
            yield world


@pytest.fixture(scope='module')
def mariadb():
    with MariaDB() as there, short_folder() as folder:
        there.sql(schema(folder))
        (folder / 'sql.conf.ext').write_text(EXT.replace("userid || '@' || domain", "concat(userid, '@', domain)").format(
            driver='mysql', connect=f'host={there.dir}/socket dbname=mail user=malle password=secret'))
        with World(folder, SQL_SETTINGS.format(folder=folder)) as world:
            world.database = there
            yield world


def check_sql(world):
    assert world.malle_says('joe@malle.test') and world.malle_says('ann@malle.test') and not world.malle_says('joe@malle.test', 'wrong')
    assert not world.malle_says('off@malle.test') and not world.malle_says('null@malle.test') and not world.malle_says('x@malle.test')
    with pytest.raises(imaplib.IMAP4.error):  # uid 0
        world.imap('root@malle.test', PASSWORD)
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        world.imap('two@malle.test', PASSWORD)
    assert world.rcpt('joe@malle.test', 'off@malle.test', 'nobody@malle.test', 'two@malle.test', 'root@malle.test') == [250, 250, 550, 451, 550]
    world.deliver('joe@malle.test')
    assert eventually(lambda: list((world.mail / 'malle.test/joe/Maildir/new').iterdir()), 20)
    world.attack()


def test_sqlite(sqlite):
    check_sql(sqlite)
    for arguments in (('user', 'joe@malle.test'), ('user', '-u', 'ann@malle.test'), ('user', '*'), ('auth', 'test', 'ann@malle.test', PASSWORD)):
        ours, theirs = both(sqlite, *arguments)  # Dovecot tells fields in the order of the columns
        assert ours[0] == theirs[0] and sorted(ours[1]) == sorted(theirs[1])
    there, here = sqlite.users('joe@malle.test', 'nobody@malle.test')
    assert here == there and here['joe@malle.test']
    for name, password in (('joe@malle.test', PASSWORD), ('ann@malle.test', 'wrong'), ('null@malle.test', PASSWORD)):
        sqlite.agree(name, password)


def logs_in(world, name, password=PASSWORD):
    """Also while roles are being started anew."""
    with contextlib.suppress(imaplib.IMAP4.error, ConnectionError):
        return world.imap(name, password) == 'OK'


def test_a_reload_and_a_proxymap_that_dies(sqlite):
    path = sqlite.folder / 'sql.conf.ext'
    before = path.read_text()
    path.write_text(before.replace('AND active = 1', ''))
    sqlite.server.reload()
    assert eventually(lambda: logs_in(sqlite, 'off@malle.test'), 30)
    path.write_text(before)
    sqlite.server.reload()
    assert eventually(lambda: logs_in(sqlite, 'joe@malle.test') and not logs_in(sqlite, 'off@malle.test'), 30)
    path.write_text('driver = cassandra\n')
    refused = sqlite.server.malle('reload', check=False)
    assert refused.returncode and 'malle asks sqlite, pgsql and mysql' in refused.stdout + refused.stderr and sqlite.malle_says('joe@malle.test')
    path.write_text(before)
    killed = sqlite.server.kill_role('proxymap')
    sqlite.server.wait_role('proxymap', other_than=killed)
    assert eventually(lambda: logs_in(sqlite, 'joe@malle.test'), 30)


def test_postgres(postgres):
    check_sql(postgres)
    postgres.database.kill()
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        postgres.imap('joe@malle.test', PASSWORD)
    assert postgres.rcpt('joe@malle.test', 'nobody@malle.test') == [451, 451]
    postgres.database.start()
    assert eventually(lambda: logs_in(postgres, 'joe@malle.test'), 60)


def test_mariadb(mariadb):
    check_sql(mariadb)
    for arguments in (('user', 'joe@malle.test'), ('user', '*'), ('auth', 'test', 'ann@malle.test', PASSWORD)):
        ours, theirs = both(mariadb, *arguments)
        assert ours[0] == theirs[0] and sorted(ours[1]) == sorted(theirs[1])
    for name, password in (('joe@malle.test', PASSWORD), ('JOE@malle.test', PASSWORD), ('ann@malle.test', 'wrong'), ('null@malle.test', PASSWORD)):
        mariadb.agree(name, password)
    mariadb.database.kill()
    with pytest.raises(imaplib.IMAP4.error, match='UNAVAILABLE'):
        mariadb.imap('joe@malle.test', PASSWORD)
    assert mariadb.rcpt('joe@malle.test', 'nobody@malle.test') == [451, 451]
    mariadb.database.start()
    assert eventually(lambda: logs_in(mariadb, 'joe@malle.test'), 60)


def test_mariadb_24(mariadb):
    """The same server in the words of 2.4."""
    with short_folder() as folder:
        (folder / 'sql.conf.ext').write_text((mariadb.folder / 'sql.conf.ext').read_text())
        now = f'''auth_username_chars =
sql_driver = mysql
mysql 127.0.0.1 {{
  port = {mariadb.database.port}
  dbname = mail
  user = malle
  password = secret
}}
passdb sql {{
  default_password_scheme = PLAIN
  query = SELECT concat(userid, '@', domain) AS user, password FROM users WHERE userid = '%{{user | username}}' AND domain = '%{{user | domain}}' AND active = 1
}}
userdb sql {{
  query = SELECT '{folder}/mail/joe' AS home, uid, gid FROM users WHERE userid = '%{{user | username}}' AND domain = '%{{user | domain}}'
}}
'''
        with World(folder, SQL_SETTINGS.format(folder=folder), now) as world:
            assert world.agree('joe@malle.test') and not world.agree('joe@malle.test', 'wrong') and not world.agree('off@malle.test')


# --- LDAP ---

LDAP = '''uris = ldap://127.0.0.1:{port}
dn = cn=admin,{base}
dnpass = secret
base = {base}
auth_bind = {bind}
default_pass_scheme = PLAIN
pass_filter = (&(objectClass=inetOrgPerson)(mail=%u))
pass_attrs = mail=user,userPassword=password{more}
user_filter = (&(objectClass=inetOrgPerson)(mail=%u))
user_attrs = =home={mail}/%{{ldap:mail}},=uid=vmail,sn=gid=vmail
'''


@pytest.fixture(scope='module')
def slapd():
    with Slapd({'joe@malle.test': ['x'], 'ann@malle.test': ['y']}, password=PASSWORD) as there:
        yield there


@pytest.mark.parametrize('bind', ('yes', 'no'))
def test_ldap(slapd, bind):
    with short_folder() as folder:
        # whoever is verified by a bind has no password here, which is not to say that none is needed
        more = ',=nopassword=yes' if bind == 'yes' else ''
        (folder / 'ldap.conf.ext').write_text(LDAP.format(port=slapd.port, base=slapd.base, bind=bind, mail=folder / 'mail', more=more))
        kinds = ''.join(f'{kind} {{\n  driver = ldap\n  args = {folder}/ldap.conf.ext\n}}\n' for kind in ('passdb', 'userdb'))
        with World(folder, f'auth_username_chars =\n{kinds}') as world:
            assert world.malle_says('joe@malle.test') and world.malle_says('ann@malle.test')
            assert not world.malle_says('joe@malle.test', 'wrong') and not world.malle_says('joe@malle.test', '') and not world.malle_says('x@malle.test')
            assert world.rcpt('joe@malle.test', 'nobody@malle.test') == [250, 550]
            world.deliver('joe@malle.test')
            assert eventually(lambda: list((world.mail / 'joe@malle.test/Maildir/new').iterdir()), 20)
            world.attack()


def listed(world, socket=None):
    """All users, as doveadm is told them over the socket: of malle's, or else of Dovecot's own."""
    done = world.doveadm('user', *(['-a', socket] if socket else []), '*')
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


def test_lists(files, sqlite):
    """What Dovecot's doveadm hears of malle's auth-userdb is what it hears of Dovecot's."""
    for world in (files, sqlite):
        here, there = listed(world, world.folder / 'userdb'), listed(world)
        assert here == sorted(set(there)) and 'joe@malle.test' in here


def test_groups_and_the_greeting():
    """The primary group decides who may have mail; and clients are greeted as the file says."""
    with short_folder() as folder:
        owner = pwd.getpwnam('vmail')
        (folder / 'users').write_text(''.join(f'{name}@malle.test:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{gid}::{folder}/mail/{name}\n'
                                              for name, gid in (('low', 99), ('joe', 100), ('ann', 60000), ('high', 60001))))
        settings = '''first_valid_gid = 100
last_valid_gid = 60000
login_greeting = Hello. Who is it?
passdb {
  driver = passwd-file
  args = FOLDER/users
}
userdb {
  driver = passwd-file
  args = FOLDER/users
}
'''.replace('FOLDER', str(folder))
        with World(folder, settings) as world:
            assert world.rcpt(*(f'{name}@malle.test' for name in ('low', 'joe', 'ann', 'high'))) == [550, 250, 250, 550]
            assert [logs_in(world, f'{name}@malle.test') or False for name in ('low', 'joe', 'high')] == [False, True, False]
            with world.client() as client:
                assert client.welcome.endswith(b'] Hello. Who is it?'), client.welcome
            client = poplib.POP3_SSL('127.0.0.1', world.server.port('pop3s'), context=world.server.tls_context(), timeout=30)
            assert client.getwelcome() == b'+OK Hello. Who is it?'
            client.quit()


# --- masters ---

@pytest.fixture(scope='module', params=['', 'pass = yes'], ids=['return', 'pass'])
def masters(request):
    with short_folder() as folder:
        mail = folder / 'mail'
        (folder / 'users').write_text(entry('joe@malle.test', '{PLAIN}' + PASSWORD, mail / 'joe') + entry('ann@malle.test', '{PLAIN}ann', mail / 'ann')
                                      + entry('boss', '{PLAIN}other', mail / 'boss'))
        (folder / 'masters').write_text('boss:{PLAIN}' + PASSWORD + '\nfar:{PLAIN}' + PASSWORD + '::::::allow_nets=192.0.2.1\n')
        settings = f'''auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = {folder}/masters
  {request.param}
}}
{users_in(folder)}'''
        with World(folder, settings) as world:
            yield world


@pytest.mark.parametrize('name, password, fits', [
    ('joe@malle.test*boss', PASSWORD, True), ('ann@malle.test*boss', PASSWORD, True), ('JOE@malle.test*BOSS', PASSWORD, True),
    ('joe@malle.test*boss', 'wrong', False), ('joe@malle.test*boss', 'other', False), ('ann@malle.test*boss', 'ann', False),
    ('ann@malle.test*joe@malle.test', PASSWORD, False), ('joe@malle.test*nobody', PASSWORD, False), ('joe@malle.test*far', PASSWORD, False),
    ('boss', PASSWORD, False), ('boss', 'other', True), ('joe@malle.test', PASSWORD, True), ('*boss', PASSWORD, False), ('joe@malle.test*', PASSWORD, False)])
def test_masters(masters, name, password, fits):
    assert masters.agree(name, password) == fits


def test_masters_by_the_authorization_identity(masters):
    def says(authzid, name, password):
        with masters.client() as client:
            try:
                client.authenticate('PLAIN', lambda _: f'{authzid}\0{name}\0{password}'.encode())
                return client.select()[0] == 'OK'
            except imaplib.IMAP4.error as e:
                assert 'UNAVAILABLE' not in str(e)
                return False
    masters.deliver('ann@malle.test')
    eventually(lambda: list((masters.mail / 'ann/Maildir/new').iterdir()), 20)
    with masters.client() as client:
        client.authenticate('PLAIN', lambda _: f'ann@malle.test\0boss\0{PASSWORD}'.encode())
        assert client.select()[1] == [b'1']  # it is Ann's mailbox
    assert says('joe@malle.test', 'boss', PASSWORD) and says('joe@malle.test', 'joe@malle.test', PASSWORD)
    assert not says('joe@malle.test', 'boss', 'wrong') and not says('ann@malle.test', 'joe@malle.test', PASSWORD) and not says('nobody@malle.test', 'boss', PASSWORD)
    assert not masters.malle_says('nobody@malle.test*boss')
    assert any('the master boss logs in in the place of this user' in line for line in masters.server.lines)


def test_doveadm_and_masters(masters):
    for arguments in (('auth', 'test', 'joe@malle.test*boss', PASSWORD), ('auth', 'test', 'joe@malle.test*boss', 'wrong'), ('auth', 'lookup', 'boss'), ('user', 'boss')):
        ours, theirs = both(masters, *arguments)
        assert ours[0] == theirs[0], arguments


# --- the words of 2.4 ---

def test_files_24():
    """Variables, fields that count always or where the file says nothing, and lists as blocks."""
    with short_folder() as folder:
        mail, owner = folder / 'mail', pwd.getpwnam('vmail')
        (folder / 'deny').write_text('denied@malle.test:::::::\n')
        (folder / 'of-malle.test').write_text('joe:' + PASSWORD + f'::::{mail}/j:\nann:' + PASSWORD + ':1:1::/nowhere:\ndenied:' + PASSWORD + '::::::\n')
        before = f'''passdb {{
  driver = passwd-file
  deny = yes
  args = {folder}/deny
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Ln {folder}/of-%d
}}
passdb {{
  driver = static
  username_filter = any*@malle.test
  mechanisms = PLAIN LOGIN
  args = password=x user=joe@malle.test
}}
userdb {{
  driver = passwd-file
  args = username_format=%Ln {folder}/of-%d
  default_fields = home={mail}/%d/%n
  override_fields = uid=vmail gid=vmail
}}
'''
        now = f'''passdb banned {{
  driver = passwd-file
  deny = yes
  passwd_file_path = {folder}/deny
}}
passdb passwd-file {{
  default_password_scheme = PLAIN
  auth_username_format = %{{user | username | lower}}
  passwd_file_path = {folder}/of-%{{user | domain}}
}}
passdb static {{
  username_filter = any*@malle.test
  mechanisms_filter {{
    plain = yes
    login = yes
  }}
  password = x
  fields {{
    user = joe@malle.test
  }}
}}
userdb passwd-file {{
  auth_username_format = %{{user | username | lower}}
  passwd_file_path = {folder}/of-%{{user | domain}}
  fields {{
    home:default = {mail}/%{{user | domain}}/%{{user | username}}
    uid = {owner.pw_name}
    gid = vmail
  }}
}}
'''
        with World(folder, before, now) as world:
            assert world.agree('joe@malle.test') and world.agree('ann@malle.test') and world.agree('any1@malle.test', 'x')
            assert not world.agree('joe@malle.test', 'wrong') and not world.agree('denied@malle.test') and not world.agree('x@malle.test')
            there, here = world.users('joe@malle.test', 'ann@malle.test', 'denied@malle.test', 'x@malle.test')
            assert here == there and f'home {mail}/malle.test/denied' in here['denied@malle.test'], (here, there)
            world.attack()


def test_sqlite_24():
    with short_folder() as folder:
        with contextlib.closing(sqlite3.connect(folder / 'users.db')) as db:
            db.executescript(schema(folder))
        (folder / 'sql.conf.ext').write_text(EXT.format(driver='sqlite', connect=folder / 'users.db'))
        now = f'''auth_username_chars =
sql_driver = sqlite
sqlite_path = {folder}/users.db
passdb_default_password_scheme = PLAIN
passdb sql {{
  query = SELECT userid || '@' || domain AS "user", password, home AS userdb_home, uid AS userdb_uid, gid AS userdb_gid \\
    FROM users WHERE userid = '%{{user | username}}' AND domain = '%{{user | domain}}' AND active = 1
}}
userdb prefetch {{
}}
userdb sql {{
  userdb_sql_query = SELECT home, uid, gid, '*:bytes=1000000' AS quota_rule FROM users \\
    WHERE userid = '%{{user | username}}' AND domain = '%{{user | domain}}'
  iterate_query = SELECT userid AS username, domain FROM users
}}
'''
        with World(folder, SQL_SETTINGS.format(folder=folder), now) as world:
            check_sql(world)
            ours, theirs = both(world, 'user', '*')
            assert ours == theirs
            there, here = world.users('joe@malle.test', 'nobody@malle.test')
            assert here == there and here['joe@malle.test']


def test_secrets_stay_where_they_are(place):
    """The settings of a server are in nobody's configuration but that of proxymap, and a change of them is a change of the place."""
    def place_of(password):
        (place / 'dovecot').mkdir(exist_ok=True)
        (place / 'dovecot/dovecot.conf').write_text(f'''dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl = no
mail_path = ~/Maildir
sql_driver = pgsql
pgsql db.example {{
  parameters {{
    user = malle
    password = {password}
  }}
}}
passdb sql {{
  query = SELECT password FROM users WHERE name = '%{{user}}'
}}
userdb static {{
  fields {{
    uid = vmail
  }}
}}
''')
        done = subprocess.run([MALLE, '-c', place, 'config', 'passdb'], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and password not in done.stdout and f'{place}/dovecot/dovecot.conf!passdb/sql!' in done.stdout, done
        return done.stdout
    assert place_of('secret-one') != place_of('secret-two')


@pytest.mark.parametrize('bind', ('yes', 'no'))
def test_ldap_24(slapd, bind):
    with short_folder() as folder:
        (folder / 'ldap.conf.ext').write_text(LDAP.format(port=slapd.port, base=slapd.base, bind=bind, mail=folder / 'mail', more='') + 'iterate_filter = (objectClass=inetOrgPerson)\niterate_attrs = mail=user\n')
        kinds = ''.join(f'{kind} {{\n  driver = ldap\n  args = {folder}/ldap.conf.ext\n}}\n' for kind in ('passdb', 'userdb'))
        now = f'''auth_username_chars =
ldap_uris = ldap://127.0.0.1:{slapd.port}
ldap_auth_dn = cn=admin,{slapd.base}
ldap_auth_dn_password = secret
ldap_base = {slapd.base}
passdb ldap {{
  bind = {bind}
  default_password_scheme = PLAIN
  filter = (&(objectClass=inetOrgPerson)(mail=%{{user}}))
  fields {{
    user = %{{ldap:mail}}
    password = %{{ldap:userPassword}}
  }}
}}
userdb ldap {{
  ldap_filter = (&(objectClass=inetOrgPerson)(mail=%{{user}}))
  fields {{
    home = {folder}/mail/%{{ldap:mail}}
    uid = vmail
    gid = vmail
  }}
  iterate_filter = (objectClass=inetOrgPerson)
  iterate_fields {{
    user = %{{ldap:mail}}
  }}
}}
'''
        with World(folder, f'auth_username_chars =\n{kinds}', now) as world:
            assert world.malle_says('joe@malle.test') and not world.malle_says('joe@malle.test', 'wrong') and not world.malle_says('x@malle.test')
            assert world.rcpt('joe@malle.test', 'nobody@malle.test') == [250, 550]
            ours, theirs = both(world, 'user', '*')
            assert ours[0] == theirs[0] and sorted(ours[1]) == sorted(theirs[1]) and 'joe@malle.test' in ours[1]
            world.attack()
