"""malle under the names of Postfix's and Dovecot's programs, by links that install-compat makes."""
import os
import shutil
import subprocess

from harness import MALLE


class Programs:
    def __init__(self, server):
        self.server = server
        self.dir = server.dir / 'programs'
        program = server.dir / 'malle'
        if not program.exists():
            shutil.copy(MALLE, program)  # the checkout may be out of reach for other users
        done = subprocess.run([program, 'install-compat', self.dir], capture_output=True, text=True, env=self.environment())
        assert done.returncode == 0, done.stderr

    @staticmethod
    def environment(**more):
        # a command that locks itself into the queue's folder cannot look for leaks
        return dict(os.environ, ASAN_OPTIONS='detect_leaks=0:exitcode=99:handle_abort=1',
                    UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1', **more)

    def start(self, name, *arguments, **more):
        return subprocess.Popen([self.dir / name, *arguments], text=True, stdin=subprocess.DEVNULL,
                                env=self.environment(MAIL_CONFIG=str(self.server.dir / 'malle.conf')), **more)

    def run(self, name, *arguments, stdin='', timeout=60):
        """Its CompletedProcess; the settings are named in the environment."""
        return subprocess.run([self.dir / name, *map(str, arguments)], input=stdin, text=True, capture_output=True, timeout=timeout,
                              env=self.environment(MAIL_CONFIG=str(self.server.dir / 'malle.conf')))

    def __call__(self, name, *arguments, stdin=''):
        done = self.run(name, *arguments, stdin=stdin)
        return done.returncode, done.stdout, done.stderr
