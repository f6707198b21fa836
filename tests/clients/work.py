"""Programs that do a piece of work in an account, as their users would. Each is called with the server, its account and a folder of its own."""
import contextlib
import hashlib
import os
import re
import shutil
import signal
import ssl
import subprocess

from clients.conftest import FRIEND, PASSWORD, address
from clients.marionette import Marionette
from clients.sending import run
from clients.terminal import Terminal
from harness import TOP
from ports import free_port

PEERS = TOP / 'tools/peers'


def environment(scratch):
    return {'HOME': str(scratch), 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8'}


def program(*command, tree='clients'):
    """The command line of a program that tools/peers has unpacked."""
    return [PEERS, tree, *command]


def run_program(scratch, *command, **options):
    return run(program(*command), env=environment(scratch), **options)


def certificate(server):
    """Of the server, without its key."""
    text = (server.dir / 'state/tls/self-signed.pem').read_text()
    return re.search(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n', text, re.S)[0]


# --- programs with a screen: one is read, two flagged, three moved to Archive, four deleted, and one sent ---

# A mailbox of mutt's is named by what stands for {}: an URL or a path.
MUTT_KEYS = ('<search>~s one<enter><display-message><exit><search>~s two<enter><flag-message><search>~s three<enter><save-message>{}<enter>'
             '<search>~s four<enter><delete-message><sync-mailbox>')
MUTT_RC = 'set confirmappend=no delete=yes quit=yes mark_old=no move=no wait_key=no sort=mailbox-order pager_stop=yes help=no\n'


def mutt_keys(archive, more=''):
    return f"push '{MUTT_KEYS.format(archive)}{more}<quit>'"


def with_mutt(server, account, scratch, name='mutt'):
    (scratch / 'certificate').write_text(certificate(server))
    imap, user = f'imaps://127.0.0.1:{server.port("imaps")}', address(account)
    (scratch / 'rc').write_text(f'''{MUTT_RC}set imap_user="{user}" imap_pass="{PASSWORD}" from="{user}" realname="{name}"
set smtp_url="smtps://{user.replace("@", "%40")}@127.0.0.1:{server.port("submissions")}/" smtp_pass="{PASSWORD}" smtp_authenticators=plain
set certificate_file="{scratch}/certificate" ssl_verify_host=no ssl_force_tls=yes
set folder="{imap}/" spoolfile="{imap}/INBOX" record="=Sent" header_cache="{scratch}/cache" tmpdir="{scratch}" editor="echo Hello. >>"
''')
    keys = mutt_keys('=Archive', f'<mail>{FRIEND}<enter>sent by {account}<enter><send-message>')
    with Terminal(program(name, '-n', '-F', scratch / 'rc', '-e', keys), environment(scratch)) as terminal:
        terminal.finish()


def with_neomutt(server, account, scratch):
    with_mutt(server, account, scratch, 'neomutt')


def with_alpine(server, account, scratch):
    there = f'/user={address(account)}/ssl/novalidate-cert'
    imap = f'{{127.0.0.1:{server.port("imaps")}{there}}}'
    (scratch / 'pinerc').write_text(f'''personal-name=Al
customized-hdrs=From: {address(account)}
user-domain=malle.test
smtp-server=127.0.0.1:{server.port("submissions")}{there}
inbox-path={imap}INBOX
folder-collections=Mail {imap}[]
default-fcc=Sent
last-version-used=9.99
sort-key=arrival
feature-list=allow-changing-from,enable-flag-cmd,enable-jump-shortcut,expunge-without-confirm,quit-without-confirm,send-without-confirm
''')
    command = program('alpine', '-p', scratch / 'pinerc')
    answers = [('PASSWORD: ', f'{PASSWORD}\r'), ('Preserve password', 'n')]
    with Terminal([*command, '-i'], environment(scratch), answers) as terminal:
        terminal.wait('four')
        terminal.type('j1\r\r')
        terminal.wait('Body of one')
        terminal.type('i')
        terminal.wait('four')
        for keys, answer in (('j2\r*', 'Flag'), ('*j3\rs', 'SAVE'), ('Archive\r', 'DONE|copied'), ('j4\rd', 'marked for deletion')):
            terminal.type(keys)
            terminal.wait(answer)
        terminal.type('xq')
        terminal.finish()
    with Terminal([*command, '-url', f'mailto:{FRIEND}?subject=sent%20by%20{account}&body=Hello.'], environment(scratch), answers) as terminal:
        terminal.wait('Hello')
        terminal.type('\x18')
        terminal.finish()


def with_perl(server, account, scratch):
    run_program(scratch, 'perl', TOP / 'tests/clients/imapclient.pl', server.port('imaps'), address(account), PASSWORD)


def with_imapflow(server, account, scratch):
    (scratch / 'certificate').write_text(certificate(server))
    run(program('node', TOP / 'tests/clients/imapflow.js', server.port('imaps'), address(account), PASSWORD, scratch / 'certificate',
                tree='imapflow'),
        env={**environment(scratch), 'NODE_PATH': str(TOP / 'build/peers/imapflow/node_modules')})


def with_thunderbird(server, account, scratch):
    """It does what a script tells it that runs inside."""
    port, profile, message = free_port(), scratch / 'profile', scratch / 'message'
    profile.mkdir()
    (profile / 'user.js').write_text(f'user_pref("marionette.port", {port});\nuser_pref("app.update.enabled", false);\n')
    message.write_text(f'From: {address(account)}\r\nTo: {FRIEND}\r\nSubject: sent by {account}\r\n\r\nHello.\r\n')
    command = program('thunderbird', '--headless', '--no-remote', '--marionette', '--remote-allow-system-access', '--profile', profile,
                      tree='thunderbird')
    with (scratch / 'output').open('wb') as output, \
            subprocess.Popen(command, env=environment(scratch), stdout=output, stderr=output, start_new_session=True) as process:
        try:
            inside = Marionette(port, lambda: process.poll() is None)
            script = (TOP / 'tests/clients/thunderbird.js').read_text()
            ports = {listener: server.port(listener) for listener in ('imaps', 'submissions')}
            in_base64 = ''.join(certificate(server).splitlines()[1:-1])
            failure = inside.run(script, ports, address(account), PASSWORD, in_base64, FRIEND, str(message))
            assert not failure, failure
            inside.quit()
            process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


# --- programs that keep a Maildir the same as the account ---

class Synchronizer:
    """name: of the program; near: the mailboxes of its Maildirs are folders there."""
    name = ''

    def __init__(self, server, account, scratch):
        self.server, self.account, self.scratch, self.near = server, account, scratch, scratch / 'near'
        self.near.mkdir()
        self.write_conf()

    def messages(self, mailbox):
        """Content by file, with LF and without what the program puts in."""
        found = [path for sub in ('new', 'cur') for path in sorted((self.near / mailbox / sub).glob('*'))]
        return {path: re.sub(rb'X-TUID: .{12}\n', b'', path.read_bytes()) for path in found}

    def find(self, mailbox, content):
        return next(path for path, there in self.messages(mailbox).items() if there == content)

    def flag(self, mailbox, content, letters):
        path = self.find(mailbox, content)
        path.rename(self.near / mailbox / 'cur' / f'{path.name.partition(":")[0]}:2,{letters}')

    def add(self, mailbox, content):
        (self.near / mailbox / 'cur' / f'1000000000.{os.urandom(8).hex()}.here:2,S').write_bytes(content)

    def delete(self, mailbox, content):
        self.find(mailbox, content).unlink()


class Mbsync(Synchronizer):
    def write_conf(self):
        (self.scratch / 'rc').write_text(f'''IMAPStore far
Host 127.0.0.1
Port {self.server.port("imaps")}
User {address(self.account)}
Pass {PASSWORD}
SSLType IMAPS
CertificateFile {self.server.dir}/state/tls/self-signed.pem

MaildirStore near
Path {self.near}/
Inbox {self.near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
''')

    def sync(self):
        run(['mbsync', '-q', '-c', self.scratch / 'rc', 'all'])


class Offlineimap(Synchronizer):
    def write_conf(self):
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate(self.server))).hexdigest()
        (self.scratch / 'rc').write_text(f'''[general]
accounts = all
metadata = {self.scratch}/state
ui = quiet
[Account all]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {self.near}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {self.server.port("imaps")}
remoteuser = {address(self.account)}
remotepass = {PASSWORD}
ssl = yes
cert_fingerprint = {fingerprint}
''')

    def sync(self):
        run_program(self.scratch, 'offlineimap', '-o', '-c', self.scratch / 'rc')


# --- programs that fetch mail ---

NOBODY = 65534


def getmail(server, account, scratch, kind, settings=''):
    """What one run brought. kind: IMAP or POP3. It does not work as root."""
    box = scratch / 'box'
    shutil.rmtree(box, ignore_errors=True)
    for path in (box, box / 'cur', box / 'new', box / 'tmp'):
        path.mkdir()
        os.chown(path, NOBODY, NOBODY)
    os.chown(scratch, NOBODY, NOBODY)
    (scratch / 'rc').write_text(f'''[retriever]
type = Simple{kind}SSLRetriever
server = 127.0.0.1
port = {server.port("imaps" if kind == "IMAP" else "pop3s")}
username = {address(account)}
password = {PASSWORD}
{settings}
[destination]
type = Maildir
path = {box}/
[options]
read_all = false
delivered_to = false
received = false
delete = {"true" if "move_on_delete" in settings or kind == "POP3" else "false"}
''')
    as_nobody = ('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups')
    run_program(scratch, *as_nobody, 'getmail', '--quiet', '--getmaildir', scratch, '--rcfile', 'rc')
    own = rb'(?m)^(Return-Path: <unknown>|X-getmail-[^\n]*)\n'
    return sorted(re.sub(own, b'', path.read_bytes()) for path in (box / 'new').iterdir())
