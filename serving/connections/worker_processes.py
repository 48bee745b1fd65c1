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
from uvicorn.supervisors.multiprocess import Process

from serving.log import get_log


def answer_until_asked_to_stop(config: Config) -> None:
    """In this process, or in as many below it as the settings say.

    Exits with a code other than 0 if none can begin, or if a worker that replaces one which has died cannot.
    """
    with suppress(KeyboardInterrupt):
        if config.workers > 1:
            parent = WorkerProcesses(config, [config.bind_socket()])
            parent.run()
            started = all(each.exitcode != STARTUP_FAILURE for each in parent.processes)
        else:
            config.load_app()
            server = Server(config)
            server.run()
            started = server.started
        if not started:
            sys.exit(STARTUP_FAILURE)


class WorkerProcesses(Multiprocess):
    """uvicorn's parent, which passes a SIGTERM on at once: all workers drain together, and each answers what it has.

    uvicorn looks at a signal only when it has done what the previous signal asked for. A SIGTERM during a SIGHUP waited
    until all workers were replaced, which takes longer than a container gets before it is killed.
    """

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def restart_all(self) -> None:
        """Replace each worker once its successor answers. A successor is a worker as soon as it begins.

        So one that is asked to stop drains as the others do: uvicorn killed it, although it may have answered already.
        """
        for old in tuple(self.processes):
            if self.should_exit.is_set():
                return
            new = Process(self.config, self.sockets)
            new.start()
            self.processes.append(new)
            is_ready = new.wait_until_ready(self.config.timeout_worker_healthcheck, self.should_exit)
            if self.should_exit.is_set():
                return
            if not is_ready:
                new.kill()
                new.join()
                self.processes.remove(new)
                get_log("serving.connections").error("keeping the workers: a new one was not ready in time")
                return
            old.terminate()
            old.join()
            self.processes.remove(old)

    def keep_subprocess_alive(self) -> None:
        """See Multiprocess. A worker that ends while it is asked whether it lives is not waited for."""
        for each in self.processes:
            each.child_conn.close()  # the worker has it too: while it is open here as well, nobody hangs up
        super().keep_subprocess_alive()

    def _end(self, number: int, frame: FrameType | None) -> None:
        # On a thread: this may interrupt a wait for the same event, which holds its lock.
        Thread(target=self.should_exit.set).start()
        if number == signal.SIGTERM:  # a person's Ctrl-C reaches the workers by itself, and a second one cuts them off
            for each in self.processes:
                each.process.terminate()
