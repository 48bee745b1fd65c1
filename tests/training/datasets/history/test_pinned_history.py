from pathlib import Path

import pytest

from shared_features.kernel.event_time import HOUR_US
from tests.domains.machines import BREAKDOWN
from tests.training.machine_streams import end_us
from training.datasets.history.pinned_history import pin_history
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError

CUT_US = end_us() + 2 * HOUR_US


def test_the_cut_is_how_far_every_source_is_complete_and_may_be_an_earlier_one(machine_lake: Path) -> None:
    store = OfflineStore(machine_lake)
    found = pin_history(store, BREAKDOWN)
    assert (found.cut_us, list(found.tables), dict(found.kept_from_us)) == (CUT_US, ["readings"], {"readings": 0})
    assert pin_history(store, BREAKDOWN, CUT_US - 7).cut_us == CUT_US - 7


def test_a_cut_that_is_not_reached_is_refused(machine_lake: Path) -> None:
    with pytest.raises(DatasetError, match=r"complete up to 2024-10-16.* is asked for\. Wait for the archive"):
        pin_history(OfflineStore(machine_lake), BREAKDOWN, CUT_US + 1)
