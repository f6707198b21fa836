"""Certificates of clients, with Debian's Postfix and with malle: whom they let in, and what replies, log lines, Received and policy
servers say of them."""
import base64
import hashlib
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from net.certificates import KEY, Authority  # noqa: E402
from peers import Postfix, overrides, running  # noqa: E402
from policyserver import Policy  # noqa: E402
from ports import free_port  # noqa: E402
from talk import Smtp  # noqa: E402

POLICY_PORT = free_port()
CLIENTS = ('nobody', 'known.example', 'other.example', 'selfmade', 'friend')
# what is asked of a client, each at a port of its own
CASES = {
    'listed': {'smtpd_recipient_restrictions': 'permit_tls_clientcerts, reject'},
    'trusted': {'smtpd_recipient_restrictions': 'permit_tls_all_clientcerts, reject'},
    'table': {'smtpd_recipient_restrictions': 'check_ccert_access texthash:{folder}/access, reject_unauth_destination'},
    'relay': {'smtpd_relay_restrictions': 'permit_tls_clientcerts, reject_unauth_destination', 'smtpd_recipient_restrictions': ''},
    'policy': {'smtpd_recipient_restrictions': f'check_policy_service inet:127.0.0.1:{POLICY_PORT}, reject_unauth_destination'},
    'required': {'smtpd_req': 'yes', 'smtpd_recipient_restrictions': 'reject_unauth_destination'},
}


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder)
        self.pairs = {'nobody': None, **{name: self.authority.pair(name) for name in ('known.example', 'other.example')}}
        for name in ('selfmade', 'friend'):
            pair = folder / f'{name}.crt', folder / f'{name}.key'
            self.authority.openssl('req', '-x509', *KEY, '-days', '2', '-subj', f'/CN={name} of its own', '-keyout', pair[1], '-out', pair[0])
            self.pairs[name] = pair
        (folder / 'relay').write_text(f'{self.fingerprint("known.example")} x\n{self.key_fingerprint("friend")} x\n')
        (folder / 'access').write_text(f'{self.fingerprint("other.example")} REJECT not you\n{self.key_fingerprint("selfmade")} DEFER wait\n'
                                       f'{self.fingerprint("known.example")} OK\n')
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)

    def der(self, name):
        return base64.b64decode(''.join(self.pairs[name][0].read_text().split('\n')[1:-2]))

    def fingerprint(self, name):
        return colons(hashlib.sha256(self.der(name)).hexdigest())

    def key_fingerprint(self, name):
        pem = subprocess.run(['openssl', 'x509', '-in', self.pairs[name][0], '-noout', '-pubkey'], check=True, capture_output=True, text=True).stdout
        return colons(hashlib.sha256(base64.b64decode(''.join(pem.split('\n')[1:-2]))).hexdigest())


def colons(digits):
    return ':'.join(digits[i:i + 2] for i in range(0, len(digits), 2)).upper()


@pytest.fixture(scope='module')
def certificates():
    with tempfile.TemporaryDirectory(prefix='malle-ccert-') as folder:
        yield Certificates(pathlib.Path(folder))


@pytest.fixture(scope='module')
def policy():
    with Policy(port=POLICY_PORT) as server:
        yield server


def settings(case, folder):
    return {name: value.replace('{folder}', str(folder)) for name, value in CASES[case].items() if name != 'smtpd_req'}


class Asking(Postfix):
    """A service for each case."""
    def __init__(self, malle_port):
        super().__init__(malle_port)
        self.ports = {case: free_port() for case in CASES}

    def changes(self):
        folder = self.certificates.folder
        return {'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test', 'mynetworks': '192.0.2.0/24', 'relayhost': '[127.0.0.1]:9',
                'smtpd_peername_lookup': 'no', 'smtpd_tls_CAfile': folder / 'ca.pem', 'smtpd_tls_ask_ccert': 'yes', 'smtpd_relay_restrictions': 'reject_unauth_destination',
                'relay_clientcerts': f'texthash:{folder}/relay', 'smtpd_tls_received_header': 'yes', 'smtpd_tls_loglevel': '1'}

    def services(self):
        lines = ''
        for case in CASES:
            own = {'smtpd_relay_restrictions': '', **settings(case, self.certificates.folder)}
            if 'smtpd_req' in CASES[case]:
                own.update({'smtpd_tls_req_ccert': 'yes', 'smtpd_tls_security_level': 'encrypt'})
            lines += f'127.0.0.1:{self.ports[case]} inet n - n - - smtpd\n' + overrides(own)
        return lines


@pytest.fixture(scope='module')
def postfix(certificates, policy):
    Asking.certificates = certificates
    with running(Asking, free_port()) as peer:
        yield peer


@pytest.fixture(scope='module')
def server(certificates, policy, postfix):
    ports = {case: free_port() for case in CASES}
    sections = ''
    for case in CASES:
        own = settings(case, certificates.folder)
        if 'smtpd_req' in CASES[case]:
            own['smtpd_tls_req_ccert'] = 'yes'
        sections += f'[listener {case}]\nprotocol = smtp\nport = {{{case}}}\ntls = {"required" if "smtpd_req" in CASES[case] else "starttls"}\n'
        sections += ''.join(f'{name} = {value}\n' for name, value in own.items())
    for name in ('known', 'other'):
        sections += '[transport %s]\nsmtp_tls_certificates = %s:%s\n' % (name, *certificates.pairs[f'{name}.example'])
    ways = ' '.join(f'{{{name}.test={name}:[127.0.0.1]:{postfix.ports["relay"]}}}' for name in ('known', 'other', 'smtp'))
    conf = {'transport_maps': f'inline:{{ {ways} }}', 'mynetworks': '127.0.0.1', 'smtp_tls_security_level': 'encrypt',
            'smtpd_tls_ca_file': certificates.folder / 'ca.pem', 'smtpd_tls_ask_ccert': 'yes', 'relayhost': '[127.0.0.1]:9',
            'relay_clientcerts': f'texthash:{certificates.folder}/relay'}
    s = Server(conf=conf, start=False)
    try:
        s.write_conf(conf, sections.format(**{case: port - s.offset for case, port in ports.items()}))
        s.ports = ports
        s.start()
        yield s
        s.stop()
    finally:
        s.discard()


class Client:
    def __init__(self, port, pair):
        self.socket = socket.create_connection(('127.0.0.1', port), 30, ('127.0.0.9', 0))
        self.file = self.socket.makefile('rb')
        self.said = [self.reply()[:4], self.say('EHLO c.example')[:4], self.say('STARTTLS')]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if pair:
            context.load_cert_chain(*pair)
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')

    def reply(self):
        line = b''
        while (line := self.file.readline())[3:4] == b'-':
            pass
        return line.decode().strip()

    def say(self, text):
        self.socket.sendall(text.encode() + b'\r\n')
        return self.reply()

    def go_on(self, recipient):
        for line in ('EHLO c.example', 'MAIL FROM:<demo@malle.test>', f'RCPT TO:<{recipient}>', 'QUIT'):
            self.said.append(normal(self.say(line)))
            if not self.said[-1].startswith('250'):
                break
        self.socket.close()
        return self.said


def normal(line):
    return re.sub('^250 2.1.[05] Ok$|^250 [A-Z].*', '250', line.replace('localhost[', 'unknown['))


def logged(lines):
    """How far a client is trusted, and what became of it."""
    found = (re.search(r'smtpd\[\d+\]: (?:\w+: )?(\w+ TLS connection established|(?:reject|abort): .*|certificate verification .*)', line) for line in lines)
    return [m.group(1).replace('localhost[', 'unknown[').replace('ESMTPS', 'ESMTP') for m in found if m]


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('client', CLIENTS)
def test_same_words(postfix, server, policy, certificates, case, client):
    log = postfix.dir / 'log/maillog'
    policy.action = 'DUNNO'
    theirs_before, ours_before = len(log.read_text().splitlines()), len(server.lines)
    recipient = 'b@elsewhere.example' if case == 'relay' else 'demo@malle.test'
    first = len(policy.requests)
    theirs = Client(postfix.ports[case], certificates.pairs[client]).go_on(recipient)
    between = len(policy.requests)
    ours = Client(server.ports[case], certificates.pairs[client]).go_on(recipient)
    assert ours == theirs
    for said, asked in zip(policy.requests[first:between], policy.requests[between:]):
        assert {k: v for k, v in said.items() if k.startswith('ccert')} == {k: v for k, v in asked.items() if k.startswith('ccert')}
    for said in (lambda: server.lines[ours_before:], lambda: log.read_text().splitlines()[theirs_before:]):
        eventually(lambda: any('disconnect from' in line for line in said()))
    assert logged(server.lines[ours_before:]) == logged(log.read_text().splitlines()[theirs_before:])


@pytest.mark.parametrize('client', CLIENTS)
def test_same_trace(postfix, server, certificates, client):
    def comment(port, messages):
        before = set(messages())
        c = Client(port, certificates.pairs[client])
        for line in ('EHLO c.example', 'MAIL FROM:<x@c.example>', 'RCPT TO:<demo@malle.test>', 'DATA', 'Subject: x\r\n\r\nx\r\n.'):
            assert c.say(line)[0] in '23'
        c.socket.close()
        (new,) = eventually(lambda: set(messages()) - before, 20)
        return re.search(r'\n\t(\(Client .*\))', new.read_text()).group(1)
    theirs = comment(postfix.port, postfix.messages)
    assert comment(server.port('smtp'), lambda: server.messages('demo@malle.test')) == theirs


def test_as_a_client(postfix, server):
    """A Postfix that relays for clients whose certificates it knows: mail goes through by the transport that shows one, and is refused otherwise."""
    with Smtp(server) as client:
        client.hello()
        assert client.envelope('x@known.test', 'x@other.test', 'x@smtp.test').startswith('250')
        assert client.data(b'Subject: x\r\n\r\nx\r\n')[0].startswith('250')
    assert 'status=sent' in server.wait_log('to=<x@known.test>')
    for name in ('other', 'smtp'):
        line = server.wait_log(f'to=<x@{name}.test>')
        assert 'status=bounced' in line and '554 5.7.1 <x@' in line and 'Relay access denied' in line
