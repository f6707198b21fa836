"""malle's tables of foreign parameters beside what Debian's Postfix and Dovecot print and take: the same names, the same defaults."""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from doveconf import TOP, ask_malle, parse_doveconf, peer, unquote  # noqa: E402
from test_postfix_cf import in_postfix, lines_of, squeezed  # noqa: E402

TRY = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build-asan/malle')).parent / 'tests/params_try'
FILTERS = ('protocol', 'local', 'remote', 'local_name')


def tool(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOP / 'tools' / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def rows_of(dialect):
    return list(tool('params').parse(dialect))


def find(dialect, names):
    """{name: (row, status, option)} in malle's tables."""
    names = sorted(names)
    done = subprocess.run([TRY, dialect, *names], capture_output=True, text=True, check=True, timeout=60)
    found = [line.split('\t') for line in lines_of(done.stdout)]
    assert [line[0] for line in found] == names
    return {line[0]: tuple(line[1:]) for line in found}


def parsed(text):
    return dict(re.match(r'(\S+) = ?(.*)', line).groups() for line in lines_of(text))


# --- Postfix ---

@pytest.fixture(scope='module')
def postconf(tmp_path_factory):
    """{name: default} with the services of Debian's master.cf."""
    folder = tmp_path_factory.mktemp('postfix')
    in_postfix('cp /usr/share/postfix/master.cf.dist "$1/master.cf"; : >"$1/main.cf"; postconf -c "$1" -d >"$1/out"', folder)
    return parsed((folder / 'out').read_text())


def test_postfix_names(postconf):
    unknown = [name for name, (row, *_) in find('postfix', postconf).items() if row == '-']
    assert not unknown
    assert [row.name for row in rows_of('postfix') if row.macro == 'PARAM' and row.name not in postconf] == []
    ends = [row.name for row in rows_of('postfix') if row.macro == 'FAMILY']
    assert [end for end in ends if f'uucp{end}' not in postconf] == []
    assert len(postconf) > 1000


def test_postfix_defaults(postconf):
    rows = {row.name: row for row in rows_of('postfix') if row.macro in ('PARAM', 'FAMILY')}
    found = find('postfix', postconf)
    different = {name: (rows[found[name][0]].initial, default) for name, default in postconf.items()
                 if rows[found[name][0]].initial not in (None, default)}
    assert different == {}
    assert sorted(row.name for row in rows.values() if row.initial is None) == [
        'mail_release_date', 'mail_version', 'mydomain', 'myhostname', 'mynetworks', 'process_id', 'process_name']


def test_postfix_names_that_it_does_not_print(tmp_path):
    """postconf warns of what it does not know: it does not of old names, it does of those that later versions added."""
    table = rows_of('postfix')
    old = [row.name for row in table if row.macro == 'OLD']
    later = [row.name for row in table if row.macro == 'LATER']
    (tmp_path / 'master.cf').write_text('')
    (tmp_path / 'main.cf').write_text(''.join(f'{name} = x\n' for name in old + later))
    in_postfix('postconf -c "$1" -n >"$1/out" 2>"$1/err"', tmp_path)
    unused = re.findall(r'unused parameter: (\w+)=', (tmp_path / 'err').read_text())
    assert sorted(unused) == sorted(later)


def test_postfix_texts_that_are_not_expanded(postconf, tmp_path):
    """postconf -x leaves them alone, too."""
    read_only = ('myhostname', 'config_directory', 'compatibility_level', 'process_id', 'process_name', 'service_name')
    (tmp_path / 'master.cf').write_text('')
    (tmp_path / 'main.cf').write_text('myhostname = expanded.example\n' + ''.join(
        f'{name} = $myhostname\n' for name in postconf if name not in read_only))
    in_postfix('postconf -c "$1" -nx >"$1/out"', tmp_path)
    values = parsed((tmp_path / 'out').read_text())
    assert len(values) > 800
    assert {name for name, value in values.items() if value == '$myhostname'} == \
        {row.name for row in rows_of('postfix') if row.macro == 'PARAM' and row.kind == 'RAW'}


# --- Dovecot ---

SECTIONS = '''protocols = imap pop3 lmtp submission
namespace inbox {
 mailbox Drafts {
 }
}
passdb one {
 driver = pam
}
userdb one {
 driver = passwd
}
service imap-login {
 inet_listener more {
 }
}
service one {
 executable = one
 unix_listener one {
 }
 fifo_listener two {
 }
}
'''
SET_THERE = {'protocols', 'service one'}


def setting(path, name):
    """As malle names it, with the kinds of blocks."""
    return '/'.join([kind for kind, *_ in path] + [name])


@pytest.fixture(scope='module')
def doveconf(tmp_path_factory):
    """{(name, the blocks around it): default}, and services as such."""
    folder = tmp_path_factory.mktemp('dovecot')
    (folder / 'dovecot.conf').write_text(SECTIONS)
    printed = parse_doveconf(peer('doveconf', '-a', '-c', 'dovecot.conf', cwd=folder), '').settings
    settings = {(setting(path, name), path): unquote(value) for (path, name), value in printed.items()}
    settings.update({(f'service {path[0][1]}', ()): None for path, _ in printed if path and path[0][0] == 'service'})
    return {key: value for key, value in settings.items() if key[0] not in SET_THERE}


def test_dovecot_names(doveconf):
    names = {name for name, _ in doveconf}
    found = find('dovecot', names)
    assert [name for name in names if found[name][0] != name] == []
    shown = {row.name for row in rows_of('dovecot') if row.macro == 'SETTING'}
    assert shown - names == {'protocols', 'passdb/name', 'userdb/name'}  # set above; taken out by doveconf.py
    assert len(names) > 340


def test_dovecot_defaults(doveconf):
    initial = {row.name: row.initial for row in rows_of('dovecot') if row.macro == 'SETTING'}
    different = {name: (initial[name], value) for (name, path), value in doveconf.items()
                 if initial[name] is not None and initial[name] != value}
    assert different == {}
    varies = {name for name, value in initial.items() if value is None and ' ' not in name}
    assert all(name.startswith(('service/', 'passdb/', 'userdb/')) for name in varies)
    for name in varies:
        values = {value for (other, _), value in doveconf.items() if other == name}
        assert len(values) > 1 or name.split('/')[-1] in ('driver', 'name'), f'{name} is always {values}'


def taken_by_doveconf(folder, names):
    """Which of the names doveconf knows, each in a file of its own."""
    for name in names:
        (folder / f'{name}.conf').write_text(f'{name} = 1\n')
    peer('bash', '-c', 'for name in *.conf; do doveconf -n -c "$name" >"$name.out" 2>&1; done; true', cwd=folder)
    said = {name: (folder / f'{name}.conf.out').read_text() for name in names}
    return [name for name in names if 'Unknown setting' not in said[name]]


def test_dovecot_names_that_it_does_not_print(tmp_path):
    rows = [row for row in rows_of('dovecot') if not re.search('[/* ]', row.name)]
    hidden = [row.name for row in rows if row.macro == 'HIDDEN' and not row.name.startswith('managesieve_')]
    later = [row.name for row in rows if row.macro in ('LATER', 'RENAMED')]
    assert len(hidden) > 40 and len(later) > 40
    assert taken_by_doveconf(tmp_path, hidden + later) == hidden


# --- the files of Debian's packages and of the guide ---

def told(dialect, values, rows):
    """Those of {name: [values]} that malle warns of or refuses, because one is not the default."""
    initial = {row.name: row.initial for row in rows if row.macro not in ('OLD', 'RENAMED')}
    found = find(dialect, values)
    return {name: found[name][1] for name in values if found[name][1] in ('WARN', 'REFUSE', '-') and
            any(squeezed(value) != squeezed(initial.get(found[name][0]) or '') for value in values[name])}


def values_of(results):
    values = {}
    for result in results:
        for (path, name), value in result.settings.items():
            blocks = tuple(block for block in path if block[0] not in FILTERS)
            values.setdefault(setting(blocks, name), []).append(value)
    return values


def test_dovecots_own_files(tmp_path):
    """Nothing in what Debian ships is something that malle does not do, and one thing in the guide's files."""
    peer('cp', '-a', '/usr/share/dovecot', tmp_path)
    (tmp_path / 'dovecot/private').mkdir(exist_ok=True)
    for folder, expected in ((tmp_path / 'dovecot', {}), (TOP / 'tests/guide/etc/dovecot', {})):
        name = str(folder / 'dovecot.conf')
        results = ask_malle(tmp_path, [name], {name: False})
        values = values_of(results.values())
        assert len(values) > 10
        assert told('dovecot', values, rows_of('dovecot')) == expected


def test_the_guides_main_cf():
    """Nothing in it is something that malle does not do."""
    params = parsed(in_postfix_n(TOP / 'tests/guide/etc/postfix'))
    assert len(params) > 30
    assert told('postfix', {name: [value] for name, value in params.items()}, rows_of('postfix')) == {}


def in_postfix_n(folder):
    done = subprocess.run([TOP / 'tools/peers', 'postfix', 'postconf', '-c', folder, '-n'], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    return done.stdout
