"""What a commit of the lake costs as the lake grows old: the archive's own commits, reads and maintenance.

The clock runs ten seconds ahead with every commit, for every library of the process. So 10,000 commits are 28 hours, in
which files and commits expire as they do in production. `python -m tests.bench.aged FOLDER COMMITS` is the process that
does it, and writes a line of JSON per stretch into the folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from shared_features.event_sources import CARD_TRANSACTIONS
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import events_table
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.kafka.records.polled import Polled
from streaming.lake.compaction import tend
from streaming.lake.events_reader import EventsReader
from tests.bench.figures import Figure
from tests.bench.shifted_clock import ShiftedClock, environment
from tests.bench.stream_job import ROOT

COMMITS = 10_000
_STRETCH = 500
_STRETCHES = "stretches.jsonl"
_TOPIC, _ID, _PARTITIONS = CARD_TRANSACTIONS.topic, "aged", 2
_EVERY_S, _EVENTS = 10, 500
_READ_EVERY, _TEND_EVERY = 3, 60
"""A pass of materialize reads every half minute, maintenance comes every ten minutes."""
_WITHIN_S = 7200


@dataclass
class Stretch:
    """Some commits one after the other. Processor milliseconds of each kind of work, and the commits' time."""

    commits: int = 0
    commit_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)
    tend_ms: list[float] = field(default_factory=list)
    log_entries: int = 0
    live_files: int = 0
    files_on_disk: int = 0

    def __str__(self) -> str:
        used = f"a commit {np.mean(self.commit_ms):.1f} ms, a read {np.mean(self.read_ms):.1f} ms"
        maintained = f"a maintenance {np.mean(self.tend_ms):.0f} ms of processor time"
        median = f"median latency of a commit {np.median(self.waited_ms):.0f} ms"
        files = f"{self.log_entries} entries of the log, {self.live_files} files, {self.files_on_disk} on the disk"
        return f"{self.commits:,} commits: {used}, {maintained}; {median}; {files}"


def measure(file: Path | None, commits: int = COMMITS) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        command = [sys.executable, "-m", "tests.bench.aged", folder, str(commits)]
        given = {**os.environ, **environment(Path(folder))}
        subprocess.run(command, cwd=ROOT, env=given, stdout=sys.stderr, check=True, timeout=_WITHIN_S)
        told = (Path(folder) / _STRETCHES).read_text()
    stretches = [Stretch(**json.loads(line)) for line in told.splitlines()]
    first, last = stretches[0], stretches[-1]
    when = f"after {last.commits:,} commits"
    figures = [
        Figure(f"{name}, processor time {when}", float(np.mean(new)), unit, float(np.mean(old)), "at first")
        for name, unit, new, old in (
            ("a commit", "ms", last.commit_ms, first.commit_ms),
            ("a read of the newest events", "ms", last.read_ms, first.read_ms),
            ("a maintenance", "ms", last.tend_ms, first.tend_ms),
        )
    ]
    median = float(np.median(last.waited_ms))
    at_first = float(np.median(first.waited_ms))
    figures.append(Figure(f"a commit, median latency {when}", median, "ms", at_first, "at first"))
    for name, count in (
        ("entries of the log", max(each.log_entries for each in stretches)),
        ("files of the table", max(each.live_files for each in stretches)),
        ("files on the disk", max(each.files_on_disk for each in stretches)),
    ):
        figures.append(Figure(f"{name}, at most", count, "files"))
    return figures


class AgedLake:
    """An events table to which 500 events come in every ten seconds of its clock."""

    def __init__(self, lake: Path, clock: ShiftedClock) -> None:
        self._lake, self._clock = lake, clock
        self._table = lake / events_table(CARD_TRANSACTIONS)
        self._archive = StoredEvents(lake, CARD_TRANSACTIONS, {(_TOPIC, _ID): _PARTITIONS})
        self._reader = EventsReader(lake, CARD_TRANSACTIONS)
        self._read_us = self._offset = 0
        self._commit = 0
        self._dated: set[Path] = set()

    def stretch(self, commits: int) -> Stretch:
        found = Stretch()
        for _ in range(commits):
            self._clock.forward(_EVERY_S)
            batches = [Marked(self._polled(number)) for number in range(_PARTITIONS)]
            self._offset += _EVENTS // _PARTITIONS
            began_s = time.perf_counter()
            found.commit_ms.append(_used_ms(partial(self._archive.take, batches)))
            found.waited_ms.append(1000 * (time.perf_counter() - began_s))
            self._date_log()
            self._commit += 1
            if self._commit % _READ_EVERY == 0:
                found.read_ms.append(_used_ms(self._read))
            if self._commit % _TEND_EVERY == 0:
                found.tend_ms.append(_used_ms(partial(tend, self._lake)))
                self._date_log()
        found.commits = self._commit
        found.log_entries = sum(1 for _ in (self._table / "_delta_log").iterdir())
        found.live_files = len(self._archive.handle.refresh().file_uris())
        found.files_on_disk = sum(1 for _ in self._table.glob("arrival_date=*/*.parquet"))
        return found

    def _polled(self, partition: int) -> Polled:
        count = _EVENTS // _PARTITIONS
        offsets = np.arange(self._offset, self._offset + count)
        now_us = time.time_ns() // 1000
        times_us = now_us - _EVERY_S * 1_000_000 + np.arange(count) * (_EVERY_S * 1_000_000 // count)
        ids = offsets * _PARTITIONS + partition
        columns = {
            "transaction_id": ids,
            "event_time": times_us - ids % 5_000_000,
            "customer_id": ids * 7919 % 5_000,
            "terminal_id": ids * 104_729 % 10_000,
            "amount": ids * 15_485_863 % 20_000,
        }
        events = EventBatch(CARD_TRANSACTIONS, columns, {}, times_us)
        after, to = int(offsets[0]) - 1, int(offsets[-1])
        return Polled(
            _TOPIC, _ID, partition, CARD_TRANSACTIONS, after, to, events, offsets, record_time_us=int(times_us[-1])
        )

    def _read(self) -> None:
        watermark_us = self._reader.refresh()
        self._reader.between(self._read_us, watermark_us)
        self._read_us = watermark_us

    def _date_log(self) -> None:
        """Files are dated by the kernel's clock, which is behind: give the new ones of the log the time of this one."""
        now_s, log = time.time(), self._table / "_delta_log"
        files = set(log.iterdir())
        for new in files - self._dated:
            os.utime(new, (now_s, now_s))
        self._dated = files


def _used_ms(work: Callable[[], object]) -> float:
    before_s = time.process_time()
    work()
    return 1000 * (time.process_time() - before_s)


def main() -> None:
    folder, commits = Path(sys.argv[1]), int(sys.argv[2])
    lake = AgedLake(folder / "lake", ShiftedClock.own())
    with (folder / _STRETCHES).open("w") as told:
        while commits > 0:
            stretch = lake.stretch(min(commits, _STRETCH))
            commits -= _STRETCH
            print(json.dumps(asdict(stretch)), file=told, flush=True)
            print(f"bench: aged, {stretch}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
