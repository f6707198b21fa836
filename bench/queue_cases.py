"""The cases of bench/compare about the queue: mail for a destination that is dead, and what operations cost beside many messages."""
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import time

import servers

TOP = pathlib.Path(__file__).resolve().parent.parent
LOAD, SIZE = TOP / 'build/bench/smtp_load', TOP / 'build/bench/queue_size'
SESSIONS, MESSAGES, QUICK_MESSAGES, LIVE_MESSAGES, LIVE_AFTER_SECONDS = 10, 50_000, 3_000, 100, 2
LIMIT_SECONDS = 1200  # of one program
SIZES, QUICK_SIZES = (1_000, 1_000_000), (1_000, 20_000)

# --- a dead destination ---

DEAD_HEAD = ['| case | server | messages/s accepted | CPU ms a message | MiB of the queue manager | MiB of all processes | MiB on disk | '
             'a message elsewhere p50 ms | p99 ms |', '|---|---|---|---|---|---|---|---|---|']


@contextlib.contextmanager
def silent_destination():
    """A port that answers no SYN: it listens, nobody accepts, and its backlog is full."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(servers.SILENT)
    listener.listen(0)
    pending = []
    try:
        for _ in range(8):
            pending.append(socket.socket())
            pending[-1].setblocking(False)
            pending[-1].connect_ex(servers.SILENT)
        time.sleep(0.2)
        with socket.socket() as probe:
            probe.settimeout(1)
            try:
                probe.connect(servers.SILENT)
                sys.exit('compare: the silent destination answers')
            except TimeoutError:
                pass
        yield
    finally:
        for one in (listener, *pending):
            one.close()


def start_load(server, *options):
    return subprocess.Popen(list(map(str, (LOAD, '--port', server.ports['smtp'], '--cgroup', server.cgroup.path, '--size', 1024,
                                           *options))), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(load):
    try:
        output, errors = load.communicate(timeout=LIMIT_SECONDS)
    except BaseException:
        load.kill()
        raise
    if load.returncode != 0:
        sys.exit(f'compare: {errors}{output}')
    return json.loads(output.splitlines()[-1])


def pss_mib(pid):
    with contextlib.suppress(OSError):  # it has ended
        for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) / 1024
    return 0


def disk_mib(folder):
    done = subprocess.run(['du', '-s', '--block-size=1024', folder], capture_output=True, text=True)
    return int(done.stdout.split()[0]) / 1024


def measure_dead(make, name, messages):
    """A server of its own gets the mail; meanwhile single messages go elsewhere. Its figures."""
    base = servers.new_base()
    server = None
    try:
        server = make(base)
        server.wait_ready()
        empty = disk_mib(server.spool())
        load = start_load(server, '--messages', messages, '--sessions', SESSIONS, '--to', f'user%d@{name}.test')
        time.sleep(LIVE_AFTER_SECONDS)
        live = finish(start_load(server, '--messages', LIVE_MESSAGES, '--sessions', 1, '--to', 'user%d@d1.test', '--users', 1,
                                 '--sink', servers.SINK_PORT, '--each'))
        done = finish(load)
        return {'rate': done['accepted_per_s'], 'cpu': done['cpu_ms_per_message'], 'manager': pss_mib(server.manager()),
                'all': sum(map(pss_mib, server.pids())), 'disk': disk_mib(server.spool()) - empty,
                'p50': live['p50_ms'], 'p99': live['p99_ms']}
    finally:
        if server:
            server.stop()
        servers.remove_base(base)


def run_dead(runs, quick):
    """Lines of the table; prints them as they come."""
    makers = {'malle': servers.Malle, 'Postfix': lambda base: servers.Postfix(base, 'postfix', 28000, '1s'),
              'Postfix, in_flow_delay=0': lambda base: servers.Postfix(base, 'postfix-undelayed', 29000, '0')}
    messages = QUICK_MESSAGES if quick else MESSAGES
    lines = []
    for name, what in (('refusing', 'refuses connections'), ('silent', 'never answers')):
        found = {title: [] for title in makers}
        for _ in range(runs):
            for title, make in makers.items():
                with silent_destination():
                    found[title].append(measure_dead(make, name, messages))
        case = f'{messages:,} messages to a host that {what}'
        for title, list_of in found.items():
            m = {key: statistics.median(one[key] for one in list_of) for key in list_of[0]}
            lines.append(f'| {case} | {title} | {m["rate"]:,.0f} | {m["cpu"]:.2f} | {m["manager"]:.0f} | {m["all"]:.0f} | '
                         f'{m["disk"]:.0f} | {m["p50"]:.1f} | {m["p99"]:.1f} |')
            case = ''
            print(lines[-1], flush=True)
    return lines


# --- many messages ---

SIZE_HEAD = ['| operation of the queue | beside {0:,} messages | beside {1:,} | times as much | CPU ms beside {0:,} | beside {1:,} | '
             'times as much |', '|---|---|---|---|---|---|---|']


def measure_sizes(sizes):
    """What queue_size says of each operation: a list for each, by size."""
    base = servers.new_base()
    try:
        done = subprocess.run([SIZE, '--folder', base, *map(str, sizes)], capture_output=True, text=True, timeout=LIMIT_SECONDS)
    finally:
        servers.remove_base(base)
    if done.returncode != 0:
        sys.exit(f'compare: {done.stderr}{done.stdout}')
    found = {}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        found.setdefault(one['operation'], {})[one['size']] = one
    return found


def times(more, less):
    return f'{more / less:.1f}' if less > 0 else ''


def size_row(operation, few, many):
    if 'value' in few:
        a, b = few['value'], many['value']
        return f'| {operation} | {a:,.1f} | {b:,.1f} | {times(b, a)} | | | |'
    return (f'| {operation} | {few["wall_ms"]:.3f} ms | {many["wall_ms"]:.3f} ms | {times(many["wall_ms"], few["wall_ms"])} | '
            f'{few["cpu_ms"]:.3f} | {many["cpu_ms"]:.3f} | {times(many["cpu_ms"], few["cpu_ms"])} |')


def run_sizes(runs, quick):
    sizes = QUICK_SIZES if quick else SIZES
    all_runs = [measure_sizes(sizes) for _ in range(runs)]
    lines = []
    for operation in all_runs[0]:
        few, many = ({key: statistics.median(run[operation][size][key] for run in all_runs)
                      for key in all_runs[0][operation][size] if key not in ('size', 'operation')} for size in sizes)
        lines.append(size_row(operation, few, many))
        print(lines[-1], flush=True)
    return lines


def size_head(quick):
    return [line.format(*(QUICK_SIZES if quick else SIZES)) for line in SIZE_HEAD]
