"""`./run coverage`: the lines of the four packages that their own tests run, each package against its floor.

Only lines that run inside the tests' processes are counted. Programs that tests start are not traced: traced programs
take twice the time, and miss the bounds that tests set. So the slow tests and those that need Apache Kafka are left
out, and tests of a law draw few examples: more of them run the same lines again.

It ends with 0 when every package holds its floor. A test that fails here fails in `./run test` too, or fails because it
is traced, so only `./run test` judges the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.covered_lines.floors import read_floors, verdicts

_ROOT = Path(__file__).resolve().parents[2]
_TESTS_RAN = (0, 1)  # pytest's exit codes: all passed, some failed


def main(arguments: list[str]) -> int:
    began_s, floors = time.monotonic(), read_floors(_ROOT)
    with tempfile.TemporaryDirectory(prefix="millrace-coverage-") as name:
        report = Path(name) / "report.json"
        status = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-m", "not slow and not kafka", "--hypothesis-profile=lines"),
                *("--cov", f"--cov-report=json:{report}"),
                *(arguments or [f"tests/{package}" for package in floors]),
            ],
            cwd=_ROOT,
            env=os.environ | {"COVERAGE_FILE": str(Path(name) / "lines")},
            check=False,
        ).returncode
        if status not in _TESTS_RAN:
            print(f"FAILED: pytest ended with {status} and measured nothing")
            return status
        found = list(verdicts(json.loads(report.read_text()), floors))
    for _, said in found:
        print(said)
    failed = [package for package, (holds, _) in zip(floors, found, strict=True) if not holds]
    verdict = f"FAILED: below the floor: {', '.join(failed)}" if failed else "every package holds its floor"
    print(f"{verdict}, {time.monotonic() - began_s:.0f} s in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
