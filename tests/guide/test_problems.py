"""The guide's chapters of tests and of troubleshooting: mail by `mail -s`, the commands of diagnosis, each of its frequent problems brought
about, found by what malle says, and cured; and the hook of certbot."""
import sys

import pytest

from harness import MALLE, eventually
from test_guide import is_open, read_by_imap
from world import DOMAIN, HOST, PASSWORD, USER, World, source_of

TO_USER = f'{USER}@{DOMAIN}'
FRIEND = 'ami@ailleurs.example'
LIVE = f'/etc/letsencrypt/live/{HOST}'
HOOK = '/etc/letsencrypt/renewal-hooks/post/mail-services.sh'
HOOK_TEXT = '#!/bin/bash\nsystemctl reload postfix\nsystemctl reload dovecot\n'  # the guide's
# in the place of a running systemd: what it does with the unit of that name
SYSTEMCTL = '''#!/bin/bash
unit=/etc/systemd/system/$2.service
case $1 in
reload) eval "$(sed -n 's/^ExecReload=//p' $unit)" ;;
start) eval "$(sed -n 's/^ExecStart=//p' $unit) </dev/null >/var/log/started 2>&1 &" ;;
stop) kill $MAINPID ;;
esac
'''


@pytest.fixture(scope='module')
def world():
    with World() as it:
        it.install('mailutils', 'systemd')
        it.run('sh', '-c', 'echo "log_target = /var/log/mail.log" >>/etc/malle/local.conf')
        it.run('install', '-D', MALLE, '/usr/local/sbin/malle')
        it.run('/usr/local/sbin/malle', 'install-compat', '/usr/sbin')
        it.run('install', '-D', '-m', '644', MALLE.parent / 'malle.service', '/usr/local/lib/systemd/system/malle.service')
        it.run('/usr/bin/systemctl', '--root=/', 'enable', 'malle')
        it.write('/usr/local/sbin/systemctl', SYSTEMCTL)
        it.run('mkdir', '-p', HOOK.rpartition('/')[0])
        it.write(HOOK, HOOK_TEXT)
        it.run('chmod', '+x', '/usr/local/sbin/systemctl', HOOK)
        it.start_malle()
        yield it
        it.stop_malle()


def log_has(world, *words):
    """The first line of mail.log that has them all, once there is one."""
    def found():
        """a line in mail.log"""
        return [line for line in world.read('/var/log/mail.log').splitlines() if all(word in line for word in words)]
    return eventually(found, 20, step=0.2)[0]


def arrives(world, *words):
    def found():
        """a message that can be read by IMAP"""
        return [text for text in world.python(read_by_imap, USER, PASSWORD) if all(word in text for word in words)]
    return eventually(found, 20, step=0.3)[0]


# --- the chapter of tests ---

@pytest.mark.parametrize('host', [HOST, 'vm'])
@pytest.mark.parametrize('sender', ['root', USER])
def test_mail(world, sender, host):
    """`echo "Ceci est un test" | mail -s "Test Email" ...` with Debian's mailutils, as root and as a user; it names the sender after the
    machine, whose name need be no domain of mail."""
    world.run('hostname', host)
    try:
        world.run('runuser', '-u', sender, '--', 'mail', '-s', f'Test Email {sender} {host}', TO_USER, input='Ceci est un test\n')
    finally:
        world.run('hostname', HOST)
    text = arrives(world, f'Subject: Test Email {sender} {host}\r\n', '\r\n\r\nCeci est un test\r\n')
    assert f'\r\nFrom: {sender} <{sender}@' in text or f'\r\nFrom: {sender}@' in text, text
    assert text.startswith(f'Return-Path: <{sender}@{DOMAIN}>\r\n'), text


def test_mail_to_elsewhere_waits(world):
    """What cannot go now is in the queue, as the guide looks at it, and can be deleted."""
    world.run('mail', '-s', 'Test Email', FRIEND, input='Ceci est un test\n')
    log_has(world, f'to=<{FRIEND}>', 'status=deferred')
    listed = world.run('postqueue', '-p').stdout
    assert FRIEND in listed and 'root@' in listed and '1 Request' in listed
    world.run('postqueue', '-f')
    assert 'Deleted: 1 message' in world.run('postsuper', '-d', 'ALL').stderr
    assert world.run('postqueue', '-p').stdout == 'Mail queue is empty\n'


def test_diagnosis(world):
    """The other commands of the chapter."""
    world.run('postfix', 'status')
    assert 'the Postfix mail system is running: PID: ' in world.run('tail', '-n', '1', '/var/log/mail.log').stdout
    checked = world.run('postfix', 'check')
    assert checked.stdout == '' and 'fatal' not in checked.stderr and 'error' not in checked.stderr
    assert 'protocols = imap pop3 lmtp' in world.run('doveconf', '-n').stdout
    assert world.run('dovecot', '-n').stdout == world.run('doveconf', '-n').stdout
    assert USER in world.run('doveadm', 'user', '*').stdout.split()


# --- the table of frequent problems ---

def test_connection_refused(world):
    """Port 25 does not answer: `postfix status` says that nothing runs, starting it is the cure."""
    world.stop_malle()
    try:
        assert not world.python(is_open, '127.0.0.1', 25)
        status = world.run('postfix', 'status', check=False)
        log_has(world, 'the Postfix mail system is not running')
        assert status.returncode == 1
        assert 'no server' in world.run('malle', '-c', '/etc', 'status', check=False).stderr
    finally:
        world.start_malle()
    assert world.python(is_open, '127.0.0.1', 25)


def certify(world, days, name):
    """A new certificate of the CA for the server's key; with days < 0 it has expired."""
    world.run('bash', '-c', f"""
openssl x509 -req -in /mnt/csr.pem -CA /mnt/ca.pem -CAkey /mnt/ca.key -CAcreateserial -days {days} -extfile /mnt/san \\
    -out /mnt/{name}.pem
cat /mnt/{name}.pem /mnt/ca.pem >{LIVE}/fullchain.pem
openssl x509 -noout -serial -in /mnt/{name}.pem""")
    return world.run('openssl', 'x509', '-noout', '-serial', '-in', f'/mnt/{name}.pem').stdout


def serial(world, port, *more):
    """Of the certificate that is shown there, and what openssl says of it."""
    said = world.run('bash', '-c', f'openssl s_client -connect {HOST}:{port} {" ".join(more)} </dev/null 2>&1').stdout
    shown = world.run('openssl', 'x509', '-noout', '-serial', input=said).stdout
    return shown, said.partition('Verify return code: ')[2].partition('\n')[0]


def test_ssl_handshake_failed(world):
    """An expired certificate: `malle check` names it; certbot's new one is taken by the guide's hook, on all ports."""
    expired = certify(world, -1, 'expired')
    world.run(HOOK)
    eventually(lambda: serial(world, 993) == (expired, '10 (certificate has expired)'), 20, step=0.3)
    checked = world.run('malle', '-c', '/etc', 'check', check=False)
    assert f'{LIVE}/fullchain.pem' in checked.stderr and 'expired' in checked.stderr, checked.stderr
    renewed = certify(world, 90, 'renewed')
    world.run(HOOK)
    eventually(lambda: serial(world, 993) == (renewed, '0 (ok)'), 20, step=0.3)
    for port, more in ((995, ()), (465, ()), (25, ('-starttls', 'smtp')), (587, ('-starttls', 'smtp'))):
        assert serial(world, port, *more) == (renewed, '0 (ok)'), port
    assert 'expired' not in world.run('malle', '-c', '/etc', 'check', check=False).stderr


def log_in(source, user, password):
    """What a client is told that logs in to send, and to read."""
    import imaplib
    import smtplib
    import ssl
    context = ssl.create_default_context()
    said = []
    with smtplib.SMTP('mail.votre-domaine.com', 587, 'x.example', source_address=(source, 0)) as client:
        client.starttls(context=context)
        try:
            said.append(client.login(user, password)[0])
        except smtplib.SMTPAuthenticationError as e:
            said.append(e.smtp_code)
    client = imaplib.IMAP4_SSL('mail.votre-domaine.com', 993, ssl_context=context)
    try:
        said.append(client.login(user, password)[0])
    except imaplib.IMAP4.error as e:
        said.append(str(e))
    client.shutdown()
    return said


def test_authentication_failed(world):
    """A wrong password: the log has who, from where and why; `doveadm auth test` tells whether it is the password."""
    source = world.stranger()
    refused = world.python(log_in, source, USER, 'faux')
    assert refused[0] == 535 and 'AUTHENTICATIONFAILED' in refused[1], refused
    log_has(world, source, 'SASL', 'authentication failed')
    log_has(world, 'imap-login', 'auth failed', f'user=<{USER}>', 'rip=')
    tested = world.run('doveadm', 'auth', 'test', USER, 'faux', check=False)
    assert tested.returncode == 77 and f'passdb: {USER} auth failed' in tested.stdout
    world.run('sh', '-c', f'echo {USER}:nouveau | chpasswd')
    try:
        assert world.run('doveadm', 'auth', 'test', USER, 'nouveau').returncode == 0
        assert world.python(log_in, source, USER, 'nouveau') == [235, 'OK']
    finally:
        world.run('sh', '-c', f'echo {USER}:{PASSWORD} | chpasswd')


def serve_refusal(text):
    """A server at port 2525 that takes no message; runs until it is killed."""
    import signal
    from relay.remote import Remote
    remote = Remote(port=2525)
    remote.answer('DOT', text)
    print('ready', flush=True)
    signal.pause()


REFUSAL = '550 5.7.26 SPF and DMARC of votre-domaine.com fail'


def test_mail_is_refused_elsewhere(world):
    """The reason is in the log, in `malle trace` and in what comes back to the sender, in the other server's own words."""
    server = world.spawn([*world.enter, sys.executable, '-c', source_of(serve_refusal, REFUSAL)])
    main = world.read('/etc/postfix/main.cf')
    world.write('/etc/postfix/main.cf', main + 'relayhost = [127.0.0.1]:2525\n')
    try:
        world.run('malle', '-c', '/etc', 'reload')
        log_has(world, 'reload: done')
        world.run('runuser', '-u', USER, '--', 'mail', '-s', 'refus', FRIEND, input='Ceci est un test\n')
        assert 'SPF and DMARC' in log_has(world, f'to=<{FRIEND}>', 'status=bounced')
        assert REFUSAL.partition(' ')[2] in world.run('malle', '-c', '/etc', 'trace', FRIEND).stdout
        assert 'SPF and DMARC' in arrives(world, 'Undelivered', FRIEND)
    finally:
        server.kill()
        world.write('/etc/postfix/main.cf', main)
        world.run('malle', '-c', '/etc', 'reload')


def test_maildir_cannot_be_made(world):
    """The wrong owner: the message is kept, the log names the folder, and after chown it comes."""
    home = f'/home/{USER}'
    world.run('mv', f'{home}/Maildir', f'{home}/aside')
    world.run('chown', 'root:', home)
    try:
        world.run('mail', '-s', 'droits', TO_USER, input='Ceci est un test\n')
        log_has(world, f'{home}/Maildir: ', 'Permission denied')
        assert world.run('sh', '-c', 'ls /var/lib/malle/maildrop').stdout.startswith('d.')
    finally:
        world.run('chown', f'{USER}:', home)
    world.run('malle', '-c', '/etc', 'pickup')  # what happens every minute
    arrives(world, 'Subject: droits\r\n')
    world.run('rm', '-r', f'{home}/Maildir')
    world.run('mv', f'{home}/aside', f'{home}/Maildir')
