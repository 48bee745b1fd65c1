"""The subject of an erasure: an entity by its key, as each store spells the key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared_features.definitions import Entity, EventSource, FeatureGroup
from shared_features.definitions.field_types.integer import whole_number
from shared_features.formats.entity_keys import EntityKeys, escape, has_integer_key, shards_of
from streaming.lake.scan import sql_text


@dataclass(frozen=True)
class Subject:
    """One entity. parts: its key fields as text, in the entity's order. key: the parts joined as the stores spell them.

    numbers: the key fields that are whole numbers; their parts are spelled as in the stores. told_apart: whether
    another kind of entity has the same name and as many key fields.
    """

    entity: Entity
    parts: tuple[str, ...]
    numbers: frozenset[str] = frozenset()
    told_apart: bool = False

    @property
    def key(self) -> str:
        return self.key_by(self.entity.keys)

    def key_by(self, fields: Sequence[str]) -> str:
        """The key with its fields in another order, as a group may have them."""
        said = dict(zip(self.entity.keys, self.parts, strict=True))
        return "|".join(escape(said[name]) for name in fields)

    def digest(self, salt: bytes) -> str:
        """A digest that may be kept. The key cannot be found from it, but a known key can be compared with it."""
        said = [self.entity.name, *self.parts, *([self.entity.keys] if self.told_apart else [])]
        return hmac.new(salt, json.dumps(said).encode(), hashlib.sha256).hexdigest()

    def is_in(self, source: EventSource) -> bool:
        """Whether events of the source carry the entity's fields."""
        return all(source.has(name) for name in self.entity.keys)

    def literals(self, source: EventSource) -> tuple[str, ...] | None:
        """The key fields as SQL for an events table; None if the source's fields cannot hold them."""
        found = []
        for name, part in zip(self.entity.keys, self.parts, strict=True):
            kind = source.field(name).type
            if kind.spelled_key(part) != part:
                return None
            found.append(part if kind.key_part == "number" else sql_text(part))
        return tuple(found)

    def parts_in(self, plain: Mapping[str, Any] | None) -> tuple[str | None, ...]:
        """The entity's fields as a decoded record carries them, spelled as `parts` are; none where it does not."""
        if plain is None or not all(name in plain for name in self.entity.keys):
            return ()
        return tuple(
            _whole_as_text(plain[name]) if name in self.numbers else str(plain[name]) for name in self.entity.keys
        )

    def shard(self, group: FeatureGroup) -> int:
        """The number of the shard that holds the subject in a group with the same key fields, in any order."""
        key = self.key_by(group.entity.keys)
        integer = has_integer_key(group.entity, group.sources[0])
        keys: EntityKeys = np.array([int(key)], np.int64) if integer else [key]
        return int(shards_of(keys, group.shards)[0])


def _whole_as_text(plain: object) -> str | None:
    """A whole number of a record, which writers spell as 77, 77.0, "77" or "077"."""
    return whole_number(str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain))
