"""The processes that answer: one, or several below a parent that replaces them."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import suppress
from threading import Thread
from types import FrameType

from uvicorn import Server
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess


def answer_until_asked_to_stop(config: Config) -> None:
    """In this process, or in as many below it as the settings say. Exits with a code other than 0 if none can begin."""
    with suppress(KeyboardInterrupt):
        if config.workers > 1:
            WorkerProcesses(config, [config.bind_socket()]).run()
            return
        config.load_app()
        server = Server(config)
        server.run()
        if not server.started:
            sys.exit(STARTUP_FAILURE)


class WorkerProcesses(Multiprocess):
    """uvicorn's parent, which ends at once when it is asked to.

    uvicorn looks at a signal only when it has done what the previous signal asked for. A SIGTERM during a SIGHUP waited
    until all workers were replaced, which takes longer than a container gets before it is killed.
    """

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, number: int, frame: FrameType | None) -> None:
        # On a thread: this may interrupt a wait for the same event, which holds its lock.
        Thread(target=self.should_exit.set).start()
