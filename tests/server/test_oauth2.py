"""Log-ins with tokens of OAuth 2: OAUTHBEARER (RFC 7628) and XOAUTH2 over IMAP, POP3 and submission, with tokens that are signed (RFC 7519)
and with servers that are asked about them (RFC 7662)."""
import base64
import json
import pathlib
import tempfile
import time

import pytest

from harness import Server
from mail import Lines
from net.certificates import Authority
from sasl import Bearer, Plain, XOAuth2, run_imap
from test_sasl import PROTOCOLS, Client
from tokens import ISSUER, Key, claims, forged, web

USER, OTHER, DISABLED, IN_DATABASE, DENIED = 'joe@malle.test', 'ann@malle.test', 'off@malle.test', 'dora@malle.test', 'eve@malle.test'
MECHANISMS = {'OAUTHBEARER': Bearer, 'XOAUTH2': XOAuth2}
CONFIGURATION = f'{ISSUER}/.well-known/openid-configuration'


class Identity:
    """Keys and files."""

    def __init__(self, folder):
        self.folder = folder
        self.rsa, self.ec, self.stranger = Key(folder, 'r1', 'RS256'), Key(folder, 'e1', 'ES256'), Key(folder, 'r1-of-another', 'RS256')
        self.stranger.kid = 'r1'
        self.set = {'keys': [{'kty': 'oct', 'k': 'AAAA', 'kid': 'o1', 'alg': 'HS256'}, self.rsa.jwk(), self.ec.jwk()]}
        (folder / 'jwks.json').write_text(json.dumps(self.set))
        (folder / 'deny').write_text(f'{DENIED}:::::\n')
        (folder / 'homes').mkdir()
        (folder / 'homes').chmod(0o777)

    def settings(self, name, **values):
        path = self.folder / f'{name}.conf.ext'
        path.write_text(''.join(f'{key} = {value}\n' for key, value in values.items()))
        return path

    def conf(self, settings, **more):
        return {'auth_mechanisms': 'plain, oauthbearer, xoauth2', 'auth_failure_delay': '10ms', 'auth_account_failures': '1000',
                'passdb': f'{{driver=passwd-file, deny=yes, args={self.folder}/deny}}, {{driver=oauth2, args={settings}}}',
                'userdb': f'{{driver=static, {{args = uid=64791 gid=64791 allow_all_users=yes home={self.folder}/homes/%u '
                          f'mail=maildir:{self.folder}/homes/%u/Maildir}}}}', **more}


@pytest.fixture(scope='module')
def identity():
    with tempfile.TemporaryDirectory(prefix='malle-oauth2-') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield Identity(folder)


@pytest.fixture(scope='module')
def server(identity):
    settings = identity.settings('local', introspection_mode='local', jwks=identity.folder / 'jwks.json', issuers=f'https://other {ISSUER}',
                                 audiences='mail', scope='mail', openid_configuration_url=CONFIGURATION)
    with Server(conf=identity.conf(settings), users={USER: 'joes', OTHER: 'anns', DISABLED: 'offs'}) as s:
        s.malle('user', 'disable', DISABLED)
        yield s


@pytest.fixture(params=PROTOCOLS)
def listener(request):
    return request.param


@pytest.fixture(params=MECHANISMS)
def mechanism(request):
    return MECHANISMS[request.param]


def log_in(server, mechanism, name, token, listener='imaps'):
    """Whether it worked, the last line, and what a refusal says."""
    with Client(server, listener) as client:
        how = mechanism(name, token)
        return (*client.log_in(how), how.refusal)


@pytest.mark.parametrize('alg', ['rsa', 'ec'])
def test_a_good_token(server, identity, listener, mechanism, alg):
    works, reply, refusal = log_in(server, mechanism, USER, getattr(identity, alg).token(claims(USER)), listener)
    assert works and not refusal, reply


def tampered(identity):
    head, _, signature = identity.rsa.token(claims(OTHER)).split('.')
    return '.'.join((head, identity.rsa.token(claims(USER)).split('.')[1], signature))


def unsigned(identity, alg):
    head, body, _ = identity.rsa.token(claims(USER), alg=alg).split('.')
    return f'{head}.{body}.'


NOW = time.time()
REFUSED = {
    'expired': lambda i: i.rsa.token(claims(USER, exp=int(NOW) - 1)),
    'without an end': lambda i: i.rsa.token(claims(USER, exp=None)),
    'not valid yet': lambda i: i.rsa.token(claims(USER, nbf=int(NOW) + 3600)),
    'another issuer': lambda i: i.rsa.token(claims(USER, iss='https://evil.example')),
    'no issuer': lambda i: i.rsa.token(claims(USER, iss=None)),
    'another audience': lambda i: i.rsa.token(claims(USER, aud='web')),
    'no audience': lambda i: i.rsa.token(claims(USER, aud=None)),
    'of nobody': lambda i: i.rsa.token(claims(USER, email=None)),
    'tampered with': tampered,
    'signed by a stranger': lambda i: i.stranger.token(claims(USER)),
    'signed by a key that is not named': lambda i: i.rsa.token(claims(USER), kid='e1'),
    'signed by an unknown key': lambda i: i.rsa.token(claims(USER), kid='r2'),
    'alg none': lambda i: unsigned(i, 'none'),
    'alg None': lambda i: unsigned(i, 'None'),
    'no signature': lambda i: unsigned(i, 'RS256'),
    'HS256 with the public key': lambda i: forged(i.rsa.pem, claims(USER), kid='r1'),
    'HS256 with the public key, without its name': lambda i: forged(i.rsa.pem, claims(USER)),
    'HS256 with a key of the set that is public': lambda i: forged(b'\0\0\0', claims(USER), kid='o1'),
    'RS256 said of a curve': lambda i: i.ec.token(claims(USER), alg='RS256'),
    'critical extension': lambda i: i.rsa.token(claims(USER), crit=['exp']),
    'no token': lambda i: 'opaque',
    'two parts': lambda i: 'eyJhbGciOiJub25lIn0.e30',
}


@pytest.mark.parametrize('what', REFUSED)
def test_a_bad_token(server, identity, what):
    """RFC 7628 §3.2.2, §3.2.3: a challenge that says why, and then the failure."""
    works, reply, refusal = log_in(server, Bearer, USER, REFUSED[what](identity))
    assert not works and reply.startswith('a NO [AUTHENTICATIONFAILED] ')
    assert refusal == {'status': 'invalid_token', 'scope': 'mail', 'openid-configuration': CONFIGURATION}


def test_somebody_elses_token(server, identity, mechanism):
    works, reply, refusal = log_in(server, mechanism, USER, identity.rsa.token(claims(OTHER)))
    assert not works and refusal['status'] in ('invalid_token', '401')
    works, reply, refusal = log_in(server, mechanism, f'{USER}x', identity.rsa.token(claims(USER)))
    assert not works and refusal['status'] in ('invalid_token', '401')


def test_the_words_of_each_protocol(server, identity, listener, mechanism):
    works, reply, refusal = log_in(server, mechanism, USER, REFUSED['expired'](identity), listener)
    assert not works and reply.startswith({'submissions': '535 5.7.8 ', 'imaps': 'a NO [AUTHENTICATIONFAILED] ', 'pop3s': '-ERR [AUTH] '}[listener])
    expected = {'status': 'invalid_token'} if mechanism is Bearer else {'status': '401', 'schemes': 'bearer'}
    assert refusal == {**expected, 'scope': 'mail', 'openid-configuration': CONFIGURATION}
    if listener == 'submissions':
        server.wait_log(f'SASL {mechanism.mechanism} authentication failed: the token is expired')


def test_the_scope(server, identity, mechanism):
    for scope in ('openid', 'openid mailx', None):
        works, _, refusal = log_in(server, mechanism, USER, identity.rsa.token(claims(USER, scope=scope)))
        assert not works and refusal['status'] == ('insufficient_scope' if mechanism is Bearer else '403')


def test_what_token_is_needed(server):
    """RFC 7628 §4.3: no token at all asks where to get one."""
    with Client(server, 'imaps') as client:
        how = Bearer(USER, '')
        how.messages = [f'n,a={USER},\1host=localhost\1auth=\1\1'.encode()]
        assert not client.log_in(how)[0] and how.refusal['openid-configuration'] == CONFIGURATION


def test_who_is_not_there(server, identity):
    """A token alone makes no account, and opens none that is disabled."""
    assert not log_in(server, Bearer, DISABLED, identity.rsa.token(claims(DISABLED)))[0]
    assert not log_in(server, Bearer, DENIED, identity.rsa.token(claims(DENIED)))[0]
    assert not log_in(server, Bearer, '', identity.rsa.token(claims(DENIED)))[0]
    assert not log_in(server, Bearer, '', identity.rsa.token(claims(DISABLED)))[0]
    assert not log_in(server, Bearer, '', identity.rsa.token(claims('x@y@malle.test/../')))[0]


def test_without_a_name_the_token_says_it(server, identity, listener):
    works, reply, _ = log_in(server, Bearer, '', identity.ec.token(claims(USER.upper())), listener)
    assert works, reply
    if listener != 'submissions':
        server.wait_log(f'user=<{USER}>, method=OAUTHBEARER')


def test_a_user_of_the_userdb(server, identity, listener):
    assert log_in(server, Bearer, IN_DATABASE, identity.rsa.token(claims(IN_DATABASE)), listener)[0]


def test_a_token_as_password(server, identity):
    """As with Dovecot: programs that know PLAIN alone."""
    with Client(server, 'imaps') as client:
        assert not client.log_in(Plain(IN_DATABASE, 'x.y.z'))[0]
        token = identity.ec.token({name: value for name, value in claims(IN_DATABASE, iat=None).items() if name != 'scope'} | {'scope': 'mail'})
        assert client.log_in(Plain(IN_DATABASE, token))[0]


@pytest.mark.parametrize('message', [b'', b'\1', b'n,,', b'p=tls-unique,,\1auth=Bearer x\1\1', b'n,a=%s,\1auth=Bearer x' % USER.encode(),
                                     b'n,a=\xff,\1auth=Bearer x\1\1', b'n,a=a=2,\1auth=Bearer x\1\1', b'n,,\1auth=Bearer x y\1\1', b'\0' * 3000])
def test_malformed_messages(server, message):
    with Client(server, 'imaps') as client:
        client.lines.send('a AUTHENTICATE OAUTHBEARER ' + (base64.b64encode(message).decode() or '='))
        assert client.lines.line().startswith('a NO ')
        client.lines.send('b NOOP')
        assert client.lines.line().startswith('b OK')


def test_the_client_that_cancels(server):
    with Client(server, 'imaps') as client:
        client.lines.send('a AUTHENTICATE OAUTHBEARER ' + base64.b64encode(Bearer(USER, 'x').message()).decode())
        assert client.lines.line().startswith('+ ey')
        client.lines.send('*')
        assert client.lines.line().startswith('a BAD ')


def test_no_token_on_a_clear_connection(server):
    lines = Lines(server.connect('imap'))
    assert 'OAUTH' not in lines.line()
    works, reply = run_imap(lines, Bearer(USER, 'x'))
    assert not works and reply.startswith('a NO [PRIVACYREQUIRED] ')


def test_the_log_has_no_token(server):
    assert not [line for line in server.log().splitlines() if 'eyJ' in line]


def test_not_offered_without_being_named():
    with Server(users={USER: 'joes'}) as s, Client(s, 'imaps') as client:
        works, reply = client.log_in(Bearer(USER, 'x'))
        assert not works and reply.startswith('a NO [CANNOT] ')


# --- servers that are asked ---

OPAQUE = 'opaque-token_~+/=='


def introspect(method, path, headers, form):
    """Knows one token of USER, however it is shown; others are inactive (RFC 7662 §2.2)."""
    shown = headers.get('Authorization', '').removeprefix('Bearer ') if path == '/auth' else form.get('token', [path.rpartition('=')[2]])[0]
    if shown in ('down', 'nonsense', 'refused'):
        return {'down': (503, {}), 'nonsense': (200, b'{"active":'), 'refused': (401, {})}[shown]
    if shown in (OPAQUE, OPAQUE.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')):
        return 200, {'active': True, 'email': USER, 'exp': int(time.time()) + 60}
    return 200, {'active': False}


MODES = {
    'auth': ({'introspection_url': 'http://localhost:{port}/auth'}, ('GET', '/auth', f'Bearer {OPAQUE}', {})),
    'get': ({'introspection_url': 'http://127.0.0.1:{port}/get?token=', 'introspection_mode': 'get'},
            ('GET', '/get?token=opaque-token_~%2B%2F%3D%3D', None, {})),
    'post': ({'introspection_url': 'http://localhost:{port}/post', 'introspection_mode': 'post', 'client_id': 'malle', 'client_secret': 's3:cret'},
             ('POST', '/post', 'Basic ' + base64.b64encode(b'malle:s3:cret').decode(), {'token': [OPAQUE]})),
    'post, named in the address': ({'introspection_url': 'http://me:p%40ss@localhost:{port}/post', 'introspection_mode': 'post'},
                                   ('POST', '/post', 'Basic ' + base64.b64encode(b'me:p@ss').decode(), {'token': [OPAQUE]})),
    'tokeninfo': ({'tokeninfo_url': 'http://localhost:{port}/info?access_token='},
                  ('GET', '/info?access_token=opaque-token_~%2B%2F%3D%3D', None, {})),
}


@pytest.mark.parametrize('mode', MODES)
def test_servers_that_are_asked(identity, mode):
    settings, request = MODES[mode]
    with web(introspect) as site:
        values = {name: value.format(port=site.server_port) for name, value in settings.items()}
        with Server(conf=identity.conf(identity.settings('ask', active_attribute='active', **values)), users={USER: 'joes', OTHER: 'anns'}) as s:
            assert log_in(s, XOAuth2, USER, OPAQUE, 'submissions')[0]
            assert site.requests == [request]
            assert log_in(s, Bearer, '', OPAQUE)[0]
            works, _, refusal = log_in(s, Bearer, OTHER, OPAQUE)
            assert not works and refusal == {'status': 'invalid_token'}
            for token in ('unknown', 'refused'):
                works, reply, refusal = log_in(s, Bearer, USER, token)
                assert not works and refusal == {'status': 'invalid_token'} and reply.startswith('a NO [AUTHENTICATIONFAILED] ')
            for token in ('down', 'nonsense'):
                works, reply, refusal = log_in(s, Bearer, USER, token)
                assert not works and not refusal and reply.startswith('a NO [UNAVAILABLE] ')
            count = len(site.requests)
            assert not log_in(s, Bearer, USER, 'x y')[0] and len(site.requests) == count, 'what is no token goes nowhere'


def test_a_server_that_is_down(identity):
    with web(introspect) as site:
        port = site.server_port
    settings = identity.settings('down', introspection_url=f'http://127.0.0.1:{port}/auth')
    with Server(conf=identity.conf(settings), users={USER: 'joes'}) as s:
        assert log_in(s, Bearer, USER, OPAQUE)[1].startswith('a NO [UNAVAILABLE] ')
        assert log_in(s, XOAuth2, USER, OPAQUE, 'submissions')[1].startswith('454 4.7.0 ')
        assert log_in(s, Bearer, USER, OPAQUE, 'pop3s')[1].startswith('-ERR [SYS/TEMP] ')
        with Client(s, 'imaps') as client:
            assert client.log_in(Plain(USER, 'joes'))[0], 'passwords of accounts do not need it'


def test_a_server_that_is_slow(identity):
    def respond(*_):
        time.sleep(3)
        return 200, {}
    with web(respond) as site:
        settings = identity.settings('slow', introspection_url=f'http://127.0.0.1:{site.server_port}/auth', timeout_msecs=300)
        with Server(conf=identity.conf(settings), users={USER: 'joes'}) as s:
            before = time.monotonic()
            assert log_in(s, Bearer, USER, OPAQUE)[1].startswith('a NO [UNAVAILABLE] ')
            assert time.monotonic() - before < 2.5


# --- keys elsewhere ---

def test_keys_of_a_server(identity):
    """Over HTTPS; asked for once, and not again for each token that names a key that is not there."""
    (identity.folder / 'ca').mkdir()
    authority = Authority(identity.folder / 'ca')
    with web(lambda *_: (200, identity.set), authority.context('localhost')) as site:
        url = f'https://localhost:{site.server_port}/keys'
        settings = identity.settings('keys', jwks=url, tls_ca_cert_file=authority.certificate)
        with Server(conf=identity.conf(settings), users={USER: 'joes'}) as s:
            assert log_in(s, Bearer, USER, identity.rsa.token(claims(USER)))[0]
            for _ in range(3):
                assert not log_in(s, Bearer, USER, identity.rsa.token(claims(USER), kid='r2'))[0]
            assert log_in(s, Bearer, USER, identity.ec.token(claims(USER)))[0]
            assert [path for _, path, _, _ in site.requests] == ['/keys']
        with Server(conf=identity.conf(identity.settings('stranger', jwks=url)), users={USER: 'joes'}) as s:
            assert log_in(s, Bearer, USER, identity.rsa.token(claims(USER)))[1].startswith('a NO [UNAVAILABLE] ')
            assert len(site.requests) == 1


@pytest.mark.parametrize('words', ['2.3', '2.4'])
def test_a_folder_of_keys(identity, words):
    """Dovecot's local_validation_key_dict: FOLDER/AZP/ALG/KID; in a file of its own, and in dovecot.conf of 2.4."""
    folder = identity.folder / 'keys'
    for azp, key, kid in (('default', identity.rsa, 'r1'), ('app%2fx', identity.ec, 'e%251')):
        (folder / azp / key.alg).mkdir(parents=True, exist_ok=True)
        (folder / azp / key.alg / kid).write_bytes(key.pem)
    settings = identity.settings('folder', introspection_mode='local', local_validation_key_dict=f'fs:posix:prefix={folder}/', client_id='mail')
    conf = identity.folder / 'dovecot.conf'
    conf.write_text(f'''dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
oauth2_client_id = mail
oauth2 {{
  introspection_mode = local
  oauth2_local_validation {{
    dict fs {{
      fs posix {{
        prefix = {folder}/
      }}
    }}
  }}
}}
''')
    with Server(conf=identity.conf(f'{conf}!oauth2/!00000000' if words == '2.4' else settings), users={USER: 'joes'}) as s:
        assert log_in(s, Bearer, USER, identity.rsa.token(claims(USER)))[0]
        assert log_in(s, Bearer, USER, identity.ec.token(claims(USER, azp='app/x'), kid='e%1'))[0]
        for token in (identity.ec.token(claims(USER), kid='e%1'), identity.stranger.token(claims(USER)), identity.rsa.token(claims(USER, aud='web')),
                      identity.rsa.token(claims(USER, azp='..'), kid='../keys/default/RS256/r1'), forged(identity.rsa.pem, claims(USER), kid='r1')):
            assert not log_in(s, Bearer, USER, token)[0]


@pytest.mark.parametrize('settings, text', [
    ({}, 'introspection_url or tokeninfo_url is needed'),
    ({'introspection_mode': 'local'}, 'jwks or local_validation_key_dict is needed'),
    ({'introspection_url': 'ftp://x/'}, 'introspection_url is no address of http: or https:'),
    ({'jwks': '/nonexistent'}, 'cannot open /nonexistent'),
    ({'introspection_url': 'http://localhost/', 'introspection_mode': 'put'}, 'introspection_mode: "put" has no meaning there'),
    ({'introspection_url': 'http://localhost/', 'use_grant_password': 'yes'}, 'use_grant_password: malle does not do that'),
    ({'introspection_url': 'http://localhost/', 'timeout_msecs': '0'}, 'timeout_msecs is no number of milliseconds'),
    ({'local_validation_key_dict': 'redis:host=x', 'introspection_mode': 'local'}, 'local_validation_key_dict: expected fs:posix:prefix=')])
def test_settings_that_are_wrong(identity, settings, text):
    with Server(conf=identity.conf(identity.settings('wrong', **settings)), users={USER: 'joes'}, start=False) as s:
        result = s.malle('check', check=False)
        assert result.returncode and text in result.stdout + result.stderr
