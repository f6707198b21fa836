"""Addresses of others are verified by probes (reject_unverified_sender, reject_unverified_recipient): what is said, what is remembered, and that a
probe delivers nothing."""
import contextlib
import sqlite3

from harness import Server, eventually
from relay.conftest import QUICK, SENDER, queue_is_empty, relaying
from relay.remote import Remote
from talk import Smtp

GATE = {'smtpd_recipient_restrictions': 'reject_unverified_recipient, permit_mynetworks, reject_unauth_destination', 'address_verify_poll_delay': '100ms',
        'address_verify_poll_count': '50'}


def rcpt(server, address, sender=SENDER):
    with Smtp(server) as client:
        client.hello()
        return client.envelope(address, sender=sender).strip()


def test_recipients(remote):
    """An answer is found while the client waits, and remembered over a restart; nothing is delivered or returned."""
    remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
    remote.answer('RCPT', '450 4.2.0 busy', match='busy@')
    with relaying(remote, **GATE) as server:
        assert rcpt(server, 'good@else.example').startswith('250')
        assert rcpt(server, 'bad@else.example') == (
            '450 4.1.1 <bad@else.example>: Recipient address rejected: unverified address: 550 5.1.1 no such user')
        assert rcpt(server, 'busy@else.example').startswith('450 4.1.1 <busy@else.example>: Recipient address rejected: unverified address: 450 4.2.0')
        server.wait_log('to=<good@else.example>')
        assert any('to=<good@else.example>' in line and 'status=deliverable' in line for line in server.lines)
        assert any('to=<bad@else.example>' in line and 'status=undeliverable' in line for line in server.lines)
        eventually(lambda: queue_is_empty(server))
        sent = remote.connections
        server.restart()
        assert rcpt(server, 'good@else.example').startswith('250') and rcpt(server, 'bad@else.example').startswith('450')
        assert rcpt(server, SENDER).startswith('250')
        assert remote.connections == sent and not remote.messages and not server.messages(SENDER)


def test_senders_and_codes(remote):
    remote.answer('RCPT', '550 5.1.1 no such user', match='bad@')
    conf = {**GATE, 'smtpd_recipient_restrictions': '', 'smtpd_sender_restrictions': 'reject_unverified_sender', 'unverified_sender_reject_code': '550',
            'address_verify_sender': '<>'}
    with relaying(remote, **conf) as server:
        assert rcpt(server, SENDER, sender='good@else.example').startswith('250')
        assert rcpt(server, SENDER, sender='bad@else.example').startswith('550 5.1.7 <bad@else.example>: Sender address rejected: undeliverable address: 550')
        assert rcpt(server, SENDER, sender='').startswith('250')
        assert not remote.messages


def test_expired_and_anew(remote):
    """What is too old is asked for again; what is old only is believed, and asked for behind the reply."""
    with relaying(remote, **GATE, address_verify_positive_expire_time='1d', address_verify_positive_refresh_time='1h') as server:
        assert rcpt(server, 'good@else.example').startswith('250')
        path = server.dir / 'state/spool/verify.db'

        def age(ms):
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as db:
                db.execute('UPDATE address SET updated=updated-?', (ms,))
                db.commit()
        remote.answer('RCPT', '550 5.1.1 gone')
        age(2 * 3600 * 1000)
        assert rcpt(server, 'good@else.example').startswith('250')
        server.wait_log('status=undeliverable')
        assert eventually(lambda: rcpt(server, 'good@else.example').startswith('450 4.1.1'))
        age(100 * 86400 * 1000)
        remote.rules.clear()
        assert rcpt(server, 'good@else.example').startswith('250')


def test_the_asker_is_asked(remote):
    """A server that wants to know whether a notification to the sender of probes would be taken hears yes, and nobody else does."""
    asker = 'double-bounce@mail.malle.test'
    with relaying(remote, **GATE) as server:
        assert rcpt(server, asker, sender='').startswith('250')
        assert rcpt(server, asker, sender='x@else.example').startswith('450 4.1.1')
        assert rcpt(server, 'nobody@malle.test', sender='').startswith('450 4.1.1')
    with relaying(remote, mynetworks='') as server:
        assert rcpt(server, asker, sender='').startswith('550 5.1.1')


def test_nobody_answers():
    """The client is told to come again, and no notification is ever made."""
    with Remote() as gone:
        site = gone.site
    conf = {**QUICK, **GATE, 'address_verify_poll_count': '2', 'relayhost': site, 'maximal_queue_lifetime': '1s'}
    with Server(conf=conf, users={SENDER: 'secret'}) as server:
        reply = rcpt(server, 'good@else.example')
        assert reply.startswith('450 4.1.1 <good@else.example>: Recipient address rejected: unverified address: ')
        eventually(lambda: queue_is_empty(server), 20)
        assert not server.messages(SENDER)
