"""A raw client for tests: lines and bytes to and from a listener, with nothing done behind the test's back."""
import re
import socket


class Port:
    """A program that is no harness.Server, for the clients below: all of its listeners are one port."""

    def __init__(self, number):
        self.number = number

    def port(self, _):
        return self.number


class Talk:
    """A connection; every wait ends after `timeout` seconds with TimeoutError, an end of the stream is ConnectionError."""

    def __init__(self, server, listener, timeout=20, source='127.0.0.1', tls=False):
        self.socket = socket.create_connection(('127.0.0.1', server.port(listener)), timeout, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = server.tls_context().wrap_socket(self.socket)
        self.pending = b''

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """The next line without its CRLF."""
        while b'\r\n' not in self.pending:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f'closed after {self.pending!r}')
            self.pending += more
        line, _, self.pending = self.pending.partition(b'\r\n')
        return line.decode('latin-1')

    def rest(self):
        """Everything until the server closes; a reset counts as closing."""
        data, self.pending = self.pending, b''
        try:
            while more := self.socket.recv(65536):
                data += more
        except ConnectionError:
            pass
        return data.decode('latin-1')

    def ends(self):
        """True when the server closes without sending more."""
        return self.rest() == ''

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class Smtp(Talk):
    """SMTP, or LMTP where the listener is lmtp; the greeting is read."""

    def __init__(self, server, listener='smtp', **options):
        super().__init__(server, listener, **options)
        self.lmtp = listener == 'lmtp'
        self.greeting = self.reply()

    def reply(self):
        """The last line of the next reply."""
        while True:
            line = self.line()
            if line[3:4] != '-':
                return line

    def command(self, line):
        self.send(line + '\r\n')
        return self.reply()

    def hello(self):
        return self.command('LHLO client.example' if self.lmtp else 'EHLO client.example')

    def envelope(self, *recipients, sender='sender@client.example', parameters=''):
        """MAIL and RCPTs; the last reply."""
        reply = self.command(f'MAIL FROM:<{sender}>{parameters}')
        for recipient in recipients:
            if reply.startswith('250'):
                reply = self.command(f'RCPT TO:<{recipient}>')
        return reply

    def data(self, content, *, count=1):
        """Sends content (CRLF lines) with DATA: the replies after the final dot, `count` of them (one a recipient in LMTP)."""
        reply = self.command('DATA')
        if not reply.startswith('354'):
            return [reply]
        end = b'.\r\n' if content.endswith(b'\r\n') or not content else b'\r\n.\r\n'
        self.send(re.sub(rb'(?m)^\.', b'..', content) + end)
        return [self.reply() for _ in range(count)]

    def bdat(self, content, *, count=1, chunk=None):
        """The same with BDAT."""
        chunk = chunk or len(content) or 1
        pieces = [content[i:i + chunk] for i in range(0, len(content), chunk)] or [b'']
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            self.send(f'BDAT {len(piece)}{" LAST" if last else ""}\r\n'.encode() + piece)
            if not last and not (reply := self.reply()).startswith('250'):
                return [reply]
        return [self.reply() for _ in range(count)]


class Imap(Talk):
    """IMAP over a clear or TLS connection; the greeting is read."""

    def __init__(self, server, listener='imaps', **options):
        super().__init__(server, listener, tls=listener == 'imaps', **options)
        self.greeting = self.line()
        self.number = 0

    def tagged(self, tag):
        """(the tagged reply without its tag, the text before it); literals are kept as they are."""
        before = b''
        while True:
            line = self.line()
            if line.startswith(tag + ' '):
                return line[len(tag) + 1:], before
            before += line.encode('latin-1') + b'\r\n'
            if literal := re.search(r'\{(\d+)\}$', line):
                before += self.exactly(int(literal[1]))

    def exactly(self, count):
        while len(self.pending) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError('closed within a literal')
            self.pending += more
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def command(self, line):
        self.number += 1
        self.send(f'a{self.number} {line}\r\n')
        return self.tagged(f'a{self.number}')

    def login(self, address, password='secret'):
        return self.command(f'LOGIN {address} {password}')[0]

    def append(self, *contents, mailbox='INBOX'):
        """The tagged reply; the server's refusal of a literal is one too."""
        self.number += 1
        tag = f'a{self.number}'
        self.send(f'{tag} APPEND {mailbox}')
        for content in contents:
            self.send(f' {{{len(content)}}}\r\n')
            line = self.line()
            if not line.startswith('+'):
                return line.removeprefix(f'{tag} ')
            self.send(content)
        self.send('\r\n')
        return self.tagged(tag)[0]
