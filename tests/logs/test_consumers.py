"""What reads the logs of Postfix and Dovecot finds the same in malle's: one scripted load (load.py) is done by Debian's Postfix and
Dovecot and by malle, each with the guide's files, and fail2ban, pflogsumm, logwatch and doveadm look at both logs, which Debian's
rsyslog wrote. Then once more with malle's own settings, for the filter that malle ships.
"""
import collections
import difflib
import json
import os
import re
import signal
import subprocess

import pytest

import load
from harness import MALLE, TOP, eventually
from logworld import ERRORS, LOG, LogWorld, start_malle, start_native, start_real
from world import DOMAIN, USER

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root')

RSYSLOG = 'mail.err /var/log/mail.err\nmail.=warning /var/log/mail.warn\n'  # as Debian had it for long


class Made:
    """The logs of the load, and a World to look at them with."""

    def __init__(self, world, real, malle, native, found):
        self.world, self.found = world, found
        self.real, self.malle, self.native = ('/mnt/logs/' + name for name in ('real', 'malle', 'native'))
        for path, text in ((self.real, real), (self.malle, malle), (self.native, native)):
            world.run('mkdir', '-p', path)
            world.write(path + '/mail.log', text)

    def both(self, *command):
        """What a command prints of each log."""
        return [self.world.run(*[str(word).replace('LOGS', path) for word in command]).stdout for path in (self.real, self.malle)]


def do_all(world, program):
    """The load, to its end; the log."""
    world.work()
    world.run(program, '-f', 'root', USER, input='Subject: y\n\ntexte\n')
    for text, count in (('status=deferred', 2), (': removed', 8), ('status=sent', 10), ('pop3-login: ', 2), ('imap-login: ', 6),
                        (': Disconnected: Logged out ', 2)):
        world.wait_for(text, count)
    return world.log()


def find_logs(world, folder):
    """What doveadm finds where every file is there."""
    world.run(folder + 'postlog', '-p', 'error', 'a test')
    eventually(lambda: world.run('test', '-e', ERRORS, check=False).returncode == 0)
    return world.run(folder + 'doveadm', 'log', 'find').stdout


def lmtp(world):
    """What Dovecot says of LMTP, without numbers and names of sessions."""
    assert world.python(load.deliver, USER, DOMAIN) == [550, 221]
    world.wait_for('Disconnect from local')
    return [re.sub(r'\d+', 'N', re.sub('<[^<>]{10,}>(?=: msgid)', '<SESSION>', line.split(' dovecot: ')[1]))
            for line in world.log().splitlines() if ' dovecot: lmtp(' in line]


def errors(world, folder, kill):
    """What doveadm tells of errors before and after a process is killed."""
    def told():
        return world.run(folder + 'doveadm', 'log', 'errors').stdout
    before = told()
    kill()
    return before, eventually(told)


def role_pid(world, name):
    return next(role['pid'] for role in json.loads(world.run(MALLE, '-c', '/etc', 'status', '--json').stdout)['roles'] if role['role'] == name)


@pytest.fixture(scope='module')
def made():
    with LogWorld(RSYSLOG) as real:
        start_real(real)
        theirs = do_all(real, 'sendmail'), lmtp(real), find_logs(real, ''), errors(
            real, '', lambda: subprocess.run(['pkill', '-KILL', '-P', str(real.dovecot), '-f', 'dovecot/auth'], check=True))
    with LogWorld(RSYSLOG) as world:
        start_malle(world)
        ours = do_all(world, '/mnt/bin/sendmail'), lmtp(world), find_logs(world, '/mnt/bin/'), errors(
            world, '/mnt/bin/', lambda: os.kill(role_pid(world, 'auth'), signal.SIGKILL))
        files = {path: world.read(path) for path in (LOG, ERRORS, '/var/log/mail.warn')}
        world.stop_malle()
        start_native(world)
        native = do_all(world, '/mnt/bin/sendmail')
        world.stop_malle()
        found = dict(zip(('lmtp', 'logs', 'errors'), zip(theirs[1:], ours[1:])), files=files)
        yield Made(world, theirs[0], ours[0], native, found)


# --- fail2ban ---

def hosts(world, log, filter):
    """How often the filter finds each address."""
    return collections.Counter(world.run('fail2ban-regex', '-o', 'ip', f'{log}/mail.log', filter).stdout.split())


def address(client):
    return load.CLIENT.format(client)


@pytest.mark.parametrize('filter, some', [
    ('postfix', {load.RELAY: 3, load.UNKNOWN: 2, load.ERRORS: 1, load.BAD_HELO: 1}),
    ('postfix[mode=normal]', {load.RELAY: 3, load.UNKNOWN: 2}),
    ('postfix[mode=auth]', {load.WRONG_587: 4, load.WRONG_465: 2}),  # postfix-sasl is this one
    ('postfix[mode=extra]', {load.RELAY: 3, load.WRONG_587: 4}),
    ('postfix[mode=ddos]', {load.SILENT: 1, load.LOST: 1}),
    ('postfix[mode=errors]', {load.ERRORS: 1}),
    ('postfix[mode=aggressive]', {load.WRONG_587: 8, load.SILENT: 1}),
    ('dovecot', {load.WRONG_IMAP: 2, load.WRONG_POP3: 1, load.NOBODY_IMAP: 1}),
    ('dovecot[mode=aggressive]', {load.WRONG_IMAP: 2, load.TALKER: 1, load.LOOSE: 1}),
])
def test_fail2ban(made, filter, some):
    real, malle = (hosts(made.world, log, filter) for log in (made.real, made.malle))
    assert malle == real
    assert {client: real[address(client)] for client in some} == some


def test_fail2ban_names_of_users(made):
    real, malle = made.both('fail2ban-regex', '-o', '<ip> <F-USER>', 'LOGS/mail.log', 'dovecot')
    assert malle == real and f'{address(load.WRONG_IMAP)} {USER}' in real and f'{address(load.NOBODY_IMAP)} admin' in real


@pytest.mark.parametrize('mode, filters', [
    ('auth', ['postfix[mode=auth]', 'dovecot']),
    ('normal', ['postfix[mode=extra]', 'dovecot']),
    ('aggressive', ['postfix[mode=aggressive]', 'dovecot[mode=aggressive]']),
])
def test_our_own_filter(made, mode, filters):
    """What malle's filter finds in malle's own log is what fail2ban's own find in theirs."""
    made.world.run('cp', TOP / 'conf/fail2ban/malle.conf', '/etc/fail2ban/filter.d/')
    wanted = sum((hosts(made.world, made.real, filter) for filter in filters), collections.Counter())
    assert hosts(made.world, made.native, f'malle[mode={mode}]') == wanted
    assert not hosts(made.world, made.real, f'malle[mode={mode}]'), 'lines of others'


def test_our_jail(made):
    """fail2ban takes the files that malle ships."""
    made.world.run('cp', TOP / 'conf/fail2ban/malle.conf', '/etc/fail2ban/filter.d/')
    made.world.run('cp', TOP / 'conf/fail2ban/jail.conf', '/etc/fail2ban/jail.d/malle.conf')
    assert "['set', 'malle', 'addlogpath', '/var/log/mail.log'" in made.world.run('fail2ban-client', '-d').stdout


# --- pflogsumm ---

def with_counts_together(text):
    """What was told with several reasons is one line, once the reasons are left out."""
    told, lines = {}, []
    for line in text.split('\n'):
        count = re.fullmatch(r' *(\d+)( +.*authentication failed: )', line)
        if count and count[2] in told:
            told[count[2]][0] += int(count[1])
        elif count:
            told[count[2]] = [int(count[1])]
            lines.append(count[2])
        else:
            lines.append(line)
    return '\n'.join(f'{told[line][0]}{line}' if line in told else line for line in lines)


def summary(text):
    """Without what depends on the form of Received fields and on the clock: bytes, hours and delays."""
    text = re.sub(r'(?m)^ +\d+ +bytes (received|delivered)$', '', text)
    text = re.sub(r'(?m)^( +\d+) +\d+ +(\d+) +[\d.]+ s +[\d.]+ s +(\S+)$', r'\1 \2 \3', text)
    text = re.sub(r'(?m)^( +\d+) +\d+ +(\S*\.\S*)$', r'\1 \2', text)
    text = re.sub(r'(?m)^ +\d{4}-\d{4} (( +\d+){5}) *$', lambda m: ' '.join(m[1].split()) if re.search('[1-9]', m[1]) else '', text)
    text = re.sub(r'(authentication failed: ).*', r'\1', text)
    text = with_counts_together(text)
    sections = re.split(r'(?m)^(.*)\n-+$', text)
    return {title.strip(): sorted(re.sub(r'^ +\d+ +', '', line) if 'message size' in title else ' '.join(line.split())
                                  for line in body.splitlines() if line.strip())
            for title, body in zip(sections[1::2], sections[2::2])}


def test_pflogsumm(made):
    real, malle = map(summary, made.both('pflogsumm', 'LOGS/mail.log'))
    assert malle == real
    for line in ('9 received', '10 delivered', '2 deferred (2 deferrals)', '1 bounced', '8 rejected (44%)', '3 senders', '4 recipients'):
        assert line in real['Grand Totals'], real


# --- logwatch ---

def report(text):
    """Without bytes, times, versions, and the words in which a refused password is told, by which users are sorted."""
    text = re.sub(r'(?s)=== Delivery Delays Percentiles.*?\n ?=+\n', '', text)
    text = re.sub(r'(?m)^.*(Processing Initiated|Bytes (accepted|sent|delivered)).*$', '', text)
    text = re.sub(r'(PLAIN|LOGIN): .*(, sasl_username)', r'\1\2', text)
    text = re.sub(r' key-exchange .*', '', text)
    counts, lines = collections.Counter(), []
    for line in text.splitlines():
        done = re.fullmatch(r'\s*(\d+) (.*) in \d+ secs\)\s*', line)
        if done:
            counts[done[2]] += int(done[1])
        elif line.strip():
            lines.append(' '.join(line.split()))
    return counts, lines


def test_logwatch(made):
    """All of its services of the two, in full detail."""
    command = ['logwatch', '--service', 'postfix', '--service', 'dovecot', '--range', 'all', '--detail', '10', '--logdir', 'LOGS',
               '--archives', 'no', '--output', 'stdout', '--numeric']
    (totals, real), (our_totals, malle) = map(report, made.both(*command))
    assert our_totals == totals
    difference = list(difflib.unified_diff(sorted(real), sorted(malle), n=0))
    assert difference == [], '\n'.join(difference)
    text = '\n'.join(real)
    assert 'Unmatched' not in text and 'Dovecot IMAP and POP3 Successful Logins: 2' in text and '6 SASL authenticated messages' in text
    assert totals['Aborted login by logging out (auth failed, 1 attempts'] == 4


# --- Dovecot's LMTP ---

def test_lmtp(made):
    real, malle = made.found['lmtp']
    assert malle == real and len(real) == 3 and real[1].endswith(': msgid=<nine@ailleurs.example>: saved mail to INBOX'), real


# --- malle's own ---

@pytest.mark.parametrize('whose', ['malle', 'native'])
def test_trace(made, whose):
    """Lines of both kinds tell the story of a message, and of the one that tells its sender of a failure."""
    log = f'{getattr(made, whose)}/mail.log'

    def events(wanted):
        return [event for event in json.loads(made.world.run(MALLE, '-c', '/etc', 'trace', wanted, '--log', log, '--json').stdout)
                if event['event'] != 'saved']
    kinds = [event['event'] for event in events('one@ailleurs.example')]
    assert kinds == ['client', 'message-id', 'received', 'delivery', 'removed']
    story = events('five@ailleurs.example')
    note = next(event for event in story if event['event'] == 'notification')['notification']
    assert {event['status'] for event in story if event['event'] == 'delivery' and event['id'] != note} == {'bounced'}
    assert {event['status'] for event in story if event['event'] == 'delivery' and event['id'] == note} == {'sent'}


# --- doveadm, rsyslog ---

def test_doveadm_log_find(made):
    real, malle = (text.splitlines() for text in made.found['logs'])
    assert sorted(malle) == sorted(real) and malle[0] == real[0]  # the real one has files in the order of the folder
    assert 'Info: /var/log/mail.log' in real and f'Error: {ERRORS}' in real


def test_doveadm_log_errors(made):
    """Nothing of a good day; and that a process was killed, in the shape of the log's own lines."""
    (before, after), (our_before, our_after) = made.found['errors']
    assert before == our_before == ''
    for text, level in ((after, 'Fatal'), (our_after, 'Error')):
        shape = re.compile(rf'[A-Z][a-z]{{2}} \d\d \d\d:\d\d:\d\d {level}: (auth(-worker)?: )?master: .* killed .*signal 9.*')
        assert all(shape.fullmatch(line) for line in text.splitlines()), text


def test_severities(made):
    """rsyslog puts what is called an error into mail.err, warnings into mail.warn, and all into mail.log."""
    log, errors, warnings = (made.found['files'][path] for path in (LOG, ERRORS, '/var/log/mail.warn'))
    assert re.search(r' dovecot: doveadm: Error: This is Dovecot\'s error log', errors) and 'Warning: ' not in errors
    assert 'postfix/submission/smtpd' in warnings
    assert all(re.search(r'\]: warning: |dovecot: [^:]+: Warning: ', line) for line in warnings.splitlines()), warnings
    assert set(errors.splitlines()) < set(log.splitlines()) and set(warnings.splitlines()) < set(log.splitlines())
