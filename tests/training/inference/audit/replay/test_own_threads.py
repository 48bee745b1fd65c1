"""Pieces of work are done at the same time, and what one of them raises is raised."""

from __future__ import annotations

import threading

import pytest

from training.inference.audit.replay.own_threads import on_own_threads


def test_pieces_are_done_at_the_same_time_and_found_in_their_order() -> None:
    both = threading.Barrier(2, timeout=60)

    def work(piece: str) -> str:
        both.wait()
        return piece.upper()

    assert on_own_threads(work, ["a", "b"]) == ["A", "B"]


def test_what_a_piece_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        on_own_threads(lambda piece: 1 // piece, [1, 0])
    assert on_own_threads(str, []) == []
