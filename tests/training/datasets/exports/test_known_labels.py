from dataclasses import replace
from pathlib import Path

import pytest

from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import EARLY_US
from training.datasets.exports.known_labels import pin_labels
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError


def test_a_cutoff_whose_labels_are_still_arriving_is_refused(early_lake: Path) -> None:
    store = OfflineStore(early_lake)
    assert pin_labels(store, BREAKDOWN)[1] == EARLY_US - 1
    assert pin_labels(store, BREAKDOWN, EARLY_US - 7)[1] == EARLY_US - 7
    with pytest.raises(DatasetError, match=r"cutoff 2024-10-13T00:00:00Z is too late\. .*Give an earlier --cutoff"):
        pin_labels(store, BREAKDOWN, EARLY_US)


def test_a_view_without_labels_has_none_to_join(early_lake: Path) -> None:
    with pytest.raises(DatasetError, match="breakdown:v1 has no labels"):
        pin_labels(OfflineStore(early_lake), replace(BREAKDOWN, labels=None))
