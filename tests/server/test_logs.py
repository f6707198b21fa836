"""Log lines as existing tools expect them, one id through all roles, and never a password or a message's text."""
import json
import os
import re

import pytest

from harness import Server, eventually
from mail import connect_smtp, open_imap, open_pop3, send, try_rcpt

USER, PASSWORD = 'joe@malle.test', 'PASSWORD-MARK-1'
USERS = {USER: PASSWORD, 'ann@malle.test': 'PASSWORD-MARK-2'}
SECRETS = ('PASSWORD-MARK', 'CONTENT-MARK', 'UEFTU1dPUkQtTUFSSy', 'BBU1NXT1JELU1BUks', 'QQVNTV09SRC1NQVJL')  # and in base64
MESSAGE = 'Message-ID: <one@client.example>\r\nSubject: CONTENT-MARK subject\r\n\r\nCONTENT-MARK text\r\n'
STAMP = r'^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d mail\.malle\.test malle/'


@pytest.fixture(scope='module')
def server():
    with Server(users=USERS) as s:
        yield s


def use_everything(server):
    """Mail in and out over every protocol, with right and wrong passwords."""
    code, text = send(server, list(USERS), MESSAGE)
    assert code == 250
    send(server, [USER], MESSAGE, listener='lmtp')
    send(server, [USER], MESSAGE, sender=USER, listener='submissions', user=USER, password=PASSWORD)
    try_rcpt(server, 'someone@example.net')
    with connect_smtp(server, 'submissions') as client:
        with pytest.raises(Exception):
            client.login(USER, 'PASSWORD-MARK-wrong')
        client.docmd('PASSWORD-MARK-unknown-command')
    for opens in (open_imap, open_pop3):
        opens(server, USER, PASSWORD).logout() if opens is open_imap else opens(server, USER, PASSWORD).quit()
        with pytest.raises(Exception):
            opens(server, USER, 'PASSWORD-MARK-wrong')
    client = open_imap(server, USER, PASSWORD, mailbox='INBOX')
    client.append('INBOX', '', None, b'Subject: CONTENT-MARK\r\n\r\nCONTENT-MARK\r\n')
    client.search(None, 'TEXT', 'CONTENT-MARK')
    client.logout()
    return text.split()[-1]


def lines_with(server, text):
    return [line for line in server.lines if text in line]


def test_one_id_through_all_roles(server):
    id = use_everything(server)
    lines = [line.partition('malle/')[2] for line in lines_with(server, f': {id}: ')]
    assert {line.partition('[')[0] for line in lines} == {'smtpd', 'deliver'}
    patterns = [rf'smtpd\[\d+\]: {id}: client=\w+\[127\.0\.0\.1\]$',
                rf'smtpd\[\d+\]: {id}: message-id=<one@client\.example>$',
                rf'smtpd\[\d+\]: {id}: from=<stranger@example\.org>, size=\d+, nrcpt=2 \(.*\)$',
                rf'deliver\[\d+\]: {id}: saved to INBOX of joe@malle\.test$',
                rf'smtpd\[\d+\]: {id}: removed$',
                rf'smtpd\[\d+\]: {id}: to=<joe@malle\.test>, relay=virtual, delay=[\d.]+, delays=([\d.]+/){{3}}[\d.]+, '
                r'dsn=2\.0\.0, status=sent \(.*\)$']
    for pattern in patterns:
        assert sum(bool(re.match(pattern, line)) for line in lines) == 1, pattern
    for user in USERS:
        assert any(re.search(rf' id {id}[;\n]', path.read_text()) for path in server.messages(user))


@pytest.mark.parametrize('pattern', [
    r'smtpd\[\d+\]: connect from \w+\[127\.0\.0\.1\]$',
    r'smtpd\[\d+\]: disconnect from \w+\[127\.0\.0\.1\] ehlo=1 mail=1 rcpt=0/1.* commands=\d+/\d+$',
    r'smtpd\[\d+\]: NOQUEUE: reject: RCPT from \w+\[127\.0\.0\.1\]: 554 5\.7\.1 <someone@example\.net>: Relay access denied; '
    r'from=<stranger@example\.org> to=<someone@example\.net> proto=ESMTP helo=<client\.example>$',
    r'submission\[\d+\]: warning: \w+\[127\.0\.0\.1\]: SASL PLAIN authentication failed: .*, sasl_username=joe@malle\.test$',
    r'submission\[\d+\]: \w+: client=\w+\[127\.0\.0\.1\], sasl_method=PLAIN, sasl_username=joe@malle\.test$',
    r'login\[\d+\]: imap-login: Login: user=<joe@malle\.test>, method=PLAIN, rip=127\.0\.0\.1, lip=127\.0\.0\.1, mpid=\d+, '
    r'TLS, session=<[^>]+>$',
    r'login\[\d+\]: imap-login: .*\(auth failed, 1 attempts in \d+ secs\): user=<joe@malle\.test>, method=PLAIN, '
    r'rip=127\.0\.0\.1, lip=127\.0\.0\.1, TLS, session=<[^>]+>$',
    r'login\[\d+\]: pop3-login: Login: user=<joe@malle\.test>, method=PLAIN, rip=127\.0\.0\.1, .*$',
    r'login\[\d+\]: pop3-login: .*\(auth failed, 1 attempts in \d+ secs\): user=<joe@malle\.test>, .*$',
])
def test_shapes_of_postfix_and_dovecot(server, pattern):
    if not lines_with(server, 'pop3-login: '):
        use_everything(server)
    eventually(lambda: any(re.search(STAMP + pattern, line) for line in server.lines))


def test_no_secret_in_any_log():
    with Server(users=USERS, conf={'log_level': 'debug'}) as s:
        use_everything(s)
        s.stop()
        assert len(s.lines) > 30
        assert [line for line in s.lines if any(secret in line for secret in SECRETS)] == []


def test_what_a_stranger_says_cannot_forge_a_line(server):
    with server.connect('smtp') as sock:
        sock.sendall(b'EHLO a\x1b[31m\rNov 23 forged\r\n'
                     b'MAIL FROM:<"x\\\x07y"@example.org>\r\nRCPT TO:<a\x7f@malle.test>\r\nQUIT\r\n')
        while sock.recv(4096):
            pass
    assert all('\x1b' not in line and '\x07' not in line and '\x7f' not in line for line in server.lines)
    assert not any(line.startswith('Nov 23 forged') for line in server.lines)


def test_json():
    with Server(users=USERS, conf={'log_format': 'json'}) as s:
        id = use_everything(s)
        s.malle('reload')
        s.stop()
        entries = [json.loads(line) for line in s.lines if line != 'malle: ready']
        assert len(entries) > 20
        for entry in entries:
            assert set(entry) == {'time', 'level', 'tag', 'pid', 'text'}
            assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', entry['time'])
            assert entry['level'] in ('error', 'warn', 'info', 'debug') and entry['tag'].startswith('malle/')
        assert {entry['tag'] for entry in entries if entry['text'].startswith(id)} == {'malle/smtpd', 'malle/deliver'}


def test_a_file_is_opened_again_at_reload():
    """What logrotate does: rename the file, then reload."""
    server = Server(users=USERS, start=False)
    path, old = server.dir / 'mail.log', server.dir / 'mail.log.1'
    server.write_conf({'log_target': path})
    server.start()
    with server as s:
        send(s, [USER], MESSAGE)
        eventually(lambda: 'status=sent' in path.read_text())
        assert path.stat().st_mode & 0o777 == 0o640
        session = open_imap(s, USER, PASSWORD, mailbox='INBOX')
        session.send(b'i IDLE\r\n')
        assert session.readline().startswith(b'+ ')
        os.rename(path, old)
        s.malle('reload')  # its lines go to the file
        eventually(path.exists)
        [pid] = s.role_pids('imap')
        eventually(lambda: os.readlink(f'/proc/{pid}/fd/2') == str(path))

        def all_roles_follow():
            send(s, list(USERS), MESSAGE)
            with pytest.raises(Exception):
                open_imap(s, USER, 'wrong')
            return all(word in path.read_text() for word in ('malle/smtpd[', 'malle/deliver[', 'imap-login: '))
        eventually(all_roles_follow)
        before = old.read_text()
        send(s, list(USERS), MESSAGE)
        open_imap(s, USER, PASSWORD).logout()
        assert old.read_text() == before
        session.send(b'DONE\r\n')
        while not session.readline().startswith(b'i OK'):
            pass
        session.logout()


def test_syslog_or_else_standard_error():
    """A machine without a syslog daemon loses nothing."""
    with Server(users=USERS, conf={'log_target': 'syslog'}) as s:
        assert send(s, [USER], MESSAGE)[0] == 250
        if os.path.exists('/dev/log'):
            assert s.lines == ['malle: ready']
        else:
            s.wait_log('log_target syslog cannot be opened')
            assert re.search(STAMP, s.wait_log('status=sent'))
