"""The specification: what a feature of one entity is, over a plain list of its events."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from shared_features.kernel.feature_spec import FeatureSpec
from shared_features.kernel.layout import Layout


class Event(NamedTuple):
    event_time_us: int
    digest: int
    values: tuple[int, ...]
    valid: tuple[bool, ...]
    identity: Any = None  # what it is, where a test knows: `taken_events.identity`; the kernel is only told the digest


# v: values in order of (event time, digest), n: how many, t: their event times, unit: what 1.0 is as a value.
VALUES: dict[str, Callable[..., Any]] = {
    "count": lambda n, **_: n, "sum": lambda v, unit, **_: sum(v) / unit,
    "mean": lambda v, n, unit, **_: sum(v) / (n * unit),
    "min": lambda v, unit, **_: min(v) / unit, "max": lambda v, unit, **_: max(v) / unit,
    "std": lambda v, n, unit, **_: math.sqrt((n * sum(x * x for x in v) - sum(v) ** 2) / (n * (n - 1))) / unit,
    "first": lambda v, unit, **_: v[0] / unit, "last": lambda v, unit, **_: v[-1] / unit,
    "time_since_last": lambda t, as_of, **_: (as_of - t[-1]) / 1e6,
    "approx_distinct": lambda v, k, **_: estimate(sorted({mix(x) for x in v}), k),
}  # fmt: skip


def value(layout: Layout, feature: FeatureSpec, events: list[Event], as_of: int) -> float:
    start = (as_of - feature.length_us) // feature.hop_us * feature.hop_us
    once = {e.identity or e.digest: e for e in events}.values()
    seen = sorted((e for e in once if start <= e.event_time_us < as_of), key=lambda e: e[:2])
    column, unit = feature.column, 1
    if column is not None:
        seen, unit = [e for e in seen if e.valid[column]], 10 ** layout.columns[column].decimals
    t = [e.event_time_us for e in seen]
    v = t if column is None else [e.values[column] for e in seen]
    try:
        found = VALUES[feature.aggregation.name]
        return float(found(v=v, n=len(v), t=t, unit=unit, as_of=as_of, k=feature.aggregation.set_size))
    except (IndexError, ValueError, ZeroDivisionError):  # of too few values
        return math.nan


def estimate(hashes: list[int], k: int) -> float:
    return len(hashes) if len(hashes) < k else (k - 1) / (hashes[k - 1] * 2.0**-64)


def mix(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31
