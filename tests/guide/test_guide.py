"""The guide's files, unchanged, under /etc: what they say is what malle does."""
import json

import pytest

from harness import MALLE
from world import DOMAIN, HERE, HOST, PASSWORD, USER, World


@pytest.fixture(scope='module')
def world():
    with World() as it:
        it.start_malle()
        yield it
        it.stop_malle()


# --- what runs in there ---

def is_open(host, port):
    import socket
    try:
        socket.create_connection((host, port), timeout=5).close()
        return True
    except OSError:
        return False


def dialogue(port, source, tls, *commands):
    """What an SMTP server answers: [code, text] each, of EHLO first. tls: '', 'starttls' or 'implicit'."""
    import smtplib
    import ssl
    context = ssl.create_default_context()
    if tls == 'implicit':
        client = smtplib.SMTP_SSL('mail.votre-domaine.com', port, 'client.ailleurs.example', context=context, source_address=(source, 0))
    else:
        client = smtplib.SMTP('mail.votre-domaine.com', port, 'client.ailleurs.example', source_address=(source, 0))
    replies = [client.ehlo()]
    if tls == 'starttls':
        client.starttls(context=context)
        replies = [client.ehlo()]
    for command in commands:
        if isinstance(command, list):
            replies.append(client.login(*command))
        elif command.startswith('DATA '):
            replies.append(client.data(command[5:]))
        else:
            replies.append(client.docmd(command))
    client.quit()
    return [[code, text.decode()] for code, text in replies]


def read_by_imap(user, password):
    import imaplib
    import ssl
    client = imaplib.IMAP4_SSL('mail.votre-domaine.com', 993, ssl_context=ssl.create_default_context())
    client.login(user, password)
    count = int(client.select('INBOX')[1][0])
    texts = [client.fetch(str(i + 1), 'BODY[]')[1][0][1].decode() for i in range(count)]
    client.logout()
    return texts


# --- tests ---

def test_migrate(world):
    """One file in the place of eight, with their comments; the server that reads it has the same settings."""
    done = world.run(MALLE, '-c', '/etc', 'migrate')
    assert 'malle: no setting differs' in done.stderr
    assert '# Désactiver l\'authentification en clair sans SSL\ndisable_plaintext_auth = yes\n' not in done.stdout, 'a default'
    assert '\n[listener submissions]\n' in done.stdout and '\nsmtpd_client_connection_rate_limit = 30\n' in done.stdout
    assert '# SMTPS (port 465) - SMTP over SSL\nprotocol = submission\n' in done.stdout
    world.write('/tmp/migrated.conf', done.stdout)
    before, after = (json.loads(world.run(MALLE, '-c', path, 'config', '--json').stdout) for path in ('/etc', '/tmp/migrated.conf'))
    assert {(one['name'], one['value']) for one in after if 'section' not in one} == \
        {(one['name'], one['value']) for one in before if 'section' not in one}


@pytest.mark.parametrize('place, text', [
    ('postfix/main.cf:21', 'mailbox_size_limit has no effect: line 73 sets it again'),
    ('postfix/master.cf', 'has no pickup, cleanup, qmgr, rewrite, bounce, smtp, local: Postfix would not work without'),
    ('dovecot/conf.d/10-auth.conf', 'auth-system.conf.ext is not there'),
    ('dovecot/conf.d/10-master.conf:23', 'nothing sends mail to this socket; remove it, or write mailbox_transport = '
                                         'lmtp:unix:private/dovecot-lmtp in main.cf'),
    ('dovecot/conf.d/10-master.conf:32', 'mode: every program of this machine could try passwords'),
    ('dovecot/conf.d/10-master.conf:43', 'user: this user cannot read /etc/shadow'),
    ('dovecot/conf.d/10-mail.conf:5', 'mail_location: mail lies there, and nothing uses the folder /var/mail/vhosts'),
    ('dovecot/conf.d/10-mail.conf:11', 'mail_uid: users of the system keep their mail under their own uid'),
    ('dovecot/conf.d/10-ssl.conf:14', 'ssl_cipher_list: TLS 1.3 has ciphers of its own'),
    ('dovecot/conf.d/10-ssl.conf:12', 'ssl_prefer_server_ciphers: does nothing under TLS 1.3'),
])
def test_what_is_wrong_with_the_guide(world, place, text):
    done = world.run(MALLE, '-c', '/etc', 'check')
    assert any(line.startswith(f'/etc/{place}: warning: {text}') for line in done.stderr.splitlines()), done.stderr



def test_ports(world):
    for port in (25, 587, 465, 993, 995):
        assert world.python(is_open, '127.0.0.1', port), port
    for port in (24, 110, 143):
        assert not world.python(is_open, '127.0.0.1', port), port
    assert not world.python(is_open, '::1', 25), 'inet_protocols = ipv4'
    assert world.python(is_open, '::1', 993), 'listen = *, ::'


def test_mail_from_outside_is_read_by_its_user(world):
    replies = world.python(dialogue, 25, world.stranger(), '', 'MAIL FROM:<ami@ailleurs.example>', f'RCPT TO:<{USER}@{DOMAIN}>',
                           'DATA Subject: bonjour\r\n\r\nsalut\r\n')
    assert [code for code, _ in replies] == [250, 250, 250, 250], replies
    [path] = world.run('find', f'/home/{USER}/Maildir/new', '-type', 'f').stdout.split()
    assert world.run('stat', '-c', '%U', path).stdout == f'{USER}\n'
    assert any('Subject: bonjour' in text for text in world.python(read_by_imap, USER, PASSWORD))


def test_strangers_do_not_relay(world):
    replies = world.python(dialogue, 25, world.stranger(), '', 'MAIL FROM:<ami@ailleurs.example>', 'RCPT TO:<ami@ailleurs.example>')
    assert replies[-1][0] == 554 and 'Relay access denied' in replies[-1][1], replies


@pytest.mark.parametrize('port, tls', [(587, 'starttls'), (465, 'implicit'), (25, 'starttls')])
def test_logging_in_to_send(world, port, tls):
    replies = world.python(dialogue, port, world.stranger(), tls, [USER, PASSWORD], f'MAIL FROM:<{USER}@{DOMAIN}>',
                           'RCPT TO:<ami@ailleurs.example>')
    assert [code for code, _ in replies] == [250, 235, 250, 250], replies


def test_sending_as_somebody_else(world):
    """Postfix lets who has logged in name any sender, unless a list says otherwise."""
    replies = world.python(dialogue, 587, world.stranger(), 'starttls', [USER, PASSWORD], f'MAIL FROM:<ventes@{DOMAIN}>',
                           'RCPT TO:<ami@ailleurs.example>')
    assert [code for code, _ in replies] == [250, 235, 250, 250], replies


def test_what_is_offered(world):
    [[_, plain]] = world.python(dialogue, 25, world.stranger(), '')
    [[_, secured]] = world.python(dialogue, 25, world.stranger(), 'starttls')
    assert plain.startswith(HOST) and 'STARTTLS' in plain and 'SIZE 52428800' in plain
    assert 'AUTH' not in plain, 'smtpd_tls_auth_only'
    assert 'AUTH PLAIN LOGIN\n' in secured and 'AUTH=PLAIN LOGIN\n' in secured, 'broken_sasl_auth_clients'


def test_submission_wants_tls(world):
    replies = world.python(dialogue, 587, world.stranger(), '', f'MAIL FROM:<{USER}@{DOMAIN}>')
    assert replies[-1] == [530, '5.7.0 Must issue a STARTTLS command first'], replies


# --- each limit of the guide, with its line and without ---

def without_hello(source):
    """The reply to MAIL as the first command."""
    import smtplib
    client = smtplib.SMTP('mail.votre-domaine.com', 25, source_address=(source, 0))
    return client.docmd('MAIL FROM:<ami@ailleurs.example>')[0]


def open_at_once(source, count):
    """How many of so many connections are greeted while all are open."""
    import socket
    found = [socket.create_connection(('mail.votre-domaine.com', 25), 20, (source, 0)) for _ in range(count)]
    return sum(s.recv(4) == b'220 ' for s in found)


def one_by_one(source, count):
    """How many of so many connections are greeted, one after the other."""
    import socket
    greeted = 0
    for _ in range(count):
        with socket.create_connection(('mail.votre-domaine.com', 25), 20, (source, 0)) as s:
            if s.recv(4) != b'220 ':
                continue  # what is refused is closed: a command would be answered with a reset
            greeted += 1
            s.sendall(b'QUIT\r\n')
            while s.recv(1000):
                pass
    return greeted


def offered_size(source):
    import smtplib
    with smtplib.SMTP('mail.votre-domaine.com', 25, 'x.example', source_address=(source, 0)) as client:
        client.ehlo()
        return client.esmtp_features['size']


def received(source, recipient):
    """The Received field of a message that came over TLS."""
    import glob
    import smtplib
    import ssl
    import time
    with smtplib.SMTP('mail.votre-domaine.com', 25, 'x.example', source_address=(source, 0)) as client:
        client.starttls(context=ssl.create_default_context())
        client.sendmail('ami@ailleurs.example', [recipient], f'Subject: {source}\r\n\r\n')
    for path in glob.glob('/home/*/Maildir/new/*'):
        text = open(path).read()
        if f'Subject: {source}\n' in text:
            return text
    return ''


def recipient_code(source, recipient):
    import smtplib
    with smtplib.SMTP('mail.votre-domaine.com', 25, 'x.example', source_address=(source, 0)) as client:
        client.ehlo()
        client.mail('ami@ailleurs.example')
        return client.rcpt(recipient)[0]


# what is tried and with what, what comes of it, the line that makes it so, and what comes without
LIMITS = [
    (without_hello, (), 503, 'smtpd_helo_required = yes\n', 250),
    (open_at_once, (12,), 10, 'smtpd_client_connection_count_limit = 10\n', 12),
    (one_by_one, (32,), 30, 'smtpd_client_connection_rate_limit = 30\n', 32),
    (offered_size, (), '52428800', 'message_size_limit = 52428800\n', '10240000'),
    (recipient_code, (f'{USER}+liste@{DOMAIN}',), 250, 'recipient_delimiter = +\n', 550),
    (recipient_code, (f'{USER}@localhost.{DOMAIN}',), 250, ', localhost.$mydomain', 554),
]


@pytest.mark.parametrize('probe, arguments, expected, line, without', LIMITS)
def test_limit(world, probe, arguments, expected, line, without):
    main = world.read('/etc/postfix/main.cf')
    assert world.python(probe, world.stranger(), *arguments) == expected
    world.edit('/etc/postfix/main.cf', line, '')
    try:
        world.reload()
        assert world.python(probe, world.stranger(), *arguments) == without
    finally:
        world.write('/etc/postfix/main.cf', main)
        world.reload()


def test_received_tells_of_tls(world):
    main = world.read('/etc/postfix/main.cf')
    assert '(using TLSv1.3' in world.python(received, world.stranger(), f'{USER}@{DOMAIN}')
    world.edit('/etc/postfix/main.cf', 'smtpd_tls_received_header = yes\n', '')
    try:
        world.reload()
        text = world.python(received, world.stranger(), f'{USER}@{DOMAIN}')
        assert 'Received: from x.example' in text and '(using TLS' not in text
    finally:
        world.write('/etc/postfix/main.cf', main)
        world.reload()


# --- each restriction of the guide, with its line and without ---

ELSEWHERE = 'MAIL FROM:<ami@ailleurs.example>', f'RCPT TO:<{USER}@{DOMAIN}>'
# what a stranger says, the beginning of the last reply, the line that makes it so, and what comes without it
RESTRICTIONS = [
    (['HELO pas..nom', *ELSEWHERE], '501 5.5.2 <pas..nom>: Helo command rejected: Invalid name',
     '    reject_invalid_helo_hostname,\n', '504'),
    (['HELO court', *ELSEWHERE], '504 5.5.2 <court>: Helo command rejected: need fully-qualified hostname',
     '    reject_invalid_helo_hostname,\n    reject_non_fqdn_helo_hostname\n', '250'),
    (['MAIL FROM:<ami@court>', ELSEWHERE[1]], '504 5.5.2 <ami@court>: Sender address rejected: need fully-qualified address',
     '    reject_non_fqdn_sender,\n', '450'),
    (['MAIL FROM:<ami@nulle-part.example>', ELSEWHERE[1]], '450 4.1.8 <ami@nulle-part.example>: Sender address rejected: Domain not found',
     '    reject_non_fqdn_sender,\n    reject_unknown_sender_domain\n', '250'),
    ([ELSEWHERE[0], 'RCPT TO:<ami@ailleurs.example>'], '554 5.7.1 <ami@ailleurs.example>: Relay access denied',
     '    reject_unauth_destination,\n', None),
]


@pytest.fixture(scope='module')
def changed(world):
    """What strangers are told with main.cf as it is, and after a reload without each line."""
    main = world.read('/etc/postfix/main.cf')
    before = [world.python(dialogue, 25, world.stranger(), '', *words)[-1] for words, *_ in RESTRICTIONS]
    after = []
    for words, _, line, _ in RESTRICTIONS:
        world.edit('/etc/postfix/main.cf', line, '')
        done = world.reload(check=False)
        if done.returncode == 0:
            done = world.python(dialogue, 25, world.stranger(), '', *words)[-1]
        after.append(done)
        world.write('/etc/postfix/main.cf', main)
    world.reload()
    return before, after


@pytest.mark.parametrize('i', range(len(RESTRICTIONS)))
def test_restriction(changed, i):
    _, reply, _, without = RESTRICTIONS[i]
    before, after = changed
    assert f'{before[i][0]} {before[i][1]}'.startswith(reply)
    if without is None:  # nobody may relay by leaving a line out
        assert after[i].returncode == 1 and 'reject_unauth_destination' in after[i].stderr
    else:
        assert str(after[i][0]) == without, after[i]


# --- the commands of the guide ---

@pytest.fixture(scope='module')
def programs(world):
    """The names under which malle is Postfix and Dovecot, first in PATH."""
    world.run(MALLE, 'install-compat', '/mnt/bin')

    def run(command, check=True, input=''):
        return world.run('env', 'PATH=/mnt/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'bash', '-c', command, check=check, input=input)
    return run


def test_the_test_script(programs):
    """Every line of the guide's own test says OK."""
    lines = programs(f'bash {HERE}/test-mail-server.sh').stdout.splitlines()
    assert lines[0] == '=== Test du Serveur Mail ===' and lines[-1] == '=== Fin des Tests ==='
    assert len(lines) == 9 and all(line.endswith(': OK') for line in lines[1:-1]), lines


def test_checking_the_files(programs):
    checked = programs('postfix check')
    assert checked.stdout == '' and 'error' not in checked.stderr
    assert 'mail_location = maildir:~/Maildir' in programs('doveconf -n').stdout.splitlines()
    assert programs('postconf -h myorigin').stdout == '$mydomain\n'


def test_openssl(programs):
    """`openssl s_client`, as the guide calls it."""
    smtp = programs(f'openssl s_client -connect {HOST}:587 -starttls smtp -crlf -quiet <<<QUIT 2>&1').stdout
    imap = programs(f'openssl s_client -connect {HOST}:993 </dev/null 2>&1').stdout
    assert 'Verify return code: 0 (ok)' in imap and 'CN = ' + HOST in imap
    assert '250 LIMITS' in smtp or '250 ' in smtp


def test_the_queue(world, programs):
    """postqueue -p, postqueue -f and postsuper -d ALL with a message that waits for a host that is not there."""
    replies = world.python(dialogue, 587, world.stranger(), 'starttls', [USER, PASSWORD], f'MAIL FROM:<{USER}@{DOMAIN}>',
                           'RCPT TO:<ami@ailleurs.example>', 'DATA Subject: file\r\n\r\nattente\r\n')
    assert replies[-1][0] == 250, replies
    world.wait_log('status=deferred')
    listed = programs('postqueue -p').stdout
    assert 'ami@ailleurs.example' in listed and f'{USER}@{DOMAIN}' in listed and '1 Request' in listed
    programs('postqueue -f')
    done = programs('postsuper -d ALL')
    assert 'postsuper: Deleted: 1 message' in done.stderr + done.stdout
    assert programs('postqueue -p').stdout == 'Mail queue is empty\n'


def test_users(programs):
    assert USER in programs("doveadm user '*'").stdout.split()


def test_status(programs):
    assert 'is running: PID:' in programs('postfix status').stderr
