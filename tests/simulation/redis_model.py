"""Redis in memory: the few commands that streaming uses, a file that may be cut back, calls that land late.

`tests/simulation/test_models.py` holds its answers against a real redis-server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import ConnectionError, NoScriptError, OutOfMemoryError, RedisError, TimeoutError

from streaming.job.backoff import Tries
from streaming.online_store.link import RedisLink
from streaming.online_store.shard_store import _SCRIPT, _SCRIPT_ID
from tests.simulation.chances import Chances

Call = tuple[Any, ...]
_REMEMBERED = 8


@dataclass(eq=False)
class Sent:
    """A call that was sent: the same call may be sent twice."""

    call: Call


class RedisModel:
    """Keys and values, what they were before, and calls that are still on their way."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.past: list[dict[bytes, bytes]] = []
        self.on_their_way: list[Sent] = []
        self.started = 0
        self._scripts: set[str] = set()

    def cut_back(self, to: dict[bytes, bytes]) -> None:
        """Restarted with what its file holds: connections, scripts and everything later are gone."""
        self.values, self.past = dict(to), []
        self._scripts.clear()
        self.started += 1

    def execute(self, call: Call) -> Any:
        """The answer of a command; a RedisError where Redis would answer with one."""
        name = call[0]
        if name == "GET":
            return self.values.get(call[1])
        if name == "MGET":
            return [self.values.get(key) for key in call[1:]]
        if name == "EXISTS":
            return sum(key in self.values for key in call[1:])
        if name == "TYPE":
            return b"string" if call[1] in self.values else b"none"
        if name == "SCRIPT":
            self._scripts.add(_SCRIPT_ID)
            return _SCRIPT_ID.encode()
        if name == "EVALSHA":
            if call[1] not in self._scripts:
                raise NoScriptError("No matching script")
            return self._commit(call[3 : 3 + call[2]], call[3 + call[2] :])
        raise AssertionError(f"the model does not know {name}")

    def _commit(self, keys: Call, arguments: Call) -> int:
        """What `commit.lua` does."""
        if not self.as_expected(keys[0], arguments[0]):
            return 0
        self.past = [*self.past, dict(self.values)][-_REMEMBERED:]
        self.values.update(zip(keys[1:], arguments[3:], strict=True))
        self.values[keys[0]] = arguments[1]
        return 1

    def as_expected(self, meta_key: bytes, expected: bytes) -> bool:
        """The comparison of `commit.lua`."""
        return self.values.get(meta_key, b"")[:16] == expected

    def land(self, sent: Sent) -> None:
        """A call arrives whose caller has long given it up."""
        self.on_their_way.remove(sent)
        try:
            self.execute(sent.call)
        except RedisError:
            return


class ModelLink(RedisLink):
    """A connection to the model: every call may fail before, fail after, or happen when nobody waits any more."""

    def __init__(self, redis: RedisModel, chances: Chances) -> None:
        self._redis, self._chances = redis, chances
        self._connection, self._within_s = None, None
        self._sent: list[Sent] = []
        self._started = redis.started

    def pack(self, *arguments: bytes | str | int) -> list[bytes]:
        return cast(list[bytes], [arguments])

    def begin(self, packed: Iterable[bytes]) -> None:
        self._chances.point()
        if not self._sent:
            self._started = self._redis.started  # a connection is made when there is none
        if self._chances.fault("Redis: not reached"):
            self.close()
            raise ConnectionError("not reached")
        for each in packed:
            sent = Sent(cast(Call, each))
            self._sent.append(sent)
            if sent.call[0] == "EVALSHA":
                self._redis.on_their_way.append(sent)

    def answer(self) -> Any:
        self._chances.point()
        if not self._sent:
            raise ConnectionError("the connection was lost before the answer")
        sent = self._sent.pop(0)
        if self._started != self._redis.started:
            self.close()
            raise ConnectionError("Redis was started anew")
        if self._chances.fault("Redis: timed out, call lands late or never", 2):
            self.close()
            raise TimeoutError("timed out")
        if sent.call[0] == "EVALSHA":
            if sent not in self._redis.on_their_way:  # it has landed, and its answer is lost
                self.close()
                raise TimeoutError("timed out")
            self._redis.on_their_way.remove(sent)
        if sent.call[0] == "EVALSHA" and self._chances.fault("Redis: out of memory", 0.5):
            self.close()
            raise OutOfMemoryError("OOM command not allowed")
        answer = self._redis.execute(sent.call)
        if self._chances.fault("Redis: done, answer lost"):
            self.close()
            raise TimeoutError("timed out")
        return answer

    def wait(self, tries: Tries, error: RedisError) -> None:
        self.close()
        self._chances.point()

    def wrote(self) -> None:
        """It says nothing."""

    def close(self) -> None:
        self._sent.clear()


SCRIPT = _SCRIPT
"""The script that the model stands for."""
