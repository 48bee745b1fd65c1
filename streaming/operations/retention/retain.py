"""Deletes whole days of an events table, by one commit that only drops files.

Days are days of arrival. Nothing is appended to a day after the watermark has passed it. So the delete and the
archive's appends never touch the same file, and at most one waits for the other's commit. Positions are application
transactions, and stay. The archive's maintenance deletes the files from the disk half a day later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction

from shared_features.definitions import Catalogue, EventSource, load_definitions
from shared_features.formats.offline_tables import ARRIVAL_DATE, KEPT_FROM_APP, WATERMARK_APP, events_table
from shared_features.kernel.event_time import DAY_US, to_us
from streaming.lake.changes import changed
from streaming.lake.log_files import sync_commit
from streaming.lake.look import LakeLook
from streaming.lake.stored_positions import stored_position
from streaming.log import get_log
from streaming.operations.retention.needs import Need, needs
from streaming.operations.retention.unaudited import logged_source
from streaming.settings import StreamingSettings

_LOG = get_log("retention")


@dataclass(frozen=True)
class Plan:
    """What would be deleted from a source: days with their rows, and bytes. refused: what still needs some of it.

    allowed: the latest day such that nothing needs an earlier event.
    """

    source: EventSource
    before: date
    rows: dict[str, int]
    size_bytes: int
    refused: list[Need]
    allowed: date


def plan(settings: StreamingSettings, catalogue: Catalogue, source: EventSource, before: date) -> Plan:
    """What would be deleted with the days before `before`."""
    table = LakeLook(settings.lake).table(events_table(source))
    days: Counter[str] = Counter()
    size = 0
    for day, rows, bytes_ in [] if table is None else _files(table):
        if day < before.isoformat():
            days[day] += rows
            size += bytes_
    if table is None or not days:
        return Plan(source, before, {}, 0, [], before)
    first_us = day_us(date.fromisoformat(min(days)))
    found = [need for need in needs(settings, catalogue, source) if need.until_us is None or need.until_us > first_us]
    found.append(Need("the archive, which still stores such days", stored_position(table, WATERMARK_APP)))
    allowed_us = min(need.from_us for need in found)
    refused = [need for need in found if need.from_us < day_us(before)]
    return Plan(source, before, dict(sorted(days.items())), size, refused, _day_of(max(0, allowed_us)))


def delete_days(settings: StreamingSettings, source: EventSource, before: date) -> int:
    """Delete the days before `before`. Returns the number of deleted rows."""
    path = settings.lake / events_table(source)
    kept_from = {KEPT_FROM_APP: day_us(before)}
    properties = CommitProperties(
        app_transactions=[Transaction(app_id=app, version=version) for app, version in kept_from.items()]
    )

    def delete(table: DeltaTable) -> int:
        if stored_position(table, KEPT_FROM_APP) >= kept_from[KEPT_FROM_APP]:
            return 0
        done = table.delete(f"{ARRIVAL_DATE} < '{before.isoformat()}'", commit_properties=properties)
        if done["num_removed_files"]:
            sync_commit(path, table.version(), kept_from)
        return int(done["num_deleted_rows"])

    return changed(path, delete)


def today() -> date:
    return datetime.now(UTC).date()


def before_of(keep_days: int) -> date:
    """The first day that is kept: this many whole days before today are kept, and today."""
    return today() - timedelta(days=keep_days)


def day_us(day: date) -> int:
    """Midnight at the start of a day, UTC, microseconds."""
    return to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _day_of(time_us: int) -> date:
    return date(1970, 1, 1) + timedelta(days=time_us // DAY_US)


def _files(table: DeltaTable) -> Iterator[tuple[str, int, int]]:
    files = pa.table(table.get_add_actions(flatten=True))
    if files.num_rows:
        names = (f"partition.{ARRIVAL_DATE}", "num_records", "size_bytes")
        yield from zip(*(files[name].to_pylist() for name in names), strict=True)


def kept_sources(settings: StreamingSettings, catalogue: Catalogue, names: Sequence[str] = ()) -> list[EventSource]:
    """The sources of the definitions and the prediction log, if the lake has it; or those with these names."""
    log = logged_source(settings)
    if not names:
        return [*catalogue.sources, *([] if log is None else [log])]
    return [log if log is not None and name == log.name else catalogue.source(name) for name in names]


def retain_nightly(settings: StreamingSettings, keep_days: int) -> None:
    """Delete the days that are older and no longer needed. Logs what still needs the others."""
    catalogue = load_definitions(settings.definitions)
    for source in kept_sources(settings, catalogue):
        found = plan(settings, catalogue, source, before_of(keep_days))
        before = min(found.before, found.allowed)
        if found.refused:
            first = found.refused[0]
            _LOG.warning(
                "keeping old days that are still needed", source=source.name, by=first.what, kept_from=str(before)
            )
        if any(day < before.isoformat() for day in found.rows):
            rows = delete_days(settings, source, before)
            _LOG.info("deleted old days", source=source.name, before=str(before), rows=rows)
