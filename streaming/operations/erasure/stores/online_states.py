"""Erasing states from the online store: a commit of the same vector under another commit id, without the entity.

The same commit raises the shard's count of erasures. If Redis is rolled back to an earlier state, the shard's count
differs from the archive's, and the shard is rebuilt.

A running `online` finds another commit id than it expects, drops what it holds in memory, and restarts.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import redis

from shared_features.definitions import FeatureGroup
from shared_features.formats.online_state import entity_prefix, meta_key, shard_tag
from shared_features.formats.shard_meta import COMMIT_ID_BYTES
from shared_features.formats.shard_meta_bytes import encode_meta
from streaming.errors import RefusedError
from streaming.online_store.shard_store import readable_meta
from streaming.operations.erasure.record import LogEnds
from streaming.operations.erasure.subjects.held_keys import HeldKeys
from streaming.operations.erasure.subjects.subject import Subject
from streaming.settings import StreamingSettings

_SCRIPT = files("streaming.operations.erasure.stores").joinpath("erase.lua").read_text()
WAIT_S = 0.2


class OnlineStates:
    """The shards that hold the states of subjects."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._namespace = settings.redis_namespace
        self._client: Any = redis.Redis.from_url(settings.redis_url, socket_timeout=10, socket_connect_timeout=5)
        self._erase = self._client.register_script(_SCRIPT)

    def count(self, groups: Iterable[FeatureGroup], subjects: Sequence[Subject]) -> int:
        """The number of states of the subjects."""
        keys = (keys for group in groups for keys in self._states(group, subjects).values())
        return sum(int(self._client.exists(key)) for some in keys for key in some)

    def wait(
        self,
        groups: Iterable[FeatureGroup],
        subjects: Sequence[Subject] | None,
        log_ends: LogEnds,
        deadline: Callable[[], bool],
    ) -> None:
        """Wait until every shard of the subjects has applied the erased events. Raises RefusedError if this takes too
        long.

        subjects: None for every shard of the groups. Every shard of a group may have states of a subject, too, if its
        keys have further fields.
        """
        for group in groups:
            known = subjects is not None and HeldKeys(group.entity.keys, subjects).are_known
            for number in sorted({each.shard(group) for each in subjects or ()}) if known else range(group.shards):
                while why := self._not_beyond(group, number, log_ends):
                    _pause(group, number, why, deadline)

    def erase(
        self,
        group: FeatureGroup,
        subjects: Sequence[Subject],
        log_ends: LogEnds,
        deadline: Callable[[], bool],
        erasures: tuple[int, int] = (0, 0),
    ) -> int:
        """Erase states of a group, in each shard as soon as it has applied the erased events. Returns their number.

        Of a group whose keys have further fields, the states are those that Redis has now: call `wait` before.

        erasures: the old and the new count of the group's tables. Every shard that continues gets the new count, even
        without a subject, because a subject's events were read for the states of other entities too.
        """
        gone, states = 0, self._states(group, subjects)
        for number in range(group.shards):
            keys = sorted(states.get(number, ()))
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
            if keys and (why := _not_beyond(group, stored, where, log_ends)):
                _pause(group, number, why, deadline)
                continue
            expected, new, meta = b"", b"", readable_meta(stored, where)
            if not keys and (meta is None or meta.behind or meta.erasures != erasures[0]):
                return 0  # the shard is, or will be, built from the tables
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
                    f"Shard {group.label}:{number} cannot be changed: other programs committed during each of {tries} "
                    "tries. Run this again"
                )

    def _not_beyond(self, group: FeatureGroup, number: int, log_ends: LogEnds) -> str:
        where = self._meta_key(group, number)
        return _not_beyond(group, self._client.get(where), where, log_ends)

    def _meta_key(self, group: FeatureGroup, number: int) -> bytes:
        return meta_key(self._namespace, group, number)

    def _states(self, group: FeatureGroup, subjects: Sequence[Subject]) -> Mapping[int, set[bytes]]:
        """By shard, the keys of all states that the subjects can have, or of those that Redis has."""
        found, held = dict[int, set[bytes]](), HeldKeys(group.entity.keys, subjects)
        if held.are_known:
            for subject, key in zip(subjects, held.known(), strict=True):
                number = subject.shard(group)
                found.setdefault(number, set()).add(entity_prefix(self._namespace, group, number) + key.encode())
            return found
        head = shard_tag(self._namespace, group.label, 0).removesuffix("0}").encode()
        for stored in self._client.scan_iter(match=_literally(head) + b"*}:e:*", count=1_000):
            shard, _, key = stored.removeprefix(head).partition(b"}:e:")
            if held.among([key.decode()]):
                found.setdefault(int(shard), set()).add(stored)
        return found


def _literally(text: bytes) -> bytes:
    """A pattern of Redis that matches a text and nothing else."""
    return re.sub(rb"([*?\[\]\\])", rb"\\\1", text)


def _pause(group: FeatureGroup, number: int, why: str, deadline: Callable[[], bool]) -> None:
    if deadline():
        raise RefusedError(f"Shard {group.label}:{number} {why}. Run this again later")
    time.sleep(WAIT_S)


def _not_beyond(group: FeatureGroup, stored: bytes | None, key: bytes, log_ends: LogEnds) -> str:
    """Why a shard may still receive erased events; empty if it cannot, or if there is no shard."""
    if stored is None:
        return ""
    meta = readable_meta(stored, key)
    if meta is None or meta.behind:
        return "is being rebuilt, and must be live first"
    applied = {(topic, partition): position.offset for (topic, _, partition), position in meta.vector.items()}
    for topic in sorted({source.topic for source in group.sources}):
        for partition, end in sorted(log_ends.get(topic, {}).items()):
            offset = applied.get((topic, partition), -1)
            if offset + 1 < end:
                return f"is at offset {offset} of {topic}, partition {partition}, and has to reach {end - 1}"
    return ""
