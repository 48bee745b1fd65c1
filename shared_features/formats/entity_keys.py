"""Entity keys: how the key of an entity is spelled, hashed and dealt to shards, the same on both sides of a wall.

A single Integer key stays an int64 column; any other key is its text: several fields joined by "|", with "|" and
backslash inside a field escaped by a backslash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Entity, EventSource
from shared_features.kernel.hashing import hash_integers, hash_texts

EntityKeys = NDArray[np.int64] | list[str]


def entity_keys(entity: Entity, source: EventSource, columns: Mapping[str, NDArray[Any]]) -> EntityKeys:
    """The key of each row: int64[n] where the only key field is an Integer, else a list of n texts."""
    if has_integer_key(entity, source):
        return np.asarray(columns[entity.keys[0]], np.int64)
    if len(entity.keys) == 1:
        return [escape(each) for each in columns[entity.keys[0]].tolist()]
    parts = [[escape(each) for each in columns[name].tolist()] for name in entity.keys]
    return ["|".join(row) for row in zip(*parts, strict=True)]


def has_integer_key(entity: Entity, source: EventSource) -> bool:
    return len(entity.keys) == 1 and source.field(entity.keys[0]).type.key_part == "number"


def escape(part: Any) -> str:
    return str(part).replace("\\", "\\\\").replace("|", "\\|")


def split_key(key: str) -> list[str]:
    """The fields of a key: the inverse of `escape`, joined by `|`."""
    if "\\" not in key:
        return key.split("|")
    parts, current, escaped = [], "", False
    for character in key:
        if escaped or character not in "\\|":
            current, escaped = current + character, False
        elif character == "\\":
            escaped = True
        else:
            parts.append(current)
            current = ""
    return [*parts, current]


def key_texts(keys: EntityKeys) -> list[str]:
    """Each key as it is spelled in the online and the offline store."""
    return keys if isinstance(keys, list) else list(map(str, keys.tolist()))


def shards_of(keys: EntityKeys, shards: int) -> NDArray[np.int64]:
    """int64[n]: the shard of each key, 0 to shards - 1."""
    hashed = hash_texts(keys) if isinstance(keys, list) else hash_integers(keys)
    return (hashed % np.uint64(shards)).astype(np.int64)
