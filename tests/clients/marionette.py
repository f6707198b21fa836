"""Scripts run inside Thunderbird, over the protocol Marionette: [0, number, command, arguments] and [1, number, error, result], each as a
netstring without its comma."""
import json
import socket

from harness import eventually

SCRIPT_SECONDS = 240


class Marionette:
    def __init__(self, port, is_well):
        """Waits for it to listen; is_well() is False when it never will."""
        def connect():
            assert is_well(), 'Thunderbird ended'
            return socket.create_connection(('127.0.0.1', port), SCRIPT_SECONDS + 10)
        self.socket, self.count, self.pending = eventually(connect, 60), 0, b''
        self.receive()
        self.say('WebDriver:NewSession', {})
        self.say('WebDriver:SetTimeouts', {'script': SCRIPT_SECONDS * 1000})
        self.say('Marionette:SetContext', {'value': 'chrome'})

    def receive(self):
        while True:
            length, colon, rest = self.pending.partition(b':')
            if colon and len(rest) >= int(length):
                self.pending = rest[int(length):]
                return json.loads(rest[:int(length)])
            more = self.socket.recv(65536)
            assert more, 'Thunderbird closed the connection'
            self.pending += more

    def say(self, command, arguments):
        self.count += 1
        message = json.dumps([0, self.count, command, arguments]).encode()
        self.socket.sendall(b'%d:%s' % (len(message), message))
        _, number, error, result = self.receive()
        assert number == self.count and not error, error
        return result

    def run(self, script, *arguments):
        """What the script hands to its last argument, a function."""
        return self.say('WebDriver:ExecuteAsyncScript', {'script': script, 'args': list(arguments)})['value']

    def quit(self):
        self.say('Marionette:Quit', {'flags': ['eForceQuit']})
        self.socket.close()
