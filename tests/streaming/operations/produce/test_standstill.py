"""What `produce` says while the stream job stores nothing: that the kernel is compiled only where somebody does it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from shared_features.compilation.compile_turn import TURN, lock_file
from streaming.operations.produce.standstill import COMPILES_S, NOTHING_MOVES_S, Standstill


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process compiles under this lock."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def held() -> Iterator[TextIO]:
    """The lock as another process holds it that has compiled for 40 s."""
    with lock_file().open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"4711 {time.time() - 40:.0f}\n")
        held.flush()
        yield held


class Waiting:
    """A wait by hand: `at_s` is the clock."""

    def __init__(self) -> None:
        self.at_s, self.said = 100.0, list[str]()
        self.standstill = Standstill(lambda: self.at_s, self.said.append)

    def lasts_until(self, after_s: float) -> list[str]:
        self.at_s = 100.0 + after_s
        self.standstill.lasts()
        return self.said


def test_a_compilation_is_named_with_its_process_and_said_once(held: TextIO) -> None:
    waiting = Waiting()
    assert waiting.lasts_until(COMPILES_S / 2) == [], "a commit may take as long"
    (said,) = waiting.lasts_until(COMPILES_S)
    assert said.startswith("waiting: another process compiles the kernel (pid 4711, 4")
    assert waiting.lasts_until(3 * NOTHING_MOVES_S) == [said], "what is explained is no fault"
    held.close()
    assert waiting.lasts_until(3 * NOTHING_MOVES_S + NOTHING_MOVES_S / 2) == [said]
    assert "has stored nothing for 30 s" in waiting.lasts_until(5 * NOTHING_MOVES_S)[-1]


def test_where_nobody_compiles_nothing_is_said_of_it() -> None:
    """A process that was killed leaves its name in the file of the lock, and does not hold the lock."""
    waiting = Waiting()
    lock_file().write_text("4711 1700000000\n")  # of a process that was killed: nobody holds the lock
    assert waiting.lasts_until(NOTHING_MOVES_S) == []
    (said,) = waiting.lasts_until(NOTHING_MOVES_S + 1)
    assert said.startswith("waiting: the stream job has stored nothing for 30 s")
    assert waiting.lasts_until(10 * NOTHING_MOVES_S) == [said]


def test_what_this_process_compiles_is_not_waited_for() -> None:
    TURN.take(lambda line: None)
    try:
        assert Waiting().lasts_until(COMPILES_S) == []
    finally:
        TURN.give()


def test_what_is_stored_ends_a_standstill() -> None:
    waiting = Waiting()
    waiting.at_s = 100.0 + NOTHING_MOVES_S
    waiting.standstill.ends()
    assert waiting.lasts_until(2 * NOTHING_MOVES_S) == []
