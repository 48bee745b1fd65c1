"""What every process of a job waits for, in one hash of Redis: the processes tell it there, and `status` reads it.

A process that waits for nothing writes nothing. One that cannot reach Redis cannot tell; its log says it.
Ages are by the clock of Redis, so it does not matter on which machine `status` runs.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from redis.exceptions import RedisError

from streaming.errors import RefusedError, StoppedWaiting
from streaming.job.waits import Waiting, waits
from streaming.online_store.link import RedisLink
from streaming.settings import StreamingSettings

_TELL_EVERY_S = 1.0
_WORTH_TELLING_S = 2.0
_WITHIN_S = 2.0
_VALID_S = 10.0
"""A process that waits repeats this every second. One that says nothing for so long is gone, or stands still."""
_KEPT_MS = 60_000


@dataclass(frozen=True)
class ToldWait:
    """`process`: host, program, and number of the worker. `for_s`: how long it has waited by now."""

    process: str
    what: str
    why: str
    for_s: float


class ToldWaits:
    """The hash of one namespace. Raises RedisError while Redis is unavailable."""

    def __init__(self, link: RedisLink, namespace: str) -> None:
        self._link, self._key = link, f"{namespace}:waits"

    def tell(self, process: str, waiting: Sequence[Waiting]) -> None:
        """Replace what the process told before."""
        if not waiting:
            self._link.call("HDEL", self._key, process)
            return
        plain = [(each.what, each.why, each.for_s) for each in waiting]
        self._link.call("HSET", self._key, process, json.dumps({"at_s": self._now_s(), "waits": plain}))
        self._link.call("PEXPIRE", self._key, _KEPT_MS)

    def read(self) -> list[ToldWait]:
        """What the processes wait for now, the longest wait first."""
        stored = self._link.call("HGETALL", self._key)
        pairs = stored.items() if isinstance(stored, dict) else zip(stored[::2], stored[1::2], strict=True)
        found, now_s = [], self._now_s()
        for process, text in pairs:
            told = json.loads(text)
            ago_s = max(0.0, now_s - told["at_s"])
            if ago_s <= _VALID_S:
                found += [ToldWait(str(process, "utf-8"), what, why, s + ago_s) for what, why, s in told["waits"]]
        return sorted(found, key=lambda each: -each.for_s)

    def close(self) -> None:
        self._link.close()

    def _now_s(self) -> float:
        seconds, microseconds = self._link.call("TIME")
        return int(seconds) + int(microseconds) / 1e6


@contextmanager
def telling_waits(settings: StreamingSettings, program: str) -> Iterator[None]:
    """While this program runs, another thread tells what it waits for."""
    process = f"{socket.gethostname()} {program}" + (f" {settings.worker}" if len(settings.workers) > 1 else "")
    told = ToldWaits(RedisLink(settings, within_s=_WITHIN_S), settings.redis_namespace)
    ended = threading.Event()

    def tell() -> None:
        known: list[Waiting] = []
        while not ended.wait(_TELL_EVERY_S):
            now = [each for each in waits() if each.for_s >= _WORTH_TELLING_S]
            if not now and not known:
                continue
            try:
                told.tell(process, now)
                known = now
            except (RedisError, RefusedError, StoppedWaiting):
                continue  # Redis is what it waits for, or is unavailable too
        told.close()

    thread = threading.Thread(target=tell, name="waits", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(2 * _WITHIN_S)
