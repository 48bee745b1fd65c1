from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from shared_features.formats.offline_tables import events_table, features_table
from tests.domains.machines import BREAKDOWN, MACHINE_HEAT, READINGS
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import START_US, end_us
from training.datasets.offline_store import OfflineStore
from training.datasets.outcomes.spine_outcomes import complete_rows
from training.datasets.outcomes.view_labels import read_view_labels
from training.datasets.pinned_view import pin_view
from training.datasets.rows.joined_spine import JoinedSpine, join_spine
from training.errors import DatasetError


def joined(lake: Path) -> JoinedSpine:
    return join_spine(pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US), START_US, end_us())


def joined_with_known_events(lake: Path) -> JoinedSpine:
    """As a dataset is built: the rows, and which events they are, were looked up for the labels."""
    pinned = pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US)
    every, history = complete_rows(pinned, read_view_labels(BREAKDOWN, pinned.labels, pinned.cut_us - 1))
    rest, lines = history.without_lines(START_US, end_us())
    assert rest.lines is None
    return join_spine(pinned, START_US, end_us(), known=every, events=lines)


def test_events_that_were_looked_up_give_the_fields_of_events_that_were_not(machine_lake: Path) -> None:
    known, looked_up = joined_with_known_events(machine_lake), joined(machine_lake)
    assert known.columns.keys() == looked_up.columns.keys() > set()
    for part in ("columns", "valid"):
        for name, column in getattr(looked_up, part).items():
            np.testing.assert_array_equal(getattr(known, part)[name], column, strict=True)


def test_rows_are_in_order_of_position_with_the_keys_of_their_entities(machine_lake: Path) -> None:
    spine = joined(machine_lake)
    position = list(zip(spine.partition.tolist(), spine.offset.tolist(), strict=True))
    assert position == sorted(set(position))
    events = pl.read_delta(str(machine_lake / events_table(READINGS)))
    keys = {
        (row["kafka_partition"], row["kafka_offset"]): row["plant"].replace("|", r"\|")
        for row in events.iter_rows(named=True)
    }
    assert spine.entity_keys("plant") == [keys[each] for each in position]
    assert len(spine.request(slice(3, 10), ["celsius"])["celsius"]) == 7


@pytest.mark.parametrize("join", [joined, joined_with_known_events])
def test_a_position_that_is_stored_twice_is_refused(join, machine_lake: Path, tmp_path: Path) -> None:
    for name, says in (
        (features_table(BREAKDOWN.groups[0], READINGS), "is damaged. 2 of its rows have the position of another row"),
        (events_table(READINGS), "1 events too many have their positions"),
    ):
        lake = Path(shutil.copytree(machine_lake, tmp_path / name))
        row = pl.read_delta(str(lake / name)).filter(pl.col("kafka_offset") == 500).head(1)
        write_deltalake(str(lake / name), row.to_arrow(), mode="append")
        with pytest.raises(DatasetError, match=says):
            join(lake)


@pytest.mark.parametrize("join", [joined, joined_with_known_events])
def test_rows_whose_events_are_gone_are_refused(join, machine_lake: Path, tmp_path: Path) -> None:
    lake = Path(shutil.copytree(machine_lake, tmp_path / "lake"))
    DeltaTable(str(lake / events_table(READINGS))).delete("kafka_offset = 500 and kafka_partition = 1")
    with pytest.raises(DatasetError, match="1 have no event in table 'events_readings'"):
        join(lake)


def test_groups_with_other_rows_say_how_many(machine_lake: Path, tmp_path: Path) -> None:
    lake = Path(shutil.copytree(machine_lake, tmp_path / "lake"))
    DeltaTable(str(lake / features_table(MACHINE_HEAT, READINGS))).delete("kafka_offset = 500")
    with pytest.raises(DatasetError, match=r"lacks \d rows and has 0 more|lacks 0 rows and has \d more"):
        joined(lake)
