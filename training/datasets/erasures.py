"""Erasures: entities that an operator erased from the tables of a view, before or while a dataset is built."""

from __future__ import annotations

from collections.abc import Iterable

from deltalake import DeltaTable

from shared_features.formats.offline_tables import ERASURES_APP
from training.datasets.offline_store import PinnedTable
from training.datasets.pinned_view import PinnedView


def erased_entities(pinned: PinnedView) -> int:
    """How many entities were erased from the events tables of the view."""
    return erased_from([pinned.events, *pinned.labels])


def erased_from(tables: Iterable[PinnedTable]) -> int:
    """How many entities were erased from events tables."""
    return max((each.table.transaction_version(ERASURES_APP) or 0 for each in tables), default=0)


def erased_since(pinned: PinnedView) -> list[str]:
    """The tables that entities were erased from since they were pinned."""
    return [
        each.name
        for each in pinned.tables
        if DeltaTable(each.table.table_uri).transaction_version(ERASURES_APP)
        != each.table.transaction_version(ERASURES_APP)
    ]
