"""A folder for each file of tests."""
import os

import pytest

from dovecots import short_folder


@pytest.fixture(scope='module')
def folder():
    with short_folder() as path:
        yield path


@pytest.fixture(scope='module')
def place(folder):
    """The same for tests that only root can perform."""
    if os.geteuid() != 0:
        pytest.skip('needs root')
    return folder
