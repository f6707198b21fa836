"""SASL clients: PLAIN, LOGIN, SCRAM (RFC 5802) and those with tokens, and how SMTP, IMAP and POP3 carry them."""
import base64
import hashlib
import hmac
import json
import os


def b64(data):
    return base64.b64encode(data).decode()


class Plain:
    mechanism = 'PLAIN'

    def __init__(self, name, password):
        self.messages = [f'\0{name}\0{password}'.encode()]

    def answer(self, challenge):
        return self.messages.pop(0)


class Login(Plain):
    mechanism = 'LOGIN'

    def __init__(self, name, password):
        self.messages = [name.encode(), password.encode()]


class Scram:
    """flag: the gs2-cbind-flag ('n', 'y', 'p=tls-exporter'); binding: what the client believes of the channel."""

    def __init__(self, mechanism, name, password, flag='n', binding=b''):
        self.mechanism, self.password = mechanism, password
        self.hash = hashlib.sha256 if 'SHA-256' in mechanism else hashlib.sha1
        self.gs2, self.binding = f'{flag},,', binding
        self.first = f'n={name},r={b64(os.urandom(18))}'
        self.step, self.server_proven = 0, False

    def hmac(self, key, data):
        return hmac.new(key, data, self.hash).digest()

    def answer(self, challenge):
        self.step += 1
        return (self.client_first, self.client_final, self.check)[self.step - 1](challenge.decode())

    def client_first(self, challenge):
        assert challenge == ''
        return (self.gs2 + self.first).encode()

    def client_final(self, challenge):
        fields = dict(part.split('=', 1) for part in challenge.split(','))
        assert fields['r'].startswith(self.first.partition('r=')[2]) and int(fields['i']) >= 4096
        salted = hashlib.pbkdf2_hmac(self.hash().name, self.password.encode(), base64.b64decode(fields['s']),
                                     int(fields['i']))
        bare = f'c={b64(self.gs2.encode() + self.binding)},r={fields["r"]}'
        message = f'{self.first},{challenge},{bare}'.encode()
        key = self.hmac(salted, b'Client Key')
        signature = self.hmac(self.hash(key).digest(), message)
        self.expected = b64(self.hmac(self.hmac(salted, b'Server Key'), message))
        return f'{bare},p={b64(bytes(a ^ b for a, b in zip(key, signature)))}'.encode()

    def check(self, challenge):
        assert challenge == f'v={self.expected}', challenge
        self.server_proven = True
        return b''


class Bearer:
    """OAUTHBEARER (RFC 7628); refusal is what the server says of a token that it does not take."""
    mechanism, last_word = 'OAUTHBEARER', b'\1'

    def __init__(self, name, token):
        self.name, self.token, self.refusal = name, token, None
        self.messages = [self.message()]

    def message(self):
        name = f'a={self.name}' if self.name else ''
        return f'n,{name},\1host=localhost\1auth=Bearer {self.token}\1\1'.encode()

    def answer(self, challenge):
        if self.messages:
            assert challenge == b''
            return self.messages.pop()
        assert not self.refusal, 'there is one challenge that says why'
        self.refusal = json.loads(challenge)
        return self.last_word


class XOAuth2(Bearer):
    mechanism, last_word = 'XOAUTH2', b''

    def message(self):
        return f'user={self.name}\1auth=Bearer {self.token}\1\1'.encode()


def run_smtp(lines, client):
    lines.send(f'AUTH {client.mechanism}')
    while True:
        reply = lines.line()
        if not reply.startswith('334'):
            return reply[:3] == '235', reply
        lines.send(b64(client.answer(base64.b64decode(reply[4:]))))


def run_imap(lines, client):
    lines.send(f'a AUTHENTICATE {client.mechanism}')
    while True:
        reply = lines.line()
        if not reply.startswith('+'):
            return reply.startswith('a OK'), reply
        lines.send(b64(client.answer(base64.b64decode(reply[2:]))))


def run_pop3(lines, client):
    lines.send(f'AUTH {client.mechanism}')
    while True:
        reply = lines.line()
        if not reply.startswith('+ '):
            return reply.startswith('+OK'), reply
        lines.send(b64(client.answer(base64.b64decode(reply[2:]))))
