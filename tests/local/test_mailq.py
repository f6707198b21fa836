"""mailq, sendmail -bp and -q, newaliases."""
import re

import pytest

from harness import DOMAIN, Server, eventually
from local.conftest import USER, Local
from relay.remote import Remote

# what Postfix prints with long queue ids: columns of 17, 8 and 19, reasons ending in column 78, addresses in column 48
HEADING = '----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------'
FIRST = re.compile(r'^(\w+!? *) ( *\d+) (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+)$')


@pytest.fixture(scope='module')
def remote():
    with Remote() as it:
        it.answer('RCPT', '450 4.2.1 busy', match='ever@')
        yield it


@pytest.fixture(scope='module')
def local(remote):
    conf = {'relayhost': remote.site, 'minimal_backoff_time': '1h', 'maximal_backoff_time': '1h'}
    with Server(conf=conf) as server:
        yield Local(server)


def test_an_empty_queue(local):
    for command in (['mailq'], ['sendmail', '-bp']):
        done = local.run(*command)
        assert (done.returncode, done.stdout, done.stderr) == (0, 'Mail queue is empty\n', '')


def test_the_shape_of_postfix(local, remote):
    assert local.run('sendmail', '-f', USER, 'ever@remote.example', 'forever@remote.example').returncode == 0
    assert local.run('sendmail', '-f', '', 'ever@remote.example').returncode == 0
    eventually(lambda: local.run('mailq').stdout.count('450 4.2.1 busy') == 2)
    local.server.malle('queue', 'hold', '--sender', '<>')
    lines = local.run('mailq').stdout.splitlines()
    assert lines[0] == HEADING
    size = 0
    for number, sender in ((1, USER), (6, 'MAILER-DAEMON')):
        match = FIRST.match(lines[number])
        assert match and lines[number][26] == ' ' and lines[number].index(match[3]) == 27 and match[4] == sender
        assert match[1].strip().endswith('!') == (sender != USER)
        size += int(match[2])
        assert re.fullmatch(r' *\(host \S+ said: 450 4\.2\.1 busy\)', lines[number + 1])
        assert len(lines[number + 1]) >= 78
        assert lines[number + 2] == ' ' * 47 + 'ever@remote.example'
    assert lines[4] == ' ' * 47 + 'forever@remote.example'
    assert lines[5] == lines[9] == '' and lines[10] == f'-- {size // 1024} Kbytes in 2 Requests.' and len(lines) == 11
    local.server.malle('queue', 'release', 'ALL')


def test_q_tries_everything_now(local, remote):
    remote.rules.clear()
    for command in (['sendmail', '-q'], ['mailq', '-q'], ['sendmail', '-q30m']):
        assert local.run(*command).returncode == 0
    eventually(lambda: local.run('mailq').stdout == 'Mail queue is empty\n', 20)
    assert len(remote.messages) >= 2


def test_newaliases(tmp_path):
    virtual = tmp_path / 'virtual'
    virtual.write_text(f'root@{DOMAIN} {USER}\n')
    malle = Server(start=False)
    try:
        local = Local(malle)
        assert local.run('newaliases').returncode == 0  # there is nothing to make
        malle.write_conf({'virtual_alias_maps': f'hash:{virtual}, inline:{{a@b=c@d}}'})
        for command in (['newaliases'], ['sendmail', '-bi'], ['sendmail', '-I']):
            done = local.run(*command)
            assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
            made = tmp_path / 'virtual.lmdb'
            assert made.exists()
            made.unlink()
        assert local.run('newaliases').returncode == 0
        malle.start()
        assert local.run('sendmail', '-i', 'root', message='Subject: for root\n\n').returncode == 0
        eventually(lambda: malle.messages(USER))
        malle.stop()
    finally:
        malle.discard()
