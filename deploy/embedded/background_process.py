"""A program in the background, with its log: it is ended by its id and never outlives its parent.

Three things together leave no process behind. The child runs in a session of its own, so a Ctrl-C on the
terminal reaches only the parent, which then ends its children in its own order. The kernel kills the child
when the parent is gone, however it went (`launch.py`). And what is still running at the interpreter's
regular exit is killed there.

`streaming.job.child_process` is another thing: a dataflow of the supervisor, which has one thread and hands its own
output streams on. Here any thread may start a program, and each program has a log of its own.

The kernel's rule speaks of the *thread* that started the child, so all children are started by one daemon
thread that lives as long as the process: a child started from a thread pool outlives the pool.

That thread also notes each child. A signal's handler runs in the main thread, and may raise there before the child's
`BackgroundProcess` exists; the child is known nevertheless, and killed at exit.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

from deploy.embedded.errors import EmbeddedError

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
                process = subprocess.Popen(
                    launched,
                    stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if talks else output,
                    stderr=output,
                    cwd=cwd,
                    env=None if environment is None else dict(environment),
                    start_new_session=True,
                )
            _RUNNING.add(process)
            return process

        self._process = _LAUNCHER.call(start)

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
        _kill(self._process)
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
            _kill_group(self._process)
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


class _Launcher:
    """The one thread that starts children; see the module's docstring for why."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[
            tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]
        ] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def call(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        result: Future[subprocess.Popen[bytes]] = Future()
        with self._lock:
            # Not alive in a fork of this process, too.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="launcher", daemon=True)
                self._thread.start()
        self._calls.put((start, result))
        return result.result()

    def finish(self) -> None:
        """Return when all that was asked for has been started, also what nobody waits for any more."""
        if self._thread is not None and self._thread.is_alive():
            with contextlib.suppress(_NothingError):
                self.call(_nothing)

    def _run(self) -> None:
        while True:
            start, result = self._calls.get()
            try:
                result.set_result(start())
            except BaseException as error:
                result.set_exception(error)


class _NothingError(Exception):
    """Nothing was to be started."""


def _nothing() -> subprocess.Popen[bytes]:
    raise _NothingError


_LAUNCHER = _Launcher()
_RUNNING: set[subprocess.Popen[bytes]] = set()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        _kill_group(process)
        # Between its start and its setsid it has no group yet.
        process.send_signal(signal.SIGKILL)
    process.wait()
    _RUNNING.discard(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # Before the wait: while it is not waited for, its id can be nobody else's.
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of the dead
        os.killpg(process.pid, signal.SIGKILL)


def _kill_running() -> None:
    _LAUNCHER.finish()
    for process in list(_RUNNING):
        _kill(process)


atexit.register(_kill_running)
