"""A worker is known as long as its process lives, whatever a clock says and however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training.errors import StepError
from training.scheduler.worker_files import Worker, lives, living, living_workers

WORKER = """
import sys, time
from pathlib import Path
from training.scheduler.worker_files import Worker, living

with living(Path(sys.argv[1]), Worker("host-1", ("gpu",), "c1")):
    print("lives", flush=True)
    time.sleep(600)
"""


def test_a_worker_lives_until_its_process_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "lives\n"
            os.utime(tmp_path / "worker-host-1.lock", (0, 0))
            assert lives(tmp_path, "host-1")
            assert living_workers(tmp_path) == [Worker("host-1", ("gpu",), "c1")]
        finally:
            process.kill()
            process.wait()
    assert living_workers(tmp_path) == []
    assert not lives(tmp_path, "host-1")
    assert not list(tmp_path.iterdir()), "what it left is removed"
    assert not lives(tmp_path, "host-1")


def test_one_that_ends_by_itself_leaves_nothing(tmp_path: Path) -> None:
    with living(tmp_path, Worker("host-2", (), "c1")):
        assert lives(tmp_path, "host-2")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StepError, match=r"the worker cannot use .*gone: .* Mend it"),
        living(tmp_path / "gone", Worker("host-3", (), "c1")),
    ):
        raise AssertionError("it lives")
