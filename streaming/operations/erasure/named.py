"""Who is meant by a command line's entity and key.

Versions side by side may key one entity by other fields: then those are several kinds, each of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared_features.definitions import Catalogue, Entity, EventSource
from shared_features.definitions.field_types.integer import whole_number
from streaming.errors import RefusedError
from streaming.operations.erasure.subject import Subject


def subjects_of(catalogue: Catalogue, entity_name: str, key: str) -> list[Subject]:
    """The subjects, one of each kind that the key fits. RefusedError where it fits none, and says why."""
    kinds = kinds_of(catalogue, entity_name)
    parts = _split(key)
    fitting = [kind for kind in kinds if len(kind.keys) == len(parts)]
    if not fitting:
        raise RefusedError(
            f"key {key!r} has {len(parts)} fields, entity {entity_name!r} has {_shown(kinds)}; "
            "join them by |, and write \\| for a | within one"
        )
    found, refused = [], []
    for number, kind in enumerate(fitting):
        try:
            found.append(_subject(catalogue, kind, parts, told_apart=number > 0))
        except RefusedError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found


def kinds_of(catalogue: Catalogue, entity_name: str) -> list[Entity]:
    """The entities of a name. RefusedError where there is none."""
    entities = {group.entity for group in catalogue.groups}
    found = sorted((each for each in entities if each.name == entity_name), key=lambda each: each.keys)
    if not found:
        names = sorted({each.name for each in entities})
        raise RefusedError(f"the definitions have no entity {entity_name!r}; they have {names}")
    return found


def _subject(catalogue: Catalogue, entity: Entity, parts: Sequence[str], *, told_apart: bool) -> Subject:
    sources = [source for source in catalogue.sources if all(source.has(name) for name in entity.keys)]
    numbers = {name for name in entity.keys for source in sources if source.field(name).type.key_part == "number"}
    spelled = tuple(
        _one_spelling(name, part, sources) if name in numbers else part
        for name, part in zip(entity.keys, parts, strict=True)
    )
    subject = Subject(entity, spelled, frozenset(numbers), told_apart)
    for source in sources:
        _check(subject, source)
    return subject


def _check(subject: Subject, source: EventSource) -> None:
    for name, part in zip(subject.entity.keys, subject.parts, strict=True):
        kind = source.field(name).type
        if kind.key_part is None:
            raise RefusedError(
                f"entity {subject.entity.name!r} has the key field {name}, which is a {type(kind).__name__} in source "
                f"{source.name!r}: no such key can be given, only an Integer or a Text; key the entity by another "
                "field, or call this one otherwise in a source that means something else by it"
            )
        if part != kind.spelled_key(part):
            raise RefusedError(
                f"key {part!r} is no value of field {name} in source {source.name!r}, which is "
                f"{type(kind).__name__}; give the key as the stores spell it"
            )


def _shown(kinds: Sequence[Entity]) -> str:
    return " or ".join(", ".join(kind.keys) for kind in kinds)


def _one_spelling(name: str, part: str, sources: Sequence[EventSource]) -> str:
    """A part of a field that is a whole number in some of the sources; as it is where it is no number."""
    number = whole_number(part)
    if number is None or number == part:
        return part
    for source in sources:
        if source.field(name).type.key_part == "text":
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
