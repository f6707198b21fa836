"""What tables ask: a real PostgreSQL, a real MariaDB and a real slapd, unpacked by tools/peers, and small servers of socketmap_table(5) and
tcp_table(5) that can be slow, talk rubbish, or be gone."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from harness import eventually
from ports import free_port

TOP = pathlib.Path(__file__).resolve().parents[2]
IMPOSSIBLE = 3


class Daemon:
    """A server of a package, in a folder of its own."""
    package = ''

    def __init__(self):
        self.port = free_port()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f'malle-{self.package}-'))
        self.dir.chmod(0o755)
        self.process = None
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.discard()
            raise

    def run(self, *command, input=None):
        """What a short command of the package prints."""
        done = subprocess.run([TOP / 'tools/peers', self.package, *map(str, command)], input=input, capture_output=True, text=True, timeout=120)
        if done.returncode == IMPOSSIBLE:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, f'{command}: {done.stderr}{done.stdout}'
        return done.stdout

    def certificate(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=localhost', '-addext',
                        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', self.dir / 'key.pem', '-out', self.dir / 'cert.pem'],
                       check=True, capture_output=True)

    def start(self):
        with open(self.dir / 'output', 'ab') as output:
            self.process = subprocess.Popen([TOP / 'tools/peers', self.package, *map(str, self.command())], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

        def answers():
            assert self.process.poll() is None, (self.dir / 'output').read_text()
            return self.answers()
        eventually(answers, 30, step=0.1)

    def stop(self, sig=signal.SIGKILL):
        process, self.process = self.process, None
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, sig)
            process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def discard(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.discard()


class Postgres(Daemon):
    """A database `mail` with a table t (k, v) that the user `malle` may read with the password `secret`."""
    package = 'postgresql'
    user = ('setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups')
    programs = pathlib.Path('/usr/lib/postgresql/15/bin')

    def prepare(self):
        self.dir.chmod(0o777)
        self.certificate()
        self.run('chown', 'postgres', self.dir / 'key.pem')
        (self.dir / 'password').write_text('admin\n')
        self.run(*self.user, self.programs / 'initdb', '--no-sync', '--auth-host=scram-sha-256', '--auth-local=trust', '--locale=C',
                 '--encoding=UTF8', f'--pwfile={self.dir}/password', '-D', self.dir / 'data')

    def start(self):
        first = not (self.dir / 'output').exists()
        super().start()
        if first:
            self.sql('CREATE DATABASE mail;')
            self.sql("CREATE TABLE t (k text PRIMARY KEY, v text); CREATE ROLE malle LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO malle;",
                     database='mail')

    def command(self):
        return (*self.user, self.programs / 'postgres', '-D', self.dir / 'data', '-k', self.dir, '-p', self.port, '-c', 'fsync=off',
                '-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=20',
                '-c', 'ssl=on', '-c', f'ssl_cert_file={self.dir}/cert.pem', '-c', f'ssl_key_file={self.dir}/key.pem')

    def answers(self):
        done = subprocess.run([TOP / 'tools/peers', self.package, self.programs / 'pg_isready', '-q', '-h', self.dir, '-p', str(self.port)])
        return done.returncode == 0

    def sql(self, text, database='mail'):
        if text.startswith('CREATE DATABASE'):
            database = 'postgres'
        self.run(*self.user, self.programs / 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-h', self.dir, '-p', self.port, '-d', database, input=text)

    def kill(self):
        """As a power cut ends it: nothing is said to clients, nothing written down."""
        self.stop(signal.SIGQUIT)


class MariaDB(Daemon):
    """A database `mail` with a table t (k, v) that the user `malle` may read with the password `secret`. Its temporary tables lie in its folder: one that
    starts removes those of others."""
    package = 'mariadb'
    user = ('setpriv', '--reuid', 'mysql', '--regid', 'mysql', '--clear-groups')

    def prepare(self):
        self.dir.chmod(0o777)
        self.certificate()
        self.run('chown', 'mysql', self.dir / 'key.pem')
        tables = self.run('cat', *(f'/usr/share/mysql/mysql_system_tables{part}.sql' for part in ('', '_data')))
        self.run(*self.user, 'mkdir', self.dir / 'data')
        self.run(*self.user, '/usr/sbin/mariadbd', '--no-defaults', '--bootstrap', f'--datadir={self.dir}/data', f'--tmpdir={self.dir}',
                 '--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=8M', '--innodb-log-file-size=4M', '--skip-log-bin', '--aria-log-dir-path=' + str(self.dir / 'data'),
                 input=f'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n{tables}')

    def start(self):
        first = not (self.dir / 'output').exists()
        super().start()
        if first:
            self.sql("CREATE DATABASE mail; USE mail; CREATE TABLE t (k varchar(200) PRIMARY KEY, v text) CHARACTER SET utf8mb4; "
                     "CREATE USER malle IDENTIFIED BY 'secret'; CREATE USER tls IDENTIFIED BY 'secret' REQUIRE SSL; "
                     "GRANT SELECT, EXECUTE ON mail.* TO malle, tls;", database='mysql')

    def command(self):
        return (*self.user, '/usr/sbin/mariadbd', '--no-defaults', f'--datadir={self.dir}/data', f'--tmpdir={self.dir}', f'--socket={self.dir}/socket', f'--port={self.port}',
                f'--pid-file={self.dir}/pid', '--bind-address=127.0.0.1', '--skip-name-resolve', '--innodb-flush-log-at-trx-commit=2',  # a kill forgets nothing
                '--innodb-buffer-pool-size=8M', f'--ssl-cert={self.dir}/cert.pem', f'--ssl-key={self.dir}/key.pem')

    def client(self, database, *more):
        return [TOP / 'tools/peers', self.package, 'mariadb', '--no-defaults', f'--socket={self.dir}/socket', '-u', 'root', *more, database]

    def answers(self):
        return subprocess.run(self.client('mysql', '-e', 'SELECT 1'), capture_output=True).returncode == 0

    def sql(self, text, database='mail'):
        done = subprocess.run(self.client(database), input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def kill(self):
        self.stop(signal.SIGKILL)


class Slapd(Daemon):
    """Entries below dc=malle,dc=test with mail and maildrop, read by cn=admin with the password `secret`. password: what all of them log in with."""
    package = 'slapd'
    base = 'dc=malle,dc=test'

    def __init__(self, entries, password=None):
        self.entries, self.password = entries, password
        super().__init__()

    def prepare(self):
        self.certificate()
        (self.dir / 'data').mkdir()
        schemas = ''.join(f'include /etc/ldap/schema/{name}.schema\n' for name in ('core', 'cosine', 'inetorgperson'))
        (self.dir / 'slapd.conf').write_text(
            f'{schemas}attributetype ( 1.3.6.1.4.1.99999.1 NAME \'maildrop\' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )\n'
            f'objectclass ( 1.3.6.1.4.1.99999.2 NAME \'mailUser\' SUP top AUXILIARY MAY maildrop )\n'
            f'modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {self.dir}/pid\n'
            f'TLSCertificateFile {self.dir}/cert.pem\nTLSCertificateKeyFile {self.dir}/key.pem\n'
            f'database mdb\nmaxsize 10485760\nsuffix "{self.base}"\nrootdn "cn=admin,{self.base}"\nrootpw secret\ndirectory {self.dir}/data\n'
            f'access to attrs=userPassword by anonymous auth\naccess to * by * none\n')
        text = f'dn: {self.base}\nobjectClass: dcObject\nobjectClass: organization\no: malle\ndc: malle\n\n'
        for i, (mail, drops) in enumerate(self.entries.items()):
            text += f'dn: cn=u{i},{self.base}\nobjectClass: inetOrgPerson\nobjectClass: mailUser\ncn: u{i}\nsn: u\nmail: {mail}\n'
            text += f'userPassword: {self.password}\n' if self.password else ''
            text += ''.join(f'maildrop: {drop}\n' for drop in drops) + '\n'
        self.run('/usr/sbin/slapadd', '-q', '-f', self.dir / 'slapd.conf', input=text)

    def command(self):
        return '/usr/sbin/slapd', '-f', self.dir / 'slapd.conf', '-h', f'ldap://127.0.0.1:{self.port}', '-d', '0'

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 5):
            return True


class TableServer:
    """A server of one table. how: answer; silent (takes questions and says nothing); rubbish; shut (hangs up)."""

    def __init__(self, protocol, entries, path=None, port=0, address='127.0.0.1'):
        self.protocol, self.entries, self.how = protocol, entries, 'answer'
        self.path, self.address = path, address
        self.asked, self.pending = [], []
        self.open = set()
        self.listener = None
        self.port = port
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(str(self.path) if self.path else (self.address, self.port))
        if self.path:
            self.path.chmod(0o777)
        self.listener.listen(100)
        self.port = None if self.path else self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self.path:
            self.path.unlink(missing_ok=True)

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.open.add(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile('rb') as stream:
            while self.one(connection, stream):
                pass
        self.open.discard(connection)

    def one(self, connection, stream):
        """Takes one question and answers it; false: hang up."""
        key = self.read_tcp(stream) if self.protocol == 'tcp' else self.read_netstring(stream)
        if key is None or self.how == 'shut':
            return False
        self.asked.append(key)
        if self.how == 'silent':
            self.pending.append((connection, key))
        if self.how == 'rubbish':
            connection.sendall(b'\0\xff what? 99999999999999999999:\n' * 20)
        elif self.how == 'answer':
            connection.sendall(self.tcp_reply(key) if self.protocol == 'tcp' else self.socketmap_reply(key))
        return True

    def answer_pending(self):
        """Answers now what it was silent about, and everything from here on."""
        self.how = 'answer'
        for connection, key in self.pending:
            connection.sendall(self.tcp_reply(key) if self.protocol == 'tcp' else self.socketmap_reply(key))
        self.pending.clear()

    @staticmethod
    def read_tcp(stream):
        line = stream.readline()
        return line.decode().strip().partition(' ')[2] if line else None

    @staticmethod
    def read_netstring(stream):
        size = b''
        while (byte := stream.read(1)) != b':':
            if not byte:
                return None
            size += byte
        payload = stream.read(int(size) + 1)[:-1].decode()
        return payload.partition(' ')[2]

    def tcp_reply(self, key):
        return f'200 {self.entries[key]}\n'.encode() if key in self.entries else b'500 not here\n'

    def socketmap_reply(self, key):
        text = f'OK {self.entries[key]}' if key in self.entries else 'NOTFOUND '
        return f'{len(text)}:{text},'.encode()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
