"""PostgreSQL for a test: a server of its own in a folder of its own, stopped and started at will."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = ("/usr/lib/postgresql/*/bin/initdb", "/opt/homebrew/opt/postgresql*/bin/initdb")
_USER = "postgres"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = [path.parent for place in _PLACES for path in sorted(Path("/").glob(place[1:]))]
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).parent if on_path else None


class Postgres:
    """A server that trusts everybody who comes from this machine."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql://{_USER}@127.0.0.1:{self._port}/postgres"
        self._call("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", _USER)

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self._folder / "log")
        self._call("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        # PostgreSQL refuses to be run by root.
        by = ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*by, str(self._programs / program), *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self._folder
        )


@contextmanager
def postgres(found: Path) -> Iterator[Postgres]:
    # Not below pytest's folder, which no other user may enter.
    folder = Path(tempfile.mkdtemp(prefix="millrace-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    server = Postgres(folder, found)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
