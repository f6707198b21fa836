"""Transports with settings of their own: how they greet, where from, how fast, and whose mail they have."""
import time

from harness import eventually
from relay.conftest import OTHER, SENDER, certificate, queue_is_empty, relaying, send
from relay.remote import Remote

SLOW = '[transport slow]\nsmtp_helo_name = slow.example.com\nsmtp_bind_address = 127.0.0.9\nsyslog_name = postfix/slow\n'


def test_settings_of_its_own(remote):
    """Its mail has them, that of others has not; each has connections of its own to the same place."""
    with relaying(remote, transport_maps=f'inline:{{ {{a.example=slow:{remote.site}}} }}', sections=SLOW) as server:
        for domain in ('a.example', 'b.example', 'a.example'):
            send(server, f'x@{domain}')
            eventually(lambda domain=domain: remote.messages and remote.messages[-1].recipients == (f'x@{domain}',))
        slow, usual = remote.messages[0].connection, remote.messages[1].connection
        assert remote.messages[2].connection != usual != slow
        assert remote.greetings[slow - 1] == 'EHLO slow.example.com' and remote.peers[slow - 1] == '127.0.0.9'
        assert remote.greetings[usual - 1] == 'EHLO mail.malle.test' and remote.peers[usual - 1] == '127.0.0.1'
        lines = [line for line in server.lines if 'status=sent' in line and 'to=<x@' in line]
        assert [('postfix/slow/smtp' in line) for line in lines] == [True, False, True]
        eventually(lambda: queue_is_empty(server))


def test_tls_and_passwords_of_its_own(tmp_path):
    """One transport asks for TLS and logs in, the other does neither."""
    with Remote(starttls=certificate(tmp_path), keywords=('AUTH PLAIN',)) as there:
        own = (f'[transport secret]\nsmtp_tls_security_level = encrypt\nsmtp_sasl_auth_enable = yes\n'
               f'smtp_sasl_password_maps = inline:{{ {{{there.site}=joe:secret}} }}\n')
        conf = {'smtp_tls_security_level': 'none', 'sender_dependent_default_transport_maps': f'inline:{{ {{{SENDER}=secret:}} }}'}
        with relaying(there, sections=own, **conf) as server:
            send(server, 'x@a.example', sender=SENDER)
            eventually(lambda: len(there.messages) == 1)
            assert there.messages[0].tls and there.logins == ['joe:secret']
            send(server, 'x@a.example', sender=OTHER)
            eventually(lambda: len(there.messages) == 2)
            assert not there.messages[1].tls and len(there.logins) == 1


def test_a_password_that_is_refused():
    """Mail waits, or is returned with smtp_sasl_auth_soft_bounce = no; not when it is refused for now."""
    for soft, reply, want in (('yes', '535 5.7.8 no', 'dsn=4.7.8, status=deferred'), ('no', '535 5.7.8 no', 'dsn=5.7.8, status=bounced'),
                              ('no', '454 4.7.0 later', 'dsn=4.7.8, status=deferred')):
        with Remote(keywords=('AUTH PLAIN',)) as there:
            there.answer('AUTH', reply)
            conf = {'smtp_sasl_auth_enable': 'yes', 'smtp_sasl_password_maps': f'inline:{{ {{{there.site}=joe:secret}} }}', 'smtp_sasl_security_options': ''}
            with relaying(there, smtp_sasl_auth_soft_bounce=soft, smtp_tls_security_level='none', **conf) as server:
                send(server, 'x@a.example')
                line = server.wait_log('to=<x@a.example>')
                assert want in line and f'said: {reply}' in line, line


def test_tables_of_its_own(remote):
    """generic(5) and header_checks of one transport alone; where its section says nothing, those of all."""
    own = '[transport slow]\nsmtp_generic_maps =\nsmtp_header_checks = inline:{ {Subject: hello = REPLACE Subject: slow} }\n'
    conf = {'transport_maps': f'inline:{{ {{a.example=slow:{remote.site}}} }}', 'smtp_generic_maps': f'inline:{{ {{{SENDER}=me@isp.example}} }}'}
    with relaying(remote, sections=own, **conf) as server:
        send(server, 'x@a.example')
        send(server, 'x@b.example')
        eventually(lambda: len(remote.messages) == 2)
        found = {m.recipients[0]: m for m in remote.messages}
        assert found['x@a.example'].sender == SENDER and b'Subject: slow\r\n' in found['x@a.example'].content
        assert found['x@b.example'].sender == 'me@isp.example' and b'Subject: hello\r\n' in found['x@b.example'].content


def test_transports_that_are_asked_for(remote):
    """defer_transports: their mail waits, each time, until it is asked for; that of others goes."""
    maps = f'inline:{{ {{a.example=slow:{remote.site}}}, {{p.example=prog:}} }}'
    with relaying(remote, transport_maps=maps, sections=SLOW, defer_transports='slow, prog', minimal_backoff_time='1h', maximal_backoff_time='1h',
                  pipe_transports='prog user=nobody argv=/bin/cat') as server:
        send(server, 'x@a.example', 'y@b.example', 'z@p.example')
        for who in ('x@a.example', 'z@p.example'):
            assert 'relay=none, dsn=4.3.2, status=deferred (deferred transport)' in server.wait_log(f'to=<{who}>')
        eventually(lambda: [m.recipients for m in remote.messages] == [('y@b.example',)])
        remote.answer('RCPT', '450 4.2.1 busy', times=1)
        for count in (1, 2):  # the second time it is taken
            server.malle('queue', 'retry', 'ALL')
            eventually(lambda count=count: len([line for line in server.lines if 'to=<x@a.example>, relay=127.0.0.1' in line]) == count)
        assert remote.messages[-1].recipients == ('x@a.example',)
        send(server, 'last@a.example')
        assert 'deferred transport' in server.wait_log('to=<last@a.example>')


def test_how_fast(remote):
    """One recipient at a time, and a pause between two messages wherever they go."""
    own = '[transport slow]\nsmtp_destination_recipient_limit = 1\nsmtp_transport_rate_delay = 700ms\n'
    with relaying(remote, default_transport='slow', sections=own) as server:
        begun = time.monotonic()
        send(server, 'x@a.example', 'y@a.example', 'z@b.example')
        eventually(lambda: len(remote.messages) == 3)
        assert time.monotonic() - begun > 1.3
        assert [len(m.recipients) for m in remote.messages] == [1, 1, 1]


def test_how_many(remote):
    """process_limit: the third delivery waits until one of two has ended."""
    remote.hang('DOT', 1.5, times=2)
    maps = 'inline:{ ' + ' '.join(f'{{{domain}.example=slow:{remote.site}}}' for domain in 'abc') + ' }'
    with relaying(remote, transport_maps=maps, sections='[transport slow]\nprocess_limit = 2\n') as server:
        for domain in 'abc':
            send(server, f'x@{domain}.example')
        eventually(lambda: remote.rules[-1]['times'] == 0)  # two hang
        send(server, 'x@d.example')
        server.wait_log('to=<x@d.example>')
        assert not any('to=<x@a.example>' in line or 'to=<x@b.example>' in line for line in server.lines)
        assert 'x@c.example' not in [r for m in remote.messages for r in m.recipients]
        eventually(lambda: len(remote.messages) == 4)


def test_after_a_reload(remote):
    """A transport that comes with a reload has the mail that waited for it."""
    with relaying(remote, transport_maps=f'inline:{{ {{a.example=late:{remote.site}}} }}') as server:
        send(server, 'x@a.example')
        server.wait_log('there is no mail transport "late"')
        with open(server.dir / 'malle.conf', 'a') as f:
            f.write('[transport late]\nsmtp_helo_name = late.example.com\n')
        server.reload()
        eventually(lambda: remote.messages)
        assert remote.greetings[-1] == 'EHLO late.example.com'


def test_ways_of_domains(remote):
    """relay_transport has the mail for relay_domains, default_transport all other."""
    with Remote() as inner:
        conf = {'relay_domains': 'inner.example', 'relay_transport': f'relay:{inner.site}', 'default_transport': f'smtp:{remote.site}',
                'relayhost': '[127.0.0.1]:9'}
        with relaying(remote, **conf) as server:
            send(server, 'x@inner.example', 'x@outer.example')
            eventually(lambda: inner.messages and remote.messages)
            assert inner.messages[0].recipients == ('x@inner.example',) and remote.messages[0].recipients == ('x@outer.example',)
