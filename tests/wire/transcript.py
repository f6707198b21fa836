"""Reads and plays wire transcripts; the format is in README.md."""
import base64
import re
import socket
import time

LINE = re.compile(r'^(?:(?P<name>[a-z]\w*) )?(?P<verb>C|C-RAW|C-B64|C-EOF|C-CLOSE|S|S-EOF|S-NONE|TLS|WAIT|LOG):'
                  r'(?: (?P<text>.*))?$')
DIRECTIVE = re.compile(r'^# (config|user|malle|listener)(?: (\w+))?: *(.*)$')
IMPLICIT_TLS = ('submissions', 'imaps', 'pop3s')
REPLY_SECONDS = 20


class Mismatch(AssertionError):
    pass


class Section:
    def __init__(self, title, line):
        self.title, self.line = title, line
        self.steps = []     # (line number, connection, verb, text)
        self.listeners = {}


class Transcript:
    """The parsed form of one file."""

    def __init__(self, path):
        self.path = path
        self.config, self.users, self.commands, self.sections = {}, {}, [], []
        self.listeners = {None: path.parent.name}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            self._read(number, line)

    def _read(self, number, line):
        directive = DIRECTIVE.match(line)
        section = self.sections[-1] if self.sections else None
        if directive:
            self._direct(section, number, *directive.groups())
        elif line.startswith('# RFC '):
            self.sections.append(Section(line[2:], number))
        elif line.strip() and not line.startswith('#'):
            step = LINE.match(line)
            if not step or not section:
                raise Mismatch(f'{self.path}:{number}: not a line of a transcript: {line}')
            section.steps.append((number, step['name'], step['verb'], step['text'] or ''))

    def _direct(self, section, number, word, name, value):
        if word == 'listener':
            (section or self).listeners[name] = value
        elif section:
            raise Mismatch(f'{self.path}:{number}: this must stand before the first section')
        elif word == 'config':
            key, _, text = value.partition('=')
            self.config[key.strip()] = text.strip()
        elif word == 'user':
            address, _, password = value.partition(' ')
            self.users[address] = password.strip()
        else:
            self.commands.append(value.split())

    def listener(self, section, name):
        for table in (section.listeners, self.listeners):
            if name in table:
                return table[name]
        return section.listeners.get(None, self.listeners[None])


class Connection:
    def __init__(self, server, listener):
        self.server, self.listener = server, listener
        self.socket = server.connect(listener, timeout=REPLY_SECONDS)
        self.pending = b''
        if listener in IMPLICIT_TLS:
            self.start_tls()

    def start_tls(self):
        if self.pending:
            raise Mismatch(f'clear text before TLS: {self.pending!r}')
        self.socket = self.server.tls_context().wrap_socket(self.socket, server_hostname='localhost')

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line without CRLF, None at the end of the connection."""
        while b'\n' not in self.pending:
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                data = b''
            except socket.timeout:
                raise Mismatch(f'nothing came for {REPLY_SECONDS} s, so far {self.pending!r}') from None
            if not data:
                if self.pending:
                    raise Mismatch(f'the connection ended inside a line: {self.pending!r}')
                return None
            self.pending += data
        line, _, self.pending = self.pending.partition(b'\n')
        if not line.endswith(b'\r'):
            raise Mismatch(f'a line ends in LF alone: {line!r}')
        return line[:-1].decode('utf-8', 'surrogateescape')

    def is_silent(self, seconds):
        if self.pending:
            return False
        self.socket.settimeout(seconds)
        try:
            self.pending += self.socket.recv(65536)
            return False
        except socket.timeout:
            return True
        finally:
            self.socket.settimeout(REPLY_SECONDS)

    def close(self):
        self.socket.close()

    def end(self):
        """Closes once the server has closed, so that it counts this connection no more."""
        try:
            socket.socket.shutdown(self.socket, socket.SHUT_WR)  # SSLSocket.shutdown would forget TLS
            self.socket.settimeout(2)
            while self.socket.recv(65536):
                pass
        except OSError:
            pass
        self.close()


def unescape(text):
    text = re.sub(r'(?<!\\)\{(\d+)\*([^}]*)\}', lambda m: m[2] * int(m[1]), text)
    codes = {'r': b'\r', 'n': b'\n', 't': b'\t', '0': b'\0', '\\': b'\\', '{': b'{'}

    def one(m):
        return bytes([int(m[1][1:], 16)]) if m[1][:1] == b'x' else codes[m[1].decode()]
    return re.sub(rb'\\(x[0-9a-fA-F]{2}|[rnt0\\{])', one, text.encode())


def pattern(text, variables):
    """The regular expression of an S: or LOG: line."""
    out = ''
    if text.startswith('* '):
        out, text = re.escape('* '), text[2:]
    for part in re.split(r'(<<\w+>>|\\\*|\*)', text):
        if part.startswith('<<') and part[2:-2] in variables:
            out += re.escape(variables[part[2:-2]])
        elif part.startswith('<<'):
            out += f'(?P<{part[2:-2]}>[^\\s\\])]+)'
        else:
            out += '.*' if part == '*' else re.escape('*') if part == '\\*' else re.escape(part)
    return re.compile(out + r'\Z', re.S)


class Player:
    """Plays one section against a server."""

    def __init__(self, transcript, section, server):
        self.transcript, self.section, self.server = transcript, section, server
        self.connections, self.variables, self.heard, self.skipping = {}, {}, [], set()

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = Connection(self.server, self.transcript.listener(self.section, name))
        return self.connections[name]

    def play(self):
        try:
            for number, name, verb, text in self.section.steps:
                try:
                    self.step(name, verb, text)
                except (Mismatch, OSError) as e:
                    heard = '\n'.join(self.heard[-20:])
                    raise Mismatch(f'{self.transcript.path}:{number}: {verb}: {text}\n  {e}\n{heard}') from None
        finally:
            for connection in self.connections.values():
                connection.end()

    def step(self, name, verb, text):
        if verb == 'WAIT':
            time.sleep(float(text))
        elif verb == 'LOG':
            wanted = pattern('*' + text + '*', self.variables)
            end = time.monotonic() + 10
            while not any(wanted.match(line) for line in list(self.server.lines)):
                if time.monotonic() > end:
                    raise Mismatch('no such line in the log')
                time.sleep(0.02)
        elif verb.startswith('S'):
            self.expect(self.connection(name), name, verb, text)
        else:
            self.act(name, verb, text)

    def act(self, name, verb, text):
        connection = self.connection(name)
        text = re.sub(r'<<(\w+)>>', lambda m: self.variables.get(m[1], m[0]), text)
        self.heard.append(f'{verb}: {text[:200]}')
        if verb == 'C':
            connection.send(text.encode('utf-8', 'surrogateescape') + b'\r\n')
        elif verb == 'C-RAW':
            connection.send(unescape(text))
        elif verb == 'C-B64':
            connection.send(base64.b64encode(unescape(text)) + b'\r\n')
        elif verb == 'TLS':
            connection.start_tls()
        elif verb == 'C-EOF':
            socket.socket.shutdown(connection.socket, socket.SHUT_WR)  # SSLSocket.shutdown would forget TLS
        else:
            connection.close()
            del self.connections[name]

    def expect(self, connection, name, verb, text):
        if verb == 'S-EOF':
            line = connection.line()
            if line is not None:
                raise Mismatch(f'the server said {line!r} and did not close')
        elif verb == 'S-NONE':
            if not connection.is_silent(float(text)):
                raise Mismatch(f'the server said {connection.pending!r}')
        elif text == '...':
            self.skipping.add(name)
        else:
            self.match(connection, name, text)

    def hear(self, connection):
        line = connection.line()
        if line is None:
            raise Mismatch('the server closed the connection')
        self.heard.append(f'S: {line[:500]}')
        return line

    def match(self, connection, name, text):
        wanted = pattern(text, self.variables)
        found = wanted.match(line := self.hear(connection))
        while not found and name in self.skipping:
            found = wanted.match(line := self.hear(connection))
        self.skipping.discard(name)
        if not found:
            raise Mismatch(f'the server said {line!r}')
        self.variables.update(found.groupdict())
        if re.fullmatch(r'\d{3}-\*', text) and connection.listener in ('smtp', 'submission', 'submissions', 'lmtp'):
            while line[3:4] == '-':
                line = self.hear(connection)
                if line[:3] != text[:3]:
                    raise Mismatch(f'the server said {line!r} inside the reply')
