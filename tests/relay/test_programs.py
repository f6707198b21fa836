"""Mail for programs and files: .forward of users of the system, aliases(5), mailbox_command, pipe_transports."""
import collections
import contextlib
import os
import pathlib
import pwd
import re
import shlex
import shutil
import smtplib
import sqlite3
import time

import pytest

from harness import MALLE, Server, eventually
from relay.conftest import QUICK, SENDER, queue_is_empty, send
from relay.remote import Remote
from system_users import system_users_for_a_while
from talk import Smtp

ALIASES = """
simple: "|cat >>{top}/simple"
loops: "|cat >>{top}/loops"
tonobody: "|cat >>{top}/nobody; id >>{top}/nobody; env >>{top}/nobody.env"
tofile: {top}/boxes/file
pair: "|cat >{top}/pair", sender@malle.test
boxless: /dev/null
"""


class World:
    """A server with users of the system, whose top folder anybody may write."""

    def __init__(self, server, users, remote, top):
        self.server, self.users, self.remote, self.top = server, users, remote, top
        self.made = 0

    def user(self, forward=None, mode=0o600, name='.forward'):
        user = self.users.add(password=None)
        if forward is not None:
            self.forward(user, forward, mode, name)
        return user

    @staticmethod
    def forward(user, text, mode=0o600, name='.forward'):
        path = pathlib.Path(user.pw_dir, name)
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, user.pw_uid, user.pw_gid)

    def path(self):
        """A file that nobody has made yet."""
        self.made += 1
        return self.top / f'out{self.made}'

    def text(self, path, *wanted):
        """What the file says once it has all that is wanted."""
        def whole():
            text = path.read_text(errors='replace') if path.exists() else ''
            return text if text and all(w in text for w in wanted) else None
        whole.__doc__ = f'{path} has {wanted}'
        return eventually(whole)

    def idle(self):
        eventually(lambda: queue_is_empty(self.server))


@pytest.fixture(scope='module')
def world():
    with system_users_for_a_while() as users, Remote() as remote:
        top = users.top / 'open'
        (top / 'boxes').mkdir(parents=True)
        top.chmod(0o1777)
        (top / 'boxes').chmod(0o1777)
        many = ''.join(f'many{n}: ' + ', '.join(f'u{n}x{i}@far.example' for i in range(600)) + '\n' for n in range(2))
        (top / 'aliases').write_text(ALIASES.format(top=top) + many)
        (top / 'transport').write_text('program.example prog:here\nsorry.example sorry:\nplain.example plain:\n'
                                      'root.example root:\nsoft.example soft:\nwho.example who:\npatient.example patient:\nrole.example role:\ngroup.example group:\nfar.example discard:\n')
        daemon = pwd.getpwnam('daemon').pw_name
        pipes = (f'prog user={daemon} flags=DRhu argv=/bin/sh -c {{cat >>{top}/pipe; echo "$$@" >>{top}/pipe.args}} x '
                 '${sender} ${user} ${extension} ${domain} ${nexthop} ${recipient};'
                 f' sorry user={daemon} argv=/bin/sh -c {{echo "5.7.9 you are not wanted; here"; exit 1}};'
                 f' who user={daemon} argv=/bin/sh -c {{echo "$$@" >>{top}/who}} x u=${{sasl_username}} e=${{envid}} p=${{client_port}} x=${{other}};'
                 f' patient user={daemon} argv=/bin/sh -c {{sleep 1.5; cat >>{top}/patient}};'
                 f' soft user={daemon} argv=/bin/sh -c {{echo "4.7.8 not yet"; exit 1}};'
                 f' plain user={daemon} flags=F argv=/bin/sh -c {{cat >/dev/null; echo "$$#:$$*" >>{top}/plain}} x ${{recipient}} all;'
                 f' root user=root argv=/usr/bin/touch {top}/ran; role user=malle-proxymap argv=/usr/bin/touch {top}/ran;'
                 f' group user={daemon}:root argv=/usr/bin/touch {top}/ran')
        conf = {**QUICK, 'relayhost': remote.site, 'system_users': 'yes', 'pam_service': users.service, 'srs_enable': 'no',
                'alias_maps': f'aliases:{top}/aliases', 'transport_maps': f'texthash:{top}/transport', 'pipe_transports': pipes,
                'command_time_limit': '1s', 'pipe_delivery_status_filter': 'regexp:{{/^4(\\.7\\.8 .*)/ 5$1}}'}
        patient = '[transport patient]\nprotocol = pipe\ncommand_time_limit = 20s\n'
        with Server(conf=conf, users={SENDER: 'secret', 'other@malle.test': 'secret'}, sections=patient) as server:
            yield World(server, users, remote, top)


def address(user, tag=''):
    return f'{user.pw_name}{tag}@malle.test'


def inbox(user):
    new = pathlib.Path(user.pw_dir, 'Maildir/new')
    return [p.read_text() for p in sorted(new.iterdir())] if new.is_dir() else []


def notification(world, *wanted):
    """A report that the sender got, with all that is wanted; it is removed."""
    def found():
        for path in world.server.messages(SENDER):
            text = path.read_text(errors='replace')
            if all(w in text for w in wanted):
                path.unlink()
                return text
        return None
    found.__doc__ = f'a report with {wanted}'
    return eventually(found)


def queued(world, what='address'):
    path = world.server.dir / 'state/spool/queue.db'
    with contextlib.closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True)) as db:
        return [row[0] for row in db.execute(f'SELECT {what} FROM rcpt')]


# --- addresses ---

def test_to_another_user(world):
    bob = world.user()
    ann = world.user(bob.pw_name + '\n')
    send(world.server, address(ann))
    [message] = eventually(lambda: inbox(bob))
    assert message.startswith(f'Return-Path: <{SENDER}>\nDelivered-To: {address(bob)}\nDelivered-To: {address(ann)}\nReceived:')
    assert inbox(ann) == []
    world.idle()


def test_own_mailbox_and_a_copy_elsewhere(world):
    ann = world.user()
    world.forward(ann, f'\\{ann.pw_name}, copy@elsewhere.example\n')
    send(world.server, address(ann))
    eventually(lambda: inbox(ann))
    copy = eventually(lambda: [m for m in world.remote.messages if 'copy@elsewhere.example' in str(m.recipients)])
    assert copy[0].sender == SENDER and f'Delivered-To: {address(ann)}'.encode() in copy[0].content
    world.idle()
    assert len(inbox(ann)) == 1 and 'Delivered-To: ' + address(ann) in inbox(ann)[0]


def test_a_list_of_addresses_in_another_file(world):
    bob, carol = world.user(), world.user()
    ann = world.user()
    world.forward(ann, f'# whom it is for\n{bob.pw_name}\n{address(carol)}, {ann.pw_name}\n', name='list')
    world.forward(ann, f':include:{ann.pw_dir}/list\n')
    send(world.server, address(ann))
    for user in (ann, bob, carol):
        eventually(lambda user=user: len(inbox(user)) == 1)
    world.idle()


def test_two_who_forward_to_each_other(world):
    ann = world.user()
    bob = world.user(ann.pw_name + '\n')
    world.forward(ann, bob.pw_name + '\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.4.6', 'mail forwarding loop')
    world.idle()
    assert inbox(ann) == inbox(bob) == []


def test_unknown_targets_come_back_and_the_others_arrive(world):
    bob = world.user()
    ann = world.user(f'nosuchuser, {bob.pw_name}\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.1.1', 'nosuchuser@malle.test')
    eventually(lambda: inbox(bob))
    world.idle()


def test_a_forward_that_leads_to_too_many(world):
    """A report of the queue takes 1,000: nobody gets it, and the queue lives on."""
    ann = world.user('many0, many1\n')
    pids = world.server.role_pids('queue')
    send(world.server, address(ann))
    notification(world, 'Status: 5.3.5', 'forwarding is too large')
    world.idle()
    assert not any(r.startswith('u0x') for m in world.remote.messages for r in m.recipients) and world.server.role_pids('queue') == pids


def test_what_does_not_fit_a_report_is_for_the_next(world):
    """Two of 600 each, in one job: nobody is left out, and nobody gets it twice."""
    ann = world.user('many0\n')
    send(world.server, address(ann, '+a'), address(ann, '+b'))
    world.idle()
    told = collections.Counter(re.findall(r' to=<(u0x\d+)@far\.example>, orig_to=<[^>]+>, relay=none', world.server.log()))
    assert all(told[f'u0x{i}'] == 2 for i in range(600))


def test_a_file_for_a_tag(world):
    bob = world.user()
    ann = world.user(f'{bob.pw_name}\n', name='.forward+list')
    send(world.server, address(ann, '+list'), address(ann, '+other'), f'"{ann.pw_name}+../list"@malle.test')
    eventually(lambda: len(inbox(bob)) == 1 and len(inbox(ann)) == 2)
    world.idle()


@pytest.mark.parametrize('fault', ['world writable', 'foreign', 'link', 'empty'])
def test_what_does_not_count_is_passed_over(world, fault):
    bob, ann = world.user(), world.user()
    world.forward(ann, '' if fault == 'empty' else bob.pw_name + '\n', mode=0o666 if fault == 'world writable' else 0o600)
    path = pathlib.Path(ann.pw_dir, '.forward')
    if fault == 'foreign':
        os.chown(path, bob.pw_uid, bob.pw_gid)
    if fault == 'link':
        path.rename(path.with_name('real'))
        path.symlink_to('real')
    send(world.server, address(ann))
    eventually(lambda: inbox(ann))
    world.idle()
    assert inbox(bob) == []


def test_what_cannot_be_read_waits(world):
    ann = world.user('"no end\n')
    send(world.server, address(ann))
    world.server.wait_log('a quote has no end')
    assert inbox(ann) == []
    world.forward(ann, ann.pw_name)
    eventually(lambda: len(inbox(ann)) == 1)
    world.idle()


# --- commands of users ---

def test_a_command_and_what_it_is_told(world):
    out = world.path()
    ann = world.user()
    ann_groups = f'uid={ann.pw_uid}({ann.pw_name})'
    world.forward(ann, f'"|cat >>{out}; (id; pwd; env; ls /proc/self/fd) >>{out}.told"\n')
    odd = address(ann, '+a`b$c')
    send(world.server, odd, content=b'Subject: x\r\n\r\nFrom here\r\n')
    text = world.text(out, 'From here\n')
    lines = text.split('\n')
    assert lines[0].startswith(f'From {SENDER}  ') and lines[1] == f'Return-Path: <{SENDER}>'
    assert lines[2] == f'X-Original-To: {odd}' and lines[3] == f'Delivered-To: {odd}' and text.endswith('\n\nFrom here\n')
    told = world.text(pathlib.Path(f'{out}.told'), 'CLIENT_PROTOCOL', '\n0\n').split('\n')
    assert told[0].startswith(ann_groups) and '(root)' not in told[0] and told[1] == ann.pw_dir
    expected = {f'HOME={ann.pw_dir}', f'USER={ann.pw_name}', f'LOGNAME={ann.pw_name}', f'SENDER={SENDER}', 'EXTENSION=a_b_c',
                f'RECIPIENT={ann.pw_name}+a_b_c@malle.test', f'LOCAL={ann.pw_name}+a_b_c', 'DOMAIN=malle.test', 'SHELL=/bin/false',
                'CLIENT_ADDRESS=127.0.0.1', 'CLIENT_PROTOCOL=ESMTP'}
    assert expected <= set(told), expected - set(told)
    names = {line.split('=')[0] for line in told if '=' in line}
    assert not names & {'MALLE_SECCOMP_KILL', 'ASAN_OPTIONS', 'UBSAN_OPTIONS'}
    assert sorted(told[told.index('0'):-1]) == ['0', '1', '2', '3']  # 3 is what ls reads
    world.idle()


def test_a_command_that_is_tried_again(world):
    out = world.path()
    ann = world.user(f'"|cat >>{out}; test -e {out}.second || {{ touch {out}.second; exit 75; }}"\n')
    send(world.server, address(ann))
    eventually(lambda: out.exists() and out.read_text().count('Subject: hello') == 2)
    world.idle()
    world.server.wait_log('temporary failure')


@pytest.mark.parametrize('status,enhanced,words', [(67, '5.1.1', 'user unknown'), (1, '5.3.0', 'died with status 1'),
                                                   (77, '5.7.0', 'permission denied')])
def test_a_command_that_refuses(world, status, enhanced, words):
    ann = world.user(f'"|echo so sorry; echo indeed >&2; exit {status}"\n')
    send(world.server, address(ann))
    text = notification(world, f'Status: {enhanced}', address(ann))
    assert f'{words}' in text.replace('\n ', ' ') and 'so sorry indeed' in text.replace('\n ', ' ')
    world.idle()


def test_a_status_in_the_output_counts_more(world):
    ann = world.user('"|echo 5.2.1 gone fishing; exit 75"\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.2.1', 'gone fishing')
    world.idle()


def test_the_time_limit(world):
    out = world.path()
    ann = world.user(f'"|echo $$ >>{out}; test -e {out}.2 && exit; touch {out}.2; sleep 1000 & echo $! >>{out}; sleep 1000"\n')
    send(world.server, address(ann))
    world.server.wait_log('Command time limit exceeded')
    world.idle()
    first, behind = (int(word) for word in out.read_text().split()[:2])
    for pid in (first, behind):  # what it started, too
        eventually(lambda: not pathlib.Path(f'/proc/{pid}').exists())


def test_each_target_has_its_own_fate(world):
    """One fails, one waits, two arrive once."""
    out, bob = world.path(), world.user()
    ann = world.user(f'"|exit 67"\n"|test -e {out}.open || exit 75"\n"|cat >>{out}"\n{bob.pw_name}\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.1.1', address(ann))
    world.text(out, 'Subject: hello')
    eventually(lambda: inbox(bob))
    eventually(lambda: len(queued(world)) == 1)
    pathlib.Path(f'{out}.open').touch()
    world.idle()
    assert out.read_text().count('Subject: hello') == 1 and len(inbox(bob)) == 1


def test_a_target_that_went_away(world):
    """The command that waits is taken out of the .forward: its mail is the user's."""
    ann = world.user('"|exit 75"\n')
    send(world.server, address(ann))
    eventually(lambda: any(v.startswith('forward:') for v in queued(world, 'via')))
    world.forward(ann, '# nothing\n')
    eventually(lambda: len(inbox(ann)) == 1)
    world.idle()


def test_a_large_message(world):
    out = world.path()
    ann = world.user(f'"|cat >>{out}"\n{world.path()}\n')
    line = b'From 12345678901234567890123456789012345678901234567890\r\n'
    send(world.server, address(ann), content=b'Subject: large\r\n\r\n' + line * 60000)
    world.idle()
    assert out.read_text().endswith('\n\n' + line.decode().replace('\r', '') * 60000)
    assert pathlib.Path(world.top, f'out{world.made}').read_text().count('\n>From 1234567890') == 60000


def test_a_command_that_does_not_read(world):
    ann = world.user('"|exit 0"\n')
    send(world.server, address(ann), content=b'Subject: large\r\n\r\n' + b'x' * 70 * 1000 + b'\r\n')
    world.idle()


# --- files ---

def test_an_mbox(world):
    out = world.path()
    ann = world.user(f'{out}\n')
    for _ in range(2):
        send(world.server, address(ann), content=b'Subject: x\r\n\r\nFrom here\r\n.\r\n')
        world.idle()
    text = out.read_text()
    assert text.count(f'From {SENDER}  ') == 2 and text.count('\n\n>From here\n') == 2 and text.endswith('\n\n')
    status = out.stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (ann.pw_uid, 0o600)
    assert not pathlib.Path(f'{out}.lock').exists()


def test_a_maildir(world):
    ann = world.user()
    world.forward(ann, f'{ann.pw_dir}/Lists/\n')
    send(world.server, address(ann))
    [path] = eventually(lambda: list(pathlib.Path(ann.pw_dir, 'Lists').glob('new/*')))
    assert path.stat().st_uid == ann.pw_uid and f'Delivered-To: {address(ann)}\n' in path.read_text()
    world.idle()


def test_a_file_that_is_no_place_for_mail(world):
    victim = world.path()
    victim.write_text('')
    victim.chmod(0o666)
    ann = world.user()
    link = pathlib.Path(ann.pw_dir, 'link')
    link.symlink_to(victim)
    world.forward(ann, f'{link}\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.2.0', 'not a regular file')
    program = world.path()
    program.write_text('')
    program.chmod(0o777)
    world.forward(ann, f'{program}\n')
    send(world.server, address(ann))
    notification(world, 'Status: 5.2.0', 'executable')
    world.idle()
    assert victim.read_text() == program.read_text() == ''


def test_a_full_disk_leaves_nothing_behind(world):
    """A file system of 64 KB: what does not fit is taken back, and arrives when there is room."""
    mount = world.path()
    mount.mkdir()
    if os.system(f'mount -t tmpfs -o size=64k,mode=1777 none {shlex.quote(str(mount))} 2>/dev/null') != 0:
        pytest.skip('cannot mount')
    try:
        ann = world.user(f'{mount}/box\n')
        send(world.server, address(ann))
        world.text(mount / 'box', 'Subject: hello')
        before = (mount / 'box').stat().st_size
        send(world.server, address(ann), content=b'Subject: large\r\n\r\n' + b'0123456789\r\n' * 9000)
        world.server.wait_log('there is no room for the file')
        eventually(lambda: (mount / 'box').stat().st_size == before)
        os.system(f'mount -o remount,size=1m {shlex.quote(str(mount))}')
        world.text(mount / 'box', 'Subject: large')
        world.idle()
        assert (mount / 'box').read_text().count('Subject: large') == 1
    finally:
        os.system(f'umount -l {shlex.quote(str(mount))}')


# --- aliases ---

def test_an_alias_runs_as_nobody(world):
    send(world.server, 'tonobody@malle.test')
    text = world.text(world.top / 'nobody', 'Subject: hello', 'uid=')
    assert 'uid=65534(nobody)' in text and 'Delivered-To: tonobody@malle.test' in text
    assert 'RECIPIENT=tonobody@malle.test' in world.text(world.top / 'nobody.env', 'CLIENT_PROTOCOL')
    world.idle()


def test_an_alias_to_a_file_and_to_nowhere(world):
    send(world.server, 'tofile@malle.test', 'boxless@malle.test')
    world.text(world.top / 'boxes/file', 'Subject: hello')
    world.idle()
    assert (world.top / 'boxes/file').stat().st_uid == 65534


def test_an_alias_of_a_command_and_a_mailbox(world):
    before = len(world.server.messages(SENDER))
    send(world.server, 'pair@malle.test', sender='other@malle.test')
    world.text(world.top / 'pair', 'Subject: hello')
    world.idle()
    assert len(world.server.messages(SENDER)) == before + 1


# --- transports ---

def test_a_transport(world):
    send(world.server, 'Joe+Tag@Program.Example', 'ann@program.example')
    world.text(world.top / 'pipe.args', 'joe+tag', 'ann')
    world.idle()
    assert sorted((world.top / 'pipe.args').read_text().split('\n')) == [
        '', f'{SENDER} ann  program.example here ann@program.example',  # an empty word
        f'{SENDER} joe tag program.example here joe+tag@program.example']
    text = (world.top / 'pipe').read_text()
    assert text.count(f'Return-Path: <{SENDER}>\n') == 2 and 'Delivered-To: ann@program.example\n' in text
    assert 'From ' + SENDER not in text


def test_a_transport_with_time(world):
    """Longer than command_time_limit, in its section."""
    send(world.server, 'a@patient.example')
    world.text(world.top / 'patient', 'Subject: hello')
    world.idle()


def test_who_submitted_it(world):
    """${sasl_username} and ${envid}; of what malle does not know there is nothing."""
    with smtplib.SMTP_SSL('127.0.0.1', world.server.port('submissions'), context=world.server.tls_context()) as client:
        client.login(SENDER, 'secret')
        client.sendmail(SENDER, ['a@who.example'], 'Subject: x\r\n\r\nx\r\n', mail_options=['ENVID=QQ314'])
    send(world.server, 'b@who.example')
    world.text(world.top / 'who', 'e= ')
    world.idle()
    assert sorted((world.top / 'who').read_text().splitlines()) == ['u= e= p= x=', f'u={SENDER} e=QQ314 p= x=']


def test_a_transport_for_several_at_once(world):
    send(world.server, 'a@plain.example', 'b@plain.example', 'c@plain.example')
    world.idle()
    [line] = (world.top / 'plain').read_text().splitlines()
    count, _, words = line.partition(':')
    assert count == '4' and sorted(words.split()[:3]) == ['a@plain.example', 'b@plain.example', 'c@plain.example'] and words.endswith(' all')


def test_a_transport_that_refuses(world):
    send(world.server, 'a@sorry.example')
    notification(world, 'Status: 5.7.9', 'you are not wanted; here')
    world.idle()


def test_a_transport_that_refuses_for_now(world):
    """pipe_delivery_status_filter takes it for a refusal."""
    send(world.server, 'a@soft.example')
    notification(world, 'Status: 5.7.8', 'not yet')
    world.server.wait_log('dsn=5.7.8, status=bounced (')
    world.idle()


def test_who_asks_hears_of_a_program_as_of_a_relay(world):
    with Smtp(world.server) as client:
        client.hello()
        client.command(f'MAIL FROM:<{SENDER}>')
        assert client.command('RCPT TO:<d@plain.example> NOTIFY=SUCCESS').startswith('250')
        assert client.data(b'Subject: x\r\n\r\nx\r\n')[0].startswith('250')
    notification(world, 'Action: relayed', 'd@plain.example')
    world.idle()


def test_an_address_is_no_option(world):
    before = (world.top / 'pipe.args').read_text()
    send(world.server, '-x@program.example')
    notification(world, 'Status: 5.1.3', 'begins with -')
    world.idle()
    assert (world.top / 'pipe.args').read_text() == before


def test_nothing_runs_as_root_or_a_role(world):
    domains = ('root', 'role', 'group')
    for domain in domains:
        send(world.server, f'a@{domain}.example')
    for domain in domains:
        assert 'status=deferred' in world.server.wait_log(f'to=<a@{domain}.example>, relay=pipe')
    assert world.server.log().count('nothing is run as') >= len(domains) and not (world.top / 'ran').exists()
    for ident in queued(world, '(SELECT id FROM message WHERE message.n=rcpt.message)'):
        world.server.malle('queue', 'delete', ident)
    world.idle()


# --- faults ---

def test_the_role_dies_while_a_command_runs(world):
    """Nothing is lost, the command that ran ends with it, and another one does the work."""
    out = world.path()
    ann = world.user(f'"|cat >/dev/null; echo $$$$ >>{out}; test -e {out}.2 || {{ touch {out}.2; sleep 1000; }}"\n'.replace('$$$$', '$$'))
    send(world.server, address(ann))
    first = int(world.text(out, '\n'))
    before = world.server.kill_role('command')
    eventually(lambda: not pathlib.Path(f'/proc/{first}').exists())
    world.server.wait_role('command', before)
    world.idle()
    assert len(out.read_text().split()) == 2


def test_what_is_not_there_is_not_run(world):
    """A queue that was taken over names what it likes: nothing runs but what is configured, and nobody becomes root."""
    ann = world.user('"|exit 75"\n')
    tries = [f'forward:0:0:0123456789abcdef:root:', f'mailbox:0:root:', f'user:0:root:', f'user:{ann.pw_uid + 1}:{ann.pw_name}:',
             f'forward:{ann.pw_uid + 1}:0:0123456789abcdef:{ann.pw_name}:', 'alias:7:0123456789abcdef:tonobody',
             'alias:0:0123456789abcdef::include:/etc/passwd', 'alias:0:0123456789abcdef:nosuch', 'forward:1:x', '/bin/sh']
    send(world.server, address(ann))
    eventually(lambda: any(v.startswith('forward:') for v in queued(world, 'via')))
    world.server.stop()
    with contextlib.closing(sqlite3.connect(world.server.dir / 'state/spool/queue.db')) as db, db:
        for i, via in enumerate(tries):
            db.execute("INSERT INTO rcpt(n,message,lane,due,address,orig,orcpt,notify,local,via) SELECT n+1000000+?,message,lane,0,?,'','',"
                       "notify,1,? FROM rcpt WHERE n<1000000 LIMIT 1", (i, f't{i}@malle.test', via))
        db.execute('UPDATE lane SET due=0')
        db.execute('UPDATE site SET due=0')
    world.server.start()
    for i, via in enumerate(tries):
        line = world.server.wait_log(f'to=<t{i}@malle.test>, relay=')
        assert 'status=deferred' in line, via
    assert 'malformed or not permitted' not in world.server.log()
    [ident] = {i for i in queued(world, '(SELECT id FROM message WHERE message.n=rcpt.message)')}
    world.server.malle('queue', 'delete', ident)
    world.idle()


@pytest.mark.parametrize('places,refused', [('alias', 'forward'), ('forward', 'alias')])
def test_where_programs_are_not_allowed(places, refused):
    with system_users_for_a_while() as users:
        aliases = users.top / 'aliases'
        aliases.write_text(f'prog: "|touch {users.top}/ran"\n')
        conf = {**QUICK, 'system_users': 'yes', 'pam_service': users.service, 'alias_maps': f'aliases:{aliases}',
                'allow_mail_to_commands': places, 'allow_mail_to_files': places}
        ann = users.add()
        World.forward(ann, f'"|touch {users.top}/ran"\n')
        with Server(conf=conf, users={SENDER: 'secret'}) as server:
            with Smtp(server) as client:
                client.hello()
                assert ('550 5.3.3' in client.envelope('prog@malle.test', sender=SENDER)) == (refused == 'alias')
            if refused == 'forward':
                send(server, address(ann))
                eventually(lambda: any('Status: 5.7.1' in m.read_text() for m in server.messages(SENDER)))
        assert not (users.top / 'ran').exists()


def test_mailbox_command():
    """It gets what would go to the Maildir, also behind a .forward that names the user."""
    with system_users_for_a_while() as users:
        users.top.chmod(0o1777)
        conf = {**QUICK, 'system_users': 'yes', 'pam_service': users.service,
                'mailbox_command': f'cat >>{users.top}/$LOGNAME.box; echo "$EXTENSION" >>{users.top}/$LOGNAME.box'}
        ann, bob = users.add(), users.add()
        World.forward(bob, f'\\{bob.pw_name}\n')
        with Server(conf=conf, users={SENDER: 'secret'}) as server:
            send(server, address(ann, '+box'), address(bob))
            eventually(lambda: queue_is_empty(server))
        for user, tag in ((ann, '+box'), (bob, '')):
            path = users.top / f'{user.pw_name}.box'
            text = path.read_text()
            assert path.stat().st_uid == user.pw_uid and f'Delivered-To: {address(user, tag)}\n' in text
        assert (users.top / f'{ann.pw_name}.box').read_text().endswith('\nbox\n')
        assert inbox(ann) == inbox(bob) == []


def test_mailbox_command_maps(tmp_path):
    """A user's own command comes before the one of all."""
    with system_users_for_a_while() as users:
        users.top.chmod(0o1777)
        ann, bob = users.add(), users.add()
        tmp_path.chmod(0o755)
        (tmp_path / 'commands').write_text(f'{ann.pw_name} cat >{users.top}/$LOGNAME.own\n')
        conf = {**QUICK, 'system_users': 'yes', 'pam_service': users.service, 'forward_path': '', 'mailbox_command_maps': f'texthash:{tmp_path}/commands'}
        for command, expected in (('', 'Maildir/new/*'), (f'cat >{users.top}/$LOGNAME.box', f'../{bob.pw_name}.box')):
            with Server(conf={**conf, 'mailbox_command': command}, users={SENDER: 'secret'}) as server:
                send(server, address(ann), address(bob))
                eventually(lambda server=server: queue_is_empty(server))
            own = users.top / f'{ann.pw_name}.own'
            assert own.stat().st_uid == ann.pw_uid and f'Delivered-To: {address(ann)}\n' in own.read_text()
            own.unlink()
            assert len(list(pathlib.Path(bob.pw_dir).glob(expected))) == 1
        assert inbox(ann) == []


def test_mailbox_transport_maps():
    """Behind .forward, and before mailbox_transport, which other users have; a table that does not answer makes mail wait."""
    with system_users_for_a_while() as users, Remote() as own, Remote() as usual:
        ann, bob, eve = users.add(), users.add(), users.add()
        World.forward(ann, f'\\{ann.pw_name}, copy@elsewhere.example\n')
        conf = {**QUICK, 'system_users': 'yes', 'pam_service': users.service, 'relayhost': usual.site, 'srs_enable': 'no',
                'mailbox_transport_maps': f'inline:{{ {{{ann.pw_name}=smtp:{own.site}}} {{{eve.pw_name}=local:}} }}'}
        with Server(conf=conf, users={SENDER: 'secret'}) as server:
            send(server, address(ann, '+tag'), address(bob), address(eve))
            eventually(lambda: inbox(bob) and inbox(eve) and own.messages and usual.messages)
            assert own.messages[0].recipients == (address(ann, '+tag'),) and usual.messages[0].recipients == ('copy@elsewhere.example',)
            assert inbox(ann) == []
            eventually(lambda: queue_is_empty(server))
            server.write_conf({**conf, 'mailbox_transport': f'smtp:{usual.site}'})
            server.reload()
            eventually(lambda: send(server, address(bob)) and len(usual.messages) > 1, step=0.2)
            assert usual.messages[1].recipients == (address(bob),)
        with Server(conf={**conf, 'mailbox_transport_maps': 'tcp:127.0.0.1:1'}, users={SENDER: 'secret'}) as server:
            send(server, address(bob))
            server.wait_log("the recipient's mailbox cannot be looked up now")


def test_srs_for_what_is_forwarded():
    with system_users_for_a_while() as users, Remote() as remote:
        conf = {**QUICK, 'system_users': 'yes', 'pam_service': users.service, 'srs_domain': 'malle.test', 'relayhost': remote.site}
        ann = users.add()
        World.forward(ann, 'copy@elsewhere.example\n')
        with Server(conf=conf, users={SENDER: 'secret'}) as server:
            send(server, address(ann), sender='joe@far.example')
            [message] = eventually(lambda: remote.messages)
            assert message.sender.startswith('SRS0=') and message.sender.endswith('=far.example=joe@malle.test')
            eventually(lambda: queue_is_empty(server))


def test_without_root():
    """All that runs is the server's own user: a transport of another one waits."""
    with Remote() as remote, Server(users={}, start=False) as server:
        for path in (server.dir, server.dir / 'malle.conf'):
            os.chown(path, 65534, 65534)
        shutil.copy(MALLE, server.dir / 'malle')
        (server.dir / 'transport').write_text('own.example own:\nother.example other:\n')
        server.write_conf({**QUICK, 'mynetworks': '127.0.0.0/8', 'relayhost': remote.site, 'transport_maps': f'texthash:{server.dir}/transport',
                           'pipe_transports': f'own user=nobody argv=/bin/sh -c {{id; cat}} x; other user=daemon argv=/bin/sh -c {{touch {server.dir}/ran}} x',
                           'sendmail_socket': ''})
        shutil.rmtree(server.dir / 'state', ignore_errors=True)
        server.prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'env', f'PATH={os.environ["PATH"]}']
        server.start()
        send(server, 'a@own.example', 'b@other.example')
        server.wait_log('delivered via own service')
        assert 'status=deferred' in server.wait_log('to=<b@other.example>')
        assert not (server.dir / 'ran').exists()
