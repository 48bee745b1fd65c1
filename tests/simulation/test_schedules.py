"""A few schedules in every run of the suite, more in a deep one, and as many as one likes by hand."""

import hashlib
import os
import subprocess
import sys

import pytest

FEW, MANY = (0, 150), (150, 500)
"""First seed, and how many: 0.2 s each beside other tests. `python -m tests.simulation` takes as many as one likes."""


@pytest.mark.slow
@pytest.mark.parametrize(("first", "count"), [FEW, pytest.param(*MANY, marks=pytest.mark.deep)])
def test_every_schedule_ends_right(first, count):
    command = [sys.executable, "-m", "tests.simulation", "--first-seed", str(first), "--schedules", str(count)]
    ended = subprocess.run(  # in a session of its own, so that it can give way to other tests
        command, capture_output=True, text=True, check=False, timeout=800, start_new_session=True
    )
    assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-3_000:]


def test_a_seed_is_a_schedule():
    """Whatever the hashes of texts are, and however slow the machine is."""

    def counts(hash_seed):
        code = "from tests.simulation.schedules import run, be_silent; be_silent(); print(run((7, 3, None)))"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True).stdout
        return hashlib.sha256(said).hexdigest()

    assert counts("1") == counts("2")
