"""Programs that read an account's INBOX: the content of each message, with CRLF line ends unless said otherwise."""
import imaplib
import mailbox
import poplib
import re

from clients.conftest import PASSWORD, address
from clients.sending import run


def with_imaplib(server, account, scratch):
    client = imaplib.IMAP4_SSL('localhost', server.port('imaps'), ssl_context=server.tls_context())
    client.login(address(account), PASSWORD)
    _, counts = client.select('INBOX')
    found = []
    for first in range(1, int(counts[0]) + 1, 50):
        _, parts = client.fetch(f'{first}:{min(first + 49, int(counts[0]))}', '(BODY.PEEK[])')
        found += [part[1] for part in parts if isinstance(part, tuple)]
    client.logout()
    return found


def with_poplib(server, account, scratch):
    poplib._MAXLINE = 1 << 22  # pylint: disable=protected-access  # its own limit is for lines of mail as they should be
    client = poplib.POP3_SSL('localhost', server.port('pop3s'), context=server.tls_context())
    client.user(address(account))
    client.pass_(PASSWORD)
    found = []
    for i in range(1, client.stat()[0] + 1):
        _, lines, _ = client.retr(i)
        found.append(b'\r\n'.join(lines) + b'\r\n')
    client.quit()
    return found


def curl_all(server, account, scratch, url, count):
    lines = [f'url = "{url}{i}"\noutput = "{scratch}/{account}-{i}"\n' for i in range(1, count + 1)]
    (scratch / 'config').write_text(f'user = "{address(account)}:{PASSWORD}"\ninsecure\nsilent\nshow-error\nfail\n' + ''.join(lines))
    run(['curl', '--fail-early', '-K', scratch / 'config'])
    return [(scratch / f'{account}-{i}').read_bytes() for i in range(1, count + 1)]


def with_curl_imap(server, account, scratch):
    count = len(server.messages(address(account)))
    return curl_all(server, account, scratch, f'imaps://127.0.0.1:{server.port("imaps")}/INBOX;MAILINDEX=', count)


def with_curl_pop3(server, account, scratch):
    count = len(server.messages(address(account)))
    return curl_all(server, account, scratch, f'pop3s://127.0.0.1:{server.port("pop3s")}/', count)


def with_mbsync(server, account, scratch):
    """Line ends are LF in its Maildir; its own X-TUID field is taken out again."""
    (scratch / 'mail').mkdir()
    (scratch / 'mbsyncrc').write_text(f'''IMAPStore far
Host 127.0.0.1
Port {server.port("imaps")}
User {address(account)}
Pass {PASSWORD}
SSLType IMAPS
CertificateFile {server.dir}/state/tls/self-signed.pem
AuthMechs LOGIN

MaildirStore near
Path {scratch}/mail/
Inbox {scratch}/mail/INBOX

Channel all
Far :far:
Near :near:
Pattern INBOX
Create Near
Sync Pull
SyncState *
''')
    run(['mbsync', '-q', '-c', scratch / 'mbsyncrc', 'all'])
    folder = mailbox.Maildir(scratch / 'mail/INBOX', create=False)
    return [re.sub(rb'X-TUID: .{12}\n', b'', folder.get_bytes(key)) for key in folder.keys()]


def with_fetchmail(server, account, scratch):
    """Each message goes to a program that files it under a new name."""
    box = scratch / 'box'
    box.mkdir()
    keeper = scratch / 'keep'
    keeper.write_text(f'#!/bin/sh\nexec cat >$(mktemp {box}/XXXXXXXXXX)\n')
    keeper.chmod(0o755)
    rc = scratch / 'fetchmailrc'
    rc.write_text(f'''set no bouncemail
set invisible
poll 127.0.0.1 protocol IMAP port {server.port("imaps")} auth password
  user "{address(account)}" password "{PASSWORD}" ssl sslproto "TLS1.2+" no sslcertck
  fetchall keep no rewrite no mimedecode pass8bits no dropstatus no stripcr mda "{keeper}"
''')
    rc.chmod(0o600)
    run(['fetchmail', '--silent', '--nodetach', '--nosyslog', '-f', rc, '--pidfile', scratch / 'pid', '--idfile', scratch / 'ids'],
        env={'HOME': str(scratch), 'PATH': '/usr/bin:/bin', 'FETCHMAILHOME': str(scratch)})
    return [path.read_bytes() for path in box.iterdir()]
