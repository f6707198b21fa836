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
'''
RUNS = [['-n'], ['-n', '-P'], ['imapc_password', 'ssl_client_key'], ['-h', 'login_greeting'], ['plugin'], ['-h', 'mail_location', 'protocols'], ['mail_location', 'ssl_cert', 'first_valid_uid'], ['service/auth/user'],
        ['nosuch'], ['-h', 'auth_mechanisms'], ['ssl_min_protocol', 'auth_failure_delay'], ['-P', 'ssl_key'],
        ['-N'], ['-d', 'mail_location', 'auth_mechanisms', 'ssl_min_protocol'], ['-k', 'mail_location', 'nosuch'], ['-x', 'ssl_cert'],
        ['-f', 'protocol=imap', '-h', 'mail_plugins', 'mail_location'], ['-f', 'service=lmtp', 'postmaster_address'],
        ['-f', 'lname=mail.example.com', 'ssl_cert'], ['-f', 'protocol=nosuch', '-n']]


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
    return place


def without_heading(text):
    return [line for line in text.splitlines() if not line.startswith('#')]


@pytest.mark.parametrize('kind', ['guide', 'more'])
def test_the_same(files, kind):
    file = files / kind / 'dovecot.conf'
    script = ''.join(f'doveconf -c {file} {" ".join(options)}; echo "# status $?"\n' for options in RUNS)
    done = subprocess.run([TOP / 'tools/peers', 'dovecot', 'bash', '-c', script], capture_output=True, text=True, timeout=60)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    mine = ''
    for options in RUNS:
        ran = subprocess.run([MALLE, 'doveconf', '-c', file, *options], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        mine += ran.stdout
    assert without_heading(mine) == without_heading(done.stdout)


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
