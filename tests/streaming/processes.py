"""Real processes for the tests of the supervisor: what they run, and whether they are still there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

SUPERVISE = """
import sys
from pathlib import Path
from streaming.log import set_up_log
from streaming.job.restart_policy import RestartPolicy
from streaming.settings import StreamingSettings
from streaming.job.stopping import install
from streaming.job.supervisor import Part, Supervisor
install()
set_up_log(StreamingSettings(log_format="json"))
drain_s, folder, *scripts = sys.argv[1:]
def part(name, count, script):
    command = (sys.executable, "-S", "-c", script, folder)
    return Part(name, lambda: [(command, {"NUMBER": str(number)}) for number in range(count)])
parts = [part(f"part{i}", *((2, s[2:]) if s.startswith("2*") else (1, s))) for i, s in enumerate(scripts)]
sys.exit(Supervisor(parts, drain_s=float(drain_s), policy=lambda: RestartPolicy(first_s=0.2)).run())
"""

DRAINS = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
(folder / f"started-{os.getpid()}").touch()
while not asked:
    time.sleep(0.01)
(folder / f"drained-{os.getpid()}").touch()
"""

DOES_NOT_DRAIN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
(pathlib.Path(sys.argv[1]) / f"started-{os.getpid()}").touch()
time.sleep(600)
"""


def ends_with(code: int) -> str:
    """A child that ends at once with this exit code."""
    return (
        "import os, pathlib, sys, time\n"
        "folder, own = pathlib.Path(sys.argv[1]), os.getpid()\n"
        "(folder / f'new-{own}').write_text(str(time.monotonic()))\n"
        f"(folder / f'new-{{own}}').rename(folder / f'started-{{own}}')\nsys.exit({code})"
    )


def supervise(folder: Path, *scripts: str, drain_s: float = 60.0) -> subprocess.Popen[bytes]:
    """A supervisor over one part per script; `2*` before one makes it a part of two processes."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(drain_s), str(folder), *scripts], cwd=ROOT, stderr=log
        )


def started(folder: Path) -> list[int]:
    """Ids of all children that ever came up."""
    return [int(path.name.partition("-")[2]) for path in folder.glob("started-*")]


def drained(folder: Path) -> list[int]:
    return [int(path.name.partition("-")[2]) for path in folder.glob("drained-*")]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def until(fulfilled: Callable[[], bool], within_s: float = 90.0) -> None:
    deadline = time.monotonic() + within_s
    while not fulfilled():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s")
        time.sleep(0.02)
