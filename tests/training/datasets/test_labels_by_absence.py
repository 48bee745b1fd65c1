"""Only positives are ever sent: an event without a label when the delay is over is negative, and is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared_features import FeatureView, hours
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import HOUR_US
from tests.domains.machines import BREAKDOWN
from tests.training.lake import LATENESS_US, EventRows, write_lake
from tests.training.machine_streams import end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.runs.actions.dataset_steps import make_dataset
from training.runs.plan.run_parameters import RunParameters

PARAMETERS = DatasetParameters(train_days=6, delay_days=1, test_days=3)
assert BREAKDOWN.predicted is not None
ALL_SENT = replace(BREAKDOWN, labels=replace(BREAKDOWN.predicted, delay=hours(2)))
POSITIVES_SENT = replace(BREAKDOWN, labels=replace(BREAKDOWN.predicted, delay=hours(2), otherwise=False))


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[FeatureView, Path]:
    """The same machines; in the second lake only breakdowns are reported, and never that there was none."""
    streams = machine_streams()
    reports = streams["breakdowns"]
    broke = reports.batch.columns["broke"] == 1
    only = EventRows(reports.batch.take(broke), reports.arrival_us[broke])
    found = {}
    for view, sent in ((ALL_SENT, streams), (POSITIVES_SENT, {**streams, "breakdowns": only})):
        found[view] = tmp_path_factory.mktemp("lake")
        write_lake(found[view], view, sent, end_us() + 2 * HOUR_US)
    return found


def build(lake: Path, view: FeatureView, parameters: DatasetParameters = PARAMETERS) -> TrainingDataset:
    return build_dataset(pin_view(OfflineStore(lake), view, LATENESS_US), parameters)[0]


def test_the_rows_are_those_of_a_source_that_sends_every_label(lakes: dict[FeatureView, Path]) -> None:
    every, positives = (build(lake, view) for view, lake in lakes.items())
    np.testing.assert_array_equal(positives.event_time_us, every.event_time_us)
    np.testing.assert_array_equal(positives.label, every.label)
    np.testing.assert_array_equal(positives.matrix, every.matrix)
    counts = positives.manifest.rows
    for window, code in ((counts.train, TRAIN), (counts.test, TEST)):
        assert window.without_label == (positives.label[positives.rows(code)] == 0).sum() > 0
        assert window.positive == (positives.label[positives.rows(code)] == 1).sum() > 0
    assert every.manifest.rows.train.without_label == 0


def test_an_event_whose_delay_is_not_over_has_no_label_yet(lakes: dict[FeatureView, Path]) -> None:
    """At the cutoff, half an hour of readings waits for its breakdowns; those that came early are known."""
    cutoff_us = end_us() - 12 * HOUR_US
    parameters = DatasetParameters(cutoff_us=cutoff_us, train_days=5, delay_days=1, test_days=2)
    dataset = build(lakes[POSITIVES_SENT], POSITIVES_SENT, parameters)
    without = dataset.event_time_us[dataset.label == 0]
    assert without.max() <= cutoff_us - 2 * HOUR_US
    assert dataset.event_time_us.max() <= cutoff_us


def test_without_it_events_without_a_label_are_left_out(lakes: dict[FeatureView, Path]) -> None:
    dataset = build(lakes[POSITIVES_SENT], ALL_SENT)
    assert set(dataset.label.tolist()) == {1.0}
    assert dataset.manifest.rows.train.unknown_label_left_out > 0


@pytest.mark.deep
def test_the_step_says_how_many_were_labelled_so(lakes: dict[FeatureView, Path], tmp_path: Path) -> None:
    pinned = pin_view(OfflineStore(lakes[POSITIVES_SENT]), POSITIVES_SENT, LATENESS_US)
    said = make_dataset(pinned, RunParameters(POSITIVES_SENT, PARAMETERS), tmp_path)
    counts = build(lakes[POSITIVES_SENT], POSITIVES_SENT).manifest.rows
    without = sum(each.without_label for each in (counts.train, counts.gap, counts.test))
    assert f"{without:,} labelled as those that no label came for" in said
