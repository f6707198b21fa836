"""A scripted load for a mail server in a World (guide/world.py): what its log shall tell of. Each client has an address of its own, so
that who did what can be told from the log; run() is executed in there, by itself.
"""
HOST, DOMAIN = 'mail.votre-domaine.com', 'votre-domaine.com'
SINK_PORT = 2525
CLIENT = '192.0.2.{}'

# Addresses of clients.
SENDER, RELAY, UNKNOWN, WRONG_587, WRONG_465, WRONG_IMAP, WRONG_POP3, NOBODY_IMAP, READER, WRITER, SILENT, LOST, WEB, ERRORS, \
    BAD_HELO, BAD_SENDER, NO_DOMAIN, NO_AUTH, TALKER, LOOSE = range(11, 31)


def serve_sink(port):
    """The server of loin.example: takes all but mail for non@ (never) and tard@ (not now). Runs in there until it is killed."""
    import socketserver

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            def say(text):
                self.wfile.write(text.encode() + b'\r\n')
            say('220 mx.loin.example ESMTP')
            content = False
            for line in self.rfile:
                word = line[:4].upper()
                if content:
                    content = line != b'.\r\n'
                    if not content:
                        say('250 2.0.0 Ok: queued as ABC')
                elif word in (b'EHLO', b'HELO'):
                    say('250 mx.loin.example')
                elif word == b'RCPT' and b'<non@' in line:
                    say('550 5.1.1 <non@loin.example>: Recipient address rejected: no such user')
                elif word == b'RCPT' and b'<tard@' in line:
                    say('450 4.2.0 <tard@loin.example>: Recipient address rejected: try later')
                elif word == b'DATA':
                    say('354 go on')
                    content = True
                elif word == b'QUIT':
                    say('221 2.0.0 Bye')
                    return
                else:
                    say('250 2.1.0 Ok')

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
    with Server(('127.0.0.1', port), Handler) as server:
        print('ready', flush=True)
        server.serve_forever()


def deliver(user, domain):
    """A message for the user, and one for nobody, by LMTP."""
    import smtplib
    with smtplib.LMTP('/var/spool/postfix/private/dovecot-lmtp', local_hostname=domain) as lmtp:
        lmtp.sendmail('ami@ailleurs.example', [f'{user}@{domain}'], 'Message-ID: <nine@ailleurs.example>\r\n\r\ntexte\r\n')
        lmtp.ehlo_or_helo_if_needed()
        lmtp.docmd('MAIL FROM:<ami@ailleurs.example>')
        return [lmtp.docmd(f'RCPT TO:<personne@{domain}>')[0], lmtp.docmd('QUIT')[0]]


def run(user, password, constants):
    """All of it, in one order. constants: of this module, which is not there where this runs."""
    import imaplib
    import poplib
    import smtplib
    import socket
    import ssl
    import time
    c = type('Constants', (), constants)
    context = ssl.create_default_context()

    def address(client):
        return c.CLIENT.format(client), 0

    def connect(client, port=25, hello='client.ailleurs.example'):
        smtp = smtplib.SMTP(source_address=address(client), local_hostname=hello, timeout=60)
        smtp.connect(c.HOST, port)
        smtp.ehlo()
        return smtp

    def say(client, *lines, port=25, wait=0.0):
        """Whole lines without a client's care; then the connection is dropped."""
        with socket.create_connection((c.HOST, port), timeout=60, source_address=address(client)) as s:
            replies = s.makefile('rb')
            replies.readline()
            for line in lines:
                s.sendall(line.encode() + b'\r\n')
                while replies.readline()[3:4] == b'-':
                    pass
            time.sleep(wait)

    def offer(client, sender, recipient, hello='client.ailleurs.example'):
        smtp = connect(client, hello=hello)
        smtp.docmd(f'MAIL FROM:<{sender}>')
        smtp.docmd(f'RCPT TO:<{recipient}>')
        smtp.quit()

    def message(id):
        return f'From: ami@ailleurs.example\r\nMessage-ID: <{id}@ailleurs.example>\r\nSubject: x\r\n\r\ntexte\r\n'

    # mail from outside, taken and refused
    with connect(c.SENDER) as smtp:
        smtp.sendmail('ami@ailleurs.example', f'{user}@{c.DOMAIN}', message('one'))
        smtp.sendmail('ami@ailleurs.example', [f'{user}@{c.DOMAIN}', f'{user}+liste@{c.DOMAIN}'], message('two'))
    for _ in range(3):
        offer(c.RELAY, 'ami@ailleurs.example', 'ami@loin.example')
    for name in ('personne', 'inconnu'):
        offer(c.UNKNOWN, 'ami@ailleurs.example', f'{name}@{c.DOMAIN}')
    offer(c.BAD_HELO, 'ami@ailleurs.example', f'{user}@{c.DOMAIN}', hello='localhost')
    offer(c.BAD_SENDER, 'ami@court', f'{user}@{c.DOMAIN}')
    offer(c.NO_DOMAIN, 'ami@nulle-part.invalid', f'{user}@{c.DOMAIN}')

    # clients that do not speak SMTP, or not well
    say(c.SILENT)
    say(c.LOST, 'EHLO a.ailleurs.example')
    say(c.WEB, 'GET / HTTP/1.1')
    with socket.create_connection((c.HOST, 25), timeout=60, source_address=address(c.ERRORS)) as s:
        replies = s.makefile('rb')
        replies.readline()
        for _ in range(20):
            s.sendall(b'NONSENSE\r\n')
            if not replies.readline():
                break
        replies.read()

    # passwords
    def log_in(client, port, name, secret, mechanism='PLAIN'):
        kind = smtplib.SMTP_SSL if port == 465 else smtplib.SMTP
        extra = {'context': context} if port == 465 else {}
        smtp = kind(source_address=address(client), local_hostname='client.ailleurs.example', timeout=60, **extra)
        smtp._host = c.HOST
        smtp.connect(c.HOST, port)
        if port != 465:
            smtp.starttls(context=context)
        smtp.ehlo()
        smtp.user, smtp.password = name, secret
        try:
            smtp.auth(mechanism, smtp.auth_plain if mechanism == 'PLAIN' else smtp.auth_login)
        except smtplib.SMTPAuthenticationError:
            pass
        return smtp

    for _ in range(3):
        log_in(c.WRONG_587, 587, user, 'faux').quit()
    log_in(c.WRONG_587, 587, user, 'faux', 'LOGIN').quit()
    for name in ('admin', 'root'):
        log_in(c.WRONG_465, 465, name, 'faux').quit()
    say(c.NO_AUTH, 'EHLO client.ailleurs.example', 'MAIL FROM:<ami@ailleurs.example>', 'QUIT', port=587)

    # mail of users, to all kinds of places
    smtp = log_in(c.WRITER, 587, user, password)
    for id, recipient in (('three', f'{user}@{c.DOMAIN}'), ('four', 'oui@loin.example'), ('five', 'non@loin.example'),
                          ('six', 'tard@loin.example'), ('seven', 'ami@ailleurs.example')):
        smtp.sendmail(f'{user}@{c.DOMAIN}', recipient, message(id))
    smtp.quit()
    smtp = log_in(c.WRITER, 465, user, password, 'LOGIN')
    smtp.sendmail(f'{user}@{c.DOMAIN}', ['oui@loin.example', 'encore@loin.example', f'{user}@{c.DOMAIN}'], message('eight'))
    smtp.quit()

    # mailboxes
    def imap(client, name, secret):
        box = imaplib.IMAP4_SSL(c.HOST, 993, ssl_context=context, timeout=60) if client is None else Imap(client)
        try:
            box.login(name, secret)
            box.select('INBOX')
            box.fetch('1', 'BODY[]')
        except imaplib.IMAP4.error:
            pass
        box.logout()

    class Imap(imaplib.IMAP4_SSL):
        def __init__(self, client):
            self.client = client
            super().__init__(c.HOST, 993, ssl_context=context, timeout=60)

        def _create_socket(self, timeout):
            return context.wrap_socket(socket.create_connection((c.HOST, 993), timeout, address(self.client)), server_hostname=c.HOST)

    class Pop(poplib.POP3_SSL):
        def __init__(self, client):
            self.client = client
            super().__init__(c.HOST, 995, context=context, timeout=60)

        def _create_socket(self, timeout):
            return context.wrap_socket(socket.create_connection((c.HOST, 995), timeout, address(self.client)), server_hostname=c.HOST)

    def pop(client, name, secret):
        box = Pop(client)
        try:
            box.user(name)
            box.pass_(secret)
            box.retr(1)
        except poplib.error_proto:
            pass
        box.quit()

    for _ in range(2):
        imap(c.WRONG_IMAP, user, 'faux')
    imap(c.NOBODY_IMAP, 'admin', 'faux')
    pop(c.WRONG_POP3, user, 'faux')
    imap(c.READER, user, password)
    pop(c.READER, user, password)
    with context.wrap_socket(socket.create_connection((c.HOST, 993), 60, address(c.TALKER)), server_hostname=c.HOST) as s:
        s.recv(1000)
    with socket.create_connection((c.HOST, 993), 60, address(c.LOOSE)) as s:
        s.sendall(b'a LOGIN x y\r\n')
        s.recv(1000)
    return True
