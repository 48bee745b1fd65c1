"""A broker simulator and a lake that the archive's own parts fill: what an operator's command finds."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features.definitions import Catalogue, load_definitions
from streaming.__main__ import main
from streaming.archive.archived_sources import archived
from streaming.archive.dataflow import archive_tables, held_positions, route
from streaming.archive.marks import Marks
from streaming.job.clock import system_clock_us
from streaming.kafka.brokers.topics import Topics
from streaming.kafka.source import KafkaSource
from streaming.operations.status.positions import DurablePositions
from streaming.settings import StreamingSettings, load_settings
from tests.streaming.processes import ROOT

START_US = 1_767_225_600_000_000
"""2026-01-01, midnight UTC."""
DAY_US = 86_400_000_000
DEFINITIONS = "tests.streaming.small_domain"


@dataclass
class StoredWorld:
    """Records go to the simulator by `send`, and to the lake by `archive`."""

    simulator: KafkaSimulator
    settings: StreamingSettings

    @property
    def lake(self) -> Path:
        return self.settings.lake

    @property
    def catalogue(self) -> Catalogue:
        return load_definitions(self.settings.definitions)

    def send(
        self, topic: str, values: Sequence[tuple[int, bytes | None]], partition: int = 0, key: bytes = b"k"
    ) -> None:
        """Values with their stamps, microseconds."""
        producer = Producer({"bootstrap.servers": self.simulator.bootstrap_servers, "linger.ms": 0})
        for stamp_us, value in values:
            producer.produce(topic, value, key, partition=partition, timestamp=stamp_us // 1000)
            producer.poll(0)
        assert producer.flush(60) == 0

    def archive(self) -> None:
        """Store all that the log holds, as the archive's dataflow does."""
        catalogue = archived(self.settings)
        described = Topics(self.settings).describe(source.topic for source in catalogue.sources)
        topics = {(topic.name, topic.id): len(topic.partitions) for topic in described.values()}
        tables = archive_tables(self.lake, catalogue, topics)
        stored = {name: open_table() for name, open_table in tables.items()}
        marks = Marks(self.settings.topic_mode, 0, system_clock_us)
        share = KafkaSource(self.settings, catalogue.sources, partial(held_positions, tables)).build("", 0, 1)
        ends = self.ends()
        try:
            deadline = time.monotonic() + 240
            while any(held_positions(tables).get(place, -1) < end - 1 for place, end in ends.items()):
                assert time.monotonic() < deadline, f"{held_positions(tables)} of {ends}"
                for polled in share.next_batch():
                    for name, marked in route(marks, polled):
                        stored[name].take([marked])
        finally:
            share.close()

    def archive_is_at_the_end(self) -> None:
        """Wait for an archive that runs."""
        ends, look = self.ends(), DurablePositions(self.settings)
        deadline = time.monotonic() + 300
        while any(look()["archive"].get(place, -1) < end - 1 for place, end in ends.items()):
            assert time.monotonic() < deadline, f"{look()} of {ends}"
            time.sleep(0.2)

    def ends(self) -> dict[tuple[str, int], int]:
        """Where the log of each partition ends."""
        described = Topics(self.settings).describe(source.topic for source in archived(self.settings).sources)
        places = [(topic.name, number) for topic in described.values() for number in topic.partitions]
        return {place: bounds.high for place, bounds in Topics(self.settings).bounds(places).items()}

    def records(self, topic: str, partition: int = 0) -> list[Any]:
        """All committed messages of a partition."""
        return read_records(self.simulator.bootstrap_servers, topic, partition, self.ends()[topic, partition])

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command of `python -m streaming`, in this process; what it printed and logged."""
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            for name, value in self.environment().items():
                patch.setenv(name, value)
            found = main(arguments)
        structlog.reset_defaults()
        assert found == code, f"exit code {found}\n{said.getvalue()}"
        return said.getvalue()

    def started(self, *arguments: str, script: str | None = None) -> subprocess.Popen[str]:
        """The process; `script` runs in front of the command line's main."""
        whole = "import sys; from streaming.__main__ import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", f"{script}\n{whole}" if script else whole, *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def environment(self) -> Mapping[str, str]:
        plain = self.settings.model_dump(mode="json", exclude_defaults=True)
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in plain.items()}
        prefixed = {f"MILLRACE_{name.upper()}": text for name, text in texts.items()}
        return {**os.environ, **prefixed, "MILLRACE_LOG_FORMAT": "json", "MILLRACE_LOG_LEVEL": "warning"}


def stored_settings(bootstrap_servers: str, redis_url: str, folder: Path) -> StreamingSettings:
    """A lake in the folder, and a namespace that is called like it."""
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        redis_url=redis_url,
        redis_namespace=folder.name,
        definitions=DEFINITIONS,
        lake=folder / "lake",
        registry=folder / "registry",
        without_registry=True,
        topic_mode="embedded",
        allowed_lateness=timedelta(seconds=10),
        idle_mark=timedelta(seconds=0.1),
    )


def read_records(bootstrap_servers: str, topic: str, partition: int, end: int) -> list[Any]:
    """The committed messages of a partition below an offset."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "tests",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
        }
    )
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    found: list[Any] = []
    try:
        while True:
            message = consumer.poll(60)
            assert message is not None, f"{topic}:{partition} does not answer"
            if (message.offset() or 0) >= end:
                return found
            if message.error() is None:
                found.append(message)
    finally:
        consumer.close()


def payment(number: int, at_us: int, payer: int = 1, **others: Any) -> bytes:
    """A good event of the small domain."""
    plain = {"id": number, "event_time": at_us, "payer": payer, "shop": f"s{payer % 3}", "amount": 1.5, **others}
    return json.dumps(plain).encode()
