"""systemd's own journald takes malle's lines as those of Postfix and Dovecot: by identifier, facility and priority."""
import json
import os

import pytest

from harness import MALLE, eventually
from logworld import JOURNALD, LogWorld, start_malle

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not os.path.exists(JOURNALD), reason='needs root and systemd-journald')


def speak(hello, password):
    """A client that speaks HTTP to port 25, and one with a wrong password."""
    import imaplib
    import socket
    import ssl
    with socket.create_connection(('mail.votre-domaine.com', 25), timeout=30) as s:
        s.recv(1000)
        s.sendall(hello.encode() + b'\r\n')
        s.recv(1000)
    client = imaplib.IMAP4_SSL('mail.votre-domaine.com', 993, ssl_context=ssl.create_default_context())
    try:
        client.login('utilisateur1', password)
    except imaplib.IMAP4.error:
        pass
    client.logout()
    return True


def test_journald():
    with LogWorld(journald=True) as world:
        start_malle(world)
        assert world.python(speak, 'GET / HTTP/1.1', 'faux')
        world.run(MALLE, '-c', '/etc', 'reload')
        world.run('/mnt/bin/postlog', '-p', 'error', '-t', 'postfix/test', 'a test')

        def entries(*match):
            done = world.run('journalctl', '-D', '/run/log/journal', '-o', 'json', 'SYSLOG_FACILITY=2', *match, check=False)
            return [json.loads(line) for line in done.stdout.splitlines()]
        eventually(lambda: len(entries('SYSLOG_IDENTIFIER=dovecot')) >= 1 and len(entries('SYSLOG_IDENTIFIER=postfix/test')) == 1)
        [line] = entries('SYSLOG_IDENTIFIER=postfix/test')
        assert (line['PRIORITY'], line['MESSAGE']) == ('3', 'error: a test')
        [line] = entries('SYSLOG_IDENTIFIER=postfix/smtpd', 'PRIORITY=4')
        assert line['MESSAGE'].startswith('warning: non-SMTP command from ') and line['SYSLOG_PID'] == line['_PID']
        assert any(line['MESSAGE'].startswith('imap-login: Disconnected: ') and line['PRIORITY'] == '6' and 'SYSLOG_PID' not in line
                   for line in entries('SYSLOG_IDENTIFIER=dovecot'))
        assert all(line['SYSLOG_IDENTIFIER'].startswith(('postfix/', 'dovecot')) for line in entries())
        world.stop_malle()
