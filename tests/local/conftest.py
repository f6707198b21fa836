"""A server, and programs of local users that send mail through it."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import DOMAIN, MALLE, Server  # noqa: E402

USER, OTHER = f'demo@{DOMAIN}', f'other@{DOMAIN}'
NOBODY = 65534  # the uid of `nobody` in every Debian


class Local:
    """A server beside which sendmail and its brothers lie, as `meson install` puts them."""

    def __init__(self, server):
        self.server = server
        shutil.copy(MALLE, server.dir / 'malle')  # the checkout may be out of reach for other users
        for name in ('sendmail', 'mailq', 'newaliases'):
            (server.dir / name).symlink_to('malle')

    def run(self, program, *arguments, message='Subject: hello\n\nbody\n', uid=None):
        """Its CompletedProcess. uid: whom it runs as, without any right of this user's."""
        command = [self.server.dir / program, '-C', self.server.dir / 'malle.conf', *arguments]
        if uid is not None:
            command = ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups', '--no-new-privs', *command]
        return subprocess.run(command, input=message, text=True, capture_output=True, timeout=30, cwd='/',
                              env=self.server.environment(leaks=int(program == 'sendmail' and '-bp' not in arguments and '-q' not in str(arguments))))


@pytest.fixture(scope='module')
def local():
    conf = {'trusted_users': 'daemon', 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms'}
    with Server(conf=conf, users={USER: 'demo', OTHER: 'other'}) as server:
        yield Local(server)
