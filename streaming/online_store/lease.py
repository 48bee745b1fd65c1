"""A lease keeps two jobs from taking the shards of one online store from each other for ever.

It protects nothing: a commit is safe by its compare-and-set. It only lets a starting process wait while another one is
at work, as a standby, and go on within seconds after that one fell silent.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from streaming.errors import RestartNeeded, StoppedWaiting
from streaming.job.backoff import Backoff, Tries
from streaming.job.child_process import supervisor_process
from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.log import get_log
from streaming.online_store.link import RedisLink
from streaming.settings import StreamingSettings

_LOG = get_log("lease")
LEASE_MS = 3_000
_KEEP_EVERY_S = 1.0
_LOOK_EVERY_S = 0.25


class Lease:
    """The lease of one program on one namespace.

    `owner`: the same for all processes of one job, and for those that follow them. `sleep`: how to stand by; it
    returns whether the process was asked to stop.
    """

    def __init__(
        self, link: RedisLink, namespace: str, program: str, owner: str, sleep: Callable[[float], bool] = wait
    ) -> None:
        self._link, self._owner, self._program = link, owner.encode(), program
        self._key = f"{namespace}:{program}:lease".encode()
        self._sleep = sleep
        self._kept_at = 0.0

    def take(self) -> None:
        """Wait until it is ours. StoppedWaiting when asked to stop meanwhile."""
        outage = Outage(_LOG, "another job is at work; standing by", "taking over", program=self._program)
        tries = Tries(Backoff(_LOOK_EVERY_S, _LOOK_EVERY_S), "asked to stop while another job is at work", self._sleep)
        while True:
            self._link.call("SET", self._key, self._owner, "NX", "PX", LEASE_MS)
            holder = self._link.call("GET", self._key)
            if holder == self._owner:
                self._renew()
                outage.answered()
                return
            if holder is not None:
                outage.failed(job=holder.decode(errors="replace"))
            tries.wait()

    def keep(self) -> None:
        """Renew it now and then, where it is still ours. Call it often."""
        if time.monotonic() - self._kept_at >= _KEEP_EVERY_S and self._link.call("GET", self._key) in (
            self._owner,
            None,
        ):
            self._renew()

    @contextmanager
    def kept(self) -> Iterator[Callable[[], None]]:
        """Renew it from a thread, whatever this one is busy with. Yields a check: RestartNeeded when another has it."""
        ended = threading.Event()
        lost: list[str] = []

        def renew() -> None:
            while not ended.wait(_KEEP_EVERY_S):
                with suppress(StoppedWaiting):
                    self.keep()
                    if (holder := self._link.call("GET", self._key)) not in (self._owner, None):
                        lost.append(holder.decode(errors="replace"))
                        return

        def check() -> None:
            if lost:
                raise RestartNeeded(f"{lost[0]} builds shards now; leaving it to that job")

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield check
        finally:
            ended.set()
            thread.join()

    def _renew(self) -> None:
        self._link.call("SET", self._key, self._owner, "PX", LEASE_MS)
        self._kept_at = time.monotonic()


def job_name(settings: StreamingSettings) -> str:
    """A name that the processes of one job share, and that those share which its supervisor starts in their place."""
    supervisor = supervisor_process()
    if supervisor is not None:
        return f"{socket.gethostname()}:{supervisor}"
    return ",".join(settings.workers) or f"{socket.gethostname()}:{os.getpid()}"
