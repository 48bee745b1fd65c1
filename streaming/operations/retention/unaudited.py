"""What logged predictions need that nobody has audited yet: the events that their windows reach, and their own rows.

`python -m training audit` leaves a mark in the lake: what arrived in the log before it was audited.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from shared_features.errors import DefinitionError
from shared_features.formats.audit_mark import AUDIT_MARK, decode_mark
from shared_features.formats.offline_tables import ARRIVAL_TIME, events_table
from shared_features.formats.prediction_log import SOURCE_NAME, prediction_source
from streaming.settings import StreamingSettings

_REMEDY = "run `python -m training audit`, or set MILLRACE_WITHOUT_AUDIT=true"


def logged_source(settings: StreamingSettings) -> EventSource | None:
    """The prediction log as a source, if the lake has it."""
    log = prediction_source(settings.prediction_log_topic or SOURCE_NAME)
    return log if (settings.lake / events_table(log) / "_delta_log").is_dir() else None


def unaudited(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> Iterator[tuple[str, int]]:
    """What needs events of a source, and from which arrival time on. Raises FormatVersionError for a damaged mark."""
    log = logged_source(settings)
    if log is None or settings.without_audit:
        return
    until_us = _audited_until_us(settings.lake)
    if source.name == log.name:
        yield f"records of the prediction log that are not audited: {_REMEDY}", until_us
        return
    table = DeltaTable(settings.lake / events_table(log))
    for view, earliest_us in _earliest_us(str(settings.lake), table.version(), until_us).items():
        reached_us = max(
            (reach_us(group) for group in _groups(catalogue, view) if source in group.sources), default=None
        )
        if reached_us is not None:
            from_us = earliest_us - reached_us - source.tolerated_future_us
            yield f"predictions of {view} in the prediction log that are not audited: {_REMEDY}", from_us


def _audited_until_us(lake: Path) -> int:
    """-1 where nothing was audited."""
    mark = lake / AUDIT_MARK
    return decode_mark(mark.read_bytes(), str(mark)) if mark.exists() else -1


@lru_cache(maxsize=2)
def _earliest_us(lake: str, version: int, until_us: int) -> dict[str, int]:
    """By view the earliest instant of its predictions that are not audited. version: of the log's table."""
    table = DeltaTable(f"{lake}/{events_table(prediction_source(SOURCE_NAME))}", version=version)
    instants = pl.col("instants").str.json_decode(pl.List(pl.Int64)).list.min()
    rows = pl.scan_delta(table).filter(pl.col(ARRIVAL_TIME) >= until_us).select("view", instants)
    found = rows.drop_nulls().group_by("view").agg(pl.col("instants").min()).collect(engine="streaming")
    return dict(sorted(found.iter_rows()))


def _groups(catalogue: Catalogue, view: str) -> tuple[FeatureGroup, ...]:
    """None of a view that the definitions no longer hold: its predictions cannot be computed again."""
    try:
        return catalogue.view(view).groups
    except DefinitionError:
        return ()


def reach_us(group: FeatureGroup) -> int:
    """How far before its instant a prediction can read events of a group."""
    return group.readable_us + max(spec.hop_us for spec in group.layout.features)
