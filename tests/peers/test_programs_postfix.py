"""The programs of Postfix beside malle's under the same names: the same mail in both queues, the same commands, the same words.

Ids, times and sizes aside: one queue's Received field is longer than the other's.
"""
import concurrent.futures
import contextlib
import json
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import Server, eventually  # noqa: E402
from local.programs import Programs  # noqa: E402
from peers import TOP, Postfix, running  # noqa: E402
from ports import PORTS, free_offset  # noqa: E402
from relay.remote import Remote  # noqa: E402
from talk import Port, Smtp  # noqa: E402

SENDER, DEAD = 'joe@malle.test', 'ever@dead.example'
MESSAGE = b'From: joe@malle.test\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\nMessage-Id: <one@malle.test>\r\nSubject: one\r\nX-Folded: a\r\n b\r\n\r\nbody\r\n\r\nlast line\r\n'


class Queue(Postfix):
    """One that keeps what it cannot send, and answers for its queue."""
    def changes(self):
        return {'smtp_tls_security_level': 'none', 'enable_long_queue_ids': 'yes', 'minimal_backoff_time': '1h', 'maximal_backoff_time': '1h',
                'relay_domains': 'dead.example', 'default_database_type': 'lmdb', 'meta_directory': self.dir / 'etc'}

    def services(self):
        return 'showq unix n - n - - showq\nflush unix n - n 1000? 0 flush\npickup unix n - n 60 1 pickup\n'

    def command(self):
        command = super().command()
        etc = self.dir / 'etc'
        (etc / 'dynamicmaps.cf').write_text('lmdb\tpostfix-lmdb.so\tdict_lmdb_open\tmkmap_lmdb_open\n')
        self.run('bash', '-c', f'cp -a /etc/postfix/postfix-files* {etc}/')
        return command

    def tell(self, name, *arguments, stdin=''):
        """(status, standard output, standard error) of one of its programs."""
        config = ('-c', self.dir / 'etc')
        done = subprocess.run([TOP / 'tools/peers', 'postfix', name, *map(str, config + arguments)], input=stdin, text=True,
                              capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope='module')
def remote():
    with Remote() as it:
        it.answer('RCPT', '450 4.2.1 busy')
        yield it


@pytest.fixture(scope='module')
def pair(remote):
    """malle's programs and Postfix's, each with a server whose mail goes to a remote that is always busy."""
    offset = free_offset()
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(running(Queue, remote.port))
        conf = {'port_offset': offset, 'relayhost': remote.site, 'mynetworks': '127.0.0.0/8', 'smtp_tls_security_level': 'none',
                'minimal_backoff_time': '1h', 'maximal_backoff_time': '1h'}
        server = stack.enter_context(Server(conf=conf))
        server.offset = offset
        yield Programs(server), peer.tell, {'malle': PORTS['smtp'] + offset, 'postfix': peer.port}


def put(port, *recipients, sender=SENDER):
    """The message's id."""
    with Smtp(Port(port)) as client:
        client.hello()
        assert client.command(f'MAIL FROM:<{sender}>').startswith('250')
        for recipient in recipients:
            assert client.command(f'RCPT TO:<{recipient}>').startswith('250')
        return re.search(r'queued as (\w+)', client.data(MESSAGE)[0])[1]


def queue(tell):
    return [json.loads(line) for line in tell('postqueue', '-j')[1].splitlines()]


def ids(tell):
    return [m['queue_id'] for m in queue(tell)]


def are_deferred(tell, names):
    return sorted((m['queue_id'], m['queue_name']) for m in queue(tell)) == sorted((name, 'deferred') for name in names)


def two_messages(tell, port, names):
    """The ids of the two messages that are alone in the queue: the ones with these names, where they still are as they were."""
    if names and are_deferred(tell, names):
        return names
    tell('postsuper', '-d', 'ALL')
    names = [put(port, DEAD, 'forever@dead.example'), put(port, 'third@dead.example', sender='')]
    eventually(lambda: are_deferred(tell, names), 30, step=0.1)
    return names


MADE = {}


@pytest.fixture
def queues(pair):
    """Both with the same two messages, the first for two recipients; (malle, its ids), (postfix, its ids)."""
    tells, ports = pair[:2], pair[2].values()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        MADE['ids'] = list(pool.map(two_messages, tells, ports, MADE.get('ids', (None, None))))
    return list(zip(tells, MADE['ids']))


def plain(text, names=()):
    """Without what differs: the ids, in their order, become ONE and TWO."""
    for name, word in zip(names, ('ONE', 'TWO')):
        text = re.sub(rf'\b{name}\b', word, text)
    text = re.sub(r'^(ONE|TWO)([*!]?) +\d+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d ', r'\1\2 SIZE TIME ', text, flags=re.M)
    text = re.sub(r'\[127\.0\.0\.1\](:\d+)? said', '[127.0.0.1] said', text).replace(' (in reply to RCPT TO command)', '')
    text = re.sub(r'^ +\(', '(', text, flags=re.M)
    return re.sub(r'^-- \d+ Kbytes', '-- N Kbytes', text, flags=re.M)


def both(queues, *arguments, name, stdin=''):
    """What the two say; %1 and %2 stand for the ids."""
    said = []
    for tell, names in queues:
        def filled(text):
            return str(text).replace('%1', names[0]).replace('%2', names[1])
        status, out, err = tell(name, *map(filled, arguments), stdin=filled(stdin))
        said.append((status, plain(out, names), plain(err, names)))
    return said


def blocks(text):
    """A list of the queue in parts: the order of the queues within it differs."""
    head, _, rest = text.partition('\n')
    return head, sorted(rest.split('\n\n'))


def test_empty(pair):
    for tell in pair[:2]:
        tell('postsuper', '-d', 'ALL')
        assert tell('postqueue', '-p') == (0, 'Mail queue is empty\n', '') and tell('postqueue', '-j') == (0, '', '')


@pytest.mark.parametrize('held', (False, True))
def test_postqueue_p(queues, held):
    if held:
        both(queues, '-h', '%1', name='postsuper')
    ours, theirs = both(queues, '-p', name='postqueue')
    assert (ours[0], ours[2], blocks(ours[1])) == (theirs[0], theirs[2], blocks(theirs[1]))


def test_columns(queues):
    """The same columns, also where the texts in them differ."""
    for tell, names in queues:
        lines = tell('postqueue', '-p')[1].splitlines()
        for name in names:
            line = next(line for line in lines if line.startswith(name))
            assert re.fullmatch(r'.{17} {1,8}\d+ \w{3} \w{3} .{11} \S+', line) and line[26] == ' ' and line[46] == ' '
        assert all(line[:47].isspace() and line[47] != ' ' for line in lines if line.endswith('@dead.example'))
        assert all(len(line) == 78 for line in lines if line.startswith('  ') and '(' in line and len(line) < 79)


def test_mailq(queues):
    (ours, _), (theirs, _) = queues
    listed = ours('mailq')
    assert listed == ours('postqueue', '-p')
    assert listed[1].splitlines()[0] == theirs('postqueue', '-p')[1].splitlines()[0]


def test_postqueue_j(queues):
    both(queues, '-h', '%2', name='postsuper')
    said = []
    for tell, names in queues:
        found = queue(tell)
        assert all(type(m['arrival_time']) is int and m['message_size'] > len(MESSAGE) for m in found)
        for m in found:
            m['queue_id'] = plain(m['queue_id'], names)
            m['arrival_time'] = m['message_size'] = 0
            for r in m['recipients']:
                r['delay_reason'] = plain(r['delay_reason'])
        said.append(sorted(json.dumps(m) for m in found))  # with the keys in their order
        assert tell('postqueue', '-j')[1].startswith('{"queue_name": "')
    assert said[0] == said[1]


@pytest.mark.parametrize('arguments', (
    ['-d', '%1'], ['-d', '%1', '-d', '%2'], ['-d', 'ALL'], ['-d', 'ALL', 'deferred'], ['-d', 'ALL', 'hold'], ['-d', '%1', 'hold'],
    ['-d', '%1', 'deferred'], ['-d', 'NOSUCHIDHERE'], ['-d', 'bad/id'], ['-d', 'ALL', '-d', '%1'],
    ['-h', '%1'], ['-h', 'ALL'], ['-h', 'ALL', 'hold'], ['-H', '%1'], ['-H', 'ALL'], ['-r', 'NOSUCHIDHERE'], []), ids=' '.join)
def test_postsuper(queues, arguments):
    ours, theirs = both(queues, *arguments, name='postsuper')
    assert ours == theirs


def test_postsuper_in_steps(queues):
    for arguments in (['-h', '%1'], ['-h', '%1'], ['-H', '%2'], ['-d', 'ALL', 'hold', 'active'], ['-h', '%2'], ['-H', '%2'],
                      ['-h', 'ALL'], ['-H', 'ALL'], ['-d', '%2']):
        ours, theirs = both(queues, *arguments, name='postsuper')
        assert ours == theirs, arguments
    assert [len(ids(tell)) for tell, _ in queues] == [0, 0]


def test_postsuper_from_standard_input(queues):
    text = '%2\nbad/id\nNOSUCHIDHERE\n%1\n'
    ours, theirs = both(queues, '-d', '-', name='postsuper', stdin=text)
    assert ours == theirs and ours[2].endswith('Deleted: 2 messages\n')


@pytest.mark.parametrize('arguments', (
    ['-i', 'bad/id'], ['-s', 'bad host'], ['-s', '[bad]'], ['-x'], [], ['-p', '-j'], ['-p', 'more'], ['-s', 'dead.example'],
    ['-i', '%1'], ['-f']), ids=' '.join)
def test_postqueue_words(queues, arguments):
    ours, theirs = both(queues, *arguments, name='postqueue')
    # getopt of the C library says one thing more
    assert ours == (theirs[0], theirs[1], re.sub(r'^postqueue: invalid option.*\n', '', theirs[2]))


def test_postcat(queues):
    (ours, our_ids), (theirs, their_ids) = queues
    kinds = []
    for tell, names in queues:
        status, out, err = tell('postcat', '-q', names[0])
        assert (status, err) == (0, '')
        marks = [re.sub(r'deferred/.*\*', 'PLACE', line) for line in out.splitlines() if line.startswith('***')]
        envelope = out.partition('*** MESSAGE CONTENTS')[0]
        records = [line for line in envelope.splitlines() if re.match(r'(sender|recipient|original_recipient): ', line)]
        kinds.append((marks, records, set(re.findall(r'^(\w+): ', envelope, re.M)),
                      out.partition('Subject: one')[2].partition('***')[0]))
    assert kinds[0][0] == kinds[1][0] and kinds[0][1] == kinds[1][1] and kinds[0][3] == kinds[1][3]
    assert kinds[0][2] <= kinds[1][2]  # no record that Postfix does not have
    for options in ('-bq', '-hq', '-bhq'):
        texts = [tell('postcat', options, names[0])[1] for tell, names in queues]
        assert [text.partition('Subject: one')[2] for text in texts][0] == texts[1].partition('Subject: one')[2], options
    assert ours('postcat', '-bq', our_ids[0]) == theirs('postcat', '-bq', their_ids[0])
    assert ours('postcat', '-q', 'NOSUCHIDHERE') == theirs('postcat', '-q', 'NOSUCHIDHERE')


# --- tables and log ---

TABLE = '# comment\nKey value\nsecond   two words  \n   and more\nkey again\nempty\nlast@example.com x\n'
ALIASES = '# comment\nRoot: joe\nlist: joe,ann@example.net,\n    bob\nfile: /var/mail/x\nprog: "|/bin/prog -x"\ninclude: :include:/etc/list\n'


def sorted_lines(result):
    return result[0], sorted(result[1].splitlines()), len(result[2].splitlines())


@pytest.fixture(scope='module')
def tables(pair, tmp_path_factory):
    """The folder of each, with the same texts."""
    folders = []
    for name in ('ours', 'theirs'):
        folder = tmp_path_factory.mktemp(name)
        (folder / 'table').write_text(TABLE)
        (folder / 'aliases').write_text(ALIASES)
        folders.append(folder)
    ours, theirs, _ = pair
    for program, table in (('postmap', 'table'), ('postalias', 'aliases')):
        made = ours(program, f'lmdb:{folders[0]}/{table}'), theirs(program, f'lmdb:{folders[1]}/{table}')
        assert made[0][0] == made[1][0] == 0
        # a warning of one is a warning of the other
        assert len(made[0][2].splitlines()) == len(made[1][2].splitlines()), made
        assert all(re.match(rf'{program}: warning: ', said) for one in made for said in one[2].splitlines())
    return (ours, folders[0]), (theirs, folders[1])


@pytest.mark.parametrize('key', ('key', 'KEY', 'second', 'nosuch', 'last@example.com'))
def test_postmap_q(tables, key):
    ours, theirs = (tell('postmap', '-q', key, f'lmdb:{folder}/table') for tell, folder in tables)
    assert ours == theirs


def test_postmap_s_and_keys_from_input(tables):
    ours, theirs = (tell('postmap', '-s', f'lmdb:{folder}/table') for tell, folder in tables)
    assert sorted_lines(ours) == sorted_lines(theirs)
    ours, theirs = (tell('postmap', '-q', '-', f'lmdb:{folder}/table', stdin='nosuch\nkey\nsecond\n') for tell, folder in tables)
    assert ours == theirs


@pytest.mark.parametrize('name', ('root', 'ROOT', 'list', 'file', 'prog', 'include', 'nosuch'))
def test_postalias_q(tables, name):
    ours, theirs = (tell('postalias', '-q', name, f'lmdb:{folder}/aliases') for tell, folder in tables)
    assert (ours[0], ours[1].replace(' ', ''), ours[2]) == (theirs[0], theirs[1].replace(' ', ''), theirs[2])


def test_postalias_s(tables):
    ours, theirs = (tell('postalias', '-s', f'lmdb:{folder}/aliases') for tell, folder in tables)
    marks = ('@:', 'YP_')  # for sendmail and NIS, which read no lmdb table
    assert sorted(re.sub(' ', '', line) for line in ours[1].splitlines()) == sorted(
        re.sub(' ', '', line) for line in theirs[1].splitlines() if not line.startswith(marks))


def test_postlog(pair, tmp_path):
    ours, theirs, _ = pair
    conf = tmp_path / 'malle.conf'
    conf.write_text((ours.server.dir / 'malle.conf').read_text().replace('log_target = stderr', f'log_target = {tmp_path}/log'))
    said = []

    def log_all(tell, config):
        tell('postlog', *config, '-t', 'a-tag/b', 'plain', 'words')
        for priority in ('info', 'warn', 'WARNING', 'error', 'err', 'fatal', 'crit', 'panic'):
            assert tell('postlog', *config, '-t', 'a-tag/b', '-p', priority, f'of {priority}')[0] == 0
        tell('postlog', *config, '-t', 'a-tag/b', stdin='one\ntwo\n')
        assert tell('postlog', *config, '-p', 'loud', 'x')[0] == 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(log_all, (ours, theirs), (['-c', conf], [])))
    maillog = next(p for p in pathlib.Path('/tmp').glob('malle-peer-postfix-*/log/maillog') if 'a-tag/b' in p.read_text())
    eventually(lambda: ': two' in maillog.read_text(), 20)
    for path in (tmp_path / 'log', maillog):
        said.append(re.findall(r'^\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ a-tag/b\[\d+\]: (.*)$', path.read_text(), re.M))
    assert said[0] == said[1] and len(said[0]) == 11
