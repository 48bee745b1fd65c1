"""Each class is divided in the same shares, and rows of the same keys stay together."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from training.datasets.exports.stratified import stratified
from training.errors import DatasetError

LABELS = [0.0] * 970 + [1.0] * 30 + [None] * 10
KEYS = pl.DataFrame({"customer": [f"c{n % 50}" for n in range(1_010)], "at": np.arange(1_010)})
LABEL = pl.Series("label", LABELS)


def test_each_class_and_the_unknown_one_have_the_same_share_of_rows_for_the_test() -> None:
    side = stratified(KEYS, LABEL, 0.2, 0)
    tested = pl.DataFrame([LABEL, side]).filter(pl.col("window") == "test")["label"]
    assert set(side) == {"train", "test"}
    assert [(tested == 0).sum(), (tested == 1).sum(), tested.null_count()] == [194, 6, 2]


def test_a_seed_draws_the_same_rows_again_and_another_seed_others() -> None:
    first = stratified(KEYS, LABEL, 0.2, 3)
    assert first.equals(stratified(KEYS, LABEL, 0.2, 3))
    assert not first.equals(stratified(KEYS, LABEL, 0.2, 4))
    assert stratified(KEYS, LABEL, 0.2, -1).n_unique() == 2
    assert (first[:1_000] == "test").arg_true().head(5).to_list() == [0, 4, 7, 9, 20], "a stored dataset is built again"


def test_a_row_that_is_there_several_times_is_on_one_side_whatever_its_labels() -> None:
    keys, labels = pl.concat([KEYS, KEYS[::2], KEYS[::3]]), pl.concat([LABEL, LABEL[::-1][::2], LABEL[::3]])
    side = stratified(keys, labels, 0.3, 0)
    sides = keys.with_columns(side).group_by("customer", "at").agg(pl.col("window").n_unique())
    assert sides["window"].max() == 1


def test_a_class_of_two_rows_is_on_both_sides() -> None:
    labels = pl.Series("label", ["yes"] * 998 + ["no"] * 2 + [None] * 10)
    found = pl.DataFrame([labels, stratified(KEYS, labels, 0.01, 0)]).filter(pl.col("label") == "no")
    assert set(found["window"]) == {"train", "test"}


def test_what_cannot_be_stratified_is_refused_with_its_reason() -> None:
    with pytest.raises(DatasetError, match=r"Column 'amount' cannot stratify the rows\. It has 1,010 classes"):
        stratified(KEYS, pl.Series("amount", np.arange(1_010)), 0.2, 0)
    one = pl.Series("label", ["yes"] * 1_009 + ["no"])
    with pytest.raises(DatasetError, match=r"Of its class 'no' there is one row"):
        stratified(KEYS, one, 0.2, 0)
