"""internal_mail_filter_classes: of the mail that they write themselves, Debian's Postfix and malle show the same to milters and to header_checks."""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import milter as m  # noqa: E402
from harness import Server, eventually  # noqa: E402
from peers import Postfix, running  # noqa: E402
from ports import free_port  # noqa: E402
from relay.remote import Remote  # noqa: E402
from talk import Port, Smtp  # noqa: E402

DEMO, CHIEF = 'demo@malle.test', 'chief@malle.test'
COMMON = {'header_checks': 'regexp:{ {/^Subject: (Undelivered|.*errors)/ PREPEND X-Checked: yes} }', 'notify_classes': 'protocol',
          'error_notice_recipient': CHIEF, 'mynetworks': '127.0.0.0/8'}


class Writing(Postfix):
    filter = relayhost = ''

    def changes(self):
        return {'myhostname': 'mail.malle.test', 'virtual_mailbox_domains': 'malle.test', 'virtual_mailbox_maps': f'inline:{{ {DEMO}=demo/, {CHIEF}=chief/ }}',
                'relayhost': self.relayhost, 'smtp_tls_security_level': 'none', 'non_smtpd_milters': self.filter, 'internal_mail_filter_classes': 'bounce, notify', 'local_recipient_maps': 'static:all', **COMMON}


@pytest.fixture(scope='module')
def filter_():
    with m.Milter(port=free_port()) as milter:
        yield milter


@pytest.fixture(scope='module')
def relay():
    """Where no mail is taken."""
    with Remote() as remote:
        remote.answer('RCPT', '550 5.1.1 not there')
        yield {'relayhost': f'[127.0.0.1]:{remote.port}'}


@pytest.fixture
def plain(filter_):
    filter_.behave({'E': [m.add('X-Seen', 'yes'), m.CONTINUE]})
    return filter_


def provoke(port):
    """A message that comes back, and a session that a postmaster hears of."""
    with Smtp(Port(port)) as client:
        client.hello()
        assert client.envelope('x@bad.example', sender=DEMO).startswith('250')
        assert client.data(b'Subject: hello\r\n\r\nx\r\n')[0].startswith('250')
        client.command('QUIT')
    with Smtp(Port(port)) as client:
        client.hello()
        client.command('NONSENSE')
        client.command('QUIT')


def kinds(paths):
    """Of the reports and notices: what of each was added."""
    found = {}
    for path in paths:
        header = path.read_text().partition('\n\n')[0]
        kind = re.search('^Subject: .*(Undelivered|errors)', header, re.M)
        found[kind[1] if kind else header] = sorted(re.findall('^X-(?:Seen|Checked).*', header, re.M))
    return found


def sees(session):
    """What the milter hears of a report: whom it is for, and which fields."""
    return [(letter, payload.split(b'\0')[0].strip(b'<>')) for letter, payload in session.events if letter == 'R'], [name for name, _ in session.header()]


def test_same_as_postfix(plain, relay):
    class With(Writing):
        filter, relayhost = plain.name, relay['relayhost']
    with running(With, free_port()) as postfix:
        provoke(postfix.port)
        eventually(lambda: len(postfix.messages()) == 2, 20)
        theirs, their_sessions = kinds(postfix.messages()), [sees(one) for one in plain.sessions]
    plain.sessions.clear()
    with Server(conf={**COMMON, **relay, 'non_smtpd_milters': plain.name, 'internal_mail_filter_classes': 'bounce, notify'}, users={DEMO: 'demo', CHIEF: 'chief'}) as server:
        provoke(server.port('smtp'))
        eventually(lambda: len(server.messages(DEMO) + server.messages(CHIEF)) == 2)
        assert kinds(server.messages(DEMO) + server.messages(CHIEF)) == theirs
        ours = [sees(one) for one in plain.sessions]
    assert sorted(envelope for envelope, _ in ours) == sorted(envelope for envelope, _ in their_sessions), (ours, their_sessions)
    assert theirs == {kind: ['X-Checked: yes', 'X-Seen: yes'] for kind in ('Undelivered', 'errors')}


@pytest.mark.parametrize('classes', ['', 'bounce', 'notify', 'bounce, notify'])
def test_classes(plain, relay, classes):
    """Each for itself; what is for mail of others, copies and filters, stays away."""
    plain.sessions.clear()
    with Server(conf={**COMMON, **relay, 'non_smtpd_milters': plain.name, 'internal_mail_filter_classes': classes, 'receive_override_options': 'no_header_body_checks, no_milters'},
                users={DEMO: 'demo', CHIEF: 'chief'},
                sections='[listener inspection]\nalways_bcc = chief@malle.test\ncontent_filter = smtp:[127.0.0.1]:9\n') as server:
        provoke(server.port('smtp'))
        eventually(lambda: len(server.messages(DEMO) + server.messages(CHIEF)) == 2)
        found = kinds(server.messages(DEMO) + server.messages(CHIEF))
        assert len(found['Undelivered']) == (2 if 'bounce' in classes else 0)
        assert len(found['errors']) == (2 if 'notify' in classes else 0)
        assert len(plain.sessions) == len(classes.split())
        assert (server.dir / 'run/inspection').exists() == (classes != '')


def test_refused(filter_, relay):
    """A report that a milter refuses goes to nobody, and there is an end to it."""
    filter_.behave({'E': m.reply('550 5.7.1 no reports')})
    with Server(conf={**COMMON, **relay, 'non_smtpd_milters': filter_.name, 'internal_mail_filter_classes': 'bounce', 'notify_classes': '2bounce', 'double_bounce_notice_recipient': CHIEF},
                users={DEMO: 'demo', CHIEF: 'chief'}) as server:
        provoke(server.port('smtp'))
        eventually(lambda: 'a notification to the postmaster cannot be delivered: dropped' in server.log())
        eventually(lambda: not server.malle('queue', 'list', '--json').stdout.strip('[] \n'))
        assert server.messages(DEMO) + server.messages(CHIEF) == []


def test_held_up(filter_, relay):
    """While the milter does not answer the report waits, and comes then."""
    filter_.behave({'M': m.TEMPFAIL})
    with Server(conf={**COMMON, **relay, 'non_smtpd_milters': filter_.name, 'internal_mail_filter_classes': 'bounce', 'minimal_backoff_time': '1s', 'maximal_backoff_time': '1s'},
                users={DEMO: 'demo', CHIEF: 'chief'}) as server:
        provoke(server.port('smtp'))
        eventually(lambda: 'status=deferred' in server.log())
        assert server.messages(DEMO) == []
        filter_.behave({'E': [m.add('X-Seen', 'yes'), m.CONTINUE]})
        eventually(lambda: kinds(server.messages(DEMO)) == {'Undelivered': ['X-Checked: yes', 'X-Seen: yes']}, 20)
