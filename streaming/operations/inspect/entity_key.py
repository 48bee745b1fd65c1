"""The key of an entity as a person writes it: `7`, `north|m17`, or `plant=north,machine=m17`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared_features.definitions import Catalogue, Entity
from shared_features.formats.entity_keys import escape
from streaming.errors import RefusedError
from streaming.operations.erasure.subjects.named import kinds_of, subjects_of
from streaming.operations.erasure.subjects.subject import Subject


def named_entity(catalogue: Catalogue, entity_name: str, key: str) -> list[Subject]:
    """The entities that a name and a key mean: one for each set of key fields that the key fits."""
    kinds = kinds_of(catalogue, entity_name)
    try:
        return subjects_of(catalogue, entity_name, stored_spelling(kinds, key))
    except RefusedError as error:
        ways = " or ".join(",".join(f"{field}=..." for field in kind.keys) for kind in kinds)
        raise RefusedError(f"{error}. Or write the key as {ways}") from None


def stored_spelling(kinds: Iterable[Entity], key: str) -> str:
    """A key that names its fields, as the stores spell it. Any other key stays as it is.

    A comma belongs to a value unless the name of a key field and `=` follow it.
    """
    for kind in kinds:
        fields = "|".join(map(re.escape, kind.keys))
        parts = re.split(rf"(?:^|,)\s*({fields})=", key)
        given = dict(zip(parts[1::2], parts[2::2], strict=True))
        if not parts[0].strip() and set(given) == set(kind.keys):
            return "|".join(escape(given[name]) for name in kind.keys)
    return key
