"""A version's keys in Redis, found by a scan of all keys, because no definition knows its shards any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import redis

from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta
from streaming.errors import RefusedError
from streaming.operations.retirement.version import Version
from streaming.settings import StreamingSettings

_AT_ONCE = 500
_META = b":meta"


class VersionKeys:
    """Counts, reads and removes the keys."""

    def __init__(self, settings: StreamingSettings, version: Version) -> None:
        self._client: Any = redis.Redis.from_url(settings.redis_url, socket_timeout=30, socket_connect_timeout=5)
        self._version = version
        self._tag = f"{{{settings.redis_namespace}:{version}" + (":" if version.part else "[:+]")
        self._definition = f"{settings.redis_namespace}:definition:"

    def count(self) -> Counter[str]:
        """The number of keys of each kind: entity, meta, definition."""
        return Counter("meta" if _is_meta(key) else "entity" for key in self._shard_keys()) + Counter(
            {"definition": sum(1 for _ in self._definitions())}
        )

    def metas(self) -> Iterator[tuple[str, ShardMeta]]:
        """The metas that can be read, by key."""
        for key in filter(_is_meta, self._shard_keys()):
            stored = self._client.get(key)
            if stored is not None:
                try:
                    yield key.decode(), decode_meta(stored, key)
                except FormatVersionError:
                    continue  # damaged, or written by another release: no program of this release continues it

    def remove(self) -> int:
        """Remove the keys. Returns how many were removed.

        The metas of the shards are removed first: without a meta a shard is neither served nor continued. If the
        version is restored later, its shards are rebuilt under a build id that no remaining state has. Raises
        RefusedError if a process rebuilds a shard meanwhile.
        """
        metas = list(filter(_is_meta, self._shard_keys()))
        gone = sum(self._unlinked(metas))
        entities = (key for key in self._shard_keys() if not _is_meta(key))
        while some := list(islice(entities, _AT_ONCE)):
            gone += sum(self._unlinked(some))
            self._refuse_built({b"%b}%b" % (key.partition(b"}")[0], _META) for key in some})
        self._refuse_built(metas)
        return gone + sum(self._unlinked(self._definitions()))

    def close(self) -> None:
        self._client.close()

    def _refuse_built(self, metas: Iterable[bytes]) -> None:
        """A meta that exists again is of a build that may lack removed states. Without its meta it starts again."""
        if any(self._unlinked(metas)):
            raise RefusedError(
                f"A process rebuilds {self._version}: a `bootstrap` whose definitions still hold it. Stop that "
                "process, then run this again"
            )

    def _unlinked(self, keys: Iterable[bytes]) -> Sequence[int]:
        with self._client.pipeline(transaction=False) as calls:
            for key in keys:  # one by one: they belong to several shards, on a cluster to several servers
                calls.unlink(key)
            found: Sequence[int] = calls.execute()
            return found

    def _shard_keys(self) -> Iterator[bytes]:
        yield from self._client.scan_iter(match=f"{self._tag}*}}:*", count=1_000)

    def _definitions(self) -> Iterator[bytes]:
        for key in self._client.scan_iter(match=f"{self._definition}{self._version}*", count=1_000):
            if self._version.is_of(key.decode().removeprefix(self._definition)):
                yield key


def _is_meta(key: bytes) -> bool:
    return key.partition(b"}")[2] == _META
