import polars as pl

from training.datasets.exports.told_sides import tell_sides

ROWS = pl.DataFrame(
    {
        "window": ["train", "train", "train", "gap", "test", None],
        "fold_1": ["train", "test", None, None, None, None],
        "label": [0.0, 1.0, None, 1.0, 0.5, 0.0],
        "ward": ["north", "south", "north", "north", "south", "south"],
    }
)


def test_the_rows_of_each_side_and_class_are_told() -> None:
    assert tell_sides(ROWS, {"window": "label"}) == [
        "window: train 3 (0 1, 1 1, unknown 1), gap 1 (1 1), test 1 (0.5 1)"
    ]
    assert tell_sides(ROWS, {"fold_1": "ward"}) == ["fold_1: train 1 (north 1), test 1 (south 1)"]
    assert tell_sides(ROWS, {"window": ""}) == ["window: train 3, gap 1, test 1"]
    assert tell_sides(ROWS, {}) == []


def test_labels_of_many_values_are_not_counted_one_by_one() -> None:
    many = pl.DataFrame({"window": ["train"] * 50, "label": [number / 7 for number in range(50)]})
    assert tell_sides(many, {"window": "label"}) == ["window: train 50"]
