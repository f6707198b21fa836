"""What the tests say to a server, a line each: send a message, log in, read everything back."""
import contextlib
import imaplib
import poplib
import re
import smtplib

STRANGER = 'stranger@example.org'


def connect_smtp(server, listener='smtp', user=None, password=None, address='127.0.0.1'):
    """An smtplib client after EHLO or LHLO, logged in when there is a user."""
    if listener == 'lmtp':
        client = smtplib.LMTP(address, server.port('lmtp'))
        client.ehlo('client.example')
        return client
    if listener == 'submissions':
        client = smtplib.SMTP_SSL(address, server.port(listener), local_hostname='client.example', timeout=30,
                                  context=server.tls_context())
    else:
        client = smtplib.SMTP(address, server.port(listener), local_hostname='client.example', timeout=30)
        if listener == 'submission':
            client.starttls(context=server.tls_context())
    client.ehlo()
    if user:
        client.login(user, password)
    return client


def try_rcpt(server, recipient, sender=STRANGER, **how):
    """The reply to RCPT as (code, text)."""
    with contextlib.closing(connect_smtp(server, **how)) as client:
        assert client.docmd('MAIL', f'FROM:<{sender}>')[0] == 250
        code, text = client.docmd('RCPT', f'TO:<{recipient}>')
        return code, text.decode()


def send(server, recipients, text, sender=STRANGER, **how):
    """Sends one message; the reply to its end as (code, text), with LMTP a list of them."""
    with contextlib.closing(connect_smtp(server, **how)) as client:
        code, answer = client.docmd('MAIL', f'FROM:<{sender}>')
        assert code == 250, answer
        for recipient in recipients:
            code, answer = client.docmd('RCPT', f'TO:<{recipient}>')
            assert code == 250, answer
        code, answer = client.docmd('DATA')
        assert code == 354, answer
        body = re.sub(rb'(?m)^\.', b'..', text if isinstance(text, bytes) else text.encode())
        client.sock.sendall(body + (b'' if body.endswith(b'\r\n') else b'\r\n') + b'.\r\n')
        replies = [client.getreply() for _ in (recipients if how.get('listener') == 'lmtp' else [1])]
        replies = [(code, answer.decode()) for code, answer in replies]
        return replies if how.get('listener') == 'lmtp' else replies[0]


def open_imap(server, user, password, address='localhost', mailbox=None):
    client = imaplib.IMAP4_SSL(address, server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, password)
    if mailbox:
        client.select(mailbox)
    return client


def open_pop3(server, user, password, address='localhost'):
    client = poplib.POP3_SSL(address, server.port('pop3s'), context=server.tls_context(), timeout=30)
    client.user(user)
    client.pass_(password)
    return client


def read_imap(server, user, password, mailbox='INBOX'):
    """Every message of a mailbox as bytes."""
    client = open_imap(server, user, password, mailbox=mailbox)
    count = len(client.search(None, 'ALL')[1][0].split())
    found = [client.fetch(str(n), '(BODY.PEEK[])')[1][0][1] for n in range(1, count + 1)]
    client.logout()
    return found


def read_pop3(server, user, password):
    client = open_pop3(server, user, password)
    found = [b''.join(line + b'\r\n' for line in client.retr(n)[1]) for n in range(1, client.stat()[0] + 1)]
    client.quit()
    return found


def without_trace(message):
    """The message without the header fields that delivery put in front."""
    match = re.match(rb'((?:Return-Path|Delivered-To|Received):[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)+', message)
    assert match, message[:300]
    return message[match.end():]


class Lines:
    """A plain or TLS connection spoken line by line; sock needs recv and sendall only."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b''

    def line(self):
        while b'\n' not in self.rest:
            more = self.sock.recv(65536)
            assert more, f'the connection was closed after {self.rest!r}'
            self.rest += more
        line, _, self.rest = self.rest.partition(b'\n')
        return line.rstrip(b'\r').decode('utf-8', 'replace')

    def until(self, prefix):
        """The first line that begins so; those before are dropped."""
        for _ in range(10000):
            line = self.line()
            if line.startswith(prefix):
                return line
        raise AssertionError(f'no line begins with {prefix}')

    def send(self, text):
        self.sock.sendall(text.encode() + b'\r\n')

    def is_closed(self):
        """Reads until the other side closes."""
        while self.sock.recv(65536):
            pass
        return True
