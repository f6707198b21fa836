"""A policy server (SMTPD_POLICY_README) for tests."""
import contextlib
import os
import socket
import threading


class Policy:
    """A policy server with one answer to everything; it keeps what it was asked."""
    def __init__(self, path=None, port=0):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        if not path:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(path or ('127.0.0.1', port))
        if path:
            os.chmod(path, 0o777)
        self.socket.listen(20)
        self.name = f'unix:{path}' if path else 'inet:127.0.0.1:%d' % self.socket.getsockname()[1]
        self.action, self.requests, self.connections, self.open = 'DUNNO', [], 0, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        request = {}
        with contextlib.suppress(OSError), connection.makefile('rb') as lines:
            for line in lines:
                name, _, value = line.decode().rstrip('\n').partition('=')
                if name:
                    request[name] = value
                    continue
                self.requests.append(request)
                request = {}
                if self.action is not None:
                    connection.sendall(f'action={self.action}\n\n'.encode())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for each in (self.socket, *self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
