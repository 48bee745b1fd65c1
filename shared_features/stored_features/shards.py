"""Shards as they are read: their keys, and what the meta says that was read with the entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared_features.definitions import FeatureGroup
from shared_features.errors import FeatureError
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.receipt import encode_shard
from shared_features.formats.shard_meta import Partition, VectorEntry
from shared_features.formats.shard_meta_bytes import decode_meta
from shared_features.stored_features.told import Told, Untold


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """What one value of a meta key means. `problem`: why the shard cannot be used, None when it can."""

    shard: int
    build_id: int
    problem: str | None
    consumed_until_us: int | None
    receipt: bytes
    """What `formats.receipt.encode_shard` gives; empty where there is a problem."""
    vector: Mapping[Partition, VectorEntry]
    """How far each partition was applied; empty where there is a problem."""
    built_at_us: int = 0
    """When the build of the shard began; 0 if unknown."""
    unreadable: bool = False
    """Whether the meta's bytes are damaged, or of another schema or shard."""


class Shard:
    """One shard of a group. A meta is decoded once and remembered until another comes.

    told: of the group.
    """

    __slots__ = ("_last", "_told", "entity_prefix", "group", "meta_key", "number")

    def __init__(self, namespace: str, group: FeatureGroup, number: int, told: Told | None = None) -> None:
        self.number = number
        self.meta_key = meta_key(namespace, group, number)
        self.entity_prefix = entity_prefix(namespace, group, number)
        self.group = group
        self._told = told or Untold()
        self._last: tuple[bytes | None, ShardFacts] = None, self._read(None)  # that it was never there is no change

    def facts(self, meta: bytes | None) -> ShardFacts:
        """What this meta says; None: there is no meta key."""
        known, facts = self._last  # one value: another thread may ask at the same time
        if meta != known:
            facts = self._read(meta)
            self._last = meta, facts
            self._told.read(self.number, facts.problem)
        return facts

    def _read(self, stored: bytes | None) -> ShardFacts:
        label = self.group.label
        if stored is None:
            return self._unusable(f"{label} was never streamed to the online store. Start `python -m streaming run`.")
        try:
            meta = decode_meta(stored, self.meta_key)
        except FeatureError as error:
            self._told.unreadable_meta(self.meta_key, str(error))
            return self._unusable(f"shard {self.number} of {label} cannot be read. {error}", unreadable=True)
        if meta.fingerprint != self.group.fingerprint:
            return self._unusable(
                f"shard {self.number} of {label} was written under another definition (fingerprint {meta.fingerprint}, "
                f"here {self.group.fingerprint}). Raise the group's version, or serve with the other definition."
            )
        if meta.behind:
            return self._unusable(f"shard {self.number} of {label} is being rebuilt and has not caught up yet. Wait.")
        receipt = encode_shard(label, self.number, meta)
        return ShardFacts(
            self.number, meta.build_id, None, meta.consumed_until_us, receipt, meta.vector, meta.built_at_us
        )

    def _unusable(self, problem: str, *, unreadable: bool = False) -> ShardFacts:
        return ShardFacts(self.number, 0, problem, None, b"", {}, unreadable=unreadable)
