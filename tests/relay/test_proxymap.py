"""Tables that ask a database or a server, through the role proxymap."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import struct
import tempfile
import threading
import time

import pytest

from harness import FULL, Server, eventually
from links import links
from net.fakedns import FakeDns
from relay.conftest import OTHER, QUICK, SENDER, queue_is_empty, relaying, send
from relay.remote import Remote
from relay.tableservers import MariaDB, Postgres, Slapd, TableServer
from relay.test_maps import arrived, rcpt, second  # noqa: F401
from talk import Smtp


TABLE_FIND, TABLE_FOUND, REFUSED = 38, 39, 2
OK, TEMP, GONE = 0, 1, 5
FORGOTTEN = 1.1  # seconds after which smtpd asks auth again whose an address is

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='needs users of its own, or what root alone may')


@pytest.fixture
def place():
    """A folder that every user may reach."""
    path = pathlib.Path(tempfile.mkdtemp(prefix='malle-tables-'))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def asked(server, key, table):
    """What `malle postmap -q` says; None: the key is not there."""
    done = server.malle('postmap', '-q', key, table, check=False)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    return done.stdout.strip() if done.returncode == 0 else None


def sqlite_table(place, name, rows, mode=0o600):
    """Its settings are readable by root alone."""
    path = place / f'{name}.db'
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute('CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v TEXT)')
        db.execute('DELETE FROM t')
        db.executemany('INSERT INTO t VALUES (?, ?)', rows.items())
        db.commit()
    cf = place / f'{name}.cf'
    cf.write_text(f"dbpath = {path}\nquery = SELECT v FROM t WHERE k = '%s'\n")
    cf.chmod(mode)
    return f'sqlite:{cf}'


def test_sqlite(remote, second, place):  # noqa: F811
    """Aliases and ways out of a database; what is written there counts at once, and so does another file in its place."""
    aliases = sqlite_table(place, 'aliases', {'joe@malle.test': SENDER, 'far@malle.test': 'x@far.example'})
    ways = sqlite_table(place, 'ways', {'far.example': f'smtp:{second.site}'})
    with relaying(remote, virtual_alias_maps=aliases, transport_maps=f'inline:{{z.example=:}}, {ways}', mynetworks='') as server:
        assert rcpt(server, 'ann@malle.test').startswith('550 5.1.1')
        assert asked(server, 'joe@malle.test', aliases) == SENDER
        server.malle('check')
        assert send(server, 'JOE@malle.test', 'far@malle.test', sender=OTHER).startswith('250')
        eventually(lambda: len(server.messages(SENDER)) == 1)
        assert arrived(second)[0].recipients == ('x@far.example',)
        with contextlib.closing(sqlite3.connect(place / 'aliases.db')) as db:
            db.execute('INSERT INTO t VALUES (?, ?)', ('ann@malle.test', SENDER))
            db.commit()
        assert rcpt(server, 'ann@malle.test').startswith('250')
        (place / 'aliases.db').rename(place / 'old.db')
        sqlite_table(place, 'aliases', {'new@malle.test': SENDER})
        assert rcpt(server, 'new@malle.test').startswith('250')
        assert rcpt(server, 'joe@malle.test').startswith('550 5.1.1')
        eventually(lambda: queue_is_empty(server))


@needs_root
def test_commands_of_a_database(remote, place):  # noqa: F811
    """Who may write to a database may not thereby run programs here; a file beside it still names them."""
    out = place / 'out'
    out.mkdir()
    out.chmod(0o777)
    (place / 'aliases').write_text(f'mine: "|cat >{out}/mine"\nboth: "|cat >{out}/both"\n')
    table = sqlite_table(place, 'aliases', {'theirs': f'"|cat >{out}/theirs"', 'box': f'{out}/box', 'both': f'"|cat >{out}/theirs"'})
    with relaying(remote, alias_maps=f'{table}, aliases:{place}/aliases', mynetworks='') as server:
        for name in ('theirs', 'box', 'both'):
            assert rcpt(server, f'{name}@malle.test').startswith('550 5.3.3'), name
        assert send(server, 'mine@malle.test', sender=OTHER).startswith('250')
        eventually(lambda: queue_is_empty(server))
        assert [path.name for path in out.iterdir()] == ['mine']


def quick_table(place, name, **settings):
    path = place / f'{name}.cf'
    path.write_text(''.join(f'{key} = {value}\n' for key, value in settings.items()))
    path.chmod(0o600)
    return path


def test_postgres_ends_and_comes_back(remote, place):
    """What cannot be looked up waits, at RCPT and in the queue; nothing is lost, refused for good, or sent elsewhere."""
    with Postgres() as pg, Remote() as far:
        pg.sql(f"INSERT INTO t VALUES ('joe@malle.test', '{SENDER}'), ('far.example', 'smtp:{far.site}');")
        common = {'user': 'malle', 'password': 'secret', 'dbname': 'mail', 'query': "SELECT v FROM t WHERE k = '%s'"}
        tls = f'postgresql://malle:secret@localhost:{pg.port}/mail?sslmode=require'
        aliases = quick_table(place, 'aliases', hosts=tls, query=common['query'])
        ways = quick_table(place, 'ways', hosts=f'unix:{pg.dir}/.s.PGSQL.{pg.port}', **common)
        with relaying(remote, virtual_alias_maps=f'pgsql:{aliases}', transport_maps=f'pgsql:{ways}') as server:
            assert send(server, 'joe@malle.test', 'a@far.example').startswith('250')
            eventually(lambda: len(server.messages(SENDER)) == 1)
            arrived(far)
            assert asked(server, 'JOE@malle.test', f'pgsql:{aliases}') == SENDER and asked(server, 'x', f'pgsql:{ways}') is None
            server.malle('check')
            assert rcpt(server, 'ann@malle.test').startswith('550 5.1.1')
            with Smtp(server) as client:  # it was routed to the queue while the database was there
                client.hello()
                assert client.envelope('b@far.example', 'other@malle.test', sender=SENDER).startswith('250')
                pg.kill()
                assert client.data(b'Subject: x\r\n\r\nx\r\n')[0].startswith('250')
            time.sleep(FORGOTTEN)
            for _ in range(3):
                assert rcpt(server, 'joe@malle.test').startswith('451 4.3.0')
            assert send(server, 'c@other.example').startswith('451') or not queue_is_empty(server)
            server.wait_log('where it goes cannot be looked up now')
            assert len(far.messages) == 1 and not remote.messages
            pg.start()
            eventually(lambda: rcpt(server, 'joe@malle.test').startswith('250'), 30, step=0.2)
            eventually(lambda: queue_is_empty(server), 60)
            assert [m.recipients for m in far.messages] == [('a@far.example',), ('b@far.example',)]
            assert all(m.recipients == ('c@other.example',) for m in remote.messages)


def test_mariadb_ends_and_comes_back(remote, place):
    """Over TLS and over a socket, with the old form of a query, a procedure and a key that is an attack; 451 while it is gone, and no wait for ever
    when it hangs."""
    with MariaDB() as db:
        db.sql(f"""INSERT INTO t VALUES ('joe@malle.test', '{SENDER}'), ('team@malle.test', '{SENDER}'), ('o''brien@malle.test', '{OTHER}'), ('jörg@malle.test', '{OTHER}');
DELIMITER //
CREATE PROCEDURE find(IN wanted varchar(200)) BEGIN SELECT v FROM t WHERE k = wanted; END//
""")
        common = {'user': 'malle', 'password': 'secret', 'dbname': 'mail'}
        over_tls = quick_table(place, 'my-tls', hosts=f'127.0.0.1:{db.port}', query="SELECT v FROM t WHERE k = '%s'", tls_CAfile=db.dir / 'cert.pem',
                               tls_verify_cert='yes', **{**common, 'user': 'tls'})
        stranger = quick_table(place, 'my-stranger', hosts=f'127.0.0.1:{db.port}', query="SELECT v FROM t WHERE k = '%s'",
                               tls_CAfile='/etc/ssl/certs/ca-certificates.crt', tls_verify_cert='yes', **common)
        old = quick_table(place, 'my-old', hosts=f'unix:{db.dir}/socket', table='t', select_field='v', where_field='k', **common)
        procedure = quick_table(place, 'my-call', hosts=f'inet:127.0.0.1:{db.port}', query="CALL find('%s')", **common)
        wrong = quick_table(place, 'my-wrong', hosts=f'127.0.0.1:{db.port}', query="SELECT nothing FROM nowhere WHERE k = '%s'", **common)
        for path in (over_tls, old, procedure):
            with relaying(remote, virtual_alias_maps=f'mysql:{path}', mynetworks='') as server:
                for key, value in (('joe@malle.test', SENDER), ("o'brien@malle.test", OTHER), ('jörg@malle.test', OTHER), ("x' OR '1'='1@malle.test", None),
                                   ("joe@malle.test\\", None)):
                    assert asked(server, key, f'mysql:{path}') == value, (path, key)
                server.malle('check')
                assert rcpt(server, 'joe@malle.test').startswith('250') and rcpt(server, 'ann@malle.test').startswith('550 5.1.1')
                if path != old:
                    continue
                db.kill()
                time.sleep(FORGOTTEN)
                assert rcpt(server, 'joe@malle.test').startswith('451 4.3.0')
                db.start()
                eventually(lambda: rcpt(server, 'joe@malle.test').startswith('250'), 30, step=0.2)
                os.kill(int((db.dir / 'pid').read_text()), signal.SIGSTOP)
                time.sleep(FORGOTTEN)
                began = time.monotonic()
                assert rcpt(server, 'team@malle.test').startswith('451 4.3.0') and time.monotonic() - began < 20
                os.kill(int((db.dir / 'pid').read_text()), signal.SIGCONT)
                eventually(lambda: rcpt(server, 'team@malle.test').startswith('250'), 60, step=0.2)
        for path in (stranger, wrong):
            with relaying(remote, virtual_alias_maps=f'mysql:{path}', mynetworks='') as server:
                assert rcpt(server, 'joe@malle.test').startswith('451 4.3.0')


def test_ldap(remote, place):
    """Over STARTTLS, with the certificate checked; 451 while the server is gone."""
    with Slapd({'team@malle.test': [SENDER, OTHER], 'joe@malle.test': [SENDER]}) as slapd:
        settings = {'server_host': f'ldap://127.0.0.1:{slapd.port}', 'search_base': slapd.base, 'query_filter': '(mail=%s)',
                    'bind_dn': f'cn=admin,{slapd.base}', 'bind_pw': 'secret'}
        plain = quick_table(place, 'plain', **settings)
        tls = quick_table(place, 'tls', start_tls='yes', tls_require_cert='yes', tls_ca_cert_file=slapd.dir / 'cert.pem', **settings)
        wrong = quick_table(place, 'wrong', start_tls='yes', tls_require_cert='yes', tls_ca_cert_file='/etc/ssl/certs/ca-certificates.crt', **settings)
        with relaying(remote, virtual_alias_maps=f'ldap:{tls}', relocated_maps=f'ldap:{plain}', mynetworks='') as server:
            assert rcpt(server, 'joe@malle.test').startswith('550 5.1.6')
            assert asked(server, 'team@malle.test', f'ldap:{tls}') == f'{SENDER},{OTHER}' and asked(server, 'x', f'ldap:{plain}') is None
            server.malle('check')
            assert rcpt(server, 'ann@malle.test').startswith('550 5.1.1')
            server.write_conf({**QUICK, 'virtual_alias_maps': f'ldap:{tls}', 'mynetworks': ''})
            server.reload()
            eventually(lambda: rcpt(server, 'joe@malle.test').startswith('250'))
            assert send(server, 'team@malle.test').startswith('250')
            eventually(lambda: server.messages(SENDER) and server.messages(OTHER))
            server.write_conf({**QUICK, 'virtual_alias_maps': f'ldap:{wrong}', 'mynetworks': ''})
            server.reload()
            eventually(lambda: rcpt(server, 'joe@malle.test').startswith('451 4.3.0'))
            server.write_conf({**QUICK, 'virtual_alias_maps': f'ldap:{plain}', 'mynetworks': ''})
            server.reload()
            eventually(lambda: rcpt(server, 'joe@malle.test').startswith('250'))
            slapd.stop()
            time.sleep(FORGOTTEN)
            assert rcpt(server, 'joe@malle.test').startswith('451 4.3.0')
            slapd.start()
            eventually(lambda: rcpt(server, 'joe@malle.test').startswith('250'), 30, step=0.2)


@pytest.mark.parametrize('kind', ['tcp', 'inet', 'unix'])
def test_table_servers(remote, place, kind):
    """Servers of socketmap_table(5) and tcp_table(5): 451 within the limit when they are slow, talk rubbish, or are gone."""
    path = place / 'socket' if kind == 'unix' else None
    with TableServer('tcp' if kind == 'tcp' else 'socketmap', {f'joe{way}@malle.test': SENDER for way in ('', '-again', '-gone')}, path=path) as tables:
        spec = {'tcp': f'tcp:localhost:{tables.port}', 'inet': f'socketmap:inet:127.0.0.1:{tables.port}:users', 'unix': f'socketmap:unix:{path}:users'}
        with relaying(remote, virtual_alias_maps=spec[kind], table_timeout='1s', mynetworks='') as server:
            assert rcpt(server, 'joe@malle.test').startswith('250')
            assert rcpt(server, 'ann@malle.test').startswith('550 5.1.1')
            assert asked(server, 'joe@malle.test', spec[kind]) == SENDER and asked(server, 'ann@malle.test', spec[kind]) is None
            server.malle('check')
            assert set(tables.asked) == {'joe@malle.test', 'ann@malle.test', SENDER}  # no parts of addresses
            for how in ('silent', 'rubbish', 'shut') if FULL or kind == 'tcp' else ():
                tables.how = how
                begin = time.monotonic()
                assert rcpt(server, f'joe-{how}@malle.test').startswith('451 4.3.0'), how
                assert time.monotonic() - begin < 4, how
            tables.how = 'answer'
            eventually(lambda: rcpt(server, 'joe-again@malle.test').startswith('250'), 20, step=0.2)
            tables.stop()
            assert rcpt(server, 'joe-gone@malle.test').startswith('451 4.3.0')
            tables.start()
            eventually(lambda: rcpt(server, 'joe-gone@malle.test').startswith('250'), 20, step=0.2)


def pid_of(server, role):
    return [entry['pid'] for entry in server.status()['roles'] if entry['role'] == role]


@needs_root
def test_files(remote, place):
    """A database that proxymap may not read, one that is missing, one in WAL mode: the log says what to do, mail waits, and no
    reload is needed afterwards."""
    locked, gone, wal = (sqlite_table(place, name, {f'{name}@malle.test': SENDER}) for name in ('locked', 'gone', 'wal'))
    (place / 'locked.db').chmod(0o600)
    (place / 'gone.db').unlink()
    with contextlib.closing(sqlite3.connect(place / 'wal.db')) as db:
        db.execute('PRAGMA journal_mode=WAL')
    with relaying(remote, virtual_alias_maps=locked, relocated_maps=gone, canonical_maps=wal) as server:
        server.wait_log('gone.db: No such file')
        server.wait_log('locked.db: ')
        server.wait_log('the user who asks (user_proxymap in the server) must be able to read it')
        server.wait_log('PRAGMA journal_mode=DELETE')
        assert rcpt(server, SENDER).startswith('451 4.3.0')
        (place / 'locked.db').chmod(0o644)
        sqlite_table(place, 'gone', {})
        writer = sqlite3.connect(place / 'wal.db')  # while another has it open, WAL is no hindrance
        writer.execute("INSERT INTO t VALUES ('new@malle.test', ?)", (OTHER,))
        writer.commit()
        with contextlib.closing(writer):
            for address in ('locked@malle.test', 'wal@malle.test', 'new@malle.test'):
                eventually(lambda: rcpt(server, address).startswith('250'), 20, step=0.2)
        assert list(place.glob('*')) and not [path for path in place.glob('*') if path.stat().st_uid]  # nothing was written


def test_large_and_nested(remote, place):
    """A value that does not fit a message; tables inside others; the same rules for keys as where a table is asked directly."""
    first = sqlite_table(place, 'first', {'big@malle.test': f'{SENDER}, ' * 2000, 'both@malle.test': SENDER, 'one@malle.test': 'step'})
    other = sqlite_table(place, 'other', {'both@malle.test': OTHER, 'step': OTHER})
    maps = f'unionmap:{{{first}, proxy:{other}}}, pipemap:{{inline:{{way@malle.test=one@malle.test}}, {first}, {other}}}'
    with relaying(remote, virtual_alias_maps=maps, mynetworks='') as server:
        assert send(server, 'big@malle.test', sender='a@client.example').startswith('250')
        eventually(lambda: len(server.messages(SENDER)) == 1)
        assert send(server, 'both@malle.test', sender='a@client.example').startswith('250')
        eventually(lambda: len(server.messages(SENDER)) == 2 and len(server.messages(OTHER)) == 1)
        assert rcpt(server, 'way@malle.test').startswith('250')


def test_next_hops(remote, place):
    """The role smtp asks policies and passwords of next hops."""
    policies = sqlite_table(place, 'policies', {remote.site: 'encrypt'})
    with relaying(remote, smtp_tls_policy_maps=policies) as server:
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('status=deferred')
        assert not remote.messages
        with contextlib.closing(sqlite3.connect(place / 'policies.db')) as db:
            db.execute("UPDATE t SET v = 'may'")
            db.commit()
        arrived(remote)
        eventually(lambda: queue_is_empty(server))


def test_killed_under_load(remote, place):
    """kill -9 of proxymap: what cannot be said is 451; nobody is refused who exists, nobody accepted who does not."""
    rounds, threads = (60, 6) if FULL else (8, 4)
    table = sqlite_table(place, 'many', {f'user{i}@malle.test': SENDER for i in range(0, rounds * threads, 2)})
    replies = {}
    with relaying(remote, virtual_alias_maps=table, mynetworks='') as server:

        def ask(thread):
            for i in range(thread, rounds * threads, threads):
                replies[i] = rcpt(server, f'user{i}@malle.test')[:9]
                time.sleep(0.1)

        workers = [threading.Thread(target=ask, args=(n,)) for n in range(threads)]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            before = server.kill_role('proxymap')
            server.wait_role('proxymap', other_than=before)
            time.sleep(0.3)
        assert len(replies) == rounds * threads
        for i, reply in replies.items():
            assert reply.startswith('451 4.3.0') or reply == ('550 5.1.1' if i % 2 else '250 2.1.5'), (i, reply)
        assert sum(reply.startswith(('250', '550')) for reply in replies.values()) > len(replies) // 3
        eventually(lambda: rcpt(server, 'user0@malle.test').startswith('250'))


class Channel:
    """A channel to proxymap over a link of another role, as whoever took that role over has it."""

    def __init__(self, server, role):
        for link in links(server.role_pids(role)[0]):
            with link:
                near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with far, contextlib.suppress(OSError):
                    socket.send_fds(link, [struct.pack('<HHI', 1, 1, 0)], [far.fileno()])
            self.socket = near
            near.settimeout(5)
            with contextlib.suppress(OSError):
                if self.ask('sqlite:/nowhere', 'key')[0] == TABLE_FOUND:
                    return
            near.close()
        raise AssertionError(f'{role} has no link to proxymap')

    def send(self, fields):
        self.socket.send(struct.pack('<HHI', TABLE_FIND, 0, len(fields)) + fields)

    def ask(self, table, key):
        """The type of the reply, and the result of the look-up in it."""
        self.send(b''.join(struct.pack('<I', len(text)) + text.encode() for text in (table, key)))
        reply = self.socket.recv(65536)
        return struct.unpack('<H', reply[:2])[0], struct.unpack('<I', reply[8:12])[0] if len(reply) > 8 else None


@needs_root
def test_only_what_is_configured(remote, place):
    """A role asks the tables of its own settings and no others; what is malformed is refused."""
    aliases, ways = sqlite_table(place, 'aliases', {'joe': 'jim'}), sqlite_table(place, 'ways', {'joe': 'way'})
    stray = sqlite_table(place, 'stray', {'joe': 'nobody'})
    with relaying(remote, virtual_alias_maps=aliases, transport_maps=ways) as server, TableServer('tcp', {}) as tables:
        auth, queue = Channel(server, 'auth'), Channel(server, 'queue')
        assert auth.ask(aliases, 'joe') == (TABLE_FOUND, OK) and queue.ask(ways, 'joe') == (TABLE_FOUND, OK)
        assert auth.ask(aliases, 'ann') == (TABLE_FOUND, GONE)
        for table in (ways, stray, f'tcp:127.0.0.1:{tables.port}', f'inline:{{joe=x}}', '', f'{aliases} ', f'proxy:{aliases}'):
            assert auth.ask(table, 'joe') == (TABLE_FOUND, TEMP), table
        assert queue.ask(aliases, 'joe') == (TABLE_FOUND, TEMP)
        server.wait_log('auth asks for a table that none of its settings names: ')
        assert not tables.open
        pids = pid_of(server, 'proxymap')
        auth.send(b'\xff\xff\xff\xff')
        assert struct.unpack('<H', auth.socket.recv(100)[:2])[0] == REFUSED
        assert pid_of(server, 'proxymap') == pids and queue.ask(ways, 'joe') == (TABLE_FOUND, OK)
        assert rcpt(server, SENDER).startswith('250')


def test_reload(remote, place):
    """A changed .cf, more tables, none, some again: proxymap alone is replaced, and what it was asked before is still answered."""
    with TableServer('tcp', {'slow@malle.test': SENDER, 'joe@malle.test': SENDER}) as tables:
        table, tcp = sqlite_table(place, 'aliases', {'joe@malle.test': SENDER, 'x': SENDER}), f'tcp:127.0.0.1:{tables.port}'
        settings = {**QUICK, 'mynetworks': '', 'table_timeout': '5s'}
        with relaying(remote, virtual_alias_maps=f'{table}, {tcp}', **{k: settings[k] for k in ('mynetworks', 'table_timeout')}) as server:
            first, auth = pid_of(server, 'proxymap'), pid_of(server, 'auth')
            tables.how = 'silent'
            slow = []
            waiting = threading.Thread(target=lambda: slow.append(rcpt(server, 'slow@malle.test')))
            waiting.start()
            eventually(lambda: 'slow@malle.test' in tables.asked)
            tables.how = 'answer'
            cf = place / 'aliases.cf'
            cf.write_text(cf.read_text().replace("k = '%s'", "k = '%s' AND k != 'joe@malle.test' OR k = 'x' AND '%u' = 'ann'"))
            server.reload()
            server.wait_log('its tables changed')
            eventually(lambda: rcpt(server, 'ann@malle.test').startswith('250'))
            assert len(pid_of(server, 'proxymap')) == 2 and pid_of(server, 'auth') == auth
            tables.answer_pending()
            waiting.join(10)
            assert slow and slow[0].startswith('250'), slow
            eventually(lambda: len(pid_of(server, 'proxymap')) == 1 and pid_of(server, 'proxymap') != first)
            server.write_conf(settings)
            server.reload()
            eventually(lambda: not pid_of(server, 'proxymap'))
            eventually(lambda: rcpt(server, 'ann@malle.test').startswith('550 5.1.1'))
            server.write_conf({**settings, 'virtual_alias_maps': table})
            server.reload()
            eventually(lambda: pid_of(server, 'proxymap'))
            eventually(lambda: rcpt(server, 'ann@malle.test').startswith('250'))
            cf.write_text('dbpath = x\n')
            for command in ('check', 'reload'):
                done = server.malle(command, check=False)
                assert done.returncode == 1 and f'virtual_alias_maps: {table}: query: there is none' in done.stderr
            os.kill(server.process.pid, signal.SIGHUP)
            server.wait_log('the old one stays in force')
            assert rcpt(server, 'ann@malle.test').startswith('250')


def test_busy(remote, place):
    """A server that says nothing has table_connections connections and no more; whoever waits is told 451 in time."""
    with TableServer('tcp', {}) as tables, relaying(remote, virtual_alias_maps=f'tcp:127.0.0.1:{tables.port}', table_timeout='1s',
                                                    table_connections='2', mynetworks='') as server:
        tables.how = 'silent'
        replies = []
        askers = [threading.Thread(target=lambda n=n: replies.append(rcpt(server, f'u{n}@malle.test'))) for n in range(12)]
        begin = time.monotonic()
        for asker in askers:
            asker.start()
        eventually(lambda: len(tables.asked) == 2)
        assert len(tables.open) == 2
        for asker in askers:
            asker.join(20)
        assert len(replies) == 12 and all(reply.startswith('451 4.3.0') for reply in replies)
        assert time.monotonic() - begin < 6


@needs_root
def test_silent_databases(remote, place):
    """libpq and libldap, too, keep to the limit when a server takes the connection and says nothing."""
    with TableServer('socketmap', {}) as nobody:
        pgsql = f"pgsql:{quick_table(place, 'pg', hosts=f'127.0.0.1:{nobody.port}', user='x', dbname='x', query='SELECT 1')}"
        common = {'server_host': f'ldap://127.0.0.1:{nobody.port}', 'search_base': 'dc=x', 'query_filter': '(mail=%s)'}
        ldaps = [f"ldap:{quick_table(place, f'ldap{i}', **common, **more)}" for i, more in enumerate(({'bind': 'no'}, {'bind_dn': 'cn=x'}, {'start_tls': 'yes'}))]
        with relaying(remote, virtual_alias_maps=pgsql, transport_maps=', '.join(ldaps), table_timeout='1s', mynetworks='') as server:
            begin = time.monotonic()
            assert rcpt(server, 'joe@malle.test').startswith('451 4.3.0')
            assert time.monotonic() - begin < 4
            channel = Channel(server, 'queue')
            for table in ldaps:
                begin = time.monotonic()
                assert channel.ask(table, 'joe') == (TABLE_FOUND, TEMP)
                assert time.monotonic() - begin < 4, table


def dns_at(address, records, place):
    """Port 53 is free."""
    with contextlib.suppress(OSError):  # for a moment it may be another server's, on all addresses
        return FakeDns(records, place, (address, 53))


@needs_root
def test_names(place):
    """The name of a server is looked up in the DNS for each connection; while the DNS does not answer, mail waits."""
    resolver = f'127.77.{os.getpid() % 250}.1'  # resolv.conf(5) knows no ports
    (place / 'resolv.conf').write_text(f'nameserver {resolver}\noptions timeout:1 attempts:1\n')
    there, elsewhere = resolver[:-1] + '2', resolver[:-1] + '3'
    records = {('tables.example', 'A'): [there]}
    with eventually(lambda: dns_at(resolver, records, place)) as dns, TableServer('tcp', {'joe@malle.test': SENDER}, address=there) as tables:
        server = Server(conf={'virtual_alias_maps': f'tcp:tables.example:{tables.port}'}, users={SENDER: 'secret'}, start=False)
        server.prefix = ['unshare', '-m', 'sh', '-c', f'mount --bind {place}/resolv.conf /etc/resolv.conf && exec "$@"', 'sh']
        with server:
            server.start()
            assert rcpt(server, 'joe@malle.test').startswith('250')
            tables.stop()
            dns.trouble['tables.example'] = 'fails'
            assert rcpt(server, 'ann@malle.test').startswith('451 4.3.0')
            dns.trouble.clear()
            dns.records['tables.example', 'A'] = [elsewhere]
            with TableServer('tcp', {'new@malle.test': SENDER}, address=elsewhere, port=tables.port):
                eventually(lambda: rcpt(server, 'new@malle.test').startswith('250'), 20, step=0.2)
