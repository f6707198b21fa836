"""The servers that bench/compare measures: malle from build/ and, from Debian through tools/peers, Postfix and Dovecot.

Each has its state in a folder of its own below the run's folder, its own ports on loopback, and runs in an accounting cgroup,
so that the CPU time of processes that ended counts too. All deliver to 100 accounts user1@bench.test and so on, one Maildir
each, owned by OWNER, and answer 250 after the same promise: the message is fsynced. None resolves names or filters.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
MALLE = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build/malle'))
DOMAIN = 'bench.test'
USERS = 100
PASSWORD = 'pw'
OWNER = 5000
READY_SECONDS = 30
SINK_PORT, DESTINATIONS = 26600, 100  # mail for dN.test goes to 127.0.1.N
REFUSING, SILENT = ('127.0.2.1', 26601), ('127.0.2.2', 26602)  # nobody listens; a full backlog drops what comes
TRANSPORT = ''.join(f'd{i}.test smtp:[127.0.1.{i}]:{SINK_PORT}\n' for i in range(1, DESTINATIONS + 1)) + ''.join(
    f'{name}.test smtp:[{address}]:{port}\n' for name, (address, port) in (('refusing', REFUSING), ('silent', SILENT)))


class Cgroup:
    """A cgroup that counts CPU time: v1's cpuacct where that is mounted, else v2."""
    V1 = pathlib.Path('/sys/fs/cgroup/cpuacct')

    def __init__(self, name):
        root = self.V1 if self.V1.is_dir() else pathlib.Path('/sys/fs/cgroup')
        self.path = root / f'malle-bench-{os.getpid()}-{name}'
        self.path.mkdir()

    def enter(self):
        (self.path / 'cgroup.procs').write_text(str(os.getpid()))

    def remove(self):
        """Ends what is left in it."""
        for _ in range(200):
            try:
                self.path.rmdir()
                return
            except OSError:
                for pid in (self.path / 'cgroup.procs').read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
                time.sleep(0.05)


class Server:
    """What all have: name, folder, cgroup, Maildirs below `mail`, ports by service (smtp, lmtp, submission)."""
    ports = {}
    user = f'user1@{DOMAIN}'

    def __init__(self, base, name):
        self.name = name
        self.folder = base / name
        self.mail = base / f'{name}-mail'
        for folder in (self.folder, self.mail):
            folder.mkdir()
            folder.chmod(0o755)
        os.chown(self.mail, OWNER, OWNER)
        self.cgroup = self.process = None

    def spawn(self, *command):
        self.cgroup = Cgroup(self.name)
        self.process = subprocess.Popen(command, preexec_fn=self.cgroup.enter, stdin=subprocess.DEVNULL, start_new_session=True,
                                        stdout=open(self.folder / 'output', 'ab'), stderr=subprocess.STDOUT)

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(('127.0.0.1', port), 1).close()
                    break
                except OSError as why:
                    if time.monotonic() > end or self.process.poll() not in (None, 0):
                        raise SystemExit(f'compare: {self.name} does not answer on port {port}: {why}\n' +
                                         (self.folder / 'output').read_text()[-2000:]) from why
                    time.sleep(0.05)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
        if self.cgroup:
            self.cgroup.remove()
            self.cgroup = None

    def pids(self):
        """Of all its processes."""
        return [int(line) for line in (self.cgroup.path / 'cgroup.procs').read_text().split()]

    def manager(self):
        """The process that decides what is delivered when."""
        raise NotImplementedError

    def spool(self):
        """The folder of what waits."""
        raise NotImplementedError


class Malle(Server):
    """port_offset decides the ports, so they are not named one by one."""
    OFFSET = 26000
    ports = {'smtp': OFFSET + 25, 'lmtp': OFFSET + 24, 'submission': OFFSET + 587, 'imap': OFFSET + 143, 'imaps': OFFSET + 993}

    def __init__(self, base, settings='login_client_limit = 1000\nmail_max_userip_connections = 1000\n'):
        super().__init__(base, 'malle')
        self.conf = self.folder / 'malle.conf'
        self.conf.write_text(f'''hostname = mail.{DOMAIN}
domains = {DOMAIN}
listen = 127.0.0.1
port_offset = {self.OFFSET}
state_dir = {self.folder}/state
run_dir = {self.folder}/run
mail_location = maildir:{self.mail}/%n/Maildir
log_target = stderr
smtpd_client_connection_count_limit = 1000
mynetworks = 127.0.0.0/8
transport_maps = texthash:{self.folder}/transport
disable_plaintext_auth = no
{settings}''')
        (self.folder / 'transport').write_text(TRANSPORT)
        for i in range(1, USERS + 1):
            subprocess.run([MALLE, '-c', self.conf, 'user', 'add', f'user{i}@{DOMAIN}'], input=PASSWORD + '\n', text=True,
                           check=True, stdout=subprocess.DEVNULL)
        self.spawn(MALLE, '-c', self.conf, 'run')

    def manager(self):
        done = subprocess.run([MALLE, '-c', self.conf, 'status', '--json'], capture_output=True, text=True)
        return next(role['pid'] for role in json.loads(done.stdout)['roles'] if role['role'] == 'queue')

    def spool(self):
        return self.folder / 'state/spool'

    @staticmethod
    def version():
        return subprocess.run([MALLE, '--version'], capture_output=True, text=True).stdout.strip() or 'malle'


def peer(name, *command):
    """What a short command of an unpacked peer prints."""
    done = subprocess.run([TOP / 'tools/peers', name, *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f'compare: {" ".join(command)}: {done.stderr}{done.stdout}')
    return done.stdout.strip()


def self_signed(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                    '-subj', f'/CN=mail.{DOMAIN}', '-keyout', folder / 'key.pem', '-out', folder / 'cert.pem'], check=True,
                   capture_output=True)


POSTFIX_MASTER = '''
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''


class Postfix(Server):
    """Its defaults, with virtual(8) writing the Maildirs; `flow_delay` is in_flow_delay (default 1s), with which it slows
    its own clients down. Log-ins are verified by the Dovecot beside it."""

    def __init__(self, base, name, first_port, flow_delay):
        super().__init__(base, name)
        self.ports = {'smtp': first_port + 25, 'submission': first_port + 587}
        self.etc = self.folder / 'etc'
        for folder in ('etc', 'spool', 'lib', 'log'):
            (self.folder / folder).mkdir()
        self_signed(self.folder)
        self.write_conf(base, flow_delay)
        uid = int(peer('postfix', 'id', '-u', 'postfix'))
        os.chown(self.folder / 'lib', uid, uid)
        peer('postfix', 'bash', '-c', f'cp -a /etc/postfix/post* {self.etc}/ && postmap -c {self.etc} hash:{self.etc}/vmailbox hash:{self.etc}/transport && '
             f'postfix -c {self.etc} check')
        self.spawn(TOP / 'tools/peers', 'postfix', '/usr/lib/postfix/sbin/master', '-c', str(self.etc))

    def write_conf(self, base, flow_delay):
        (self.etc / 'main.cf').write_text(f'''compatibility_level = 3.6
queue_directory = {self.folder}/spool
data_directory = {self.folder}/lib
maillog_file = {self.folder}/log/maillog
maillog_file_prefixes = {self.folder}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.{DOMAIN}
mydestination = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = hash:{self.etc}/vmailbox
virtual_alias_maps =
transport_maps = hash:{self.etc}/transport
virtual_minimum_uid = 100
virtual_uid_maps = static:{OWNER}
virtual_gid_maps = static:{OWNER}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination
smtpd_tls_cert_file = {self.folder}/cert.pem
smtpd_tls_key_file = {self.folder}/key.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = {base}/dovecot/run/auth-client
alias_maps =
local_recipient_maps =
in_flow_delay = {flow_delay}
''')
        (self.etc / 'master.cf').write_text(POSTFIX_MASTER.format(**self.ports))
        (self.etc / 'transport').write_text(TRANSPORT)
        (self.etc / 'vmailbox').write_text(
            ''.join(f'user{i}@{DOMAIN} user{i}/Maildir/\n' for i in range(1, USERS + 1)))

    def manager(self):
        return next(pid for pid in self.pids() if pathlib.Path(f'/proc/{pid}/comm').read_text() == 'qmgr\n')

    def spool(self):
        return self.folder / 'spool'

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # of its own program's children it asks the same
            self.process.wait(20)
        super().stop()

    @staticmethod
    def version():
        return 'Postfix ' + peer('postfix', 'postconf', '-dh', 'mail_version')


# What its documentation advises where many log in: processes that stay and serve one session after the other.
DOVECOT_TUNED = '''service imap-login {
  service_count = 0
  process_min_avail = 2
}
service imap {
  service_count = 256
  process_min_avail = 2
}
'''


class Dovecot(Server):
    """LMTP into Maildirs, IMAP on them, and the verifier of Postfix's log-ins. `tuned`: settings beside its defaults."""

    def __init__(self, base, name='dovecot', first_port=27000, tuned=''):
        super().__init__(base, name)
        self.ports = {'lmtp': first_port + 24, 'imap': first_port + 143, 'imaps': first_port + 993}
        (self.folder / 'run').mkdir()
        self_signed(self.folder)
        (self.folder / 'users').write_text(
            ''.join(f'user{i}@{DOMAIN}:{{PLAIN}}{PASSWORD}::::::\n' for i in range(1, USERS + 1)))
        conf = self.folder / 'dovecot.conf'
        conf.write_text(f'''base_dir = {self.folder}/run
log_path = {self.folder}/log
protocols = lmtp imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.folder}/cert.pem
ssl_key = <{self.folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{self.mail}/%n/Maildir
mail_max_userip_connections = 1000
first_valid_uid = 100
passdb {{
  driver = passwd-file
  args = {self.folder}/users
}}
userdb {{
  driver = static
  args = uid={OWNER} gid={OWNER} home={self.mail}/%n
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.ports['lmtp']}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.ports['imap']}
  }}
  inet_listener imaps {{
    port = {self.ports['imaps']}
  }}
}}
service auth {{
  unix_listener auth-client {{
    mode = 0666
  }}
}}
{tuned}''')
        self.spawn(TOP / 'tools/peers', 'dovecot', 'dovecot', '-F', '-c', str(conf))

    @staticmethod
    def version():
        return 'Dovecot ' + peer('dovecot', 'dovecot', '--version').split()[0]


def new_base():
    """A folder that is new at the top level of the disk: ext4 gives such a one a block group of its own, while in a folder
    where many files were just deleted it looks for free inodes one by one and measures itself."""
    base = pathlib.Path(subprocess.run(['mktemp', '-d', '/malle-bench-XXXXXX'], check=True, capture_output=True,
                                       text=True).stdout.strip())
    base.chmod(0o755)
    return base


def remove_base(base):
    shutil.rmtree(base, ignore_errors=True)
