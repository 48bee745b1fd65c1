"""What Redis holds of one entity in one group: its state and the meta of its shard, read in one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared_features.definitions import FeatureGroup
from shared_features.entity_contents import head_of, is_exact, tiles_of
from shared_features.errors import FormatVersionError
from shared_features.formats.entity_state import decode_states, owners_of
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import ShardMeta
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.kernel.tile_state import NEVER_US, TileState
from streaming.online_store.link import RedisLink
from streaming.operations.erasure.subjects.subject import Subject


@dataclass(frozen=True)
class RedisEntity:
    """One entity as Redis has it. problem: why its state cannot be used; empty where it can.

    state: in slot 0; without events where Redis has no key.
    """

    key: str
    shard: int
    problem: str
    found: bool
    meta: ShardMeta | None
    state: TileState

    @property
    def newest_us(self) -> int | None:
        newest_us = int(self.state.newest_us([0])[0])
        return None if newest_us == NEVER_US else newest_us

    def is_exact(self, as_of_us: int) -> bool:
        """Whether the state can answer exactly as of an instant."""
        return is_exact(self.state, 0, as_of_us)

    def head(self) -> list[tuple[int, int]]:
        """Event time and digest of each of the newest events, newest first."""
        return [(each.event_time_us, each.digest) for each in reversed(head_of(self.state, 0))]

    def tiles(self) -> list[tuple[int, int, int]]:
        """Start, hop and number of events of each tile, oldest first."""
        return [(each.start_us, each.hop_us, each.events) for each in tiles_of(self.state, 0)]


def read_entity(link: RedisLink, namespace: str, group: FeatureGroup, subject: Subject) -> RedisEntity:
    """Raises redis.RedisError where Redis is unavailable."""
    number = subject.shard(group)
    of_meta = meta_key(namespace, group, number)
    key = entity_prefix(namespace, group, number) + subject.key.encode()
    stored_meta, stored = link.call("MGET", of_meta, key)
    state = TileState(group.layout)
    state.add(1)
    name = key.decode()
    if stored_meta is None:
        return RedisEntity(name, number, "the shard was never written; see `status`", False, None, state)
    try:
        meta = decode_meta(stored_meta, of_meta)
        if problem := _problem(group, meta):
            return RedisEntity(name, number, problem, False, meta, state)
        found = decode_states(state, [0], [stored], np.uint64(meta.build_id), owners_of([key]))
    except FormatVersionError as error:
        return RedisEntity(name, number, str(error), False, None, state)
    return RedisEntity(name, number, "", bool(found[0]), meta, state)


def _problem(group: FeatureGroup, meta: ShardMeta) -> str:
    if meta.fingerprint != group.fingerprint:
        return (
            f"the shard was written under another definition (fingerprint {meta.fingerprint}, here {group.fingerprint})"
        )
    return "the shard is being rebuilt; see `status`" if meta.behind else ""
