"""A program in the background, with its log: it is ended by its id and never outlives its parent.

Three things together leave no process behind. The child runs in a session of its own, so a Ctrl-C on the
terminal reaches only the parent, which then ends its children in its own order. The kernel kills the child
when the parent is gone, however it went (`launch.py`). And what is still running at the interpreter's
regular exit is killed there (`launched_commands.py`).

`streaming.job.child_process` is another thing: a dataflow of the supervisor, which has one thread and hands its own
output streams on. Here any thread may start a program, and each program has a log of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.processes.launched_commands import kill, kill_group, launch

_LOOK_EVERY_S = 0.01
_LAUNCH = Path(__file__).with_name("launch.py")


class BackgroundProcess:
    """One running command. `log` receives its stderr (and its stdout, unless `talks`).

    With `talks`, `stdin` and `stdout` are pipes to it; otherwise its stdin is empty.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        talks: bool = False,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        self._paused = False
        # python -I -S: 10 ms, and no setting of the user's reaches the launcher.
        launched = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *command]

        def start() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(
                    launched,
                    stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if talks else output,
                    stderr=output,
                    cwd=cwd,
                    env=None if environment is None else dict(environment),
                    start_new_session=True,
                )

        self._process = launch(start)

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group's."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe to its stdin, when it `talks`."""
        if self._process.stdin is None:
            raise EmbeddedError(f"{self.name} was started without a pipe to it; start it with talks=True")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe from its stdout, when it `talks`."""
        if self._process.stdout is None:
            raise EmbeddedError(f"{self.name} was started without a pipe from it; start it with talks=True")
        return self._process.stdout

    @property
    def running(self) -> bool:
        """Whether it has not ended; a paused one is running."""
        return self._poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, minus the signal's number when a signal ended it, None while it runs."""
        return self._poll()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        # The kernel stops its threads one by one; only a stopped process is reported.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._paused = True

    def resume(self) -> None:
        """Let it continue after `pause` (SIGCONT)."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def stop(self, grace_s: float = 10.0) -> None:
        """Ask it to end (SIGTERM), kill it when it has not ended after `grace_s`. Harmless when ended."""
        try:
            if self._paused:
                self.resume()
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + grace_s
            while self.running and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
        finally:
            # Also when a second Ctrl-C ends the wait.
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), with the children of its group. Harmless when ended."""
        kill(self._process)
        self._paused = False
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def wait_until(self, ready: Callable[[], bool], *, what: str, within_s: float) -> None:
        """Return when `ready()`; otherwise end the child and raise EmbeddedError with the end of its log."""
        deadline = time.monotonic() + within_s
        try:
            while not ready():
                if not self.running:
                    raise EmbeddedError(f"{what} ended at once (exit code {self.exit_code}): {self.last_words()}")
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"{what} gave no answer within {within_s:g} s: {self.last_words()}")
                time.sleep(0.02)
        except BaseException:
            self.kill()
            raise

    def last_words(self, lines: int = 8) -> str:
        """The last lines of its log, and where the rest is."""
        end = self.log.read_text(errors="replace").splitlines()[-lines:] if self.log.exists() else []
        return "\n".join([f"see {self.log}", *end])

    def _poll(self) -> int | None:
        """The exit code of a command that has ended, whose group is then ended, too: a child of the command that is
        still importing does not notice that its parent is gone.
        """
        if self._process.returncode is None and _has_ended(self.pid):
            kill_group(self._process)
        return self._process.poll()

    def _signal(self, number: signal.Signals) -> None:
        # Popen sends nothing to a child that was waited for, so the id is surely the child's.
        self._process.send_signal(number)


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; it stays to be waited for."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
