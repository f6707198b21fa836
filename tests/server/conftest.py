"""Users of the system that exist for one module's tests."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from system_users import system_users_for_a_while  # noqa: E402


@pytest.fixture(scope='module')
def system_users():
    with system_users_for_a_while() as users:
        yield users
