"""A machine on which somebody has followed the guide: its files under /etc, its users, a certificate, the DNS records, and the
real ports. It is a mount and a network namespace: what is written to /etc, /home and /var stays in memory and is gone with it.

    with World() as world:
        world.start_malle()
        world.run('malle', '-c', '/etc', 'check').stdout
        world.python(function, argument)      # the function, alone, runs in there; what it returns comes back
"""
import contextlib
import inspect
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading

import pytest

from harness import MALLE, TOP, Server, eventually

HERE = pathlib.Path(__file__).resolve().parent
DOMAIN = 'votre-domaine.com'
HOST = f'mail.{DOMAIN}'
USER, PASSWORD = 'utilisateur1', 'secret-1'
STRANGERS = '192.0.2.{}'  # addresses of the loopback device that are in nobody's mynetworks

SET_UP = f'''
set -e
mount -t tmpfs tmpfs /mnt
for folder in etc var home; do
    mkdir -p /mnt/$folder/up /mnt/$folder/work
    mount -t overlay -o "lowerdir=/$folder,upperdir=/mnt/$folder/up,workdir=/mnt/$folder/work" overlay "/$folder"
done
mount -t tmpfs tmpfs /run
ip link set lo up
ip route add local {STRANGERS.format(0)}/24 dev lo
ip address add 203.0.113.10/32 dev lo
cp -r {HERE}/etc/postfix {HERE}/etc/dovecot /etc/
printf 'auth include common-auth\\naccount include common-account\\n' >/etc/pam.d/dovecot
useradd -m -s /bin/bash {USER}
echo '{USER}:{PASSWORD}' | chpasswd
runuser -u {USER} -- mkdir -p /home/{USER}/Maildir/cur /home/{USER}/Maildir/new /home/{USER}/Maildir/tmp
live=/etc/letsencrypt/live/{HOST}
mkdir -p $live /etc/malle /var/mail/vhosts/{DOMAIN}
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=the CA of the test' -keyout /mnt/ca.key -out /mnt/ca.pem 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj '/CN={HOST}' -keyout $live/privkey.pem -out /mnt/csr.pem 2>/dev/null
printf 'subjectAltName=DNS:{HOST}' >/mnt/san
openssl x509 -req -in /mnt/csr.pem -CA /mnt/ca.pem -CAkey /mnt/ca.key -CAcreateserial -days 30 -extfile /mnt/san \\
    -out /mnt/cert.pem 2>/dev/null
cat /mnt/cert.pem /mnt/ca.pem >$live/fullchain.pem
cp /mnt/ca.pem "/etc/ssl/certs/$(openssl x509 -hash -noout -in /mnt/ca.pem).0"
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
printf '127.0.0.1 localhost\n203.0.113.10 {HOST}\n' >/etc/hosts
hostname {HOST}
echo ready
exec sleep infinity
'''

# What Debian's packages do when they are installed, as far as their files do not do it. $@: where they are unpacked.
INSTALL = '''
set -e
below=
for tree; do
    below=$below$tree/usr:
    [ ! -d $tree/etc ] || cp -rn $tree/etc/. /etc/
    [ ! -d $tree/var ] || cp -rn $tree/var/. /var/
done
mkdir -p /mnt/usr/up /mnt/usr/work
mount -t overlay -o "lowerdir=${below}/usr,upperdir=/mnt/usr/up,workdir=/mnt/usr/work" overlay /usr
for name in postfix postdrop dovecot dovenull; do
    getent passwd $name >/dev/null || useradd --system --user-group --no-create-home --home-dir /nonexistent $name
done
[ ! -x /usr/bin/mail.mailutils ] || ln -s mail.mailutils /usr/bin/mail
if [ -d /usr/share/dovecot ]; then
    cp -n /usr/share/dovecot/conf.d/auth-system.conf.ext /etc/dovecot/conf.d/
fi
if [ -d /usr/share/postfix ]; then
    cp -n /usr/share/postfix/dynamicmaps.cf /etc/postfix/
    echo 'postmaster: root' >/etc/aliases
    grep -v '^smtp  *inet\\|^#' /usr/share/postfix/master.cf.dist >>/etc/postfix/master.cf
    chown postfix: /var/lib/postfix
    chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
    chmod g+s /usr/sbin/postdrop /usr/sbin/postqueue
    newaliases
    /usr/lib/postfix/configure-instance.sh -
    postfix check
fi
mkdir -p /var/spool/postfix/private
chown postfix: /var/spool/postfix/private
chmod 700 /var/spool/postfix/private
'''

RECORDS = {
    (HOST, 'A'): ['203.0.113.10'],
    (DOMAIN, 'MX'): [f'10 {HOST}'],
    (DOMAIN, 'TXT'): ['v=spf1 mx a -all'],
    (f'_dmarc.{DOMAIN}', 'TXT'): ['v=DMARC1; p=quarantine'],
    ('ailleurs.example', 'MX'): ['10 mx.ailleurs.example'],
    ('mx.ailleurs.example', 'A'): ['198.51.100.9'],  # no way leads there
    ('client.ailleurs.example', 'A'): [STRANGERS.format(1)],
}


def serve_dns(folder, records):
    """Runs in there until it is killed."""
    import pathlib as path_module
    import fakedns
    dns = fakedns.FakeDns({tuple(key): value for key, value in records}, path_module.Path(folder), ('127.0.0.1', 53))
    print('ready', flush=True)
    import signal as signal_module
    signal_module.pause()
    dns.socket.close()


def source_of(function, *arguments):
    return (f'import sys\nsys.path[:0] = {[str(HERE.parent), str(HERE.parent / "net"), str(HERE.parent / "server")]!r}\n' +
            textwrap.dedent(inspect.getsource(function)) +
            f'\nimport json\nprint(json.dumps({function.__name__}(*json.loads({json.dumps(arguments)!r}))))\n')


class World:
    def __init__(self):
        if os.geteuid() != 0 or not shutil.which('unshare'):
            pytest.skip('needs root for namespaces')
        self.processes, self.lines, self.strangers = [], [], itertools.cycle(range(2, 255))
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='malle-guide-'))
        self.top.chmod(0o755)
        self.holder = self.spawn(['unshare', '--mount', '--net', '--uts', '--propagation', 'slave', 'bash', '-c', SET_UP])
        self.enter = ['nsenter', f'--target={self.holder.pid}', '--mount', '--net', '--uts']
        self.dns = self.spawn([*self.enter, sys.executable, '-c',
                               source_of(serve_dns, str(self.top), [[list(key), value] for key, value in RECORDS.items()])])
        self.write('/etc/malle/local.conf', f'dns_trust_anchor = {self.top}/anchor\nlog_target = stderr\n'
                   'auth_failure_delay = 50ms\n')
        self.malle = None

    def spawn(self, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True)
        self.processes.append(process)
        said = process.stdout.readline()
        assert said == 'ready\n', said + process.stdout.read()
        return process

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        with contextlib.suppress(ProcessLookupError):
            if self.malle:
                os.killpg(self.malle.pid, signal.SIGKILL)
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.top)

    def stranger(self):
        """Another client's address each time, so that limits for one client do not count all tests."""
        return STRANGERS.format(next(self.strangers))

    # --- in there ---

    def run(self, *command, check=True, input=''):
        done = subprocess.run([*self.enter, *map(str, command)], input=input, capture_output=True, text=True, timeout=60,
                              env=Server.environment(leaks=0))
        assert not check or done.returncode == 0, f'{command}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done

    def python(self, function, *arguments):
        return json.loads(self.run(sys.executable, '-c', source_of(function, *arguments)).stdout)

    def read(self, path):
        return self.run('cat', path).stdout

    def write(self, path, text):
        self.run('sh', '-c', 'cat >"$0"', path, input=text)

    def edit(self, path, old, new):
        text = self.read(path)
        assert old in text, (path, old)
        self.write(path, text.replace(old, new))

    # --- the server ---

    def install(self, *packages):
        """Debian's own, for a while: programs under /usr, users, and what its scripts set up."""
        for name in packages:
            done = subprocess.run([TOP / 'tools/peers', name], capture_output=True, text=True)
            if done.returncode == 3:
                pytest.skip(done.stderr.strip())
            assert done.returncode == 0, done.stderr
        self.run('bash', '-c', INSTALL, 'install', *(TOP / 'build/peers' / name for name in packages))

    def start(self, *command):
        """A server in the foreground, that ends with this world."""
        process = subprocess.Popen([*self.enter, *command], stdin=subprocess.DEVNULL, stdout=open(self.top / 'output', 'ab'),
                                   stderr=subprocess.STDOUT, start_new_session=True)
        self.processes.append(process)

    def start_malle(self, folder='/etc'):
        self.lines = []
        self.malle = subprocess.Popen([*self.enter, MALLE, '-c', folder, 'run'], stdin=subprocess.DEVNULL, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace',
                                      env=Server.environment(leaks=0), start_new_session=True)
        threading.Thread(target=self.collect, args=(self.malle,), daemon=True).start()

        def is_ready():
            assert self.malle.poll() is None, '\n'.join(self.lines)
            return 'malle: ready' in self.lines
        eventually(is_ready, 30)

    def reload(self, check=True, folder='/etc'):
        """Done when the roles have the new settings."""
        return self.run(MALLE, '-c', folder, 'reload', check=check)

    def collect(self, process):
        for line in process.stdout:
            self.lines.append(line.rstrip('\n'))

    def stop_malle(self):
        self.malle.send_signal(signal.SIGINT)
        assert self.malle.wait(20) == 0, '\n'.join(self.lines)
        self.malle = None

    def wait_log(self, text):
        return eventually(lambda: next((line for line in self.lines if text in line), None))
