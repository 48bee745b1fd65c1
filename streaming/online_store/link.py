"""One connection to Redis on which a call is begun and its answer taken later; waits while Redis is away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hiredis import pack_command
from redis import ConnectionPool
from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from streaming.errors import RefusedError
from streaming.job.backoff import Backoff, Tries
from streaming.job.outage import Outage
from streaming.log import get_log
from streaming.settings import StreamingSettings

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
"""Redis is gone, starting, full or failing over: nothing but time helps."""

_REFUSED = re.compile(r"(?:^| -)(?:OOM|READONLY|MISCONF|NOREPLICAS|NOTREADY)\b")
"""It is full, a replica, without a disk or without replicas; up to 6.2 in the middle of what a script's error says."""
_BUSY = "BUSY "  # with a script of someone's

ONE_PRIMARY = (
    "Point REDIS_URL to a single primary that holds all keys; with replicas, or with Sentinel behind an address that "
    "follows the primary"
)

_BACKOFF = Backoff(first_s=0.05, longest_s=2.0, at_once=1)


def passing(error: RedisError) -> bool:
    """Whether nothing but time helps."""
    return isinstance(error, AWAY) or _refuses_writes(error) or str(error).startswith(_BUSY)


def _refuses_writes(error: RedisError) -> bool:
    return isinstance(error, ReadOnlyError | OutOfMemoryError) or bool(_REFUSED.search(str(error)))


class RedisOutage:
    """Redis is away, or it answers but takes no writes: each is said once when it begins and once when it ends."""

    def __init__(self) -> None:
        self._away = Outage(_LOG, "Redis is away; waiting for it", "Redis is back")
        self._refuses = Outage(_LOG, "Redis refuses writes; waiting until it takes them", "Redis takes writes again")

    def failed(self, error: RedisError) -> None:
        outage = self._refuses if _refuses_writes(error) else self._away
        outage.failed(error=str(error) or type(error).__name__)

    def answered(self) -> None:
        self._away.answered()

    def wrote(self) -> None:
        """Redis took a write. Reads do not count: Redis answered them all the time."""
        self._refuses.answered()


class RedisLink:
    """A connection of its own. Calls are answered in the order in which they were begun.

    within_s: do not wait while Redis is away. A call is answered within this time or raises RedisError.
    """

    def __init__(
        self, settings: StreamingSettings, outage: RedisOutage | None = None, *, within_s: float | None = None
    ) -> None:
        self._within_s = within_s
        timeout_s = settings.redis_timeout.total_seconds() if within_s is None else within_s
        self._pool = ConnectionPool.from_url(
            settings.redis_url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=None,
            health_check_interval=0,
        )
        self._outage = outage or RedisOutage()
        self._connection: Any = None  # of redis-py, whose stubs leave half of it out

    def begin(self, packed: Iterable[bytes]) -> None:
        """Send a call; raises one of AWAY, after which the link is closed and the call's fate unknown."""
        try:
            if self._connection is None:
                self._connection = self._pool.make_connection()
                self._connection.connect()
            self._connection.send_packed_command(packed, check_health=False)
        except AuthenticationError as error:
            raise RefusedError(f"Redis refuses us ({error}); correct user and password in REDIS_URL") from error
        except RedisError:
            self.close()
            raise

    def answer(self) -> Any:
        """The next answer; raises one of AWAY (then the link is closed) or a ResponseError.

        RefusedError where the key is another server's, of a cluster: a link leads to one.
        """
        if self._connection is None:
            raise ConnectionError("the connection was lost before the answer")
        try:
            answer = self._connection.read_response()
        except AWAY:
            self.close()
            raise
        except AskError as error:  # or MOVED, which is one
            self.close()
            raise RefusedError(
                f"Redis says that another server of its cluster has the key ({error}). {ONE_PRIMARY}"
            ) from error
        self._outage.answered()
        return answer

    def call(self, *arguments: bytes | str | int) -> Any:
        """A call that may be executed twice, repeated with back-off until Redis answers it."""
        tries, refused = self.tries(), False
        while True:
            connected = self._connection is not None
            try:
                self.begin(self.pack(*arguments))
                answer = self.answer()
            except RedisError as error:
                if not passing(error) or self._gives_up(error, connected):
                    raise
                refused = _refuses_writes(error)
                self.wait(tries, error)
            else:
                if refused:
                    self.wrote()
                return answer

    def _gives_up(self, error: RedisError, connected: bool) -> bool:
        # A connection that was lost before this call says nothing of Redis now: a new one is worth a try.
        return self._within_s is not None and not (connected and isinstance(error, ConnectionError))

    def wrote(self) -> None:
        """Tell that Redis took a write, as it may have refused them before."""
        self._outage.wrote()

    def tries(self) -> Tries:
        """The tries of one call."""
        return Tries(_BACKOFF, "asked to stop while Redis is away; what was not committed is read again")

    def wait(self, tries: Tries, error: RedisError) -> None:
        """Wait a while for Redis; StoppedWaiting when asked to stop meanwhile."""
        self.close()
        if tries.failed:  # at first the connection alone may be gone, left over from an outage that has ended
            self._outage.failed(error)
        tries.wait()

    def pack(self, *arguments: bytes | str | int) -> list[bytes]:
        """The bytes of a call."""
        return [pack_command(arguments)]  # type: ignore[arg-type]  # a tuple of any length

    def close(self) -> None:
        """Drop the connection and what was to be answered on it."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = None


__all__ = ["AWAY", "ONE_PRIMARY", "RedisLink", "RedisOutage", "ResponseError", "passing"]
