"""A killed erasure finds the counts that it had raised, and nobody else's."""

from pathlib import Path

from streaming.operations.erasure.erasure_counts import ErasureCounts
from tests.streaming.small_domain import PAYER, SHOP_USE

COUNTS = ErasureCounts({"payments": (1, 2), "outcomes": (5, 5)})
NOW = {"payments": 2, "outcomes": 5}


def test_a_group_has_the_sum_over_the_tables_that_it_reads() -> None:
    assert COUNTS.of(PAYER) == (1, 2)
    sums = tuple(sum(COUNTS.counts[source.name][at] for source in SHOP_USE.sources) for at in (0, 1))
    assert COUNTS.of(SHOP_USE) == sums


def test_the_counts_of_the_same_subjects_are_found_again_in_any_order(tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    COUNTS.keep(file, ["b", "a"])
    assert ErasureCounts.kept(file, ["a", "b"], NOW) == COUNTS
    assert [each.name for each in tmp_path.iterdir()] == ["counts.json"]


def test_other_subjects_and_counts_that_were_raised_since_are_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "counts.json"
    assert ErasureCounts.kept(file, ["a"], NOW) is None
    COUNTS.keep(file, ["a"])
    assert ErasureCounts.kept(file, ["a", "b"], NOW) is None
    assert ErasureCounts.kept(file, ["a"], {**NOW, "payments": 3}) is None
