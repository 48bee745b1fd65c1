import polars as pl

from training.datasets.exports.differences import tell_differences

WAS = pl.DataFrame(
    {
        "kafka_partition": [0, 0, 1],
        "kafka_offset": [1, 2, 1],
        "heat": [1.0, float("nan"), None],
        "label": [0.0, 1.0, 1.0],
    }
)


def test_rows_are_compared_by_their_position() -> None:
    now = WAS[1:].with_columns(label=pl.Series([1.0, 0.0]))
    assert tell_differences(WAS, now) == "it lacks 1 row; it differs in label in 1 row"
    assert tell_differences(WAS[:1], WAS) == "it has 2 rows more"


def test_missing_and_not_a_number_are_two_values_and_each_equals_itself() -> None:
    assert tell_differences(WAS, WAS) == ""
    assert tell_differences(WAS, WAS.with_columns(heat=pl.Series([1.0, None, None]))) == "it differs in heat in 1 row"


def test_rows_without_a_position_are_compared_in_order() -> None:
    was, names = WAS.select("heat", "label"), [f"f{number}" for number in range(7)]
    assert tell_differences(was, was[:2]) == "it has 2 rows, and had 3"
    wide = pl.DataFrame({name: [1, 2] for name in names})
    assert tell_differences(wide, wide + 1).endswith("f4 in 2 rows, 2 more columns")


def test_other_columns_are_named() -> None:
    now = WAS.drop("heat").with_columns(cold=1, label=pl.col("label").cast(pl.Int64))
    assert tell_differences(WAS, now) == (
        "it lacks the columns heat; it has the new columns cold; it has other types in label"
    )
    assert tell_differences(WAS, WAS.select(reversed(WAS.columns))) == "its columns have another order"
