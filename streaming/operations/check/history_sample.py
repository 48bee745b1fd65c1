"""The events of some entities of a feature group, as the kernel takes them: read from a file, or made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.definitions.field_types import FieldType
from shared_features.formats.entity_keys import key_texts
from shared_features.formats.events import EventBatch
from shared_features.group_events import GroupEvents, group_events
from shared_features.kernel.event_time import DAY_US

_EVENTS, _LEAST, _MOST = 100_000, 50, 5_000
_TEXT_LENGTH, _TEXTS, _USUAL = 12, 1_000, 10_000


@dataclass(frozen=True)
class HistorySample:
    """`keys`: of each event, in the order in which the events are known. None of the events is from another group."""

    group: FeatureGroup
    keys: list[str]
    event_time_us: NDArray[np.int64]
    digest: NDArray[np.uint64]
    values: NDArray[np.int64]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(cls, group: FeatureGroup, parts: Iterable[GroupEvents]) -> HistorySample:
        """The events of several batches, one after the other."""
        taken = list(parts)
        columns = (
            np.concatenate([getattr(each, name) for each in taken])
            for name in ("event_time_us", "digest", "values", "valid")
        )
        return cls(group, [key for each in taken for key in key_texts(each.keys)], *columns)


def made_up(group: FeatureGroup, events_per_day: float, now_us: int, seed: int = 0) -> HistorySample:
    """Entities over the longest window of the group, each with so many events a day at random instants.

    Numbers lie evenly between their bounds (10,000 at most), texts have 12 characters and 1,000 different values. The
    conditions of the group are left out: every event counts.
    """
    chance = np.random.default_rng(seed)
    days = group.longest_us / DAY_US
    entities = int(np.clip(_EVENTS / max(1.0, events_per_day * days), _LEAST, _MOST))
    counts = np.maximum(1, chance.poisson(events_per_day * days, entities))
    owner = np.repeat(np.arange(entities), counts)
    times = now_us - chance.integers(0, group.longest_us, len(owner))
    order = np.argsort(times, kind="stable")
    owner, times = owner[order], times[order]
    share = np.arange(len(owner)) % len(group.sources)
    parts = []
    for number, source in enumerate(group.sources):
        rows = np.flatnonzero(share == number)
        batch = _batch(source, group.entity.keys, owner[rows], times[rows], chance)
        parts.append(group_events(replace(group, where=()), batch))
    return _by_time(HistorySample.of(group, parts))


def _by_time(sample: HistorySample) -> HistorySample:
    order = np.argsort(sample.event_time_us, kind="stable")
    keys = [sample.keys[row] for row in order.tolist()]
    columns = (getattr(sample, name)[order] for name in ("event_time_us", "digest", "values", "valid"))
    return HistorySample(sample.group, keys, *columns)


def _batch(
    source: EventSource,
    keys: tuple[str, ...],
    owner: NDArray[np.int64],
    times: NDArray[np.int64],
    chance: np.random.Generator,
) -> EventBatch:
    columns: dict[str, NDArray[Any]] = {}
    for field in source.fields:
        if field.name in keys:
            columns[field.name] = _column(field.type, owner)
        elif field.type.is_instant:
            columns[field.name] = times
        elif field.name == source.event_id:
            columns[field.name] = _column(field.type, np.arange(len(owner)))
        else:
            columns[field.name] = _drawn(field.type, len(owner), chance)
    columns[source.event_time] = times
    valid = {field.name: np.ones(len(owner), np.bool_) for field in source.fields if field.optional}
    return EventBatch(source, columns, valid, times)


def _column(kind: FieldType, numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Values that differ where the numbers differ."""
    if kind.storage == "text":
        length = min(_TEXT_LENGTH, int(getattr(kind, "max_length", _TEXT_LENGTH)))
        return np.array([f"{each:0{length}d}"[-length:] for each in numbers.tolist()], object)
    return numbers % 2 if kind.storage == "boolean" else numbers


def _drawn(kind: FieldType, count: int, chance: np.random.Generator) -> NDArray[Any]:
    if kind.storage == "text":
        return _column(kind, chance.integers(0, _TEXTS, count))
    if kind.storage == "boolean":
        return chance.integers(0, 2, count)
    low, high = (float(np.clip(getattr(kind, name, _USUAL), -_USUAL, _USUAL)) for name in ("low", "high"))
    steps = 10**kind.step_decimals
    return chance.integers(int(min(low, high) * steps), int(high * steps) + 1, count)


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices that cover `count` rows."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
