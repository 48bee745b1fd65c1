"""A stream job being measured: the program as users run it, how far it is, and what it has used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.redis_server import RedisServer
from shared_features.kernel.event_time import to_datetime
from tests.bench.filled_kafka import FilledKafka
from tests.bench.processor_time import dataflow_processes, processor_seconds

ROOT = Path(__file__).parents[2]
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Sample:
    """At one moment: the share of the work that is durable, 0 to 1, and the processor seconds used, by process."""

    at_s: float
    done: float
    used_s: Mapping[str, float]


class StreamJob:
    """`python -m streaming run`, or one of its dataflows, with a lake and a Redis namespace of its own."""

    def __init__(self, folder: Path, kafka: FilledKafka, redis: RedisServer, only: str | None = None) -> None:
        self._only = only
        self._others = {"redis": redis.pid, "kafka": kafka.process_id}
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"{only or 'all'}.log"
        self.settings = {
            "kafka_bootstrap_servers": kafka.bootstrap_servers,
            "redis_url": redis.url,
            "redis_namespace": folder.name,
            "lake": str(folder / "lake"),
            "topic_mode": "import",
            "import_until": (to_datetime(kafka.newest_us) + timedelta(days=1)).isoformat(),
        }
        self._child: BackgroundProcess | None = None

    def __enter__(self) -> Self:
        own = {f"MILLRACE_{name.upper()}": value for name, value in self.settings.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
        environment = {**inherited, **own}
        if self._only == "online":  # it waits for shards that somebody has built
            subprocess.run([sys.executable, "-m", "streaming", "bootstrap"], cwd=ROOT, env=environment, check=True)
        command = [sys.executable, "-m", "streaming", "run", *(("--only", self._only) if self._only else ())]
        self._child = BackgroundProcess(command, log=self._log, cwd=ROOT, environment=environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.stop(grace_s=40)

    def follow(self, progress: Callable[[], float], within_s: float) -> list[Sample]:
        """A sample whenever `progress` (0 to 1) has grown, up to 1. Raises RuntimeError when it ends or hangs."""
        samples: list[Sample] = []
        deadline = time.monotonic() + within_s
        while not samples or samples[-1].done < 1:
            time.sleep(_LOOK_EVERY_S)
            if self._child is None or not self._child.running or time.monotonic() > deadline:
                words = "it was not started" if self._child is None else self._child.last_words(20)
                reached = samples[-1].done if samples else 0
                raise RuntimeError(f"the stream job ended or hangs at {reached:.1%} of the events: {words}")
            done = progress()
            if done > (samples[-1].done if samples else 0):
                samples.append(Sample(time.monotonic(), done, self._used()))
        return samples

    def _used(self) -> dict[str, float]:
        if self._child is None:
            return {}
        processes = {self._only: self._child.pid} if self._only else dataflow_processes(self._child.pid)
        return {name: processor_seconds(process) for name, process in {**processes, **self._others}.items()}


@dataclass(frozen=True)
class Pace:
    """Between two samples: events per second, and processor microseconds per event by process."""

    rate: float
    used_us: Mapping[str, float]


def steady_pace(samples: list[Sample], events: int, first: float = 0.1, last: float = 0.95) -> Pace:
    """From the first sample at or beyond `first` of the work to the last one up to `last`; where steps are so
    coarse that there is none, to the end.
    """
    begin = next((each for each in samples if each.done >= first), samples[-1])
    end = next((each for each in reversed(samples) if begin.done < each.done <= last), samples[-1])
    if end is begin:
        raise RuntimeError(f"all of it came in one step: {json.dumps([each.done for each in samples])}")
    share = (end.done - begin.done) * events
    used = {name: (end.used_s[name] - begin.used_s.get(name, 0)) * 1e6 / share for name in end.used_s}
    return Pace(share / (end.at_s - begin.at_s), used)
