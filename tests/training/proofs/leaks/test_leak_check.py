"""No honest feature of any of the domains is accused, and a feature row that knew the future is caught."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from shared_features.definitions import FeatureView
from shared_features.errors import DefinitionError
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.entity_state import encode_states
from shared_features.formats.offline_tables import ERASURES_APP, ERASURES_TABLE, POSITION, events_table, features_table
from shared_features.kernel.tile_state import TileState
from tests.domains.machines import BREAKDOWN, MACHINE_HEAT, READINGS
from tests.domains.parcels import STARS
from tests.domains.sensors import WEATHER
from tests.domains.visits import COMES_AGAIN
from tests.domains.web_shop import ORDER_RETURN
from tests.training.any_traffic import write_traffic
from tests.training.lake import LATENESS_US
from tests.training.proofs.leaks import seeded_on_demand as seeded
from tests.training.proofs.leaks.seeded_on_demand import CENTRED, NORMALISED, SHIFTED
from training.datasets.historical_features import stored_features
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import CertificateError, LeakError
from training.proofs.leaks import served_bytes
from training.proofs.leaks.leak import LATER_EVENTS, LATER_ROWS, LATER_VALUES, NEIGHBOURS, LeakReport, require_no_leak
from training.proofs.leaks.leak_check import check_rows, check_view
from training.proofs.leaks.sampled_rows import sample_rows


def checked(lake: Path, view: FeatureView, rows: int = 400) -> tuple[LeakReport, int]:
    store = OfflineStore(lake)
    return check_view(pin_view(store, view, LATENESS_US), store, seed=1, rows=rows)


@pytest.mark.parametrize("view", [CARD_FRAUD, ORDER_RETURN, WEATHER, STARS, COMES_AGAIN], ids=lambda view: view.name)
def test_no_honest_feature_is_accused(tmp_path: Path, view: FeatureView) -> None:
    write_traffic(tmp_path, view, count=800)
    report, served = checked(tmp_path, view)
    assert report.leaks == ()
    assert report.checked["stored features"] == sum(len(group.features) for group in view.groups)
    assert report.checked["on-demand features"] == sum(column.function is not None for column in view.columns)
    assert served > 5, "bytes as serving reads them were compared too"


def test_no_feature_of_the_machines_is_accused(machine_lake: Path) -> None:
    report, served = checked(machine_lake, BREAKDOWN)
    assert report.leaks == ()
    assert served == 5 * sum(len(group.features) for group in BREAKDOWN.groups)


def erase_machine(lake: Path, at_us: int = 2**60) -> None:
    """m1, as `erase` does it in the lake. at_us: when; by default after its last event."""
    events = pl.read_delta(str(lake / events_table(READINGS))).filter(pl.col("machine") == "m1").select(POSITION)
    erased = CommitProperties(app_transactions=[Transaction(ERASURES_APP, 1)])
    DeltaTable(lake / events_table(READINGS)).delete("machine = 'm1'", commit_properties=erased)
    write_deltalake(lake / ERASURES_TABLE, pl.DataFrame({"entity": ["machine"], "at_us": [at_us]}).to_arrow())
    for group in BREAKDOWN.groups:
        rows = lake / features_table(group, READINGS)
        kept = pl.read_delta(str(rows)).join(events, on=POSITION, how="anti")
        write_deltalake(rows, kept.to_arrow(), mode="overwrite")


def test_rows_that_hold_the_events_of_an_erased_entity_are_not_accused(machine_lake: Path, tmp_path: Path) -> None:
    """Each run after an erasure was refused: rows of a plant had seen the events of the machine that was erased."""
    lake = Path(shutil.copytree(machine_lake, tmp_path / "lake"))
    erase_machine(lake)
    report, served = checked(lake, BREAKDOWN)
    assert report.leaks == ()
    assert served
    assert "are others without the events that were erased since" in report.unchecked[0]


def test_an_erasure_excuses_no_leak_that_it_cannot_explain(machine_lake: Path, tmp_path: Path) -> None:
    """Rows of machines have the events of no other machine, and windows that began later those of no earlier time."""
    change = pl.col("celsius_mean_1h") - pl.col("celsius_mean_1h").mean()
    lake = leaky_lake(tmp_path, machine_lake, "celsius_mean_1h", change)
    erase_machine(lake)
    report, _ = checked(lake, BREAKDOWN)
    assert {each.feature for each in report.leaks} == {"machine_heat__celsius_mean_1h"}

    plain = Path(shutil.copytree(machine_lake, tmp_path / "plain"))
    erase_machine(plain, at_us=1)
    report, _ = checked(plain, BREAKDOWN)
    assert {each.feature.partition("__")[0] for each in report.leaks} == {"hot_plant"}


def leaky_lake(place: Path, machine_lake: Path, column: str, change: pl.Expr) -> Path:
    """The machines' lake, with feature rows in which one column is another."""
    shutil.copytree(machine_lake, place / "lake")
    table = str(place / "lake" / features_table(MACHINE_HEAT, READINGS))
    rows = pl.read_delta(table).sort("event_time_us").with_columns(change.alias(column))
    write_deltalake(table, rows.to_arrow(), mode="overwrite")
    return place / "lake"


@pytest.mark.parametrize(
    ("seeded", "change"),
    [
        ("the row after it", pl.col("celsius_mean_1h").shift(-1)),
        ("the whole set", pl.col("celsius_mean_1h") - pl.col("celsius_mean_1h").mean()),
        ("a centred window", pl.col("celsius_mean_1h").rolling_mean(3, center=True)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_feature_rows_that_were_made_of_later_ones_are_caught(
    tmp_path: Path, machine_lake: Path, seeded: str, change: pl.Expr
) -> None:
    """What the replay of nothing but the past does not give was not known."""
    report, _ = checked(leaky_lake(tmp_path, machine_lake, "celsius_mean_1h", change), BREAKDOWN)
    found = {(each.feature, each.cause) for each in report.leaks}
    assert found == {("machine_heat__celsius_mean_1h", cause) for cause in (LATER_EVENTS, LATER_VALUES)}, seeded
    with pytest.raises(LeakError, match=r"leaks of the future: machine_heat__celsius_mean_1h changes with events"):
        require_no_leak(report)


def test_rows_that_count_themselves_are_caught(machine_lake: Path) -> None:
    """Read one microsecond too far, in event time: off by one at the edge, so the own reading is in its own window."""
    store = OfflineStore(machine_lake)
    pinned = pin_view(store, BREAKDOWN, LATENESS_US)
    sampled = sample_rows(pinned, 1, 200)
    beyond = replace(sampled.spine, as_of_us=sampled.spine.as_of_us + 1)
    report, _ = check_rows(pinned, store, replace(sampled, stored=stored_features(store, beyond, "event-time")), 1)
    named = {each.feature for each in report.leaks}
    assert {"machine_heat__celsius_mean_5m", "machine_heat__humidity_count_1h", "hot_plant__count_2h"} <= named


@pytest.mark.parametrize("view", [SHIFTED, NORMALISED, CENTRED], ids=lambda view: view.name)
def test_an_on_demand_feature_that_looks_at_other_rows_is_caught_and_named(
    machine_lake: Path, view: FeatureView
) -> None:
    report, _ = checked(machine_lake, view)
    assert {each.feature for each in report.leaks} == {view.name}
    assert {LATER_ROWS, LATER_VALUES, NEIGHBOURS} >= {each.cause for each in report.leaks}
    assert LATER_VALUES in {each.cause for each in report.leaks}


def test_a_clock_a_file_and_a_state_cannot_be_written_on_demand() -> None:
    """They are refused where the view is defined, so the gate never meets them there."""
    for function in (seeded.by_the_clock, seeded.by_a_file, seeded.by_a_state):
        with pytest.raises(DefinitionError, match="what it computes cannot be known"):
            seeded.view_of(function)


def test_bytes_that_serving_would_read_otherwise_are_refused_by_name(
    machine_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(state: TileState, slots: Any, build_id: int, owners: Any) -> list[bytes]:
        state.clear(slots)
        return encode_states(state, slots, build_id, owners)

    monkeypatch.setattr(served_bytes, "encode_states", forgetful)
    with pytest.raises(CertificateError, match=r"Entity 'plant.*' of machine_heat:v3 has \w+ nan as of"):
        checked(machine_lake, BREAKDOWN)
