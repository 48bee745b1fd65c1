"""Feature rows beside a filled lake's events, as materialize would leave them after some hours of maintenance."""

from __future__ import annotations

from pathlib import Path

from shared_features.definitions import FeatureView
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.formats.offline_tables import CUT_APP, features_table
from shared_features.kernel.event_time import MINUTE_US
from streaming.lake.compaction import compact
from streaming.lake.events_reader import EventsReader, spans
from streaming.lake.handle import DeltaHandle
from streaming.materialize.passes import Passes
from streaming.materialize.spine_rows import feature_schema
from streaming.replay.spine import Spine

LATENESS_US = 10 * MINUTE_US
_NONE = -1
_EVENTS_OF_A_PASS = 40_000
"""Passes of this size leave files that maintenance compacts, as it compacts those of minutes."""


def fill_features(lake: Path, view: FeatureView) -> int:
    """Compute and store the rows of all groups of a view of the card sources; returns how many each group has."""
    tables = {source.name: EventsReader(lake, source) for source in (CARD_TRANSACTIONS, CARD_LABELS)}
    end_us = min(table.refresh() for table in tables.values())
    rows = 0
    for group in view.groups:
        spine = Spine(group, view.source, LATENESS_US)
        path = lake / features_table(group, view.source)
        handle = DeltaHandle(path, feature_schema(group), (), spine.fingerprint, spine.definition)
        passes, rows = Passes(spine, tables, 0), 0
        from_us = _NONE
        for _, to_us in spans(list(tables.values()), 0, end_us, _EVENTS_OF_A_PASS):
            found = passes.run(to_us)
            handle.commit(found, {CUT_APP: from_us}, {CUT_APP: to_us})
            rows, from_us = rows + found.num_rows, to_us
            compact(path)
    return rows
