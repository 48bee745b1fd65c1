"""The clock is another one for a while and the true one afterwards; what is opened is noted, and code is not."""

from __future__ import annotations

import datetime
import threading
import time
from datetime import UTC
from pathlib import Path

import polars as pl

from training.proofs.leaks.outside import LATER_US, NOON_US, WATCH, clock_at, foreign_files


def test_the_clock_is_another_one_for_a_while() -> None:
    true, kind = time.time, datetime.datetime
    with clock_at(NOON_US):
        assert time.time() == NOON_US / 1e6
        assert time.time_ns() == NOON_US * 1000
        assert datetime.datetime.now(UTC).isoformat() == "2024-10-04T12:00:00+00:00"
        assert datetime.date(2020, 1, 1).year == 2020
        assert isinstance(kind(2020, 1, 1, tzinfo=UTC), datetime.datetime)
    with clock_at(LATER_US):
        assert datetime.datetime.now(UTC).year == 2025
    assert time.time is true
    assert datetime.datetime is kind


def test_what_is_opened_is_noted_and_nothing_afterwards(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("1.5\n")
    with WATCH.on() as opened:
        import this  # noqa: F401  # code is no data

        (tmp_path / "rates.csv").read_text()
        pl.read_csv(tmp_path / "rates.csv", has_header=False)
        pl.scan_csv(str(tmp_path / "rates.csv"))
    assert foreign_files(opened) == [str(tmp_path / "rates.csv")]
    assert foreign_files(opened, (tmp_path,)) == []
    count = len(opened)
    (tmp_path / "rates.csv").read_text()
    assert len(opened) == count


def test_what_a_thread_opens_counts_where_the_function_began_it(tmp_path: Path) -> None:
    """One that ran before does the work of others: it looks at a file of keys, say."""
    (tmp_path / "keys").write_text("a")
    asked, answered = threading.Event(), threading.Event()

    def read_when_asked() -> None:
        asked.wait(60)
        (tmp_path / "keys").read_text()
        answered.set()

    before = threading.Thread(target=read_when_asked)
    before.start()
    with WATCH.on() as opened:
        asked.set()
        assert answered.wait(60)
        assert opened == []
        began = threading.Thread(target=(tmp_path / "keys").read_text)
        began.start()
        began.join(60)
    before.join(60)
    assert foreign_files(opened) == [str(tmp_path / "keys")]
