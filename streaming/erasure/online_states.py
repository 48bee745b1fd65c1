"""Erasing states from the online store: a commit of the same vector under another id, without the entity.

A running `online` finds that its shard is no longer as expected, drops what it holds in memory and starts anew.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import redis

from shared_features.definitions import FeatureGroup
from shared_features.formats.online_state import (
    COMMIT_ID_BYTES,
    ShardMeta,
    decode_meta,
    encode_meta,
    entity_prefix,
    meta_key,
)
from streaming.erasure.record import LogEnds
from streaming.erasure.subject import Subject
from streaming.errors import RefusedError
from streaming.settings import StreamingSettings

_SCRIPT = files("streaming.erasure").joinpath("erase.lua").read_text()
_TRIES = 500
WAIT_S = 0.2


class OnlineStates:
    """The shards in which subjects have their states."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._namespace = settings.redis_namespace
        self._client: Any = redis.Redis.from_url(settings.redis_url, socket_timeout=10, socket_connect_timeout=5)
        self._erase = self._client.register_script(_SCRIPT)

    def count(self, groups: Iterable[FeatureGroup], subjects: Sequence[Subject]) -> int:
        """How many states there are."""
        return sum(int(self._client.exists(self._key(group, subject))) for group in groups for subject in subjects)

    def erase(
        self, group: FeatureGroup, subjects: Sequence[Subject], log_ends: LogEnds, deadline: Callable[[], bool]
    ) -> int:
        """Erase states of a group, in every shard as soon as it has applied what is erased; returns how many."""
        gone = 0
        for number in sorted({subject.shard(group) for subject in subjects}):
            keys = [self._key(group, subject) for subject in subjects if subject.shard(group) == number]
            gone += self._erase_shard(group, number, keys, log_ends, deadline)
        return gone

    def close(self) -> None:
        self._client.close()

    def _erase_shard(
        self, group: FeatureGroup, number: int, keys: list[bytes], log_ends: LogEnds, deadline: Callable[[], bool]
    ) -> int:
        where = meta_key(self._namespace, group, number)
        tries = 0
        while True:
            stored: bytes | None = self._client.get(where)
            meta = None if stored is None else decode_meta(stored)
            if meta is not None and (why := _not_beyond(group, meta, log_ends)):
                if deadline():
                    raise RefusedError(f"shard {group.label}:{number} {why}; run this again when it has")
                time.sleep(WAIT_S)
                continue
            expected, new = b"", b""
            if meta is not None:
                expected = meta.commit_id
                new = encode_meta(replace(meta, commit_id=secrets.token_bytes(COMMIT_ID_BYTES)))
            gone = int(self._erase(keys=[where, *keys], args=[expected, new]))
            if gone >= 0:
                return gone
            if (tries := tries + 1) >= _TRIES:
                raise RefusedError(
                    f"shard {group.label}:{number} was committed at each of {_TRIES} tries; run it again"
                )

    def _key(self, group: FeatureGroup, subject: Subject) -> bytes:
        return entity_prefix(self._namespace, group, subject.shard(group)) + subject.key.encode()


def _not_beyond(group: FeatureGroup, meta: ShardMeta, log_ends: LogEnds) -> str:
    """Why a shard's states may still get what is erased; empty when they cannot."""
    if meta.behind:
        return "is being rebuilt and has to be live"
    applied = {(topic, partition): position.offset for (topic, _, partition), position in meta.vector.items()}
    for topic in sorted({source.topic for source in group.sources}):
        for partition, end in sorted(log_ends.get(topic, {}).items()):
            offset = applied.get((topic, partition), -1)
            if offset + 1 < end:
                return f"is at offset {offset} of {topic}, partition {partition}, and has to reach {end - 1}"
    return ""
