#!/usr/bin/python3
"""Runs the tests; ./test does the set-up before it.

    ./test                      every part, at reduced counts, under AddressSanitizer and UBSan
    ./test full                 also the plain and the TSan build, fuzzing, and the full counts
    ./test unit [NAME]          one part (lint, unit, replay, wire, clients, faults, cage, guide...) or some of it:
    ./test wire smtp/data       one transcript; ./test unit conf/test_native one program
    ./test fuzz NAME SECONDS    libFuzzer on one target
"""
import concurrent.futures
import functools
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
TESTS = TOP / 'tests'
BY_FILE = {'faults', 'peers', 'relay', 'server'}  # folders whose files run beside each other
# What is begun first, so that nothing long is left for the end.
LONG = ['unit', 'peers/test_databases', 'relay/test_proxymap', 'faults/test_power_cut', 'relay/test_maps', 'relay/test_relay', 'logs', 'guide',
        'server/test_gate', 'wire', 'net', 'local']
NO_PYTEST = {'unit', 'fuzz', 'corpus'}
ASAN, PLAIN, TSAN, FUZZ = 'build-asan', 'build', 'build-tsan', 'build-fuzz'
# Built and started quickly: with the tables of the sanitizers at fixed places a process has not 300,000 pointers to adjust first.
QUICK = ['-Doptimization=1', '-Db_pie=false', '-Db_staticpic=false', '-Dc_args=-g1 -fno-pie', '-Dc_link_args=-no-pie']
OPTIONS = {PLAIN: [], ASAN: ['-Db_sanitize=address,undefined', *QUICK], TSAN: ['-Db_sanitize=thread'],
           FUZZ: ['-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dfuzz=true', '-Dc_args=-fsanitize=fuzzer-no-link']}
WHOLE_MESSAGES = {'check_stream', 'downgrade', 'mime', 'mime_walk'}  # targets that take whole messages: tests/corpus is replayed too
FUZZ_SECONDS = 10  # each target in ./test full
THREADED = {'unit', 'relay', 'server', 'faults', 'clients', 'net', 'wire'}  # what runs the roles that have threads, for the sanitizer of threads


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()

    def add(self, passed, failed, skipped=0):
        with self.lock:
            self.add_locked(passed, failed, skipped)

    def add_locked(self, passed, failed, skipped):
        if os.environ.get('CI') and skipped:
            print(f'{skipped} skipped: a failure in CI')
            failed, skipped = failed + skipped, 0
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def run(command, seconds, env=None, show=False):
    """(exit status, output) of a command that is killed, with all it started, when its time is up."""
    process = subprocess.Popen(command, stdout=None if show else subprocess.PIPE, stderr=subprocess.STDOUT, cwd=TOP,
                               text=True, errors='replace', stdin=subprocess.DEVNULL, start_new_session=True,
                               env={**os.environ, **(env or {})})
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output or ''
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 1, f'{output or ""}\n{command[0]}: not done after {seconds} s\n'
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@functools.cache
def in_memory():
    """What is put in front of a test's command, that it has a /tmp of its own in memory, where syncs take no time; nothing where that cannot be.
    ./test full works on the disk."""
    prefix = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"', 'sh']
    can = os.geteuid() == 0 and pathlib.Path('/tmp') not in TOP.parents and run([*prefix, 'true'], 10)[0] == 0
    return prefix if can and sys.argv[1:] != ['full'] else []


def build(folder, purpose='test'):
    """purpose: of tools/setup; start makes the program alone."""
    env = {'CC': 'clang'} if folder == FUZZ else {}
    status, _ = run([TOP / 'tools/setup', purpose, folder, *OPTIONS[folder]], 1800, env, show=True)
    if status:
        print('0 passed, 1 failed')
        sys.exit(1)


def one(count, title, status, output):
    """A test that is a whole program."""
    count.add(status == 0, status != 0)
    if status:
        print(f'FAILED {title}\n{output}')


# --- the parts ---

def lint(count, only=None):
    sources = sorted(str(p) for folder in ('src', 'tests', 'bench') for p in (TOP / folder).rglob('*.[ch]'))
    checks = {'layers': [TOP / 'tools/layers'], 'settings': [TOP / 'tools/options', '--check'],
              'unused settings': [TOP / 'tools/options', '--unused'], 'parameters': [TOP / 'tools/params', '--check'],
              'rfc': [TOP / 'tools/rfc', '--check'], 'ipc': [TOP / 'tools/ipc', '--check']}
    for title, command in checks.items():
        if only in (None, title):
            one(count, title, *run(command, 120))
    formatter = clang_format()
    if formatter and only in (None, 'format'):
        status, output = run([formatter, '--dry-run', '-Werror', *sources], 120)
        files = sorted(set(re.findall(r'^(\S+?):\d+:\d+: error', output, re.M)))
        one(count, 'format', status, '\n'.join(files) + f'\nrun {formatter} -i on them')


def clang_format():
    """The one version whose output the sources have; others differ."""
    for name in ('clang-format-14', 'clang-format'):
        there = subprocess.run(['sh', '-c', f'command -v {name} && {name} --version'], capture_output=True, text=True)
        if there.returncode == 0 and 'version 14.' in there.stdout:
            return name
    return None


def listed(path, pattern):
    return re.findall(pattern, (TESTS / path).read_text(), re.M)


def program_of(name, folder, shared, prefix=''):
    """The program that has a suite or a fuzz target: the one for most of them, or its own (tests/meson.build)."""
    alone = listed('meson.build', r"^\s*'([\w/]+)',$")
    return TOP / folder / 'tests' / (prefix + name.replace('/', '_') if name in alone else shared)


def suite(count, name, folder):
    status, output = run([*in_memory(), program_of(name, folder, 'suites'), name], 120)
    passed = sum(map(int, re.findall(r'^\[  PASSED  \] (\d+) test', output, re.M)))
    failed = sum(map(int, re.findall(r'^\[  FAILED  \] (\d+) test', output, re.M)))
    failed = failed or int(status != 0 or passed == 0)  # a crash, or a sanitizer's report at the end
    count.add(passed, failed)
    if failed:
        print(f'FAILED {folder}/{name}\n{output}')


def unit(count, only=None, folder=ASAN):
    """Those that take long wait for time to pass."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        names = [name for name in listed('unit/meson.build', r"^\s*'(\w+/test_\w+)'") if not only or only in name]
        list(pool.map(lambda name: suite(count, name, folder), names))


def replay(count, only=None, folder=ASAN):
    for name in listed('fuzz/meson.build', r"^\s*'(\w+)',"):
        if only in (None, name):
            corpora = [TESTS / 'fuzz/corpus' / name]
            if name in WHOLE_MESSAGES:
                corpora += sorted(p for p in (TESTS / 'corpus').rglob('*') if p.is_dir())
            one(count, f'replay {name}', *run([program_of(name, folder, 'replay', 'replay_'), name, *corpora], 120))


def fuzz(count, name, seconds):
    if name not in listed('fuzz/meson.build', r"^\s*'(\w+)',"):
        sys.exit(f'test: there is no fuzz target "{name}"; see tests/fuzz/meson.build')
    found = TOP / FUZZ / 'corpus' / name
    found.mkdir(parents=True, exist_ok=True)
    one(count, f'fuzz {name}', *run(
        [TOP / FUZZ / 'tests' / f'fuzz_{name}', f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048',
         f'-artifact_prefix={TOP / FUZZ}/{name}-', '-print_final_stats=1', found, TESTS / 'fuzz/corpus' / name],
        int(seconds) + 120))


def pytest_folders():
    return sorted(p.name for p in TESTS.iterdir() if p.is_dir() and p.name not in NO_PYTEST and
                  (any(p.rglob('test_*.py')) or any(p.rglob('*.t'))))


def pytest_paths(part, only):
    if not only:
        return [TESTS / part]
    base = TESTS / part / only
    for path in (base, base.with_name(base.name + '.t'), base.with_name(base.name + '.py'),
                 base.with_name(f'test_{base.name}.py')):
        if path.exists():
            return [path]
    sys.exit(f'test: there is no tests/{part}/{only}')


def pytest(count, part, only=None, folder=ASAN, full=False):
    name = f'{part}-{only}' if only else part
    report = TOP / folder / f'pytest-{name.replace("/", "-")}.xml'
    report.unlink(missing_ok=True)
    status, output = run(
        [*in_memory(), '/usr/bin/python3', '-m', 'pytest', '-q', '-rfEs', '-c', TESTS / 'pytest.ini', '--rootdir', TESTS,
         f'--junitxml={report}', *pytest_paths(part, only)],
        3000 if full else 560, {'MALLE_BIN': str(TOP / folder / 'malle'), 'PYTHONDONTWRITEBYTECODE': '1',
                                **({'MALLE_TEST_FULL': '1'} if full else {})})
    if not report.exists():
        one(count, f'{folder} {part}', status or 1, output)
        return
    suite = ElementTree.parse(report).getroot().find('testsuite')
    tests, skipped = int(suite.get('tests')), int(suite.get('skipped'))
    bad = int(suite.get('failures')) + int(suite.get('errors'))
    count.add(max(tests - bad - skipped, 0), bad or int(status not in (0, 5)), skipped)
    if status not in (0, 5):
        print(f'FAILED {folder} {part}\n{output}')
    elif skipped:
        print('\n'.join(line for line in output.splitlines() if line.startswith('SKIPPED')))


def timed(title, part, *arguments):
    begin = time.monotonic()
    part(*arguments)
    print(f'{title}: {time.monotonic() - begin:.1f} s', flush=True)


def beside_each_other(parts):
    """Most parts wait for servers now and then."""
    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 1) + 2) as pool:
        for done in [pool.submit(timed, *part) for part in parts]:
            done.result()


def of_build(count, folder, full=False):
    """Every part that runs a build's programs, the longest first."""
    label = '' if folder == ASAN else f'{folder} '
    parts = [('unit', unit, count, None, folder)]
    for part in pytest_folders():
        files = sorted(p.stem for p in (TESTS / part).glob('test_*.py')) if part in BY_FILE else [None]
        parts += [(f'{part}/{only}' if only else part, pytest, count, part, only, folder, full) for only in files]
    parts.sort(key=lambda part: LONG.index(part[0]) if part[0] in LONG else len(LONG))
    return [(label + title, *rest) for title, *rest in parts]


def everything(count, full):
    build(PLAIN, 'test' if full else 'start')
    build(ASAN)
    for folder in (TSAN, FUZZ) if full else ():
        build(folder, 'full')
    parts = [('lint', lint, count), ('replay', replay, count), *of_build(count, ASAN, full)]
    if full:
        parts.sort(key=lambda part: not part[0].startswith('faults'))  # by far the longest
        parts += of_build(count, PLAIN)
        parts += [part for part in of_build(count, TSAN) if part[0].split()[-1].split('/')[0] in THREADED]
        parts += [(f'fuzz {name}', fuzz, count, name, FUZZ_SECONDS) for name in listed('fuzz/meson.build', r"^\s*'(\w+)',")]
    beside_each_other(parts)


def some(count, part, only):
    """One part by its name."""
    simple = {'lint': lint, 'unit': unit, 'replay': replay}
    if part not in simple and part not in pytest_folders():
        sys.exit(f'test: there is no part "{part}"; there are {", ".join([*simple, *pytest_folders(), "fuzz", "full"])}')
    if part != 'lint':
        build(ASAN)
    if part in simple:
        timed(part, simple[part], count, only)
    else:
        timed(part, pytest, count, part, only)


def main(arguments):
    count = Count()
    if arguments[:1] == ['fuzz'] and len(arguments) == 3 and arguments[2].isdigit():
        build(FUZZ, 'full')
        timed('fuzz', fuzz, count, *arguments[1:])
    elif not arguments or arguments == ['full']:
        everything(count, bool(arguments))
    elif len(arguments) <= 2 and arguments[0] not in ('fuzz', 'full') and arguments[0][0] != '-':
        some(count, *(arguments + [None])[:2])
    else:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    skipped = f', {count.skipped} skipped' if count.skipped else ''
    print(f'{count.passed} passed, {count.failed} failed{skipped}')
    sys.exit(1 if count.failed or not count.passed else 0)


main(sys.argv[1:])
