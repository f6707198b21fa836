"""malle doveconf beside Dovecot's own doveconf: the same files and options, the same output but for the heading."""
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import MALLE

TOP = pathlib.Path(__file__).resolve().parents[2]
GUIDE = TOP / 'tests/guide/etc/dovecot'
IMPOSSIBLE = 3
MORE = '''plugin {
  quota = maildir:User
  zz = "a # b"
  x_key = z
  x_password =
  a = https://user:pw@host/x@y?pass=1 https://host/x@y xftp://u@h imap://u:p@h
  b = pass a=x
  c = "key=a # b"
}
protocol imap {
  mail_plugins = $mail_plugins imap_quota
}
protocol lmtp {
  postmaster_address = x@example.com
}
namespace inbox {
  separator = /
  mailbox Drafts {
    special_use = \\\\Drafts
    auto = subscribe
  }
}
passdb {
  driver = passwd-file
  args = /etc/users
}
local_name mail.example.com {
  ssl_cert = </etc/hostname
}
imapc_password = hidden
ssl_client_key = </etc/hostname
login_greeting = Ready. secret=abc pass=abc;key=q monkey=x passphrase =x
mail_attribute_dict = proxy:password=x:http://a:b@c/d
mail_max_userip_connections = 10
auth_failure_delay = 3 secs
default_internal_user = mail
doveadm_password = secret
service own {
  executable = foo
  unix_listener /run/own {
    mode = 0666
  }
}
service imap-login {
  inet_listener more {
    port = 1143
  }
}
'''
RUNS = [['-n'], ['-n', '-P'], ['imapc_password', 'ssl_client_key'], ['-h', 'login_greeting'], ['plugin'], ['-h', 'mail_location', 'protocols'], ['mail_location', 'ssl_cert', 'first_valid_uid'], ['service/auth/user'],
        ['nosuch'], ['-h', 'auth_mechanisms'], ['ssl_min_protocol', 'auth_failure_delay'], ['-P', 'ssl_key'],
        ['-N'], ['-d', 'mail_location', 'auth_mechanisms', 'ssl_min_protocol'], ['-k', 'mail_location', 'nosuch'], ['-p', '-n'], ['-x', 'ssl_cert'],
        ['-f', 'protocol=imap', '-h', 'mail_plugins', 'mail_location'], ['-f', 'service=lmtp', 'postmaster_address'],
        ['-f', 'lname=mail.example.com', 'ssl_cert'], ['-f', 'protocol=nosuch', '-n'],
        ['-a'], [], ['-d'], ['-a', '-P'], ['service/imap/executable', 'service/own/user', 'service/auth/unix_listener/auth-userdb/mode'],
        ['service/imap'], ['-n', 'service/imap'], ['-n', 'service/auth'], ['service'], ['passdb', 'userdb', 'plugin', 'namespace'],
        ['-n', 'passdb', 'namespace/inbox'], ['plugin/quota'], ['-x', 'service/dict/user']]
# Which settings hold for whom; without what Dovecot loses of services and namespaces when it has to choose.
CHOICES = '''ssl = yes
mail_location = maildir:~/Maildir
mail_plugins = quota
passdb {
  driver = passwd-file
}
plugin {
  quota = x
}
protocol imap {
  mail_plugins = imap_quota
  imap_id_log = *
  passdb {
    driver = pam
  }
  plugin {
    foo = bar
  }
  passdb {
    driver = shadow
  }
}
protocol lmtp {
  mail_plugins = sieve
}
protocol !imap {
  mail_max_userip_connections = 7
}
local 10.1.0.0/16 {
  login_greeting = small
  protocol pop3 {
    pop3_logout_format = hello
  }
  remote 10.9.0.0/16 {
    imap_id_log = inner
  }
}
local 10.0.0.0/8 {
  login_greeting = big
}
remote 10.9.9.9 {
  mail_debug = yes
}
remote fd00::/8 {
  mail_debug = yes
}
local_name mail.example.com {
  ssl_cert = </etc/hostname
}
local_name *.example.net {
  submission_host = a
}
'''
CHOOSING = [[], ['-n'], ['-n', '-f', 'protocol=imap'], ['-n', '-f', 'service=pop3', '-f', 'local=10.1.2.3'], ['-N'], ['-n', '-f', 'protocol=lmtp'],
            ['-n', '-f', 'local=10.1.2.3'], ['-n', '-f', 'local=10.2.2.3', '-f', 'lname=MAIL.example.com'], ['-n', '-f', 'remote=10.9.9.9'],
            ['-n', '-f', 'local=10.1.0.1', '-f', 'remote=10.9.9.9'], ['-n', '-f', 'remote=fd00::1', '-f', 'lname=a.example.net'],
            ['-f', 'lname=a.b.example.net', 'submission_host'], ['-f', 'local=localhost', 'login_greeting'], ['-f', 'protocol=imap', 'passdb', 'plugin'],
            ['-f', 'protocol=imap', 'plugin/foo'], ['-n', '-m', 'imap'], ['-n', '-m', 'auth', '-f', 'protocol=imap'], ['-n', '-m', 'login', '-m', 'lmtp'],
            ['-n', '-m', 'imap', '-f', 'protocol=imap'], ['-m', 'auth', 'mail_location'], ['-m', 'auth', '-m', 'imap-login'], ['-n', '-m', 'nosuch']]
MODULES = ['aggregator', 'auth', 'dict', 'director', 'doveadm', 'imap', 'imap-login', 'imap-urlauth', 'imap-urlauth-login', 'imap-urlauth-worker',
           'imapc', 'lda', 'lmtp', 'login', 'mail', 'maildir', 'master', 'mbox', 'mdbox', 'pop3', 'pop3-login', 'pop3c', 'replicator', 'ssl',
           'ssl-server', 'stats', 'submission', 'submission-login', 'nosuch']
HIDDEN = [['-s'], ['-n', '-s'], ['-s', '-n'], ['-a', '-n'], ['-n', '-a'], ['-s', '-m', 'imap'], ['mail_cache_max_size']]
SORTED_RUNS = [['-S'], ['-S', '-n'], ['-S', '-a'], ['-S', 'ssl', 'service/imap/executable']]  # Dovecot's have the order of its tables


@pytest.fixture(scope='module')
def files(place):
    """The guide's files, and these with more."""
    for kind, more in (('guide', ''), ('more', MORE)):
        shutil.copytree(GUIDE, place / kind)
        (place / kind / 'conf.d/auth-system.conf.ext').write_text('passdb {\n driver = pam\n}\nuserdb {\n driver = passwd\n}\n')
        ssl = place / kind / 'conf.d/10-ssl.conf'
        ssl.write_text(ssl.read_text().replace('</etc/letsencrypt/live/mail.votre-domaine.com', '</etc/hostname #'))
        with (place / kind / 'conf.d/99-more.conf').open('w') as f:
            f.write(more)
    shipped = subprocess.run([TOP / 'tools/peers', 'dovecot', 'cp', '-r', '/usr/share/dovecot', place / 'shipped'], capture_output=True, text=True)
    if shipped.returncode == IMPOSSIBLE:
        pytest.skip(shipped.stderr.strip())
    (place / 'shipped/conf.d/10-ssl.conf').write_text('ssl = no\n')  # its certificate is made when the package is installed
    return place


def both(*command):
    """What a command of malle and Dovecot's own of that name do."""
    real = subprocess.run([TOP / 'tools/peers', 'dovecot', *command], capture_output=True, text=True, timeout=60)
    if real.returncode == IMPOSSIBLE:
        pytest.skip(real.stderr.strip())
    return subprocess.run([MALLE, *command], capture_output=True, text=True, timeout=60), real


def without_heading(text):
    return [line for line in text.splitlines() if not line.startswith('#')]


def theirs(file, runs):
    script = ''.join(f'doveconf -c {file} {" ".join(options)}; echo "@ {options}"\n' for options in runs)
    done = subprocess.run([TOP / 'tools/peers', 'dovecot', 'bash', '-c', script], capture_output=True, text=True, timeout=60)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    return done.stdout


def ours(file, runs):
    said = ''
    for options in runs:
        ran = subprocess.run([MALLE, 'doveconf', '-c', file, *options], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        said += f'{ran.stdout}@ {options}\n'
    return said


@pytest.mark.parametrize('kind', ['guide', 'more', 'shipped'])
def test_the_same(files, kind):
    file = files / kind / 'dovecot.conf'
    runs = [run for run in RUNS if kind != 'shipped' or 'protocol=nosuch' not in run]  # where Dovecot loses the namespace
    assert without_heading(ours(file, runs)) == without_heading(theirs(file, runs))


def test_choosing(place):
    """-f and -m: what holds for a session, and what a program reads; -s."""
    file = place / 'choices.conf'
    file.write_text(CHOICES)
    for runs in (CHOOSING, [['-m', module] for module in MODULES], HIDDEN):
        own = 'submission_max_mail_size = '  # of which two of Dovecot's programs have defaults of their own
        assert [line for line in without_heading(ours(file, runs)) if not line.startswith(own)] == \
            [line for line in without_heading(theirs(file, runs)) if not line.startswith(own)]


def environment(text):
    """The variables that settings become; the value of SERVICE is a list in no order."""
    lines = [line for line in text.splitlines() if re.match(r'(DOVECONF_ENV|SSL|SSL_CERT|MAIL_\w+|P[A-Z]+(/\S+)?|SERVICE/\S+)=', line)]
    return sorted(line for line in lines if not re.match(r'(PATH|PWD|SERVICE/\w+/UNIX_LISTENER)=', line))


@pytest.mark.parametrize('options', [[], ['-m', 'imap', '-f', 'protocol=imap'], ['-m', 'ssl-server', '-f', 'lname=mail.example.com']])
def test_environment(place, options):
    """-e: a command with the settings as variables."""
    file = place / 'choices.conf'
    file.write_text(CHOICES)
    mine, real = both('doveconf', '-c', file, *options, '-e', 'env')
    assert mine.returncode == real.returncode == 0, mine.stderr
    assert environment(mine.stdout) == environment(real.stdout) and 'DOVECONF_ENV=1' in environment(mine.stdout)


@pytest.mark.parametrize('options', [['-f', 'color=red'], ['-f', 'local=nosuch.invalid'], ['-e'], ['-e', '/nosuch'], ['-m'], ['-H']])
def test_wrong_options(place, options):
    file = place / 'choices.conf'
    file.write_text(CHOICES)
    mine, real = both('doveconf', '-c', file, *options)
    assert (mine.returncode, mine.stdout) == (real.returncode, real.stdout) == (89, ''), (mine, real)
    assert 'Fatal: ' in mine.stderr, mine.stderr


def in_order(text):
    """Lines and the names in lists in the order of names."""
    return sorted('='.join([line.partition('=')[0], ' '.join(sorted(line.partition('=')[2].split(' ')))]) for line in text.splitlines())


@pytest.mark.parametrize('kind', ['guide', 'shipped'])
def test_for_programs(files, kind):
    file = files / kind / 'dovecot.conf'
    for run in SORTED_RUNS:
        assert in_order(ours(file, [run])) == in_order(theirs(file, [run]))


def test_doveadm_config(files):
    file = files / 'guide/dovecot.conf'
    for options in (['-n'], ['-h', 'ssl'], ['service/auth']):
        done = subprocess.run([MALLE, 'doveadm', '-c', file, 'config', *options], capture_output=True, text=True, timeout=60)
        real = subprocess.run([TOP / 'tools/peers', 'dovecot', 'doveadm', '-c', file, 'config', *options], capture_output=True, text=True,
                              timeout=60)
        assert without_heading(done.stdout) == without_heading(real.stdout) and done.returncode == real.returncode == 0, done


@pytest.mark.parametrize('text, word', [
    ('service x {\n', 'Missing'), ('ssl = yes\n}\n', 'Unexpected'), ('!include nothing.conf\n', 'No matches'),
])
def test_broken_files(place, text, word):
    """Both refuse them, with the file and the line."""
    (place / 'broken.conf').write_text(text)
    mine = subprocess.run([MALLE, 'doveconf', '-c', place / 'broken.conf', '-n'], capture_output=True, text=True)
    real = subprocess.run([TOP / 'tools/peers', 'dovecot', 'doveconf', '-c', place / 'broken.conf', '-n'], capture_output=True, text=True)
    assert (mine.returncode, mine.stdout) == (89, '') and real.returncode == 89, real
    assert word in mine.stderr and f'{place}/broken.conf' in mine.stderr, mine.stderr
