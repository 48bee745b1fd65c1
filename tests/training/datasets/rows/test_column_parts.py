from __future__ import annotations

import pytest

from shared_features.feature_views import CARD_FRAUD
from tests.domains.machines import BREAKDOWN
from tests.training.datasets.rows.several_groups import HOTTER_PLANT
from training.datasets.rows import column_parts as parts_of
from training.datasets.rows.column_parts import column_parts


@pytest.mark.parametrize("at_once", [1, 6])
def test_each_column_is_computed_once_and_has_what_it_takes(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_of, "FEATURES_AT_ONCE", at_once)
    for view in (CARD_FRAUD, BREAKDOWN, HOTTER_PLANT):
        parts = list(column_parts(view))
        columns = [column for part in parts for column in part.columns]
        assert sorted(at for at, _ in columns) == list(range(len(view.columns)))
        assert all(view.columns[at] == column for at, column in columns)
        for part in parts:
            for (_, column), places in zip(part.columns, part.places, strict=True):
                taken = [None if each is None else part.features[each] for each in places]
                assert taken == [each.feature for each in column.inputs]
            assert len(set(part.features)) == len(part.features)


def test_the_files_of_a_group_are_read_once_for_all_columns_of_it_alone() -> None:
    for view in (CARD_FRAUD, BREAKDOWN, HOTTER_PLANT):
        parts = [part for part in column_parts(view) if len(part.groups) == 1]
        assert len(parts) == len(view.groups)
        assert {part.groups[0].part_name for part in parts} == {group.part_name for group in view.groups}


def test_few_features_of_several_groups_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_of, "FEATURES_AT_ONCE", 2)
    mixed = [part for part in column_parts(HOTTER_PLANT) if len(part.groups) > 1]
    assert [[column.name for _, column in part.columns] for part in mixed] == [["over_plant"], ["over_spread"]]
    assert [len(part.features) for part in mixed] == [2, 3], "a column that takes more of them is a part of its own"
