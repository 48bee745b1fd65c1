"""A lease keeps two jobs from taking the shards of one online store from each other for ever.

The lease does not protect data: the compare-and-set of a commit does. It only lets a starting process stand by while
another process works, and take over within seconds after the other process fell silent.
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
_RENEW = b"""
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
"""Takes the lease where nobody holds it, renews one's own, and names the job that holds it: one round trip."""


class Lease:
    """The lease of one program on one namespace.

    `owner`: the same for all processes of one job, and for the processes that replace them. `sleep`: how to stand by;
    it returns whether the process was asked to stop.
    """

    def __init__(
        self, link: RedisLink, namespace: str, program: str, owner: str, sleep: Callable[[float], bool] = wait
    ) -> None:
        self._link, self._owner, self._program = link, owner.encode(), program
        self._key = f"{namespace}:{program}:lease".encode()
        self._sleep = sleep
        self._kept_at = 0.0

    def take(self) -> None:
        """Wait until this job holds the lease. Raises StoppedWaiting if asked to stop meanwhile."""
        outage = Outage(_LOG, "standing by while another job works", "taking over", program=self._program)
        tries = Tries(Backoff(_LOOK_EVERY_S, _LOOK_EVERY_S), "asked to stop while another job is at work", self._sleep)
        while True:
            holder = self._renew()
            if holder == self._owner:
                outage.answered()
                return
            outage.failed(job=holder.decode(errors="replace"))
            tries.wait()

    def keep(self) -> None:
        """Renew the lease once a second, if no other job holds it. Call this often."""
        if time.monotonic() - self._kept_at >= _KEEP_EVERY_S:
            self._renew()

    @contextmanager
    def kept(self) -> Iterator[Callable[[], None]]:
        """Renew the lease from another thread. Yields a check that raises RestartNeeded if another job holds it."""
        ended = threading.Event()
        lost: list[str] = []

        def renew() -> None:
            while not ended.wait(_KEEP_EVERY_S):
                with suppress(StoppedWaiting):
                    if (holder := self._renew()) != self._owner:
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

    def _renew(self) -> bytes:
        """The job that holds the lease now."""
        holder = bytes(self._link.call("EVAL", _RENEW, 1, self._key, self._owner, LEASE_MS))
        if holder == self._owner:
            self._kept_at = time.monotonic()
        return holder


def job_name(settings: StreamingSettings) -> str:
    """A name that all processes of one job share, also the processes that replace them after a restart."""
    supervisor = supervisor_process()
    if supervisor is not None:
        return f"{socket.gethostname()}:{supervisor}"
    return ",".join(settings.workers) or f"{socket.gethostname()}:{os.getpid()}"
