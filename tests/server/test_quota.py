"""Quotas of a running server: at RCPT and behind DATA, over IMAP, in the queue, and what an administrator sees."""
import imaplib
import json
import os
import pathlib
import pwd
import smtplib
import tempfile

import pytest

from harness import DOMAIN, Server, eventually

ANN, BOB, CAT = f'ann@{DOMAIN}', f'bob@{DOMAIN}', f'cat@{DOMAIN}'
REFUSED = f'5.2.2 <{ANN}>: Recipient address rejected: Quota exceeded (mailbox for user is full)'
MAIL = b'Subject: x\r\n\r\n' + b'y' * 60 + b'\r\n'


@pytest.fixture
def server():
    with Server(users={ANN: 'ann', BOB: 'bob'}, conf={'quota_rule': '*:storage=100:messages=1000, Junk:ignore'}) as s:
        yield s


def send(server, to, mail=MAIL):
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), 'client.example', timeout=30) as client:
        try:
            return client.sendmail('a@client.example', [to], mail) or (250, b'')
        except smtplib.SMTPRecipientsRefused as e:
            return e.recipients[to]
        except smtplib.SMTPDataError as e:
            return e.smtp_code, e.smtp_error


def imap(server, user):
    client = imaplib.IMAP4_SSL('127.0.0.1', server.port('imaps'), ssl_context=server.tls_context(), timeout=30)
    client.login(user, user.partition('@')[0])
    return client


def info(server, user):
    return json.loads(server.malle('user', 'info', user, '--json').stdout)


def sizes(server, user):
    files = [p for where in ('new', 'cur') for p in server.maildir(user).glob(f'{where}/*')]
    return sum(p.stat().st_size for p in files), len(files)


def empty(client):
    client.select()
    client.store('1:*', '+FLAGS', r'(\Deleted)')
    client.expunge()
    client.close()


def test_limits_of_settings_domain_and_account(server):
    assert info(server, ANN)['limit_bytes'] == 100 << 10
    server.malle('domain', 'quota', DOMAIN, '--quota', '1M')
    assert json.loads(server.malle('domain', 'quota', DOMAIN, '--json').stdout) == {
        'domain': DOMAIN, 'quota_bytes': 1 << 20, 'quota_messages': 0}
    assert (info(server, ANN)['limit_bytes'], info(server, ANN)['limit_messages']) == (1 << 20, 1000)
    server.malle('user', 'quota', ANN, '--messages', '1')
    assert (info(server, ANN)['limit_bytes'], info(server, ANN)['limit_messages']) == (1 << 20, 1)
    assert (info(server, BOB)['limit_bytes'], info(server, BOB)['limit_messages']) == (1 << 20, 1000)
    assert send(server, ANN)[0] == 250
    assert send(server, ANN) == (552, REFUSED.encode())
    assert send(server, BOB)[0] == 250
    used = info(server, ANN)
    assert (used['used_bytes'], used['used_messages']) == sizes(server, ANN) and used['used_messages'] == 1
    assert f'mail: {used["used_bytes"]} of 1048576 bytes, 1 of 1 messages\n' in server.malle('user', 'info', ANN).stdout
    server.malle('user', 'quota', ANN, '--messages', 'unlimited')
    assert server.malle('user', 'quota', ANN, '--messages', 'many', check=False).returncode == 2
    eventually(lambda: send(server, ANN)[0] == 250, 15)  # within ten seconds
    server.malle('domain', 'quota', DOMAIN, '--quota', 'default')
    assert info(server, BOB)['limit_bytes'] == 100 << 10


def test_warned_once_and_then_refused(server):
    line, subjects = b'z' * 70 + b'\r\n', []
    for lines in (387, 387, 387, 200, 150):  # 27, 54, 81, 95, 106 %
        assert send(server, ANN, b'Subject: big\r\n\r\n' + line * lines)[0] == 250
        subjects.append(sorted(line for m in server.messages(ANN) for line in m.read_bytes().split(b'\n')
                               if line.startswith(b'Subject: Your mailbox')))
    assert [len(s) for s in subjects] == [0, 0, 1, 2, 2]
    assert subjects[4] == [b'Subject: Your mailbox is 81% full', b'Subject: Your mailbox is 95% full']
    assert server.log().count(f'{ANN}: the mailbox is ') == 2
    assert send(server, ANN)[0] == 552
    assert info(server, ANN)['used_messages'] == 7
    client = imap(server, ANN)
    assert client.getquotaroot('INBOX')[1][1][0].decode() == f'"User quota" (STORAGE {-(-info(server, ANN)["used_bytes"] // 1024)} 100 MESSAGE 7 1000)'
    status, answer = client.append('INBOX', '', None, MAIL)
    assert status == 'NO' and b'OVERQUOTA' in answer[0]
    assert client.append('Junk', '', None, b'Subject: big\r\n\r\n' + line * 400)[0] == 'OK'  # does not count
    empty(client)
    assert info(server, ANN)['used_bytes'] == 0
    assert send(server, ANN)[0] == 250


@pytest.fixture
def program():
    """The user of a script that writes down who runs it and with what, the folder where it does, and the settings for it."""
    with tempfile.TemporaryDirectory(prefix='malle-warned-') as name:
        yield script_in(pathlib.Path(name))


def script_in(folder):
    folder.chmod(0o755)
    (folder / 'told').mkdir()
    (folder / 'told').chmod(0o777)
    script = folder / 'warn.sh'
    script.write_text('#!/bin/sh\n{ id -un; pwd; echo "$#"; printf "%s\\n" "$@"; cat; ls /proc/self/fd | wc -l; } >"' + f'{folder}/told/$2.tmp"\n'
                      f'mv "{folder}/told/$2.tmp" "{folder}/told/$2"\n')
    script.chmod(0o755)
    user = 'nobody' if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    warnings = 'quota_warning = "storage=95% quota-warning high %u %n %d 100%%", "storage=50% quota-warning half %u", storage=20%\n'
    return user, folder / 'told', warnings + f'quota_warning_programs = quota-warning user={user} argv={script} fixed\n'


def test_a_command_warns_instead(program):
    """By a delivery and by a session; a threshold without one has its message. An option that names no program leaves the message, too."""
    user, told, options = program
    line = b'z' * 70 + b'\r\n'
    with Server(users={ANN: 'ann', BOB: 'bob'}, conf={'quota_rule': '*:storage=100', 'postmaster_address': 'help@malle.test'}) as server:
        server.stop()
        with open(server.dir / 'malle.conf', 'a') as f:
            f.write(options)
        server.start()
        assert send(server, ANN, b'Subject: a\r\n\r\n' + line * 387)[0] == 250  # 27 %
        assert [b'From: Mail system <help@malle.test>' in m.read_bytes() for m in server.messages(ANN)].count(True) == 1
        assert send(server, ANN, b'Subject: a\r\n\r\n' + line * 387)[0] == 250  # 55 %
        eventually(lambda: (told / 'half').exists())
        said = (told / 'half').read_text().split('\n')
        assert said[:6] == [user, '/', '3', 'fixed', 'half', ANN] and int(said[6]) <= 4  # the three, and the folder that ls reads
        server.wait_log(f'{ANN}: quota warning: quota-warning runs')
        assert imap(server, ANN).append('INBOX', '', None, b'Subject: b\r\n\r\n' + line * 620)[0] == 'OK'  # 98 %
        eventually(lambda: (told / 'high').exists())
        assert (told / 'high').read_text().split('\n')[2:8] == ['6', 'fixed', 'high', ANN, 'ann', DOMAIN] and '100%' in (told / 'high').read_text()
        assert len(server.messages(ANN)) == 4  # three, and the one warning
        (told / 'half').unlink()
        script = told.parent / 'warn.sh'
        script.unlink()
        assert send(server, BOB, b'Subject: a\r\n\r\n' + line * 750)[0] == 250
        server.wait_log(f'{BOB}: the command of its quota\'s warning: {script}: No such file or directory')
        assert not (told / 'half').exists()


def test_a_command_without_program(program):
    options = program[2].replace('quota_warning_programs = quota-warning', 'quota_warning_programs = other')
    with Server(users={ANN: 'ann'}, conf={'quota_rule': '*:storage=100'}) as server:
        server.stop()
        with open(server.dir / 'malle.conf', 'a') as f:
            f.write(options)
        server.start()
        assert send(server, ANN, b'Subject: a\r\n\r\n' + (b'z' * 70 + b'\r\n') * 750)[0] == 250
        server.wait_log('quota_warning_programs has no "quota-warning"')


def test_announced_size(server):
    large = b'Subject: large\r\n\r\n' + (b'z' * 70 + b'\r\n') * 1600  # 115 kB, and smtplib says so
    assert send(server, ANN, large) == (552, REFUSED.encode())
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), 'client.example', timeout=30) as client:
        client.helo('client.example')  # without the announcement it is refused behind DATA
        with pytest.raises(smtplib.SMTPDataError, match='552, .*5.2.2 Quota exceeded'):
            client.sendmail('a@client.example', [ANN], large)


def test_full_for_now(server):
    server.stop()
    server.write_conf({'quota_rule': '*:messages=1', 'quota_full_tempfail': 'yes', 'minimal_backoff_time': '1s', 'maximal_backoff_time': '1s'})
    server.start()
    server.malle('alias', 'add', f'both@{DOMAIN}', ANN)
    server.malle('alias', 'add', f'both@{DOMAIN}', BOB)
    assert send(server, ANN)[0] == 250
    assert send(server, ANN) == (452, f'4.2.2 <{ANN}>: Recipient address rejected: Quota exceeded (mailbox for user is full)'.encode())
    assert send(server, f'both@{DOMAIN}')[0] == 250  # one of them has room: the other's waits
    eventually(lambda: 'status=deferred' in server.log() and 'Quota exceeded' in server.log(), 15)
    assert len(server.messages(ANN)) == 1 and len(server.messages(BOB)) == 1
    empty(imap(server, ANN))
    eventually(lambda: len(server.messages(ANN)) == 1, 20)
    assert server.malle('queue', 'list').stdout.count(ANN) == 0


def test_full_for_good_returns_queued_mail(server):
    server.malle('user', 'quota', ANN, '--messages', '1')
    server.malle('alias', 'add', f'both@{DOMAIN}', ANN)
    server.malle('alias', 'add', f'both@{DOMAIN}', BOB)
    assert send(server, ANN)[0] == 250
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), 'client.example', timeout=30) as client:
        client.sendmail(BOB, [f'both@{DOMAIN}'], MAIL)
    eventually(lambda: len(server.messages(BOB)) == 2, 15)
    returned = max((m.read_bytes() for m in server.messages(BOB)), key=len)
    assert b'5.2.2' in returned and b'Quota exceeded' in returned
    assert len(server.messages(ANN)) == 1


def test_other_programs_change_the_maildir(server):
    """mutt deletes mail and knows nothing of maildirsize: before somebody is refused the files are counted."""
    import os
    import time
    server.malle('user', 'quota', ANN, '--messages', '1')
    assert send(server, ANN)[0] == 250
    server.messages(ANN)[0].unlink()
    assert send(server, ANN)[0] == 552  # changed a moment ago: it is believed
    old = time.time() - 100
    os.utime(server.maildir(ANN) / 'maildirsize', (old, old))
    assert send(server, ANN)[0] == 250


def test_a_killed_delivery_process_leaves_no_debt(server):
    for _ in range(5):
        assert send(server, ANN)[0] == 250
    server.kill_role('deliver')
    eventually(lambda: send(server, ANN)[0] == 250, 15)
    total, count = sizes(server, ANN)
    server.malle('doveadm', 'quota', 'recalc', '-u', ANN)
    used = info(server, ANN)
    assert (used['used_bytes'], used['used_messages']) == (total, count)


def test_quota_off(server):
    server.malle('user', 'quota', ANN, '--messages', '1')
    server.stop()
    server.write_conf({'quota': 'no'})
    server.start()
    assert [send(server, ANN)[0] for _ in range(3)] == [250] * 3
    assert imap(server, ANN).getquotaroot('INBOX')[1][0] == [b'INBOX']


def test_user_empty_forgets_the_count(server):
    assert send(server, ANN)[0] == 250
    server.malle('user', 'empty', ANN, '--yes')
    assert info(server, ANN)['used_messages'] == 0


def test_doveadm(server):
    assert send(server, ANN)[0] == 250
    kilobytes = -(-sizes(server, ANN)[0] // 1024)
    table = server.malle('doveadm', '-f', 'tab', 'quota', 'get', '-u', ANN).stdout
    assert table == f'Quota name\tType\tValue\tLimit\t%\nUser quota\tSTORAGE\t{kilobytes}\t100\t{kilobytes * 100 // 100}\nUser quota\tMESSAGE\t1\t1000\t0\n'
    everybody = server.malle('doveadm', '-f', 'tab', 'quota', 'get', '-A').stdout.splitlines()
    assert everybody[0] == 'Username\tQuota name\tType\tValue\tLimit\t%' and len(everybody) == 5
    assert {line.split('\t')[0] for line in everybody[1:]} == {ANN, BOB}
    (server.maildir(ANN) / 'maildirsize').write_text('102400S,1000C\n5 5\n')
    assert info(server, ANN)['used_messages'] == 5
    assert server.malle('doveadm', 'quota', 'recalc', '-A').stdout == ''
    assert info(server, ANN)['used_messages'] == 1
    assert server.malle('doveadm', 'quota', 'get', '-u', CAT, check=False).returncode == 67


# --- what the accounts of a domain have together ---

LINE = b'z' * 70 + b'\r\n'  # 71 bytes in the file
BIG = b'Subject: big\r\n\r\n' + LINE * 600  # 43 kB


def domain(server, *limits):
    return json.loads(server.malle('domain', 'quota', DOMAIN, *limits, '--json').stdout)


def used(server):
    """What the domain has together, once it is no longer changing."""
    def settled():
        now = domain(server)
        files = [p for user in (ANN, BOB) for where in ('new', 'cur') for folder in ('', '.*/') for p in server.maildir(user).glob(f'{folder}{where}/*')]
        return now if [now['used_bytes'], now['used_messages']] == [sum(p.stat().st_size for p in files), len(files)] else None
    return eventually(settled)


@pytest.fixture
def together():
    """Of accounts without limits of their own; there is one message already."""
    with Server(users={ANN: 'ann', BOB: 'bob'}, start=False) as s:
        s.malle('mailbox', 'list', ANN)  # which makes the Maildir
        (s.maildir(ANN) / 'new' / '1.a.b').write_bytes(MAIL)
        os.chown(s.maildir(ANN) / 'new' / '1.a.b', s.maildir(ANN).stat().st_uid, -1)
        assert domain(s, '--total', '100K', '--total-messages', '6') == {
            'domain': DOMAIN, 'quota_bytes': 0, 'quota_messages': 0, 'total_bytes': 100 << 10, 'total_messages': 6,
            'used_bytes': len(MAIL), 'used_messages': 1}
        assert s.malle('domain', 'quota', DOMAIN).stdout == f'bytes: default, messages: default\nall accounts: {len(MAIL)} of 102400 bytes, 1 of 6 messages\n'
        s.start()
        yield s


def test_of_a_domain_together(together):
    server = together
    assert send(server, ANN, BIG)[0] == send(server, BOB, BIG)[0] == 250
    assert used(server)['used_messages'] == 3
    server.wait_log(f'{DOMAIN}: the mail of its accounts passed storage=80%:messages=80%: ')
    assert send(server, BOB, BIG) == (552, REFUSED.replace(ANN, BOB).encode())
    bobs, anns = imap(server, BOB), imap(server, ANN)
    assert b'OVERQUOTA' in bobs.append('INBOX', '', None, BIG)[1][0]
    bobs.select()
    assert b'OVERQUOTA' in bobs.copy('1', 'Sent')[1][0]
    assert bobs.uid('MOVE', '1', 'Sent')[0] == 'OK'
    assert used(server)['used_messages'] == 3
    empty(anns)  # another account's session hears of it
    assert used(server)['used_messages'] == 1
    assert bobs.select('Sent')[0] == 'OK' and bobs.copy('1', 'INBOX')[0] == 'OK'
    server.malle('user', 'empty', BOB, '--yes')
    assert used(server)['used_messages'] == 0


def test_a_domain_together_outlives_its_processes(together):
    server = together
    bobs = imap(server, BOB)
    pids = server.kill_role('auth')
    server.wait_role('auth', pids)
    for n in range(5):
        assert bobs.append('INBOX', '', None, MAIL)[0] == 'OK'
        assert used(server)['used_messages'] == n + 2
    assert b'OVERQUOTA' in bobs.append('INBOX', '', None, MAIL)[1][0]
    eventually(lambda: send(server, ANN)[0] == 552)
    server.restart()
    assert used(server)['used_messages'] == 6
    assert send(server, ANN)[0] == 552
    server.malle('user', 'del', BOB, '--mail', '--yes')
    assert domain(server)['used_messages'] == 1
    eventually(lambda: send(server, ANN)[0] == 250)
    assert used(server)['used_messages'] == 2
    assert domain(server, '--total', 'unlimited') == {**used(server), 'total_bytes': 0}
    assert domain(server, '--total-messages', 'unlimited') == {'domain': DOMAIN, 'quota_bytes': 0, 'quota_messages': 0}
    anns = imap(server, ANN)
    assert [anns.append('INBOX', '', None, MAIL)[0] for _ in range(8)] == ['OK'] * 8
    assert server.malle('domain', 'quota', DOMAIN, '--total', 'much', check=False).returncode == 2


# --- old messages make room ---

def lay(folder, since, size=20 << 10):
    """A message that was received at that second."""
    for sub in ('cur', 'new', 'tmp'):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    path = folder / 'cur' / f'{since}.M1P1.host,S={size}:2,S'
    path.write_bytes(b'Subject: old\n\n' + b'x' * (size - 14))
    os.utime(path, (since, since))
    return path


@pytest.fixture
def crowded():
    """ann has 80 of 100 kB: two in Junk, the second of which is the oldest, and two in Trash."""
    with Server(users={ANN: 'ann'}, conf={'quota_rule': '*:storage=100', 'quota_grace': '0', 'quota_warning': '',
                                          'quota_trash': '"1 Junk", "2 Trash"', 'lmtp_rcpt_check_quota': 'yes'}) as server:
        assert send(server, ANN) == (250, b'')  # makes the Maildir
        root = server.maildir(ANN)
        old = [lay(root / name, since) for name, since in (('.Junk', 300), ('.Junk', 100), ('.Trash', 50), ('.Trash', 400))]
        for path in [*root.rglob('*'), root]:
            os.chown(path, root.stat().st_uid, root.stat().st_gid)
        server.malle('doveadm', 'quota', 'recalc', '-u', ANN)
        yield server, old


def there(old):
    return [path.exists() for path in old]


def test_old_messages_make_room(crowded):
    server, old = crowded
    big = b'Subject: x\r\n\r\n' + b'y' * (30 << 10) + b'\r\n'
    assert send(server, ANN, big) == (250, b'')
    assert there(old) == [True, False, True, True]  # one would do: the oldest of the first mailbox
    assert '1 old messages of Junk made room for ' + ANN in server.wait_log('made room')
    client = imap(server, ANN)
    assert client.append('INBOX', '', None, big)[0] == 'OK'
    assert there(old) == [False, False, False, True]
    assert info(server, ANN)['used_bytes'] <= 100 << 10
    assert client.select('Trash')[1] == [b'1']
    client.logout()


def test_none_goes_in_vain(crowded):
    """What is larger than all of it is refused, and nothing is removed; nor for whoever only asks."""
    server, old = crowded
    huge = b'Subject: x\r\n\r\n' + b'y' * 102000 + b'\r\n'  # would fit alone, but not beside what is in INBOX
    assert send(server, ANN, huge)[0] == 552 and there(old) == [True] * 4
    with smtplib.SMTP('127.0.0.1', server.port('smtp'), 'client.example', timeout=30) as client:
        client.ehlo()
        client.mail('a@client.example', ['SIZE=60000'])
        assert client.rcpt(ANN)[0] == 250
    assert there(old) == [True] * 4


def test_trash_is_looked_at():
    with pytest.raises(AssertionError, match='quota_trash'), Server(conf={'quota_trash': 'Junk'}):
        pass
