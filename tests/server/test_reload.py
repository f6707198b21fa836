"""`malle reload` while clients are connected: nobody is cut off, new connections see the new settings and certificates,
and a broken file changes nothing."""
import imaplib
import os
import signal
import smtplib
import socket
import ssl
import subprocess

import pytest

from harness import Server, eventually

USER, PASSWORD = 'joe@malle.test', 'joes'


def make_certificate(folder, file, *names):
    """FILE.pem and FILE.key for the names, the first of which is also the subject."""
    folder.mkdir(exist_ok=True)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                    '-subj', f'/CN={names[0]}', '-addext', 'subjectAltName=' + ','.join(f'DNS:{n}' for n in names),
                    '-keyout', folder / f'{file}.new.key', '-out', folder / f'{file}.new.pem'], check=True, capture_output=True)
    for suffix in ('key', 'pem'):
        os.replace(folder / f'{file}.new.{suffix}', folder / f'{file}.{suffix}')


def pair(folder, file):
    return f'{folder}/{file}.pem:{folder}/{file}.key'


def certificate(server, listener='imaps', name=None):
    """What the server shows, to a client that asks for a name."""
    with server.connect(listener) as raw, server.tls_context().wrap_socket(raw, server_hostname=name) as tls:
        return tls.getpeercert(binary_form=True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def reload(server, check=True):
    """Sends the signal and waits for the master's word on it."""
    before = len(server.lines)
    done = server.malle('reload', check=check)
    if done.returncode == 0:
        eventually(lambda: any('reload: ' in line for line in server.lines[before:]))
    return done


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / 'tls'
    make_certificate(folder, 'a', 'mail.malle.test')
    make_certificate(folder, 'b', 'one.test', '*.two.test')
    with Server(conf={'tls_certificates': f'{pair(folder, "a")}, {pair(folder, "b")}'}, users={USER: PASSWORD}) as s:
        s.tls = folder
        yield s


@pytest.mark.parametrize('listener', ['imaps', 'pop3s', 'submissions'])
@pytest.mark.parametrize('name, file', [
    (None, 'a'), ('mail.malle.test', 'a'), ('other.example', 'a'), ('one.test', 'b'), ('ONE.test', 'b'), ('x.two.test', 'b'),
    ('two.test', 'a'), ('y.x.two.test', 'a')])
def test_chosen_by_name(reading_server, listener, name, file):
    """RFC 6066 §3, RFC 6125 §6.4.3: a wildcard stands for one label"""
    assert certificate(reading_server, listener, name) == der(reading_server.tls / f'{file}.pem')


@pytest.fixture(scope='module')
def reading_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tls')
    make_certificate(folder, 'a', 'mail.malle.test')
    make_certificate(folder, 'b', 'one.test', '*.two.test')
    with Server(conf={'tls_certificates': f'{pair(folder, "a")}, {pair(folder, "b")}'}, users={USER: PASSWORD}) as s:
        s.tls = folder
        yield s


def open_transaction(server):
    """An SMTP client in the midst of a message, over STARTTLS."""
    smtp = smtplib.SMTP('127.0.0.1', server.port('smtp'), local_hostname='client.example', timeout=20)
    smtp.starttls(context=server.tls_context())
    smtp.ehlo()
    assert smtp.mail('you@client.example')[0] == 250 and smtp.rcpt(USER)[0] == 250
    assert smtp.docmd('DATA')[0] == 354
    smtp.send(b'Subject: half a ')
    return smtp


def open_idle(server):
    imap = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=20)
    imap.login(USER, PASSWORD)
    imap.select()
    imap.send(b'x IDLE\r\n')
    assert imap.readline().startswith(b'+ ')
    return imap


def test_nobody_is_cut_off(server):
    old = der(server.tls / 'a.pem')
    smtp, imap = open_transaction(server), open_idle(server)
    waiting = server.connect('imaps')  # connected, and not yet in the handshake
    before = {role: server.role_pids(role) for role in ('smtpd', 'submission', 'login')}
    make_certificate(server.tls, 'a', 'mail.malle.test')
    new = der(server.tls / 'a.pem')
    assert new != old and certificate(server) == old
    reload(server)
    for listener in ('imaps', 'pop3s', 'submissions'):
        eventually(lambda: certificate(server, listener) == new)
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=20) as other:
        other.starttls(context=server.tls_context())
        assert other.sock.getpeercert(binary_form=True) == new

    smtp.send(b'message\r\n\r\nwhole.\r\n.\r\n')
    assert smtp.getreply()[0] == 250
    assert smtp.quit()[0] == 221
    eventually(lambda: any(b'EXISTS' in imap.readline() for _ in range(3)))
    imap.send(b'DONE\r\n')
    while not (line := imap.readline()).startswith(b'x '):
        assert line
    assert line.startswith(b'x OK')
    assert b'Subject: half a message' in imap.fetch('1', '(RFC822)')[1][0][1]
    imap.logout()
    with server.tls_context().wrap_socket(waiting) as tls:
        assert tls.recv(100).startswith(b'* OK ')
    assert before == {role: server.role_pids(role) for role in before}


def set_option(server, **options):
    path = server.dir / 'malle.conf'
    kept = [line for line in path.read_text().splitlines() if line.split(' ')[0] not in options]
    path.write_text('\n'.join(kept + [f'{name} = {value}' for name, value in options.items()]) + '\n')


def size_limit(server):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), timeout=20) as smtp:
        smtp.ehlo('client.example')
        return int(smtp.esmtp_features['size'])


def test_new_limits_and_fixed_options(server):
    before = {role: server.role_pids(role) for role in ('smtpd', 'login', 'auth', 'mailbox')}
    set_option(server, message_size_limit='123k', port_offset=server.offset + 1, login_processes=3)
    reload(server)
    eventually(lambda: size_limit(server) == 123 << 10)
    for option in ('port_offset', 'login_processes'):
        server.wait_log(f'{option} changes at the next start only')
    with pytest.raises(OSError):
        socket.create_connection(('127.0.0.1', server.port('smtp') + 1), timeout=5).close()
    assert before == {role: server.role_pids(role) for role in before}
    set_option(server, port_offset=server.offset)


def test_a_broken_file_changes_nothing(server):
    good = (server.dir / 'malle.conf').read_text()
    set_option(server, message_size_limit='many', smtpd_timeot='1m')
    done = reload(server, check=False)
    assert done.returncode == 1
    assert 'message_size_limit' in done.stderr and 'did you mean smtpd_timeout?' in done.stderr
    before = len(server.lines)
    server.process.send_signal(signal.SIGHUP)  # as systemd would
    server.wait_log('the old one stays in force')
    said = '\n'.join(server.lines[before:])
    assert 'message_size_limit' in said and 'did you mean smtpd_timeout?' in said
    assert size_limit(server) == 50 << 20
    (server.dir / 'malle.conf').write_text(good)


def test_a_broken_certificate_changes_nothing(server):
    old, kept = der(server.tls / 'a.pem'), (server.tls / 'a.pem').read_text()
    (server.tls / 'a.pem').write_text((server.tls / 'b.pem').read_text())  # not the key's
    (server.tls / 'b.key').unlink()
    done = reload(server, check=False)
    assert done.returncode == 1 and f'{server.tls}/a.pem' in done.stderr and f'{server.tls}/b.key' in done.stderr
    assert server.malle('check', check=False).stderr == done.stderr
    server.process.send_signal(signal.SIGHUP)
    server.wait_log('the old one stays in force')
    assert f'{server.tls}/a.pem' in server.log() and f'{server.tls}/b.key' in server.log()
    assert certificate(server) == old
    (server.tls / 'a.pem').write_text(kept)
    make_certificate(server.tls, 'b', 'three.test')
    reload(server)
    eventually(lambda: certificate(server, name='three.test') == der(server.tls / 'b.pem'))
