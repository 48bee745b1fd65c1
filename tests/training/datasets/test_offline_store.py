"""Training over a group with additions, and over tables that another definition wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from shared_features import Aggregate, FeatureView, GrownGroup, Max, Std, days, hours
from shared_features.definitions import definition_text, fingerprint, source_text
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.model_manifest import check_manifest, stamp_view
from shared_features.formats.offline_tables import DEFINITION, FINGERPRINT, events_table, features_table
from tests.domains.machines import BREAKDOWN, HOT_PLANT, MACHINE_HEAT, READINGS
from tests.shared_features.formats.test_model_manifest import MANIFEST
from tests.training.lake import LATENESS_US, EventRows, write_all_features, write_lake
from tests.training.machine_streams import end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError

LATER = (Aggregate("celsius", Max(), windows=(hours(2),)), Aggregate("humidity", Std(), windows=(days(1),)))
ADDED = GrownGroup(MACHINE_HEAT, LATER)
TOGETHER = replace(MACHINE_HEAT, version=4, aggregates=(*MACHINE_HEAT.aggregates, *LATER))
NAMES = [feature.name for feature in TOGETHER.features if not feature.is_text]
OF_PARTS = FeatureView("parts", 1, READINGS, tuple(ADDED[name] for name in NAMES), BREAKDOWN.labels)
OF_ONE = FeatureView("one", 1, READINGS, tuple(TOGETHER[name] for name in NAMES), BREAKDOWN.labels)


def built(lake: Path, view: FeatureView) -> TrainingDataset:
    parameters = DatasetParameters(train_days=6, delay_days=1, test_days=3)
    return build_dataset(pin_view(OfflineStore(lake), view, LATENESS_US), parameters)[0]


@pytest.fixture(scope="module")
def streams() -> Mapping[str, EventRows]:
    return machine_streams(days=12)


@pytest.fixture
def lake(tmp_path: Path, streams: Mapping[str, EventRows]) -> Path:
    write_lake(tmp_path, OF_PARTS, streams, end_us())
    return tmp_path


def test_additions_train_as_if_they_had_been_there_from_the_start(lake: Path, streams: Mapping[str, EventRows]) -> None:
    write_all_features(lake, OF_ONE, streams, end_us())
    parts, one = built(lake, OF_PARTS), built(lake, OF_ONE)
    assert [group.label for group in OF_PARTS.groups] == ["machine_heat:v3", "machine_heat:v3+1", "machine_heat:v3+2"]
    np.testing.assert_array_equal(parts.matrix.view(np.uint32), one.matrix.view(np.uint32))
    assert list(parts.manifest.groups) == [group.label for group in OF_PARTS.groups]
    assert features_table(OF_PARTS.groups[2], READINGS) in parts.manifest.tables


def test_a_manifest_names_the_parts_and_what_was_added_in_their_place() -> None:
    manifest = replace(MANIFEST, view=stamp_view(OF_PARTS))
    assert [group.name for group in manifest.view.groups] == ["machine_heat", "machine_heat+1", "machine_heat+2"]
    check_manifest(manifest, OF_PARTS)
    longer = replace(ADDED, added=(*LATER, Aggregate(None, HOT_PLANT.aggregates[0].aggregation, (hours(1),))))
    check_manifest(manifest, replace(OF_PARTS, features=tuple(longer[name] for name in NAMES)))


def test_feature_rows_of_another_definition_are_not_trained_on(lake: Path) -> None:
    """Else a model would be stamped with a meaning that its rows do not have."""
    table = DeltaTable(lake / features_table(MACHINE_HEAT, READINGS))
    before = replace(MACHINE_HEAT, shards=9)
    more = {"spine": READINGS, "lateness_us": 1, "lag_us": 0}
    properties = {
        FINGERPRINT: f"{before.fingerprint}-{fingerprint(0)}",
        DEFINITION: definition_text(before, **more),
    }
    table.alter.set_table_properties(properties, raise_if_not_exists=False)
    with pytest.raises(DatasetError, match=r"another definition of machine_heat:v3 \(shards: 9 -> 2\)\. Raise"):
        built(lake, OF_PARTS)


def test_events_that_mean_something_else_by_now_are_not_trained_on(lake: Path) -> None:
    table = DeltaTable(lake / events_table(READINGS))
    before = replace(READINGS, event_id="firmware", fields=tuple(replace(f, optional=False) for f in READINGS.fields))
    table.alter.set_table_properties({DEFINITION: source_text(before)}, raise_if_not_exists=False)
    with pytest.raises(DatasetError, match=r"event id: firmware -> reading; .* field humidity: optional no -> yes"):
        built(lake, OF_PARTS)
