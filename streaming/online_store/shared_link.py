"""One connection to Redis for several stores: what they send goes out together, and each gets its own answers.

A call of the operating system, and the wake-up of Redis, cost as much for one commit as for several.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import ConnectionError, RedisError

from streaming.job.backoff import Tries
from streaming.online_store.link import RedisLink
from streaming.online_store.redis_outage import AWAY


class SharedLink:
    """The connection. What `lane` gives is used as a RedisLink; `flush` sends what its lanes have begun."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._unsent: list[bytes] = []
        self._outstanding: deque[Lane] = deque()  # in the order in which their answers come
        self._sent = 0
        """How many of the outstanding calls, the first ones, were sent."""
        self._used_by: set[Lane] = set()

    def lane(self) -> Lane:
        """A link of one more store."""
        lane = Lane(self)
        self._used_by.add(lane)
        return lane

    def flush(self) -> None:
        """Send what was begun. If Redis is unavailable, the lanes hear of it when they ask for their answers."""
        unsent, self._unsent = self._unsent, []
        if unsent:
            try:
                self._link.begin(unsent)
            except AWAY as error:
                self._lose(error)
        self._sent = len(self._outstanding)

    def begin(self, lane: Lane, packed: Iterable[bytes]) -> None:
        self._unsent += packed
        self._outstanding.append(lane)

    def answer(self, lane: Lane) -> Any:
        self._read_until(lane)
        found = lane.answers.popleft() if lane.answers else ConnectionError("nothing was sent that has an answer")
        if isinstance(found, RedisError):
            raise found
        return found

    def calls(self, several: Sequence[tuple[bytes | str | int, ...]]) -> list[Any]:
        self._read_until(None)
        return self._link.calls(several)

    def close(self) -> None:
        """Close the connection. The answers that are still to come are lost."""
        self._link.close()
        self._lose(ConnectionError("the connection was closed before the answer"))

    def leave(self, lane: Lane) -> None:
        """A lane is not used any more. The last one closes the connection."""
        self._used_by.discard(lane)
        if not self._used_by:
            self.close()

    def wait(self, tries: Tries, error: RedisError) -> None:
        self.close()
        self._link.wait(tries, error)

    @property
    def link(self) -> RedisLink:
        return self._link

    def _read_until(self, lane: Lane | None) -> None:
        """Take answers until there is one for this lane; all of them without a lane.

        What was begun meanwhile is sent only if the answer must be one of its own: the rest goes out together later.
        """
        if lane is None:
            self.flush()
        while self._outstanding and (lane is None or not lane.answers):
            if not self._sent:
                self.flush()
            else:
                self._take_one()

    def _take_one(self) -> None:
        try:
            answer = self._link.answer()
        except AWAY as error:
            self._lose(error)
            return
        except RedisError as error:  # of this call alone, such as a script that Redis does not know
            answer = error
        self._sent -= 1
        self._outstanding.popleft().answers.append(answer)

    def _lose(self, error: RedisError) -> None:
        self._link.close()
        self._unsent, self._sent = [], 0
        while self._outstanding:
            self._outstanding.popleft().answers.append(error)


class Lane(RedisLink):
    """The link of one store over a shared connection."""

    def __init__(self, shared: SharedLink) -> None:
        self._shared = shared
        self.answers: deque[Any] = deque()

    def begin(self, packed: Iterable[bytes]) -> None:
        """Send a call with the next flush, or when somebody asks for an answer."""
        self._shared.begin(self, packed)

    def answer(self) -> Any:
        return self._shared.answer(self)

    def calls(self, several: Sequence[tuple[bytes | str | int, ...]]) -> list[Any]:
        return self._shared.calls(several)

    def pack(self, *arguments: bytes | str | int) -> list[bytes]:
        return self._shared.link.pack(*arguments)

    def wrote(self) -> None:
        self._shared.link.wrote()

    def tries(self) -> Tries:
        return self._shared.link.tries()

    def wait(self, tries: Tries, error: RedisError) -> None:
        self._shared.wait(tries, error)

    def close(self) -> None:
        """The store is closed. The connection ends with its last lane."""
        self._shared.leave(self)
