"""Real programs send every message of the corpus and read it back, byte for byte but for the trace in front."""
import subprocess

import pytest

from clients import reading, sending
from clients.conftest import (ACCOUNTS, address, as_stored, assert_same, corpus, has_bare_cr, has_header_end, in_literal,
                              is_well_formed, with_lf, without_trace)
from harness import TOP
from talk import Imap, Smtp


@pytest.fixture(scope='session')
def filled(server, tmp_path_factory):
    """Sends with one program, once: call it with the account's name for the messages that it sent."""
    done = {}

    def fill(account):
        if account not in done:
            if account == 'smtp-source':
                unpacked = subprocess.run([TOP / 'tools/peers', 'postfix'], capture_output=True, text=True)
                if unpacked.returncode == 3:
                    pytest.skip(unpacked.stderr)
                assert unpacked.returncode == 0, unpacked.stderr
            done[account] = sending.SENDERS[account](server, tmp_path_factory.mktemp(f'send-{account}'))
        return done[account]
    return fill


def in_maildir(content):
    return with_lf(in_literal(content))


@pytest.mark.parametrize('account', ACCOUNTS)
def test_send(server, filled, account, scratch):
    """Read back by imaplib."""
    sent = filled(account)
    assert_same(reading.with_imaplib(server, account, scratch), sent, account, in_literal)


ACCOUNTS_READ = pytest.mark.parametrize('account', ['smtplib', 'append'])


@ACCOUNTS_READ
@pytest.mark.parametrize('read, change', [
    (reading.with_poplib, as_stored), (reading.with_curl_imap, in_literal), (reading.with_curl_pop3, as_stored),
])
def test_read(server, filled, account, read, change, scratch):
    sent = filled(account)
    assert_same(read(server, account, scratch), sent, account, change)


@ACCOUNTS_READ
def test_mbsync(server, filled, account, scratch):
    """It passes over a message whose header has no end."""
    sent = [m for m in filled(account) if has_header_end(m.content)]
    found = [content for content in reading.with_mbsync(server, account, scratch) if has_header_end(content)]
    assert_same(found, sent, account, in_maildir)


@ACCOUNTS_READ
def test_fetchmail(server, filled, account, scratch):
    """It repairs headers that are none, or passes over them: those are left out."""
    sent = [m for m in filled(account) if is_well_formed(m.content)]
    assert len(sent) > 200
    everything = reading.with_fetchmail(server, account, scratch)
    wanted = {in_literal(m.content) for m in sent}
    assert_same([content for content in everything if without_trace(content, account) in wanted], sent, account, in_literal)


def test_what_smtp_cannot_carry(server):
    """A bare CR is refused after the message was read, and the session goes on. BDAT is no way around."""
    strange = [m for m in corpus() if has_bare_cr(m.content)]
    assert strange
    with Smtp(server) as client:
        client.hello()
        for message in strange:
            for send in (client.data, client.bdat):
                assert client.envelope(address('smtplib')).startswith('250')
                assert send(message.content)[0].startswith('550 5.6.0'), message.name


def test_what_a_literal_cannot_carry(server):
    """RFC 9051 §4.3: no NUL in a literal."""
    strange = [m for m in corpus() if b'\0' in m.content]
    assert strange
    with Imap(server) as client:
        assert client.login(address('append')).startswith('OK')
        for message in strange:
            assert client.append(message.content).startswith(('NO', 'BAD')), message.name
