"""Dovecot's plugin quota in the files of a folder: what it becomes, and what malle says of the rest."""
import os
import subprocess

import pytest

from harness import MALLE

PLUGIN = '''
mail_plugins = quota
protocol imap {
  mail_plugins = $mail_plugins imap_quota
}
protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
plugin {
  quota = maildir:Mail of users
  quota_rule = *:storage=1G:messages=1000
  quota_rule2 = Trash:storage=+10%%
  quota_rule3 = Deleted Items:ignore
  quota_rule5 = Sent:ignore
  quota_grace = 5%%
  quota_warning = storage=95%% quota-warning 95 %u
  quota_warning2 = storage=80%% quota-warning 80 %u
  quota_max_mail_size = 20M
  quota_exceeded_message = Full, see https://example.org/
  quota_over_flag = 5
}
quota_full_tempfail = yes
lmtp_rcpt_check_quota = yes
'''


@pytest.fixture
def settings(tmp_path):
    """What `malle config` says of the options of quotas, and the warnings, for a dovecot.conf."""
    def read(text):
        (tmp_path / 'dovecot').mkdir(exist_ok=True)
        base = 'mail_location = maildir:~/Maildir\nssl = no\nprotocols = imap\n'
        (tmp_path / 'dovecot/dovecot.conf').write_text(text + base if text.startswith('dovecot_config') else base + text)
        run = [subprocess.run([MALLE, '-c', tmp_path, *words], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0')) for words in (['config', '--all'], ['check'])]
        values = {'*': run[0].stdout}
        for line in run[0].stdout.splitlines():
            name, _, value = line.partition(' = ')
            values[name.strip()] = value.partition('  #')[0].strip()
        return values, run[1].stderr + run[1].stdout
    return read


def test_plugin(settings):
    values, said = settings(PLUGIN)
    assert values['quota'] == 'yes'
    assert values['quota_name'] == 'Mail of users'
    assert values['quota_rule'] == '*:storage=1G:messages=1000, Trash:storage=+10%, "Deleted Items:ignore"'  # up to the gap
    assert values['quota_grace'] == '5%'
    assert values['quota_warning'] == '"storage=95% quota-warning 95 %u", "storage=80% quota-warning 80 %u"'
    assert (values['quota_max_mail_size'], values['quota_full_tempfail'], values['lmtp_rcpt_check_quota']) == ('20M', 'yes', 'yes')
    assert values['quota_exceeded_message'] == 'Full, see https://example.org/'
    assert 'plugin/quota_over_flag: malle does not do this' in said
    assert 'would load the plugin sieve' in said and 'plugin quota' not in said and 'plugin imap_quota' not in said
    assert 'no service runs a script for "quota-warning"' in said
    assert 'plugin/quota_rule5 has no effect' in said


def test_without_warnings(settings):
    """Dovecot warns nobody when it is not told to."""
    values, _ = settings('mail_plugins = quota\nplugin {\n  quota = count:User quota\n  quota_rule = *:storage=1G\n}\n')
    assert (values['quota'], values['quota_warning'], values['quota_grace']) == ('yes', '', '10%')


@pytest.mark.parametrize('text', (
    '', 'plugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=1G\n}\n', 'mail_plugins = quota\n',
    'mail_plugins = quota\nplugin {\n  quota = fs:User quota\n}\n', 'mail_plugins = quota\nplugin {\n  quota = maildir:x:noenforcing\n}\n'))
def test_not_loaded(settings, text):
    assert settings(text)[0]['quota'] == 'no'


def test_message_in_a_file(settings, tmp_path):
    (tmp_path / 'full').write_text('The mailbox is full.\nReally.\n')
    values, _ = settings(f'mail_plugins = quota\nplugin {{\n  quota = maildir:x\n  quota_exceeded_message = <{tmp_path}/full\n}}\n')
    assert values['quota_exceeded_message'] == 'The mailbox is full.'


def test_quota_status(settings):
    values, said = settings(PLUGIN + """
service quota-status {
  executable = quota-status -p postfix
  inet_listener {
    port = 12340
  }
  unix_listener /tmp/quota-status {
    mode = 0666
  }
}
""")
    assert 'quota-status' not in said and 'would run another program' not in said
    assert '[listener quota-status]' in values['*'] and '[listener tmp-quota-status]' in values['*']
    assert values['*'].count('protocol = quota-status') == 2


def test_syntax_of_2_4(settings):
    values, said = settings("""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_plugins {
  quota = yes
}
quota "All mail" {
  storage_size = 1G
  quota_message_count = 500
  storage_grace = 5M
}
quota_exceeded_message = Full
""")
    assert values['quota'] == 'yes', said
    assert values['quota_rule'] == '*:bytes=1G:messages=500'
    assert (values['quota_name'], values['quota_grace'], values['quota_exceeded_message']) == ('All mail', '5M', 'Full')


def test_wrong_rule(settings):
    _, said = settings('mail_plugins = quota\nplugin {\n  quota = maildir:x\n  quota_rule = *:size=1G\n}\n')
    assert 'dovecot.conf:7: quota_rule: "*:size=1G" is not understood' in said


SHARED = """namespace {
  type = shared
  separator = /
  prefix = %s
  location = maildir:%%%%h/Maildir:INDEXPVT=~/shared/%%%%u
  list = children
  subscriptions = no
}
plugin {
  acl = %s
  acl_shared_dict = file:/var/lib/dovecot/shared
}
"""


@pytest.mark.parametrize('prefix, acl, meant, complaint', (
    ('shared/%%u/', 'vfile', 'shared/', ''), ('Users/of/here/%%u/', 'vfile', 'Users/of/here/', ''),
    ('shared/%%u/', 'vfile:/etc/dovecot/acl', 'shared/', 'acl: rights are in the files dovecot-acl of mailboxes alone'),
    ('shared/%%n/', 'vfile', '', 'malle has one namespace')))
def test_shared(settings, prefix, acl, meant, complaint):
    values, said = settings(SHARED % (prefix, acl))
    assert (values['shared_prefix'] if meant else '') == meant
    assert complaint in said and ('namespace/' in said or 'acl' in said) == bool(complaint and 'acl' in complaint), said


@pytest.mark.parametrize('text, meant', (
    ('', 'no'), ('plugin {\n  acl_anyone = allow\n}\n', 'yes'), ('plugin {\n  acl_anyone = deny\n}\n', 'no'),
    ('dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\nimap_acl_allow_anyone = yes\n', 'yes')))
def test_acl_anyone(settings, text, meant):
    values, said = settings(text)
    assert values['acl_anyone'] == meant and 'anyone' not in said


def test_trash(settings, tmp_path):
    (tmp_path / 'trash.conf').write_text('# the first go first\n1 Spam\n\n2  Deleted Items\n')
    text = f'plugin {{\n  quota = maildir:User quota\n  quota_rule = *:storage=1G\n  trash = {tmp_path}/trash.conf\n}}\n'
    values, said = settings('mail_plugins = quota trash\n' + text)
    assert values['quota_trash'] == '"1 Spam", "2 Deleted Items"' and 'trash' not in said
    values, said = settings('mail_plugins = quota\n' + text)
    assert values['quota_trash'] == '' and 'plugin/trash has no effect' in said
    values, said = settings("""dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_plugins {
  quota = yes
  trash = yes
}
quota x {
  storage_size = 1G
}
namespace inbox {
  inbox = yes
  mailbox Spam {
    trash_priority = 1
  }
}
""")
    assert values['quota_trash'] == '"1 Spam"' and 'trash' not in said
