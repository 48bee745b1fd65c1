"""The pages of the reference say what the code says."""

import pytest

from serving.problems import PROBLEMS
from shared_features.kernel.aggregations import Aggregation
from tests.docs.reference.all_pages import FOLDER, PAGES, reference_pages

WRITTEN = reference_pages()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_page_is_written_from_the_code(name: str) -> None:
    found = (FOLDER / name).read_text(encoding="utf-8") if (FOLDER / name).exists() else ""
    assert found == WRITTEN[name], "run: ./run exec python -m tests.docs.reference"


def test_there_is_no_page_that_nothing_writes() -> None:
    assert {path.name for path in FOLDER.iterdir()} == WRITTEN.keys() == PAGES.keys() | {"index.md"}


def test_no_aggregation_and_no_problem_is_missing() -> None:
    for kind in Aggregation.__subclasses__():
        assert not kind.__module__.startswith("shared_features.") or f"`{kind.__name__}`" in WRITTEN["aggregations.md"]
    for problem in PROBLEMS.values():
        assert f"`{problem.name}`" in WRITTEN["endpoint.md"]


def test_empty_values_are_those_of_the_kernel() -> None:
    table = WRITTEN["aggregations.md"].partition("## Registers")[0]
    rows = {row.split(" | ")[0]: row.split(" | ")[5] for row in table.splitlines() if row.startswith("| `")}
    assert rows["| `Count`"] == rows["| `Sum`"] == rows["| `ApproxDistinct`"] == "0"
    assert rows["| `Mean`"] == rows["| `TimeSinceLast`"] == "NaN"
