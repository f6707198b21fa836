"""The transcript notation itself: what patterns match, what escapes mean, and what is no transcript."""
import pytest

from wire.transcript import Mismatch, Transcript, pattern, unescape


@pytest.mark.parametrize('text, line, matches', [
    ('250 *', '250 2.1.0 fine', True),
    ('250 *', '250-more', False),
    ('250', '250 fine', False),
    ('* OK *', '* OK ready', True),
    ('* OK *', 'a OK ready', False),
    ('a\\*b', 'a*b', True),
    ('a\\*b', 'axb', False),
    ('* FLAGS (.)', '* FLAGS (x)', False),
    ('* <<uid>> FETCH', '* 12 FETCH', True),
    ('* <<known>> FETCH', '* 7 FETCH', True),
    ('* <<known>> FETCH', '* 12 FETCH', False),
])
def test_pattern(text, line, matches):
    assert bool(pattern(text, {'known': '7'}).match(line)) is matches


def test_pattern_keeps_words():
    assert pattern('* OK [UIDVALIDITY <<v>>] *', {}).match('* OK [UIDVALIDITY 99] x')['v'] == '99'


@pytest.mark.parametrize('text, data', [
    ('a\\r\\n', b'a\r\n'),
    ('\\0\\x00\\xff\\\\', b'\0\0\xff\\'),
    ('{3*ab}c', b'abababc'),
    ('{2*\\r\\n}', b'\r\n\r\n'),
    ('\\{5}\\r\\n', b'{5}\r\n'),
    ('é', 'é'.encode()),
])
def test_escapes(text, data):
    assert unescape(text) == data


@pytest.mark.parametrize('text', ['S: before any section\n', '# RFC 5321 §1: x\nHello\n', '# RFC 5321 §1: x\n# user: a b\n'])
def test_no_transcript(tmp_path, text):
    (tmp_path / 'x.t').write_text(text)
    with pytest.raises(Mismatch):
        Transcript(tmp_path / 'x.t')


def test_directives(tmp_path):
    (tmp_path / 'smtp').mkdir()
    path = tmp_path / 'smtp/x.t'
    path.write_text('# about\n# config: a = b = c\n# user: j@x.y pass word\n# malle: alias add q@x.y j@x.y\n'
                    '# listener b: imaps\n\n# RFC 5321 §1: first\n# listener: lmtp\nC: NOOP\nb S: * OK\n\n# RFC 5321 §2: second\nTLS:\n')
    t = Transcript(path)
    assert (t.config, t.users) == ({'a': 'b = c'}, {'j@x.y': 'pass word'})
    assert t.commands == [['alias', 'add', 'q@x.y', 'j@x.y']]
    assert [s.title for s in t.sections] == ['RFC 5321 §1: first', 'RFC 5321 §2: second']
    assert t.sections[0].steps == [(9, None, 'C', 'NOOP'), (10, 'b', 'S', '* OK')]
    assert t.listener(t.sections[0], None) == 'lmtp' and t.listener(t.sections[1], None) == 'smtp'
    assert t.listener(t.sections[0], 'b') == 'imaps' and t.listener(t.sections[0], 'c') == 'lmtp'
