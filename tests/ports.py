"""Ports for the servers of a test, on loopback, that no test process beside it takes: each is held by a Unix socket's name, and none is of the
range that the kernel gives to outgoing connections, where a port that was free a moment ago can be somebody's source port now."""
import os
import socket

PORTS = {'smtp': 25, 'submission': 587, 'submissions': 465, 'imap': 143, 'imaps': 993, 'pop3': 110, 'pop3s': 995,
         'lmtp': 24}
OFFSETS = range(3000, 26000, 100)  # with port 995 the last one ends below 27000
SINGLE = range(27000, 32768)
held = []  # until the process ends


def is_free(port):
    """For TCP and UDP, both families."""
    for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
                try:
                    s.bind((address, port))
                except OSError:
                    return False
    return True


def reserve(choices, needs):
    """One of choices for which all that it needs is free, and the socket that keeps others from it while it is open."""
    first, step = os.getpid() * 25, 11  # neighbours begin far from each other; the step is prime to both ranges' lengths
    for i in range(len(choices)):
        choice = choices[(first + i * step) % len(choices)]
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f'\0malle-test-{choice}')
        except OSError:
            reservation.close()
            continue
        if all(is_free(port) for port in needs(choice)):
            return choice, reservation
        reservation.close()
    raise AssertionError('no free ports')


def reserve_offset():
    """A port_offset that no server uses now, and its reservation."""
    return reserve(OFFSETS, lambda offset: [port + offset for port in PORTS.values()])


def free_offset():
    """A port_offset for this process alone."""
    offset, reservation = reserve_offset()
    held.append(reservation)
    return offset


def free_port():
    """A port for this process alone."""
    port, reservation = reserve(SINGLE, lambda port: [port])
    held.append(reservation)
    return port
