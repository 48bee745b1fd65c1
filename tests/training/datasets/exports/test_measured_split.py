"""Who is known to be positive on a test day is the same of an exported dataset as of a run with the same windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, floor_to
from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import EARLY_US
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import START_US
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.division import divide, read_division
from training.datasets.exports.event_range import export_range
from training.datasets.exports.measured_rows import measured_rows
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.time_split import GAP, TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.models.metrics.evaluation import candidate_rows

Row = tuple[int, int]
"""The position of an event."""


def delayed(hours: float) -> FeatureView:
    """A view whose labels are trusted only so long after their event."""
    assert BREAKDOWN.predicted is not None
    return replace(BREAKDOWN, labels=replace(BREAKDOWN.predicted, delay=timedelta(hours=hours)))


def pinned(lake: Path, view: FeatureView) -> PinnedView:
    return pin_view(OfflineStore(lake), view, LATENESS_US)


def divided(pinned: PinnedView, span: tuple[int, int], by: str) -> DatasetTable:
    table = export_range(pinned, *span)
    return divide(table, pinned.view, read_division(by, pinned.view, 3), table.instants_us)


def candidates(dataset: TrainingDataset) -> dict[Row, int]:
    """Position of a row of the test window whose entity is a candidate -> its test day."""
    rows, day = candidate_rows(dataset)
    positions = zip(dataset.partition[rows].tolist(), dataset.offset[rows].tolist(), strict=True)
    return dict(zip(positions, day.tolist(), strict=True))


def naive(table: DatasetTable, window: str, first_us: int, delay_us: int) -> dict[Row, int]:
    """The same, a row at a time. first_us: when the first test day begins."""
    rows = [each for each in table.data.iter_rows(named=True) if each["label"] is not None and each[window]]
    at_us = {(each["kafka_partition"], each["kafka_offset"]): int(each["as_of"].timestamp() * 1e6) for each in rows}
    broke: dict[tuple[str, str], list[int]] = {}
    for each in rows:
        if each["label"]:
            position = (each["kafka_partition"], each["kafka_offset"])
            broke.setdefault((each["plant"], each["machine"]), []).append(at_us[position])
    found = {}
    for each in rows:
        if each[window] == "test":
            position = (each["kafka_partition"], each["kafka_offset"])
            day = (at_us[position] - first_us) // DAY_US
            known_us = first_us + day * DAY_US - delay_us
            if all(other >= known_us for other in broke.get((each["plant"], each["machine"]), [])):
                found[position] = day
    return found


@pytest.mark.parametrize("seed", range(6))
def test_the_last_fold_leaves_out_whom_a_run_of_its_windows_leaves_out(early_lake: Path, seed: int) -> None:
    """A positive event counted as known from the very day on, and days began where the span of the rows ends."""
    random = np.random.default_rng(seed)
    delay_us, folds = int(random.integers(2 * HOUR_US, 15 * HOUR_US)), int(random.integers(1, 4))
    kind = ("folds", "sliding-folds")[seed % 2]
    from_us = START_US + int(random.integers(0, 3 * DAY_US))
    span = (from_us, from_us + folds * DAY_US + int(random.integers(DAY_US, 2 * DAY_US)))
    lake = pinned(early_lake, delayed(delay_us / HOUR_US))
    table = divided(lake, span, f"{kind}:{folds}")
    found = measured_rows(table, lake.view)

    instants = np.sort(table.instants_us)
    first_us, end_us = int(instants[0]), int(instants[-1]) + 1
    edges = [first_us + (end_us - first_us) * part // (folds + 1) for part in range(folds + 2)]
    learned_from_us = edges[folds - 1] - delay_us if kind == "sliding-folds" else first_us
    asked = DatasetParameters(
        train_from_us=max(first_us, learned_from_us),
        train_to_us=edges[folds] - delay_us,
        test_from_us=edges[folds],
        test_to_us=end_us,
    )
    of_run = build_dataset(lake, asked)[0]
    for window in (TRAIN, GAP, TEST):
        for name in ("partition", "offset", "label"):
            ours, theirs = (getattr(each, name)[each.rows(window)] for each in (found, of_run))
            np.testing.assert_array_equal(ours, theirs)
    assert candidates(found) == candidates(of_run) == naive(table, f"fold_{folds}", edges[folds], delay_us)
    assert 0 < len(candidates(found)) < len(found.rows(TEST))
    assert found.manifest.split.test_start_us == edges[folds]
    assert found.manifest.split.gap_us == delay_us
    assert (found.manifest.split.start_us, found.manifest.split.end_us) == span, "what is kept for it does not change"


@pytest.mark.parametrize("by", ["entity:machine", "entity:plant", "stratified"])
def test_rows_that_are_not_divided_by_time_have_days_of_utc_and_the_label_delay(early_lake: Path, by: str) -> None:
    from_us = START_US + 7 * HOUR_US
    lake = pinned(early_lake, delayed(9.5))
    table = divided(lake, (from_us, from_us + 2 * DAY_US), by)
    found = measured_rows(table, lake.view)
    first_us = floor_to(int(found.event_time_us[found.rows(TEST)].min()), DAY_US)
    assert candidates(found) == naive(table, "window", first_us, 19 * 30 * MINUTE_US)
    assert 0 < len(candidates(found)) < len(found.rows(TEST))


def test_rows_that_a_column_divides_at_a_midnight_are_those_of_a_run(early_lake: Path) -> None:
    lake, middle_us, delay_us = pinned(early_lake, delayed(12)), START_US + 3 * DAY_US, 12 * HOUR_US
    table = export_range(lake, middle_us - 2 * DAY_US, middle_us + 2 * DAY_US)
    at_us = table.instants_us
    side = np.where(at_us >= middle_us, "test", np.where(at_us < middle_us - delay_us, "train", "gap"))
    table = replace(table, data=table.data.with_columns(side=side))
    found = measured_rows(divide(table, lake.view, read_division("column:side", lake.view, 0), at_us), lake.view)
    asked = DatasetParameters(
        train_from_us=middle_us - 2 * DAY_US,
        train_to_us=middle_us - delay_us,
        test_from_us=middle_us,
        test_to_us=middle_us + 2 * DAY_US,
    )
    of_run = build_dataset(lake, asked)[0]
    assert candidates(found) == candidates(of_run)
    assert found.manifest.split == of_run.manifest.split
    assert middle_us + 2 * DAY_US < EARLY_US, "all of it is complete"
