"""A fingerprint of a definition: equal for equal meaning, on every machine and in every process."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from shared_features.kernel.event_time import to_us


def fingerprint(definition: Any) -> str:
    """16 hex digits over the canonical JSON of a definition."""
    return hashlib.sha256(canonical(definition).encode()).hexdigest()[:16]


def canonical(definition: Any) -> str:
    """A definition (dataclasses, tuples, dicts, scalars, functions) as JSON; equal ones have equal texts."""
    return json.dumps(_plain(definition), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {each.name: _plain(getattr(value, each.name)) for each in fields(value)}]
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, timedelta):
        return to_us(value)
    if isinstance(value, Callable):  # type: ignore[arg-type]  # an ABC, which mypy does not narrow here
        return inspect.getsource(value)
    return value
