"""Mail through a filter that hands it back at another listener, as amavis does: content_filter, FILTER in access tables and header_checks; and
copies of mail."""
import contextlib
import os
import pathlib
import smtplib
import tempfile
import threading
import time

import pytest

from harness import MALLE, Server, eventually
from relay.conftest import QUICK, SENDER, queue_is_empty, send
from relay.remote import Remote

JOE, ANN, LIST = 'joe@malle.test', 'ann@malle.test', 'list@malle.test'
BACK = 226  # the port of the listener that takes mail back, before the offset
BACK_LISTENER = (f'[listener back]\nprotocol = smtp\nport = {BACK}\naddresses = 127.0.0.1\ncontent_filter =\nsmtpd_sender_restrictions =\n'
                 'receive_override_options = no_unknown_recipient_checks, no_header_body_checks, no_address_mappings\n')


class Filter(Remote):
    """Adds a field, and gives mail back to the server it came from."""

    def __init__(self, port=0):
        super().__init__(port=port)
        self.server, self.given, self.running = None, 0, True
        threading.Thread(target=self.give_back, daemon=True).start()

    def stop(self):
        self.running = False
        super().stop()

    def give_back(self):
        while self.running:
            time.sleep(0.02)
            if not self.server or self.given == len(self.messages):
                continue
            message = self.messages[self.given]
            with smtplib.SMTP('127.0.0.1', BACK + self.server.offset) as client:
                client.sendmail(message.sender, message.recipients, b'X-Filtered: yes\r\n' + message.content)
            self.given += 1


@contextlib.contextmanager
def filtering(remote=None, sections='', port=0, **conf):
    """(filter, server); FILTER in the settings stands for the filter's transport and next hop."""
    with Filter(port) as peer:
        site = f'smtp-amavis:[127.0.0.1]:{peer.port}'
        settings = {**QUICK, 'relayhost': remote.site if remote else '[127.0.0.1]:9',
                    'virtual_alias_maps': f'inline:{{ {{ {LIST} = {JOE}, {ANN} }} }}', **conf}
        settings = {name: value.replace('FILTER', site) for name, value in settings.items()}
        with Server(conf=settings, users={SENDER: 's', JOE: 'j', ANN: 'a'}, sections=BACK_LISTENER + '[transport smtp-amavis]\n' + sections) as server:
            peer.server = server
            yield peer, server


def one(server, address):
    """The mail of the account, once it is there."""
    eventually(lambda: server.messages(address), 15)
    messages = server.messages(address)
    assert len(messages) == 1
    return messages[0].read_bytes()


def test_content_filter(tmp_path, remote):
    """The filter sees the addresses as they were given; what comes back is delivered, once looked at."""
    rules = tmp_path / 'rules'
    rules.write_text('/^Subject: (.*)/ WARN $1\n/^X-Filtered/ REJECT\n')
    generic = f'inline:{{ {{ {LIST} = wrong@else.example }} }}'  # counts where mail leaves, and not on the way to the filter
    with filtering(remote, content_filter='FILTER', header_checks=f'regexp:{rules}', smtp_generic_maps=generic) as (peer, server):
        assert 'queued as' in send(server, LIST, 'away@else.example')
        for address in (JOE, ANN):
            assert one(server, address).count(b'X-Filtered: yes\n') == 1
        eventually(lambda: len(remote.messages) == 1)
        assert remote.messages[0].recipients == ('away@else.example',) and b'X-Filtered: yes\r\n' in remote.messages[0].content
        assert [sorted(m.recipients) for m in peer.messages] == [['away@else.example', LIST]]
        assert sum('warning: header Subject: hello' in line for line in server.lines) == 1
        eventually(lambda: queue_is_empty(server))


def test_unknown_recipients_are_refused_before_the_filter():
    with filtering(content_filter='FILTER') as (peer, server):
        with smtplib.SMTP('127.0.0.1', server.port('smtp')) as client:
            client.ehlo()
            client.mail('a@client.example')
            assert client.rcpt('nobody@malle.test')[0] == 550
        assert not peer.messages


def test_mail_waits_for_a_filter_that_is_down():
    with Filter() as gone:
        port = gone.port
    with filtering(content_filter=f'smtp-amavis:[127.0.0.1]:{port}') as (_, server):
        assert 'queued as' in send(server, JOE)
        server.wait_log('status=deferred')
        assert not server.messages(JOE)
        with Filter(port) as peer:
            peer.server = server
            assert b'X-Filtered: yes' in one(server, JOE)


def test_filter_of_header_checks(tmp_path):
    rules = tmp_path / 'rules'
    with Filter() as peer:
        rules.write_text(f'/^Subject: filter/ FILTER smtp:[127.0.0.1]:{peer.port}\n')
        with filtering(header_checks=f'regexp:{rules}') as (_, server):
            peer.server = server
            assert 'delivered as' in send(server, JOE)
            assert 'queued as' in send(server, ANN, content=b'Subject: filter me\r\n\r\nx\r\n')
            assert b'X-Filtered: yes' in one(server, ANN)
            assert b'X-Filtered' not in one(server, JOE)
            server.wait_log(f': filter: header Subject: filter me from localhost[127.0.0.1]; from=<{SENDER}> to=<{ANN}> proto=ESMTP')


def test_filter_of_an_access_table():
    table = 'check_sender_access inline:{ { a@filter.example = FILTER FILTERED } }'
    with Filter() as peer:
        table = table.replace('FILTERED', f'smtp:[127.0.0.1]:{peer.port}')
        with Server(conf={**QUICK, 'smtpd_sender_restrictions': table}, users={JOE: 'j', ANN: 'a'}, sections=BACK_LISTENER) as server:
            peer.server = server
            assert 'delivered as' in send(server, JOE, sender='a@other.example')
            assert 'queued as' in send(server, ANN, sender='a@filter.example')
            assert b'X-Filtered: yes' in one(server, ANN)
            assert b'X-Filtered' not in one(server, JOE)
            server.wait_log('filter: RCPT from localhost[127.0.0.1]: <a@filter.example>: Sender address triggers FILTER smtp:')


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
def test_a_program_that_gives_mail_back_by_sendmail():
    """As a filter of Postfix that ends in sendmail: what local programs send goes through none."""
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        script = pathlib.Path(top, 'scan')
        settings = {**QUICK, 'pipe_transports': f'scan user=daemon flags=Rq argv={script} -f ${{sender}} -- ${{recipient}}', 'trusted_users': 'daemon'}
        with Server(conf=settings, users={JOE: 'j', ANN: 'a'}, sections='[listener smtp]\ncontent_filter = scan\n') as server:
            script.write_text(f'#!/bin/sh\n{{ echo "X-Scanned: yes"; cat; }} | {MALLE} -c {server.dir}/malle.conf sendmail -i "$@"\n')
            script.chmod(0o755)
            assert 'queued as' in send(server, JOE, ANN, sender='a@client.example')
            for address in (JOE, ANN):
                text = one(server, address)
                assert b'X-Scanned: yes\n' in text and b'Return-Path: <a@client.example>\n' in text
            eventually(lambda: queue_is_empty(server))


def test_copies(remote):
    """always_bcc, sender_bcc_maps and recipient_bcc_maps; each address gets one copy."""
    conf = {'always_bcc': 'joe', 'sender_bcc_maps': f'inline:{{ {{ @client.example = archive@else.example }}, {{ {SENDER} = {JOE} }} }}',
            'recipient_bcc_maps': f'inline:{{ {{ {ANN} = second@else.example }} }}'}
    with filtering(remote, **conf) as (_, server):
        send(server, ANN, sender='a@client.example')
        assert b'Subject: hello' in one(server, JOE) and b'Subject: hello' in one(server, ANN)
        eventually(lambda: sorted(r for m in remote.messages for r in m.recipients) == ['archive@else.example', 'second@else.example'])
        send(server, 'x@else.example', sender=SENDER)
        eventually(lambda: len(server.messages(JOE)) == 2)
        assert len(server.messages(ANN)) == 1


def test_soft_bounce(remote):
    """Refusals are for now, and what would be returned waits."""
    remote.answer('RCPT', '550 5.1.1 no such user', times=1)
    with filtering(remote, soft_bounce='yes', smtpd_reject_footer='\\c. Ask $server_name') as (_, server):
        with smtplib.SMTP('127.0.0.1', server.port('smtp')) as client:
            client.ehlo()
            client.mail('a@client.example')
            code, text = client.rcpt('nobody@malle.test')
            assert code == 450 and text.startswith(b'4.1.1 <nobody@malle.test>') and text.endswith(b'. Ask mail.malle.test')
        send(server, 'x@else.example')
        server.wait_log('status=SOFTBOUNCE')
        assert any('dsn=4.1.1, status=SOFTBOUNCE' in line for line in server.lines)
        eventually(lambda: len(remote.messages) == 1)
        assert not server.messages(SENDER)
