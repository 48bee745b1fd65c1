"""The subjects that an entity and a key on the command line name.

Versions that run side by side may key one entity by different fields. Then these are several kinds of entity.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, Entity, EventSource
from shared_features.definitions.field_types.integer import whole_number
from shared_features.formats.entity_keys import split_key
from streaming.errors import RefusedError
from streaming.operations.erasure.subjects.subject import Subject


def subjects_of(catalogue: Catalogue, entity_name: str, key: str) -> list[Subject]:
    """The subjects, one for each kind that the key fits. Raises RefusedError if the key fits no kind, and says why."""
    kinds = kinds_of(catalogue, entity_name)
    parts = split_key(key)
    fitting = [kind for kind in kinds if len(kind.keys) == len(parts)]
    if not fitting:
        raise RefusedError(
            f"Key {key!r} has {len(parts)} fields, entity {entity_name!r} has {_shown(kinds)}. "
            "Join the fields by |, and write \\| for a | within a field"
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
    """The entities with a name. Raises RefusedError if there is none."""
    entities = {group.entity for group in catalogue.groups}
    found = sorted((each for each in entities if each.name == entity_name), key=lambda each: each.keys)
    if not found:
        names = sorted({each.name for each in entities})
        raise RefusedError(
            f"The definitions have no entity {entity_name!r}.{did_you_mean(entity_name, names)} They have "
            f"{', '.join(names)}"
        )
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
                f"Entity {subject.entity.name!r} cannot be erased by key field {name}, which is a "
                f"{type(kind).__name__} in source {source.name!r}. Only an Integer or a Text can be given. Key "
                "the entity by another field, or rename the field of that source if it means something else"
            )
        if part != kind.spelled_key(part):
            raise RefusedError(
                f"Key {part!r} is not a value of field {name} in source {source.name!r}, which is "
                f"{type(kind).__name__}. Give the key as the stores spell it"
            )


def _shown(kinds: Sequence[Entity]) -> str:
    return " or ".join(", ".join(kind.keys) for kind in kinds)


def _one_spelling(name: str, part: str, sources: Sequence[EventSource]) -> str:
    """The stored spelling of a key part whose field is a whole number in some sources. Other texts stay as they are."""
    number = whole_number(part)
    if number is None or number == part:
        return part
    for source in sources:
        if source.field(name).type.key_part == "text":
            raise RefusedError(
                f"Key {part!r} is ambiguous: in one source it is the number {number}, but field {name} is a text in "
                f"source {source.name!r}. Give {number}, and rename the field of that source if it means something else"
            )
    return number
