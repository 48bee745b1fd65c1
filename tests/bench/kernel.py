"""The kernel on its own: putting events in, reading values out, and an entity's bytes there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shared_features.feature_groups.customer_spend import CUSTOMER_SPEND
from shared_features.formats.entity_state import decode_states, encode_states
from shared_features.kernel.hashing import hash_integers
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from tests.bench.figures import Figure, median_seconds, stopwatch
from tests.bench.transactions import measured_transactions

BATCH = 10_000


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    entities, slot = np.unique(rows.customer_id, return_inverse=True)
    digest = hash_integers(rows.transaction_id)
    valid = np.ones((len(rows), 1), np.bool_)
    state = TileState(CUSTOMER_SPEND.layout)
    slots = state.add(len(entities))
    once = TileState(CUSTOMER_SPEND.layout)
    apply(once, once.add(1), rows.event_time_us[:1], digest[:1], rows.amount_cents[:1, None], valid[:1])  # compiles
    with stopwatch() as applying:
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            apply(
                state,
                slots[slot[part]],
                rows.event_time_us[part],
                digest[part],
                rows.amount_cents[part, None],
                valid[part],
            )
    now = np.full(len(slots), rows.event_time_us[-1] + 1)
    reading = median_seconds(lambda: read(state, slots, now), runs=5)
    encoding = median_seconds(lambda: encode_states(state, slots, 0), runs=5)
    stored: list[bytes | None] = list(encode_states(state, slots, 0))
    other = TileState(CUSTOMER_SPEND.layout)
    places = other.add(len(slots))
    decoding = median_seconds(lambda: decode_states(other, places, stored, 0), runs=5)
    return [
        Figure("kernel apply, 25 features of 4 windows", len(rows) / applying.elapsed, "events/s"),
        Figure("kernel read, 25 features of 4 windows", len(slots) / reading, "entities/s"),
        Figure("state encode", len(slots) / encoding, "states/s"),
        Figure("state decode", len(slots) / decoding, "states/s"),
        Figure("state size", float(np.mean([len(each or b"") for each in stored])), "bytes"),
    ]
