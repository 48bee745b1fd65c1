"""A fingerprint of a definition: equal for equal meaning, on every machine and in every process.

An option that has its default is left out. So a new option with a default changes no fingerprint, and stored data keeps
its meaning. For the same reason a default is never changed: it is part of every fingerprint that leaves it out.
An option that is not compared (`field(compare=False)`) only documents. It is not part of the meaning.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from typing import Any

from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import to_us


def fingerprint(definition: Any) -> str:
    """16 hex digits over the canonical JSON of a definition."""
    return hashlib.sha256(canonical(definition).encode()).hexdigest()[:16]


def canonical(definition: Any) -> str:
    """A definition (dataclasses, tuples, dicts, scalars) as JSON; equal ones have equal texts."""
    return json.dumps(_plain(definition), sort_keys=True, separators=(",", ":"))


def meant_options(definition: Any) -> dict[str, Any]:
    """The options of a definition that differ from their defaults, by name, without those that only document."""
    values = {option: getattr(definition, option.name) for option in meant_fields(type(definition))}
    return {option.name: value for option, value in values.items() if not _has_default(option, value)}


def meant_fields(definition: type) -> tuple[Field[Any], ...]:
    """The dataclass fields that are part of the meaning."""
    return tuple(option for option in fields(definition) if option.compare)


def plain_defaults(definition: type) -> dict[str, Any]:
    """What a stored text leaves out: each default of a class, as JSON gives it."""
    return {
        option.name: _plain(_default(option)) for option in meant_fields(definition) if _default(option) is not MISSING
    }


def _default(option: Field[Any]) -> Any:
    return option.default if option.default_factory is MISSING else option.default_factory()


def _has_default(option: Field[Any], value: Any) -> bool:
    default = _default(option)
    return default is not MISSING and _plain(default) == _plain(value)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {name: _plain(each) for name, each in meant_options(value).items()}]
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, timedelta):
        return to_us(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 1.0 == 1, so their texts are equal too
    if value is None or isinstance(value, str | int | float):
        return value
    raise DefinitionError(
        f"a definition holds {value!r}, a {type(value).__name__}, which has no place in a fingerprint; "
        "write a dataclass, tuple, dict, number, text or timedelta"
    )
