"""malle check, config, status and stop on a server that runs, does not run, or has a broken file."""
import json
import os
import re
import subprocess
import time

import pytest

from harness import DOMAIN, MALLE, Server, eventually
from mail import open_imap, send

USERS = {'joe@malle.test': 'joes'}


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS) as s:
        yield s


@pytest.fixture
def idle():
    """Settings without a server."""
    s = Server(users={}, start=False)
    with s:
        yield s


def run(server, *arguments):
    done = server.malle(*arguments, check=False)
    return done.returncode, done.stdout, done.stderr


def test_status_as_text_and_json(server):
    status, out, err = run(server, 'status')
    assert (status, err) == (0, '') and re.match(r'malle [\d.]+, master process \d+, all roles run\n', out)
    found = json.loads(run(server, 'status', '--json')[1])
    assert found['ready'] and found['pid'] == server.process.pid
    assert {'auth', 'login', 'mailbox', 'queue', 'smtpd', 'submission'} <= {role['role'] for role in found['roles']}
    for role in found['roles']:
        assert role['ready'] and role['restarts'] == 0 and role['uptime_s'] >= 0
        os.kill(role['pid'], 0)
        assert role['role'] in out


def test_status_lists_sessions_and_restarts(server):
    client = open_imap(server, 'joe@malle.test', 'joes', mailbox='INBOX')
    assert any(child['title'].startswith('imap joe@malle.test ') for role in server.status()['roles'] for child in role['children'])
    client.logout()
    pids = server.kill_role('queue')
    server.wait_role('queue', other_than=pids)
    [queue] = [role for role in server.status()['roles'] if role['role'] == 'queue']
    assert queue['restarts'] == 1


def test_commands_without_a_server(idle):
    for command in ('status', 'reload', 'stop'):
        status, out, err = run(idle, command)
        assert status == 1 and out == '' and err.startswith('malle: no server ') and err.count('\n') == 1, err


@pytest.mark.parametrize('arguments', [
    [], ['nonsense'], ['check', 'x'], ['config', '--nonsense'], ['status', 'x'], ['reload', 'x'], ['stop', 'x'], ['run', 'x'],
    ['user'], ['user', 'nonsense'], ['user', 'add'], ['--set'], ['--set', 'x', 'check'], ['-c']])
def test_wrong_usage_is_status_2(idle, arguments):
    done = subprocess.run([MALLE, *(['-c', idle.dir / 'malle.conf'] if arguments[:1] != ['-c'] else []), *arguments],
                          capture_output=True, text=True, timeout=20, env=Server.environment(leaks=1))
    assert done.returncode == 2, done
    assert done.stderr.startswith('malle: ') or 'usage' in done.stderr
    assert done.stdout == ''


BROKEN = f"""hostname = mail.{DOMAIN}
domain = {DOMAIN}
message_size_limit = lots
auth_failure_delay = 5
login_processes = 0
[listener smtp]
prot = 25
[nonsense]
just text
"""


def test_check_tells_all_errors_at_once(idle):
    path = idle.dir / 'malle.conf'
    path.write_text(BROKEN)
    status, out, err = run(idle, 'check')
    assert status == 1 and out == ''
    numbers = [int(number) for number in re.findall(rf'^{re.escape(str(path))}:(\d+): ', err, re.M)]
    assert {2, 3, 5, 7, 8, 9} <= set(numbers) and numbers == sorted(numbers), err
    assert 'domains' in err and 'port' in err
    issues = json.loads(run(idle, 'check', '--json')[1])
    assert [issue['line'] for issue in issues if issue['line']] == [n for n in numbers if n]
    for command in ('run', 'status', 'config'):
        status, _, err = run(idle, command)
        assert status == 1 and f'{path}:2: ' in err and f'{path}:9: ' in err, err


def test_check_of_a_good_file_is_silent(server):
    assert run(server, 'check') == (0, '', '')
    assert json.loads(run(server, 'check', '--json')[1]) == []


def test_a_file_that_is_not_there(idle):
    (idle.dir / 'malle.conf').unlink()
    status, out, err = run(idle, 'check')
    assert status == 1 and 'malle.conf' in err


def test_config_shows_what_differs_and_where(server):
    status, out, err = run(server, 'config')
    assert (status, err) == (0, '')
    assert re.search(rf'(?m)^hostname = mail\.{DOMAIN}\s+# {re.escape(str(server.dir))}/malle\.conf:1$', out), out
    assert 'message_size_limit' not in out
    shown = json.loads(run(server, 'config', '--json')[1])
    assert any(entry.get('name') == 'hostname' and entry.get('line') == 1 for entry in shown), shown
    status, out, err = run(server, '--set', 'message_size_limit=1M', 'config')
    assert status == 0 and re.search(r'(?m)^message_size_limit = 1M\b', out), out


def test_stop_ends_every_process():
    s = Server(users=USERS)
    session = open_imap(s, 'joe@malle.test', 'joes', mailbox='INBOX')
    send(s, ['joe@malle.test'], 'Subject: x\r\n\r\nx\r\n')
    group = s.process.pid
    found = s.status()
    pids = [group] + [role['pid'] for role in found['roles']] + [c['pid'] for role in found['roles'] for c in role['children']]
    assert len(pids) >= 9
    with s:
        begun = time.monotonic()
        s.malle('stop')
        assert time.monotonic() - begun < 3
        process, s.process = s.process, None
        assert process.wait(5) == 0
        eventually(lambda: not any(is_running(pid) for pid in pids), 3)
        assert not (s.dir / 'run/control').exists()
        s.assert_clean()
        s.start()
        assert len(s.messages('joe@malle.test')) == 1
        del session


def is_running(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_two_servers_do_not_share_a_run_dir(server):
    status, _, err = run(server, 'run')
    assert status == 1 and 'run' in err
    assert run(server, 'status')[0] == 0
