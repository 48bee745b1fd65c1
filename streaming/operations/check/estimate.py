"""The estimate of what entities take in Redis and what an event costs, as lines. Everything in it is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, FeatureGroup
from shared_features.formats.online_state import entity_prefix
from shared_features.group_events import group_events
from streaming.errors import RefusedError
from streaming.job.clock import system_clock_us
from streaming.operations.check.group_measure import GroupMeasure, measure_group
from streaming.operations.check.history_sample import HistorySample, chunks, made_up
from streaming.operations.check.reading_cost import reading_us
from streaming.operations.check.redis_memory import in_words, redis_bytes
from streaming.operations.produce.feed import Feed
from streaming.operations.produce.rows.fit import read_rows
from streaming.settings import StreamingSettings

RATES = (1.0, 10.0, 100.0)
_FILE_ROWS, _AT_ONCE = 500_000, 10_000
_MANY = 1_000_000
_ADVICE = (
    "  Give Redis twice the sum of all groups: while it rewrites its append-only file, pages that change are copied.",
    "  An entity without new events is dropped after a while, so only entities that still have events count.",
)


@dataclass(frozen=True)
class Asked:
    """entities: by the name of the entity, None for every other one. rates: events of an entity a day."""

    entities: dict[str | None, int]
    rates: Sequence[float]

    def count(self, group: FeatureGroup, otherwise: int) -> int:
        return self.entities.get(group.entity.name, self.entities.get(None, otherwise))


def estimate_lines(
    settings: StreamingSettings, catalogue: Catalogue, asked: Asked, feeds: Sequence[Feed]
) -> Iterator[str]:
    """The tables of memory and cost. Compiles the kernel if nobody has yet, which takes minutes (`compiled_once`)."""
    _refuse_unknown(catalogue, asked)
    yield "measuring ..."
    if feeds:
        yield from _of_files(settings, catalogue, asked, feeds)
    else:
        yield from _made_up(settings, catalogue, asked)


def _refuse_unknown(catalogue: Catalogue, asked: Asked) -> None:
    known = {group.entity.name for group in catalogue.groups}
    for name in asked.entities:
        if name is not None and name not in known:
            raise RefusedError(
                f"--entities {name}=...: no group is about {name}.{did_you_mean(name, known)} "
                f"The entities are {', '.join(sorted(known))}"
            )


def _made_up(settings: StreamingSettings, catalogue: Catalogue, asked: Asked) -> Iterator[str]:
    now_us = system_clock_us()
    yield "memory of Redis, from states of made-up entities, encoded as `online` encodes them:"
    costs: dict[str, float] = {}
    rows: list[tuple[str, ...]] = [("group", "entity", "events a day", "state", "entities", "in Redis")]
    for group in catalogue.groups:
        for rate in asked.rates:
            found = measure_group(made_up(group, rate, now_us))
            rows.append(_row(settings, found, f"{rate:g}", asked.count(group, _MANY)))
            costs[group.label] = max(found.event_us, costs.get(group.label, 0.0))
    yield from _table(rows)
    yield from _ADVICE
    yield from _cost_lines(settings, catalogue, costs, {each.name for each in catalogue.sources})


def _of_files(settings: StreamingSettings, catalogue: Catalogue, asked: Asked, feeds: Sequence[Feed]) -> Iterator[str]:
    names = ", ".join(dict.fromkeys(feed.path.name for feed in feeds))
    yield f"memory of Redis, from the states that {names} gives, encoded as `online` encodes them:"
    costs: dict[str, float] = {}
    rows: list[tuple[str, ...]] = [("group", "entity", "events", "state", "entities", "in Redis")]
    sources = {feed.encoder.source.name for feed in feeds}
    empty: list[str] = []
    for group in catalogue.groups:
        if any(source.name in sources for source in group.sources):
            sample = _read(settings, group, feeds)
            if not len(sample):
                rows.append((group.label, group.entity.name, "none", "-", "-", "-"))
                empty.append(group.label)
                continue
            found = measure_group(sample)
            rows.append(_row(settings, found, f"{len(sample):,}", asked.count(group, found.entities)))
            costs[group.label] = found.event_us
    yield from _table(rows)
    if empty:
        why = "each is older than every window when it arrives, or does not meet `where`"
        yield f"  {', '.join(empty)}: no row of the file counts, because {why}"
    if any(feed.rows is None for feed in feeds):
        yield f"(of a longer file the first {_FILE_ROWS:,} rows; --rows N reads others)"
    yield from _ADVICE
    yield from _cost_lines(settings, catalogue, costs, sources)


def _read(settings: StreamingSettings, group: FeatureGroup, feeds: Sequence[Feed]) -> HistorySample:
    """The events that a group takes of the files, as history: each row arrives when it became known, and not now."""
    settings = settings.model_copy(update={"topic_mode": "embedded"})
    now_us, parts = system_clock_us(), []
    for feed in feeds:
        if feed.encoder.source not in group.sources:
            continue
        rows = list(islice(feed.all_rows(), _FILE_ROWS if feed.rows is None else None))
        parts += [
            group_events(group, read_rows(feed.encoder, rows[part], settings, now_us).events)
            for part in chunks(len(rows), _AT_ONCE)
        ]
    return HistorySample.of(group, parts)


def _row(settings: StreamingSettings, found: GroupMeasure, events: str, entities: int) -> tuple[str, ...]:
    group = found.group
    prefix = len(entity_prefix(settings.redis_namespace, group, 0))
    size = redis_bytes([prefix + each for each in found.keys], found.states, entities)
    return (group.label, group.entity.name, events, in_words(found.state_bytes), f"{entities:,}", in_words(size))


def _cost_lines(
    settings: StreamingSettings, catalogue: Catalogue, groups: dict[str, float], sources: set[str]
) -> Iterator[str]:
    """Per source: reading an event, and what each of its groups adds."""
    yield "processor time of an event, measured now on one core of this machine:"
    for source in catalogue.sources:
        readers = [each for each in catalogue.groups if source in each.sources and each.label in groups]
        if source.name not in sources or not readers:
            continue
        read = reading_us(settings, catalogue, source)
        parts = [f"{each.label} {groups[each.label]:.1f} us" for each in readers]
        total = (read or 0.0) + sum(groups[each.label] for each in readers)
        reading = f"reading {read:.1f} us" if read is not None else f"reading unknown (format {source.format})"
        yield f"  {source.name}: {' + '.join([reading, *parts])} = {total:.1f} us, {1e6 / total:,.0f} events/s"
    yield "  Kafka, Redis and the passing on of batches come on top. docs/performance.md has figures of the whole job"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
