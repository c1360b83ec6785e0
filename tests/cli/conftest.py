"""Fixtures that the tests of the command line share."""

import pytest

from firsthand.cli import main


@pytest.fixture
def command(monkeypatch, capsys):
    """Call a command in this process: exit code, output and errors."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["firsthand", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run
