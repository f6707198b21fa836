"""The guide's World (guide/world.py) with rsyslog from Debian, which writes what is said to /dev/log, and with the programs that
read logs. In it the guide's files serve malle or the real Postfix and Dovecot, and load.py makes the same day's work of both.
"""
import pathlib
import subprocess
import sys
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / 'tests/guide'), str(TOP / 'tests')]

import load  # noqa: E402
from harness import MALLE, Server, eventually  # noqa: E402
from world import PASSWORD, USER, World, source_of  # noqa: E402

IMPOSSIBLE = 3
TREES = [TOP / 'build/peers' / name for name in ('postfix', 'dovecot', 'logs')]
JOURNALD = '/lib/systemd/systemd-journald'
LOG, ERRORS = '/var/log/mail.log', '/var/log/mail.err'

SET_UP = f'''
set -e
mkdir -p /mnt/dev/up /mnt/dev/work
mount -t overlay -o lowerdir=/dev,upperdir=/mnt/dev/up,workdir=/mnt/dev/work overlay /dev
mount -t overlay -o ro,lowerdir={":".join(f"{tree}/usr" for tree in TREES)}:/usr overlay /usr
for tree in {" ".join(map(str, TREES))}; do
    [ ! -d $tree/var ] || cp -an $tree/var/. /var/
done
cp -an {TREES[0]}/etc/postfix/. /etc/postfix/
cp -an {TREES[2]}/etc/fail2ban {TREES[2]}/etc/logwatch {TREES[2]}/etc/rsyslog.conf /etc/
cp {TREES[1]}/usr/share/dovecot/conf.d/auth-system.conf.ext /etc/dovecot/conf.d/
for name in postfix dovecot dovenull vmail; do
    id $name >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin $name
done
mkdir -p /var/lib/postfix /var/spool/postfix
chown postfix: /var/lib/postfix
getent group postdrop >/dev/null || groupadd --system postdrop
printf 'auth required pam_unix.so nodelay\naccount required pam_unix.so\n' >/etc/pam.d/dovecot
rm -f /etc/rsyslog.d/* /var/log/mail.log /var/log/mail.err
mkdir -p /etc/rsyslog.d /var/spool/rsyslog
sed -i -e /imklog/d -e 's/^[$]FileGroup.*/$FileGroup root/' /etc/rsyslog.conf
'''


def need_trees():
    for tree in TREES:
        done = subprocess.run([TOP / 'tools/peers', tree.name], capture_output=True, text=True)
        if done.returncode == IMPOSSIBLE:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr


class LogWorld(World):
    def __init__(self, rsyslog='', journald=False):
        """rsyslog: further lines of /etc/rsyslog.d; or journald in the place of rsyslog."""
        need_trees()
        super().__init__()
        self.run('bash', '-c', SET_UP)
        self.edit('/etc/dovecot/conf.d/10-master.conf', 'service auth-worker {\n  user = vmail', 'service auth-worker {\n  user = root')
        self.write('/etc/postfix/transport', f'loin.example smtp:[127.0.0.1]:{load.SINK_PORT}\n')
        self.write('/etc/postfix/main.cf', self.read('/etc/postfix/main.cf') + 'transport_maps = texthash:/etc/postfix/transport\n'
                   'alias_maps =\nalias_database =\ncompatibility_level = 3.6\nsmtpd_error_sleep_time = 0\n')
        self.write('/etc/dovecot/conf.d/99-test.conf', 'auth_failure_delay = 1s\nauth_username_format = %Ln\n')
        for line in ('mailbox_size_limit = 0\n', 'smtpd_client_connection_rate_limit = 30\n'):
            self.write('/etc/postfix/main.cf', self.read('/etc/postfix/main.cf').replace(line, '', 1))
        self.write('/etc/postfix/master.cf', self.master())
        if journald:
            self.run('mkdir', '-p', '/run/log/journal', '/etc/systemd/journald.conf.d')
            self.write('/etc/systemd/journald.conf.d/test.conf', '[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\n')
            self.run('ln', '-sf', '/run/systemd/journal/dev-log', '/dev/log')
            self.spawn_daemon(JOURNALD)
        else:
            self.write('/etc/rsyslog.d/test.conf', rsyslog)
            self.spawn_daemon('rsyslogd', '-n', '-i', 'NONE', '-f', '/etc/rsyslog.conf')
        eventually(lambda: self.run('test', '-S', '/dev/log', check=False).returncode == 0, 20)
        self.spawn([*self.enter, sys.executable, '-c', source_of(load.serve_sink, load.SINK_PORT)])

    def master(self):
        """The guide's services, and those of Debian that the guide forgets."""
        theirs = [line for line in (TREES[0] / 'usr/share/postfix/master.cf.dist').read_text().splitlines()
                  if line and not line.startswith(('#', ' ')) and 'pipe' not in line and ' inet ' not in line]
        both = self.read('/etc/postfix/master.cf') + '\n'.join(theirs) + '\n'
        return '\n'.join(' '.join(word if i != 4 else 'n' for i, word in enumerate(line.split())) if line[:1].isalpha() else line
                         for line in both.splitlines()) + '\n'

    def spawn_daemon(self, *command):
        process = subprocess.Popen([*self.enter, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=open(self.top / 'daemons', 'ab'), start_new_session=True, env=Server.environment(leaks=0))
        self.processes.append(process)
        return process

    def work(self):
        constants = {name: value for name, value in vars(load).items() if name.isupper()}
        assert self.python(load.run, USER, PASSWORD, constants)

    def log(self):
        return self.read(LOG)

    def wait_for(self, text, count=1):
        try:
            eventually(lambda: self.log().count(text) >= count, 40, step=0.2)
        except AssertionError as e:
            raise AssertionError(f'not {count} times {text} in\n{self.log()}') from e


def clear(world):
    """What is told of the start."""
    if world.run('test', '-e', LOG, check=False).returncode == 0:
        world.run('truncate', '-s', '0', LOG)


def start_real(world):
    world.run('postfix', 'check')
    world.spawn_daemon('/usr/lib/postfix/sbin/master', '-c', '/etc/postfix')
    world.dovecot = world.spawn_daemon('dovecot', '-F').pid
    for port in (25, 587, 465, 993, 995):
        eventually(lambda: world.run('bash', '-c', f'exec 3<>/dev/tcp/127.0.0.1/{port}', check=False).returncode == 0, 20, step=0.2)
    time.sleep(1)
    clear(world)


def start_malle(world):
    """As real systems have it: to syslog, with the names of Postfix and Dovecot."""
    world.edit('/etc/malle/local.conf', 'log_target = stderr\n', '')
    world.start_malle()
    world.run(MALLE, 'install-compat', '/mnt/bin')
    clear(world)



def start_native(world):
    """The same settings as one file of malle's own, which calls lines by its roles; with an empty queue."""
    native = world.run(MALLE, '-c', '/etc', 'migrate').stdout
    kept = [line for line in native.splitlines() if not line.startswith(('log_programs', 'syslog_name', 'state_dir'))]
    world.write('/mnt/malle.conf', '\n'.join(['state_dir = /var/lib/malle-native', *kept, '']))
    world.start_malle('/mnt/malle.conf')
    clear(world)
