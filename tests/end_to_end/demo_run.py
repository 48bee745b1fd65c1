"""`./run demo` under test: a small one, in a session of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WITHIN_S = 600.0
ENDED_WITHIN_S = 180.0


class DemoRun:
    """A running demo. It and all that it starts carry a mark in their environment, by which they are found."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._mark = f"TEST_OF_MILLRACE_{os.urandom(8).hex()}"
        self._output = folder / "output.txt"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "deploy.demo", "--runs", str(folder / "runs"), *arguments]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, "DEMO_TEST_MARK": self._mark},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text(errors="replace")

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, seen: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not seen():
            assert self.process.poll() is None, f"the demo ended before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"not within {WITHIN_S} s: {what}\n{self.output}"
            time.sleep(0.1)

    def wait_for_phase(self, name: str) -> None:
        self.wait_for(lambda: re.search(rf"^ *{name}  ", self.output, re.MULTILINE) is not None, f"phase {name}")

    def end(self, number: signal.Signals, *, like_a_terminal: bool) -> int:
        """Send a signal, to the whole group as a terminal does or to the demo alone; its exit code."""
        (os.killpg if like_a_terminal else os.kill)(self.pid, number)
        return self.process.wait(ENDED_WITHIN_S)

    def processes(self) -> dict[int, str]:
        """What runs with our mark in its environment: process id and command."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended, or is not ours
        return found

    def ports(self) -> set[int]:
        """The TCP ports on which our processes listen."""
        sockets = set()
        for pid in self.processes():
            for descriptor in _listed(Path(f"/proc/{pid}/fd")):
                sockets.add(descriptor)
        return {port for port, inode in _listening() if f"socket:[{inode}]" in sockets}

    def summary(self) -> dict[str, Any]:
        path = next((self._output.parent / "runs").glob("*/summary.json"))
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[DemoRun]:
    """Whatever happens in the test, the demo is ended."""
    run = DemoRun(folder, *arguments)
    try:
        yield run
    finally:
        for pid in [run.pid, *run.processes()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        run.process.wait(10)


def listening_ports() -> set[int]:
    return {port for port, _ in _listening()}


def _listening() -> list[tuple[int, str]]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [(int(row[1].rpartition(":")[2], 16), row[9]) for row in rows if row[3] == "0A"]


def _listed(folder: Path) -> list[str]:
    try:
        return [str(link.readlink()) for link in folder.iterdir()]
    except OSError:
        return []  # the process has ended
