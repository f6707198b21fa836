"""A server of tokens for a test: JSON Web Tokens signed with openssl, their keys, and a web server that is asked about tokens."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

from ports import free_port

ISSUER = 'https://id.example.org'


def b64url(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b'=').decode()


def openssl(*arguments, data=None):
    return subprocess.run(['openssl', *map(str, arguments)], input=data, check=True, capture_output=True).stdout


def numbers(der):
    """r and s of a DER signature, 32 bytes each (RFC 7518 §3.4)."""
    out, at = b'', 2
    for _ in range(2):
        size = der[at + 1]
        out += int.from_bytes(der[at + 2:at + 2 + size], 'big').to_bytes(32, 'big')
        at += 2 + size
    return out


class Key:
    def __init__(self, folder, kid, alg):
        self.kid, self.alg, self.file = kid, alg, folder / f'{kid}.key'
        if alg == 'RS256':
            openssl('genrsa', '-out', self.file, '2048')
        else:
            openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', self.file)
        self.pem = openssl('pkey', '-in', self.file, '-pubout')

    def jwk(self):
        common = {'kid': self.kid, 'use': 'sig', 'alg': self.alg}
        if self.alg == 'RS256':
            modulus = bytes.fromhex(openssl('rsa', '-in', self.file, '-noout', '-modulus').decode().strip().partition('=')[2])
            return {**common, 'kty': 'RSA', 'n': b64url(modulus), 'e': 'AQAB'}
        point = openssl('pkey', '-in', self.file, '-pubout', '-outform', 'DER')[-64:]
        return {**common, 'kty': 'EC', 'crv': 'P-256', 'x': b64url(point[:32]), 'y': b64url(point[32:])}

    def sign(self, text):
        signature = openssl('dgst', '-sha256', '-sign', self.file, data=text)
        return signature if self.alg == 'RS256' else numbers(signature)

    def token(self, claims, **header):
        text = b64url({'alg': self.alg, 'kid': self.kid, **header}) + '.' + b64url(claims)
        return text + '.' + b64url(self.sign(text.encode()))


def forged(secret, claims, **header):
    """HS256 with what everybody knows as the secret."""
    text = b64url({'alg': 'HS256', **header}) + '.' + b64url(claims)
    return text + '.' + b64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def claims(user, **more):
    now = int(time.time())
    found = {'iss': ISSUER, 'aud': ['web', 'mail'], 'email': user, 'scope': 'openid mail', 'iat': now, 'exp': now + 300, **more}
    return {name: value for name, value in found.items() if value is not None}


class Web(http.server.BaseHTTPRequestHandler):
    def answer(self):
        size = int(self.headers.get('Content-Length') or 0)
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        self.server.requests.append((self.command, self.path, self.headers.get('Authorization'), form))
        status, body = self.server.respond(self.command, self.path, self.headers, form)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web(respond, context=None):
    """A server on localhost; respond(method, path, headers, form) gives status and body; .requests has what was asked."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', free_port()), Web)
    server.respond, server.requests, server.daemon_threads = respond, [], True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
