"""Shared by all pytest folders: the harness on the path, and a bound on the time of each test."""
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

TEST_SECONDS = 120


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """A test that hangs fails after its time (mark slow: @pytest.mark.seconds(600))."""
    marker = item.get_closest_marker('seconds')

    def expired(signum, frame):
        raise TimeoutError(f'{item.nodeid} took too long')
    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(marker.args[0] if marker else TEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def pytest_configure(config):
    config.addinivalue_line('markers', 'seconds(n): the test may take n seconds')
