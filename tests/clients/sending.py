"""Programs that send the corpus, each to an account of its own. Each returns the messages that it sent."""
import concurrent.futures
import re
import smtplib
import subprocess

from clients.conftest import Message, address, by_append, by_smtp, with_lf
from harness import FULL, TOP
from talk import Imap, Smtp

SENDER = 'sender@client.example'


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=100, **options)
    assert done.returncode == 0, f'{command[0]}: {done.returncode}: {done.stderr.decode(errors="replace")[-1000:]}'
    return done.stdout


def in_parallel(task, items):
    """As many as the machine has cores."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(task, items))


def dot_stuffed(content):
    return re.sub(rb'(?m)^\.', b'..', content) + b'.\r\n'


def with_smtplib(server, scratch):
    with smtplib.SMTP('127.0.0.1', server.port('smtp')) as client:
        for message in by_smtp():
            client.sendmail(SENDER, [address('smtplib')], message.content, ['BODY=8BITMIME'])
    return by_smtp()


def with_bdat(server, scratch):
    with Smtp(server) as client:
        client.hello()
        for i, message in enumerate(by_smtp()):
            assert client.envelope(address('bdat'), parameters=' BODY=8BITMIME').startswith('250')
            reply = client.bdat(message.content, chunk=(None, 1000, 100)[i % 3] if len(message.content) < 10000 else 7777)[0]
            assert reply.startswith('250'), (message.name, reply)
    return by_smtp()


def with_curl(server, scratch):
    """One run, one connection."""
    lines = []
    for i, message in enumerate(by_smtp()):
        path = scratch / str(i)
        path.write_bytes(message.content)
        lines.append(f'url = "smtp://127.0.0.1:{server.port("smtp")}/client.example"\nupload-file = "{path}"\n'
                     f'mail-from = "{SENDER}"\nmail-rcpt = "{address("curl")}"\nfail\nsilent\nshow-error\n')
    (scratch / 'config').write_text('next\n'.join(lines))
    run(['curl', '-K', scratch / 'config', '--fail-early'])
    return by_smtp()


def with_swaks(server, scratch):
    def send(numbered):
        number, message = numbered
        path = scratch / str(number)
        path.write_bytes(dot_stuffed(message.content))
        run(['swaks', '--server', '127.0.0.1', '--port', server.port('smtp'), '--ehlo', 'client.example', '--from', SENDER,
             '--to', address('swaks'), '--no-data-fixup', '--data', f'@{path}', '--silent', '3'])
    # starting Perl for every message takes most of the time: all of them in ./test full only
    chosen = by_smtp() if FULL else by_smtp()[::5]
    in_parallel(send, enumerate(chosen))
    return chosen


def with_smtp_source(server, scratch):
    """It puts an empty line behind the message."""
    tree = TOP / 'build/peers/postfix'

    def send(numbered):
        number, message = numbered
        path = scratch / str(number)
        path.write_bytes(with_lf(message.content))
        run([tree / 'usr/sbin/smtp-source', '-F', path, '-f', SENDER, '-t', address('smtp-source'), '-M', 'client.example',
             f'127.0.0.1:{server.port("smtp")}'], env={'LD_LIBRARY_PATH': f'{tree}/usr/lib/postfix:{tree}/usr/lib/x86_64-linux-gnu'})
    in_parallel(send, enumerate(by_smtp()))
    return [Message(m.name, m.content + b'\r\n') for m in by_smtp()]


def with_append(server, scratch):
    """Also what SMTP cannot carry."""
    with Imap(server) as client:
        assert client.login(address('append')).startswith('OK')
        for message in by_append():
            reply = client.append(message.content)
            assert reply.startswith('OK'), (message.name, reply)
    return by_append()


SENDERS = {'smtplib': with_smtplib, 'bdat': with_bdat, 'curl': with_curl, 'swaks': with_swaks, 'smtp-source': with_smtp_source,
           'append': with_append}
