"""A milter for tests that does what it is told: its own implementation of the protocol, as libmilter's headers have it."""
import contextlib
import os
import socket
import struct
import threading

NO = {'C': 1 << 0, 'H': 1 << 1, 'M': 1 << 2, 'R': 1 << 3, 'B': 1 << 4, 'L': 1 << 5, 'N': 1 << 6, 'U': 1 << 8, 'T': 1 << 9}
MUTE = {'L': 1 << 7, 'C': 1 << 12, 'H': 1 << 13, 'M': 1 << 14, 'R': 1 << 15, 'T': 1 << 16, 'U': 1 << 17, 'N': 1 << 18, 'B': 1 << 19}
SKIP, REJECTED_RCPT, LEADING_SPACE = 1 << 10, 1 << 11, 1 << 20
ALL_ACTIONS = 0x1ff
HANG, DROP = 'hang', 'drop'  # in the place of an answer: say nothing for ever, close


def text(*words):
    return b''.join(w.encode('latin-1') + b'\0' for w in words)


def reply(words):
    return b'y' + text(words)


def add(name, value):
    return b'h' + text(name, value)


def insert(at, name, value):
    return b'i' + struct.pack('>I', at) + text(name, value)


def change(index, name, value):
    return b'm' + struct.pack('>I', index) + text(name, value)


def raw(data):
    """Not a packet: these bytes as they are."""
    return ('raw', data)


CONTINUE, ACCEPT, REJECT, TEMPFAIL, DISCARD, PROGRESS, SHUTDOWN, SKIPPED = b'c', b'a', b'r', b't', b'd', b'p', b'4', b's'
QUARANTINE = b'q' + text('suspicious')


class Session:
    """One connection: what it heard, as (letter, payload), and the macros in front of each event."""
    def __init__(self):
        self.events, self.macros, self.offer, self.closed = [], [], None, False

    def letters(self):
        return ''.join(letter for letter, _ in self.events)

    def of(self, letter):
        return [payload for each, payload in self.events if each == letter]

    def body(self):
        return b''.join(self.of('B'))

    def header(self):
        """(name, value) of the fields."""
        return [tuple(p.decode('latin-1').split('\0')[:2]) for p in self.of('L')]


class Milter:
    """script: what it answers to an event's letter, one packet or a list of them; to all others it says that it goes on.
    Set it anew before each exchange; it is read when an event comes."""
    def __init__(self, path=None, port=0, version=6, actions=ALL_ACTIONS, protocol=0, symbols=()):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        if not path:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(path or ('127.0.0.1', port))
        if path:
            os.chmod(path, 0o777)
        self.socket.listen(50)
        self.name = f'unix:{path}' if path else 'inet:127.0.0.1:%d' % self.socket.getsockname()[1]
        self.version, self.actions, self.protocol, self.symbols = version, actions, protocol, symbols
        self.negotiation = None  # other bytes in the place of the answer to SMFIC_OPTNEG, or HANG, DROP
        self.script, self.sessions, self.open = {}, [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def behave(self, script=None, **options):
        """The script and the options for the sessions that come."""
        self.script = script or {}
        defaults = {'version': 6, 'actions': ALL_ACTIONS, 'protocol': 0, 'symbols': (), 'negotiation': None}
        for name, value in {**defaults, **options}.items():
            setattr(self, name, value)

    @property
    def last(self):
        return self.sessions[-1]

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(connection)
            session = Session()
            self.sessions.append(session)
            threading.Thread(target=self._serve, args=(connection, session), daemon=True).start()

    @staticmethod
    def _send(connection, packet):
        if isinstance(packet, tuple):
            connection.sendall(packet[1])
        else:
            connection.sendall(struct.pack('>I', len(packet)) + packet)

    def _answer(self, connection, answers):
        """False: it has no more to say."""
        for answer in answers if isinstance(answers, list) else [answers]:
            if answer == DROP:
                connection.shutdown(socket.SHUT_RDWR)
                return False
            if answer == HANG:
                connection.recv(1)  # until the other side gives up
                return False
            self._send(connection, answer)
        return True

    def _negotiate(self, session, payload):
        session.offer = struct.unpack('>III', payload)
        if self.negotiation is not None:
            return self.negotiation
        return (b'O' + struct.pack('>III', self.version, self.actions, self.protocol) +
                b''.join(struct.pack('>I', stage) + text(names) for stage, names in self.symbols))

    def _serve(self, connection, session):
        with contextlib.suppress(OSError), connection.makefile('rb') as lines:
            macros = {}
            while True:
                head = lines.read(4)
                if len(head) < 4:
                    break
                packet = lines.read(struct.unpack('>I', head)[0])
                letter, payload = packet[:1].decode('latin-1'), packet[1:]
                if letter == 'O':
                    if not self._answer(connection, self._negotiate(session, payload)):
                        break
                    continue
                if letter == 'D':
                    words = payload[1:].decode('latin-1').split('\0')
                    macros = dict(zip(words[::2], words[1::2]))
                    session.macros.append((payload[:1].decode('latin-1'), macros))
                    continue
                session.events.append((letter, payload))
                if letter in 'AQK' or self.protocol & MUTE.get(letter, 0):
                    continue
                if not self._answer(connection, self.script.get(letter, CONTINUE)):
                    break
        session.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for each in (self.socket, *self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
