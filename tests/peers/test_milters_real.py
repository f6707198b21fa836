"""Debian's own milters: opendkim signs what malle lets through it and verifies what came of it, opendmarc judges what that says."""
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'server'))

from harness import DOMAIN, Server, eventually  # noqa: E402
from mail import connect_smtp  # noqa: E402
from peers import listens, peer_program  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Smtp  # noqa: E402

DEMO = f'demo@{DOMAIN}'
BODY = b''.join(b'line %d of a text  with  spaces \r\n' % i for i in range(5000)) + b'\r\n.\r\n\r\n'
TEXT = f'From: {DEMO}\r\nTo: {DEMO}\r\nSubject: a subject\r\n that is folded\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@{DOMAIN}>\r\n\r\n'.encode()


@pytest.fixture(scope='module')
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix='malle-milters-'))
    path.chmod(0o755)
    return path


@pytest.fixture(scope='module')
def key(folder):
    """A key of the domain, and the file in which opendkim finds its public half instead of the DNS."""
    subprocess.run(['openssl', 'genrsa', '-out', folder / 'key.pem', '2048'], check=True, capture_output=True)
    (folder / 'key.pem').chmod(0o600)
    public = subprocess.run(['openssl', 'rsa', '-in', folder / 'key.pem', '-pubout'], check=True, capture_output=True, text=True).stdout
    (folder / 'public').write_text(f's1._domainkey.{DOMAIN} v=DKIM1; k=rsa; p={"".join(public.splitlines()[1:-1])}\n')
    return folder / 'key.pem'


def opendkim(folder, name, settings):
    """A running opendkim: the place where it listens."""
    port = free_port()
    conf = folder / f'{name}.conf'
    conf.write_text(f'Socket inet:{port}@127.0.0.1\nSyslog no\nRequireSafeKeys false\nPidFile {folder}/{name}.pid\n{settings}')
    return port, peer_program('milters', 'opendkim', '-f', '-x', conf)


@pytest.fixture(scope='module')
def signer(folder, key):
    port, program = opendkim(folder, 'sign', f'Mode s\nDomain {DOMAIN}\nSelector s1\nKeyFile {key}\nCanonicalization relaxed/simple\nOversignHeaders From\n')
    with program:
        listens(port)
        yield f'inet:127.0.0.1:{port}'


@pytest.fixture(scope='module')
def verifier(folder, key):
    port, program = opendkim(folder, 'verify', f'Mode v\nInternalHosts 192.0.2.1\nTestPublicKeys {folder}/public\nAuthservID mail.{DOMAIN}\n')
    with program:
        listens(port)
        yield f'inet:127.0.0.1:{port}'


@pytest.fixture(scope='module')
def server(signer, verifier):
    sections = f'[listener check]\nprotocol = smtp\nport = 201\nsmtpd_milters = {verifier}\n[listener submission]\nsmtpd_milters = {signer}\n'
    with Server(conf={'smtpd_milters': f'{signer}, {verifier}', 'non_smtpd_milters': signer, 'spool_memory_limit': '64k'}, sections=sections) as malle:
        yield malle


def newest(server):
    return max(server.messages(DEMO), key=lambda p: p.stat().st_mtime_ns).read_bytes()


def field(message, name):
    found = re.search(rb'(?m)^%s:(.*(?:\n[ \t].*)*)' % name.encode(), message.partition(b'\n\n')[0])
    return found and b' '.join(found.group(1).split()).decode()


def verify(server, message):
    """What opendkim says of a message as it was delivered, sent once more."""
    class Check:
        @staticmethod
        def port(_):
            return 201 + server.offset
    message = re.sub(rb'\A(?:(?:Return-Path|Delivered-To|X-Original-To|Authentication-Results):.*\n(?:[ \t].*\n)*)*', b'', message)
    with Smtp(Check) as client:
        client.hello()
        client.envelope(DEMO)
        assert client.data(message.replace(b'\n', b'\r\n'))[0].startswith('250')
    return field(newest(server), 'Authentication-Results')


def test_sign_and_verify(server):
    """Over SMTP: signed, and as the next milter sees it the signature is right; so it is when it lies there."""
    for body in (b'short\r\n', BODY):
        with Smtp(server) as client:
            client.hello()
            client.envelope(DEMO, sender=DEMO)
            assert client.data(TEXT + body)[0].startswith('250')
        message = newest(server)
        assert f'd={DOMAIN}; s=s1' in field(message, 'DKIM-Signature')
        assert 'dkim=pass' in field(message, 'Authentication-Results')
        names = re.findall(rb'(?m)^([\w-]+):', message.partition(b'\n\n')[0])
        assert names.index(b'Authentication-Results') < names.index(b'DKIM-Signature') < names.index(b'From')
        assert 'dkim=pass' in verify(server, message)
        assert 'dkim=fail' in verify(server, message.replace(b'a subject', b'another'))


def test_submission_and_programs(server):
    """What is completed here is signed, too."""
    with connect_smtp(server, 'submission', DEMO, 'demo') as client:
        client.docmd('MAIL', f'FROM:<{DEMO}>')
        client.docmd('RCPT', f'TO:<{DEMO}>')
        client.docmd('DATA')
        client.sock.sendall(f'From: {DEMO}\r\nSubject: no date\r\n\r\nx\r\n.\r\n'.encode())
        assert client.getreply()[0] == 250
    message = newest(server)
    assert {'date', 'from'} <= set(re.search(r'(?:^|[; \t\n])h=([^;]*)', field(message, 'DKIM-Signature')).group(1).lower().replace(' ', '').split(':'))
    assert 'dkim=pass' in verify(server, message)
    before = len(server.messages(DEMO))
    server.malle('sendmail', '-f', DEMO, DEMO, input=f'From: {DEMO}\nSubject: local\n\nx\n')
    eventually(lambda: len(server.messages(DEMO)) == before + 1)
    assert 'dkim=pass' in verify(server, newest(server))


def test_opendmarc(folder, verifier):
    """It needs the connection, the envelope, and what opendkim added before it."""
    port = free_port()
    conf = folder / 'opendmarc.conf'
    (folder / 'ignore').write_text('192.0.2.1\n')
    conf.write_text(f'Socket inet:{port}@127.0.0.1\nSyslog false\nIgnoreHosts {folder}/ignore\nAuthservID mail.{DOMAIN}\nTrustedAuthservIDs mail.{DOMAIN}\nIgnoreMailFrom none.example\n'
                    f'PidFile {folder}/opendmarc.pid\nHistoryFile {folder}/history\nSPFSelfValidate false\nSPFIgnoreResults true\n')
    with peer_program('milters', 'opendmarc', '-f', '-c', conf) as program, contextlib.ExitStack() as stack:
        listens(port)
        server = stack.enter_context(Server(conf={'smtpd_milters': f'{verifier}, inet:127.0.0.1:{port}'}))
        with Smtp(server) as client:
            client.hello()
            client.envelope(DEMO, sender=DEMO)
            reply = client.data(TEXT + b'x\r\n')[0]
        if reply.startswith('250'):
            assert 'dmarc=' in newest(server).decode()
        else:  # the DNS of this machine does not say what the policy is
            assert reply.startswith('451 4.7.1')
        assert 'warning: milter' not in server.log() and program.poll() is None


RSPAMD = '''.include "/etc/rspamd/common.conf"
options {{ pidfile = "{folder}/rspamd.pid"; dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }} filters = ""; }}
logging {{ type = "console"; level = "notice"; color = false; }}
worker "rspamd_proxy" {{ bind_socket = "127.0.0.1:{port}"; milter = yes; count = 1; timeout = 60s;
    upstream "local" {{ default = yes; self_scan = yes; }} }}
'''


@pytest.fixture(scope='module')
def rspamd(folder):
    port, home = free_port(), folder / 'rspamd'
    home.mkdir()
    home.chmod(0o777)
    (home / 'rspamd.conf').write_text(RSPAMD.format(folder=home, port=port))
    places = [word for name in ('RUNDIR', 'DBDIR', 'LOGDIR') for word in ('--var', f'{name}={home}')]
    with peer_program('rspamd', 'rspamd', '-f', '-i', '-u', '_rspamd', '-g', '_rspamd', '-c', home / 'rspamd.conf', *places):
        listens(port, 90)  # it compiles its expressions first
        yield f'inet:127.0.0.1:{port}'


def test_rspamd(rspamd):
    """It lets a message pass, and refuses the text that every such filter refuses."""
    gtube = b'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n'
    with Server(conf={'smtpd_milters': rspamd}) as server:
        with Smtp(server) as client:
            client.hello()
            client.envelope(DEMO)
            assert client.data(TEXT + b'plain words\r\n')[0].startswith('250')
            assert b'plain words' in newest(server)
            client.envelope(DEMO)
            assert client.data(TEXT + gtube)[0].startswith('554 5.7.1')
        server.wait_log('milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]: 5.7.1')
