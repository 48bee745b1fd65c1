"""Millrace's programs as children: each with its log, watched, and its end explained."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.local.errors import LocalError

ROOT = Path(__file__).parents[3]
"""Where the packages lie: a checkout, or the folder of an installation."""
_LOOK_EVERY_S = 0.05
_LAST_LINES = 12


class Program:
    """`python -m MODULE ...` in the project's directory; a context manager that ends it in order."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path, *, grace_s: float = 30.0
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.log = log
        self._grace_s = grace_s
        self._stopped = False
        command = [sys.executable, "-m", *arguments]
        self._child = BackgroundProcess(command, log=log, cwd=ROOT, environment=environment)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exit_code

    def check(self) -> None:
        """Raise LocalError when it has ended, though nobody asked it to."""
        if not self._child.running and not self._stopped:
            raise self.failed(f"ended with exit code {self._child.exit_code}")

    def failed(self, what: str) -> LocalError:
        """An error that names the program, and shows the end of its log and where the log lies."""
        return LocalError(f"{self.name} {what}. The end of its log, {self.log}:\n{last_lines(self.log)}")

    def run_to_end(self, on_line: Callable[[str], None], check: Callable[[], None]) -> None:
        """Hand on the lines of its log until it ends. Raises LocalError when it did not end well."""
        seen = 0
        while self._child.running:
            seen = self._hand_on(seen, on_line)
            check()
            time.sleep(_LOOK_EVERY_S)
        self._hand_on(seen, on_line)
        if self._child.exit_code != 0:
            self.check()

    def stop(self) -> int | None:
        """Ask it to end, and wait; its exit code."""
        self._stopped = True
        self._child.stop(self._grace_s)
        return self._child.exit_code

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _hand_on(self, seen: int, on_line: Callable[[str], None]) -> int:
        with self.log.open("rb") as log:
            log.seek(seen)
            whole, end, _ = log.read().rpartition(b"\n")
        for line in whole.decode(errors="replace").splitlines():
            on_line(line)
        return seen + len(whole) + len(end)


def last_lines(log: Path, lines: int = _LAST_LINES) -> str:
    """The last lines of a log, indented."""
    found = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join(f"    {line}" for line in found) or "    (it is empty)"
