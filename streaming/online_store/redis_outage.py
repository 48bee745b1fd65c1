"""Outages of Redis: which errors pass if one waits, and what the log says when one begins and ends."""

from __future__ import annotations

import re

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
    TryAgainError,
)

from streaming.job.outage import Outage
from streaming.log import get_log

_LOG = get_log("redis")
AWAY = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    MasterDownError,
    ReadOnlyError,
    OutOfMemoryError,
    ClusterDownError,
    TryAgainError,
)
"""Redis is unavailable, starting, full or failing over: the only remedy is to wait."""

_REFUSED = re.compile(r"(?:^| -)(?:OOM|READONLY|MISCONF|NOREPLICAS|NOTREADY)\b")
"""Redis is full, a replica, without a disk or without replicas. Up to 6.2 the word is inside the error of a script."""
_BUSY = "BUSY "  # Redis runs a script of somebody else


def passing(error: RedisError) -> bool:
    """Whether the only remedy is to wait."""
    return isinstance(error, AWAY) or refuses_writes(error) or str(error).startswith(_BUSY)


def refuses_writes(error: RedisError) -> bool:
    """Whether Redis answers, and takes no writes: it is full, or a replica."""
    return isinstance(error, ReadOnlyError | OutOfMemoryError) or bool(_REFUSED.search(str(error)))


class RedisOutage:
    """Redis is unavailable, or refuses writes. The log says so once when either begins, and once when it ends."""

    def __init__(self) -> None:
        self._away = Outage(_LOG, "waiting for Redis", "reached Redis again")
        self._refuses = Outage(_LOG, "waiting for Redis, which refuses writes", "writing again, Redis accepts writes")

    def failed(self, error: RedisError) -> None:
        outage = self._refuses if refuses_writes(error) else self._away
        outage.failed(error=str(error) or type(error).__name__)

    def answered(self) -> None:
        self._away.answered()

    def wrote(self) -> None:
        """Redis took a write. Reads do not count: Redis answered them all the time."""
        self._refuses.answered()
