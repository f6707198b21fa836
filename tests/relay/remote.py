"""A server for mail that does what a test says: a real socket, a thread a connection, and a script.

    with Remote() as remote:
        remote.answer('RCPT', '450 4.2.1 busy', times=1)   # once, then as usual
        remote.drop('DOT', times=1)                         # closes instead of answering the end of data
        ... remote.messages is what it took: (sender, recipients, bytes)

Verbs for answer(), drop(), cut(), drip() and hang(): CONNECT EHLO STARTTLS AUTH MAIL RCPT DATA DOT BDAT RSET XFORWARD QUIT, and for drop() BODY (while
the content comes).
"""
import base64
import collections
import hashlib
import hmac
import re
import socket
import ssl
import threading
import time

from ports import free_port

Message = collections.namedtuple('Message', 'sender recipients content parameters connection tls')
KEYWORDS = ('PIPELINING', '8BITMIME', 'SIZE 50000000', 'ENHANCEDSTATUSCODES', 'DSN', 'SMTPUTF8')


class Closed(Exception):
    pass


class Remote:
    def __init__(self, keywords=KEYWORDS, port=0, tls=None, starttls=None, path=None):
        """tls: an ssl.SSLContext; the connection begins with a handshake. starttls: the same, when the client asks.
        path: of a Unix socket, instead of a port."""
        self.keywords, self.tls, self.starttls = keywords, tls, starttls
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(str(path) if path else ('127.0.0.1', port or free_port()))
        self.listener.listen(200)
        self.port = None if path else self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.messages, self.connections, self.rules = [], 0, []
        self.peers, self.greetings, self.logins = [], [], []  # addresses; EHLO lines; "user:password" of AUTH
        self.origins = []  # XFORWARD lines
        self.shown = []  # the names in certificates of clients, None for nobody
        self.lies = False
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        """Hangs up on everybody and listens no more."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for peer in self.open:
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @property
    def site(self):
        return f'[127.0.0.1]:{self.port}'

    # --- the script ---

    def answer(self, verb, reply, times=10**9, match=''):
        self.rules.append({'verb': verb, 'reply': reply, 'times': times, 'match': match})

    def drop(self, verb, times=10**9):
        self.answer(verb, None, times)

    def cut(self, verb, times=10**9):
        """Closes in the middle of its reply."""
        self.answer(verb, (2, 0), times)

    def drip(self, verb, seconds, times=10**9):
        """Says its reply byte by byte, with so many seconds in between."""
        self.answer(verb, (None, seconds), times)

    def hang(self, verb, seconds, times=10**9):
        """Says nothing for so long, and then its usual reply."""
        self.answer(verb, seconds, times)

    def rule(self, verb, line=''):
        with self.lock:
            for rule in self.rules:
                if rule['verb'] == verb and rule['times'] > 0 and rule['match'] in line:
                    rule['times'] -= 1
                    return rule['reply']
        return ''

    def marks(self):
        """How often each X-Mark arrived."""
        with self.lock:
            found = [re.search(rb'^X-Mark: (\d+)\r$', m.content, re.M) for m in self.messages]
        return collections.Counter(int(m[1]) for m in found if m)

    # --- connections ---

    def accept(self):
        while True:
            try:
                peer, address = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.peers.append(address[0] if address else '')
                self.open.add(peer)
            threading.Thread(target=self.serve, args=(peer, number), daemon=True).start()

    def serve(self, peer, number):
        peer.settimeout(60)
        if peer.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            Session(self, peer, number).run()
        except (OSError, Closed):
            pass
        finally:
            with self.lock:
                self.open.discard(peer)
            peer.close()


class Session:
    def __init__(self, remote, peer, number):
        self.remote, self.peer, self.number = remote, peer, number
        self.pending = b''
        self.sender, self.recipients, self.parameters, self.chunks = None, [], [], b''

    def say(self, verb, usual, line=''):
        """The scripted reply, or the usual one; True when it was the usual one."""
        return self.reply(self.remote.rule(verb, line), usual)

    def reply(self, rule, usual):
        text = (usual + '\r\n').encode()
        if rule is None:
            raise Closed
        if isinstance(rule, tuple):
            for byte in text[:rule[0]]:
                time.sleep(rule[1])
                self.peer.sendall(bytes([byte]))
            if rule[0]:
                raise Closed
        elif isinstance(rule, str):
            self.peer.sendall((rule + '\r\n').encode() if rule else text)
        else:
            time.sleep(rule)
            self.peer.sendall(text)
        return not isinstance(rule, str) or not rule

    def more(self):
        data = self.peer.recv(65536)
        if not data:
            raise Closed
        self.pending += data

    def line(self):
        while b'\r\n' not in self.pending:
            self.more()
        line, _, self.pending = self.pending.partition(b'\r\n')
        return line.decode('latin-1')

    def run(self):
        self.say('CONNECT', '220 remote.example ESMTP')
        while True:
            line = self.line()
            verb = line.split(' ')[0].split(':')[0].upper()
            if verb == 'QUIT':
                self.say('QUIT', '221 bye')
                return
            getattr(self, 'do_' + verb.lower(), self.do_unknown)(line)

    def do_unknown(self, line):
        self.peer.sendall(b'500 5.5.2 what?\r\n')

    def ask(self, challenge):
        """The client's response to a challenge."""
        self.peer.sendall(b'334 ' + base64.b64encode(challenge) + b'\r\n')
        return base64.b64decode(self.line())

    def do_auth(self, line):
        """RFC 4954, with the initial response where the mechanism has one."""
        words = line.split(' ')
        first = base64.b64decode(words[2]) if len(words) > 2 else b''
        login = {'PLAIN': self.plain, 'LOGIN': self.login, 'XOAUTH2': self.xoauth2}.get(words[1], self.scram)(words[1], first)
        if login is None:
            self.peer.sendall(b'535 5.7.8 wrong password\r\n')
        elif self.say('AUTH', '235 2.7.0 welcome', line):
            self.remote.logins.append(login)

    def plain(self, mechanism, first):
        """RFC 4616."""
        return ':'.join(first.decode().split('\0')[1:])

    def login(self, mechanism, first):
        return f'{self.ask(b"Username:").decode()}:{self.ask(b"Password:").decode()}'

    def xoauth2(self, mechanism, first):
        """A wrong token is told in a challenge, to which the response is empty."""
        found = re.fullmatch(r'user=(.+)\x01auth=Bearer (.+)\x01\x01', first.decode())
        if found[2].startswith('expired'):
            assert self.ask(b'{"status":"401","schemes":"bearer"}') == b''
            return None
        return f'{found[1]}:{found[2]}'

    def scram(self, mechanism, first):
        """RFC 5802 §3; the password is always `secret`. The server's signature is a lie where lies says so."""
        digest = mechanism.split('-', 1)[1].replace('-', '').lower()
        salt, rounds, bare = b'pepper', 4096, first.decode().removeprefix('n,,')
        user, nonce = (field[2:] for field in bare.split(','))
        begin = f'r={nonce}more,s={base64.b64encode(salt).decode()},i={rounds}'
        final = self.ask(begin.encode()).decode()
        without, proof = final.split(',p=')
        said = f'{bare},{begin},{without}'.encode()
        salted = hashlib.pbkdf2_hmac(digest, b'secret', salt, rounds)
        client = hmac.digest(salted, b'Client Key', digest)
        signature = hmac.digest(hashlib.new(digest, client).digest(), said, digest)
        if bytes(a ^ b for a, b in zip(client, signature)) != base64.b64decode(proof):
            return None
        shown = hmac.digest(hmac.digest(salted, b'Server Key', digest), b'lie' if self.remote.lies else said, digest)
        assert self.ask(b'v=' + base64.b64encode(shown)) == b''
        return f'{user}:secret'

    def do_ehlo(self, line):
        self.remote.greetings.append(line)
        words = ['remote.example', *self.remote.keywords]
        if self.remote.starttls and not isinstance(self.peer, ssl.SSLSocket):
            words.append('STARTTLS')
        self.say('EHLO', '\r\n'.join(f'250{"-" if i < len(words) - 1 else " "}{w}' for i, w in enumerate(words)))

    def do_starttls(self, line):
        if self.say('STARTTLS', '220 2.0.0 go on'):
            self.peer = self.remote.starttls.wrap_socket(self.peer, server_side=True)
            names = dict(pair[0] for pair in (self.peer.getpeercert() or {}).get('subject', ()))
            self.remote.shown.append(names.get('commonName'))

    def do_lhlo(self, line):
        self.do_ehlo(line)

    def do_helo(self, line):
        self.say('HELO', '250 remote.example')

    def do_rset(self, line):
        self.sender, self.recipients, self.chunks = None, [], b''
        self.say('RSET', '250 2.0.0 Ok')

    def do_xforward(self, line):
        self.remote.origins.append(line)
        self.say('XFORWARD', '250 2.0.0 Ok', line)

    def do_noop(self, line):
        self.say('NOOP', '250 2.0.0 Ok')

    def do_mail(self, line):
        self.sender, self.recipients, self.parameters, self.chunks = None, [], [line], b''
        if self.say('MAIL', '250 2.1.0 Ok', line):
            self.sender = re.search(r'<(.*?)>', line)[1]

    def do_rcpt(self, line):
        self.parameters.append(line)
        if self.sender is None:
            self.peer.sendall(b'503 5.5.1 MAIL first\r\n')
        elif self.say('RCPT', '250 2.1.5 Ok', line):
            self.recipients.append(re.search(r'<(.*?)>', line)[1])

    def do_data(self, line):
        if not self.recipients:
            self.peer.sendall(b'554 5.5.1 no valid recipients\r\n')
            return
        if not self.say('DATA', '354 go on'):
            return
        if self.remote.rule('BODY') is None:
            self.more()
            raise Closed
        while not (self.pending.startswith(b'.\r\n') or b'\r\n.\r\n' in self.pending):
            self.more()
        if self.pending.startswith(b'.\r\n'):
            content, self.pending = b'', self.pending[3:]
        else:
            content, _, self.pending = self.pending.partition(b'\r\n.\r\n')
            content = re.sub(rb'(?m)^\.\.', b'.', content + b'\r\n')
        self.take(content)

    def do_bdat(self, line):
        words = line.split(' ')
        while len(self.pending) < int(words[1]):
            self.more()
        self.chunks += self.pending[:int(words[1])]
        self.pending = self.pending[int(words[1]):]
        if len(words) > 2:
            self.take(self.chunks)
        else:
            self.say('BDAT', '250 2.0.0 Ok')

    def take(self, content):
        """A drop here comes after the message was taken: the worst moment."""
        message = Message(self.sender, tuple(self.recipients), content, tuple(self.parameters), self.number,
                          isinstance(self.peer, ssl.SSLSocket))
        reply = self.remote.rule('DOT')
        if not isinstance(reply, str) or reply[:1] in ('', '2'):
            with self.remote.lock:
                self.remote.messages.append(message)
        self.reply(reply, '250 2.0.0 Ok: taken')
