"""The corpus of real and hostile messages, and a server with an account for each program that sends it."""
import collections
import functools
import pathlib
import re

import pytest

from harness import TOP, Server

CORPUS = TOP / 'tests/corpus'
ACCOUNTS = ('smtplib', 'bdat', 'curl', 'swaks', 'smtp-source', 'append')
# at work in an account each
PROGRAMS = ('mutt', 'neomutt', 'alpine', 'perl', 'imapflow', 'thunderbird', 'mbsync', 'offlineimap', 'getmail-imap', 'getmail-pop3',
            'mutt-maildir')
PASSWORD = 'secret'
Message = collections.namedtuple('Message', 'name content')
# Return-Path, Delivered-To and the three lines of Received that a delivery over SMTP puts in front
TRACE = re.compile(rb'Return-Path: [^\n]*\nDelivered-To: [^\n]*\nReceived: [^\n]*\n\tby [^\n]*\n\tfor [^\n]*\n')


def address(account):
    return f'{account}@malle.test'


FRIEND = address('friend')


def with_crlf(content):
    """Lines end as the protocols have it, the last one too."""
    content = re.sub(rb'\r?\n', b'\r\n', content)
    return content if content.endswith(b'\r\n') else content + b'\r\n'


def with_lf(content):
    return re.sub(rb'\r\n', b'\n', content)


@functools.cache
def corpus():
    paths = sorted(p for p in CORPUS.rglob('*') if p.is_file() and p != CORPUS / 'README.md')
    return [Message(str(p.relative_to(CORPUS)), with_crlf(p.read_bytes())) for p in paths]


def has_bare_cr(content):
    return re.search(rb'\r(?!\n)', content) is not None


def by_smtp():
    """What DATA can carry."""
    return [m for m in corpus() if not has_bare_cr(m.content)]


def by_append():
    """What a literal can carry."""
    return [m for m in corpus() if b'\0' not in m.content]


def without_trace(content, account):
    """What was sent; asserts that exactly one trace was put in front, and only by SMTP."""
    if account == 'append':
        return content
    assert TRACE.match(with_lf(content[:4096])), content[:300]
    return content.split(b'\n', 5)[5]


def as_stored(content):
    """A CR in front of a line end is taken for a part of it in a file whose lines end in LF."""
    return content.replace(b'\r\r\n', b'\r\n')


def in_literal(content):
    """IMAP has no NUL in a literal: it is shown as an octet that is nothing in ASCII (RFC 9051 §4.3)."""
    return as_stored(content).replace(b'\0', b'\x80')


def has_header_end(content):
    return b'\n\n' in with_lf(content)


def is_well_formed(content):
    """Whether all of its header are fields (RFC 5322 §2.2)."""
    return re.match(rb'(?:[!-9;-~]+[ \t]*:[^\n]*\r\n(?:[ \t]+[^\n]*\r\n)*)+\r\n', content) is not None


def assert_same(found, sent, account, change):
    """found: the whole content of each message as it was read back, in any order. change: what the reader's protocol does
    to a content on the way."""
    names = {change(m.content): m.name for m in sent}
    wanted = collections.Counter(change(m.content) for m in sent)
    there = collections.Counter(without_trace(content, account) for content in found)
    missing = sorted(names[content] for content in wanted - there)
    strange = [content[:200] for content in there - wanted]
    assert not missing and not strange, f'{account}: {len(missing)} not as sent: {missing[:20]}; instead: {strange[:3]}'


@pytest.fixture(scope='session')
def server():
    # one message of the corpus has gone round 93 times
    conf = {'hop_count_limit': 100, 'mail_max_userip_connections': 50, 'smtpd_junk_command_limit': 1000, 'smtpd_hard_error_limit': 1000}
    with Server(conf=conf, users={address(name): PASSWORD for name in (*ACCOUNTS, *PROGRAMS, 'friend')}) as it:
        yield it


@pytest.fixture
def scratch(tmp_path) -> pathlib.Path:
    return tmp_path
