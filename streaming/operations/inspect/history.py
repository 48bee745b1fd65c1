"""What the lake lacks of an entity's history: where it lacks nothing, the values as served at an instant are exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shared_features.counted import counted
from shared_features.formats.offline_tables import ERASURES_TABLE
from shared_features.kernel.event_time import to_text, to_us
from streaming.operations.erasure.record import ErasureRecord, salt
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.inspect.comparison import first_edge_us
from streaming.operations.inspect.lake_entity import LakeEntity, SourceEvents


def lacks(entity: LakeEntity, as_of_us: int, lag_us: int) -> list[str]:
    """Why events may be missing that had happened and had arrived by an instant. Empty: the values are exact."""
    edge_us = first_edge_us(entity.group, as_of_us)
    return [why for of in entity.sources for why in _of_source(of, edge_us, as_of_us - lag_us)]


def was_erased(lake: Path, subject: Subject) -> bool:
    """Whether the entity was erased on request. Events that arrived since then are there."""
    if not (lake / ERASURES_TABLE).is_dir():
        return False
    return subject.digest(salt(lake)) in ErasureRecord(lake).last()


def _of_source(of: SourceEvents, edge_us: int, arrived_us: int) -> Iterator[str]:
    name, table = of.source.name, of.table
    if table.complete_until_us <= arrived_us:
        until = (
            f"is complete up to {to_text(table.complete_until_us)}" if table.complete_until_us else "has nothing yet"
        )
        yield (
            f"the archive of source {name} {until}. In mode live it follows the clock: wait until it is beyond the "
            "instant. In the other modes it follows the newest record, because more history may come: where no more "
            "will, and `status` shows no lag, the values are exact"
        )
    # An event may arrive before its own time, by as much as its source tolerates.
    if table.kept_from_us > edge_us - to_us(of.source.tolerated_future):
        yield f"events of source {name} that arrived before {to_text(table.kept_from_us)} were deleted by `retain`"
    if table.missing:
        yield f"Kafka deleted {counted(table.missing, 'record')} of source {name} ahead of the archive"
