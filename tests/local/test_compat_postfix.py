"""install-compat, postfix, postlog, postalias and newaliases."""
import os
import pathlib
import pty
import re
import subprocess

import pytest

from harness import MALLE, REPORTS, Server, eventually
from local.programs import Programs

NAMES = {'sendmail', 'mailq', 'newaliases', 'postmap', 'postalias', 'postfix', 'postqueue', 'postsuper', 'postcat', 'postlog',
         'postconf', 'postmulti', 'dovecot', 'doveconf', 'doveadm', 'dovecot-lda', 'deliver'}


# --- install-compat ---

def install(*arguments):
    done = subprocess.run([MALLE, 'install-compat', *arguments], capture_output=True, text=True, env=Programs.environment())
    return done.returncode, done.stdout, done.stderr


def test_links_are_made_once(tmp_path):
    folder = tmp_path / 'a' / 'b'
    status, out, err = install(folder)
    assert (status, err) == (0, '')
    assert {p.name for p in folder.iterdir()} == NAMES
    program = MALLE.resolve()
    assert all(p.is_symlink() and p.resolve() == program for p in folder.iterdir())
    assert sorted(out.splitlines()) == sorted(f'{folder}/{name} -> {program} (made)' for name in NAMES)
    assert install(folder)[1] == out.replace('(made)', '(was there)')
    (folder / 'postfix').unlink()
    (folder / 'postfix').symlink_to('/opt/old/malle')
    assert f'{folder}/postfix -> {program} (changed)\n' in install(folder)[1]
    assert (folder / 'postfix').resolve() == program


def test_what_is_not_ours_stays(tmp_path):
    (tmp_path / 'postqueue').write_text('the real one')
    (tmp_path / 'mailq').symlink_to('/usr/sbin/exim4')
    status, out, err = install(tmp_path)
    assert (status, out) == (1, '')
    assert sorted(err.splitlines()) == [f'malle: {tmp_path}/{name} is no link to malle; nothing was changed; --force replaces it'
                                        for name in ('mailq', 'postqueue')]
    assert {p.name for p in tmp_path.iterdir()} == {'mailq', 'postqueue'}
    assert (tmp_path / 'postqueue').read_text() == 'the real one'
    status, out, err = install('--force', tmp_path)
    assert (status, err) == (0, '') and out.count('(replaced)') == 2
    assert {p.name for p in tmp_path.iterdir()} == NAMES and (tmp_path / 'postqueue').is_symlink()
    (tmp_path / 'postfix').unlink()
    (tmp_path / 'postfix').mkdir()
    assert install('--force', tmp_path)[0] == 1 and (tmp_path / 'postfix').is_dir()
    assert install()[0] == 2 and install(tmp_path, tmp_path)[0] == 2


# --- postfix ---

@pytest.fixture
def malle():
    server = Server(start=False)
    server.write_conf({'log_target': server.dir / 'log'})
    programs = Programs(server)
    yield programs
    programs('postfix', 'stop')
    logged = (server.dir / 'log').read_text() if (server.dir / 'log').exists() else ''
    server.discard()
    assert not any(word in logged for word in REPORTS), logged


def log(malle):
    return (malle.server.dir / 'log').read_text()


def pid(malle):
    return int((malle.server.dir / 'run/master.pid').read_text())


def test_start_and_stop(malle):
    assert malle('postfix', 'status') == (1, '', '')
    assert malle('postfix', 'check') == (0, '', '')
    assert malle('postfix', 'start')[:2] == (0, '')  # it tells of the certificate that it makes
    with malle.server.connect('smtp') as s:  # it answers when start returns
        assert s.recv(100).startswith(b'220 ')
    first = pid(malle)
    assert os.getsid(first) == first
    assert malle('postfix', 'status') == (0, '', '')
    assert malle('postfix', 'start')[0] == 1 and pid(malle) == first
    assert malle('postfix', 'reload') == (0, '', '')
    eventually(lambda: 'reload: done' in log(malle), 20)
    assert malle('postfix', 'flush') == (0, '', '')
    assert malle('postfix', 'stop') == (0, '', '')
    assert malle('postfix', 'status')[0] == malle('postfix', 'stop')[0] == malle('postfix', 'reload')[0] == 1
    assert malle('postfix', 'abort')[0] == 1
    said = re.findall(r' postfix/postfix-script\[\d+\]: (.*)', log(malle))
    down = 'fatal: the Postfix mail system is not running'
    assert said == ['the Postfix mail system is not running', 'starting the Postfix mail system',
                    f'the Postfix mail system is running: PID: {first}', 'fatal: the Postfix mail system is already running',
                    'refreshing the Postfix mail system', 'stopping the Postfix mail system',
                    'the Postfix mail system is not running', down, down, down]


def test_abort(malle):
    assert malle('postfix', 'start')[0] == 0
    assert malle('postfix', 'abort') == (0, '', '')
    eventually(lambda: malle('postfix', 'status')[0] == 1, 20, step=0.2)


def test_start_fg(malle):
    process = malle.start('postfix', 'start-fg', stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == 'malle: ready\n'
        assert pid(malle) == process.pid
        assert malle('postfix', 'stop')[0] == 0
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_start_that_fails(malle):
    malle.server.write_conf({'log_target': malle.server.dir / 'log', 'message_size_limit': 'much'})
    status, out, err = malle('postfix', 'start')
    assert (status, out) == (1, '') and 'message_size_limit' in err
    status, out, err = malle('postfix', 'check')
    assert (status, out) == (1, '') and 'message_size_limit' in err
    malle.server.write_conf({'log_target': malle.server.dir / 'log', 'run_dir': malle.server.dir / 'malle' / 'run'})
    status, out, err = malle('postfix', 'start')  # a folder below a file
    assert (status, out) == (1, '') and str(malle.server.dir / 'malle') in err
    assert log(malle).endswith(': fatal: mail system startup failed\n')


def test_a_terminal_is_told(malle):
    terminal, other = pty.openpty()
    env = malle.environment(MAIL_CONFIG=str(malle.server.dir / 'malle.conf'))
    status = subprocess.run([malle.dir / 'postfix', 'status'], stderr=other, env=env, timeout=30).returncode
    os.close(other)
    assert (status, os.read(terminal, 1000)) == (1, b'postfix/postfix-script: the Postfix mail system is not running\r\n')
    os.close(terminal)


def test_unknown_words(malle):
    status, out, err = malle('postfix', 'begin')
    assert (status, out, err) == (1, '', '') and "fatal: unknown command: 'begin'. Usage: postfix start (or stop" in log(malle)
    assert malle('postfix')[2] == 'postfix: fatal: usage: postfix [-c config_dir] [-Dv] command\n'


def test_dovecot_starts_and_stops_it(malle):
    where = malle.server.dir / 'run/master.pid'
    down = (75, '', f'Fatal: Dovecot is not running (read from {where})\n')
    assert malle('dovecot', 'stop') == malle('dovecot', 'reload') == malle('doveadm', 'stop') == malle('doveadm', 'reload') == down
    assert malle('dovecot')[:2] == (0, '')
    assert malle('dovecot') == (75, '', f'Fatal: Dovecot is already running with PID {pid(malle)} (read from {where})\n')
    assert malle('doveadm', 'reload') == (0, '', '')
    eventually(lambda: 'reload: done' in log(malle), 20)
    assert malle('dovecot', 'stop') == (0, '', '')
    assert malle('dovecot', 'stop') == down
    process = malle.start('dovecot', '-F', stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == 'malle: ready\n'
        assert malle('doveadm', 'stop') == (0, '', '')
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# --- without a server ---

def test_a_queue_without_server(malle):
    assert malle('postqueue', '-p') == (
        0, 'Mail queue is empty\n', 'postqueue: warning: Mail system is down -- accessing queue directly\n')
    for option in (['-f'], ['-i', 'ABC'], ['-s', 'example.com']):
        assert malle('postqueue', *option) == (
            69, '', 'postqueue: fatal: Cannot flush mail queue - mail system is down\n')


def test_postlog(malle):
    assert malle('postlog', 'two', 'words') == (0, '', '')
    assert malle('postlog', '-p', 'warn', '-t', 'backup/disk', '-i', 'full') == (0, '', '')
    assert malle('postlog', '-p', 'PANIC', stdin='one\ntwo\x1b[2J\n') == (0, '', '')
    found = re.findall(r'^\w{3} [ \d]\d \d\d:\d\d:\d\d mail\.malle\.test (.*)\[\d+\]: (.*)$', log(malle), re.M)
    assert found == [('postfix/postlog', 'two words'), ('backup/disk', 'warning: full'), ('postfix/postlog', 'panic: one'),
                     ('postfix/postlog', 'panic: two?[2J')]
    assert malle('postlog', '-p', 'loud', 'x') == (1, '', 'postlog: fatal: bad severity: "loud"\n')


def test_postalias_and_newaliases(malle, tmp_path):
    aliases = tmp_path / 'aliases'
    aliases.write_text('# comment\nPostmaster: root\nlist: joe, ann@example.net,\n   "|/bin/prog -x"\nbroken\n')
    status, out, err = malle('postalias', f'hash:{aliases}')
    assert (status, out) == (0, '') and err.startswith('postalias: warning: ') and 'line 5' in err
    assert malle('postalias', '-q', 'postmaster', f'hash:{aliases}') == (0, 'root\n', '')
    assert malle('postalias', '-q', 'nobody', f'hash:{aliases}') == (1, '', '')
    assert malle('postalias', '-s', aliases)[1].splitlines()[1] == 'postmaster:\troot'
    assert malle('postalias', '-q', '-', aliases, stdin='postmaster\nx\n') == (0, 'postmaster:\troot\n', '')
    assert malle('postalias', '-d', 'postmaster', aliases) == (0, '', '')
    assert malle('postalias', '-q', 'postmaster', aliases) == (1, '', '')
    assert malle('postalias', tmp_path / 'nosuch') == (
        1, '', f'postalias: fatal: open {tmp_path}/nosuch: No such file or directory\n')
    pathlib.Path(f'{aliases}.lmdb').unlink()
    malle.server.write_conf({'alias_maps': f'hash:{aliases}'})
    assert malle('newaliases')[0] == 0
    assert malle('postalias', '-q', 'postmaster', aliases) == (0, 'root\n', '')


def test_postmap_under_its_name(tmp_path, malle):
    (tmp_path / 'table').write_text('a@example.com x\na@example.com y\n')
    status, out, err = malle('postmap', tmp_path / 'table')
    assert (status, out) == (0, '') and err.startswith('postmap: warning: ') and 'duplicate entry: "a@example.com"' in err
    assert malle('postmap', '-q', 'A@example.com', tmp_path / 'table') == (0, 'x\n', '')
    assert malle('postmap', '-s', tmp_path / 'table') == (0, 'a@example.com\tx\n', '')
