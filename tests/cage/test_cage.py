"""The cage of a mailbox session: one test for each refused system call, each way out, and each thing that a session needs,
with the Landlock rights of ABI 2 and 3 and all that the kernel has. cage_try does the work; here its lines become tests."""
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get('MALLE_BIN', pathlib.Path(__file__).resolve().parents[2] / 'build/malle')).parent
PROGRAM = BUILD / 'tests/cage_try'
ABIS = {'abi2': '2', 'abi3': '3', 'whole': '0'}


def attempts():
    lines = subprocess.run([PROGRAM, '--list'], capture_output=True, text=True, check=True).stdout
    return [line.replace(' ', '-') for line in lines.splitlines()]


@pytest.fixture(scope='session', params=ABIS)
def outcome(request):
    """What cage_try says of each attempt, by name."""
    if os.geteuid() != 0:
        pytest.skip('the cage needs root to change the user')
    run = subprocess.run([PROGRAM, ABIS[request.param]], capture_output=True, text=True, timeout=100)
    found = {}
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(' ')
        name, _, why = rest.partition(': ')
        found[name] = (word, why + '\n' + run.stderr)
    return found


@pytest.mark.parametrize('attempt', attempts())
def test_cage(outcome, attempt):
    word, why = outcome.get(attempt.split('-', 1)[1], ('missing', 'cage_try did not come to it'))
    assert word == 'ok', why
