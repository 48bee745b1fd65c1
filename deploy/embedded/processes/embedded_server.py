"""What all embedded servers have in common: a child process with a directory, as a context manager."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.processes.background_process import BackgroundProcess


class EmbeddedServer(ABC):
    """Runs from `start` to `stop`. Its files are in `directory`, or in a temporary one that is removed at the end."""

    called: ClassVar[str]
    """How errors name it."""
    stopped_within_s: ClassVar[float] = 10.0
    """How long it may take to end in order before it is killed."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._child: BackgroundProcess | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it; it answers when this returns."""

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended; a paused one is running."""
        return self._child is not None and self._child.running

    def stop(self) -> None:
        """End it in order. Harmless when ended."""
        if self._child is not None:
            self._child.stop(self.stopped_within_s)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        self._running().pause()

    def resume(self) -> None:
        """Let it continue after `pause`."""
        self._running().resume()

    def restart(self) -> None:
        """Stop it if it runs, and start it again; `start` says what it keeps."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove_temporary()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._remove_temporary()

    def _own_directory(self, prefix: str) -> Path:
        """The directory, which exists from now on; `prefix` begins the name of a temporary one."""
        if self._directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix=prefix)
            self._directory = Path(self._temporary.name)
        self._directory.mkdir(parents=True, exist_ok=True)
        return self._directory

    def _running(self) -> BackgroundProcess:
        if self._child is None or not self._child.running:
            raise EmbeddedError(f"{self.called} is not running; start() it")
        return self._child

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._directory = None
