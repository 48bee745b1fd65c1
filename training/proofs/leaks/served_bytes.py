"""What serving reads out of an entity's bytes, against the replay that training learned from.

For each cut the state of the sampled entities is built from what was known by then, written as the stream writes it,
decoded as serving decodes it, and read at the instant of the row. It must be what the feature row has, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.entity_state import decode_states, encode_states, owners_of
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import RECORD_TIME
from shared_features.group_events import GroupEvents, group_events
from shared_features.kernel.event_time import to_text
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from training.datasets.offline_store import event_columns
from training.errors import CertificateError
from training.proofs.leaks.held_tables import HeldTable, known_at
from training.proofs.leaks.sampled_rows import SampledRows

_BUILD = 7
"""Any build id will do: what is encoded here is decoded here."""


def certify_served_bytes(sampled: SampledRows, tables: Mapping[str, HeldTable]) -> int:
    """How many values were compared. Raises CertificateError at the first that differs."""
    cases = 0
    for cut_us in sampled.cuts_us.tolist():
        rows = np.flatnonzero(sampled.spine.as_of_us == cut_us)
        for group in sampled.spine.view.groups:
            columns = {name: column[rows] for name, column in sampled.spine.columns.items()}
            keys = key_texts(entity_keys(group.entity, sampled.spine.view.source, columns))
            found = _served(group, keys, cut_us, tables)
            _compare(group, keys, cut_us, sampled.stored[group.part_name][rows], found)
            cases += found.size
    return cases


def _served(group: FeatureGroup, keys: list[str], cut_us: int, tables: Mapping[str, HeldTable]) -> NDArray[np.float64]:
    state = TileState(group.layout)
    known = dict(zip(dict.fromkeys(keys), state.add(len(set(keys))).tolist(), strict=True))
    for source in group.sources:
        rows = known_at(cut_us)(source, tables[source.name].rows)
        events = _events(group, source, rows)
        theirs = key_texts(events.keys)
        mine = np.array([key in known for key in theirs], np.bool_)
        slots = np.array([known[key] for key in theirs if key in known], np.int64)
        apply(state, slots, events.event_time_us[mine], events.digest[mine], events.values[mine], events.valid[mine])
    slots = np.array(list(known.values()), np.int64)
    owners = owners_of([key.encode() for key in known])
    encoded = encode_states(state, slots, _BUILD, owners)
    read_back = TileState(group.layout)
    places = read_back.add(len(known))
    decode_states(read_back, places, encoded, _BUILD, owners)
    place_of = dict(zip(known, places.tolist(), strict=True))
    return read(read_back, [place_of[key] for key in keys], cut_us)


def _events(group: FeatureGroup, source: EventSource, rows: pl.DataFrame) -> GroupEvents:
    columns, valid = event_columns(source, rows, [field.name for field in source.fields])
    return group_events(group, EventBatch(source, columns, valid, rows[RECORD_TIME].to_numpy()))


def _compare(
    group: FeatureGroup, keys: list[str], cut_us: int, want: NDArray[np.float64], found: NDArray[np.float64]
) -> None:
    same = (want == found) | (np.isnan(want) & np.isnan(found))
    if not same.all():
        row, column = (int(each[0]) for each in np.nonzero(~same))
        ours, theirs, name = float(found[row, column]), float(want[row, column]), group.features[column].name
        raise CertificateError(
            f"What serving reads is not what training learned from, so nothing may be published. Entity {keys[row]!r} "
            f"of {group.label} has {name} {ours!r} as of {to_text(cut_us)}, and its feature row {theirs!r}. "
            "Materialize the group again; if that does not help, report it."
        )
