"""The guide of ratios: its functions give the shares that its own events have, also of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared_features import FeatureGroup
from shared_features.definitions import check_functions
from shared_features.feature_matrix import feature_matrix
from shared_features.group_events import group_events
from shared_features.kernel.event_time import MINUTE_US, to_text
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.operations.produce.rows.fit import read_rows
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder
from streaming.settings import load_settings
from tests.docs.written_module import written_module

AS_OF_US = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module that a reader of the page writes."""
    return written_module("docs/how-to/ratios.md", tmp_path_factory.mktemp("page"))


def test_the_shares_are_those_of_the_events(guide: Any) -> None:
    """Of four requests of an hour one failed, and one of the hour before; another host has no request at all."""
    sent = ((90, 500), (50, 500), (40, 200), (30, 404), (20, 200))
    rows = [
        {"request_id": f"r{ago}", "ts": to_text(AS_OF_US - ago * MINUTE_US), "host": "a", "status": status,
         "duration_ms": 1.5}
        for ago, status in sent
    ]  # fmt: skip
    nothing = np.zeros((1, 1))
    stored = {
        group.name: np.vstack([features(group, rows), nothing]) for group in (guide.HOST_REQUESTS, guide.HOST_FAILURES)
    }
    instants = np.full(2, AS_OF_US)
    matrix = feature_matrix(guide.HOST_HEALTH, {"duration_ms": np.full(2, 1.5)}, instants, stored)
    assert matrix[0].tolist() == [1.5, 0.25, np.float32(3 / 54), 0.25]
    assert np.isnan(matrix[1, 1])
    assert matrix[1, 2:].tolist() == [np.float32(0.04), 0.0]


def test_its_own_test_passes_and_each_function_works(guide: Any) -> None:
    guide.test_no_request_is_no_share()
    for view in (guide.HOST_HEALTH, guide.ORDER_RISK):
        check_functions(view)


def features(group: FeatureGroup, rows: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """The features of the one entity of the rows, from what the reader of the stream makes of them."""
    (source,) = group.sources
    encoder = RowEncoder(source, group.entity.keys, rows, Reading({}))
    batch = read_rows(encoder, rows, load_settings(topic_mode="embedded"), AS_OF_US).events
    events = group_events(group, batch)
    state = TileState(group.layout)
    (slot,) = state.add(1).tolist()
    slots = np.full(len(events), slot)
    apply(state, slots, events.event_time_us, events.digest, events.values, events.valid)
    return read(state, [slot], AS_OF_US)
