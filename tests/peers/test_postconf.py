"""malle postconf beside Postfix's own postconf: the same files and options, the same output and the same files afterwards."""
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness import MALLE

TOP = pathlib.Path(__file__).resolve().parents[2]
GUIDE = TOP / 'tests/guide/etc/postfix'
IMPOSSIBLE = 3

TWICE = '''# head
relayhost = a
  b
#c
mine = x, $relayhost
unused = y
relayhost=c
  d
myorigin = $mine
'''
RUNS = [
    ['-n'], ['-nf'], ['-h', 'myorigin', 'relayhost'], ['-xh', 'myorigin', 'mydestination'], ['-H', 'mynetworks'], ['-x', 'smtpd_banner'],
    ['-d', 'relayhost', 'smtpd_timeout', 'mydestination'], ['-dx', 'smtpd_timeout'], ['nosuch', 'myorigin', 'smtpd_relay_restrictions'],
    ['-n', 'message_size_limit', 'smtpd_timeout'], ['-M'], ['-Mf'], ['-M', 'smtps'], ['-M', 'smtp/inet'], ['-M', 'smtp/unix'], ['-P'],
    ['-F'], ['-F', 'smtp/inet'], ['-P', 'submission/inet'], ['-e', 'relayhost=[a]:1', 'message_size_limit = 3'],
    ['relayhost=x', 'myorigin = $mydomain'], ['-o', 'relayhost=x', 'relayhost', 'myorigin'], ['-n', '-o', 'relayhost=x', 'relayhost'],
    ['-C', 'all', '-h', 'myorigin'], ['-C', 'user'], ['-C', 'service'], ['-C', 'nonsense'], ['-o', 'foo', 'relayhost'], ['-p', 'relayhost'], ['-v', '-h', 'relayhost'],
    ['-M', '*/inet'], ['-F', '*/*/chroot'], ['-F', 'smtp/inet/command'], ['-P', '*/*/syslog_name'], ['-P', 'submission/inet/syslog_name', 'smtps/inet'],
    ['-M', 'foo/unix=bar unix - - - - - smtp'], ['-M', 'smtp/inet=smtp inet n - n - - smtpd -v -D -o x={a b} -o y=c'],
    ['-M', 'p/unix=p unix - n n - - pipe flags=DRhu user=vmail argv=/usr/lib/dovecot/deliver -f ${sender} -d ${recipient} with many more words'],
    ['-Me', 'foo/unix'], ['-Me', 'foo=x unix - - - - - smtp'], ['-M', 'foo/unix=foo unix - - - -'], ['-MX', 'smtps/inet'], ['-MX', 'nosuch/inet'],
    ['-M#', 'smtps/inet'], ['-Fe', 'smtp/inet/nonsense=n'], ['-F', 'nosuch/inet/chroot=n'], ['-F', '*/*/chroot = n'],
    ['-F', 'smtp/inet/process_limit=5', 'smtps/inet/wakeup=60?'], ['-F', 'smtp/inet/service=25'], ['-F', 'smtp/inet/command=smtpd -o a=b'],
    ['-FX', 'smtp/inet/chroot'], ['-F#', 'smtp/inet/chroot'], ['-P#', 'smtp/inet/x'], ['-Pe', 'smtp/inet/foo = a b'],
    ['-P', 'smtps/inet/smtpd_tls_wrappermode=no', 'smtp/inet/foo=bar'], ['-PX', 'smtps/inet/smtpd_tls_wrappermode', 'submission/inet/nosuch'],
    ['-e', 'mynetworks='], ['-X', 'relayhost', 'mynetworks'], ['-#', 'mynetworks', 'smtpd_helo_restrictions'], ['-e', 'foo'], ['-#', 'nosuch'],
    ['-e', 'foo=a\nrelayhost=b'], ['-e', '#foo=a'], ['-e', '=a'], ['-e', 'a b=c'], ['-X', 'foo\nrelayhost'], ['-X', ' #foo'], ['-X', 'relayhost=a'], ['-X', ' '],
    ['-Me', 'foo/inet=foo inet n - n - - smtpd\nbar inet n - n - - smtpd'], ['-MX', '#smtp/inet'], ['-MX', 'smtp/inet\n'], ['-M#', 'smtp/inet=a'], ['-Me', ''],
    ['-Fe', 'smtp/inet/chroot=y y'], ['-Fe', 'smtp/inet/command=smtpd\nfoo inet n - n - - smtpd'], ['-Pe', 'smtp/inet/foo\nbar=a'], ['-Pe', 'smtp/inet/a b=c'],
]


def files_for(place, whose):
    """A folder for each run and file; whose: 'ours' or 'theirs', as long, since paths are printed."""
    mains = {'guide': (GUIDE / 'main.cf').read_text(), 'twice': TWICE}
    for i, options in enumerate(RUNS):
        for name, main in mains.items():
            if name != 'guide' and options[0][1:2] in 'MFP':
                continue  # main.cf is not looked at
            folder = place / whose / f'{i}{name}'
            folder.mkdir(parents=True)
            (folder / 'main.cf').write_text(main)
            (folder / 'master.cf').write_text((GUIDE / 'master.cf').read_text())
            yield options, folder


def masked(text, whose):
    return text.replace(whose, 'WHOSE').replace(f'{MALLE} postconf', 'postconf')


def master_of(folder):
    """The services in their order, and the comments, which Postfix moves in front of a service that it changes."""
    lines = (folder / 'master.cf').read_text().splitlines()
    return [line for line in lines if not line.startswith('#')], sorted(line for line in lines if line.startswith('#'))


@pytest.fixture(scope='module')
def theirs(place):
    """[(output, errors, status == 0, main.cf, master.cf)] of Postfix's postconf, in one call of the peer, all at once: where it fails it
    sleeps first."""
    script, results = '', []
    folders = list(files_for(place, 'theirs'))
    for options, folder in folders:
        words = ' '.join(f"'{word}'" for word in options)
        script += f"{{ postconf -c {folder} {words} >{folder}/out 2>{folder}/err; echo $? >{folder}/rc; }} &\n"
    done = subprocess.run([TOP / 'tools/peers', 'postfix', 'bash', '-c', script + 'wait'], capture_output=True, text=True, timeout=120)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    for _, folder in folders:
        results.append((masked((folder / 'out').read_text(), 'theirs'), masked((folder / 'err').read_text(), 'theirs'),
                        (folder / 'rc').read_text() == '0\n', (folder / 'main.cf').read_text(), master_of(folder)))
    return results


def test_the_same(place, theirs):
    for (options, folder), real in zip(files_for(place, 'ours'), theirs):
        done = subprocess.run([MALLE, 'postconf', '-c', folder, *options], capture_output=True, text=True, timeout=60)
        mine = masked(done.stdout, 'ours'), masked(done.stderr, 'ours'), done.returncode == 0, (folder / 'main.cf').read_text(), master_of(folder)
        # Postfix warns of what nothing uses also in other modes, and of an entry that is overridden
        what = options, folder.name
        assert (mine[0].splitlines(), *mine[2:]) == (real[0].splitlines(), *real[2:]), what
        fatal = [line for line in real[1].splitlines() if 'fatal' in line or 'unknown parameter' in line]
        assert [line for line in mine[1].splitlines() if 'fatal' in line or 'unknown parameter' in line] == fatal, what


def test_all_names(place, theirs):
    """Every parameter, in the same order; Postfix has some for each service of master.cf."""
    def names(output):
        return [name for name in output.splitlines() if '_destination_' not in name]
    folder = place / 'ours' / '0guide'
    done = subprocess.run([MALLE, 'postconf', '-c', folder, '-dH'], capture_output=True, text=True, check=True)
    real = subprocess.run([TOP / 'tools/peers', 'postfix', 'postconf', '-c', folder, '-dH'], capture_output=True, text=True, check=True)
    assert names(done.stdout) == names(real.stdout)


TEMPLATES = '''# every kind, with names
failure_template = <<EOF
Subject: Sorry
From: MAILER-DAEMON (Mail)

At $myhostname of $mydomain: $$ $mail_name $maximal_queue_lifetime
EOF

delay_template = <<END
Charset: us-ascii
Postmaster-Subject: Late

  indented $delay_warning_time_seconds $delay_warning_time_minutes $delay_warning_time_hours $delay_warning_time_days

$maximal_queue_lifetime_hours $maximal_queue_lifetime_days $maximal_queue_lifetime_weeks ${delay_warning_time}
END
success_template = <<EOF

ok
EOF
verify_template = <<EOF
Subject: v
From: v

ok ${myorigin}
EOF
'''


@pytest.mark.parametrize('option', ['-b', '-t'])
def test_templates(option):
    """The same file of templates, printed and expanded; what a file does not say differs, as malle has words of its own."""
    top = pathlib.Path(tempfile.mkdtemp(prefix='malle-templates-'))
    top.chmod(0o755)
    (top / 'main.cf').write_text('myhostname = mail.example.com\ndelay_warning_time = 100m\nmaximal_queue_lifetime = 10d\n')
    (top / 'bounce.cf').write_text(TEMPLATES)
    real = subprocess.run([TOP / 'tools/peers', 'postfix', 'postconf', '-c', top, option, top / 'bounce.cf'], capture_output=True, text=True)
    if real.returncode == 3:
        pytest.skip(real.stderr)
    ours = subprocess.run([MALLE, 'postconf', '-c', top, option, top / 'bounce.cf'], capture_output=True, text=True)
    (top / 'main.cf').write_text((top / 'main.cf').read_text() + f'bounce_template_file = {top}/bounce.cf\n')
    named = subprocess.run([MALLE, 'postconf', '-c', top, option], capture_output=True, text=True)
    shutil.rmtree(top)
    theirs = real.stdout.replace('Mail Delivery Status Report', 'v')
    assert ours.returncode == real.returncode == 0, ours.stderr + real.stderr
    assert ours.stdout == theirs and named.stdout == ours.stdout


def test_tls_of_postconf():
    for mode in ('compile-version', 'run-version'):
        done = subprocess.run([MALLE, 'postconf', '-T', mode], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith('OpenSSL 3.')
    assert 'ecdsa\n' in subprocess.run([MALLE, 'postconf', '-T', 'public-key-algorithms'], capture_output=True, text=True).stdout
    done = subprocess.run([MALLE, 'postconf', '-T', 'nothing'], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "postconf: warning: unknown 'postconf -T' mode: nothing\n")
