"""A part of the schedules in every run of the suite; `python -m tests.simulation --schedules 100000` for the rest."""

import hashlib
import os
import subprocess
import sys

import pytest

SCHEDULES = 1_600
"""About a minute on one core: 40 ms each."""


@pytest.mark.slow
def test_every_schedule_ends_right():
    command = [sys.executable, "-m", "tests.simulation", "--schedules", str(SCHEDULES)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3_000)
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-3_000:]


def test_a_seed_is_a_schedule():
    """Whatever the hashes of texts are, and however slow the machine is."""

    def counts(hash_seed):
        code = "from tests.simulation.schedules import run, be_silent; be_silent(); print(run((7, 3, None)))"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True).stdout
        return hashlib.sha256(said).hexdigest()

    assert counts("1") == counts("2")
