"""The case of bench/compare about parked IMAP sessions: what many idle connections cost, and how soon one that is needed is there."""
import concurrent.futures
import itertools
import pathlib
import random
import resource
import select
import smtplib
import socket
import ssl
import statistics
import sys
import time

import queue_cases
import servers

CONNECTIONS, QUICK_CONNECTIONS, OPENED_AT_ONCE, WOKEN, TOLD = 10_000, 500, 8, 500, 10
PARK_SECONDS, LIMIT_SECONDS = 1, 300
SETTINGS = f'''imap_hibernate_timeout = {PARK_SECONDS}s
mail_max_userip_connections = 100000
login_client_limit = 100000
login_process_sessions = 100000
login_process_logins = 1000000
'''
HEAD = ['| connections | MiB before | MiB more | KiB each | the client wakes one p50 ms | longest ms | '
        'a message reaches all of its account p50 ms | longest ms |', '|---|---|---|---|---|---|---|---|']
MESSAGE = 'Subject: x\r\n\r\nx\r\n'


class Client:
    """A connection in IDLE on INBOX."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def __init__(self, port, user):
        self.sock = self.context.wrap_socket(socket.create_connection(('127.0.0.1', port), 60))
        self.rest = b''
        self.until(b'* OK')
        for command in (f'a LOGIN {user} {servers.PASSWORD}', 'a SELECT INBOX'):
            self.say(command, b'a OK')
        self.idle()

    def until(self, start):
        """Reads to the first line that begins so."""
        while True:
            line, end, rest = self.rest.partition(b'\r\n')
            if end:
                self.rest = rest
                if line.startswith(start):
                    return
                continue
            more = self.sock.recv(16384)
            if not more:
                sys.exit('compare: a connection ended')
            self.rest += more

    def say(self, text, answer):
        self.sock.sendall(text.encode() + b'\r\n')
        self.until(answer)

    def idle(self):
        self.say('i IDLE', b'+ ')

    def wake(self):
        """Milliseconds until the end of IDLE is answered."""
        begun = time.monotonic()
        self.say('DONE', b'i OK')
        return 1000 * (time.monotonic() - begun)


def memory(server):
    return sum(map(queue_cases.pss_mib, server.pids()))


def sessions(server):
    """How many of its processes serve a session."""
    titles = []
    for pid in server.pids():
        try:
            titles.append(pathlib.Path(f'/proc/{pid}/cmdline').read_bytes())
        except OSError:  # it ended meanwhile
            pass
    return sum(title.startswith(b'malle: imap') for title in titles)


def wait_parked(server):
    end = time.monotonic() + LIMIT_SECONDS
    while sessions(server):
        if time.monotonic() > end:
            sys.exit(f'compare: {sessions(server)} sessions have not parked')
        time.sleep(0.2)
    time.sleep(1)


def deliver(server, smtp, user, clients):
    """Milliseconds from the message's sending until the last of the account's connections has heard of it."""
    begun = time.monotonic()
    smtp.sendmail('', [user], MESSAGE)
    poll, waiting = select.poll(), {client.sock.fileno(): client for client in clients}
    for number in waiting:
        poll.register(number, select.POLLIN)
    while waiting:
        events = poll.poll(30_000)
        if not events:
            sys.exit(f'compare: {len(waiting)} connections hear nothing of a message')
        for number, _ in events:
            waiting.pop(number).until(b'* ')
            poll.unregister(number)
    return 1000 * (time.monotonic() - begun)


def measure(server, connections):
    before = memory(server)
    users = [f'user{i}@{servers.DOMAIN}' for i in range(1, servers.USERS + 1)]
    with concurrent.futures.ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        clients = list(pool.map(lambda user: (user, Client(server.ports['imaps'], user)), itertools.islice(itertools.cycle(users), connections)))
    wait_parked(server)
    more = memory(server) - before
    woken = []
    for _, client in random.sample(clients, min(WOKEN, connections)):
        woken.append(client.wake())
        client.idle()
    wait_parked(server)
    reached = []
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as smtp:
        for user in users[:TOLD]:
            reached.append(deliver(server, smtp, user, [client for owner, client in clients if owner == user]))
            wait_parked(server)
    for _, client in clients:
        client.sock.close()
    return before, more, 1024 * more / connections, statistics.median(woken), max(woken), statistics.median(reached), max(reached)


def run(connections):
    """Lines of the table."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    base = servers.new_base()
    server = None
    try:
        server = servers.Malle(base, SETTINGS)
        server.wait_ready()
        figures = measure(server, connections)
    finally:
        if server:
            server.stop()
        servers.remove_base(base)
    line = f'| {connections:,} | ' + ' | '.join(f'{figure:,.1f}' for figure in figures) + ' |'
    print(line, flush=True)
    return [line]
