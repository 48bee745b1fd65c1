"""Each living scheduler has a place of its own, and a place that is left is taken again."""

from __future__ import annotations

import pytest

from training.errors import StepError
from training.scheduler.places import executor_id, taken_place


def test_the_lowest_free_place_is_taken_and_given_back(tmp_path) -> None:
    with taken_place(tmp_path / "runs") as first:
        with taken_place(tmp_path / "runs") as second:
            assert (first, second) == (0, 1)
        with taken_place(tmp_path / "runs") as again:
            assert again == 1
        assert executor_id(first) != executor_id(second)
    with taken_place(tmp_path / "runs") as first:
        assert first == 0


def test_a_directory_that_cannot_be_used_is_named(tmp_path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StepError, match=r"cannot use .*runs.*MILLRACE_TRAINING_RUNS"), taken_place(tmp_path / "runs"):
        pass
