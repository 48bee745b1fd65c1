"""Who is erased: an entity by its key, as each store spells it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared_features.definitions import Catalogue, Entity, EventSource, FeatureGroup, Integer, Text
from shared_features.formats.entity_keys import EntityKeys, escape, has_integer_key, shards_of
from streaming.errors import RefusedError

_INT64 = np.iinfo(np.int64)
_MOST_DIGITS = 1000  # more are no int64, whatever zeros are among them


@dataclass(frozen=True)
class Subject:
    """One entity. parts: its key fields as text, in the entity's order; key: how the stores spell them together.

    numbers: the key fields that are whole numbers, whose parts are spelled in the one way that stores do.
    """

    entity: Entity
    parts: tuple[str, ...]
    numbers: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return "|".join(map(escape, self.parts))

    def digest(self, salt: bytes) -> str:
        """What may be kept of it: nobody finds the key from it, but who knows the key finds it."""
        return hmac.new(salt, json.dumps([self.entity.name, *self.parts]).encode(), hashlib.sha256).hexdigest()

    def is_in(self, source: EventSource) -> bool:
        """Whether events of the source carry the entity's fields."""
        return all(source.has(name) for name in self.entity.keys)

    def condition(self, source: EventSource) -> str:
        """SQL of an events table: the rows of this entity."""
        terms = []
        for name, part in zip(self.entity.keys, self.parts, strict=True):
            kind = source.field(name).type
            if isinstance(kind, Text):
                terms.append(f"{name} = {sql_text(part)}")
            elif isinstance(kind, Integer) and part == whole_number(part):
                terms.append(f"{name} = {part}")
            else:
                raise RefusedError(
                    f"key {part!r} is no value of field {name} in source {source.name!r}, which is "
                    f"{type(kind).__name__}; give the key as the stores spell it"
                )
        return " AND ".join(terms)

    def is_in_json(self, plain: object) -> bool:
        """Whether a decoded JSON object carries the entity's fields with its key, a number also as another text."""
        if not isinstance(plain, Mapping) or not all(name in plain for name in self.entity.keys):
            return False
        values = {name: str(plain[name]) for name in self.entity.keys}
        return self.parts == tuple(
            whole_number(value) if name in self.numbers else value for name, value in values.items()
        )

    def shard(self, group: FeatureGroup) -> int:
        """Which shard of a group of its entity holds it."""
        integer = has_integer_key(group.entity, group.sources[0])
        keys: EntityKeys = np.array([int(self.key)], np.int64) if integer else [self.key]
        return int(shards_of(keys, group.shards)[0])


def subject_of(catalogue: Catalogue, entity_name: str, key: str) -> Subject:
    """The subject of a command line. RefusedError where there is no such entity, or its key is none of it."""
    entities = {group.entity.name: group.entity for group in catalogue.groups}
    if entity_name not in entities:
        raise RefusedError(f"the definitions have no entity {entity_name!r}; they have {sorted(entities)}")
    entity = entities[entity_name]
    parts = _split(key)
    if len(parts) != len(entity.keys):
        raise RefusedError(
            f"key {key!r} has {len(parts)} fields, entity {entity_name!r} has {', '.join(entity.keys)}; "
            "join them by |, and write \\| for a | within one"
        )
    sources = [source for source in catalogue.sources if all(source.has(name) for name in entity.keys)]
    numbers = {name for name in entity.keys for source in sources if isinstance(source.field(name).type, Integer)}
    for index, name in enumerate(entity.keys):
        if name in numbers:
            parts[index] = _one_spelling(name, parts[index], sources)
    subject = Subject(entity, tuple(parts), frozenset(numbers))
    for source in sources:
        subject.condition(source)
    return subject


def whole_number(text: str) -> str | None:
    """A whole number as every store spells it, without zeros before it; None for what is none, or too large.

    >>> whole_number("007"), whole_number("-0"), whole_number("7.0")
    ('7', '0', None)
    """
    digits = text.removeprefix("-")
    if not digits.isdecimal() or len(digits) > _MOST_DIGITS:
        return None
    number = int(text)
    return str(number) if _INT64.min <= number <= _INT64.max else None


def sql_text(text: str) -> str:
    """A literal."""
    return "'" + text.replace("'", "''") + "'"


def decoded(value: bytes | None) -> Any:
    """What JSON a dead letter's value holds; None where it is none."""
    try:
        return None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None


def _one_spelling(name: str, part: str, sources: Sequence[EventSource]) -> str:
    """A part of a field that is a whole number in some of the sources; as it is where it is no number."""
    number = whole_number(part)
    if number is None or number == part:
        return part
    for source in sources:
        if isinstance(source.field(name).type, Text):
            raise RefusedError(
                f"key {part!r} is the number {number} in one source, and field {name} is a text in source "
                f"{source.name!r}, where the two differ; give {number}, and rename the field of that source if it "
                "means something else"
            )
    return number


def _split(key: str) -> list[str]:
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
