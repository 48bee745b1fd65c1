"""A few schedules in every run of the suite, more in a deep one, and as many as one likes by hand."""

import hashlib
import os
import subprocess
import sys
import time

import pytest

from deploy.embedded.processes.background_process import BackgroundProcess

FEW, MANY = (0, 60), (60, 590)
"""First seed, and how many: 0.2 s each beside other tests. `python -m tests.simulation` takes as many as one likes."""


@pytest.mark.slow
@pytest.mark.parametrize(("first", "count"), [FEW, pytest.param(*MANY, marks=pytest.mark.deep)])
def test_every_schedule_ends_right(first, count, tmp_path):
    """In a session of its own, so that it can give way to other tests, but not longer than this process lives."""
    command = [sys.executable, "-m", "tests.simulation", "--first-seed", str(first), "--schedules", str(count)]
    schedules, latest = BackgroundProcess(command, log=tmp_path / "log"), time.monotonic() + 800
    try:
        while schedules.running and time.monotonic() < latest:
            time.sleep(0.1)
        assert schedules.exit_code == 0, schedules.last_words(60)
    finally:
        schedules.kill()


def test_a_seed_is_a_schedule():
    """Whatever the hashes of texts are, and however slow the machine is."""

    def counts(hash_seed):
        code = "from tests.simulation.schedules import run, be_silent; be_silent(); print(run((7, 3, None)))"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True).stdout
        return hashlib.sha256(said).hexdigest()

    assert counts("1") == counts("2")
