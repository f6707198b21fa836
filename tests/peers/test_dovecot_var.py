"""The variables of Dovecot's settings: what Debian's Dovecot makes of a mail_location, and what malle does."""
import os
import pathlib
import random
import subprocess
import tempfile

import pytest
from doveconf import TRY, ask_dovecot_for_paths

SEED = random.randrange(1 << 32)
OWNER = 64790  # nobody's number
WRITTEN = ['%u', '%n', '%d', '%h', '%s', '%i', '%l', '%r', '%{user}', '%{username}', '%{domain}', '%{home}', '%{service}', '%{env:HOME}',
           '%Lu', '%Un', '%L{user}', '%1n', '%1.1n', '%2.1n', '%2.3u', '%-4.2u', '%02n', '%012n', '%1.010n', '%1.-1n', '%1.-2u', '%-4.-2u',
           '%-3u', '%0.3n', '%-0.3n', '%3.0n', '%20.3n', '%-20.3n', '%04i', '%Xi', '%Xu', '%Ru', '%RLu', '%Du', '%Eu', '%Tu', '%Nu', '%Hu',
           '%Mu', '%LMu', '%MLu', '%8Hu', '%3.16Nu', '%2.256Nu', '%2.256Hu', '%2.256LHu', '%H{user}%2Nn', '%%', '%%u', '100%%', '%z', '%{nosuch}',
           '%L%', '%2%', 'a%ub%nc', '%-2.-5n', '%.-9n', '%.2n', '%-.2n', '%.02n', '%0-3n', '%3.-0n', '%1.02.3n']


def generated(rng):
    part = rng.choice(['', '', f'{rng.randrange(-9, 20)}', f'{rng.randrange(-9, 12)}.{rng.choice(["", "0"])}{rng.randrange(-3, 20)}',
                       f'0{rng.randrange(20)}', f'0{rng.randrange(9)}.{rng.randrange(9)}'])
    modifiers = ''.join(rng.choice('LUEXRTDHNM') for _ in range(rng.choice([0, 0, 1, 1, 2, 3])))
    return f'%{part}{modifiers}{rng.choice(["u", "n", "d", "i", "s", "{user}", "{domain}", "{env:HOME}", "%"])}'


def ask_malle(variables, texts):
    done = subprocess.run([TRY, 'var', *(f'{name}={value}' for name, value in variables.items()), '--', *texts], capture_output=True,
                          check=True)
    return done.stdout.decode(errors='surrogateescape').split('\0')[:-1]


def check(folder, user, texts):
    home = folder / 'home'
    home.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        os.chown(home, OWNER, OWNER)
    username, _, domain = user.partition('@')
    ours = ask_malle({'user': user, 'username': username, 'domain': domain, 'home': home, 'service': 'doveadm', 'uid': OWNER, 'lip': '',
                      'rip': '', 'env:HOME': home}, texts)
    theirs = ask_dovecot_for_paths(folder, home, OWNER, user, texts)
    for text, mine, other in zip(texts, ours, theirs):
        if mine[0] == '!':
            assert 'Unknown variable' in mine and 'Unknown variable' in other, (user, text, mine, other)
        else:
            assert other == f'[{mine[1:]}]', (user, text, mine, other)


@pytest.fixture
def folder():
    """One that everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix='malle-peer-dovecot-') as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def test_written(folder):
    check(folder, 'Joe.Do@Example.com', WRITTEN)


def test_generated(folder):
    print('seed', SEED)
    rng = random.Random(SEED)
    for user in ('joe', "O'Neil \"x\\y@a.b.c", 'Zoé@Example.org'):
        check(folder, user, [generated(rng) for _ in range(15)])
