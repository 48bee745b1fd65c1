"""A package below its floor fails, and the files with the most lines that did not run are named."""

from typing import Any

from tests.architecture.source_tree import PACKAGES, ROOT
from tests.covered_lines.floors import read_floors, verdicts


def report(**of_files: tuple[int, int]) -> dict[str, Any]:
    """File, with its slashes as double underscores -> lines that ran, and that did not."""
    return {
        "files": {
            f"{name.replace('__', '/')}.py": {
                "summary": {"covered_lines": ran, "num_statements": ran + not_run, "missing_lines": not_run}
            }
            for name, (ran, not_run) in of_files.items()
        }
    }


def test_every_package_has_a_floor_above_a_half() -> None:
    floors = read_floors(ROOT)
    assert set(floors) == set(PACKAGES)
    assert all(50 < floor < 100 for floor in floors.values())


def test_a_package_holds_its_floor_by_all_its_lines_and_not_by_the_mean_of_its_files() -> None:
    found = report(serving__app=(89, 0), serving__routes=(1, 10))
    assert list(verdicts(found, {"serving": 90})) == [(True, "serving: 90.0 % of 100 lines ran, the floor is 90 %")]


def test_a_package_below_its_floor_fails_and_says_where() -> None:
    found = report(serving__app=(89, 1), serving__routes=(0, 10), training__settings=(100, 0))
    (holds, said), (other_holds, _) = verdicts(found, {"serving": 90, "training": 100})
    assert (holds, other_holds) == (False, True)
    assert said.startswith("serving: 89.0 % of 100 lines ran, the floor is 90 %: 1.0 too few. ")
    assert said.endswith("serving/routes.py (10), serving/app.py (1)")


def test_a_package_that_was_not_measured_fails() -> None:
    assert [holds for holds, _ in verdicts(report(serving__app=(1, 0)), {"training": 0})] == [False]
