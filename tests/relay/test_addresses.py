"""Addresses on the way: aliases(5), relocated(5) and what else a recipient turns into."""
import contextlib
import json
import smtplib

from harness import eventually
from relay.conftest import OTHER, QUICK, SENDER, queue_is_empty, relaying, send
from relay.test_maps import arrived, mapped, rcpt
from talk import Smtp

STRANGER = 'stranger@client.example'


def mails(server, address):
    return [path.read_bytes() for path in server.messages(address)]


def test_alias_file(remote, tmp_path):
    """aliases(5) with files that it includes, each only when nobody but its owner can have written it."""
    tmp_path.chmod(0o755)
    files = {'aliases': f'# names\nlist: :include:{tmp_path}/members,\n  other\nmember: sender\nopen: :include:{tmp_path}/open\n'
                        f'gone: :include:{tmp_path}/gone\nloop: :include:{tmp_path}/loop\ncommand: :include:{tmp_path}/programs\n'
                        f'link: :include:{tmp_path}/link\nbroken entry\n',
             'members': f'Member\n:include:{tmp_path}/more\n', 'more': f'far@remote.example\n:include:{tmp_path}/members\n',
             'open': 'sender\n', 'programs': '|/bin/false\n', 'loop': f':include:{tmp_path}/loop\n'}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / 'open').chmod(0o664)
    (tmp_path / 'link').symlink_to(tmp_path / 'members')
    with mapped(remote, tmp_path, {}, alias_maps=f'aliases:{tmp_path}/aliases', mynetworks='', allow_mail_to_commands='') as (server, _):
        assert send(server, 'LIST@malle.test', sender=STRANGER).startswith('250')
        assert arrived(remote)[0].recipients == ('far@remote.example',)
        for address in (SENDER, OTHER):
            eventually(lambda: len(server.messages(address)) == 1)
        for name in ('open', 'gone', 'link'):
            assert rcpt(server, f'{name}@malle.test').startswith('451 4.3.5'), name
        assert rcpt(server, 'loop@malle.test').startswith('550 5.1.1')
        assert rcpt(server, 'command@malle.test').startswith('550 5.3.3')
        (tmp_path / 'open').chmod(0o644)
        (tmp_path / 'gone').write_text('other\n')
        server.reload()
        eventually(lambda: rcpt(server, 'open@malle.test').startswith('250'))
        assert rcpt(server, 'gone@malle.test').startswith('250')


def test_relocated(remote, tmp_path):
    lines = ['joe@malle.test joe@new.example', f'{OTHER} nowhere we know']
    with mapped(remote, tmp_path, {'relocated_maps': lines, 'virtual_alias_maps': [f'@malle.test {SENDER}']}, mynetworks='') as (server, _):
        reply = rcpt(server, 'joe@malle.test')
        assert reply.startswith('550 5.1.6') and reply.endswith('User has moved to joe@new.example'), reply
        assert rcpt(server, OTHER).endswith('User has moved to nowhere we know')
        assert rcpt(server, 'ann@malle.test').startswith('250')


def test_owner(remote, tmp_path):
    """owner-NAME is the sender of what goes to NAME's members, here and elsewhere; other recipients see the sender as it was."""
    (tmp_path / 'aliases').write_text('list: sender, far@remote.example\nowner-list: other\nplain: sender\n')
    tmp_path.chmod(0o755)
    with mapped(remote, tmp_path, {}, alias_maps=f'aliases:{tmp_path}/aliases') as (server, _):
        big = b'Subject: hello\r\n\r\n' + b'0123456789' * 150000 + b'\r\n'
        for content in (b'Subject: hello\r\n\r\nbody\r\n', big):
            assert send(server, 'list@malle.test', 'direct@remote.example', content=content, sender=STRANGER).startswith('250')
        messages = arrived(remote, 4)
        assert sorted((m.sender, m.recipients) for m in messages) == 2 * [('owner-list@malle.test', ('far@remote.example',))] + \
            2 * [(STRANGER, ('direct@remote.example',))]
        assert sorted(len(m.content) > len(big) for m in messages) == [False, False, True, True]
        kept = eventually(lambda: mails(server, SENDER))
        assert kept[0].startswith(b'Return-Path: <owner-list@malle.test>\n')
        assert send(server, 'owner-list@malle.test', sender='').startswith('250')
        eventually(lambda: len(server.messages(OTHER)) == 1)
        assert send(server, 'plain@malle.test', sender=STRANGER).startswith('250')
        eventually(lambda: any(m.startswith(f'Return-Path: <{STRANGER}>'.encode()) for m in mails(server, SENDER)))
        eventually(lambda: queue_is_empty(server))
        eventually(lambda: not [p.name for p in (server.dir / 'state/spool').iterdir() if p.name.count('.') == 0])


@contextlib.contextmanager
def broken(server, address):
    """A mailbox that nothing can be written to."""
    folder = server.maildir(address) / 'new'
    folder.chmod(0o500)
    yield
    folder.chmod(0o700)


def deferrals(server, address):
    return sum(f'to=<{address}>' in line and 'status=deferred' in line for line in server.lines)


def test_some_members_wait(remote, tmp_path):
    """Each member gets one copy, however often another one is tried again; here the queue finds out where an address leads."""
    lines = [f'both@malle.test {SENDER}, far@remote.example, {OTHER}', f'{SENDER} {SENDER}, self@remote.example']
    remote.answer('RCPT', '550 5.1.1 no', match='bad@')
    with mapped(remote, tmp_path, {'virtual_alias_maps': lines}) as (server, _):
        assert send(server, SENDER, OTHER).startswith('250')  # makes the mailboxes
        arrived(remote)
        with broken(server, SENDER):
            # a notification, which nobody looked at before the queue; its alias has another one in it
            assert send(server, 'bad@remote.example', sender='both@malle.test').startswith('250')
            eventually(lambda: deferrals(server, SENDER) >= 3)
            assert set(arrived(remote, 2)[1].recipients) == {'far@remote.example', 'self@remote.example'}
            # a mailbox that its own alias names
            first = deferrals(server, SENDER)
            assert send(server, SENDER, sender=STRANGER).startswith('250')
            eventually(lambda: deferrals(server, SENDER) >= first + 6)
            assert arrived(remote, 3)[2].recipients == ('self@remote.example',)
            listed = json.loads(server.malle('queue', 'list', '--json').stdout)
            assert [r['address'] for m in listed for r in m['recipients']] == [SENDER, SENDER]
            assert all(r['attempts'] > 1 and 'unavailable' in r['last_reply'] for m in listed for r in m['recipients'])
        eventually(lambda: queue_is_empty(server))
        assert [len(server.messages(a)) for a in (SENDER, OTHER)] == [3, 2]
        arrived(remote, 3)


def test_sender_of_what_the_queue_sends_on(remote, tmp_path):
    """An address that leads elsewhere only when its turn comes: a list's owner, and a sender that leads back."""
    (tmp_path / 'aliases').write_text('list: listed@remote.example, sender\nowner-list: other\n')
    tables = {'virtual_alias_maps': []}
    with mapped(remote, tmp_path, tables, alias_maps=f'aliases:{tmp_path}/aliases') as (server, write):
        assert send(server, OTHER, SENDER).startswith('250')
        with broken(server, OTHER):
            with Smtp(server) as client:
                client.hello()
                assert client.envelope(sender='Joe@client.example').startswith('250')
                assert client.command(f'RCPT TO:<{OTHER}> NOTIFY=SUCCESS').startswith('250')
                assert client.data(b'Subject: later\r\n\r\n' + b'0123456789' * 150000 + b'\r\n')[0].startswith('250')
            eventually(lambda: deferrals(server, OTHER) >= 1)
            write('virtual_alias_maps', [f'{OTHER} far@remote.example, list@malle.test'])
            server.reload()
            found = {m.recipients[0]: m for m in arrived(remote, 3)}
            assert found.pop('Joe@client.example').sender == ''  # told of the list's member here
            made = found['far@remote.example'].sender
            assert made.startswith('SRS0=') and made.endswith('=client.example=Joe@mail.malle.test'), made
            assert found['listed@remote.example'].sender == 'owner-list@malle.test'
            assert all(len(m.content) > 1500000 for m in found.values())
            eventually(lambda: any(b'Return-Path: <owner-list@malle.test>' in m for m in mails(server, SENDER)))
        assert rcpt(server, made, sender='').startswith('250')
        eventually(lambda: queue_is_empty(server))
        eventually(lambda: not [p.name for p in (server.dir / 'state/spool').iterdir() if p.name.count('.') == 0])


def test_srs(remote, tmp_path):
    """What an alias sends on has a sender that leads back; nobody else can make one."""
    lines = ['away@malle.test far@remote.example', f'both@malle.test far@remote.example {SENDER}']
    with mapped(remote, tmp_path, {'virtual_alias_maps': lines}, mynetworks='') as (server, write):
        assert send(server, 'both@malle.test', sender='Joe@client.example').startswith('250')
        made = arrived(remote)[0].sender
        assert made.startswith('SRS0=') and made.endswith('=client.example=Joe@mail.malle.test'), made
        assert eventually(lambda: mails(server, SENDER))[0].startswith(b'Return-Path: <Joe@client.example>\n')
        for sender in (SENDER, ''):  # ours is no stranger's domain, and a notification stays one
            assert send(server, 'away@malle.test', sender=sender).startswith('250')
        assert {m.sender for m in arrived(remote, 3)[1:]} == {SENDER, ''}
        # the way back, whatever happened to its case on the way
        server.restart()
        for address in (made, made.lower()):
            assert send(server, address, sender='').startswith('250')
        assert {m.recipients for m in arrived(remote, 5)[3:]} == {('Joe@client.example',), ('joe@client.example',)}
        forged = made.replace('=client.example=', '=victim.example=')
        for address in (forged, 'SRS0=AAAA=AA=victim.example=joe@mail.malle.test', 'SRS0=x@mail.malle.test'):
            assert rcpt(server, address, sender='').startswith('550 5.1.1'), address
        assert rcpt(server, made.replace('mail.malle.test', 'other.example'), sender='').startswith('554 5.7.1')
        # another secret, another domain, and none
        conf = {**QUICK, 'relayhost': remote.site, 'virtual_alias_maps': write('virtual_alias_maps', lines), 'mynetworks': ''}
        server.write_conf({**conf, 'srs_secret': 'shared', 'srs_domain': 'bounces.malle.test'})
        server.reload()
        eventually(lambda: rcpt(server, made, sender='').startswith('55'))
        assert send(server, 'away@malle.test', sender='joe@client.example').startswith('250')
        second = arrived(remote, 6)[5].sender
        assert second.endswith('@bounces.malle.test') and rcpt(server, second, sender='').startswith('250')
        server.write_conf({**conf, 'srs_enable': 'no'})
        server.reload()
        eventually(lambda: not rcpt(server, second, sender='').startswith('250'))
        assert send(server, 'away@malle.test', sender='joe@client.example').startswith('250')
        assert arrived(remote, 7)[6].sender == 'joe@client.example'
        # a message that the other server refuses is returned through the same sender
        remote.answer('RCPT', '550 5.1.1 no', match='far@')
        server.write_conf(conf)
        server.reload()
        eventually(lambda: rcpt(server, made, sender='').startswith('250'))
        assert send(server, 'away@malle.test', sender='joe@client.example').startswith('250')
        assert arrived(remote, 8)[7].recipients == ('joe@client.example',) and remote.messages[7].sender == ''


def test_blocked_addresses(remote, tmp_path):
    """A block is stronger than what would catch the address, and than an account of that name."""
    with mapped(remote, tmp_path, {'virtual_alias_maps': [f'@malle.test {SENDER}']}, mynetworks='') as (server, _):
        assert rcpt(server, 'shop@malle.test').startswith('250')
        server.malle('alias', 'add', '--block', 'spam@malle.test', '--note', 'Ask us by telephone')
        server.malle('alias', 'add', '--block', OTHER)
        for address in ('spam@malle.test', 'SPAM+tag@malle.test'):
            reply = rcpt(server, address)
            assert reply.startswith('550 5.1.1') and reply.endswith('Ask us by telephone'), reply
        assert rcpt(server, OTHER).startswith('550 5.1.1')
        server.malle('alias', 'disable', 'spam@malle.test')
        assert rcpt(server, 'spam@malle.test').startswith('250')
        assert rcpt(server, 'shop@malle.test').startswith('250')


def test_masked_address(remote):
    """Mail arrives, and nothing that goes back says whose the address is."""
    with relaying(remote) as server:
        server.malle('domain', 'add', 'second.test')
        mask = server.malle('alias', 'add', '--masked', SENDER, '--note', 'shop').stdout.split(' ')[0]
        brief = server.malle('alias', 'add', '--masked', SENDER, '--expires', '3s').stdout.split(' ')[0]
        assert rcpt(server, brief).startswith('250')
        assert send(server, mask, sender=STRANGER).startswith('250')
        text = eventually(lambda: mails(server, SENDER))[0]
        assert f'\nDelivered-To: {mask}\n'.encode() in text and b'for <' + mask.encode() in text
        assert SENDER.encode() not in text
        # a report of its delivery
        with Smtp(server) as client:
            client.hello()
            assert client.envelope(sender=STRANGER).startswith('250')
            assert client.command(f'RCPT TO:<{mask}> NOTIFY=SUCCESS').startswith('250')
            reply = client.data(b'Subject: two\r\n\r\nbody\r\n')[0]
            assert reply.startswith('250') and SENDER not in reply
        report = arrived(remote)[0].content
        assert f'Final-Recipient: rfc822; {mask}'.encode() in report and SENDER.encode() not in report
        # its owner may send as it
        with smtplib.SMTP_SSL('localhost', server.port('submissions'), context=server.tls_context()) as client:
            client.login(SENDER, 'secret')
            assert client.mail(mask)[0] == 250
        server.malle('alias', 'disable', mask)
        eventually(lambda: rcpt(server, mask).startswith('550 5.1.1'))
        eventually(lambda: rcpt(server, brief).startswith('550 5.1.1'), 20)
        assert SENDER not in rcpt(server, mask)
        server.malle('alias', 'enable', mask)
        eventually(lambda: rcpt(server, mask).startswith('250'))
        server.malle('alias', 'del', mask)
        eventually(lambda: rcpt(server, mask).startswith('550 5.1.1'))


def test_canonical(remote, tmp_path):
    """canonical(5) for the envelope: senders and recipients, ours and those of others; nobody gets to relay by it."""
    tables = {'canonical_maps': ['@old.example @new.example', f'old@malle.test {SENDER}', 'loop@remote.example loop@remote.example'],
              'sender_canonical_maps': [f'{SENDER} Known.Name@malle.test'],
              'recipient_canonical_maps': [f'boss@malle.test {OTHER}', 'moved@malle.test there@remote.example', '@old.example @newest.example']}
    with mapped(remote, tmp_path, tables) as (server, write):
        assert send(server, 'x+tag@old.example', 'loop@remote.example', 'moved@malle.test', 'BOSS@malle.test', sender='Joe@old.example').startswith('250')
        first, second = sorted(arrived(remote, 2), key=lambda m: m.sender)
        assert (first.sender, set(first.recipients)) == ('Joe@new.example', {'x+tag@newest.example', 'loop@remote.example'})
        assert second.sender.startswith('SRS0=') and second.recipients == ('there@remote.example',)
        assert eventually(lambda: mails(server, OTHER))[0].startswith(b'Return-Path: <Joe@new.example>\n')
        assert send(server, 'far@remote.example', 'old@malle.test', sender=SENDER).startswith('250')
        assert arrived(remote, 3)[2].sender == 'Known.Name@malle.test'
        assert eventually(lambda: mails(server, SENDER))[0].startswith(b'Return-Path: <Known.Name@malle.test>\n')
        assert send(server, 'far@remote.example', sender='').startswith('250')
        assert arrived(remote, 4)[3].sender == ''
        conf = {**QUICK, 'relayhost': remote.site, 'mynetworks': '', 'canonical_maps': write('canonical_maps', tables['canonical_maps'])}
        server.write_conf(conf)
        server.reload()
        eventually(lambda: rcpt(server, 'far@remote.example').startswith('554'))
        assert rcpt(server, 'x@old.example').startswith('554 5.7.1')
        assert rcpt(server, 'old@malle.test').startswith('250')
        server.write_conf({**conf, 'recipient_canonical_maps': write('recipient_canonical_maps', tables['recipient_canonical_maps'])})
        server.reload()
        eventually(lambda: rcpt(server, 'moved@malle.test').startswith('250'))
        server.write_conf({**conf, 'recipient_canonical_maps': 'fail:x'})
        server.reload()
        eventually(lambda: rcpt(server, SENDER).startswith('451 4.3.0'))
        server.write_conf({**conf, 'sender_canonical_maps': 'fail:x'})
        server.reload()
        eventually(lambda: rcpt(server, SENDER).startswith('250'))
        assert send(server, SENDER).startswith('451 4.3.0')


HEADER = (b'From: Joe <joe@old.example>\r\nTo: "X, Y" <boss@malle.test> (boss), ann@old.example,\r\n\tgroup: me@old.example, far@remote.example;\r\n'
          b'Reply-To: joe (x) @old.example\r\nCc: Joe Doe, joe@old.example\r\nSubject: joe@old.example\r\nResent-From: ' + SENDER.encode() + b'\r\n')
BODY = b'\r\nTo: joe@old.example\r\nbody\r\n'
HEADER_AFTER = (b'From: Joe <joe@new.example>\r\nTo: "X, Y" <' + OTHER.encode() + b'> (boss), ann@newest.example,\r\n\tgroup: me@newest.example, far@remote.example;\r\n'
                b'Reply-To: joe (x) @old.example\r\nCc: Joe Doe, joe@old.example\r\nSubject: joe@old.example\r\nResent-From: Known.Name@malle.test\r\n')
CANONICAL = {'canonical_maps': ['@old.example @new.example'], 'sender_canonical_maps': [f'{SENDER} Known.Name@malle.test'],
             'recipient_canonical_maps': [f'boss@malle.test {OTHER}', '@old.example @newest.example']}


def relayed(remote, server, content, **how):
    """What became of a message behind our own field, which comes first; its SIZE is right."""
    count = len(remote.messages) + 1
    assert send(server, 'far@remote.example', content=content, **how).startswith('250')
    message = arrived(remote, count)[-1]
    assert f' SIZE={len(message.content)}' in message.parameters[0]
    return message.content.partition(b'\r\n')[2].partition(b'(malle)')[2].partition(b'\r\n')[2] or message.content


def test_canonical_headers(remote, tmp_path):
    """canonical(5): fields of senders and of recipients each by their tables, in mail of this machine's programs."""
    with mapped(remote, tmp_path, CANONICAL) as (server, write):
        for more in (b'', b'0123456789' * 150 + b'\r\n'):
            more *= 1000 if more else 1
            assert relayed(remote, server, HEADER + BODY + more).endswith(HEADER_AFTER + BODY + more)
        # a mailbox here, whose file is as long as its name says
        assert send(server, SENDER, content=HEADER + BODY).startswith('250')
        [path] = eventually(lambda: server.messages(SENDER))
        assert path.read_bytes().endswith((HEADER_AFTER + BODY).replace(b'\r\n', b'\n')) and f',S={path.stat().st_size},' in path.name
        # all of it is header, and no line end
        assert relayed(remote, server, b'From: joe@old.example\r\n').endswith(b'From: joe@new.example\r\n')
        # what is signed, and what is too long, stays
        for fields in (b'DKIM-Signature: v=1\r\n', (b'X: ' + b'y' * 500 + b'\r\n') * 600):
            assert relayed(remote, server, fields + HEADER + BODY).endswith(fields + HEADER + BODY)
        conf = {**QUICK, 'relayhost': remote.site, **{name: write(name, lines) for name, lines in CANONICAL.items()}}

        def reloaded(address, expected, **more):
            server.write_conf({**conf, **more})
            server.reload()
            eventually(lambda: relayed(remote, server, b'From: joe@old.example\r\nTo: ' + address + b'\r\n\r\n').endswith(expected + b'\r\n\r\n'))
        reloaded(b'joe@old.example', b'From: joe@new.example\r\nTo: joe@old.example', canonical_classes='header_sender', recipient_canonical_classes='envelope_recipient')
        reloaded(b'joe@old.example', b'From: joe@old.example\r\nTo: joe@old.example', local_header_rewrite_clients='permit_sasl_authenticated')
        reloaded(b'joe', b'From: joe@new.example\r\nTo: joe@new.example', append_at_myorigin='yes', myorigin='old.example', recipient_canonical_maps='')
        reloaded(b'joe@host', b'From: joe@old.example\r\nTo: joe@host.malle.test', append_dot_mydomain='yes', local_header_rewrite_clients='permit_mynetworks',
                 canonical_maps='', sender_canonical_maps='', recipient_canonical_maps='')
        server.write_conf({**conf, 'canonical_maps': 'fail:x', 'canonical_classes': 'header_sender'})
        server.reload()
        eventually(lambda: send(server, SENDER, content=HEADER + BODY).startswith('451 4.3.0'))
        assert send(server, SENDER, content=b'Subject: x\r\n\r\n').startswith('250')


def test_headers_of_those_who_log_in(remote, tmp_path):
    """Only where the setting names them, when they come from elsewhere; strangers' mail never changes."""
    with mapped(remote, tmp_path, CANONICAL, local_header_rewrite_clients='permit_sasl_authenticated') as (server, _):
        assert relayed(remote, server, HEADER + BODY).endswith(HEADER + BODY)
        with smtplib.SMTP_SSL('localhost', server.port('submissions'), context=server.tls_context()) as client:
            client.login(SENDER, 'secret')
            client.sendmail(SENDER, ['far@remote.example'], HEADER + BODY)
        assert arrived(remote, 2)[1].content.endswith(HEADER_AFTER + BODY)


def test_verp(remote, tmp_path):
    """A list's mail goes to each member from a sender that names the member; what comes back reaches the owner."""
    long = 'x' * 60 + '@remote.example'
    (tmp_path / 'aliases').write_text(f'list: joe@remote.example, ann@other.example, {long}\nowner-list: other\n')
    tmp_path.chmod(0o755)
    with mapped(remote, tmp_path, {}, alias_maps=f'aliases:{tmp_path}/aliases', verp_senders='Owner-List@malle.test') as (server, _):
        assert send(server, 'list@malle.test', 'x@remote.example', 'y@remote.example', sender=STRANGER).startswith('250')
        messages = arrived(remote, 4)
        senders = {m.recipients: m.sender for m in messages}
        assert senders == {('joe@remote.example',): 'owner-list+joe=remote.example@malle.test', (long,): 'owner-list@malle.test',
                           ('ann@other.example',): 'owner-list+ann=other.example@malle.test',
                           ('x@remote.example', 'y@remote.example'): STRANGER}
        assert send(server, 'owner-list+joe=remote.example@malle.test', sender='').startswith('250')
        text = eventually(lambda: mails(server, OTHER))[0]
        assert b'for <owner-list+joe=remote.example@malle.test>' in text
        eventually(lambda: queue_is_empty(server))
