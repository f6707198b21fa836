"""Tables that say where mail goes: transport(5), relayhosts of senders, passwords and TLS policies of next hops."""
import contextlib
import signal
import time

import pytest

from harness import eventually
from relay.conftest import OTHER, QUICK, SENDER, certificate, queue_is_empty, relaying, send
from relay.remote import KEYWORDS, Remote
from talk import Smtp

MARK = b'Subject: hello\r\nX-Mark: %d\r\n\r\nbody\r\n'


@pytest.fixture
def second():
    with Remote() as it:
        yield it


@contextlib.contextmanager
def mapped(remote, tmp_path, tables, **conf):
    """A server with settings of texthash tables; yields it and a function that changes one."""
    tmp_path.chmod(0o755)

    def write(name, lines):
        (tmp_path / name).write_text(''.join(line + '\n' for line in lines))
        return f'texthash:{tmp_path}/{name}'

    with relaying(remote, **{name: write(name, lines) for name, lines in tables.items()}, **conf) as server:
        yield server, write


def arrived(remote, count=1):
    eventually(lambda: len(remote.messages) >= count, 20)
    time.sleep(0.1)
    assert len(remote.messages) == count
    return remote.messages


def test_transport(remote, second, tmp_path):
    lines = [f'a.example smtp:{second.site}', f'.b.example relay:{second.site}', f'joe@c.example :{second.site}', 'd.example :']
    with mapped(remote, tmp_path, {'transport_maps': lines}) as (server, _):
        there = ('x@a.example', 'x@sub.b.example', 'joe+tag@c.example')
        here = ('x@b.example', 'ann@c.example', 'x@d.example')
        for address in there + here:
            assert send(server, address).startswith('250')
        arrived(second, 3)
        arrived(remote, 3)
        assert {m.recipients[0] for m in second.messages} == set(there)
        assert {m.recipients[0] for m in remote.messages} == set(here)


def test_types(remote, second, tmp_path):
    """Files that were read before the role was locked in answer afterwards: an indexed file, rules, networks of tables."""
    with mapped(remote, tmp_path, {}) as (server, write):
        write('indexed', [f'a.example smtp:{second.site}'])
        write('rules', [f'/@b[.]example$/ smtp:{second.site}'])
        server.malle('postmap', f'{tmp_path}/indexed')
        lists = f'hash:{tmp_path}/indexed, pcre:{tmp_path}/rules, regexp:{tmp_path}/rules, unionmap:{{inline:{{c.example=smtp:{second.site}}}}}'
        server.write_conf({**QUICK, 'relayhost': remote.site, 'transport_maps': lists})
        server.reload()
        server.wait_log('its tables changed')
        for domain in 'abcd':
            assert send(server, f'x@{domain}.example').startswith('250')
        assert {m.recipients[0] for m in arrived(second, 3)} == {'x@a.example', 'x@b.example', 'x@c.example'}
        assert arrived(remote)[0].recipients == ('x@d.example',)
        write('indexed', ['a.example :', '# changed'])
        server.malle('postmap', f'{tmp_path}/indexed')
        server.reload()
        eventually(lambda: sum('its tables changed' in line for line in server.lines) == 2)
        assert send(server, 'x@a.example').startswith('250')
        arrived(remote, 2)


def test_lmtp(remote, second, tmp_path):
    """RFC 2033: LHLO instead of EHLO, over TCP."""
    with mapped(remote, tmp_path, {'transport_maps': [f'a.example lmtp:inet:127.0.0.1:{second.port}']}) as (server, _):
        assert send(server, 'x@a.example').startswith('250')
        arrived(second)
        assert second.greetings == ['LHLO mail.malle.test']


def test_error_and_discard(remote, tmp_path):
    lines = ['bad.example error:5.7.1 we do not write to them', 'none.example discard:nobody reads it', 'here.example local:']
    with mapped(remote, tmp_path, {'transport_maps': lines}) as (server, _):
        assert send(server, 'x@bad.example', 'x@none.example', 'x@here.example', 'x@good.example').startswith('250')
        text = eventually(lambda: ''.join(p.read_text() for p in server.messages(SENDER)), 20)
        eventually(lambda: queue_is_empty(server), 20)
        text = ''.join(p.read_text() for p in server.messages(SENDER))
        assert 'Final-Recipient: rfc822; x@bad.example' in text and 'Status: 5.7.1' in text
        assert 'we do not write to them' in text and 'none.example' not in text
        assert 'Final-Recipient: rfc822; x@here.example' in text and 'Status: 5.1.1' in text
        assert [m.recipients for m in arrived(remote)] == [('x@good.example',)]
        server.wait_log('to=<x@none.example>, relay=none')


@pytest.mark.parametrize('transport', ['retry:4.3.2 holidays', 'nonsense:x', 'smtp:bad..name', 'lmtp:unix:/run/x', 'smtp:[127.0.0.1]:1'])
def test_waits_and_goes_another_way(remote, second, tmp_path, transport):
    """What cannot go now is routed again when its turn has come: after a reload it takes the new way."""
    with mapped(remote, tmp_path, {'transport_maps': [f'a.example {transport}']}) as (server, write):
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('status=deferred')
        assert not remote.messages and not second.messages and not queue_is_empty(server)
        write('transport_maps', [f'a.example smtp:{second.site}'])
        server.reload()
        arrived(second)
        eventually(lambda: queue_is_empty(server), 20)
        assert not remote.messages


def test_failing_table(remote, tmp_path):
    """A table that cannot answer never opens another way."""
    with relaying(remote, transport_maps='fail:x') as server:
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('cannot be looked up now')
        assert not remote.messages and not queue_is_empty(server)
        server.write_conf({**QUICK, 'relayhost': remote.site})
        server.reload()
        arrived(remote)


def test_reload_under_load(remote, second, tmp_path):
    """The roles that hold tables are started again; every message arrives."""
    count = 60
    with mapped(remote, tmp_path, {'transport_maps': ['z.example :']}) as (server, write):
        before = {role['role']: role['pid'] for role in server.status()['roles']}
        sent = set()
        for i in range(count):
            if i in (20, 40):
                eventually(lambda: second.messages or i == 20)
                write('transport_maps', [f'a.example smtp:{second.site}' if i == 20 else 'a.example :', f'# {i}'])
                server.reload()
                eventually(lambda: sum('queue[' in line and 'its tables changed' in line for line in server.lines) == i // 20)
            if send(server, f'x{i}@a.example', content=MARK % i).startswith('250'):
                sent.add(i)
        eventually(lambda: set(remote.marks()) | set(second.marks()) == sent and queue_is_empty(server), 40)
        assert sum(remote.marks().values()) + sum(second.marks().values()) == len(sent)
        assert len(sent) > count // 2 and second.messages
        after = {role['role']: role['pid'] for role in server.status()['roles']}
        assert after['queue'] != before['queue'] and after['smtp'] == before['smtp'] and after['smtpd'] == before['smtpd']


def test_broken_at_reload(remote, second, tmp_path):
    """A table that cannot be opened leaves the old ones in force."""
    with mapped(remote, tmp_path, {'transport_maps': [f'a.example smtp:{second.site}']}) as (server, _):
        (tmp_path / 'transport_maps').unlink()
        assert server.malle('reload', check=False).returncode == 1
        server.process.send_signal(signal.SIGHUP)
        server.wait_log('transport_maps: texthash:')
        server.wait_log('the old one stays in force')
        assert send(server, 'x@a.example').startswith('250')
        arrived(second)


def test_check(remote, tmp_path):
    with mapped(remote, tmp_path, {'transport_maps': ['a.example :']}) as (server, _):
        text = (server.dir / 'malle.conf').read_text()
        (server.dir / 'malle.conf').write_text(text + 'virtual_alias_maps = hash:/none\nsmtp_tls_policy_maps = odd:x\nrelay_recipient_maps = tcp:127.0.0.1\n')
        done = server.malle('check', check=False)
        assert done.returncode == 1
        for name in ('virtual_alias_maps: hash:/none', 'smtp_tls_policy_maps: odd:x', 'relay_recipient_maps: tcp:127.0.0.1: expected host:port'):
            assert name in done.stderr, done.stderr
        assert 'transport_maps' not in done.stderr.replace('smtp_tls', '')


def test_sender_dependent_relayhost(remote, second, tmp_path):
    lines = [f'{SENDER} {second.site}', f'<> {second.site}']
    with mapped(remote, tmp_path, {'sender_dependent_relayhost_maps': lines}) as (server, _):
        assert send(server, 'x@a.example', sender=SENDER).startswith('250')
        assert send(server, 'x@a.example', sender='').startswith('250')
        assert send(server, 'x@a.example', sender=OTHER).startswith('250')
        assert {m.sender for m in arrived(second, 2)} == {SENDER, ''}
        assert arrived(remote)[0].sender == OTHER


# --- logging in ---

SASL = {'smtp_sasl_auth_enable': 'yes', 'smtp_sasl_security_options': 'noanonymous'}


@pytest.fixture
def asking():
    with Remote(KEYWORDS + ('AUTH PLAIN',)) as it:
        yield it


def test_login(asking, tmp_path):
    with mapped(asking, tmp_path, {'smtp_sasl_password_maps': [f'{asking.site} joe:se:cret']}, **SASL) as (server, _):
        assert send(server, 'x@a.example').startswith('250')
        arrived(asking)
        assert asking.logins == ['joe:se:cret']
        assert not any('se:cret' in line for line in server.lines)


@pytest.mark.parametrize('mechanism', ['LOGIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'XOAUTH2'])
def test_login_by_each_mechanism(mechanism, tmp_path):
    """XOAUTH2, for which the password is a token, is used where it is named alone."""
    with Remote(KEYWORDS + (f'AUTH {mechanism}',)) as remote:
        conf = {**SASL, 'smtp_sasl_mechanism_filter': mechanism.lower()} if mechanism == 'XOAUTH2' else SASL
        with mapped(remote, tmp_path, {'smtp_sasl_password_maps': [f'{remote.site} joe:secret']}, **conf) as (server, _):
            assert send(server, 'x@a.example').startswith('250')
            arrived(remote)
            assert remote.logins == ['joe:secret']
            assert not any('secret' in line for line in server.lines)


def test_expired_token(tmp_path):
    """The mail waits for a new one, which is never sent by another mechanism, and neither is a password as a token."""
    with Remote(KEYWORDS + ('AUTH PLAIN XOAUTH2',)) as remote:
        table = {'smtp_sasl_password_maps': [f'{remote.site} joe:expired']}
        with mapped(remote, tmp_path, table, smtp_sasl_mechanism_filter='xoauth2', **SASL) as (server, write):
            assert send(server, 'x@a.example').startswith('250')
            server.wait_log('said: 535 5.7.8 wrong password')
            assert not remote.logins and not remote.messages
            write('smtp_sasl_password_maps', [f'{remote.site} joe:new', '# changed'])
            server.reload()
            arrived(remote)
            server.write_conf({**QUICK, **SASL, 'relayhost': remote.site, 'smtp_sasl_password_maps': f'texthash:{tmp_path}/smtp_sasl_password_maps'})
            server.reload()
            send(server, 'x@a.example')
            arrived(remote, 2)
        assert not server.messages(SENDER)


def test_server_that_does_not_know_the_password(tmp_path):
    """RFC 5802 §5: it says that all is well, and gets no mail."""
    with Remote(KEYWORDS + ('AUTH SCRAM-SHA-256',)) as remote:
        remote.lies = True
        with mapped(remote, tmp_path, {'smtp_sasl_password_maps': [f'{remote.site} joe:secret']}, **SASL) as (server, _):
            assert send(server, 'x@a.example').startswith('250')
            server.wait_log('status=deferred')
            assert not remote.messages
            remote.lies = False
            arrived(remote)


def test_login_refused_and_mended(asking, tmp_path):
    """RFC 4954 §6: a wrong password waits for the administrator; no mail is returned for it, and none goes without."""
    asking.answer('AUTH', '535 5.7.8 wrong password', match='AHdyb25n')
    with mapped(asking, tmp_path, {'smtp_sasl_password_maps': [f'{asking.site} wrong:x']}, **SASL) as (server, write):
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('SASL authentication failed; server 127.0.0.1[127.0.0.1]')
        assert not asking.messages and not asking.logins
        write('smtp_sasl_password_maps', [f'{asking.site} right:x', '# changed'])
        server.reload()
        arrived(asking)
        assert asking.logins == ['right:x']
        assert not server.messages(SENDER)


@pytest.mark.parametrize('conf', [{'smtp_sasl_security_options': 'noplaintext'}, {'smtp_sasl_mechanism_filter': 'scram-sha-256'}])
def test_password_is_kept(asking, tmp_path, conf):
    """No password over a connection without TLS, nor by a mechanism that is not wanted."""
    with mapped(asking, tmp_path, {'smtp_sasl_password_maps': [f'{asking.site} joe:secret']}, **{**SASL, **conf}) as (server, _):
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('offers no mechanism that may be used')
        assert not asking.logins and not asking.messages


def test_login_of_the_sender(asking, tmp_path):
    """A connection that one sender logged in to carries no other's mail."""
    lines = [f'{SENDER} one:x', f'{OTHER} two:x', f'{asking.site} all:x']
    with mapped(asking, tmp_path, {'smtp_sasl_password_maps': lines}, smtp_sender_dependent_authentication='yes', **SASL) as (server, _):
        for sender in (SENDER, OTHER, 'third@malle.test', SENDER):
            assert send(server, 'x@a.example', sender=sender).startswith('250')
            eventually(lambda: queue_is_empty(server), 20)
        wanted = {SENDER: 'one:x', OTHER: 'two:x', 'third@malle.test': 'all:x'}
        assert len(asking.logins) == asking.connections
        for message in arrived(asking, 4):
            assert asking.logins[message.connection - 1] == wanted[message.sender]


def test_malformed_password(asking, tmp_path):
    with mapped(asking, tmp_path, {'smtp_sasl_password_maps': [f'{asking.site} nothing']}, **SASL) as (server, _):
        assert send(server, 'x@a.example').startswith('250')
        server.wait_log('does not say user:password')
        assert not asking.messages


# --- TLS, addresses, names ---

def test_tls_policy(remote, second, tmp_path):
    """A policy binds one next hop alone; one that cannot be read binds it too."""
    tables = {'transport_maps': [f'a.example smtp:{second.site}', 'b.example smtp:[127.0.0.1]:1'],
              'smtp_tls_policy_maps': [f'{second.site} encrypt', '[127.0.0.1]:1 nonsense']}
    with mapped(remote, tmp_path, tables) as (server, write):
        for domain in ('a', 'b', 'c'):
            assert send(server, f'x@{domain}.example').startswith('250')
        arrived(remote)
        server.wait_log('TLS is required')
        server.wait_log('there is no level')
        assert not second.messages
        write('smtp_tls_policy_maps', [f'{second.site} none', '# changed'])
        server.reload()
        arrived(second)


def test_wrapper_mode_and_names(tmp_path):
    """RFC 8314 §3: TLS before the greeting, and a certificate for one of the names of the policy."""
    with Remote(tls=certificate(tmp_path)) as remote:
        conf = {'smtp_tls_wrappermode': 'yes', 'smtp_tls_ca_file': tmp_path / 'cert', 'smtp_tls_security_level': 'encrypt'}
        with mapped(remote, tmp_path, {'smtp_tls_policy_maps': [f'{remote.site} secure match=other.example']}, **conf) as (server, write):
            assert send(server, 'x@a.example').startswith('250')
            server.wait_log('status=deferred')
            assert not remote.messages
            write('smtp_tls_policy_maps', [f'{remote.site} secure match=other.example:relay.example protocols=>=TLSv1.3'])
            server.reload()
            arrived(remote)


def test_source_and_name(remote):
    with relaying(remote, smtp_bind_address='127.0.0.5', smtp_helo_name='out.malle.test') as server:
        assert send(server, 'x@a.example').startswith('250')
        arrived(remote)
        assert remote.peers == ['127.0.0.5'] and remote.greetings == ['EHLO out.malle.test']


# --- receiving ---

def rcpt(server, address, sender='stranger@client.example', listener='smtp'):
    """The reply to RCPT from a client that may not relay."""
    with Smtp(server, listener) as client:
        client.hello()
        return client.envelope(address, sender=sender)


def test_virtual_aliases(remote, tmp_path):
    """virtual(5): one address becomes several, here and elsewhere; a table that fails says 451."""
    lines = [f'list@malle.test {SENDER}, far@remote.example', f'@malle.test {OTHER}', f'{SENDER} {SENDER}', f'{OTHER} {OTHER}']
    with mapped(remote, tmp_path, {'virtual_alias_maps': lines}, mynetworks='') as (server, write):
        assert send(server, 'list@malle.test', sender='stranger@client.example').startswith('250')
        assert arrived(remote)[0].recipients == ('far@remote.example',)
        eventually(lambda: len(server.messages(SENDER)) == 1)
        assert send(server, 'whoever@malle.test', sender='stranger@client.example').startswith('250')
        eventually(lambda: len(server.messages(OTHER)) == 1)
        write('virtual_alias_maps', ['list@malle.test gone@malle.test', '# changed'])
        server.reload()
        eventually(lambda: rcpt(server, 'list@malle.test').startswith('550 5.1.1'))
        assert rcpt(server, 'whoever@malle.test').startswith('550 5.1.1')
        server.write_conf({**QUICK, 'relayhost': remote.site, 'virtual_alias_maps': 'fail:x'})
        server.reload()
        eventually(lambda: rcpt(server, SENDER).startswith('451 4.3.0'))


def test_relay_domains(remote, tmp_path):
    """Mail for these domains and no others is passed on for strangers; no way around it opens another."""
    lines = ['joe@relay.example ok', '@open.example ok']
    with mapped(remote, tmp_path, {'relay_recipient_maps': lines}, relay_domains='relay.example, .open.example, open.example',
                mynetworks='') as (server, _):
        for address in ('joe@relay.example', 'joe+tag@relay.example', 'x@open.example', 'X@Open.EXAMPLE'):
            assert rcpt(server, address).startswith('250'), address
        assert rcpt(server, 'ann@relay.example').startswith('550 5.1.1')
        assert rcpt(server, 'x@sub.open.example').startswith('550 5.1.1')  # the table knows the domain itself alone
        for address in ('x@other.example', 'x@sub.relay.example', 'x%other.example@open.example', 'other.example!x@open.example',
                        '"x@other.example"@open.example', '@open.example:x@other.example'):
            assert rcpt(server, address).startswith('554 5.7.1'), address
        with Smtp(server, 'submission') as client:
            client.hello()
            assert client.envelope('x@open.example', sender='s@client.example').startswith('530')
        assert send(server, 'x@open.example', sender='stranger@client.example').startswith('250')
        assert arrived(remote)[0].recipients == ('x@open.example',)


def test_relay_table_fails(remote):
    """451, and nothing is relayed."""
    with relaying(remote, relay_domains='open.example', relay_recipient_maps='fail:x', mynetworks='') as server:
        assert rcpt(server, 'x@open.example').startswith('451 4.3.0')
        assert rcpt(server, 'x@other.example').startswith('554 5.7.1')
