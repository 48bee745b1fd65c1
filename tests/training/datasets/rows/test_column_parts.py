from __future__ import annotations

from shared_features.feature_views import CARD_FRAUD
from tests.domains.machines import BREAKDOWN
from training.datasets.rows import column_parts as parts_of
from training.datasets.rows.column_parts import column_parts


def test_each_column_is_computed_once_and_has_what_it_takes() -> None:
    for view in (CARD_FRAUD, BREAKDOWN):
        parts = list(column_parts(view))
        columns = [column for part in parts for column in part.columns]
        assert sorted(at for at, _ in columns) == list(range(len(view.columns)))
        assert all(view.columns[at] == column for at, column in columns)
        for part in parts:
            taken = {each.feature for _, column in part.columns for each in column.inputs if each.feature}
            assert taken == {*part.exact, *part.rounded}
            computed = [column for _, column in part.columns if column.function is not None or column.category]
            exact = {each.feature for column in computed for each in column.inputs if each.feature}
            assert exact == set(part.exact), "what something is computed from is never rounded first"


def test_few_features_are_read_at_once_and_hardly_any_twice() -> None:
    parts = list(column_parts(CARD_FRAUD))
    assert max(len(part.exact) + len(part.rounded) for part in parts) <= parts_of.FEATURES_AT_ONCE
    read = [each for part in parts for each in (*part.exact, *part.rounded)]
    passing = [each for part in parts for each in part.rounded]
    assert len(passing) == len(set(passing))
    assert len(read) - len(set(read)) <= 3, "on-demand functions of two parts share these"
