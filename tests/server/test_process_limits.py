"""What every role does about limits of its process: all descriptors that it may have, and no death by SIGXFSZ."""
import re
import resource
import signal

import pytest

from harness import Server

ROLES = ('smtpd', 'submission', 'login', 'auth', 'mailbox', 'queue')
FEW = 1024
DEFAULT_NEEDS = 19792


@pytest.fixture
def soft_limit():
    """A low soft limit, as systemd and shells set it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= FEW:
        pytest.skip('the hard limit of descriptors is too low')
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def proc(pid, name):
    with open(f'/proc/{pid}/{name}') as f:
        return f.read()


def test_every_role(soft_limit):
    with Server() as server:
        for role in ROLES:
            for pid in server.role_pids(role):
                soft, hard = re.search(r'Max open files +(\w+) +(\w+)', proc(pid, 'limits')).groups()
                assert soft == hard, role
                ignored = int(re.search(r'SigIgn:\s*(\w+)', proc(pid, 'status')).group(1), 16)
                assert ignored >> (signal.SIGXFSZ - 1) & 1, role
        enough = soft_limit == resource.RLIM_INFINITY or soft_limit >= DEFAULT_NEEDS
        assert enough != ('login_process_sessions' in server.log())


def test_more_sessions_than_descriptors(soft_limit):
    if soft_limit == resource.RLIM_INFINITY or soft_limit > 2000000:
        pytest.skip('the hard limit of descriptors is too high')
    with Server({'login_process_sessions': 1000000}) as server:
        assert server.wait_log('login_process_sessions = 1000000 needs 2001792 descriptors')
