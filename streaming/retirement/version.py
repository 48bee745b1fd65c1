"""A version of a feature group that the definitions no longer hold, as it is found in Redis and in the lake."""

from __future__ import annotations

import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from shared_features.errors import FormatVersionError
from shared_features.formats.online_state import ShardMeta, decode_meta
from streaming.errors import RefusedError
from streaming.settings import StreamingSettings

_LABEL = re.compile(r"([A-Za-z_]\w*):v([1-9]\d*)")
_AT_ONCE = 500
_META = b"}:meta"
_REMOVED = ".retired"
"""Folder of the lake into which a table goes before it is deleted: in one step it is no table any more."""


@dataclass(frozen=True)
class Version:
    """`name:vN`."""

    name: str
    number: int

    @classmethod
    def parse(cls, label: str) -> Version:
        found = _LABEL.fullmatch(label)
        if found is None:
            raise RefusedError(f"{label!r} is no version of a feature group; give NAME:vN, such as machine_heat:v1")
        return cls(found[1], int(found[2]))

    def __str__(self) -> str:
        return f"{self.name}:v{self.number}"

    def is_of(self, label: str) -> bool:
        """Whether a label is this version's, or that of an addition to it (`name:vN+M`)."""
        return label.partition("+")[0] == str(self)

    def tables(self, lake: Path, kind: str) -> list[Path]:
        """Its tables of a kind (features, snapshots), with those of its additions."""
        pattern = re.compile(rf"{kind}_{re.escape(self.name)}_v{self.number}(_added\d+)?_on_\w+")
        return sorted(each for each in lake.glob(f"{kind}_*") if pattern.fullmatch(each.name))


class VersionKeys:
    """A version's keys in Redis, found by looking through all keys: the definitions that knew its shards are gone."""

    def __init__(self, settings: StreamingSettings, version: Version) -> None:
        self._client: Any = redis.Redis.from_url(settings.redis_url, socket_timeout=30, socket_connect_timeout=5)
        self._tag = f"{{{settings.redis_namespace}:{version}"
        self._definition = f"{settings.redis_namespace}:definition:{version}"

    def count(self) -> Counter[str]:
        """How many keys of each kind there are: entity, meta, definition."""
        return Counter("meta" if key.endswith(_META) else "entity" for key in self._shard_keys()) + Counter(
            {"definition": sum(1 for _ in self._definitions())}
        )

    def metas(self) -> Iterator[tuple[str, ShardMeta]]:
        """The metas that can be read, by key."""
        for key in self._shard_keys():
            stored = self._client.get(key) if key.endswith(_META) else None
            if stored is not None:
                try:
                    yield key.decode(), decode_meta(stored)
                except FormatVersionError:
                    continue  # of another release: nothing that runs by this one writes it

    def remove(self) -> int:
        """Remove them, entities first, so that what a crash leaves is found again; returns how many went."""
        gone, keys = 0, self._shard_keys()
        while some := list(islice(keys, _AT_ONCE)):
            gone += self._unlink([key for key in some if not key.endswith(_META)])
        return gone + self._unlink(list(self._shard_keys())) + self._unlink(list(self._definitions()))

    def close(self) -> None:
        self._client.close()

    def _unlink(self, keys: list[bytes]) -> int:
        with self._client.pipeline(transaction=False) as calls:
            for key in keys:  # one by one: they are of several shards, on a cluster of several servers
                calls.unlink(key)
            return sum(calls.execute())

    def _shard_keys(self) -> Iterator[bytes]:
        yield from self._client.scan_iter(match=f"{self._tag}[:+]*}}:*", count=1_000)

    def _definitions(self) -> Iterator[bytes]:
        for key in self._client.scan_iter(match=f"{self._definition}*", count=1_000):
            if key.decode().partition("+")[0] == self._definition:
                yield key


def remove_table(table: Path) -> None:
    """Remove a table's directory: first away under another name, in one step, then from the disk."""
    removed = table.parent / _REMOVED
    removed.mkdir(exist_ok=True)
    table.rename(removed / f"{table.name}.{uuid.uuid4().hex}")
    sweep(table.parent)


def sweep(lake: Path) -> None:
    """Delete what was removed, by this command or by one that was killed."""
    shutil.rmtree(lake / _REMOVED, ignore_errors=True)
