"""login_trusted_networks with Debian's Dovecot and with malle: who may say for whom it connects, and send a password without TLS."""
import pathlib
import re
import socket
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, needs_root, users_in  # noqa: E402
from harness import Server, eventually  # noqa: E402
from ports import free_port  # noqa: E402

pytestmark = needs_root

USER, PASSWORD = 'joe@malle.test', 'joes'
IMAP = [['i ID ("name" "webmail" "x-originating-ip" "192.0.2.7" "x-session-id" "fromthere")', f'a LOGIN {USER} wrong', f'b LOGIN {USER} {PASSWORD}'],
        ['i ID ("x-originating-ip" "nowhere" "x-connected-ip" NIL)', f'b LOGIN {USER} {PASSWORD}']]
POP3 = [['XCLIENT ADDR=192.0.2.8 PORT=4711 SESSION=another TTL=5', f'USER {USER}', f'PASS {PASSWORD}'], ['XCLIENT ADDR=nowhere', f'USER {USER}', f'PASS {PASSWORD}'],
        ['XCLIENT']]


def talk(port, commands):
    """How each command is answered: its first word or two; and whether the greeting tells of XCLIENT."""
    with socket.create_connection(('127.0.0.1', port), 30) as sock:
        file = sock.makefile('rwb')
        said = ['[XCLIENT]' in file.readline().decode()]
        for command in commands:
            file.write(command.encode() + b'\r\n')
            file.flush()
            line = file.readline().decode()
            while line.startswith('* '):
                line = file.readline().decode()
            said.append(' '.join(line.split()[:2]) if line[0] in 'iab' else line.split()[0])
        return said


def dialogues(imap, pop3):
    return [talk(imap, commands) for commands in IMAP] + [talk(pop3, commands) for commands in POP3]


def theirs(networks, more=''):
    imap, pop3 = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix='malle-dt-', dir='/tmp') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        (folder / 'users').write_text(f'{USER}:{{PLAIN}}{PASSWORD}:64790:64790::{folder}\n')
        # what comes from the address to which it goes counts as safe to Dovecot: it listens on another one
        lines = f'''protocols = imap pop3
listen = 127.0.0.9
mail_location = maildir:{folder}/mail
first_valid_uid = 1
auth_failure_delay = 0
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
login_trusted_networks = {networks}
{more}
{users_in(folder)}service auth {{
  unix_listener {folder}/listens {{
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
    address = 127.0.0.1
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
    address = 127.0.0.1
  }}
}}
'''
        with Dovecot(folder, lines, folder / 'listens') as there:
            for port in (imap, pop3):
                eventually(lambda: socket.socket().connect_ex(('127.0.0.1', port)) == 0)
            said = dialogues(imap, pop3)
            eventually(lambda: there.log().count('Login') >= 4)
            return said, there.log()


def test_trusted():
    said, log = theirs('127.0.0.0/8')
    with Server(conf={'login_trusted_networks': '127.0.0.0/8'}, users={USER: PASSWORD}) as server:
        assert dialogues(server.port('imap'), server.port('pop3')) == said
        for words in ('rip=192.0.2.7, ', 'session=<fromthere>', 'rip=192.0.2.8, ', 'session=<another>'):
            assert words in log
            server.wait_log(words)


@pytest.mark.parametrize('form, elements', [
    ('%$: %s', 'user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>'),
    ('(%s) 100%% %$', 'user=<%Uu> at=%d n=%n fixed %m/%s from=%r/%l %c s=%{session} %{domain}'),
    ('%$', '%u')])
def test_lines_of_the_log(form, elements):
    """In the words of login_log_format and login_log_format_elements."""
    def lines(text):
        found = [line.partition('-login: ')[2].removeprefix('Info: ') for line in text.splitlines() if '-login: ' in line and 'Login' in line]
        return sorted(re.sub(r'mpid=\d+|session=<[^>]*>|s=[^, )]*', '*', line) for line in found)
    _, log = theirs('127.0.0.0/8', f'login_log_format = {form}\nlogin_log_format_elements = {elements}')
    with Server(conf={'login_trusted_networks': '127.0.0.0/8', 'login_log_format': form, 'login_log_format_elements': f'"{elements}"'},
                users={USER: PASSWORD}) as server:
        dialogues(server.port('imap'), server.port('pop3'))
        eventually(lambda: len(lines(server.log())) >= len(lines(log)))
        assert lines(server.log()) == lines(log) and len(lines(log)) >= 3


@pytest.mark.parametrize('settings', [{'login_log_format': '%x'}, {'login_log_format_elements': '%{nosuch}'}])
def test_formats_are_looked_at(settings):
    with pytest.raises(AssertionError, match='login_log_format'), Server(conf=settings):
        pass


def test_not_trusted():
    """Without TLS passwords are refused, and a client's word of where it comes from counts for nothing."""
    with Server(conf={'login_trusted_networks': '192.0.2.0/24'}, users={USER: PASSWORD}) as server:
        said = dialogues(server.port('imap'), server.port('pop3'))
        assert said[0] == [False, 'i OK', 'a NO', 'b NO'] and said[2] == [False, '-ERR', '-ERR', '-ERR']
        server.wait_log('rip=127.0.0.1')
        assert 'rip=192.0.2' not in server.log()


def test_networks_are_looked_at(tmp_path):
    with pytest.raises(AssertionError, match='login_trusted_networks'), Server(conf={'login_trusted_networks': 'webmail.example'}):
        pass
