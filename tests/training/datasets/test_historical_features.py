"""Features for any entities and instants: as the feature rows have them, and as a naive reader of the events does."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import structlog
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_features.definitions import FeatureGroup
from shared_features.feature_matrix import feature_matrix
from shared_features.formats.offline_tables import ERASURES_APP, KEPT_FROM_APP, events_table
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from tests.domains.machines import BREAKDOWN, HOT_PLANT, MACHINE_HEAT, READINGS
from tests.domains.visits import COMES_AGAIN
from tests.oracle import value
from tests.taken_events import rows_of, taken
from tests.training.datasets.test_categories import START_US as FIRST_VISIT_US
from tests.training.datasets.test_categories import WARDS, write_visits
from tests.training.lake import LATENESS_US, EventRows, write_events
from tests.training.machine_streams import START_US, end_us, machine_streams
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import Truth, historical_features
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.point_in_time import read_spine_rows
from training.errors import DatasetError

WHOLE_END_US = end_us() + 2 * HOUR_US
"""Up to which arrival time `machine_lake` is complete."""


def features(lake: Path, spine: pl.DataFrame, truth: Truth = "as-served", lag_us: int = 0) -> pl.DataFrame:
    return historical_features(OfflineStore(lake), check_spine(BREAKDOWN, spine), truth, lag_us)


def rows(asked: list[tuple[int, int]], **more: Any) -> pl.DataFrame:
    """A spine of (number of a machine, as of) with the fields of a request."""
    return pl.DataFrame(
        {
            "plant": [f"plant|{machine % 3}" for machine, _ in asked],
            "machine": [f"m{machine}" for machine, _ in asked],
            "as_of": [at for _, at in asked],
            "celsius": [21.5] * len(asked),
            "humidity": [0.25] * len(asked),
            **more,
        },
        schema_overrides={"as_of": pl.Int64, "plant": pl.String, "machine": pl.String, "celsius": pl.Float64},
    )


def test_no_event_counts_before_it_arrives(machine_lake: Path) -> None:
    with pytest.raises(DatasetError, match=r"The lag is -5 seconds\. No event counts before it arrives"):
        features(machine_lake, rows([(1, end_us())]), lag_us=-5_000_000)


def test_the_events_of_the_view_have_the_values_of_its_feature_rows(machine_lake: Path) -> None:
    """Materialize, the dataset and a spine of a user's are one truth, bit for bit."""
    joined = read_spine_rows(pin_view(OfflineStore(machine_lake), BREAKDOWN, LATENESS_US), START_US, end_us())
    want = feature_matrix(BREAKDOWN, joined.request, joined.event_time_us, joined.stored)
    events = pl.read_delta(str(machine_lake / events_table(READINGS)))
    positions = pl.DataFrame({"kafka_partition": joined.partition, "kafka_offset": joined.offset})
    asked = positions.join(events, on=positions.columns, how="left", maintain_order="left").select(
        *("plant", "machine", "firmware"),
        pl.col("at").cast(pl.Datetime("us", "UTC")).alias("as_of"),
        pl.col("celsius") / 10,
        pl.col("humidity") / 1000,
    )
    found = features(machine_lake, asked)
    assert found.columns[:4] == ["plant", "machine", "firmware", "as_of"], "what was given comes first"
    matrix = found.select(column.name for column in BREAKDOWN.columns).to_numpy()
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, want)


ALL = {"machine_heat": MACHINE_HEAT, "hot_plant": HOT_PLANT}
OF_MACHINES = ("celsius_mean_1h", "celsius_std_1h", "humidity_mean_1h")
READ: list[tuple[str, FeatureGroup, str]] = [
    *(
        (f"machine_heat__{name}", MACHINE_HEAT, name)
        for name in ("celsius_mean_1h", "celsius_std_1h", "humidity_mean_1h")
    ),
    *((f"hot_plant__{feature.name}", HOT_PLANT, feature.name) for feature in HOT_PLANT.features),
]


@pytest.fixture(scope="module")
def stored() -> tuple[EventRows, dict[str, dict[str, list[Any]]]]:
    """The readings; and of each group, by entity, its events with their arrival."""
    readings = machine_streams()["readings"]
    plain, groups = rows_of(readings.batch), {}
    for name, group in ALL.items():
        found = sorted(taken(group, READINGS, plain), key=lambda each: each[1])
        groups[name] = {key: list(each) for key, each in groupby(found, key=lambda each: each[1])}
    return readings, groups


def naive(stored: Any, group: FeatureGroup, name: str, key: str, as_of: int, truth: Truth, lag_us: int) -> float:
    """The specification over the events that count by then."""
    readings, groups = stored
    events = [
        event
        for row, _, event in groups[group.name].get(key, [])
        if truth == "event-time" or readings.arrival_us[row] + lag_us <= as_of
    ]
    feature = next(each for each in group.features if each.name == name)
    return value(group.layout, group.layout.features[feature.index], events, as_of)


INSTANTS = st.integers(START_US - HOUR_US, WHOLE_END_US - 1)
MACHINES = st.integers(0, 31)
EDGES = st.tuples(st.integers(0, 2999), st.booleans(), MACHINES, st.sampled_from([0, 1]))
"""A reading, whether its arrival is meant or its event time, the machine that is asked about, and how long after."""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(
    asked=st.lists(st.tuples(MACHINES, INSTANTS), min_size=1, max_size=20),
    truth=st.sampled_from(["as-served", "event-time"]),
    lag_us=st.sampled_from([0, 1, 5 * MINUTE_US]),
    edges=st.lists(EDGES, max_size=20),
)
def test_any_entity_as_of_any_instant_is_what_a_naive_reader_finds(
    machine_lake: Path,
    stored: Any,
    asked: list[tuple[int, int]],
    truth: Truth,
    lag_us: int,
    edges: list[tuple[int, bool, int, int]],
) -> None:
    """Also of machines that nobody knows, and at the very instants at which events happen and arrive."""
    readings = stored[0]
    for row, arrives, machine, after_us in edges:
        at_us = (readings.arrival_us if arrives else readings.batch.event_time_us)[row]
        asked = [*asked, (machine, int(at_us) + after_us)]
    found = features(machine_lake, rows(asked), truth, lag_us)
    for column, group, name in READ:
        want = [naive(stored, group, name, _key(group, machine), as_of, truth, lag_us) for machine, as_of in asked]
        np.testing.assert_array_equal(found[column].to_numpy(), np.array(want, np.float32), err_msg=column)


def _key(group: FeatureGroup, machine: int) -> str:
    plant = f"plant\\|{machine % 3}"
    return plant if group is HOT_PLANT else f"{plant}|m{machine}"


@pytest.mark.parametrize("at_once", [1, 40, 700])
@pytest.mark.parametrize("truth", ["as-served", "event-time"])
def test_the_values_are_the_same_bits_however_few_events_are_in_memory(
    machine_lake: Path, truth: Truth, at_once: int
) -> None:
    asked = rows(
        [(machine, START_US + 3 * DAY_US + hour * HOUR_US) for hour in range(0, 24, 5) for machine in range(32)]
    )
    spine, store = check_spine(BREAKDOWN, asked), OfflineStore(machine_lake)
    whole = historical_features(store, spine, truth)
    assert historical_features(store, spine, truth, events_at_once=at_once).equals(whole, null_equal=True)
    matrix = whole.select(column.name for column in BREAKDOWN.columns).to_numpy()
    assert (~np.isnan(matrix[:, 2:-1])).any(axis=0).all(), "every stored feature has a value somewhere"


def test_the_two_truths_differ_where_events_were_late(machine_lake: Path) -> None:
    asked = rows([(machine, START_US + DAY_US + hour * HOUR_US) for machine in range(30) for hour in range(24)])
    served, happened = (
        features(machine_lake, asked, truth)["hot_plant__count_2h"].to_numpy() for truth in ("as-served", "event-time")
    )
    assert (served <= happened).all()
    assert (served < happened).any()


def test_an_instant_whose_events_are_still_arriving_is_refused(machine_lake: Path) -> None:
    asked = rows([(1, START_US + DAY_US), (1, WHOLE_END_US), (2, WHOLE_END_US + 7)])
    with pytest.raises(
        DatasetError, match=r"'readings' are complete up to 2024-10-16.* 2 rows of the spine ask for later"
    ):
        features(machine_lake, asked)
    assert len(features(machine_lake, asked[:2], lag_us=1)) == 2, "a lag leaves the last instant time to arrive"
    with pytest.raises(DatasetError, match="1 row of the spine asks"):
        features(machine_lake, asked[:2], "event-time", lag_us=1)


def test_instants_whose_events_were_deleted_are_refused_and_erased_entities_are_told(tmp_path: Path) -> None:
    write_events(tmp_path, machine_streams()["readings"], watermark_us=WHOLE_END_US)
    kept_us = START_US + 2 * DAY_US
    deleted = CommitProperties(app_transactions=[Transaction(KEPT_FROM_APP, kept_us), Transaction(ERASURES_APP, 1)])
    DeltaTable(tmp_path / events_table(READINGS)).delete(f"arrival_time_us < {kept_us}", commit_properties=deleted)
    with pytest.raises(DatasetError, match=r"arrived before 2024-10-06.* were deleted.*in 1 row of the spine"):
        features(tmp_path, rows([(1, kept_us + HOUR_US), (1, kept_us + 2 * DAY_US)]))
    with structlog.testing.capture_logs() as lines:
        assert len(features(tmp_path, rows([(1, kept_us + 2 * DAY_US)]))) == 1
    assert [line["event"] for line in lines] == ["events of 1 erased entity are not in it"]


def test_a_column_with_the_name_of_a_feature_is_refused_and_others_stay(machine_lake: Path) -> None:
    at = START_US + DAY_US
    found = features(machine_lake, rows([(1, at), (2, at)], note=["a", "b"], label=[0, 1]))
    assert found["note"].to_list() == ["a", "b"]
    assert found["celsius"].to_list() == [21.5, 21.5]
    with pytest.raises(DatasetError, match=r"names of features: above_mean_1h\. .* Rename or drop"):
        features(machine_lake, rows([(1, at)], above_mean_1h=[0.0]))


def test_a_spine_without_rows_gives_a_table_without_rows(machine_lake: Path) -> None:
    found = features(machine_lake, rows([]))
    assert len(found) == 0
    assert {column.name for column in BREAKDOWN.columns} <= set(found.columns)


def test_a_category_is_its_value(tmp_path: Path) -> None:
    """Of the request as it was given, of the store as the events say it; nothing where nothing is known."""
    write_visits(tmp_path)
    events = pl.read_delta(str(tmp_path / "events_visits")).sort("at")
    asked = pl.DataFrame(
        {
            "patient": [*range(40), 999],
            "as_of": [FIRST_VISIT_US + 10 * DAY_US] * 41,
            "ward": ["never seen"] * 41,
            "urgent": [True] * 41,
            "floor": [3] * 41,
            "hours": [0.5] * 41,
        }
    )
    found = historical_features(OfflineStore(tmp_path), check_spine(COMES_AGAIN, asked))
    stored = [
        each for _, each in COMES_AGAIN.categories if each.inputs[0].feature is not None and each.inputs[0].is_text
    ]
    assert stored, "the view has a category of the store"
    assert found["ward"].unique().to_list() == ["never seen"]
    for column in stored:
        values = found[column.name].to_list()
        assert values[-1] is None
        assert set(values) - {None} <= {*WARDS, "only in the test"}
        assert len(set(values)) > 2
    assert len(events) == 900


def test_an_optional_category_may_be_left_out_of_the_spine_and_is_missing_then(tmp_path: Path) -> None:
    """It was looked for among the columns that were given."""
    write_visits(tmp_path)
    at = [FIRST_VISIT_US + DAY_US, FIRST_VISIT_US + 2 * DAY_US]
    spine = pl.DataFrame(
        {"patient": [1, 2], "urgent": [True, False], "floor": [1, 2], "hours": [1.5, 2.0], "as_of": at}
    )
    left_out, empty = (
        historical_features(OfflineStore(tmp_path), check_spine(COMES_AGAIN, each))
        for each in (spine, spine.with_columns(ward=pl.lit(None, pl.String)))
    )
    assert left_out["ward"].null_count() == 2
    assert left_out.equals(empty.select(left_out.columns), null_equal=True)


def test_a_category_has_its_type_also_where_no_row_has_a_value(tmp_path: Path) -> None:
    """Parts of one table, computed apart, have one schema."""
    write_visits(tmp_path)
    some = {"patient": [1, 2], "urgent": [True, False], "floor": [1, 2], "hours": [1.5, 2.0]}
    before, later = (
        historical_features(
            OfflineStore(tmp_path), check_spine(COMES_AGAIN, pl.DataFrame({**some, "as_of": [FIRST_VISIT_US + at] * 2}))
        )
        for at in (0, 5 * DAY_US)
    )
    assert before.schema == later.schema
    assert before["patient_visits__ward_last_7d"].null_count() == 2
