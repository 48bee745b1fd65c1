"""The key of a step's result: everything that shapes the result, and in words what differs between two keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Parts = Mapping[str, Any]
"""Step, code, libraries, parameters and inputs, as plain data."""

_CODE = "its code changed"


def key_of(parts: Parts) -> str:
    """32 hex digits; equal parts have equal keys on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def differences(before: Parts, now: Parts) -> list[str]:
    """What changed from one key's parts to another's, one text each."""
    return [_CODE if name == "code" else f"{name} {said}" for name, said in _differences("", before, now)]


def _differences(path: str, before: Any, now: Any) -> list[tuple[str, str]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        found = []
        for name in sorted({*before, *now}):
            inner = f"{path}.{name}" if path and path not in ("parameters", "libraries") else name
            inner = f"input {name}" if path == "inputs" else inner
            found += _differences(inner, before.get(name), now.get(name))
        return found
    if before == now:
        return []
    if path.startswith("input "):
        return [(path, "changed" if before and now else "is new" if now else "is gone")]
    return [(path, f"changed from {_short(before)} to {_short(now)}")]


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else f"{text[:57]}..."
