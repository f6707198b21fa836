"""The settings of local mail."""
import os

import pytest

from harness import Server
from local.conftest import NOBODY, USER, Local
from local.test_sendmail import arrived


def test_another_origin_and_socket():
    with Server(conf={'myorigin': 'origin.example', 'sendmail_socket': 'elsewhere'}) as server:
        local = Local(server)
        assert (server.dir / 'run/elsewhere').is_socket()
        assert local.run('sendmail', '-f', 'root', USER).returncode == 0
        assert 'Return-Path: <root@origin.example>' in arrived(local)


@pytest.mark.skipif(os.geteuid() != 0, reason='becomes another user')
def test_settings_that_the_user_may_not_read(tmp_path):
    """Then the socket is sought where it is by default."""
    with Server(start=False) as server:
        (server.dir / 'malle.conf').chmod(0o600)
        done = Local(server).run('sendmail', USER, uid=NOBODY)
        assert done.returncode == 75 and 'connect to /run/malle/sendmail' in done.stderr


def test_switched_off():
    with Server(conf={'sendmail_socket': ''}) as server:
        done = Local(server).run('sendmail', USER)
        assert done.returncode == 69 and 'sendmail_socket' in done.stderr
