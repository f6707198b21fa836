"""Makes a test of every section of every transcript (*.t); the server of a file runs while its sections do."""
import pytest

from harness import Server
from wire.transcript import Mismatch, Player, Transcript


class TranscriptFile(pytest.File):
    server = None

    def collect(self):
        self.transcript = Transcript(self.path)
        for section in self.transcript.sections:
            yield TranscriptItem.from_parent(self, name=section.title, section=section)

    def running_server(self):
        if self.server is None:
            t = self.transcript
            self.server = Server(conf=t.config, users=t.users or None, start=False)
            for command in t.commands:
                self.server.malle(*command)
            self.server.start()
        return self.server

    def teardown(self):
        if self.server:
            self.server.__exit__(None, None, None)


class TranscriptItem(pytest.Item):
    def __init__(self, *, section, **rest):
        super().__init__(**rest)
        self.section = section

    def runtest(self):
        server = self.parent.running_server()
        first = len(server.lines)
        try:
            Player(self.parent.transcript, self.section, server).play()
        except Mismatch:
            self.add_report_section('call', 'log of malle', '\n'.join(server.lines[first:]))
            raise

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, Mismatch):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.section.line, self.name


def pytest_collect_file(file_path, parent):
    if file_path.suffix == '.t':
        return TranscriptFile.from_parent(parent, path=file_path)
    return None
