"""What stands side by side is really done at once, in the right order, and a failure lets the others end."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from training.scheduler.workflow.side_by_side import side_by_side

PATIENCE_S = 120.0
DIAMOND = {"first": (), "left": ("first",), "right": ("first",), "both": ("left", "right")}


class Stop(BaseException):
    pass


def test_two_that_wait_for_each_other_both_end_and_know_the_context() -> None:
    met, done, known = threading.Barrier(2, timeout=PATIENCE_S), list[str](), ContextVar("known", default=0)

    def do(name: str) -> None:
        assert known.get() == 7
        known.set(8)  # stays in the thread
        if name in ("left", "right"):
            met.wait()
        done.append(name)

    known.set(7)
    side_by_side(DIAMOND, do, 2)
    assert (done[0], set(done[1:3]), done[3]) == ("first", {"left", "right"}, "both")


def test_one_at_once_keeps_the_order() -> None:
    done = list[str]()
    side_by_side({"b": (), "a": (), "c": ("a",), "d": ()}, done.append, 1)
    assert done == ["b", "a", "c", "d"]


def test_after_a_failure_what_is_being_done_ends_and_nothing_begins() -> None:
    failed, done = threading.Event(), list[str]()

    def do(name: str) -> None:
        if name == "left":
            failed.set()
            raise ValueError("no memory")
        if name == "right":
            assert failed.wait(PATIENCE_S)
        done.append(name)

    with pytest.raises(ValueError, match="no memory"):
        side_by_side({**DIAMOND, "after right": ("right",)}, do, 2)
    assert done == ["first", "right"]


def test_what_ends_the_workflow_is_raised_before_a_failure() -> None:
    met = threading.Barrier(2, timeout=PATIENCE_S)

    def do(name: str) -> None:
        met.wait()
        raise Stop if name == "b" else ValueError

    with pytest.raises(Stop):
        side_by_side({"a": (), "b": ()}, do, 2)
