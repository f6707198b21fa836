"""Dovecot's configuration as malle reads it and as Debian's doveconf does: written, generated and broken files, Debian's own tree
and that tree with the edits of the installation guide. What doveconf alone knows (which settings there are, what a value may be)
is left out: such a file counts only up to the line that it refuses.
"""
import pathlib
import random
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from doveconf import TOP, ask_dovecot, ask_malle, parse_doveconf, peer, unquote  # noqa: E402

GUIDE = TOP / 'tests/guide/etc/dovecot'
SEED = random.randrange(1 << 32)

# What a reader can find without knowing the settings.
SYNTAX = ("Expecting '{'", "Garbage after '{'", "Unexpected '}'", "Missing '}'", 'Missing key name', 'Unknown variable: ', 'No matches',
          'Recursive include file', 'Nested protocol', 'already exists', 'not allowed (use')

WRITTEN = [
    'plugin {\n x = a \\\n b # com \\\n  d = e\n}\n', 'plugin {\n x = a \\\n # c\n y = b\n}\n', 'plugin {\n x = a \\\n\n  d = e\n}\n',
    'plugin {\n x = a\\\\\n   b = 1\n y = "a \\\n   b"\n}\n', "plugin {\n x = 'a # b' # c\n y = 'a' # b' c\n z = don't # b\n}\n",
    "plugin {\n x = a'b#c'd#e\n y = 1\n}\n", 'plugin {\n x = "a \\"b\\" \\\\ c\\n \\\' "\n y = \'a "b" \\\' \\\\c\'\n z = "q" r\n}\n',
    'plugin {\n e =\n f = ""\n g = \'\n t = "a\'\n u = \'a\'b\'\n v = "a"b"\n w = "abc\\"\n x = """\n}\n',
    'mail_plugins = a b\nplugin {\n x = $mail_plugins\n y = a   $mail_plugins   b$mail_plugins  c\n w = "$mail_plugins"\n}\n',
    'base_dir = /x\nplugin {\n a = c $base_dir\t$base_dir\n}\n', 'base_dir = /x\nplugin {\n a = a $ b\n}\n',
    'plugin {\n a = b   c$d   e\n f = g   h   i\n}\n', 'plugin {\n s = $ENV:HOME\n t = a $ENV:NOSUCH b\n}\n',
    'plugin {\n s = a $nosuch b\n}\n', 'plugin {\n s = 1\n s = $s 2\n}\n', 'mail_plugins = $mail_plugins sieve\n',
    'protocol imap {\n log_path = /abc\n info_log_path = a $log_path\n}\nprotocol pop3 {\n info_log_path = a $log_path\n}\n',
    'log_path = /g\nprotocol imap {\n info_log_path = a $log_path\n log_path = $log_path x\n}\n',
    'mail_plugins = a\nprotocol imap {\n mail_plugins = $mail_plugins z\n}\nprotocol imap {\n mail_plugins = $mail_plugins y\n}\n',
    'default_internal_user = dovenull\nservice auth {\n user = $default_internal_user\n}\n',
    'log_path = <content\nssl_cert = <   content\nssl_ca = $ssl_cert\nlogin_greeting = x <content\n',
    'log_path=/a=b\nlogin_greeting ==\t b  c\t\n', '  log_path = a\r\nplugin {\r\n x = b\r\n}\r\n', 'plugin { x = b }\n',
    'plugin {\n my key = 5\n}\n', 'plugin\n{\n x = 5\n}\n', 'plugin {\n x = 5\n', 'plugin {\n x = 5\n}\n}\nlog_path = a\n',
    'plugin {\n x = 5\n} x\n', 'plugin{\n x = 5\n}\n', 'plugin {x\n}\n', 'plugin { # com\n x = 5\n} # c\n', 'plugin foo {\n x = 5\n}\n',
    '= 5\n', 'log_path\n', '{\n}\n', 'service imap extra {\n}\n', '!include\n', '!include nosuch*\n', '!include_try nosuch\n',
    'log_path = a\n!include {inc,nosuch}/a.conf\n!include inc/b*\n', '!include inc/open\n x = 5\n}\n', '!include inc/loop\n',
    'plugin {\n x = 1\n!include inc/goes-on\nlog_path = 1\n}\n', '!include  inc/a.conf  # c\n', '!include "inc/a.conf"\n',
    'namespace "a b" {\n inbox = yes\n}\n', "namespace 'a b' {\n}\n", 'namespace "a \\" b" {\n}\n', 'namespace "a"{\n inbox = yes\n}\n',
    'namespace inbox {\n inbox = yes\n mailbox "a # b" {\n  auto = create\n }\n mailbox {\n  comment = x\n }\n mailbox {\n }\n}\n',
    'service imap {\n inet_listener x {\n port = 5\n }\n inet_listener x {\n ssl = yes\n }\n}\nservice imap {\n inet_listener x {\n'
    ' port = 7\n }\n}\n', 'service imap {\n inet_listener {\n port = 1\n }\n inet_listener {\n port = 2\n }\n}\n',
    'passdb {\n driver = pam\n}\npassdb {\n driver = passwd-file\n args = /x\n}\nuserdb {\n driver=passwd\n}\n',
    'passdb a {\n driver = pam\n}\npassdb a {\n args = x\n}\n', 'passdb {\n driver = a\n}\npassdb "" {\n driver = b\n}\n',
    'plugin {\n a = 1\n}\nplugin {\n a = 2\n b = 3\n "q" = 4\n}\n', 'dict {\n quota = a:b\n}\ndict x {\n y = z\n}\n',
    'local 10.0.0.1 {\n ssl = no\n}\nlocal 10.0.0.1/32 {\n log_path = a\n}\nremote ::1/128 {\n log_path = e\n}\n',
    'local_name "a b" {\n log_path = x\n protocol imap {\n  login_greeting = y\n }\n}\n', 'protocol !imap {\n log_path = a\n}\n',
    'protocol imap {\n protocol pop3 {\n }\n}\n', 'protocol imap {\n local 1.2.3.0/24 {\n }\n}\n',
    'remote 1.2.3.4 {\n local 1.2.3.0/24 {\n }\n}\n', 'local_name a {\n remote 1.2.3.4 {\n  log_path = x\n }\n}\n',
    'protocol imap {\n passdb {\n driver = a\n }\n}\npassdb {\n driver = b\n}\n', 'plugin {\n x = a \\\n',
]
INCLUDED = {'inc/a.conf': 'plugin {\n a = 1\n f = g\n}\n', 'inc/b.conf': 'plugin {\n b = 1\n!include_try ../inc/part\n',
            'inc/part': ' c=3\n }\n', 'inc/open': 'plugin {\n', 'inc/loop': 'log_path = a\n!include loop\n',
            'inc/goes-on': 'y = 1 \\\n', 'content': 'the content'}


class Generator:
    """Configurations that Dovecot takes, or refuses for their syntax alone."""
    def __init__(self, rng, broken):
        self.rng, self.broken = rng, broken

    def value(self):
        pieces = ['a', 'b c', '/var/x', '  ', ' ', '\t', "'", '"', '\\', '\\\\', '=', '{', '}', ' # c', '#', '<', 'é', '*', '$mail_plugins',
                  ' $mail_plugins ', ' $log_path ', '$', ' $ENV:HOME ', ',', '1', '\\"', "\\'"]
        if not self.broken:
            pieces = [piece for piece in pieces if piece not in ('$', '<', '\\', '$mail_plugins')]
        text = ''.join(self.rng.choice(pieces) for _ in range(self.rng.randrange(7)))
        if not self.broken and text.startswith('"') or self.rng.random() < 0.2:
            quote = self.rng.choice('\'"')
            text = quote + text.replace('\\', '\\\\').replace(quote, '\\' + quote) + quote
        return text

    def setting(self, name):
        equals = self.rng.choice([' = ', '=', '  =\t', ' =', ' = \\\n   '])
        value = f'$mail_plugins {self.rng.choice("xyz")}' if name == 'mail_plugins' else self.value()
        if name == 'login_greeting' and self.rng.random() < 0.2:
            value = '<content'
        if ' ' in value and self.rng.random() < 0.1:
            value = value.replace(' ', ' \\\n ', 1)
        return [f'{self.rng.choice(["", " ", "	"])}{name}{equals}{value}{self.rng.choice(["", "", " ", " # c", " # # c"])}']

    def settings(self, *names):
        lines = []
        for _ in range(self.rng.randrange(4)):
            lines += self.setting(self.rng.choice(names)) if self.rng.random() < 0.9 else [self.rng.choice(['', '# x', '  # "y'])]
        return lines

    def block(self, head, lines):
        return [f'{self.rng.choice(["", "  "])}{head}{self.rng.choice([" ", "	", "  "])}{{', *lines, self.rng.choice(['}', ' }', '} # end'])]

    def part(self):
        rng = self.rng
        kind = rng.choice(['top', 'plugin', 'protocol', 'local', 'service', 'passdb', 'namespace', 'nested'])
        if kind == 'top':
            return self.settings('log_path', 'info_log_path', 'login_greeting', 'mail_plugins')
        if kind == 'plugin':
            return self.block('plugin', self.settings('one', 'two', 'three', 'mail_plugins', '"four"'))
        if kind == 'protocol':
            return self.block(f'protocol {rng.choice(["imap", "pop3"])}', self.settings('mail_plugins', 'log_path', 'info_log_path'))
        if kind == 'local':
            return self.block(f'local {rng.choice(["10.0.0.1", "10.0.0.1/32", "10.1.0.0/16"])}', self.settings('login_greeting'))
        if kind == 'service':
            name = rng.choice(['auth', '"auth"', 'imap', 'lmtp'])
            inner = rng.choice(['unix_listener a', 'unix_listener "b c"', 'inet_listener d', 'inet_listener'])
            return self.block(f'service {name}', self.block(inner, ['mode = 0600'] if 'unix' in inner else ['port = 7']))
        if kind == 'passdb':
            return self.block(rng.choice(['passdb', 'userdb']), ['driver = x', *self.settings('args')])
        if kind == 'namespace':
            inner = self.block(rng.choice(['mailbox A', 'mailbox "B \\C"', "mailbox 'D", 'mailbox']), ['auto = create', *self.settings('comment')])
            return self.block('namespace inbox', ['inbox = yes', *inner])
        return self.block('local_name x', self.block('protocol imap', self.settings('hostname')))

    def configuration(self):
        return [line for _ in range(self.rng.randrange(1, 8)) for line in self.part()]


def generate(folder, rng, name, broken):
    lines = Generator(rng, broken).configuration()
    if broken and rng.random() < 0.7:
        at = rng.randrange(len(lines) + 1)
        lines[at:at + rng.randrange(2)] = [rng.choice(['}', '{', 'x {', 'plugin', 'plugin {', 'a b c {', 'x = }', '\\', '!include nosuch'])]
    end = rng.choice(['\n', '\n', '\r\n'])
    if len(lines) > 3 and rng.random() < 0.5:
        start, stop = sorted(rng.sample(range(len(lines)), 2))
        (folder / f'{name}.part').write_text(''.join(line + end for line in lines[start:stop]))
        lines[start:stop] = [f'!include {name}.par*']
    (folder / name).write_text(''.join(line + end for line in lines), newline='')


def default_trees(folder):
    """Debian's tree, and with the guide's edits."""
    peer('bash', '-c', 'cp -r /usr/share/dovecot/. "$1/debian/"', 'bash', folder)
    shutil.copytree(folder / 'debian', folder / 'guide')
    shutil.copytree(GUIDE, folder / 'guide', dirs_exist_ok=True)
    return ['debian/dovecot.conf', 'guide/dovecot.conf']


def compare(name, theirs, ours, defaults):
    if theirs.error and not any(reason in theirs.error[2] for reason in SYNTAX):
        assert not ours.error or ours.error[0] != theirs.error[0] or ours.error[1] >= theirs.error[1], (name, theirs.error, ours.error)
        return 'refused'
    if theirs.error or ours.error:
        assert ours.error and theirs.error and ours.error[2] == theirs.error[2], (name, theirs.error, ours.error)
        assert theirs.error[1] in (0, ours.error[1]) and theirs.error[0] == ours.error[0], (name, theirs.error, ours.error)
        return 'broken'
    for key, value in theirs.settings.items():
        if key not in ours.settings and value == '' and key[1] in ('location', 'prefix', 'name'):
            continue
        assert ours.settings.get(key) in (value, unquote(value)), (name, key, value, ours.settings.get(key))
    for key, value in ours.settings.items():
        assert key in theirs.settings or value == defaults.get(key, ''), (name, key, value)
    return 'same'


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp('doveconf')
    folder.chmod(0o755)
    (folder / 'inc').mkdir()
    (folder / 'debian').mkdir()
    for name, text in INCLUDED.items():
        (folder / name).write_text(text)
    return folder


def check(folder, names, options):
    """How many of the files were the same, were broken in the same way, and were refused for other reasons."""
    defaults = parse_doveconf(peer('doveconf', '-d'), '').settings
    theirs = ask_dovecot(folder, {name: options for name in names})
    ours = ask_malle(folder, names, {name: '-x' in options for name in names})
    verdicts = [compare((name, (folder / name).read_text()), parse_doveconf(*theirs[name]), ours[name], defaults)
                for name in names]
    return {verdict: verdicts.count(verdict) for verdict in ('same', 'broken', 'refused')}


def test_written(world):
    names = [f'written{i}.conf' for i in range(len(WRITTEN))]
    for name, text in zip(names, WRITTEN):
        (world / name).write_text(text, newline='')
    counts = check(world, names, '-n -x -P')
    assert counts['refused'] <= 2 and counts['same'] > 35, counts


def test_trees(world):
    counts = check(world, default_trees(world), '-n -P')
    assert counts == {'same': 2, 'broken': 0, 'refused': 0}


@pytest.mark.parametrize('broken', [False, True])
def test_generated(world, broken):
    print('seed', SEED)
    rng = random.Random(SEED)
    names = [f'generated{broken:d}-{i}.conf' for i in range(100)]
    for name in names:
        generate(world, rng, name, broken)
    counts = check(world, names, '-n -x -P')
    print(counts)
    assert counts['broken' if broken else 'same'] >= 25, counts
