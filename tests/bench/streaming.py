"""The three dataflows on a filled Apache Kafka, each alone and all together, beside a bare consume-and-decode loop.

A rate counts the events of both topics from the first durable step behind a tenth of them to the last before 95 %.
All three together: from the first durable step of any to the last of all, so that the pace of the slowest counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.embedded.redis_server import RedisServer
from streaming.settings import StreamingSettings
from tests.bench.bare_loop import BareLoop, bare_loop
from tests.bench.durable_progress import (
    ArchiveProgress,
    MaterializeProgress,
    OnlineProgress,
    Progress,
    all_three,
)
from tests.bench.figures import Figure
from tests.bench.filled_kafka import FilledKafka, filled_kafka
from tests.bench.stream_job import ROOT, Pace, StreamJob, steady_pace
from tests.bench.transactions import measured_transactions

_WITHIN_S = 400.0
_PARTS: dict[str, Callable[..., Progress]] = {
    "online": OnlineProgress,
    "archive": ArchiveProgress,
    "materialize": MaterializeProgress,  # after archive: it reads what that one wrote
}


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    subprocess.run(
        [sys.executable, "-m", "deploy.local.compile_kernel"], cwd=ROOT, check=True
    )  # compiling is no figure
    bare: list[BareLoop] = []
    paces: dict[str, Pace] = {}
    proper = not RedisServer.missing(proper=True)
    with (
        tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder,
        filled_kafka(rows) as kafka,
        RedisServer(proper=proper) as redis,
    ):
        for name in (*_PARTS, None):
            bare.append(bare_loop(kafka.bootstrap_servers))
            print(f"bench: streaming, {name or 'all three'} ...", file=sys.stderr, flush=True)
            paces[name or "all three"] = _pace(Path(folder) / ("all" if name is None else "single"), kafka, redis, name)
    baseline = statistics.median(each.rate for each in bare)
    used_us = statistics.median(each.processor_seconds / each.events for each in bare) * 1e6
    figures = [
        Figure("bare loop, consume and decode", baseline, "events/s"),
        Figure("bare loop, processor time", used_us, "us/event"),
    ]
    for name, pace in paces.items():
        figures.append(Figure(f"{name}, until durable", pace.rate, "events/s", baseline, "bare loop"))
        for process, own_us in pace.used_us.items():
            if own_us > 0.05:
                figures.append(Figure(f"{name}, processor time of {process}", own_us, "us/event", used_us, "bare loop"))
    return figures


def _pace(folder: Path, kafka: FilledKafka, redis: RedisServer, only: str | None) -> Pace:
    with StreamJob(folder, kafka, redis, only) as job:
        settings = StreamingSettings(**job.settings)  # type: ignore[arg-type]  # pydantic reads them
        progress = (_PARTS[only] if only else all_three)(settings, kafka.records)
        samples = job.follow(progress, _WITHIN_S)
    # Together: from the very first step to the very last, when everything is durable everywhere.
    return steady_pace(samples, kafka.total) if only else steady_pace(samples, kafka.total, first=0.0, last=1.0)
