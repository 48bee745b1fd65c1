"""`| head`: a command whose reader has gone ends quietly, in all programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared_features.closed_pipe import EXIT_CLOSED_PIPE, ends_with_its_reader

ROOT = Path(__file__).parents[2]
COMMANDS = (
    ("streaming", "--help"),
    ("streaming", "version"),
    ("streaming", "catalogue"),
    ("streaming", "catalogue", "--json"),
    ("training", "--help"),
    ("training", "models"),
    ("serving", "--help"),
    ("deploy.demo", "--help"),
)


def without_reader(*command: str) -> "subprocess.Popen[str]":
    """The command, started, with a standard output that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)


def test_every_command_ends_without_a_traceback() -> None:
    running = {command: without_reader("-m", *command) for command in COMMANDS}
    ended = {command: (child.communicate(timeout=240)[1], child.returncode) for command, child in running.items()}
    for command, found in ended.items():
        quiet = {("", EXIT_CLOSED_PIPE), ("", 0)} if command[-1] == "--help" else {("", EXIT_CLOSED_PIPE)}
        assert found in quiet, command  # argparse itself ignores that its help could not be printed


def test_a_broken_pipe_of_something_else_is_not_swallowed() -> None:
    """A connection that breaks is an error like any other."""

    @ends_with_its_reader
    def main() -> int:
        raise BrokenPipeError("of a socket")

    with pytest.raises(BrokenPipeError, match="of a socket"):
        main()


DEMO = """
import sys
import deploy.demo.story

class Story:
    def __init__(self, options, screen, interruption, stack):
        self.screen = screen
        stack.callback(lambda: print("cleaned up", file=sys.stderr))

    def tell(self):
        while True:
            self.screen.line("a line of the demo")

deploy.demo.story.Story = Story
from deploy.demo.__main__ import main
sys.exit(main([]))
"""


def test_a_demo_that_nobody_watches_cleans_up_and_ends() -> None:
    child = without_reader("-c", DEMO)
    assert child.communicate(timeout=240)[1] == "cleaned up\n"
    assert child.returncode == EXIT_CLOSED_PIPE
