"""Millrace's programs as children: their lines are handed on, and their end is explained."""

import os
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.parts.programs import Program


def program(tmp_path: Path, text: str) -> Program:
    (tmp_path / "small_program.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    return Program("small", ["small_program"], environment, tmp_path / "small.log")


def test_every_line_of_a_program_is_handed_on(tmp_path):
    lines: list[str] = []
    with program(tmp_path, "for each in range(3): print('line', each, flush=True)") as small:
        small.run_to_end(lines.append, lambda: None)
    assert lines == ["line 0", "line 1", "line 2"]


def test_a_program_that_fails_is_named_with_the_end_of_its_log(tmp_path):
    with (
        program(tmp_path, "raise SystemExit('no room for data')") as small,
        pytest.raises(LocalError, match=r"(?s)small ended with exit code 1\. The end of its log.*no room for data"),
    ):
        small.run_to_end(lambda line: None, lambda: None)


def test_a_program_that_was_asked_to_end_is_not_a_failure(tmp_path):
    small = program(tmp_path, "import time; time.sleep(60)")
    small.check()
    small.stop()
    small.check()
