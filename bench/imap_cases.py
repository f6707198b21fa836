"""The cases of bench/compare over IMAP: single commands on a large mailbox, and many sessions at work. Dovecot has the same files."""
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import imap_mail
import servers

TOP = pathlib.Path(__file__).resolve().parent.parent
LOAD = TOP / 'build/bench/imap_load'
LIMIT_SECONDS = 1800  # of one program
MESSAGES, QUICK_MESSAGES, COPIES = 10_000, 2_000, 10_000
LARGE = f'user{servers.USERS}'  # whose INBOX the single commands work on
SESSION_USERS, SESSION_MESSAGES = 50, 200
INDEX_FILES = ('malle.index*', 'dovecot.index*', 'dovecot.list.index*', 'dovecot-uidlist*', 'dovecot-keywords', 'dovecot.mailbox.log*')


def load(server, *options, service='imap'):
    """What the load generator reports."""
    command = [LOAD, '--port', server.ports[service], '--password', servers.PASSWORD, '--cgroup', server.cgroup.path, *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=LIMIT_SECONDS)
    if done.returncode != 0:
        sys.exit(f'compare: {server.name}: {done.stderr}{done.stdout}')
    return json.loads(done.stdout.splitlines()[-1])


def running(base, tuned):
    there = {'malle': servers.Malle(base), 'Dovecot': servers.Dovecot(base)}
    if tuned:
        there['Dovecot, tuned'] = servers.Dovecot(base, 'dovecot-tuned', 30000, servers.DOVECOT_TUNED)
    for server in there.values():
        server.wait_ready()
    return there


def with_servers(tuned, work):
    """What work(servers by name) returns, in a new folder."""
    base, there = servers.new_base(), {}
    try:
        there = running(base, tuned)
        return work(there)
    finally:
        for server in there.values():
            server.stop()
        servers.remove_base(base)


# --- single commands ---

COMMANDS_HEAD = ['| command | malle ms | Dovecot ms | times as fast | malle CPU ms | Dovecot CPU ms | a part of the CPU |',
                 '|---|---|---|---|---|---|---|']


def forget(server):
    """Leaves nothing but the messages: the next SELECT is of a mailbox that nobody has seen."""
    for pattern in INDEX_FILES:
        for path in (server.mail / LARGE / 'Maildir').glob(pattern):
            path.unlink()


def ratio(theirs, ours):
    return f'{theirs / ours:.1f}' if ours > 0 else ''


def command_rows(found):
    """found: by server, a list of runs. Lines of the table, and last the geometric mean of the ratios."""
    lines, ratios = [], []
    for i, step in enumerate(found['malle'][0]):
        ours, theirs = ({key: statistics.median(run[i][key] for run in found[name]) for key in ('ms', 'cpu_ms')} for name in ('malle', 'Dovecot'))
        ratios.append(theirs['ms'] / ours['ms'])
        lines.append(f'| {step["step"]} | {ours["ms"]:,.1f} | {theirs["ms"]:,.1f} | {ratios[-1]:.1f} | {ours["cpu_ms"]:,.1f} | '
                     f'{theirs["cpu_ms"]:,.1f} | {ratio(theirs["cpu_ms"], ours["cpu_ms"])} |')
    lines.append(f'| geometric mean | | | {math.exp(statistics.fmean(map(math.log, ratios))):.1f} | | | |')
    return lines


def run_commands(runs, messages):
    """Lines of the table."""
    def work(there):
        found = {name: [] for name in there}
        imap_mail.fill([server.mail / LARGE / 'Maildir' for server in there.values()], servers.OWNER, messages)
        os.sync()
        for run in range(1, runs + 1):
            for name, server in there.items():
                forget(server)
                report = load(server, '--work', 'commands', '--user', f'{LARGE}@{servers.DOMAIN}', '--run', run, '--copies', min(COPIES, messages))
                found[name].append(report['steps'])
                time.sleep(1)  # the session's process ends, and what the disk still writes is not the next one's
        return command_rows(found)
    return with_servers(False, work)


# --- many sessions ---

SESSIONS_HEAD = ['| work | server | per second | CPU ms each | p50 ms | p99 ms | times the rate | a part of the CPU |', '|---|---|---|---|---|---|---|---|']
MIXED = ['--work', 'mixed', '--sessions', 50, '--users', SESSION_USERS]
SESSION_CASES = [  # title, service, options, how many for Dovecot
    ('LOGIN and LOGOUT, 10 sessions', 'imap', ['--work', 'logins', '--users', SESSION_USERS], 400),
    ('LOGIN and LOGOUT over TLS, 10 sessions', 'imaps', ['--work', 'logins', '--users', SESSION_USERS, '--tls', 'implicit'], 300),
    ('mixed commands, 50 sessions that log out after 10', 'imap', MIXED, 5_000),
    ('mixed commands, 50 sessions that stay', 'imap', [*MIXED, '--stay', 0], 20_000),
    ('mixed commands over TLS, 50 sessions that stay', 'imaps', [*MIXED, '--stay', 0, '--tls', 'implicit'], 20_000),
    ('APPEND, 1 KiB, 10 sessions', 'imap', ['--work', 'append', '--users', SESSION_USERS, '--size', 1024], 3_000),
    ('APPEND, 10 KiB, 10 sessions', 'imap', ['--work', 'append', '--users', SESSION_USERS, '--size', 10240], 3_000),
    ('APPEND, 100 KiB, 10 sessions', 'imap', ['--work', 'append', '--users', SESSION_USERS, '--size', 102400], 2_000),
]


def session_rows(title, found):
    medians = {name: {key: statistics.median(run[key] for run in list_of) for key in ('per_s', 'cpu_ms_each', 'p50_ms', 'p99_ms')}
               for name, list_of in found.items()}
    ours, lines = medians['malle'], []
    for name, m in medians.items():
        ratios = ' | ' if m is ours else f'{ours["per_s"] / m["per_s"]:.1f} | {ratio(m["cpu_ms_each"], ours["cpu_ms_each"])}'
        lines.append(f'| {"" if lines else title} | {name} | {m["per_s"]:,.0f} | {m["cpu_ms_each"]:.2f} | {m["p50_ms"]:.1f} | {m["p99_ms"]:.1f} | {ratios} |')
    return lines


def run_sessions(runs, quick):
    """Lines of the table; prints them as they come."""
    def work(there):
        lines = []
        for user in range(1, SESSION_USERS + 1):
            imap_mail.fill([server.mail / f'user{user}' / 'Maildir' for server in there.values()], servers.OWNER, SESSION_MESSAGES, user)
        for title, service, options, count in SESSION_CASES:
            found = {name: [] for name in there}
            for _ in range(runs):
                for name, server in there.items():
                    found[name].append(load(server, *options, '--count', count // (4 if quick else 1), service=service))
            new = session_rows(title, found)
            print(*new, sep='\n', flush=True)
            lines += new
        return lines
    return with_servers(True, work)
