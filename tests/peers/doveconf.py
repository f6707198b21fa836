"""What Debian's Dovecot and malle make of the same configuration files.

Both are a dictionary from (blocks, name) to value, where blocks are (kind, name, number) each: the number counts those without
name. Of a broken file both have the first mistake.
"""
import collections
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TRY = pathlib.Path(os.environ.get('MALLE_BIN', TOP / 'build-asan/malle')).parent / 'tests/dovecot_try'
IMPOSSIBLE = 3
APART = ('passdb', 'userdb', 'namespace', 'mailbox', 'service', 'inet_listener')

# error: (file, line, text), or None; a line that is not told is 0
Result = collections.namedtuple('Result', 'settings, error')


def peer(*command, **more):
    done = subprocess.run([TOP / 'tools/peers', 'dovecot', *command], capture_output=True, text=True, **more)
    if done.returncode == IMPOSSIBLE:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask_dovecot(folder, options):
    """Runs doveconf for each file of the folder, in one namespace: {file: (its output, its messages)}."""
    script = ''.join(f"doveconf {options[name]} -c '{name}' >'out/{name}.out' 2>'out/{name}.err'\n" for name in options)
    (folder / 'out').mkdir(exist_ok=True)
    for name in options:
        (folder / 'out' / name).parent.mkdir(parents=True, exist_ok=True)
    peer('bash', '-c', script + 'true', cwd=folder)
    return {name: tuple((folder / 'out' / f'{name}.{part}').read_text(errors='surrogateescape') for part in ('out', 'err'))
            for name in options}


def unquote(value):
    """doveconf puts some values into double quotes, and does not say whether these belong to the value."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(.)', r'\1', value[1:-1])
    return value


def block_of(line, counts, path):
    kind, _, name = line[:-1].strip().partition(' ')
    name = unquote(name.strip())
    number = 0
    if not name and kind in APART:
        counts[path, kind] += 1
        number = counts[path, kind]
    return kind, name, number


def parse_error(messages):
    found = re.search(r'Fatal: Error in configuration file (\S+?)(?: line (\d+))?: (.*)', messages)
    return (found[1], int(found[2] or 0), found[3]) if found else None


def parse_doveconf(output, messages):
    settings, path, counts = {}, (), collections.Counter()
    for line in output.splitlines():
        text = line.strip()
        if text.startswith('# ') or not text:
            continue
        if text.endswith(' {') and ' = ' not in text:
            path += (block_of(text, counts, path),)
        elif text == '}' and path:
            path = path[:-1]
        elif ' = ' in line or line.endswith(' ='):
            name, _, value = line.lstrip().partition(' =')
            settings[path, name] = value[1:]
    return Result(name_databases(settings), parse_error(messages))


def name_databases(settings):
    """A passdb with a name is shown without, and has it as a setting."""
    names = {path: value for (path, name), value in settings.items()
             if name == 'name' and value and path and path[-1][0] in ('passdb', 'userdb')}
    return {(path[:-1] + ((path[-1][0], names[path], 0),) if path in names else path, name): value
            for (path, name), value in settings.items() if not (path in names and name == 'name')}


def path_of(text):
    fields = text.split('\x1f')
    return tuple((kind, name, int(number)) for kind, name, number in zip(fields[::3], fields[1::3], fields[2::3]))


def ask_malle(folder, names, expand):
    """{file: Result}. The value of a setting whose file is meant: the content, or in `expand` false "<path"."""
    done = subprocess.run([TRY, 'conf', *names], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    fields = iter(done.stdout.decode(errors='surrogateescape').split('\0')[:-1])
    results, name = {}, None
    for kind in fields:
        if kind == 'F':
            name = next(fields)
            results[name] = Result({}, None)
        elif kind == 'S':
            path, setting, form, value, origin = (next(fields) for _ in range(5))
            if form == 'file':
                where = folder / pathlib.Path(origin).parent / value
                value = where.read_text() if expand[name] and where.is_file() else '<' + value
            results[name].settings[path_of(path), setting] = value
        else:
            error = next(fields), int(next(fields)), next(fields)
            if kind == 'E' and not results[name].error:
                results[name] = results[name]._replace(error=error)
    return results


def ask_dovecot_for_paths(folder, home, owner, user, texts):
    """What doveadm says of the place of a user's INBOX for which it is asked to expand a text: "[expansion]", or its complaint."""
    script = []
    for i, text in enumerate(texts):
        (folder / f'{i}.conf').write_text(f"""mail_location = "maildir:{home}:INBOX={home}/at/[{text}]"
mail_uid = {owner}
mail_gid = {owner}
first_valid_uid = 1
log_path = /dev/stderr
""")
        script.append(f'doveadm -c {i}.conf mailbox path INBOX >{i}.out 2>&1\n')
    peer('bash', '-c', ''.join(script) + 'true', cwd=folder, env={**os.environ, 'USER': user, 'HOME': str(home)})
    return [(folder / f'{i}.out').read_text(errors='surrogateescape').removesuffix('\n').removeprefix(f'{home}/at/') for i in range(len(texts))]
