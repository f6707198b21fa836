"""Where mail goes when its own way fails: smtp_fallback_relay, and what becomes of names that nobody has."""
from harness import eventually
from relay.conftest import OTHER, SENDER, queue_is_empty, relaying, send
from relay.remote import Remote
from talk import Smtp


def refused_port():
    with Remote() as gone:
        return gone.port


def test_next_hop_that_is_down(remote):
    """The fallbacks are tried in their order; nothing else is, while one of them takes the mail."""
    with Remote() as second:
        conf = {'relayhost': f'[127.0.0.1]:{refused_port()}', 'smtp_fallback_relay': f'[127.0.0.1]:{refused_port()}, {remote.site}, {second.site}'}
        with relaying(remote, **conf) as server:
            for _ in range(2):
                send(server, 'x@a.example')
            eventually(lambda: len(remote.messages) == 2)
            assert not second.connections and not any('status=deferred' in line for line in server.lines)
            eventually(lambda: queue_is_empty(server))


def test_recipients_that_are_refused_for_now(remote):
    """They go on to the fallback; one that is refused for good does not."""
    with Remote() as second:
        remote.answer('RCPT', '450 4.2.1 busy', match='<later@')
        remote.answer('RCPT', '550 5.1.1 unknown', match='<never@')
        with relaying(remote, smtp_fallback_relay=second.site) as server:
            send(server, 'later@a.example', 'never@a.example', 'now@a.example')
            eventually(lambda: second.messages and remote.messages)
            assert second.messages[0].recipients == ('later@a.example',) and remote.messages[0].recipients == ('now@a.example',)
            server.wait_log('status=bounced')
            send(server, 'now@b.example')  # begins with its own next hop, not with the fallback of the one before
            eventually(lambda: len(remote.messages) == 2)
            assert len(second.messages) == 1


def test_domain_that_is_not_there(remote):
    """Its mail goes to the fallback, and is not returned."""
    with relaying(remote, relayhost='', smtp_fallback_relay=remote.site, dns_timeout='1s') as server:
        send(server, 'x@nowhere.invalid')
        eventually(lambda: remote.messages, 30)


def test_fallback_that_is_down(remote):
    with relaying(remote, relayhost=f'[127.0.0.1]:{refused_port()}', smtp_fallback_relay=f'[127.0.0.1]:{refused_port()}') as server:
        send(server, 'x@a.example')
        server.wait_log('status=deferred (connect to 127.0.0.1')
        assert not any('status=bounced' in line for line in server.lines)


def test_fallback_transport(remote):
    """A name that nobody has here is somebody elsewhere; generic(5) counts on the way there."""
    conf = {'fallback_transport_maps': 'inline:{ {joe=error:5.7.9 joe has left} }', 'smtp_generic_maps': f'inline:{{ {{{SENDER}=me@isp.example}} }}'}
    with Remote() as old, relaying(remote, fallback_transport=f'smtp:{old.site}', **conf) as server:
        send(server, 'ann+tag@malle.test', OTHER, 'bob@malle.test')
        eventually(lambda: old.messages and server.messages(OTHER))
        assert sorted(r for m in old.messages for r in m.recipients) == ['ann+tag@malle.test', 'bob@malle.test']
        assert old.messages[0].sender == 'me@isp.example' and not remote.connections
        send(server, 'joe@malle.test')
        assert 'joe has left' in server.wait_log('to=<joe@malle.test>')


def test_luser_relay(remote):
    with relaying(remote, luser_relay='$user@elsewhere.example', srs_enable='no', mynetworks='') as server:
        send(server, 'ann+tag@malle.test', OTHER)
        eventually(lambda: remote.messages and server.messages(OTHER))
        assert remote.messages[0].recipients == ('ann@elsewhere.example',)
        with Smtp(server) as client:
            client.hello()
            assert client.envelope('x@elsewhere.example', sender=SENDER).startswith('5')


def test_masquerade(remote):
    """Hosts do not show in envelope and header of local mail; classes, exceptions."""
    conf = {'masquerade_domains': 'malle.test !keep.example example', 'masquerade_exceptions': 'root', 'masquerade_classes':
            'envelope_sender envelope_recipient header_sender header_recipient'}
    text = (b'From: A <a@host.malle.test>\r\nTo: b@h.keep.example, c@h.out.example\r\nReply-To: root@h.malle.test\r\nSubject: a@host.malle.test\r\n\r\n'
            b'a@host.malle.test\r\n')
    with relaying(remote, **conf) as server:
        send(server, 'c@h.out.example', sender='a@host.malle.test', content=text)
        message = eventually(lambda: remote.messages and remote.messages[0])
        assert (message.sender, message.recipients) == ('a@malle.test', ('c@example',))
        assert b'From: A <a@malle.test>\r\nTo: b@h.keep.example, c@example\r\nReply-To: root@h.malle.test\r\nSubject: a@host.malle.test\r\n' in message.content
        assert message.content.endswith(b'\r\n\r\na@host.malle.test\r\n')
    with relaying(remote, masquerade_domains='malle.test', masquerade_classes='header_recipient') as server:
        send(server, 'c@d.example', sender='a@host.malle.test', content=text)
        message = eventually(lambda: remote.messages[1:] and remote.messages[1])
        assert message.sender == 'a@host.malle.test' and b'From: A <a@host.malle.test>' in message.content
