"""A DNS server whose answers a test writes, changes and withholds. It signs nothing: with ANCHOR as the trust anchor of the
resolver under test, whatever it says counts as unsigned.

    with FakeDns({('a.example', 'MX'): ['10 mx.a.example'], ('mx.a.example', 'A'): ['127.0.0.1']}, folder) as dns:
        dns.records['_mta-sts.a.example', 'TXT'] = ['v=STSv1; id=1']
        dns.trouble['a.example'] = 'fails'   # for names below it: SERVFAIL
        dns.trouble['b.example'] = 'dead'    # no answer at all
        dns.trouble['c.example'] = 'lies'    # answers a question that nobody asked, from the same socket
        dns.trouble['d.example'] = 'slow'    # each answer takes 0.3 s
"""
import collections
import ipaddress
import socket
import struct
import threading
import time

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'TLSA': 52}
ANCHOR = 'signed.invalid. DS 1234 13 2 ' + '00' * 32 + '\n'


def wire_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.strip('.').split('.') if label) + b'\0'


def wire_data(kind, text):
    if kind in ('A', 'AAAA'):
        return ipaddress.ip_address(text).packed
    if kind == 'MX':
        preference, name = text.split(' ')
        return struct.pack('!H', int(preference)) + wire_name(name)  # "0 ." is no server at all
    if kind == 'TXT':
        return b''.join(bytes([len(text[i:i + 255])]) + text[i:i + 255].encode() for i in range(0, len(text), 255))
    return wire_name(text)


class FakeDns:
    def __init__(self, records, folder, address=('127.0.0.1', 0)):
        self.records = dict(records)
        self.trouble = {}
        self.asked = collections.Counter()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.server = '%s@%d' % self.socket.getsockname()
        folder.chmod(0o755)
        (folder / 'anchor').write_text(ANCHOR)
        self.conf = {'dns_resolvers': self.server, 'dns_trust_anchor': folder / 'anchor'}
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self.answer, args=(question, peer), daemon=True).start()

    def answer(self, question, peer):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
            at += question[at] + 1
        name, end = '.'.join(labels), at + 5
        kind = next((k for k, n in TYPES.items() if n == struct.unpack('!H', question[at + 1:at + 3])[0]), '?')
        self.asked[name, kind] += 1
        trouble = next((what for domain, what in self.trouble.items() if f'.{name}'.endswith('.' + domain)), '')
        if trouble == 'dead':
            return
        if trouble == 'slow':
            time.sleep(0.3)
        found = self.records.get((name, kind), []) if trouble != 'fails' else []
        rcode = 2 if trouble == 'fails' else 0 if any(n == name or n.endswith('.' + name) for n, _ in self.records) else 3
        asked = wire_name('forged.example') + question[at + 1:end] if trouble == 'lies' else question[12:end]
        # with nothing to say: an SOA record of the root, so that the absence can be remembered
        soa = b'' if found or rcode == 2 else b'\0' + struct.pack('!HHIH', 6, 1, 1, 22) + b'\0\0' + struct.pack('!5I', 1, 1, 1, 1, 1)
        answers = b''.join(b'\xc0\x0c' + struct.pack('!HHIH', TYPES[kind], 1, 1, len(d)) + d
                           for d in (wire_data(kind, text) for text in found))
        head = question[:2] + struct.pack('!HHHHH', 0x8580 | rcode, 1, len(found), 1 if soa else 0, 0)
        try:
            self.socket.sendto(head + asked + answers + soa, peer)
        except OSError:
            pass
