"""The specification: what a feature of one entity is, over a plain list of its events."""

import math
from typing import NamedTuple

from shared_features.kernel.feature_spec import FeatureSpec
from shared_features.kernel.layout import Layout


class Event(NamedTuple):
    event_time_us: int
    digest: int
    values: tuple[int, ...]
    valid: tuple[bool, ...]


def value(layout: Layout, feature: FeatureSpec, events: list[Event], as_of: int) -> float:
    start = (as_of - feature.length_us) // feature.hop_us * feature.hop_us
    seen = sorted(e for e in {e.digest: e for e in events}.values() if start <= e.event_time_us < as_of)
    column, name, k, unit = feature.column, feature.aggregation.name, feature.aggregation.set_size, 1
    if column is not None:
        seen, unit = [e for e in seen if e.valid[column]], 10 ** layout.columns[column].decimals
    t, n = [e.event_time_us for e in seen], len(seen)
    v = t if column is None else [e.values[column] for e in seen]
    if n <= (name == "std") and name not in ("count", "sum", "approx_distinct"):
        return math.nan
    hashes = sorted({mix(x) for x in v}) if k else []
    num, den = n * sum(x * x for x in v) - sum(v) ** 2, n * (n - 1)
    return float({
        "count": lambda: n, "sum": lambda: sum(v) / unit, "mean": lambda: sum(v) / (n * unit),
        "min": lambda: min(v) / unit, "max": lambda: max(v) / unit, "std": lambda: math.sqrt(num / den) / unit,
        "first": lambda: v[0] / unit, "last": lambda: v[-1] / unit, "time_since_last": lambda: (as_of - t[-1]) / 1e6,
        "approx_distinct": lambda: len(hashes) if len(hashes) < k else (k - 1) / (hashes[k - 1] * 2.0**-64),
    }[name]())  # fmt: skip


def mix(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) % 2**64
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31
