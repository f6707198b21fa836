"""A server for mail on loopback that takes everything, or answers RCPT as told."""
import socket
import threading


class Sink:
    def __init__(self, port=0, rcpt='250 2.1.5 Ok'):
        self.rcpt = rcpt
        self.messages = []  # (sender, recipients, content)
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        sender, recipients = '', []
        with client, client.makefile('rwb', buffering=0) as stream:
            def say(line):
                stream.write(line.encode() + b'\r\n')
            say('220 sink.example ESMTP')
            for line in stream:
                verb = line[:4].upper()
                if verb == b'MAIL':
                    sender, recipients = line.split(b'<')[1].split(b'>')[0].decode(), []
                    say('250 2.1.0 Ok')
                elif verb == b'RCPT':
                    if self.rcpt.startswith('250'):
                        recipients.append(line.split(b'<')[1].split(b'>')[0].decode())
                    say(self.rcpt)
                elif verb == b'DATA':
                    say('354 go on' if recipients else '503 5.5.1 no recipients')
                    if not recipients:
                        continue
                    content = b''
                    for text in stream:
                        if text == b'.\r\n':
                            break
                        content += text
                    self.messages.append((sender, recipients, content))
                    say('250 2.0.0 taken')
                elif verb == b'QUIT':
                    say('221 2.0.0 Bye')
                    return
                else:
                    say('250 sink.example')


def closed_port():
    """A port of loopback where nobody listens."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]
