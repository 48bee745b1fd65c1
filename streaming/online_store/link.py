"""One connection to Redis. A call is sent first and its answer read later. Waits while Redis is unavailable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hiredis import pack_command
from redis import ConnectionPool
from redis.exceptions import AskError, AuthenticationError, ConnectionError, RedisError

from streaming.errors import RefusedError
from streaming.job.backoff import Backoff, Tries
from streaming.online_store.redis_outage import AWAY, RedisOutage, passing, refuses_writes
from streaming.settings import StreamingSettings

ONE_PRIMARY = (
    "Point REDIS_URL to a single primary that holds all keys; with replicas, or with Sentinel behind an address that "
    "follows the primary"
)

_BACKOFF = Backoff(first_s=0.05, longest_s=2.0, at_once=1)


class RedisLink:
    """One connection. Calls are answered in the order in which they were sent.

    within_s: do not wait while Redis is unavailable. A call is answered within this time or raises RedisError.
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
        self._connection: Any = None  # of redis-py, whose stubs are incomplete

    def begin(self, packed: Iterable[bytes]) -> None:
        """Send a call. Raises one of AWAY: then the link is closed, and it is unknown whether the call was executed."""
        try:
            if self._connection is None:
                # Not by the pool, which counts what it made in all its life, and makes no more than 100.
                self._connection = self._pool.connection_class(**self._pool.connection_kwargs)
                self._connection.connect()
            # As one: the library gives each piece to the operating system on its own.
            self._connection.send_packed_command([b"".join(packed)], check_health=False)
        except AuthenticationError as error:
            raise RefusedError(f"Redis refuses the login ({error}). Correct user and password in REDIS_URL") from error
        except RedisError:
            self.close()
            raise

    def answer(self) -> Any:
        """The next answer. Raises one of AWAY (then the link is closed) or a ResponseError.

        Raises RefusedError if another server of a cluster holds the key, because a link leads to one server.
        """
        if self._connection is None:
            raise ConnectionError("the connection was lost before the answer")
        try:
            answer = self._connection.read_response()
        except AWAY:
            self.close()
            raise
        except AskError as error:  # or its subclass for MOVED
            self.close()
            raise RefusedError(f"Another server of the Redis Cluster holds the key ({error}). {ONE_PRIMARY}") from error
        self._outage.answered()
        return answer

    def call(self, *arguments: bytes | str | int) -> Any:
        """Send a call that may be executed twice, and repeat it with back-off until Redis answers."""
        return self.calls([arguments])[0]

    def calls(self, several: Sequence[tuple[bytes | str | int, ...]]) -> list[Any]:
        """Send several such calls at once, and repeat all of them until Redis answers all."""
        tries, refused = self.tries(), False
        packed = [part for arguments in several for part in self.pack(*arguments)]
        while True:
            connected = self._connection is not None
            try:
                self.begin(packed)
                answers = self._answers(len(several))
            except RedisError as error:
                if not passing(error) or self._gives_up(error, connected):
                    raise
                refused = refuses_writes(error)
                self.wait(tries, error)
            else:
                if refused:
                    self.wrote()
                return answers

    def _answers(self, number: int) -> list[Any]:
        answers: list[Any] = []
        try:
            while len(answers) < number:
                answers.append(self.answer())
        except RedisError:
            if len(answers) + 1 < number:
                self.close()  # the later answers must not be taken for those of the next call
            raise
        return answers

    def _gives_up(self, error: RedisError, connected: bool) -> bool:
        # A connection that was lost before this call says nothing of Redis now: a new one is worth a try.
        return self._within_s is not None and not (connected and isinstance(error, ConnectionError))

    def wrote(self) -> None:
        """Call this when Redis has accepted a write, because it may have refused writes before."""
        self._outage.wrote()

    def tries(self) -> Tries:
        """The tries of one call."""
        return Tries(_BACKOFF, "asked to stop while Redis is unavailable; uncommitted events are read again")

    def wait(self, tries: Tries, error: RedisError) -> None:
        """Wait for Redis. Raises StoppedWaiting if asked to stop meanwhile."""
        self.close()
        if tries.failed:  # at first the connection alone may be gone, left over from an outage that has ended
            self._outage.failed(error)
        tries.wait()

    def pack(self, *arguments: bytes | str | int) -> list[bytes]:
        """The bytes of a call."""
        return [pack_command(arguments)]  # type: ignore[arg-type]  # a tuple of any length

    def close(self) -> None:
        """Close the connection. Outstanding answers are lost."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = None
