"""Mailboxes for the comparison over IMAP: the same files for each server, made from a seed, so that every run has the same mail.

The mix is that of a person's mailbox, 17 KiB in the mean: plain text, text with HTML in quoted-printable, text in base64, attachments;
headers of 2 KiB, a third of the messages answers to others, nine of ten read."""
import base64
import os
import quopri
import random

FIRST_SECOND = 1_700_000_000
NAMES = 'ada bert carl dora emil frida gustav hanna ivo jana kurt lena maja nils olga paul robin sara tom ute vera willi zoe'.split()
WORDS = '''about above across after again against almost along already also although always among another answer around because
become before began behind being believe below between both bring brought build called cannot carry certain change children city
clear close cold come common complete contain country course cover cross develop direct distance during each early earth east
enough even every example family father feet field figure final find first five follow food force form found four friend front full
garden gave general give good govern great green ground group grow half hand happen hard have head hear heard heat help here high
hold horse hour house however hundred idea important inch include interest island keep kind king knew know land language large last
late laugh learn leave left less letter life light line list listen little live long look love machine made main make many mark
mean measure might mile mind minute miss money month moon more morning most mother mountain move much music must name near need
never next night north note notice nothing number object ocean often once only open order other over own page paper part pass
pattern people perhaps person picture piece place plain plane plant point port pose possible power press problem produce product
pull question quick rain reach ready real reason record remember rest river road rock room round rule said same school science
second seem self sentence serve several shape ship short should show side simple since size slow small snow some song soon sound
south special spell stand star start state stay step still stood stop story street strong study such summer sure surface table
take talk teach tell test than that their them then there these they thing think this those though thought thousand three through
time together took town travel tree true turn under unit until usual very voice vowel wait walk want warm watch water week weight
well went were what wheel when where which while white whole winter with wonder wood word work world would write year young
Äpfel élève façade naïve Öl Übung'''.split()
HEADER = '''Return-Path: <{sender}>
Delivered-To: <user@bench.test>
Received: from mx{hop}.relay.example (mx{hop}.relay.example [192.0.2.{hop}])
\tby mail.bench.test (malle) with ESMTPS id {number:016X}
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)
\tfor <user@bench.test>; {date}
Received: from out{hop}.sender.example (out{hop}.sender.example [198.51.100.{hop}])
\tby mx{hop}.relay.example (Postfix) with ESMTPS id {number:08X}
\tfor <user@bench.test>; {date}
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s2024; h=from:to:subject:date:message-id:mime-version:
\tcontent-type; bh={hash}=; b={hash}{hash}{hash}{hash}
Authentication-Results: mail.bench.test; dkim=pass header.d=sender.example; spf=pass smtp.mailfrom={sender}
Message-ID: {id}
{references}Date: {date}
From: {name} <{sender}>
To: User <user@bench.test>
Cc: {copy} <{copy}@other.example>
Subject: {subject}
MIME-Version: 1.0
X-Mailer: {mailer}
{content}'''


def digest(number):
    return f'{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}'


def message_id(number):
    return f'<{number}.{digest(number)[:10]}@sender.example>'


class Writer:
    """Makes message after message."""

    def __init__(self, seed=7):
        self.random = random.Random(seed)
        self.paragraphs = [self.paragraph() for _ in range(400)]
        self.attachment = base64.encodebytes(self.random.randbytes(300_000)).decode()

    def paragraph(self):
        words, lines, line = self.random.choices(WORDS, k=self.random.randint(20, 120)), [], ''
        for word in words:
            if len(line) + len(word) > 71:
                lines.append(line)
                line = ''
            line += (' ' if line else '') + word
        return '\n'.join([*lines, line, '', ''])

    def text(self, size):
        text = ''
        while len(text) < size:
            text += self.random.choice(self.paragraphs)
        return text

    def html(self, text):
        style = ''.join(f'.c{i} {{ margin: {i}px; color: #{i * 4099:06x}; font-family: sans-serif }}\n' for i in range(40))
        body = ''.join(f'<p class="c{i % 40}">{part}</p>\n' for i, part in enumerate(text.split('\n\n')))
        return f'<html><head><style>\n{style}</style></head><body>\n{body}</body></html>\n'

    def content(self):
        """Content fields, an empty line and the body."""
        kind, size = self.random.random(), int(self.random.expovariate(1 / 2500)) + 300
        utf8 = 'Content-Type: text/{}; charset=utf-8\nContent-Transfer-Encoding: {}\n\n{}'
        text = self.text(size)
        if kind < 0.4:
            return utf8.format('plain', '8bit', text)
        if kind < 0.5:
            return utf8.format('plain', 'base64', base64.encodebytes(text.encode()).decode())
        boundary = f'=_{self.random.getrandbits(64):016x}'
        if kind < 0.8:
            parts = [utf8.format(sub, 'quoted-printable', quopri.encodestring(what.encode()).decode())
                     for sub, what in (('plain', text), ('html', self.html(text)))]
            sub = 'alternative'
        else:
            size = self.random.randint(100, 1500) * 77
            parts = [utf8.format('plain', '8bit', text),
                     f'Content-Type: application/pdf; name="paper.pdf"\nContent-Transfer-Encoding: base64\n'
                     f'Content-Disposition: attachment; filename="paper.pdf"\n\n{self.attachment[:size]}']
            sub = 'mixed'
        body = ''.join(f'--{boundary}\n{part}\n' for part in parts)
        return f'Content-Type: multipart/{sub};\n\tboundary="{boundary}"\n\n{body}--{boundary}--\n'

    def subject(self, number):
        words = ' '.join(self.random.choices(WORDS, k=self.random.randint(2, 8)))
        if not words.isascii() or number % 20 == 0:
            words = f'=?utf-8?B?{base64.b64encode(words.encode()).decode()}?='
        return words

    def message(self, number):
        """Bytes with LF line ends, and the second of its arrival."""
        second = FIRST_SECOND + number * 300 + self.random.randint(0, 299)
        name, root = self.random.choice(NAMES), number - self.random.randint(1, 20)
        answer = root > 0 and self.random.random() < 0.33
        date = f'{("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[number % 7]}, {number % 28 + 1} Nov 20{number % 20 + 4:02} ' \
               f'{number % 24:02}:{number % 60:02}:{number * 7 % 60:02} +0{number % 3}00'
        text = HEADER.format(
            number=number, sender=f'{name}{number % 50}@sender.example', hop=number % 200 + 1, date=date, hash=digest(number),
            id=message_id(number), references='References: {0}\nIn-Reply-To: {0}\n'.format(message_id(root)) if answer else '', name=name.capitalize(),
            copy=self.random.choice(NAMES), subject=('Re: ' if answer else '') + self.subject(number),
            mailer='Thunderbird 115' if number % 10 else 'mutt', content=self.content())
        return text.encode(), second


def new_maildir(path, owner):
    for folder in (path, *(path / name for name in ('cur', 'new', 'tmp'))):
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, owner, owner)
    os.chown(path.parent, owner, owner)


def fill(paths, owner, count, seed=7):
    """Writes the same messages into the Maildir of each path."""
    writer = Writer(seed)
    for path in paths:
        new_maildir(path, owner)
    for number in range(1, count + 1):
        content, second = writer.message(number)
        flags = '' if number % 10 == 0 else 'S'
        name = f'{second}.M{number}P1.bench,S={len(content)},W={len(content) + content.count(10)}:2,{flags}'
        for path in paths:
            file = path / 'cur' / name
            fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(fd, content)
            os.fchown(fd, owner, owner)
            os.utime(fd, (second, second))
            os.close(fd)
