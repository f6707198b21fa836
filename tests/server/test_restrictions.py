"""Restriction lists in a running server: the guide's, tables in files and databases, policy servers, a reload."""
import contextlib
import email
import json
import os
import pathlib
import sqlite3
import tempfile

import pytest

from harness import Server, eventually
from mail import connect_smtp
from net.fakedns import FakeDns
from policyserver import Policy
from talk import Smtp

DEMO, ANN = 'demo@malle.test', 'ann@malle.test'
STRANGER = '127.0.0.9'
GATE = 'reject_unauth_destination'


@pytest.fixture(scope='module')
def dns():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='malle-dns-'))
    with FakeDns({('good.example', 'MX'): ['10 mx.good.example'], ('mx.good.example', 'A'): ['198.51.100.1'],
                  ('9.0.0.127.bl.example', 'A'): ['127.0.0.2']}, folder) as server:
        server.trouble['fails.example'] = 'fails'
        yield server


@contextlib.contextmanager
def restricted(dns=None, users=(DEMO,), **conf):
    with Server(conf={**(dns.conf if dns else {}), **conf}, users={user: 'secret' for user in users}) as server:
        yield server


def reply_to(server, sender='a@good.example', recipient=DEMO, helo='client.example', source=STRANGER):
    """To RCPT, or to what was refused before it."""
    with Smtp(server, source=source) as client:
        for line in (f'EHLO {helo}', f'MAIL FROM:<{sender}>', f'RCPT TO:<{recipient}>'):
            reply = client.command(line)
            if not reply.startswith('2'):
                break
        return reply


def deliver(server, content=b'Subject: x\r\n\r\nx\r\n', recipient=DEMO, sender='a@good.example'):
    with Smtp(server, source=STRANGER) as client:
        client.hello()
        assert client.envelope(recipient, sender=sender).startswith('250')
        return client.data(content)[0]


def test_the_guide(dns):
    """The lists of the guide's main.cf, from the DNS to the log."""
    lists = {'smtpd_helo_restrictions': 'permit_mynetworks, permit_sasl_authenticated, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname',
             'smtpd_sender_restrictions': 'permit_mynetworks, permit_sasl_authenticated, reject_non_fqdn_sender, reject_unknown_sender_domain',
             'smtpd_recipient_restrictions': 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_non_fqdn_recipient, '
                                             'reject_unknown_recipient_domain'}
    with restricted(dns, mynetworks='127.0.0.1/32', **lists) as server:
        assert reply_to(server).startswith('250')
        assert reply_to(server, helo='bare') == '504 5.5.2 <bare>: Helo command rejected: need fully-qualified hostname'
        assert reply_to(server, helo='bare', source='127.0.0.1').startswith('250')
        assert reply_to(server, sender='a@none.example') == '450 4.1.8 <a@none.example>: Sender address rejected: Domain not found'
        assert reply_to(server, sender='a@fails.example') == '450 4.1.8 <a@fails.example>: Sender address rejected: Domain not found'
        assert reply_to(server, recipient='b@far.example') == '554 5.7.1 <b@far.example>: Relay access denied'
        assert reply_to(server, recipient='b@far.example', source='127.0.0.1') == '450 4.1.2 <b@far.example>: Recipient address rejected: Domain not found' or \
            reply_to(server, recipient='b@far.example', source='127.0.0.1').startswith('250')
        server.wait_log('NOQUEUE: reject: RCPT from unknown[127.0.0.9]: 554 5.7.1 <b@far.example>: Relay access denied; '
                        'from=<a@good.example> to=<b@far.example> proto=ESMTP helo=<client.example>')


def test_tables_and_reload():
    """Tables in files and in a database; what changed counts after a reload."""
    with tempfile.TemporaryDirectory(prefix='malle-tables-') as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        texts, database = folder / 'access', folder / 'access.db'
        texts.write_text('good.example REJECT not you\n')
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute('CREATE TABLE t (k TEXT, v TEXT)')
            db.execute("INSERT INTO t VALUES ('sql.example', 'DEFER not now')")
            db.commit()
        database.chmod(0o644)
        (folder / 'sql.cf').write_text(f"dbpath = {database}\nquery = SELECT v FROM t WHERE k = '%s'\n")
        conf = {'smtpd_sender_restrictions': f'check_sender_access texthash:{texts}, check_sender_access sqlite:{folder}/sql.cf'}
        with restricted(**conf) as server:
            assert reply_to(server) == '554 5.7.1 <a@good.example>: Sender address rejected: not you'
            assert reply_to(server, sender='a@sql.example') == '450 4.7.1 <a@sql.example>: Sender address rejected: not now'
            assert reply_to(server, sender='a@other.example').startswith('250')
            texts.write_text('other.example REJECT not you either\n')
            server.reload()

            def changed():
                with contextlib.suppress(OSError):
                    return reply_to(server, sender='a@other.example').startswith('554') and reply_to(server).startswith('250')
            eventually(changed, 20)
            server.malle('postmap', f'hash:{texts}')
            server.write_conf({'smtpd_sender_restrictions': f'check_sender_access hash:{texts}'})
            server.reload()
            eventually(changed, 20)


@pytest.mark.parametrize('kind', ['inet', 'unix'])
def test_policy_server(kind):
    with tempfile.TemporaryDirectory(prefix='malle-policy-') as folder:
        os.chmod(folder, 0o755)
        with Policy(f'{folder}/socket' if kind == 'unix' else None) as policy, \
                restricted(smtpd_recipient_restrictions=f'check_policy_service {policy.name}, {GATE}',
                           smtpd_end_of_data_restrictions=f'check_policy_service {policy.name}') as server:
            assert reply_to(server).startswith('250')
            policy.action = 'DEFER_IF_PERMIT 4.2.0 Greylisted'
            assert reply_to(server) == f'450 4.2.0 <{DEMO}>: Recipient address rejected: Greylisted'
            policy.action = 'REJECT no'
            assert reply_to(server) == f'554 5.7.1 <{DEMO}>: Recipient address rejected: no'
            policy.action = 'PREPEND X-Policy: seen'
            first = len(policy.requests)
            assert deliver(server, b'Subject: seen\r\n\r\nhello\r\n').startswith('451')  # PREPEND comes too late at the end
            policy.action = 'DUNNO'
            assert deliver(server, b'Subject: seen\r\n\r\nhello\r\n').startswith('250')
            rcpt, end = policy.requests[first], policy.requests[first + 1]
            assert rcpt['request'] == 'smtpd_access_policy' and rcpt['protocol_state'] == 'RCPT' and rcpt['protocol_name'] == 'ESMTP'
            assert rcpt['client_address'] == STRANGER and rcpt['client_name'] == 'unknown' and rcpt['helo_name'] == 'client.example'
            assert rcpt['sender'] == 'a@good.example' and rcpt['recipient'] == DEMO and rcpt['recipient_count'] == '0'
            assert rcpt['server_address'] == '127.0.0.1' and rcpt['server_port'] == str(server.port('smtp')) and rcpt['queue_id'] == ''
            assert end['protocol_state'] == 'END-OF-MESSAGE' and end['recipient_count'] == '1' and end['queue_id']
            assert int(end['size']) == len(b'Subject: seen\r\n\r\nhello\r\n') and end['instance'] == rcpt['instance']
            assert policy.connections < len(policy.requests)  # they are used again


def test_policy_server_in_trouble():
    """Dead, silent, or of few words: what is said then is the default action, within time."""
    with Policy() as policy:
        where = f'check_policy_service {{ {policy.name}, timeout=1s, try_limit=1, request_limit=1, {{ default_action = 450 4.7.1 not now }} }}'
        with restricted(smtpd_recipient_restrictions=f'{where}, {GATE}') as server:
            for _ in range(3):
                assert reply_to(server).startswith('250')
            assert policy.connections == 3
            policy.action = None
            assert reply_to(server) == f'450 4.7.1 <{DEMO}>: Recipient address rejected: not now'
            server.wait_log(f'problem talking to server {policy.name}')
    with restricted(smtpd_recipient_restrictions=f'check_policy_service {policy.name}, {GATE}', smtpd_policy_service_retry_delay='100ms') as server:
        assert reply_to(server) == f'451 4.3.5 <{DEMO}>: Recipient address rejected: Server configuration problem'


def test_unlisted_recipients_are_returned(dns):
    """Where that is wanted, mail for nobody is accepted, and its sender hears of it."""
    with restricted(dns, users=(DEMO, ANN), smtpd_reject_unlisted_recipient='no') as server:
        assert deliver(server, recipient='nobody@malle.test', sender=ANN).startswith('250')
        [path] = eventually(lambda: server.messages(ANN), 30)
        report = email.message_from_bytes(path.read_bytes())
        assert report.get_content_type() == 'multipart/report' and 'nobody@malle.test' in path.read_text(), path.read_text()


def test_messages_are_changed():
    table = 'inline:{ { d@x.example = DISCARD }, { b@x.example = BCC ann@malle.test }, { r@x.example = REDIRECT ann@malle.test }, { p@x.example = PREPEND X-A: b }, { h@x.example = HOLD } }'
    with restricted(users=(DEMO, ANN), smtpd_sender_restrictions=f'check_sender_access {table}') as server:
        assert deliver(server, sender='d@x.example').startswith('250 2.0.0 Ok: queued as ')
        assert deliver(server, sender='r@x.example').startswith('250')
        assert len(eventually(lambda: server.messages(ANN))) == 1 and not server.messages(DEMO)
        assert deliver(server, sender='b@x.example').startswith('250')
        assert len(eventually(lambda: server.messages(DEMO))) == 1 and len(server.messages(ANN)) == 2
        assert deliver(server, sender='h@x.example').startswith('250')
        [item] = json.loads(server.malle('queue', 'list', '--json').stdout)
        assert item['recipients'][0]['status'] == 'held' and len(server.messages(DEMO)) == 1
        server.malle('queue', 'release', item['id'])
        assert len(eventually(lambda: len(server.messages(DEMO)) == 2 and server.messages(DEMO))) == 2
        assert deliver(server, sender='p@x.example').startswith('250')
        eventually(lambda: [p for p in server.messages(DEMO) if email.message_from_bytes(p.read_bytes())['X-A'] == 'b'])


def test_submission():
    """Lists hold for who has logged in, too; the sender belongs to whom the table says."""
    table = 'inline:{ { demo@malle.test = ann@malle.test }, { ann@malle.test = x, Ann@malle.test } }'
    with restricted(users=(DEMO, ANN), smtpd_recipient_restrictions='permit_sasl_authenticated, reject', smtpd_sender_login_maps=table,
                    smtpd_sender_restrictions='reject_sender_login_mismatch', relayhost='[127.0.0.1]:9') as server:
        for user, want in ((DEMO, (553, f'5.7.1 <{DEMO}>: Sender address rejected: not owned by user {DEMO}')), (ANN, (250, '2.1.5 Ok'))):
            with contextlib.closing(connect_smtp(server, 'submissions', user, 'secret')) as client:
                assert client.docmd('MAIL', f'FROM:<{user}>')[0] == 250
                code, text = client.docmd('RCPT', 'TO:<b@far.example>')
                assert (code, text.decode()) == want
        assert reply_to(server, recipient=DEMO) == f'554 5.7.1 <{DEMO}>: Recipient address rejected: Access denied'
        assert reply_to(server, sender=DEMO) == f'553 5.7.1 <{DEMO}>: Sender address rejected: not logged in'


@pytest.fixture
def open_folder():
    """One that the roles may read."""
    with tempfile.TemporaryDirectory(prefix='malle-tables-') as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def test_tables_of_a_listener(open_folder):
    """One has its own, in a file, another none, and the third those of all; in a database they are asked as well."""
    top = open_folder
    (top / 'own').write_text('/^RCPT TO:<joe@(.*)/ RCPT TO:<demo@$1\n')
    with sqlite3.connect(top / 'senders.db') as db:
        db.execute('CREATE TABLE owner(address TEXT, login TEXT)')
        db.execute("INSERT INTO owner VALUES('demo@malle.test', 'demo@malle.test')")
    (top / 'senders.cf').write_text(f'dbpath = {top}/senders.db\nquery = SELECT login FROM owner WHERE address=\'%s\'\n')
    sections = (f'[listener smtp]\nsmtpd_command_filter = pcre:{top}/own\n'
                f'[listener submission]\nsmtpd_sender_login_maps = sqlite:{top}/senders.cf\n[listener submissions]\nsmtpd_sender_login_maps =\n')
    conf = {'smtpd_sender_login_maps': 'inline:{demo@malle.test=ann@malle.test}', 'relayhost': '[127.0.0.1]:9',
            'smtpd_sender_restrictions': 'reject_unauthenticated_sender_login_mismatch, reject_known_sender_login_mismatch'}
    with Server(conf=conf, sections=sections, users={DEMO: 'secret', ANN: 'secret'}) as server:
        assert reply_to(server, recipient='joe@malle.test').startswith('250')
        assert reply_to(server, sender=DEMO).startswith('553')
        for listener in ('submission', 'submissions'):
            with contextlib.closing(connect_smtp(server, listener, DEMO, 'secret')) as client:
                assert client.docmd('MAIL', f'FROM:<{DEMO}>')[0] == 250 and client.docmd('RCPT', 'TO:<b@far.example>')[0] == 250
        server.write_conf(conf, '[listener smtp]\nsmtpd_sender_login_maps = inline:{x=y}\n')
        server.reload()

        def changed():
            with contextlib.suppress(OSError):
                return not reply_to(server, sender=DEMO).startswith('553')
        eventually(changed, 20)


def test_check_refuses(tmp_path):
    """What would be an open relay, or is not understood, does not start."""
    server = Server(conf={'smtpd_relay_restrictions': 'permit_mynetworks'}, users={}, start=False)
    try:
        done = server.malle('check', check=False)
        assert done.returncode != 0 and 'add reject_unauth_destination' in done.stderr
        server.write_conf({'smtpd_client_restrictions': 'reject_rbl_clent bl.example'})
        done = server.malle('check', check=False)
        assert done.returncode != 0 and 'did you mean reject_rbl_client' in done.stderr
        server.write_conf({'smtpd_client_restrictions': 'check_client_access hash:/nonexistent/x'})
        done = server.malle('check', check=False)
        assert done.returncode != 0 and 'smtpd_client_restrictions: hash:/nonexistent/x' in done.stderr
    finally:
        server.discard()
