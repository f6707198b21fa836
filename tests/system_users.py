"""Users of the system that exist for one module's tests, and a PAM service that knows their passwords."""
import contextlib
import itertools
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest


NUMBERS = itertools.count()


class SystemUsers:
    """Makes users with useradd; their homes lie in a folder of their own."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='malle-homes-'))
        self.top.chmod(0o755)
        self.service = f'malle-test-{os.getpid()}-{next(NUMBERS)}'
        self.names, self.groups = [], []
        pathlib.Path('/etc/pam.d', self.service).write_text('auth required pam_unix.so\naccount required pam_unix.so\n')

    def add(self, password='secret', home=True, **options):
        """A new user, without password None; options are useradd's long ones (uid='700', groups='a,b')."""
        name = f'mt{os.getpid()}x{next(NUMBERS)}'
        extra = [word for key, value in options.items() for word in (f'--{key}', str(value))]
        subprocess.run(['useradd', '--home-dir', self.top / name,
                        *(('--create-home', '--skel', '/nonexistent') if home else ('--no-create-home',)),
                        '--shell', '/bin/false', *extra, name], check=True)
        self.names.append(name)
        if password is not None:
            subprocess.run(['chpasswd'], input=f'{name}:{password}\n', text=True, check=True)
        return pwd.getpwnam(name)

    def add_group(self):
        name = f'mg{os.getpid()}x{len(self.groups)}'
        subprocess.run(['groupadd', name], check=True)
        self.groups.append(name)
        return name

    def remove(self):
        for name in self.names:
            subprocess.run(['userdel', name], check=False, capture_output=True)
        for name in self.groups:
            subprocess.run(['groupdel', name], check=False, capture_output=True)
        pathlib.Path('/etc/pam.d', self.service).unlink()
        shutil.rmtree(self.top)


@contextlib.contextmanager
def system_users_for_a_while():
    """Skips without root."""
    if os.geteuid() != 0:
        pytest.skip('needs root: makes users of the system')
    users = SystemUsers()
    try:
        yield users
    finally:
        users.remove()
