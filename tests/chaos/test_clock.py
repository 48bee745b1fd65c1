"""A clock that steps under a live process: its time of day moves, its monotonic clock and its waits do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.clock import SteppingClock, build_library, missing
from tests.end_to_end.brokers import NOT_TESTED

TELLS = """
import sys, time
for line in sys.stdin:
    began = time.monotonic()
    time.sleep(0.02)
    print(time.time(), time.monotonic() - began, flush=True)
"""


@pytest.mark.parametrize("ahead_s", [3.5, -20.25])
def test_the_time_of_day_steps_and_nothing_else_does(tmp_path: Path, ahead_s: float) -> None:
    if why := missing():
        NOT_TESTED.append(f"clocks that step: {' '.join(why)}")
        pytest.skip(NOT_TESTED[-1])
    clock = SteppingClock(tmp_path / "offset", build_library(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", TELLS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **clock.environment},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for wanted_s in (0.0, ahead_s, 0.0):
            clock.step_to(wanted_s)
            before = time.time()
            process.stdin.write("\n")
            process.stdin.flush()
            told, slept = map(float, process.stdout.readline().split())
            assert before + wanted_s - 0.001 <= told <= time.time() + wanted_s + 0.001
            assert slept >= 0.02
        process.stdin.close()
