"""A role that sends another what it may not send ends, and the master starts a sound one with new links."""
import contextlib
import imaplib
import smtplib
import struct

import pytest

from harness import Server, eventually
from links import links
from mail import open_imap, send

PASSWORD = 'secret-7'


def use(server, role):
    """Something that makes the role ask others; it may fail while the role ends."""
    try:
        if role == 'login':
            open_imap(server, 'a@malle.test', PASSWORD).logout()
        elif role == 'submission':
            send(server, ['a@malle.test'], 'Subject: x\r\n\r\nx\r\n', sender='a@malle.test', listener='submission',
                 user='a@malle.test', password=PASSWORD)
        elif role == 'smtpd':
            send(server, ['a@malle.test'], 'Subject: x\r\n\r\nx\r\n')
        return True
    except (OSError, EOFError, AssertionError, smtplib.SMTPException, imaplib.IMAP4.error):
        return False


@pytest.mark.parametrize('role', ['smtpd', 'login', 'submission'])
def test_rubbish_on_every_link(role):
    with Server(users={'a@malle.test': PASSWORD}) as server:
        before = server.role_pids(role)
        sent = 0
        for pid in before:
            for link in links(pid):
                with link, contextlib.suppress(BrokenPipeError):
                    sent += link.send(struct.pack('<HHI', 9999, 0, 0))
        assert sent

        def is_replaced():
            use(server, role)
            now = server.role_pids(role)
            return now and not set(now) & set(before)
        eventually(is_replaced, 15)
        assert server.wait_log('refused a malformed message of this one: ending')
        eventually(lambda: use(server, role), 10)
