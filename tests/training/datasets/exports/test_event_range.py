"""All events of a span: as the training dataset has them where it has them, and those without a label besides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import EARLY_US
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import START_US
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.event_range import export_range
from training.datasets.exports.rebuilding import rebuild
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.errors import DatasetError


@pytest.fixture(scope="module")
def pinned(early_lake: Path) -> PinnedView:
    return pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US)


@pytest.fixture(scope="module")
def whole(pinned: PinnedView) -> DatasetTable:
    return export_range(pinned)


def test_it_has_the_rows_of_the_training_dataset_and_those_whose_label_is_unknown(
    whole: DatasetTable, events_then: DatasetTable
) -> None:
    both = events_then.data.join(whole.data.select("reading"), on="reading", how="semi", maintain_order="left")
    assert len(both) == len(events_then.data)
    theirs = whole.data.join(events_then.data.select("reading"), on="reading", how="semi", maintain_order="left")
    assert theirs.equals(events_then.data.drop("window"), null_equal=True)
    assert 0 < whole.data["label"].null_count() == whole.manifest.rows.train.unknown_label_left_out


def test_a_span_begins_with_its_first_instant_and_ends_before_its_last(pinned: PinnedView, whole: DatasetTable) -> None:
    times = whole.data["as_of"].dt.timestamp("us").sort()
    first, last = times[100], times[200]
    found = export_range(pinned, first, last)
    assert len(found.data) == ((times >= first) & (times < last)).sum()
    assert (found.manifest.split.start_us, found.manifest.split.end_us) == (first, last)


def test_it_is_the_same_bits_later_whatever_was_asked_for(
    pinned: PinnedView, whole: DatasetTable, grown_lake: Path, tmp_path: Path
) -> None:
    some = export_range(pinned, START_US + DAY_US, None, START_US + 2 * DAY_US)
    for name, table in (("all", whole), ("some", some)):
        table.write(tmp_path / name)
        found = rebuild(OfflineStore(grown_lake), [BREAKDOWN], tmp_path / name)
        assert found.data.equals(table.data, null_equal=True)
    assert some.data["label"].null_count() > whole.data["label"].null_count(), "labels after the cutoff are unknown"


def test_a_view_without_labels_has_a_dataset_too(early_lake: Path) -> None:
    view = replace(BREAKDOWN, labels=None)
    found = export_range(pin_view(OfflineStore(early_lake), view, LATENESS_US), EARLY_US - 5 * HOUR_US)
    assert "label" not in found.data.columns
    assert found.label == ""
    assert len(found.data) > 0


def test_a_span_without_rows_is_refused(pinned: PinnedView) -> None:
    with pytest.raises(DatasetError, match=r"has no row from 2024-10-13T00:00:00Z to .*Give another --from or --to"):
        export_range(pinned, EARLY_US, EARLY_US + 1)
