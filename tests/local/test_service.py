"""malle as a service of systemd: what it tells the service manager, and the unit with its other names."""
import pathlib
import shutil
import socket
import subprocess

import pytest

from harness import MALLE, TOP, Server, eventually

IMPOSSIBLE = 3
UNIT = MALLE.parent / 'malle.service'


class Manager:
    """The socket of NOTIFY_SOCKET, and what was said there."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def heard(self):
        return self.socket.recv(4096).decode()


@pytest.mark.parametrize('abstract', [False, True], ids=['path', 'abstract'])
def test_notifications(monkeypatch, tmp_path, abstract):
    """Ready when every port answers; between RELOADING and READY the new settings are read, good or bad."""
    name = f'malle-notify-{tmp_path.name}' if abstract else str(tmp_path / 'notify')
    manager = Manager('\0' + name if abstract else name)
    monkeypatch.setenv('NOTIFY_SOCKET', '@' + name if abstract else name)
    with Server(users={}) as server:
        assert manager.heard() == 'READY=1'
        server.reload()
        assert [manager.heard() for _ in range(2)] == ['RELOADING=1', 'READY=1\nSTATUS=']
        conf = server.dir / 'malle.conf'
        text = conf.read_text()
        conf.write_text('nonsense\n' + text)
        server.process.send_signal(1)
        assert manager.heard() == 'RELOADING=1' and manager.heard().startswith('READY=1\nSTATUS=the configuration has errors')
        conf.write_text(text)
        server.stop()
        assert manager.heard() == 'STOPPING=1'


def test_a_manager_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv('NOTIFY_SOCKET', str(tmp_path / 'nothing'))
    with Server(users={}) as server:
        assert eventually(lambda: server.status()['ready'])


def systemd(*command):
    done = subprocess.run([TOP / 'tools/peers', 'systemd', *map(str, command)], capture_output=True, text=True, timeout=120)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    return done


def test_the_unit(tmp_path):
    """systemd finds no fault with it, and once it is enabled it answers to postfix and dovecot as well."""
    program = tmp_path / 'malle'
    program.symlink_to(MALLE)
    text = UNIT.read_text()
    installed = text.partition('ExecStart=')[2].partition('malle run')[0]
    units = tmp_path / 'usr/lib/systemd/system'
    units.mkdir(parents=True)
    (tmp_path / 'malle.service').write_text(text.replace(installed, f'{tmp_path}/'))
    shutil.copy(UNIT, units)
    verified = systemd('systemd-analyze', 'verify', '--man=no', '--generators=no', tmp_path / 'malle.service')
    assert (verified.returncode, verified.stderr) == (0, ''), verified
    enabled = systemd('systemctl', f'--root={tmp_path}', 'enable', 'malle')
    assert enabled.returncode == 0, enabled
    etc = tmp_path / 'etc/systemd/system'
    for link in ('postfix.service', 'dovecot.service', 'multi-user.target.wants/malle.service'):
        assert pathlib.Path(etc / link).readlink().name == 'malle.service', link
