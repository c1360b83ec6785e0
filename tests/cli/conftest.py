"""Fixtures that the tests of the command line share."""

import pytest

from tests.processes import called_text


@pytest.fixture
def command():
    """Call a command in this process: exit code, output and errors."""

    def run(*arguments):
        done = called_text(*arguments)
        return done.returncode, done.stdout, done.stderr

    return run
