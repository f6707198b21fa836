"""A SOCKS5 proxy (RFC 1928, RFC 1929) that connects to where it is told, whatever address is asked for.

    with Socks(to=remote.port, login=('user', 'password')) as proxy:
        proxy.reply = 5      # refuses to connect from now on
        ... proxy.asked is a list of (address, port), proxy.logins one of (user, password)
"""
import ipaddress
import socket
import threading


class Socks:
    def __init__(self, to, login=None):
        self.to, self.login, self.reply = to, login, 0
        self.asked, self.logins = [], []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with peer:
            peer.settimeout(60)
            try:
                if self.greet(peer):
                    self.connect(peer)
            except (OSError, EOFError):
                pass

    @staticmethod
    def take(peer, n):
        data = b''
        while len(data) < n:
            more = peer.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def greet(self, peer):
        version, n = self.take(peer, 2)
        assert version == 5
        wanted = 2 if self.login else 0
        if wanted not in self.take(peer, n):
            peer.sendall(b'\5\xff')
            return False
        peer.sendall(bytes([5, wanted]))
        if not self.login:
            return True
        assert self.take(peer, 1) == b'\1'
        given = tuple(self.take(peer, self.take(peer, 1)[0]).decode() for _ in range(2))
        self.logins.append(given)
        peer.sendall(b'\1\0' if given == self.login else b'\1\1')
        return given == self.login

    def connect(self, peer):
        version, command, _, kind = self.take(peer, 4)
        assert (version, command) == (5, 1)
        address = ipaddress.ip_address(self.take(peer, {1: 4, 4: 16}[kind]))
        self.asked.append((str(address), int.from_bytes(self.take(peer, 2), 'big')))
        # the address at which the proxy speaks may be of any kind; a name here, to be different
        reply = bytes([5, self.reply, 0, 3, 5]) + b'proxy\0\0'
        if self.reply:
            peer.sendall(reply)
            return
        with socket.create_connection(('127.0.0.1', self.to), timeout=60) as there:
            greeting = there.recv(1000)
            peer.sendall(reply + greeting)  # at once: the server's words stand right behind the proxy's
            back = threading.Thread(target=self.pump, args=(there, peer), daemon=True)
            back.start()
            self.pump(peer, there)
            back.join()

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass
