"""malle check and malle config as an administrator sees them: exit status, both streams, JSON."""
import json
import subprocess

import pytest

from harness import MALLE

FINE = 'hostname = mail.example.com\ndomains = example.com\n'
WRONG = 'hostnam = mail.example.com\nport_offset = many\n[listener smtp]\nport = 25\nprotcol = smtp\n'


@pytest.fixture
def run(tmp_path):
    def run(text, *arguments):
        path = tmp_path / 'malle.conf'
        path.write_text(text)
        done = subprocess.run([MALLE, '-c', path, *arguments], capture_output=True, text=True, timeout=20)
        return done.returncode, done.stdout.replace(str(path), 'F'), done.stderr.replace(str(path), 'F')
    return run


def test_check_of_a_good_file_is_silent(run):
    assert run(FINE, 'check') == (0, '', '')


def test_check_reports_everything_at_once(run):
    status, out, err = run(FINE + WRONG, 'check')
    assert (status, out) == (1, '')
    assert err.splitlines() == ['F:3: "hostnam" is no option; did you mean hostname?',
                                'F:4: port_offset: "many" is not a number',
                                'F:7: "protcol" is no key of a listener; did you mean protocol?']


def test_check_as_json(run):
    status, out, err = run(FINE + WRONG, 'check', '--json')
    assert (status, err) == (1, '')
    assert [(i['line'], i['warning']) for i in json.loads(out)] == [(3, False), (4, False), (7, False)]


def test_check_of_a_missing_file(run, tmp_path):
    done = subprocess.run([MALLE, '-c', tmp_path / 'none', 'check'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert done.stderr == f'{tmp_path}/none: cannot be read: No such file or directory\n'


def test_a_warning_is_no_finding(run):
    status, _, err = run(FINE + 'port_offset = 1\nport_offset = 2\n', 'check')
    assert (status, err) == (0, 'F:4: warning: port_offset is set a second time; line 3 has no effect\n')


def test_config_tells_where_settings_come_from(run):
    status, out, err = run(FINE + 'dns_timeout = 5s\n', '--set', 'port_offset=2000', 'config')
    assert (status, err) == (0, '')
    assert out.splitlines() == ['hostname = mail.example.com  # F:1', 'domains = example.com  # F:2',
                                'port_offset = 2000  # --set']


def test_config_tells_what_sections_set(run):
    text = FINE + '[listener imap]\nenabled = no\n[domain example.org]\ncatch_all = a@example.com # all\n'
    status, out, err = run(text, '--set', 'listener.smtp.port=26', 'config')
    assert (status, err) == (0, '')
    assert out.splitlines()[2:] == ['[listener imap]', 'enabled = no  # F:4', '[domain example.org]',
                                    'catch_all = a@example.com  # F:6', '[listener smtp]', 'port = 26  # --set']
    assert json.loads(run(text, 'config', '--json')[1])[-1] == {
        'section': 'domain example.org', 'name': 'catch_all', 'value': 'a@example.com', 'file': 'F', 'line': 6}


def test_config_of_named_options(run):
    assert run(FINE, 'config', 'dns_timeout') == (0, 'dns_timeout = 5s\n', '')
    status, _, err = run(FINE, 'config', 'dns_timout')
    assert (status, err) == (2, 'malle: there is no option "dns_timout"; see malle --help\n')


def test_config_as_json(run):
    status, out, _ = run(FINE, 'config', '--all', '--json')
    table = {o['name']: o for o in json.loads(out)}
    assert status == 0
    assert table['domains'] == {'name': 'domains', 'value': 'example.com', 'default': '', 'file': 'F', 'line': 2}
    assert table['message_size_limit'] == {'name': 'message_size_limit', 'value': '50M', 'default': '50M'}


def test_the_printed_settings_are_a_file(run):
    _, first, _ = run(FINE, 'config', '--all')
    plain = ''.join(line.split('  # ')[0] + '\n' for line in first.splitlines())
    status, second, err = run(plain, 'config', '--all')
    assert (status, err) == (0, '')
    assert [line.split('  # ')[0] for line in second.splitlines()] == plain.splitlines()


@pytest.mark.parametrize('arguments, sentence', [
    ([], 'malle: which command?; see malle --help'),
    (['frobnicate'], 'malle: there is no command "frobnicate"; see malle --help'),
    (['--frob', 'check'], 'malle: there is no option "--frob"; see malle --help'),
    (['help', 'frob'], 'malle: there is no command "frob"; see malle --help'),
    (['-c'], 'malle: -c needs the name of a file; see malle --help'),
    (['check', 'extra'], 'malle: check takes no argument, found "extra"; see malle --help'),
])
def test_wrong_usage(arguments, sentence):
    done = subprocess.run([MALLE, *arguments], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (2, '', sentence + '\n')


def test_help_of_one_command():
    for arguments in (['help', 'queue'], ['queue', '--help']):
        done = subprocess.run([MALLE, *arguments], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and done.stdout.startswith('  queue list|') and done.stdout.count('\n') == 2
    whole = subprocess.run([MALLE, 'help'], capture_output=True, text=True, timeout=20)
    assert whole.stdout == subprocess.run([MALLE, '--help'], capture_output=True, text=True, timeout=20).stdout


def test_help_names_every_command():
    done = subprocess.run([MALLE, '--help'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    for name in ('check', 'config'):
        assert f'\n  {name}' in done.stdout
