"""Other mail servers, Debian's own, unpacked by tools/peers and run with a private configuration on loopback.

Each takes mail for peer.example into a Maildir and passes everything else on to malle, over STARTTLS.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile

import pytest

from harness import eventually
from ports import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]
DOMAIN = 'peer.example'
OWNER = 64790  # of the Maildir; nobody's number
IMPOSSIBLE = 3


class Peer:
    """port: where it listens; malle_port: where it sends what is not for it."""
    name = ''
    takes_tls = True

    def __init__(self, malle_port):
        self.port, self.malle_port = free_port(), malle_port
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f'malle-peer-{self.name}-'))
        self.dir.chmod(0o755)
        self.mail = self.dir / 'mail'
        self.mail.mkdir()
        os.chown(self.mail, OWNER, OWNER)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                        '-subj', f'/CN={DOMAIN}', '-addext', f'subjectAltName=DNS:{DOMAIN}', '-keyout', self.dir / 'key.pem',
                        '-out', self.dir / 'cert.pem'], check=True, capture_output=True)
        self.process = None

    def run(self, *command):
        """What a short command of the peer prints."""
        done = subprocess.run([TOP / 'tools/peers', self.name, *command], capture_output=True, text=True)
        if done.returncode == IMPOSSIBLE:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, f'{command}: {done.stderr}{done.stdout}'
        return done.stdout.strip()

    def start(self):
        self.process = subprocess.Popen([TOP / 'tools/peers', self.name, *map(str, self.command())], stdin=subprocess.DEVNULL,
                                        stdout=open(self.dir / 'output', 'wb'), stderr=subprocess.STDOUT, start_new_session=True)

        def answers():
            assert self.process.poll() is None, (self.dir / 'output').read_text()
            with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP('127.0.0.1', self.port, timeout=5):
                return True
        eventually(answers, 20, step=0.1)

    def stop(self):
        if self.process:
            for sig in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(self.process.pid, sig)
                    self.process.wait(5)
        shutil.rmtree(self.dir, ignore_errors=True)

    def messages(self):
        return [path for path in self.mail.rglob('*') if path.is_file() and path.parent.name in ('new', 'cur')]

    def log(self):
        """What it says of itself, for a test that fails."""
        return '\n'.join(path.read_text(errors='replace')[-3000:] for path in [self.dir / 'output', *self.dir.glob('log/*')])


class Postfix(Peer):
    name = 'postfix'
    settings = ''  # further lines of main.cf

    def changes(self):
        """Settings of main.cf beside what stands below, or in its place."""
        return {}

    def services(self):
        """Further lines of master.cf."""
        return ''

    def command(self):
        etc = self.dir / 'etc'
        for folder in ('etc', 'spool', 'lib', 'log'):
            (self.dir / folder).mkdir()
        uid = int(self.run('id', '-u', 'postfix'))
        os.chown(self.dir / 'lib', uid, uid)
        main = f'''compatibility_level = 3.6
queue_directory = {self.dir}/spool
data_directory = {self.dir}/lib
maillog_file = {self.dir}/log/maillog
maillog_file_prefixes = {self.dir}
myhostname = {DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 100
virtual_uid_maps = static:{OWNER}
virtual_gid_maps = static:{OWNER}
smtpd_tls_cert_file = {self.dir}/cert.pem
smtpd_tls_key_file = {self.dir}/key.pem
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
relayhost = [127.0.0.1]:{self.malle_port}
alias_maps =
local_recipient_maps =
{self.settings}'''
        # no name twice: postlogd would warn of it to itself, and wait for ever when its socket is full
        settings = {**dict(line.split(' =', 1) for line in main.splitlines()), **self.changes()}
        (etc / 'main.cf').write_text(''.join(f'{name} = {str(value).strip()}\n' for name, value in settings.items()))
        (etc / 'master.cf').write_text(self.services() + ''.join(f'{line}\n' for line in (
            f'127.0.0.1:{self.port} inet n - n - - smtpd', 'cleanup unix n - n - 0 cleanup', 'qmgr unix n - n 300 1 qmgr',
            'tlsmgr unix - - n 1000? 1 tlsmgr', 'rewrite unix - - n - - trivial-rewrite', 'bounce unix - - n - 0 bounce',
            'defer unix - - n - 0 bounce', 'smtp unix - - n - - smtp', 'relay unix - - n - - smtp', 'error unix - - n - - error',
            'retry unix - - n - - error', 'virtual unix - n n - - virtual', 'anvil unix - - n - 1 anvil',
            'postlog unix-dgram n - n - 1 postlogd', 'verify unix - - n - 1 verify', 'proxymap unix - - n - - proxymap')))
        # as `postfix check` makes them, which takes seconds
        self.run('bash', '-c', f'''cp -a /etc/postfix/post* {etc}/ && cd {self.dir}/spool &&
install -d pid && install -d -o postfix -m 700 active bounce corrupt defer deferred flush hold incoming private saved trace &&
install -d -o postfix -g postdrop -m 730 maildrop && install -d -o postfix -g postdrop -m 710 public''')
        return '/usr/lib/postfix/sbin/master', '-c', etc


def overrides(settings):
    """The lines of master.cf behind a service that has settings of its own."""
    return ''.join(f'  -o {{ {name} = {value} }}\n' for name, value in settings.items())


class AskingDns(Postfix):
    """It asks the name server at this address, port 53."""
    dns = ''

    def command(self):
        (self.dir / 'resolv.conf').write_text(f'nameserver {self.dns}\noptions timeout:2 attempts:1\n')
        return 'bash', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', self.dir / 'resolv.conf', *super().command()


class Exim(Peer):
    """With a configuration of one's own it runs and delivers as the user of its package."""
    name = 'exim'
    settings = ''  # further sections

    def command(self):
        (self.dir / 'log').mkdir()
        uid = int(self.run('id', '-u', 'Debian-exim'))
        for path in (self.dir / 'log', self.mail, self.dir / 'key.pem'):
            os.chown(path, uid, uid)
        conf = self.dir / 'exim.conf'
        conf.write_text(f'''primary_hostname = {DOMAIN}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
tls_advertise_hosts = *
tls_certificate = {self.dir}/cert.pem
tls_privatekey = {self.dir}/key.pem
spool_directory = {self.dir}/spool
log_file_path = {self.dir}/log/%slog
pid_file_path = {self.dir}/exim.pid
acl_smtp_rcpt = accept
dns_dnssec_ok = 0
keep_environment =
log_selector = +tls_cipher
begin routers
here:
  driver = accept
  domains = {DOMAIN}
  transport = maildir
out:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = malle
begin transports
maildir:
  driver = appendfile
  directory = {self.mail}/all
  maildir_format
  return_path_add
malle:
  driver = smtp
  port = {self.malle_port}
  hosts_require_tls = *
  tls_try_verify_hosts = *
begin retry
* * F,1h,1s
{self.settings}''')
        conf.chmod(0o644)
        return 'exim4', '-C', conf, '-bdf', '-q1s'


class OpenSmtpd(Peer):
    """Its folders are compiled in: it gets a /var of its own. Debian's build cannot sign a handshake with OpenSSL 3 when it is the
    server (openssl s_client fails, too), so mail to it goes in the clear; what it sends is encrypted."""
    name = 'opensmtpd'
    takes_tls = False

    def command(self):
        conf = self.dir / 'smtpd.conf'
        conf.write_text(f'''listen on 127.0.0.1 port {self.port} hostname {DOMAIN}
action here maildir "{self.mail}/all" virtual {{ "@" = peermail }}
action out relay host smtp+tls://127.0.0.1:{self.malle_port} tls no-verify
match from any for domain "{DOMAIN}" action here
match from any for any action out
''')
        start = ('mount -t tmpfs -o mode=755 tmpfs /var/spool && mount -t tmpfs -o mode=755 tmpfs /var/lib && '
                 'mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /var/lib/opensmtpd/empty && '
                 f'chown peermail: {self.mail} && exec smtpd -d -f {conf}')
        return 'bash', '-c', start


PEERS = [Postfix, Exim, OpenSmtpd]


def listens(port, timeout=20):
    """Waits until something does."""
    def answers():
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return True
    eventually(answers, timeout, step=0.05)


@contextlib.contextmanager
def peer_program(tree, *command):
    """A program of an unpacked tree, in the foreground, until the block ends."""
    if os.geteuid() != 0:
        pytest.skip('needs root')
    ready = subprocess.run([TOP / 'tools/peers', tree], capture_output=True, text=True)
    if ready.returncode == IMPOSSIBLE:
        pytest.skip(ready.stderr.strip())
    assert ready.returncode == 0, ready.stderr
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([TOP / 'tools/peers', tree, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
        try:
            yield process
        except BaseException:
            output.seek(0)
            print(output.read().decode(errors='replace')[-3000:])
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def running(kind, malle_port):
    if os.geteuid() != 0:
        pytest.skip('needs root')
    peer = kind(malle_port)
    try:
        peer.start()
        yield peer
    except BaseException:
        print(peer.log())
        raise
    finally:
        peer.stop()
