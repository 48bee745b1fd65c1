"""What scores need that nobody has audited yet: their events, and the events that their windows reach.

`python -m training audit --scores` leaves a mark in the lake, for each view. Where nobody has ever audited the scores
of a view, nothing is kept for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource
from shared_features.formats.offline_tables import ARRIVAL_TIME, OFFSET, PARTITION, events_table
from shared_features.formats.score_audit_mark import decode_score_audit_mark, score_audit_mark_file
from streaming.operations.retention.unaudited import reach_us
from streaming.settings import StreamingSettings


def unaudited_scores(
    settings: StreamingSettings, catalogue: Catalogue, source: EventSource
) -> Iterator[tuple[str, int]]:
    """What needs events of a source, and from which arrival time on. Raises FormatVersionError for a damaged mark."""
    for name in () if settings.without_audit else settings.score_topics:
        file = settings.lake / score_audit_mark_file(name)
        views = [each for each in catalogue.views if each.name == name]
        reads = [group for view in views for group in view.groups if source in group.sources]
        if not file.exists() or not views or not (reads or source == views[-1].source):
            continue
        mark = decode_score_audit_mark(file.read_bytes(), str(file))
        table = settings.lake / events_table(views[-1].source)
        if (first := _first(str(table), views[-1].source, mark.events)) is not None:
            event_us, arrival_us = first
            reached_us = [event_us - reach_us(group) - source.tolerated_future_us for group in reads]
            remedy = f"run `python -m training audit --scores --view {name}`, or remove {file}"
            yield f"scores of {name} that are not audited: {remedy}", min([arrival_us, *reached_us])


def _first(table: str, source: EventSource, audited: Mapping[int, int]) -> tuple[int, int] | None:
    """The earliest event time and arrival time of the events behind those that were audited; None without any."""
    later = [(pl.col(PARTITION) == number) & (pl.col(OFFSET) > last) for number, last in audited.items()]
    later.append(~pl.col(PARTITION).is_in(list(audited)))  # it has events since the audit
    found = (
        pl.scan_delta(DeltaTable(table))
        .filter(pl.any_horizontal(pl.lit(False), *later))
        .select(pl.col(source.event_time).min().alias("event"), pl.col(ARRIVAL_TIME).min().alias("arrival"))
        .collect(engine="streaming")
    )
    event_us, arrival_us = found.row(0)
    return None if arrival_us is None else (int(event_us), int(arrival_us))
