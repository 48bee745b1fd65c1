"""The Kafka simulator as a server of our own; `simulated_kafka.py` is the program, and says what it can do."""

from __future__ import annotations

import json
import select
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.processes.background_process import BackgroundProcess
from deploy.embedded.processes.embedded_server import EmbeddedServer

_ROOT = Path(__file__).parents[3]
_ANSWER_WITHIN_S = 10.0
_HONOURED = {("message.timestamp.type", "CreateTime")}


class KafkaSimulator(EmbeddedServer):
    """The simulator in a child process; a `Broker`. All it holds is in its memory: `stop` loses it.

    `directory` receives its log (default: a temporary one, removed at the end). `begin_at`: topic -> the offset at
    which the log of each partition begins; 0 where nothing is said. `port`: where clients find it, at every start.
    """

    called = "the Kafka simulator"

    def __init__(
        self,
        topics: Mapping[str, int] | None = None,
        *,
        directory: Path | None = None,
        brokers: int = 1,
        begin_at: Mapping[str, Sequence[int]] | None = None,
        port: int | None = None,
    ) -> None:
        super().__init__(directory)
        self._topics = dict(topics or {})
        self._begin_at = dict(begin_at or {})
        self._port = port
        self._brokers = brokers
        self._bootstrap_servers: str | None = None
        self._lock = threading.Lock()

    @property
    def bootstrap_servers(self) -> str:
        """For any Kafka client."""
        if self._bootstrap_servers is None:
            raise EmbeddedError("the Kafka simulator was not started; use it in a `with` statement")
        return self._bootstrap_servers

    def start(self) -> None:
        """Start it, empty but for its topics, on new ports; it answers when this returns."""
        begins = {name: f":{','.join(map(str, offsets))}" for name, offsets in self._begin_at.items()}
        topics = [
            part
            for name, count in self._topics.items()
            for part in ("--topic", f"{name}:{count}{begins.get(name, '')}")
        ]
        command = [
            sys.executable,
            "-m",
            "deploy.embedded.kafka.simulated_kafka",
            f"--brokers={self._brokers}",
            *([] if self._port is None else [f"--port={self._port}"]),
            *topics,
        ]
        log = self._own_directory("millrace-kafka-simulator-") / "kafka-simulator.log"
        self._child = BackgroundProcess(command, log=log, cwd=_ROOT, talks=True)
        try:
            self._bootstrap_servers = str(self._answer()["bootstrap_servers"])
        except BaseException:
            self._child.kill()
            raise

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic. The simulator keeps the producers' times and knows no other configuration."""
        unknown = {key: value for key, value in (config or {}).items() if (key, value) not in _HONOURED}
        if unknown:
            raise EmbeddedError(f"the Kafka simulator cannot do {unknown} (topic {name}); use Apache Kafka for that")
        self._tell("create_topic", name, partitions)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Forget the records below an offset, as retention does."""
        self._tell("delete_records", topic, partition, before)

    def broker_down(self, broker: int = 1) -> None:
        """Close a broker's connections and refuse new ones; its records stay."""
        self._tell("broker_down", broker)

    def broker_up(self, broker: int = 1) -> None:
        """Let a broker answer again."""
        self._tell("broker_up", broker)

    def _tell(self, do: str, *arguments: object) -> None:
        with self._lock:
            child = self._running()
            child.stdin.write(json.dumps({"do": do, "arguments": arguments}).encode() + b"\n")
            child.stdin.flush()
            error = self._answer()["error"]
        if error is not None:
            raise EmbeddedError(f"the Kafka simulator refused: {error}")

    def _answer(self) -> dict[str, object]:
        child = self._running()
        ready, _, _ = select.select([child.stdout], [], [], _ANSWER_WITHIN_S)
        line = child.stdout.readline() if ready else b""
        if not line:
            raise EmbeddedError(f"the Kafka simulator gave no answer: {child.last_words()}")
        answer: dict[str, object] = json.loads(line)
        return answer
