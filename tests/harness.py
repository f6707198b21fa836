"""A private malle server for a test: its own state folder, its own ports on loopback, its own accounts.

    with Server(conf={'message_size_limit': '1M'}, users={'joe@malle.test': 'secret'}) as s:
        imaplib.IMAP4_SSL('localhost', s.port('imaps'), ssl_context=s.tls_context())

Leaving the block stops the server and fails when it does not end cleanly or a sanitizer reported something.
MALLE_BIN names the program (default: build-asan/malle).
"""
import array
import fcntl
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import termios
import threading
import time

from ports import PORTS, reserve_offset

TOP = pathlib.Path(__file__).resolve().parent.parent
MALLE = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build-asan/malle'))
FULL = bool(os.environ.get('MALLE_TEST_FULL'))
TSAN_SUPPRESSIONS = TOP / 'tests/tsan.supp'
DOMAIN = 'malle.test'
REPORTS = ('ERROR: AddressSanitizer', 'ERROR: LeakSanitizer', 'runtime error:', 'WARNING: ThreadSanitizer',
           'must failed', 'AddressSanitizer:DEADLYSIGNAL')


def eventually(what, timeout=10.0, step=None):
    """The first true value of what() within timeout seconds; fails the test without one. A connection that ends is no value. step: the pause
    between two looks; without, it is 20 ms, or as long as a look takes, for what is waited for has to run, too."""
    end = time.monotonic() + timeout
    why = None
    while True:
        begin = time.monotonic()
        try:
            value = what()
        except ConnectionError as error:
            value, why = None, error
        if value:
            return value
        now = time.monotonic()
        assert now < end, f'not within {timeout} s: {getattr(what, "__doc__", None) or what} {why or ""}'
        time.sleep(step or max(0.02, min(now - begin, 1)))


class MadeOnce:
    """What takes time and is the same for many servers."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='malle-once-')
        self.top = pathlib.Path(self.folder.name)
        self.top.chmod(0o755)
        self.states = {}

    def accounts(self, key, state, make):
        """Fills the state folder with accounts: passwords are meant to be expensive, so that each set of them is made once and then copied."""
        if key not in self.states:
            make()
            self.states[key] = self.top / str(len(self.states))
            subprocess.run(['cp', '-a', state, self.states[key]], check=True)
        else:
            subprocess.run(['cp', '-a', self.states[key], state], check=True)

    @functools.cached_property
    def authority(self):
        """A file with one authority: reading all of the system's takes longer than everything else when a server starts."""
        path = self.top / 'authority.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
                        '/CN=nobody', '-keyout', '/dev/null', '-out', path], check=True, capture_output=True)
        path.chmod(0o644)
        return path


class Server:
    once = MadeOnce()

    def __init__(self, conf=None, users=None, sections='', start=True, ready_timeout=30):
        """conf: options to set (values as text); sections: more text for malle.conf; users: address to password."""
        base = os.environ.get('MALLE_TEST_DIR') or tempfile.gettempdir()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='malle-test-', dir=base))
        self.dir.chmod(0o755)
        self.offset, self.reservation = reserve_offset()
        self.users = dict(users if users is not None else {f'demo@{DOMAIN}': 'demo'})
        self.ready_timeout = ready_timeout
        self.process = None
        self.prefix = []  # of the server's command line
        self.reader = None
        self.lines = []
        self.allowed_reports = False
        self.write_conf(conf or {}, sections)
        try:
            self.add_users(conf or {}, sections)
            if start:
                self.start()
        except BaseException:
            self.discard()
            raise

    # --- settings and commands ---

    def write_conf(self, conf, sections=''):
        values = {'hostname': f'mail.{DOMAIN}', 'domains': DOMAIN, 'listen': '127.0.0.1, ::1',
                  'port_offset': self.offset, 'state_dir': self.dir / 'state', 'run_dir': self.dir / 'run',
                  'mail_location': f'maildir:{self.dir}/mail/%d/%n', 'system_users': 'no', 'log_target': 'stderr',
                  'auth_failure_delay': '50ms', 'smtp_tls_ca_file': self.once.authority}
        values.update(conf)
        (self.dir / 'malle.conf').write_text(
            ''.join(f'{name} = {value}\n' for name, value in values.items()) + sections)

    def add_users(self, conf, sections):
        def make():
            for address, password in self.users.items():
                self.malle('user', 'add', address, input=password + '\n')
        settings = sections, *(conf.get(name) for name in ('domains', 'password_scheme', 'state_dir'))
        if self.users:
            self.once.accounts((*self.users.items(), *settings), self.dir / 'state', make)

    @staticmethod
    def environment(leaks):
        """Leaks are looked for in commands only: in a caged role the look itself would be refused."""
        return dict(os.environ, MALLE_SECCOMP_KILL='1',  # what a filter lacks is found at once
                    ASAN_OPTIONS=f'detect_leaks={leaks}:abort_on_error=0:exitcode=99:handle_abort=1',
                    UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
                    TSAN_OPTIONS=f'halt_on_error=1:report_thread_leaks=0:suppressions={TSAN_SUPPRESSIONS}')  # a role ends with its threads

    def malle(self, *arguments, check=True, input='', timeout=60):
        """Runs one command of malle with this server's settings; its CompletedProcess."""
        # as root, the commands on accounts lock themselves into a folder, where the leak checker misses /proc
        locked = arguments[0] in ('user', 'alias', 'domain', 'queue', 'trace', 'postqueue', 'mailbox', 'message', 'index', 'import', 'undelete') and os.geteuid() == 0
        done = subprocess.run([MALLE, '-c', self.dir / 'malle.conf', *arguments], input=input, text=True,
                              capture_output=True, timeout=timeout, env=self.environment(leaks=int(not locked)))
        assert not check or done.returncode == 0, f'malle {arguments}: {done.returncode}: {done.stderr}{done.stdout}'
        return done

    def status(self):
        """What runs; also while a role is being started, when the command ends with 1."""
        return json.loads(self.malle('status', '--json', check=False).stdout)

    # --- the process ---

    def start(self):
        self.process = subprocess.Popen([*self.prefix, MALLE, '-c', self.dir / 'malle.conf', 'run'], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                                        env=self.environment(leaks=0), start_new_session=True)
        first = len(self.lines)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

        def is_ready():
            assert self.process.poll() is None, f'malle ended with {self.process.returncode}:\n{self.log()}'
            return 'malle: ready' in self.lines[first:]
        eventually(is_ready, self.ready_timeout)

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip('\n'))

    def log(self):
        """Everything that was logged so far: what the pipe has is read first."""
        unread = array.array('i', [1])
        end, process = time.monotonic() + 2, self.process
        while process and unread[0] and process.poll() is None and time.monotonic() < end:
            fcntl.ioctl(process.stdout, termios.FIONREAD, unread)
            time.sleep(0.001)
        return '\n'.join(self.lines)

    def wait_log(self, text, timeout=10):
        return eventually(lambda: next((line for line in self.lines if text in line), None), timeout)

    def reload(self):
        """Done when the roles have the new settings."""
        self.malle('reload')

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        """Ends the server as Ctrl-C does, and asserts that it was well until then."""
        if not self.process:
            return
        process, self.process = self.process, None
        try:
            assert process.poll() is None, f'malle had ended with {process.returncode}:\n{self.log()}'
            process.send_signal(signal.SIGINT)
            status = process.wait(20)
        finally:
            self._kill_group(process)
        self.reader.join(10)
        assert status == 0, f'malle ended with {status}:\n{self.log()}'
        self.assert_clean()

    def kill(self):
        """kill -9 of every process of the server, as a power cut would end them."""
        if self.process:
            process, self.process = self.process, None
            self._kill_group(process)
            self.reader.join(10)

    def discard(self):
        """Ends what still runs and removes every file."""
        self.kill()
        self.reservation.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def _kill_group(process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def assert_clean(self):
        bad = [line for line in self.lines if any(word in line for word in REPORTS)]
        assert self.allowed_reports or not bad, f'{bad[0]}\n\n{self.log()}'

    def role_pids(self, role):
        """Process ids of a role by its name, its children by their title, from `malle status --json`."""
        pids = []
        for entry in self.status()['roles']:
            if entry['role'] == role:
                pids.append(entry['pid'])
            pids += [child['pid'] for child in entry.get('children', []) if child['title'].split(' ')[0] == role]
        return [pid for pid in pids if pid > 0]

    def kill_role(self, role, sig=signal.SIGKILL):
        """Kills every process of a role; their ids."""
        pids = self.role_pids(role)
        assert pids, f'no process of the role {role}'
        for pid in pids:
            os.kill(pid, sig)
        return pids

    def wait_role(self, role, other_than, timeout=10):
        """Waits until the role runs in processes other than the given ones."""
        def is_back():
            pids = self.role_pids(role)
            return pids if pids and not set(pids) & set(other_than) else None
        return eventually(is_back, timeout)

    # --- connections ---

    def port(self, listener):
        return PORTS[listener] + self.offset

    def connect(self, listener, timeout=20, address='127.0.0.1'):
        return socket.create_connection((address, self.port(listener)), timeout=timeout)

    @staticmethod
    def tls_context():
        """Accepts the self-signed certificate; it reads no others, which takes longer than a handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def maildir(self, address):
        local, _, domain = address.partition('@')
        return self.dir / 'mail' / domain / local

    def messages(self, address, folder=''):
        """The message files in an account's mailbox ('' is INBOX, '.Sent' a Maildir++ folder)."""
        found = []
        for sub in ('new', 'cur'):
            path = self.maildir(address) / folder / sub
            if path.is_dir():
                found += [p for p in path.iterdir() if p.is_file()]
        return sorted(found)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            else:
                self.kill()
                print('--- log of malle ---\n' + self.log())
        finally:
            self.discard()
