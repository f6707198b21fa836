"""What is changed of mail as it leaves: smtp_generic_maps and smtp_header_checks; and commands that are changed as they come in."""
import re
import smtplib

import pytest

from harness import eventually
from relay.conftest import OTHER, SENDER, relaying, send
from relay.remote import Remote

GENERIC = ('inline:{ { sender@malle.test = me@isp.example }, { @inner.example = @outer.example }, { broken@malle.test = no address }, '
           '{ friend@else.example = other@else.example } }')
HEADER = (b'From: "A. Sender" <sender@malle.test>\r\nTo: x@inner.example,\r\n  friend@else.example (a friend)\r\nCc: Me+tag <sender+tag@malle.test>\r\n'
          b'Subject: sender@malle.test stays\r\nX-Mailer: secret\r\nX-Long: ' + b'x' * 70000 + b'\r\nMIME-Version: 1.0\r\n\r\nsender@malle.test stays\r\n')


def test_generic(remote):
    """Envelope and header, not the body; the log has the queue's own addresses."""
    with relaying(remote, smtp_generic_maps=GENERIC) as server:
        send(server, 'friend@else.example', 'x@inner.example', 'y@third.example', content=HEADER)
        message = eventually(lambda: remote.messages and remote.messages[0])
        assert message.sender == 'me@isp.example'
        assert sorted(message.recipients) == ['other@else.example', 'x@outer.example', 'y@third.example']
        text = message.content
        assert b'\r\nFrom: "A. Sender" <me@isp.example>\r\nTo: x@outer.example,\r\n  other@else.example (a friend)\r\nCc: Me+tag <me@isp.example>\r\n' in text
        assert b'\r\nSubject: sender@malle.test stays\r\n' in text and text.endswith(b'\r\n\r\nsender@malle.test stays\r\n')
        assert text.count(b'x' * 70000) == 1
        server.wait_log('to=<x@inner.example>')


def test_generic_of_a_bounce_and_of_nonsense(remote):
    """The null sender stays, and what is no address changes nothing."""
    with relaying(remote, smtp_generic_maps=GENERIC) as server:
        send(server, 'a@else.example', sender='')
        send(server, 'a@else.example', sender='broken@malle.test')
        eventually(lambda: len(remote.messages) == 2)
        assert sorted(m.sender for m in remote.messages) == ['', 'broken@malle.test']
        assert any('smtp_generic_maps: "no address" is no address' in line for line in server.lines)


def test_header_checks_of_what_leaves(tmp_path, remote):
    rules = tmp_path / 'rules'
    rules.write_text('/^X-Mailer:/ IGNORE\n/^X-Long: x/ REPLACE X-Short: y\n/^Subject: (.*)/ PREPEND X-Was: $1\n/^To:/ WARN to\n/^MIME/ IGNORE\n'
                     '/^Received:/ STRIP\n/^Cc:/ REJECT no\n')
    with relaying(remote, smtp_header_checks=f'regexp:{rules}', smtp_generic_maps=GENERIC) as server:
        send(server, 'a@else.example', content=HEADER)
        text = eventually(lambda: remote.messages and remote.messages[0]).content
        assert text.startswith(b'From: "A. Sender" <me@isp.example>\r\n') and b'X-Mailer' not in text and b'xxxx' not in text
        assert b'\r\nX-Was: sender@malle.test stays\r\nSubject: sender@malle.test stays\r\nX-Short: y\r\nMIME-Version: 1.0\r\n\r\nsender' in text
        server.wait_log(': warning: header To: x@inner.example,?  friend@else.example (a friend): to')
        server.wait_log('is not possible for mail that leaves')
        send(server, OTHER, content=HEADER)  # what stays here is not changed
        assert b'X-Mailer: secret' in eventually(lambda: server.messages(OTHER))[0].read_bytes()


PARTS = (b'From: a@a.example\r\nSubject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n--b\r\n'
         b'Content-Type: text/plain\r\nX-Part: 1\r\n\r\nsecret line\r\nlast line\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n'
         b'X-Part: 2\r\n\r\ntext\r\n--b--\r\n')


def test_checks_of_the_whole_message_that_leaves(tmp_path, remote):
    """Each table looks at its own fields and lines; what a DATA command of 8-bit mail would convert later is this already."""
    for name, rules in {'mime': '/^Content-Type: text/ REPLACE Content-Type: text/html\n/^X-Part/ IGNORE\n', 'nested': '/^Subject: (.*)/ PREPEND X-Was: $1\n',
                        'body': '/^secret/ STRIP gone\n/^last (.*)/ REPLACE first $1\n/^text/ REJECT no\n', 'header': '/^Subject/ WARN seen\n'}.items():
        (tmp_path / name).write_text(rules)
    conf = {f'smtp_{name}_checks': f'regexp:{tmp_path}/{name.split("_")[0]}' for name in ('mime_header', 'nested_header', 'body', 'header')}
    with relaying(remote, smtp_generic_maps='inline:{ {a@a.example = me@isp.example} }', **conf) as server:
        for filler in (b'', b'x' * 70 + b'\r\n'):
            send(server, 'a@else.example', content=PARTS.replace(b'preamble\r\n', b'preamble\r\n' + filler * 40000))
            text = eventually(lambda: remote.messages and remote.messages.pop()).content
            assert b'From: me@isp.example\r\nSubject: outer\r\n' in text and text.count(filler or b'preamble') == (40000 if filler else 1)
            assert text.endswith(b'--b\r\nContent-Type: text/html\r\n\r\nfirst line\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nX-Was: inner\r\nSubject: inner\r\n'
                                 b'X-Part: 2\r\n\r\ntext\r\n--b--\r\n')
        server.wait_log(': strip: body secret line: gone')
        server.wait_log(': warning: header Subject: outer: seen')
        server.wait_log('smtp_body_checks map: an action is not possible for mail that leaves: "text"')


def test_fields_that_are_dropped(tmp_path, remote):
    """Of the message's own header alone, behind what header_checks say of them; in memory and in a file."""
    (tmp_path / 'rules').write_text('/^bcc: (.*)/ PREPEND X-Saw: $1\n')
    conf = {'message_drop_headers': 'bcc, X-Mine', 'header_checks': f'regexp:{tmp_path}/rules'}
    start = b'X-Mine: 1,\r\n 2\r\nSubject: hello\r\nBcc: secret@a.example\r\nTo: x@a.example\r\n\r\nBcc: stays\r\n'
    with relaying(remote, **conf) as server:
        for filler in (b'', b'x' * 70 + b'\r\n'):
            send(server, 'x@a.example', OTHER, content=start + filler * 40000)
            text = eventually(lambda: remote.messages and remote.messages.pop()).content
            assert text.endswith(b'\r\nSubject: hello\r\nX-Saw: secret@a.example\r\nTo: x@a.example\r\n\r\nBcc: stays\r\n' + filler * 40000)
            assert b'X-Mine' not in text
        eventually(lambda: len(server.messages(OTHER)) == 2)
        for path in server.messages(OTHER):
            text = path.read_bytes()
            assert b'X-Mine' not in text and b'secret@a.example\nTo:' in text and f',S={len(text)},' in path.name


def test_who_had_logged_in(remote):
    """Received tells it where that is asked for, and of those who have alone."""
    for asked in ('no', 'yes'):
        with relaying(remote, smtpd_sasl_authenticated_header=asked) as server:
            with smtplib.SMTP_SSL('127.0.0.1', server.port('submissions'), context=server.tls_context()) as client:
                client.login(SENDER, 'secret')
                client.sendmail(SENDER, ['x@a.example'], 'Subject: x\r\n\r\nx\r\n')
            text = eventually(lambda: remote.messages and remote.messages.pop()).content
            assert (f'\r\n\t(Authenticated sender: {SENDER})\r\n\tby '.encode() in text) == (asked == 'yes')
            send(server, 'x@a.example')
            assert b'Authenticated' not in eventually(lambda: remote.messages and remote.messages.pop()).content


def test_reply_filter(tmp_path, remote):
    """Lines of replies are changed before they count: an extension that is not there, a refusal that is one for now."""
    (tmp_path / 'rules').write_text('/^250([- ])8BITMIME/ 250${1}X-NONE\n/^550 5\\.1\\.1 (.*)/ 450 4.1.1 $1\n/^250-SIZE .*/ 250-SIZE 500\n')
    remote.answer('RCPT', '550 5.1.1 busy', times=1)
    with relaying(remote, smtp_reply_filter=f'regexp:{tmp_path}/rules') as server:
        send(server, 'x@a.example', parameters=' BODY=8BITMIME', content='Subject: x\r\n\r\né\r\n'.encode())
        assert 'said: 450 4.1.1 busy' in server.wait_log('status=deferred')
        message = eventually(lambda: remote.messages and remote.messages[0])
        assert 'BODY=8BITMIME' not in message.parameters[0]
        send(server, 'y@a.example', content=b'Subject: x\r\n\r\n' + b'0123456789\r\n' * 60)
        server.wait_log('to=<y@a.example>')
        assert any('status=bounced' in line and 'to=<y@a.example>' in line for line in server.lines)


FILTER = ('/^5\\.1\\.1 (host .* said: 550 5\\.1\\.1 moving .*)/ 4.1.1 $1\n/^4(\\.2\\.1 host .* said: 450 4\\.2\\.1 never.*)/ 5$1\n/^2\\.0\\.0 .*/ 2.1.9 it is there\n'
          '/^5\\.7\\.1 / 5.7.9 ask the chief\n/^5\\.6\\.0 / 2.0.0 never mind\n/^4\\.6\\.0 / nonsense\n')
FILTERED = [  # the reply, and what is logged
    ('550 5.1.1 moving', 'dsn=4.1.1, status=deferred (host ', 'said: 550 5.1.1 moving'), ('450 4.2.1 never', 'dsn=5.2.1, status=bounced (host ', 'said: 450 4.2.1 never'),
    (None, 'dsn=2.1.9, status=sent (it is there)', ''), ('550 5.7.1 no', 'dsn=5.7.9, status=bounced (ask the chief)', ''),
    ('550 5.6.0 no', 'dsn=5.6.0, status=bounced (host ', ''), ('450 4.6.0 no', 'dsn=4.6.0, status=deferred (host ', '')]


def test_status_filter(tmp_path, remote):
    """What became of a recipient gets another status or other words, but what was delivered stays so; a result that is none is told."""
    (tmp_path / 'rules').write_text(FILTER)
    for number, (reply, *_) in enumerate(FILTERED):
        if reply:
            remote.answer('RCPT', reply, match=f'x{number}@')
    with relaying(remote, smtp_delivery_status_filter=f'regexp:{tmp_path}/rules', minimal_backoff_time='1h', maximal_backoff_time='1h') as server:
        for number, (_, *words) in enumerate(FILTERED):
            send(server, f'x{number}@a.example')
            line = server.wait_log(f'to=<x{number}@a.example>')
            assert all(word in line for word in words), line
        server.wait_log('smtp_delivery_status_filter: bad result "2.0.0 never mind" for status 5.6.0')
        server.wait_log('smtp_delivery_status_filter: bad result "nonsense" for status 4.6.0')
        texts = eventually(lambda: len(server.messages(SENDER)) == 3 and [path.read_text() for path in server.messages(SENDER)])
        told = sorted(re.search('^Status: (.*)$', text, re.M)[1] for text in texts)
        assert told == ['5.2.1', '5.6.0', '5.7.9'] and any('ask the chief' in text and '5.7.1' not in text for text in texts)


def test_status_filter_that_does_not_answer(remote):
    """Nothing fails for good then."""
    remote.answer('RCPT', '550 5.1.1 no')
    with relaying(remote, smtp_delivery_status_filter='tcp:127.0.0.1:1') as server:
        send(server, 'x@a.example')
        assert 'dsn=4.3.0, status=deferred' in server.wait_log('to=<x@a.example>')
        assert 'smtp_delivery_status_filter map lookup problem' in server.log() and not server.messages(SENDER)


def broken(line, limit=998):
    """As Postfix breaks it."""
    pieces = [line[:limit]]
    for at in range(limit, len(line), limit - 1):
        pieces.append(b' ' + line[at:at + limit - 1])
    return b'\r\n'.join(pieces)


@pytest.mark.parametrize('extensions', [('PIPELINING', 'SIZE 50000000'), ('PIPELINING', 'CHUNKING', 'SIZE 50000000')])
def test_long_lines(extensions):
    """smtp_line_length_limit: of messages in memory and in files; none is changed without need, and none without the setting."""
    lines = [b'x' * 998, b'y' * 999, b'z' * 3000, b'.' * 2000]
    contents = [b'Subject: %s\r\n\r\n%s\r\n' % (b's' * 1500, b'\r\n'.join(lines)), b'Subject: big\r\n\r\n' + b'\r\n'.join(lines) + b'\r\n' + b'0123456789\r\n' * 200000,
                b'Subject: short\r\n\r\n' + lines[0] + b'\r\n']
    for limit in ('998', '0'):
        with Remote(extensions) as remote, relaying(remote, smtp_line_length_limit=limit) as server:
            for content in contents:
                send(server, 'x@a.example', content=content)
                message = eventually(lambda remote=remote: remote.messages and remote.messages.pop(), 30)
                want = content if limit == '0' else b'\r\n'.join(broken(line) for line in content.split(b'\r\n'))
                assert message.content.endswith(b'\r\n' + want)
                assert 'SIZE=%d' % len(message.content) in message.parameters[0]


def test_a_table_that_does_not_answer(remote):
    """Mail waits, and is not sent unchanged."""
    with relaying(remote, smtp_generic_maps='tcp:127.0.0.1:1') as server:
        send(server, 'a@else.example', content=HEADER)
        server.wait_log('dsn=4.3.0, status=deferred (address or header mapping failed)')
        assert not remote.messages


def test_command_filter(tmp_path, remote):
    """A line of a client is changed before it is read; a footer from a table."""
    rules, footers = tmp_path / 'rules', tmp_path / 'footers'
    rules.write_text('/^MAIL FROM:<(.*)@old\\.example>(.*)/ MAIL FROM:<$1@new.example>$2\n')
    footers.write_text('/^550 5\\.1\\.1/ client $$client_address\\nhelp\n')
    with relaying(remote, smtpd_command_filter=f'pcre:{rules}', smtpd_reject_footer_maps=f'regexp:{footers}') as server:
        send(server, 'a@else.example', sender='joe@old.example')
        assert eventually(lambda: remote.messages and remote.messages[0]).sender == 'joe@new.example'
        with smtplib.SMTP('127.0.0.1', server.port('smtp')) as client:
            client.ehlo()
            client.mail(SENDER)
            code, text = client.rcpt('nobody@malle.test')
            assert code == 550 and text.splitlines()[1:] == [b'5.1.1 client 127.0.0.1', b'5.1.1 help']
            assert client.docmd('NONSENSE') == (500, b'5.5.2 Error: command not recognized')


def test_8bit_as_it_is():
    """Without conversion, a server that does not know 8BITMIME gets it all the same."""
    text = 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\né\r\n'.encode()
    for disabled, there in (('no', False), ('yes', True)):
        with Remote(keywords=('PIPELINING',)) as old, relaying(old, disable_mime_output_conversion=disabled) as server:
            send(server, 'a@else.example', content=text, parameters=' BODY=8BITMIME')
            assert ('é'.encode() in eventually(lambda old=old: old.messages and old.messages[0]).content) == there
