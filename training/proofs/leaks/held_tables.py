"""Events tables as they would be without a part of the future: the events of some entities, held in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import ARRIVAL_TIME
from training.datasets.offline_store import OfflineStore, PinnedTable

Change = Callable[[EventSource, pl.DataFrame], pl.DataFrame]
"""From the events of a source to those that a trial has."""


@dataclass(frozen=True)
class HeldTable(PinnedTable):
    """A pinned table with the rows that a trial has."""

    rows: pl.DataFrame

    def scan(self) -> pl.LazyFrame:
        return self.rows.lazy()


class HeldStore(OfflineStore):
    """What a replay of a trial reads. tables: source name -> the events that are held; the others are not asked for."""

    def __init__(self, store: OfflineStore, tables: Mapping[str, HeldTable], change: Change | None = None) -> None:
        self._store, self._tables, self._change = store, tables, change

    def pin_events(self, source: EventSource) -> PinnedTable:
        held = self._tables[source.name]
        rows = held.rows if self._change is None else self._change(source, held.rows)
        return HeldTable(held.name, held.table, rows)

    def kept_from_us(self, source: EventSource) -> int:
        return self._store.kept_from_us(source)


def known_at(cut_us: int, lag_us: int = 0) -> Change:
    """Only events that had happened before the instant and were in the online store by then."""

    def change(source: EventSource, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(_known(source, cut_us, lag_us))

    return change


def altered_after(cut_us: int, keys: frozenset[str], lag_us: int = 0) -> Change:
    """All events, but what the others say is something else: every field that is neither a key nor an instant."""

    def change(source: EventSource, rows: pl.DataFrame) -> pl.DataFrame:
        known = _known(source, cut_us, lag_us)
        return rows.with_columns(
            pl.when(known).then(pl.col(field.name)).otherwise(_another(rows.schema[field.name], field.name))
            for field in source.fields
            if field.name not in keys and not field.type.is_instant
        )

    return change


def _known(source: EventSource, cut_us: int, lag_us: int) -> pl.Expr:
    return (pl.col(source.event_time) < cut_us) & (pl.col(ARRIVAL_TIME) + lag_us <= cut_us)


def _another(kind: pl.DataType, name: str) -> pl.Expr:
    if kind == pl.Boolean:
        return ~pl.col(name)
    return pl.col(name) + "~" if kind == pl.String else pl.col(name) + 1
