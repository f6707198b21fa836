"""malle doveconf beside Dovecot's own doveconf: the same files and options, the same output but for the heading."""
import pathlib
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
        ['-a'], ['-d'], ['-a', '-P'], ['service/imap/executable', 'service/own/user', 'service/auth/unix_listener/auth-userdb/mode'],
        ['service/imap'], ['-n', 'service/imap'], ['-n', 'service/auth'], ['service'], ['passdb', 'userdb', 'plugin', 'namespace'],
        ['-n', 'passdb', 'namespace/inbox'], ['plugin/quota'], ['-x', 'service/dict/user']]
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
