"""Shards as serving reads them: their keys, and what the meta says that was read with the entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from shared_features.definitions import FeatureGroup
from shared_features.errors import FeatureError
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.shard_meta import Partition, ShardMeta, decode_meta


class Position(msgspec.Struct, frozen=True):
    """How far one partition was applied, and the record time up to which it was consumed."""

    topic: Annotated[str, Meta(description="The Kafka topic.")]
    topic_id: Annotated[str, Meta(description="The topic's id: a topic that is re-created has another one.")]
    partition: Annotated[int, Meta(description="The partition of the topic.")]
    offset: Annotated[int, Meta(description="The last offset that was applied; -1: none.")]
    consumed_until_us: Annotated[
        int, Meta(description="Record time up to which the partition was consumed, microseconds since 1970-01-01 UTC.")
    ]


class ShardReceipt(msgspec.Struct, frozen=True):
    """One shard as it was read. Digests are hexadecimal text: a JSON number would lose their last bits."""

    group: Annotated[str, Meta(description="The feature group, with its version.")]
    shard: Annotated[int, Meta(description="The number of the shard.")]
    commit_id: Annotated[str, Meta(description="The id of the commit that was read, hexadecimal.")]
    gaps_digest: Annotated[
        str, Meta(description="Digest of the offsets that were lost before they were applied, hexadecimal.")
    ]
    vector: Annotated[Sequence[Position], Meta(description="How far each partition was applied.")]


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """What one value of a meta key means. `problem`: why the shard cannot be used, None when it can."""

    shard: int
    build_id: int
    problem: str | None
    consumed_until_us: int | None
    receipt: bytes
    """JSON of a ShardReceipt; empty where there is a problem."""
    offsets: Mapping[Partition, int]
    """The last offset applied of each partition; empty where there is a problem."""


class Shard:
    """One shard of a group. A meta is decoded once and remembered until another comes."""

    __slots__ = ("_last", "entity_prefix", "group", "meta_key", "number")

    def __init__(self, namespace: str, group: FeatureGroup, number: int) -> None:
        self.number = number
        self.meta_key = meta_key(namespace, group, number)
        self.entity_prefix = entity_prefix(namespace, group, number)
        self.group = group
        self._last: tuple[bytes | None, ShardFacts] = None, self._read(None)

    def facts(self, meta: bytes | None) -> ShardFacts:
        """What this meta says; None: there is no meta key."""
        known, facts = self._last  # one value: another thread may ask at the same time
        if meta != known:
            facts = self._read(meta)
            self._last = meta, facts
        return facts

    def _read(self, stored: bytes | None) -> ShardFacts:
        label = self.group.label
        if stored is None:
            return self._unusable(f"{label} was never streamed to the online store. Start `python -m streaming run`.")
        try:
            meta = decode_meta(stored)
        except FeatureError as error:
            return self._unusable(f"shard {self.number} of {label} cannot be read: {error}")
        if meta.fingerprint != self.group.fingerprint:
            return self._unusable(
                f"shard {self.number} of {label} was written under another definition (fingerprint {meta.fingerprint}, "
                f"here {self.group.fingerprint}). Raise the group's version, or serve with the other definition."
            )
        if meta.behind:
            return self._unusable(f"shard {self.number} of {label} is being rebuilt and has not caught up yet. Wait.")
        until = [position.consumed_until_us for position in meta.vector.values()]
        known = min(until) if until and min(until) >= 0 else None
        offsets = {partition: position.offset for partition, position in meta.vector.items()}
        return ShardFacts(self.number, meta.build_id, None, known, self._receipt(meta), offsets)

    def _unusable(self, problem: str) -> ShardFacts:
        return ShardFacts(self.number, 0, problem, None, b"", {})

    def _receipt(self, meta: ShardMeta) -> bytes:
        vector = [
            Position(topic, topic_id, partition, position.offset, position.consumed_until_us)
            for (topic, topic_id, partition), position in sorted(meta.vector.items())
        ]
        receipt = ShardReceipt(
            group=self.group.label,
            shard=self.number,
            commit_id=meta.commit_id.hex(),
            gaps_digest=f"{meta.gaps_digest:016x}",
            vector=vector,
        )
        return msgspec.json.encode(receipt)
