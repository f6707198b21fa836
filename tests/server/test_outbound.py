"""How much an account may send to other servers, and the breaker."""
import contextlib
import json
import smtplib

import pytest

from harness import Server, eventually
from mail import connect_smtp
from relay.remote import Remote

JOE, ANN, POSTMASTER = 'joe@malle.test', 'ann@malle.test', 'postmaster@malle.test'
USERS = {JOE: 'joes', ANN: 'anns', POSTMASTER: 'pms'}


@contextlib.contextmanager
def sending(remote, **conf):
    with Server(conf={'relayhost': remote.site, 'minimal_backoff_time': '200ms', 'maximal_backoff_time': '400ms', **conf},
                users=USERS) as server:
        yield server


def submit(server, *recipients, user=JOE):
    """The reply to the end of data as (code, text)."""
    with contextlib.closing(connect_smtp(server, 'submissions', user, USERS[user])) as client:
        client.docmd('MAIL', f'FROM:<{user}>')
        for recipient in recipients:
            assert client.docmd('RCPT', f'TO:<{recipient}>')[0] == 250
        code, text = client.data(b'Subject: x\r\n\r\nx\r\n')
        return code, text.decode()


def queued(server):
    return json.loads(server.malle('queue', 'list', '--json').stdout)


@pytest.mark.parametrize('what, limit', [('messages', 3), ('recipients', 6)])
@pytest.mark.parametrize('time', ['hour', 'day'])
def test_limits(what, limit, time):
    """The next message is refused for now; mail for this server and other accounts are not touched."""
    with Remote() as remote, sending(remote, **{f'outbound_{what}_per_{time}': limit}) as server:
        for i in range(3):
            assert submit(server, f'a{i}@far.example', f'b{i}@far.example')[0] == 250
        code, text = submit(server, 'c@far.example')
        assert code == 450 and f'4.7.1 Error: too much mail: this account may send to {limit} {what} a' in text, text
        assert submit(server, ANN)[0] == 250
        assert submit(server, 'c@far.example', user=ANN)[0] == 250
        eventually(lambda: len(remote.messages) == 4)


def test_failing_recipients_freeze():
    """Sending stops, reading goes on; what waits is held; both are told; unfreeze lets it go."""
    with Remote() as remote, sending(remote, outbound_failures_per_hour=5) as server:
        remote.answer('RCPT', '450 4.2.0 later', match='<wait')
        remote.answer('RCPT', '550 5.1.1 unknown', match='<bad')
        assert submit(server, 'wait@far.example')[0] == 250
        eventually(lambda: queued(server) and queued(server)[0]['recipients'][0]['attempts'] > 0)
        for i in range(6):
            assert submit(server, f'bad{i}@far.example')[0] == 250
        server.wait_log(f'sending from {JOE} is frozen: 6 recipients within an hour do not exist')
        code, text = submit(server, 'good@far.example')
        assert code == 450 and 'is stopped' in text
        assert submit(server, ANN)[0] == 250
        assert submit(server, 'good@far.example', user=ANN)[0] == 250
        told = [p.read_text() for user in (JOE, POSTMASTER) for p in eventually(lambda user=user: [
            p for p in server.messages(user) if f'Subject: Sending from {JOE} is stopped' in p.read_text()])]
        assert len(told) == 2 and all(f'malle user unfreeze {JOE}' in text for text in told)
        held = [m for m in queued(server) if m['recipients'][0]['address'] == 'wait@far.example'][0]['recipients'][0]
        assert held['status'] == 'held' and held['reason'] == 'held because sending from its account is frozen'
        frozen = json.loads(server.malle('user', 'frozen', '--json').stdout)
        assert [f['account'] for f in frozen] == [JOE]

        remote.rules.clear()
        server.malle('user', 'unfreeze', JOE)
        eventually(lambda: any('wait@far.example' in m.recipients for m in remote.messages))
        assert submit(server, 'good@far.example')[0] == 250
        assert server.malle('user', 'unfreeze', JOE, check=False).returncode == 1


def test_frozen_by_an_administrator():
    with Remote() as remote, sending(remote) as server:
        server.malle('user', 'freeze', 'Joe@malle.test')
        assert submit(server, 'a@far.example')[0] == 450
        assert f'{JOE}  since ' in server.malle('user', 'frozen').stdout
        server.restart()
        assert submit(server, 'a@far.example')[0] == 450
        server.malle('user', 'unfreeze', JOE)
        assert submit(server, 'a@far.example')[0] == 250
