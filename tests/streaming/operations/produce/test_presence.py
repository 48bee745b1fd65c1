"""Somebody else can see that `produce` sends, also if it is killed."""

import subprocess
import sys
from pathlib import Path

from streaming.operations.produce.presence import is_present, present
from tests.streaming.processes import ROOT

HOLD = """
import sys, pathlib
from streaming.operations.produce.presence import present
with present(pathlib.Path(sys.argv[1])):
    print("there", flush=True)
    sys.stdin.read()
"""


def test_it_is_seen_while_it_lasts_and_ends_with_the_last_one(tmp_path: Path) -> None:
    assert not is_present(tmp_path)
    with present(tmp_path):
        with present(tmp_path):
            assert is_present(tmp_path)
        assert is_present(tmp_path)
    assert not is_present(tmp_path)


def test_a_process_that_is_killed_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        assert is_present(tmp_path)
        process.kill()
        process.wait()
        assert not is_present(tmp_path)


def test_a_lake_that_is_elsewhere_stops_nobody(tmp_path: Path) -> None:
    with present(tmp_path / "elsewhere"):
        assert not is_present(tmp_path / "elsewhere")
