"""What a step prints is kept, also what a library prints below Python, and is still seen where it was seen before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from training.runs.records.step_log import read_log

PROGRAM = """
import os, sys
from pathlib import Path
from training.runs.records.step_log import logged
run = Path(sys.argv[1])
with logged(run, "fit"):
    print("printed")
    os.write(2, b"by a library\\n")
with logged(run, "fit"):
    print("again")
with logged(run / "gone", "fit"):
    print("no folder", file=sys.stderr)
print("after", file=sys.stderr)
"""


def test_what_a_step_prints_is_in_its_log_and_on_standard_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True)
    assert sorted(read_log(tmp_path, "fit").splitlines()) == ["again", "by a library", "printed"]
    assert sorted(done.stderr.splitlines()) == ["after", "again", "by a library", "no folder", "printed"]
    assert read_log(tmp_path, "export") == ""
    (tmp_path / "export.log").write_bytes(b"x" * 100_000 + b"end")
    assert read_log(tmp_path, "export") == "x" * (65_536 - 3) + "end"
