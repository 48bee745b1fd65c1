import polars as pl
import pytest

from shared_features.definitions import load_definitions
from tests.domains.machines import MACHINE_HEAT, READINGS
from training.errors import TrainingError
from training.notebook.group_view import group_spine, group_view

CATALOGUE = load_definitions("tests.domains.machines")


def test_a_view_of_a_group_has_all_its_features_and_asks_for_its_keys_alone() -> None:
    for name in ("machine_heat", "machine_heat:v3"):
        view = group_view(CATALOGUE, name)
        assert [column.name for column in view.columns] == [each.full_name for each in MACHINE_HEAT.features]
        assert [field.name for field in view.request_fields] == ["plant", "machine"]
        assert view.source is READINGS


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"no feature group 'machine_heat:v2'.*The groups are hot_plant"):
        group_view(CATALOGUE, "machine_heat:v2")


def test_one_instant_stands_for_all_rows_unless_each_has_its_own() -> None:
    keys = pl.DataFrame({"plant": ["a", "b"]})
    assert group_spine(keys, None) is keys
    assert group_spine(keys, 7)["as_of"].dt.timestamp("us").to_list() == [7, 7]
    with pytest.raises(TrainingError, match="have a column 'as_of', and as_of is given too"):
        group_spine(keys.with_columns(as_of=1), 7)
