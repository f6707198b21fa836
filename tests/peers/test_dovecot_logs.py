"""imap_logout_format, pop3_logout_format, deliver_log_format and the plugin mail_log with Debian's Dovecot and with malle: the same work, the same words."""
import contextlib
import imaplib
import pathlib
import poplib
import re
import smtplib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'peers'), str(TESTS / 'server')]

from dovecots import Dovecot, imap_at, needs_root, short_folder, users_in  # noqa: E402
from harness import Server, eventually  # noqa: E402
from ports import free_port  # noqa: E402

pytestmark = needs_root

USER, PASSWORD, OWNER = 'joe@malle.test', 'joes', 64790
IMAP = 'd=%{deleted} e=%{expunged} t=%{trashed} a=%{appended} h=%{fetch_hdr_count}/%{fetch_hdr_bytes} b=%{fetch_body_count}/%{fetch_body_bytes} %u %Un %d 100%%'
POP3 = 'top=%t/%p, retr=%r/%b, del=%d/%m+%{deleted_bytes}, size=%s %{message_count}'
DELIVER = '%m|%s|%f|%e|%{to_envelope}|%$'
MAIL = b'Message-ID: <%d@client.example>\r\nSubject: %d\r\nFrom: Carl <carl@client.example>\r\n\r\nbody\r\n'
SENT = ['Message-ID: <one@client.example>\r\nSubject: =?utf-8?q?K=C3=B6ln?=\r\n and more\r\nFrom: "Carl, or so" <carl@client.example>\r\n\r\nx\r\n',
        'Subject: no id\r\nFrom: a@b.example, c@d.example\r\n\r\nx\r\n']
# What mail_log tells with these fields.
FIELDS = 'uid box msgid size vsize from subject flags'
EVENTS = 'delete undelete expunge save copy mailbox_create mailbox_delete mailbox_rename flag_change'


def read_imap(port):
    """One session with all that is counted."""
    client = imaplib.IMAP4('127.0.0.1', port, timeout=30)
    client.login(USER, PASSWORD)
    for name in ('Trash', 'Other', 'Third'):
        client.create(name)
    for number in range(6):
        client.append('INBOX', None, None, MAIL % (number, number))
    client.select()
    client.fetch('1:2', '(BODY.PEEK[HEADER])')
    client.fetch('3', '(BODY[])')
    client.store('1,2', '+FLAGS', r'(\Deleted)')
    client.store('2,3', '+FLAGS', r'(\Deleted \Flagged)')
    client.store('3', '-FLAGS', r'(\Deleted)')
    client.store('4', 'FLAGS', r'(\Answered)')
    client.store('4', '+FLAGS', r'($work)')
    client.expunge()
    client.copy('1', 'Trash')
    client.copy('1:2', 'Other')
    client._simple_command('MOVE', '2', 'Trash')
    client.store('1', '+FLAGS.SILENT', r'(\Deleted)')
    client.close()
    client.rename('Other', 'Fourth')
    client.delete('Third')
    client.logout()


def read_pop3(port):
    client = poplib.POP3('127.0.0.1', port, timeout=30)
    client.user(USER)
    client.pass_(PASSWORD)
    client.top(1, 0)
    client.retr(1)
    client.dele(1)
    client.quit()


@contextlib.contextmanager
def dovecot(settings):
    with short_folder() as folder:
        folder.chmod(0o777)
        imap, pop3, lmtp = free_port(), free_port(), free_port()
        (folder / 'users').write_text(f'{USER}:{{PLAIN}}{PASSWORD}:{OWNER}:{OWNER}::{folder}/home\n')
        with Dovecot(folder, f'''protocols = imap pop3 lmtp
listen = 127.0.0.1
disable_plaintext_auth = no
first_valid_uid = 1
auth_failure_delay = 0
mail_location = maildir:{folder}/home/Maildir
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
{settings}
namespace inbox {{
  inbox = yes
  separator = .
  mailbox Trash {{
    special_use = \\Trash
  }}
}}
{users_in(folder)}service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
{imap_at(imap)}''', folder / 'run/auth-userdb') as there:
            yield there, imap, pop3, lmtp


@contextlib.contextmanager
def malle(settings):
    """Passwords may be sent in the clear from here."""
    conf = {'log_programs': 'yes', 'disable_plaintext_auth': 'no', 'hierarchy_separator': '.', **settings}
    with Server(conf=conf, users={USER: PASSWORD}) as server:
        yield server, server.port('imap'), server.port('pop3'), None


def deliver(port, server, text):
    if port:
        client = smtplib.LMTP('127.0.0.1', port)
    else:
        client = smtplib.LMTP(str(server.dir / 'run/lmtp'))
    with client:
        client.sendmail('sender@client.example', [USER], text)


def tails(log, *words):
    """What lines that have a word say behind "program(user)<pid><session>: ", sorted."""
    found = [re.sub(r'^.*?(imap|pop3|lmtp)\(\S+\)<\d+><[^>]*>: (Info: )?', '', line) for line in log.splitlines()
             if any(word in line for word in words)]
    return sorted(found)


def work(there, imap, pop3, lmtp):
    """The lines about it."""
    read_imap(imap)
    for text in SENT:
        deliver(lmtp, there, text)
    read_pop3(pop3)
    eventually(lambda: len(tails(there.log(), 'Disconnected: Logged out')) == 2)
    return tails(there.log(), 'Disconnected: Logged out', 'saved mail to')


def without_size(line):
    """malle's messages have other Received fields."""
    return re.sub(r'(top=\d+|retr=\d+)/\d+|\+\d+|size=\d+', r'\1', line)


def test_the_same_words():
    with dovecot(f'imap_logout_format = "{IMAP}"\npop3_logout_format = "{POP3}"\ndeliver_log_format = "{DELIVER}"') as there:
        theirs = work(*there)
    with malle({'imap_logout_format': IMAP, 'pop3_logout_format': POP3, 'deliver_log_format': DELIVER}) as here:
        ours = work(*here)
    assert [without_size(line) for line in ours] == [without_size(line) for line in theirs] and len(theirs) == 4


def test_as_by_default():
    with dovecot('') as there:
        theirs = work(*there)
    with malle({}) as here:
        ours = work(*here)
    shapes = [[re.sub(r'(in|out)=\d+', r'\1=', without_size(line)) for line in lines] for lines in (ours, theirs)]
    assert shapes[0] == shapes[1] and any('deleted=4 expunged=3 trashed=2 ' in line for line in ours), ours


@pytest.mark.parametrize('name, value', [('imap_logout_format', '%t'), ('pop3_logout_format', '%{nosuch}'), ('deliver_log_format', '%u')])
def test_formats_are_looked_at(name, value):
    with pytest.raises(AssertionError, match=name), Server(conf={name: value}):
        pass


def told(log):
    """What mail_log tells, in the order of the log: that of one session."""
    events = r'(delete|undelete|expunge|save|copy from \S+|flag_change): |Mailbox (created|deleted|renamed): '
    found = [re.search(rf'(imap|pop3|lmtp)\(\S+\)<\d+><[^>]*>: (Info: )?(({events}).*)', line) for line in log.splitlines()]
    return [(m[1], m[3]) for m in found if m and m[3] != 'Mailbox created: Trash']  # malle has one already


def without_received(line):
    """A delivery has other Received fields in each, and in malle no UID; \\Recent and its like are each one's own."""
    program, text = line
    text = re.sub(r', (uid|size|vsize)=\d+', '', text) if program != 'imap' else text
    return program, text.replace(' \\Recent', '').replace('\\Recent', '')


@pytest.mark.parametrize('fields, events', [(FIELDS, EVENTS), ('', '')])
def test_mail_log(fields, events):
    """What is done with messages, one line each; those of one command may stand in another order."""
    more = f'plugin {{\n  mail_log_fields = {fields}\n  mail_log_events = {events}\n}}\n' if fields else ''
    with dovecot(f'mail_plugins = mail_log notify\n{more}') as there:
        work(*there)
        theirs = [without_received(line) for line in told(there[0].log())]
    with malle({'mail_log_events': events or 'delete undelete expunge save copy mailbox_delete mailbox_rename',
                **({'mail_log_fields': fields} if fields else {})}) as here:
        work(*here)
        ours = [without_received(line) for line in told(here[0].log())]
    assert sorted(ours) == sorted(theirs) and len(ours) > 20
