"""A function in a process of its own answers as in this one, and ends at its limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from training.errors import StepError
from training.steps.limited_process import call_limited
from training.steps.step import Subprocess
from training.steps.transient import is_transient

_HERE = "tests.training.steps.test_limited_process"
GENEROUS = Subprocess(memory_mb=4_000, seconds=120)


def tells_its_process(inputs: Path, output: Path, file: Path) -> str:
    sys.stdout.write("this is no answer\n")
    (output / "pid").write_text(str(os.getpid()))
    return file.name


def raises(inputs: Path, output: Path) -> str:
    raise ConnectionResetError("gone")


def takes_memory(inputs: Path, output: Path) -> str:
    return str(len(bytes(2**31)))


def dies(inputs: Path, output: Path) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return "it lives"


def sleeps(inputs: Path, output: Path) -> str:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    (output / "pids").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(300)
    return "awake"


def call(function: Callable[..., object], place: Path, target: Subprocess = GENEROUS, **arguments: object) -> str:
    return call_limited(target, "mine", f"{_HERE}:{function.__name__}", place, place, arguments)


def test_it_answers_from_a_process_of_its_own(tmp_path: Path) -> None:
    assert call(tells_its_process, tmp_path, file=Path("a/b.csv")) == "b.csv"
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_an_error_is_that_of_the_function(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="step 'mine' raised ConnectionResetError: gone") as failed:
        call(raises, tmp_path)
    assert is_transient(failed.value)
    with pytest.raises(StepError, match="step 'mine' stopped: its process was ended by SIGSEGV"):
        call(dies, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the data of a process")
def test_memory_has_a_limit(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"raised MemoryError.*its limit is 1000 MB: `memory_mb` of its target"):
        call(takes_memory, tmp_path, Subprocess(memory_mb=1_000))
    assert call(takes_memory, tmp_path) == str(2**31)


def is_there(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_time_has_a_limit_for_all_that_the_function_started(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"step 'mine' took longer than the 5 s of its subprocess, so it was ended"):
        call(sleeps, tmp_path, Subprocess(seconds=5))
    deadline = time.monotonic() + 60
    pids = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_it_ends_with_the_process_that_asked_and_with_all_that_the_function_started(tmp_path: Path) -> None:
    """As where a run is cancelled: what a step had started went on for as long as it wanted."""
    call_it = f"call(sleeps, Path({str(tmp_path)!r}), Subprocess(seconds=300))"
    program = f"from pathlib import Path; from {_HERE} import *; {call_it}"
    asker = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 120
    while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    asker.kill()
    asker.wait()
    pids = (tmp_path / "pids").read_text().split()
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)
