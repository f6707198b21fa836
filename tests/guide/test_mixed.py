"""Half of the guide's two programs is Debian's, the other half is malle, from the guide's files: a real Postfix with malle in the place of
Dovecot, and malle in the place of Postfix with a real Dovecot. Log-ins over private/auth; mail into ~/Maildir, and over
private/dovecot-lmtp; all of it read back by IMAP."""

import pytest

from harness import MALLE, eventually
from test_guide import is_open, read_by_imap
from world import DOMAIN, PASSWORD, USER, World

ALONE = '/mnt/alone'
WAYS = {'maildir': '', 'lmtp': 'mailbox_transport = lmtp:unix:private/dovecot-lmtp\n',
        'lda': 'mailbox_command = /usr/lib/dovecot/dovecot-lda -f "$SENDER" -a "$RECIPIENT"\n'}
NO_PENALTY = 'log_path = /var/log/dovecot.log\nauth_failure_delay = 0\nservice anvil {\n unix_listener anvil-auth-penalty {\n  mode = 0\n }\n}'
BODY = 'Le courrier : \u00e9t\u00e9, 10 \u20ac\r\n.\r\n..deux\r\n' + 'x' * 900 + '\r\n\r\n\tfin \r\n'


def send(port, source, tls, login, sender, recipient, text):
    """What an SMTP server answers to log-in (where there is one), MAIL, RCPT and the content: [code, text] each."""
    import smtplib
    import ssl
    context = ssl.create_default_context()
    client = smtplib.SMTP('mail.votre-domaine.com', port, 'client.ailleurs.example', source_address=(source, 0))
    client.ehlo()
    if tls:
        client.starttls(context=context)
        client.ehlo()
    replies = []
    try:
        if login:
            replies.append(client.login(*login))
        replies.append(client.mail(sender, ['BODY=8BITMIME']))
        replies.append(client.rcpt(recipient))
        if replies[-1][0] == 250:
            replies.append(client.data(text.encode()))
    except smtplib.SMTPAuthenticationError as e:
        replies.append((e.smtp_code, e.smtp_error))
    client.close()
    return [[code, said.decode()] for code, said in replies]


class Pair:
    """reload: makes the half that is Postfix read main.cf again."""

    def __init__(self, world, reload):
        self.world, self.reload, self.count = world, reload, 0

    def send(self, port=25, login=None, recipient=f'{USER}@{DOMAIN}'):
        """A message on its way: its text."""
        self.count += 1
        sender = f'{login[0]}@{DOMAIN}' if login else 'ami@ailleurs.example'
        text = (f'From: {sender}\r\nDate: Fri, 30 Jan 2026 23:20:00 +0100\r\nMessage-ID: <{self.count}@ailleurs.example>\r\n'
                f'Subject: essai {self.count}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{BODY}')
        replies = self.world.python(send, port, self.world.stranger(), bool(login), login, sender, recipient, text)
        assert [code for code, _ in replies] == [235] * bool(login) + [250, 250, 250], replies
        return text

    def arrives(self, text):
        """The lines above a message in its mailbox, read by IMAP."""
        def found():
            """the message can be read by IMAP"""
            return [there for there in self.world.python(read_by_imap, USER, PASSWORD) if there.endswith(text)]
        [there] = eventually(found, 30, step=0.3)
        return there[:-len(text)]


def only(world, name):
    """A folder in which malle finds the files of one of the two."""
    world.run('mkdir', '-p', ALONE)
    world.run('ln', '-s', f'/etc/{name}', '/etc/malle', ALONE)
    return ALONE


def append(world, path, line):
    world.write(path, f'{world.read(path)}{line}\n')


@pytest.fixture(scope='module')
def real_postfix():
    with World() as world:
        world.install('postfix')
        append(world, '/etc/postfix/main.cf', 'maillog_file = /var/log/mail.log')
        world.run('cp', MALLE, '/usr/sbin/malle')  # the checkout may be out of reach for users
        world.run('/usr/sbin/malle', 'install-compat', '/usr/lib/dovecot')
        world.start_malle(only(world, 'dovecot'))
        world.start('/usr/lib/postfix/sbin/master')
        eventually(lambda: world.python(is_open, '127.0.0.1', 25), 20)
        yield Pair(world, lambda: world.run('postfix', 'reload'))
        print(world.read('/var/log/mail.log')[-10000:], *world.lines[-60:], sep='\n')
        world.stop_malle()


@pytest.fixture(scope='module')
def real_dovecot():
    with World() as world:
        world.install('dovecot')
        # as `malle check` says of the guide: nobody could log in, and the mail of users of the system is not vmail's; they have
        # no domain either
        world.edit('/etc/dovecot/conf.d/10-master.conf', 'service auth-worker {\n  user = vmail\n}\n', '')
        for line in ('mail_uid = vmail\n', 'mail_gid = vmail\n', 'mail_privileged_group = mail\n'):
            world.edit('/etc/dovecot/conf.d/10-mail.conf', line, '')
        append(world, '/etc/dovecot/conf.d/10-auth.conf', 'auth_username_format = %Ln')
        append(world, '/etc/dovecot/dovecot.conf', NO_PENALTY)
        world.run('install', '-m', '666', '/dev/null', '/var/log/dovecot.log')  # where users' dovecot-lda writes, too
        world.start('dovecot', '-F')
        eventually(lambda: world.python(is_open, '127.0.0.1', 993), 20)
        world.start_malle(only(world, 'postfix'))
        yield Pair(world, lambda: world.reload(folder=ALONE))
        print(world.read('/var/log/dovecot.log')[-10000:], *world.lines[-60:], sep='\n')
        world.stop_malle()


@pytest.fixture(scope='module', params=['real_postfix', 'real_dovecot'])
def pair(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope='module', params=WAYS)
def way(request, pair):
    """How a message goes from the one half to the other."""
    main = pair.world.read('/etc/postfix/main.cf')
    if WAYS[request.param]:
        pair.world.write('/etc/postfix/main.cf', main + WAYS[request.param])
        pair.reload()
    yield request.param
    if WAYS[request.param]:
        pair.world.write('/etc/postfix/main.cf', main)
        pair.reload()


def test_mail_from_outside(pair, way):
    trace = pair.arrives(pair.send())
    assert ('LMTP' in trace) == (way == 'lmtp'), trace
    assert trace.startswith('Return-Path: <ami@ailleurs.example>\r\n') and f'<{USER}@{DOMAIN}>' in trace
    owner = pair.world.run('sh', '-c', f'stat -c %U /home/{USER}/Maildir/*/*,*').stdout
    assert set(owner.split()) == {USER}


def test_a_tag(pair, way):
    assert f'{USER}+liste@{DOMAIN}' in pair.arrives(pair.send(recipient=f'{USER}+liste@{DOMAIN}'))


def test_sending(pair, way):
    """Whoever logs in to send has the password checked by the other half."""
    trace = pair.arrives(pair.send(587, login=[USER, PASSWORD]))
    assert trace.startswith(f'Return-Path: <{USER}@{DOMAIN}>\r\n')


def test_a_wrong_password(pair):
    [reply] = pair.world.python(send, 587, pair.world.stranger(), True, [USER, 'faux'], '', '', '')
    assert reply[0] == 535, reply


def test_nobody(pair):
    replies = pair.world.python(send, 25, pair.world.stranger(), False, None, 'ami@ailleurs.example', f'personne@{DOMAIN}', '')
    assert replies[-1][0] == 550, replies
