"""Domains and clients that tables name: what is written there counts at once."""
import contextlib
import sqlite3

from harness import Server, eventually
from relay.conftest import OTHER, QUICK, SENDER, relaying
from relay.test_maps import rcpt
from relay.test_proxymap import place, sqlite_table  # noqa: F401
from talk import Smtp


class Port:
    def __init__(self, number):
        self.number = number

    def port(self, _):
        return self.number


def change(place, name, statement):  # noqa: F811
    with contextlib.closing(sqlite3.connect(place / f'{name}.db')) as db:
        db.execute(statement)
        db.commit()


def test_domains_of_a_database(remote, place):  # noqa: F811
    """Ours, and those that mail is passed on for; names below them by a dot, or by parent_domain_matches_subdomains."""
    ours = sqlite_table(place, 'ours', {'live.example': 'x'})
    relayed = sqlite_table(place, 'relayed', {'relay.example': 'x', '.below.example': 'x'})
    conf = {'domain_maps': ours, 'relay_domain_maps': relayed, 'mynetworks': '', 'virtual_alias_maps': f'inline:{{ {{joe@live.example={SENDER}}} }}'}
    with relaying(remote, **conf) as server:
        assert rcpt(server, 'joe@live.example').startswith('250') and rcpt(server, 'ann@live.example').startswith('550 5.1.1')
        assert rcpt(server, 'joe@sub.live.example').startswith('554 5.7.1')
        assert rcpt(server, 'x@relay.example').startswith('250') and rcpt(server, 'x@a.below.example').startswith('250')
        assert rcpt(server, 'x@sub.relay.example').startswith('554 5.7.1') and rcpt(server, 'x%y@relay.example').startswith('554 5.7.1')
        change(place, 'ours', "UPDATE t SET k = 'sub.live.example'")
        change(place, 'relayed', "DELETE FROM t WHERE k = 'relay.example'")
        assert rcpt(server, 'x@relay.example').startswith('554 5.7.1')
        eventually(lambda: rcpt(server, 'ann@live.example').startswith('554 5.7.1'), step=0.2)
    with relaying(remote, **conf, parent_domain_matches_subdomains='relay_domains') as server:
        change(place, 'relayed', "UPDATE t SET k = 'below.example'")
        assert rcpt(server, 'x@a.below.example').startswith('250')


def test_tables_that_do_not_answer(remote):
    """451, and never a refusal for good or an open relay."""
    with relaying(remote, relay_domain_maps='tcp:127.0.0.1:1', mynetworks='') as server:
        assert rcpt(server, 'x@relay.example').startswith('451 4.3.0') and rcpt(server, SENDER).startswith('250')
    with relaying(remote, domain_maps='tcp:127.0.0.1:1', mynetworks='') as server:
        assert rcpt(server, 'x@relay.example').startswith('451') and rcpt(server, SENDER).startswith('250')
    with relaying(remote, mynetworks_maps='tcp:127.0.0.1:1', mynetworks='') as server:
        assert rcpt(server, 'x@relay.example').startswith('451 4.3.0') and rcpt(server, SENDER).startswith('250')


def test_clients_of_a_table(tmp_path):
    """One address of a table may relay, another may not; a listener may have other tables, or none."""
    tmp_path.chmod(0o755)
    (tmp_path / 'clients').write_text('127.0.0.1 a comment\n')
    sections = '[listener strict]\nprotocol = smtp\nport = 226\nmynetworks_maps =\n'
    conf = {**QUICK, 'mynetworks': '', 'mynetworks_maps': f'texthash:{tmp_path}/clients', 'relayhost': '[127.0.0.1]:9'}
    restricted = {**conf, 'smtpd_relay_restrictions': 'permit_mynetworks, reject_unauth_destination'}
    for settings in (conf, restricted):
        with Server(conf=settings, users={SENDER: 's', OTHER: 'o'}, sections=sections) as server:
            assert rcpt(server, 'x@else.example').startswith('250')
            with Smtp(Port(226 + server.offset)) as client:
                client.hello()
                assert client.envelope('x@else.example', sender=SENDER).startswith('554 5.7.1')
            (tmp_path / 'clients').write_text('127.0.0.2 a comment\n')
            server.reload()
            eventually(lambda: rcpt(server, 'x@else.example').startswith('554 5.7.1'), step=0.2)
            (tmp_path / 'clients').write_text('127.0.0.1 a comment\n')
