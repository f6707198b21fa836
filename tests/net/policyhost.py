"""The hosts mta-sts.NAME.example of a test: serves policies of MTA-STS (RFC 8461 §3.3) in chunks.

    host = PolicyHost(context, {'good': ('enforce', 'mx.good.example')})
    host.policies['good'] = ('testing', '*.good.example')
    ... host.requests['good'] is how often it was fetched
"""
import collections
import http.server
import threading


class PolicyHost(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context, policies, moved=()):
        """moved: names whose policies are behind a redirect."""
        self.policies, self.moved, self.requests = dict(policies), moved, collections.Counter()
        super().__init__(('127.0.0.1', 0), Handler)
        self.port = self.server_address[1]
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that does not trust us is no error."""

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        name = self.headers['Host'].split('.')[1]
        assert self.path == '/.well-known/mta-sts.txt'
        self.server.requests[name] += 1
        mode, mx = self.server.policies[name]
        text = f'version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 86400\r\n'.encode()
        self.send_response(301 if name in self.server.moved else 200)
        self.send_header('Content-Type', 'text/plain; charset=utf-8')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        self.wfile.write(b'%x\r\n%s\r\n0\r\n\r\n' % (len(text), text))

    def log_message(self, *unused):
        pass
