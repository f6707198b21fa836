"""main.cf and master.cf as we read them, beside what Postfix's own postconf and master make of the same files."""
import collections
import os
import pathlib
import random
import re
import subprocess
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TRY = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build-asan/malle')).parent / 'tests/postfix_try'
GUIDE = TOP / 'tests/guide/etc/postfix'
IMPOSSIBLE = 3
RANDOM = 300 if os.environ.get('MALLE_TEST_FULL') else 80
SEED = int(os.environ.get('MALLE_TEST_SEED', 20261127))


def written(folder, texts):
    """A folder for each (main.cf, master.cf)."""
    paths = []
    for i, (main, master) in enumerate(texts):
        path = folder / f'{i:04}'
        path.mkdir()
        (path / 'main.cf').write_bytes(main.encode('utf-8', 'surrogateescape'))
        (path / 'master.cf').write_bytes(master.encode('utf-8', 'surrogateescape'))
        paths.append(path)
    return paths


def in_postfix(script, *arguments):
    if os.geteuid() != 0:
        pytest.skip('needs root')
    done = subprocess.run([TOP / 'tools/peers', 'postfix', 'bash', '-c', script, 'bash', *map(str, arguments)],
                          capture_output=True, text=True, errors='replace', timeout=120)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def postconf(paths, options):
    """[(status, standard output, standard error)] of postconf for each folder."""
    # all at once: it sleeps for a second before it dies of an error
    one = f'{{ postconf -c "$path" {options} >"$path/out" 2>"$path/err"; echo $? >"$path/status"; }} &'
    in_postfix(f'for path; do {one} done; wait', *paths)
    return [((path / 'status').read_text().strip() == '0', (path / 'out').read_text(errors='replace'),
             (path / 'err').read_text(errors='replace')) for path in paths]


Ours = collections.namedtuple('Ours', 'params expanded refused services faults')


def ours(paths):
    done = subprocess.run([TRY, *paths], capture_output=True, check=True, timeout=60)
    all_of = []
    for line in done.stdout.decode(errors='replace').split('\n')[:-1]:
        kind, _, rest = line.partition('\t')
        if kind == 'folder':
            all_of.append(Ours([], {}, {}, [], []))
        elif kind == 'param':
            all_of[-1].params.append(rest.split('\t', 3))
        elif kind in ('expanded', 'refused'):
            name, _, value = rest.partition('\t')
            getattr(all_of[-1], kind)[name] = value
        elif kind == 'service':
            all_of[-1].services.append((rest.split('\t'), []))
        elif kind == 'fault':
            file, number, why, text = rest.split('\t', 3)
            all_of[-1].faults.append((file, int(number), why, text))
        else:
            all_of[-1].services[-1][1].append((kind, *rest.split('\t', 1)))
    assert len(all_of) == len(paths)
    return all_of


def squeezed(text):
    """postconf prints one space for any white space."""
    return ' '.join(text.split())


def lines_of(text):
    return text.split('\n')[:-1]


@pytest.fixture
def rng():
    print(f'MALLE_TEST_SEED={SEED}')
    return random.Random(SEED)


# --- main.cf ---

KNOWN = ['relayhost', 'myorigin', 'mydestination', 'smtpd_banner', 'relay_domains', 'mynetworks', 'alias_maps']

MAIN = [
    'relayhost = a\nrelayhost = b\n', 'relayhost = a\nrelayhost = b\nrelayhost=c\n', 'relayhost=a\nrelayhost=\n',
    '  relayhost = a\n  b\nmyorigin=x\n', '# c\n\n  relayhost = a\nmyorigin=x\n', 'relayhost\nmyorigin=x\n',
    'myorigin=x\n\n= x\n', 'relay host = x\n', 'relayhost = a\n b\n\n#c\n # d\n\tc\n', 'relayhost=a\n\n  \nmyorigin=x\n',
    'relayhost=\n   a\n', 'relayhost\n = a\n', 'relayhost=a  \t\r\n  b\r\nmyorigin=x\r\n', 'relayhost=a\n#', 'relayhost=a\\\n b',
    'myorigin=a  b\tc\n', 'relayhost=a # b\n', 'relayhost==a=b\n', 'relayhost=a\x0b\n', '\x0crelayhost=a\n',
    'relayhost=a\n\x0cb\n', 'relayhost="a\n', 'relayhost=a\n \nrelayhost=c\n', 'relayhost=a\n#\n b\n#x',
    'relayhost={\n a\n}\nmyorigin=x\n', '\ufeffrelayhost=x\n', 'RELAYHOST=x\n', 'relayhost=é\n', '', '\n', '#', ' ', '\n\n#\n \n',
    (GUIDE / 'main.cf').read_text(),
]


def random_main(rng):
    lines = []
    for _ in range(rng.randint(1, 8)):
        words = [rng.choice(['a', 'b,', 'c=d', '#e', '{', '}', '"f', 'x:y', '[::1]', '\\', '=', 'é', '$$']) for _ in range(rng.randint(0, 5))]
        gap = rng.choice(['', ' ', '\t', '  '])
        text = rng.choice(KNOWN) + gap + '=' + gap
        for word in words:
            text += word + rng.choice([' ', '  ', '\t', '\n ', '\n\t', '\r\n ', '\n\n  ', '\n# x\n  ', '\n  # = y\n '])
        lines.append(text)
        lines.append(rng.choice(['', '', '', '# comment = 1', ' ', '   # indented']))
    if rng.random() < 0.2:
        lines.insert(rng.randrange(len(lines)), rng.choice(['no equals', '= x', 'two words = 1', '=']))
    if rng.random() < 0.1:
        lines.insert(0, '  relayhost = indented')
    return rng.choice(['\n', '\r\n']).join(lines) + rng.choice(['', '\n'])


def overridings(params):
    """(the line that overrides, name=value before), as postconf warns of them: when the value is another."""
    found, last = set(), {}
    for line, _, name, value in params:
        if last.get(name, value) != value:
            found.add((int(line), f'{name}={last[name]}'))
        last[name] = value
    return found


def printable(text):
    """As Postfix logs it."""
    return ''.join(chr(byte) if 32 <= byte < 127 else '?' for byte in text.encode())


def check_main(text, real, mine):
    ok, out, err = real
    fatal = re.search(r'fatal: .*main\.cf, line (\d+): missing', err)
    wrong = [fault for fault in mine.faults if 'begin with white space' not in fault[2]]
    assert bool(fatal) == bool(wrong), (text, err, mine)
    if fatal:
        assert int(fatal[1]) == wrong[0][1], (text, err, mine)
        return
    assert ok, (text, err)
    theirs = dict(re.match(r'(\S+) = ?(.*)', line).groups() for line in lines_of(out) if not line.startswith('config_directory'))
    values = {name: squeezed(value) for _, by, name, value in mine.params if by == '0' and name in theirs}
    assert {name: squeezed(value) for name, value in theirs.items()} == values, text
    assert {name for _, _, name, _ in mine.params if name in KNOWN} <= set(theirs), text
    assert set(re.findall(r'logical line must not start', err)) == {'logical line must not start' for _ in mine.faults}, (text, err)
    warned = {(int(number), what) for number, what in re.findall(r'line (\d+): overriding earlier entry: (.*)', err)}
    assert {(number, printable(what)) for number, what in overridings(mine.params)} <= warned, (text, err)


def test_main(tmp_path, rng):
    texts = MAIN + [random_main(rng) for _ in range(RANDOM)]
    paths = written(tmp_path, [(text, '') for text in texts])
    for text, real, mine in zip(texts, postconf(paths, '-n'), ours(paths)):
        check_main(text, real, mine)


# --- expansion ---

VARIABLES = '''compatibility_level = 3.6
u = uv
u2 = $u
e =
e2 = $e
dd = a$$u
t = ten 10
ten = 10
loop = $loop
loop1 = x${u?$loop2}
loop2 = y$loop1
loop3 = ${{$loop3} == {x} ? y}
'''
TEXTS = r'''$u ${u} $(u) ${\ u\ } $u-x $- $ ${} ${\ } ${u $(u $(u} ${u?yes} ${u?{yes}} ${u?\ yes\ } ${u\ ?\ yes\ } ${u\ ?\ {\ yes\ }\ :\ {\ no\ }\ }
${n?{yes}:{no}} ${n?{yes}:no} ${n:no} ${n:{no}:x} ${n:{no}?x} ${n:{no}\ x} ${n?x:y} ${u?x:y} ${u?{x}\ y} ${u?{x}{y}} ${u?{x} ${u?{x}:{y}
${u?{x}:} ${n?{x}:} ${u?} ${u:} ${u!x} ${u-x} ${u.x} ${u\ x} $$u\ $$$u ${e?x}${e:y} ${e2?x}${e2:y} [$e][$n][$e2] $dd ${dd?x}
${{a}=={a}} ${{a}=={b}} ${{a}=={b}:x} ${{a}\ ==\ {b}?{x}:{y}} ${{a}!={b}?{x}:{y}} ${{a}<{b}?{x}:{y}} ${{a}<={b}?x} ${{a}>={b}?x} ${{a}>{b}?x}
${{10}>{9}?{x}:{y}} ${{010}=={10}?{x}:{y}} ${{10a}>{9}?{x}:{y}} ${{-10}<{9}?{x}:{y}} ${{}<{9}?{x}:{y}} ${{}=={}?{x}:{y}} ${{\ a\ }=={a}?{x}:{y}}
${{$u}=={uv}?{x}:{y}} ${{$u2}=={uv}?{x}:{y}} ${{$$u}=={uv}?{x}:{y}} ${{$n}=={}?{x}:{y}} ${{a}} ${{a}\ =} ${{a}==b} ${{a}={b}?x} ${{a}==={b}?x}
${{a}~{b}?x} ${{a}==x{b}?x} ${{a}=={b}z?x} ${{a}=={b ${{a=={b}} ${\ {a}=={a}?x} $({a}=={a}?{x}:{y}) ${{1.2}<level{1.10}?{x}:{y}}
${{1}==level{1.0.0}?x} ${{x}<=level{0.9}?x} ${{}<=level{0.9}?x} ${{1.2.3.4}<=level{0.9}?x} ${{1.1023.1}<=level{9}?x} ${{1.1024.1}<=level{9}?x}
${{2147483648}>=level{1}?x} ${{01.1}==level{1.1}?x} ${{1.}==level{1.1}?x} ${{+1.\ 1}==level{1.1}?x} ${{-1}==level{1.1}?x} ${{1}<levelx{2}?x}
${{$compatibility_level}<level{3.10}?{x}:{y}} ${u?${u?$u}} ${u?$(n:z)} ${u?{a}b}:{c}} ${u?{a{b}c}:{c}} ${u?a{b}c} {a} a}b ${u?{$}} ${n?{$}} ${n?{$}:{b}}
$loop ${loop?x} $loop1 $loop3 ${{$loop}=={x}?y} $ü ${ü} $1 $_x ${{9223372036854775807}>{9223372036854775806}?x} ${{9223372036854775808}>{1}?x}
${{a}=={b}=={c}?x} ${{1}<\ level{2}?x} ${{1}<>{2}?y} ${{1}=>{2}?y} $(u?a)b) $(u?{)}) ${a?{$(}}:x} ${{ü}<{a}?{x}:{y}}'''


def random_text(rng, depth=0):
    def more():
        return random_text(rng, depth + 1)

    def name():
        return rng.choice(['u', 'u2', 'e', 'e2', 'n', 'dd', 't', 'ten'])

    def space():
        return rng.choice(['', '', ' '])
    if depth > 3:
        return rng.choice(['', 'x', '10', '9', '$u', '$ten'])
    operators = ['==', '!=', '<', '<=', '>=', '>']
    forms = [
        lambda: rng.choice(['x', 'y z', '9', '10', '$$', '1.2']), lambda: '$' + name(), lambda: '${' + name() + '}',
        lambda: '$(' + name() + space() + '?' + more() + ')', lambda: '${' + name() + space() + rng.choice('?:') + more() + '}',
        lambda: '${' + name() + '?' + space() + '{' + more() + '}' + space() + ':' + space() + '{' + more() + '}}',
        lambda: '${{' + more() + '}' + space() + rng.choice(operators) + space() + '{' + more() + '}' + space() +
                '?{' + more() + '}:{' + more() + '}}',
        lambda: '${{' + rng.choice(['3', '3.6', '$compatibility_level']) + '} ' + rng.choice(operators) + 'level {3.' +
                rng.choice('567') + '} ? {' + more() + '} : {' + more() + '}}',
    ]
    return ''.join(rng.choice(forms)() for _ in range(rng.randint(1, 2)))


def broken(rng, text):
    at = rng.randrange(len(text)) if text else 0
    return text[:at] + rng.choice(['', '', '{', '}', '?', ':', '$', ' ']) + text[at + 1:]


def chain(length):
    return ''.join(f'a{i} = $a{i + 1}\n' for i in range(length)) + f'a{length} = x\nrelayhost = $a0\n'


def test_expansion(tmp_path, rng):
    texts = [text.replace('\0', ' ') for text in TEXTS.replace('\\ ', '\0').split()]
    texts += [random_text(rng) for _ in range(RANDOM)]
    texts += [broken(rng, random_text(rng)) for _ in range(RANDOM)]
    mains = [f'{VARIABLES}relayhost = [{text}]\n' for text in texts] + [chain(98), chain(99), chain(100), chain(101)]
    paths = written(tmp_path, [(main, '') for main in mains])
    refused = 0
    for main, (ok, out, err), mine in zip(mains, postconf(paths, '-xh relayhost'), ours(paths)):
        what = main[-300:], out, err, mine.expanded.get('relayhost'), mine.refused
        assert ok == ('relayhost' in mine.expanded), what
        assert not ok or squeezed(out) == squeezed(mine.expanded['relayhost']), what
        refused += not ok
    assert 50 < refused < len(mains) - 100


# --- master.cf ---

MASTER = [
    'smtp inet n - y - - smtpd -v -vo a=b -oc=d -o e=f -o { g = h i } -o {j=k} x', 'smtp inet n - y - - smtpd -o{ g = h i }',
    'smtp inet n - y - - smtpd { -o } a=b', 'smtp inet n - y - - smtpd { -v } {x y} z{a b}c {a}', 'smtp inet n - y - - smtpd -- -o a=b',
    'smtp inet n - y - - smtpd x -o a=b', 'smtp inet n - y - - smtpd -o a=b -o a=c', 'smtp inet n - y - - smtpd - -o a=b',
    'smtp inet n - y - - smtpd -o a= b', 'smtp unix - - - - - smtpd', 'smtp unix-dgram n - y - - smtpd', 'smtp inet n - y 5? - smtpd',
    'smtp inet n - y 0 0 smtpd', '[::1]:25 inet n - y - - smtpd', '127.0.0.1:submission inet n - y - - smtpd',
    'smtp inet n - y - - smtpd\nsmtp inet n - y - - postscreen', 'smtp inet n - y - - smtpd\n\n# c\n  # d\n  -o x=y\n#e\n\t-v',
    'pipe unix - n n - - pipe\n flags=DR user=x argv=/bin/x -f ${sender} { a b }', 'smtp inet n - y - - smtpd -o a={b c}',
    'smtp inet n - y - - smtpd -o { a = {b c} d } -o {a = {b}}', 'smtp inet n - y - - smtpd {} } a}b {c}',
    'smtp inet n - y - - smtpd -Do x=w', 'smtp inet n - y - - smtpd -o { e = f  g   }', 'f fifo n - - - - x\np pass y y n - - x\r\n',
    (GUIDE / 'master.cf').read_text(), (TOP / 'tests/fuzz/corpus/postfix_master/debian').read_text(),
]


def random_master(rng):
    lines = []
    for _ in range(rng.randint(1, 6)):
        kind = rng.choice(['inet', 'unix', 'fifo', 'pass', 'unix-dgram'])
        name = rng.choice(['smtp', '25', '[::1]:25', '127.0.0.1:smtps', 'localhost:587']) if kind == 'inet' else rng.choice(['smtp', 'a', 'b/c'])
        fields = [name, kind, 'n' if kind == 'inet' else rng.choice('-yn'), rng.choice('-yn'), rng.choice('-yn'),
                  rng.choice(['-', '0', '5', '60?']), rng.choice(['-', '0', '1', '100']), rng.choice(['smtpd', 'pipe'])]
        for _ in range(rng.randint(0, 4)):
            fields.append(rng.choice(['-v', '-vv', '-D', '-o a=b', '-o c=$x,y', '-oe=f', '-vo g=h', '-o {i=j k}', '-o { l = m  n }',
                                      '-o { o = {p q} r}', '-o a=', '-o{ s = t }']))
        for _ in range(rng.randint(0, 3)):
            fields.append(rng.choice(['x', 'flags=D', '{y z}', 'a{b c}d', '{}', '}', '${x}', '{{w}}', '--']))
        text = fields[0]
        for field in fields[1:]:
            text += rng.choice([' ', '\t', '   ', ' \n ', '\n\t', '\n\n ', '\n# x\n  ', '\r\n ']) + field
        lines += [text, rng.choice(['', '', '# comment', '  # indented', ' '])]
    return '\n'.join(lines) + rng.choice(['', '\n'])


def bare(text):
    """Without what postconf puts in and leaves out when it prints arguments."""
    return re.sub(r'[-{}\s]', '', text)


def command_of(command, arguments):
    text = command
    for kind, *values in arguments:
        text += {'override': '-o{0}={1}', 'option': '-{0}{1}', 'argument': '{0}'}[kind].format(*(values + ['']))
    return bare(text)


def check_master(text, fields, parameters, mine):
    assert not mine.faults, (text, mine)
    theirs = [line.split(' = ', 1) for line in lines_of(fields)]
    theirs = [line[1] if len(line) > 1 else '' for line in theirs]
    assert len(theirs) == 8 * len(mine.services), (text, fields, mine)
    overrides = {}
    for i, (service, arguments) in enumerate(mine.services):
        given = theirs[8 * i:8 * i + 8]
        numbers = ['-' if field in ('-1', '-1?') else field for field in service[7:9]]
        assert given[:5] + given[5:7] == service[2:7] + numbers, (text, given, service)
        assert bare(given[7]) == command_of(service[9], arguments), (text, given, arguments)
        for kind, *values in arguments:
            if kind == 'override':
                overrides[f'{service[2]}/{service[3]}/{values[0]}'] = squeezed(values[1])
    assert dict(squeezed(line).split(' =', 1) for line in lines_of(parameters)) == \
        {name: value and f' {value}' for name, value in overrides.items()}, text


def test_master(tmp_path, rng):
    texts = MASTER + [random_master(rng) for _ in range(RANDOM)]
    paths = written(tmp_path, [('compatibility_level = 3.6\n', text) for text in texts])
    for text, (ok, fields, err), (_, parameters, _), mine in zip(texts, postconf(paths, '-F'), postconf(paths, '-P'), ours(paths)):
        assert ok, (text, err)
        check_master(text, fields, parameters, mine)


# --- master.cf and the master itself ---

ACCEPTED = [
    'x unix - - n 5? - smtpd', '- unix - - n - - x', ':64999 inet n - n - - smtpd', '[127.0.0.1]:64998 inet n - n - - smtpd',
    '127.0.0.1:64997 inet n - n - - smtpd', '64996 inet n - n - - smtpd', 'localhost:64995 inet n - n - - smtpd', 'x unix - - n - - smtpd {}',
    'x unix - - n - - smtpd -o {g = h}', 'x unix-dgram - - n - - smtpd', 'x unix - - n - - smtpd\r', 'x unix - - n 0? 0 smtpd',
    'x unix - - n - 007 smtpd', 'x unix - - n - -\n  smtpd', 'x unix - - n - - y\nx unix - - n - - z', 'x fifo n - n - - y', 'y pass n - n - - y',
    'x unix y n n - - y } {a {b}}',
]
REFUSED = [
    'smtp inet - - n - - smtpd', 'smtp inet y - n - - smtpd', 'x unix - - n ? - smtpd', 'x unix - - n -5 - smtpd', 'x unix - - n - -1 smtpd',
    'x unix - - n - - -', 'x - - - n - - x', '[::1 inet n - n - - smtpd', '[::1]x inet n - n - - smtpd', '127.0.0.1: inet n - n - - smtpd',
    '1.2.3.999:25 inet n - n - - smtpd', '64990x inet n - n - - smtpd', 'x unix - - n - - smtpd -o {a}x', 'x unix - - n - - smtpd -o {a',
    'x unix - - n\x0b- - smtpd', 'x unix - - n +5 - smtpd', 'x unix - - n - +5 smtpd', '127.0.0.1 inet n - n - - smtpd',
    'x unix - - n - - smtpd -o {x=y} {', 'x Unix - - n - - smtpd', 'x unix - - n -', 'x', 'x unix z - n - - y', 'x unix - Y n - - y',
    'x unix - - yes - - y', '[]:25 inet n - n - - smtpd', '[127.0.0.1]: inet n - n - - smtpd', 'a/b:25 inet n - n - - smtpd',
]
# A socket for its log, in a /dev of its own; it sleeps for a second before it dies.
LOGGED = """
set -e
dev=$1
shift
mkdir "$dev"
cp -a /dev/null /dev/zero /dev/random /dev/urandom "$dev"
mount --bind "$dev" /dev
/usr/bin/python3 -c '
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
while True:
    print(log.recv(4096).decode(errors="replace"), flush=True)
' >"$dev/logged" &
logger=$!
while ! [ -S /dev/log ]; do sleep 0.02; done
chmod 666 /dev/log
for dir; do
    chown postfix "$dir/lib" "$dir/spool" "$dir"/spool/*
    timeout 10 /usr/lib/postfix/sbin/master -c "$dir" -d &
    masters="$masters $!"
done
wait $masters || true
kill $logger
"""


@pytest.fixture
def open_path():
    """A folder that Postfix's own user may enter; pytest closes its folders to others, again and again."""
    with tempfile.TemporaryDirectory(prefix='malle-peer-postfix-') as name:
        path = pathlib.Path(name)
        path.chmod(0o755)
        yield path


def test_what_the_master_refuses(open_path):
    """Each file ends with a line that it refuses, so that it never runs."""
    lines = ACCEPTED + REFUSED
    paths = written(open_path, [('''compatibility_level = 3.6
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = peer.example
''' + f'queue_directory = {open_path}/{i:04}/spool\ndata_directory = {open_path}/{i:04}/lib\n', f'{line}\nEND\n')
                                for i, line in enumerate(lines)])
    for path in paths:
        for folder in ('lib', 'spool/pid', 'spool/private', 'spool/public'):
            (path / folder).mkdir(parents=True)
    in_postfix(LOGGED, open_path / 'dev', *paths)
    logged = (open_path / 'dev/logged').read_text()
    for line, path, mine in zip(lines, paths, ours(paths)):
        fatal = re.search(f'fatal: {path}/master.cf: line (\\d+): (.*)', logged)
        assert fatal, (line, [said for said in logged.splitlines() if str(path) in said], logged[-2000:])
        refused = 'missing "transport type" field' not in fatal[2] or line == 'x'
        assert refused == (line in REFUSED), (line, fatal[0])
        assert [fault[1] for fault in mine.faults] == ([1] if refused else []) + [line.count('\n') + 2], (line, fatal[0], mine)
