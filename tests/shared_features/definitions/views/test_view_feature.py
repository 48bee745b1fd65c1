"""Stored features that stand side by side in a group and in the matrix are copied as one block."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import Input, ViewFeature
from shared_features.definitions.views.view_feature import stored_runs_of
from tests.streaming.small_domain import PAYER, SHOP_USE

STORED = [ViewFeature(each.full_name, (Input(feature=each),)) for each in (*PAYER.features, *SHOP_USE.features)]
OTHERS = [
    ViewFeature("amount", (Input(field="amount"),)),
    ViewFeature("twice", (Input(feature=PAYER.features[0]),), lambda value: 2 * value),
]


@given(st.lists(st.sampled_from([*STORED, *OTHERS])) | st.permutations(STORED))
def test_runs_hold_every_stored_column_once_and_are_as_long_as_can_be(columns: list[ViewFeature]) -> None:
    runs = stored_runs_of(columns)
    copied = {at: (run.group, run.start + at - run.first) for run in runs for at in range(run.first, run.stop)}
    passed = {
        index: (each.inputs[0].feature.group, each.inputs[0].feature.index)
        for index, each in enumerate(columns)
        if each.function is None and each.inputs[0].feature is not None
    }
    assert copied == passed
    for before, after in pairwise(runs):
        joins = before.group == after.group and before.start + after.first - before.first == after.start
        assert before.stop < after.first or not joins


def test_a_whole_group_is_one_block() -> None:
    (run,) = stored_runs_of(STORED[: len(PAYER.features)])
    assert (run.first, run.stop, run.group, run.start) == (0, len(PAYER.features), PAYER, 0)
