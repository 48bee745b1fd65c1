"""Erasing states from the online store: a commit of the same vector under another id, without the entity.

The same commit tells the shard that its tables have been through one more erasure. Should Redis ever come back as it
was before, the shard's count is another than the archive's, and it is built anew.

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
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, encode_meta
from streaming.errors import RefusedError
from streaming.online_store.shard_store import readable_meta
from streaming.operations.erasure.record import LogEnds
from streaming.operations.erasure.subject import Subject
from streaming.settings import StreamingSettings

_SCRIPT = files("streaming.operations.erasure").joinpath("erase.lua").read_text()
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

    def wait(
        self,
        groups: Iterable[FeatureGroup],
        subjects: Sequence[Subject] | None,
        log_ends: LogEnds,
        deadline: Callable[[], bool],
    ) -> None:
        """Until every shard that holds one of them has applied what is erased; RefusedError where that is long.

        subjects: None for every shard of the groups.
        """
        for group in groups:
            numbers = range(group.shards) if subjects is None else {subject.shard(group) for subject in subjects}
            for number in sorted(numbers):
                while why := _not_beyond(group, self._client.get(self._meta_key(group, number)), log_ends):
                    _pause(group, number, why, deadline)

    def erase(
        self,
        group: FeatureGroup,
        subjects: Sequence[Subject],
        log_ends: LogEnds,
        deadline: Callable[[], bool],
        erasures: tuple[int, int] = (0, 0),
    ) -> int:
        """Erase states of a group, in every shard as soon as it has applied what is erased; returns how many.

        erasures: what its tables' count was and is. Every shard that goes on gets it, also those without a subject:
        a subject's events were read for the states of other entities, too.
        """
        gone = 0
        for number in range(group.shards):
            keys = [self._key(group, subject) for subject in subjects if subject.shard(group) == number]
            if keys or erasures[0] != erasures[1]:
                gone += self._erase_shard(group, number, keys, log_ends, deadline, erasures)
        return gone

    def close(self) -> None:
        self._client.close()

    def _erase_shard(
        self,
        group: FeatureGroup,
        number: int,
        keys: list[bytes],
        log_ends: LogEnds,
        deadline: Callable[[], bool],
        erasures: tuple[int, int],
    ) -> int:
        where, tries = self._meta_key(group, number), 0
        while True:
            stored: bytes | None = self._client.get(where)
            if keys and (why := _not_beyond(group, stored, log_ends)):
                _pause(group, number, why, deadline)
                continue
            expected, new, meta = b"", b"", readable_meta(stored)
            if not keys and (meta is None or meta.behind or meta.erasures != erasures[0]):
                return 0  # it is built of what the tables hold, now or soon
            if meta is not None:
                expected = meta.commit_id
                count = erasures[1] if meta.erasures == erasures[0] else meta.erasures
                new = encode_meta(replace(meta, commit_id=secrets.token_bytes(COMMIT_ID_BYTES), erasures=count))
            gone = int(self._erase(keys=[where, *keys], args=[expected, new]))
            if gone >= 0:
                return gone
            tries += 1
            if deadline():
                raise RefusedError(
                    f"shard {group.label}:{number} was committed by others at each of {tries} tries; run this again"
                )

    def _meta_key(self, group: FeatureGroup, number: int) -> bytes:
        return meta_key(self._namespace, group, number)

    def _key(self, group: FeatureGroup, subject: Subject) -> bytes:
        return entity_prefix(self._namespace, group, subject.shard(group)) + subject.key.encode()


def _pause(group: FeatureGroup, number: int, why: str, deadline: Callable[[], bool]) -> None:
    if deadline():
        raise RefusedError(f"shard {group.label}:{number} {why}; run this again when it has")
    time.sleep(WAIT_S)


def _not_beyond(group: FeatureGroup, stored: bytes | None, log_ends: LogEnds) -> str:
    """Why a shard's states may still get what is erased; empty when they cannot, and where there is no shard."""
    if stored is None:
        return ""
    meta = readable_meta(stored)
    if meta is None or meta.behind:
        return "is being rebuilt and has to be live"
    applied = {(topic, partition): position.offset for (topic, _, partition), position in meta.vector.items()}
    for topic in sorted({source.topic for source in group.sources}):
        for partition, end in sorted(log_ends.get(topic, {}).items()):
            offset = applied.get((topic, partition), -1)
            if offset + 1 < end:
                return f"is at offset {offset} of {topic}, partition {partition}, and has to reach {end - 1}"
    return ""
