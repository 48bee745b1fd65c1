"""Two brokers of Apache Kafka: leaders that move between them, one that is frozen and fenced, one that is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import ElectionType
from confluent_kafka.admin import AdminClient

from deploy.embedded.kafka.apache_kafka import ApacheKafka

HEAP = "256m"
QUICK = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""A JVM that starts with half of the work, and never does much."""
_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1


class TwoBrokers:
    """A context manager. The first broker is the controller; every topic has a replica on each.

    `behind`: the ports of the proxies that the two stand behind.
    """

    def __init__(
        self,
        folder: Path,
        *,
        behind: Sequence[int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        before, after = (None, None) if behind is None else behind
        also = {**QUICK, **(environment or {})}
        self.first = ApacheKafka(folder / "1", heap=HEAP, behind=before, environment=also, replicas=2)
        self.second = ApacheKafka(folder / "2", heap=HEAP, behind=after, environment=also, joins=self.first)
        self._open = ExitStack()

    @property
    def bootstrap_servers(self) -> str:
        return f"{self.first.bootstrap_servers},{self.second.bootstrap_servers}"

    def leaders(self, topic: str) -> list[int]:
        """The number of the broker that leads each partition, -1 for none, as a new client learns it."""
        found = self._client().list_topics(topic, timeout=_WITHIN_S).topics[topic].partitions
        return [found[number].leader for number in sorted(found)]

    def wait_for_leaders(self, topic: str, wanted: Callable[[list[int]], bool]) -> None:
        """Until the partitions of a topic have such leaders."""
        deadline = time.monotonic() + _WITHIN_S
        while not wanted(found := self.leaders(topic)):
            assert time.monotonic() < deadline, f"the leaders of {topic} are {found}"
            time.sleep(_LOOK_EVERY_S)

    def send_leaders_home(self) -> None:
        """Give each partition to the broker that it was created with, if that one is in step. Errors are harmless."""
        client = self._client()  # kept in a variable: without the client the answer never arrives
        client.elect_leaders(ElectionType.PREFERRED).result(_WITHIN_S)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            opened.enter_context(self.first)
            opened.enter_context(self.second)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 2})
