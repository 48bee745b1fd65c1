"""librdkafka's broker simulator as a process of its own: `python -m deploy.embedded.kafka_simulator`.

    python -m deploy.embedded.kafka_simulator --topic transactions:4 --topic labels:4

(NAME:PARTITIONS, or NAME:PARTITIONS:OFFSET,OFFSET... where its logs shall not begin at 0)
prints {"bootstrap_servers": "..."} on one line, then reads one JSON command per line from its stdin
({"do": "broker_down"}; the methods of `MockCluster` by name) and answers each with {"error": null | text}.
It ends on SIGTERM, SIGINT or when its stdin is closed.

What it is and is not (librdkafka 2.16.0, measured on 2 cores and read in `rdkafka_mock*.c`):

- **Retention** is 5 MiB of message sets *as sent, so compressed,* and 100,000 sets, per partition; fixed in
  the source, no setting reaches it. The oldest whole set goes when a new one would not fit. Of events of 130
  bytes a partition keeps 31,000-36,000 uncompressed, 105,000 with lz4, 185,000 with zstd. A set that does not
  fit beside the previous set is itself lost: never raise `batch.size` or `message.max.bytes` above their
  1 MB. So a producer that stays within 3 MB per partition ahead of the smallest durable position loses nothing.
- **An offset that fell out** (or lies beyond the end) answers OFFSET_OUT_OF_RANGE. With
  `auto.offset.reset=error` the consumer gets one `_AUTO_OFFSET_RESET` (-140) at that offset and then nothing
  until it seeks; with `earliest` it continues at the log's start with no error. `delete_records` makes such a gap.
- **Times**: always CreateTime (type 1), exactly the producer's stamp, past or future; without one the
  producer's clock at `produce`. There is no LogAppendTime and no check of a stamp.
- **Kept**: keys, headers, tombstones, leader epochs, committed offsets. A restart is empty, on another port. Its logs
  may begin at offsets of one's choice (`begin_at`), so that offsets that a sink has stored do not return.
- **Works**: idempotent producers, get_watermark_offsets and list_offsets (earliest, latest), list_topics,
  describe_topics with a topic id (random per topic and start). Offsets by time: always -1. Refused at once by
  AdminClient: create_topics (so there is `create_topic` here), describe_configs, delete_records. A topic that a client
  asks for and nobody created appears, with 4 partitions.
- **A fetch** returns one set per partition, and an empty one waits its whole `fetch.wait.max.ms` whatever
  arrives meanwhile: latency is 501 ms at the default 500, 10.4 ms at 10. Sets are found by walking the log, so
  many small ones read slowly: `linger.ms` of 5 or more with much traffic.
- **Rates**: takes 530-690 thousand events/s from one Python producer, gives 1.0-1.15 million/s (zstd, 4
  partitions), for 0.1-0.2 us of CPU each; 22 MB resident when empty, up in 0.1 s.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from deploy.embedded.background_process import BackgroundProcess
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.front_door import FrontDoor
from deploy.embedded.mock_cluster import MockCluster
from deploy.embedded.ports import LOOPBACK

_ROOT = Path(__file__).parents[2]
_ANSWER_WITHIN_S = 10.0
_COMMANDS = ("create_topic", "delete_records", "broker_down", "broker_up", "round_trip", "fail_requests")


class KafkaSimulator:
    """The simulator in a child process; a `Broker`. All it holds is in its memory: `stop` loses it.

    `directory` receives its log (default: a temporary one, removed at the end). `begin_at`: topic -> the offset at
    which the log of each partition begins; 0 where nothing is said. `port`: where clients find it, at every start.
    """

    def __init__(
        self,
        topics: Mapping[str, int] | None = None,
        *,
        directory: Path | None = None,
        brokers: int = 1,
        begin_at: Mapping[str, Sequence[int]] | None = None,
        port: int | None = None,
    ) -> None:
        self._topics = dict(topics or {})
        self._begin_at = dict(begin_at or {})
        self._port = port
        self._directory = directory
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._brokers = brokers
        self._child: BackgroundProcess | None = None
        self._bootstrap_servers: str | None = None
        self._lock = threading.Lock()

    @property
    def bootstrap_servers(self) -> str:
        """For any Kafka client."""
        if self._bootstrap_servers is None:
            raise EmbeddedError("the Kafka simulator was not started; use it in a `with` statement")
        return self._bootstrap_servers

    @property
    def pid(self) -> int:
        """The simulator's process id."""
        return self._running().pid

    def start(self) -> None:
        """Start it, empty but for its topics, on new ports; it answers when this returns."""
        if self._directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="millrace-kafka-simulator-")
            self._directory = Path(self._temporary.name)
        self._directory.mkdir(parents=True, exist_ok=True)
        begins = {name: f":{','.join(map(str, offsets))}" for name, offsets in self._begin_at.items()}
        topics = [
            part
            for name, count in self._topics.items()
            for part in ("--topic", f"{name}:{count}{begins.get(name, '')}")
        ]
        command = [
            sys.executable,
            "-m",
            "deploy.embedded.kafka_simulator",
            f"--brokers={self._brokers}",
            *([] if self._port is None else [f"--port={self._port}"]),
            *topics,
        ]
        log = self._directory / "kafka-simulator.log"
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

    def round_trip(self, milliseconds: int, broker: int = 1) -> None:
        """Delay every answer of a broker."""
        self._tell("round_trip", milliseconds, broker)

    def fail_requests(self, api_key: int, errors: Sequence[int]) -> None:
        """Answer the next requests of a kind (0 produce, 1 fetch, 3 metadata ...) with these error codes."""
        self._tell("fail_requests", api_key, list(errors))

    def stop(self) -> None:
        """End it in order; what it held is gone."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        self._running().pause()

    def resume(self) -> None:
        """Let it continue after `pause`."""
        self._running().resume()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove_temporary()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._remove_temporary()

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._directory = None

    def _running(self) -> BackgroundProcess:
        if self._child is None or not self._child.running:
            raise EmbeddedError("the Kafka simulator is not running; start() it")
        return self._child

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


_TOPIC = re.compile(r"(?P<name>[^:]+):(?P<partitions>\d+)(:(?P<offsets>\d+(,\d+)*))?")
_HONOURED = {("message.timestamp.type", "CreateTime")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.kafka_simulator", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--topic", action="append", default=[], metavar="NAME:PARTITIONS[:OFFSETS]", help="may be repeated"
    )
    parser.add_argument("--brokers", type=int, default=1, help="how many brokers (default 1)")
    parser.add_argument("--port", type=int, help="where clients may ask first (default: a free port)")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    cluster = MockCluster(options.brokers)
    try:
        for topic in options.topic:
            found = _TOPIC.fullmatch(topic)
            if found is None:
                parser.error(
                    f"--topic {topic}: expected NAME:PARTITIONS, for example transactions:4, or "
                    "NAME:PARTITIONS:OFFSETS, for example transactions:2:17,40"
                )
            cluster.create_topic(found["name"], int(found["partitions"]))
            for partition, offset in enumerate(found["offsets"].split(",") if found["offsets"] else ()):
                cluster.begin_at(found["name"], partition, int(offset))
        _say({"bootstrap_servers": _first_address(cluster, options.port)})
        for line in sys.stdin:
            _say({"error": _obey(cluster, line)})
    finally:
        cluster.close()
    return 0


def _first_address(cluster: MockCluster, port: int | None) -> str:
    if port is None:
        return cluster.bootstrap_servers
    FrontDoor(port, int(cluster.bootstrap_servers.split(",")[0].rpartition(":")[2]))
    return f"{LOOPBACK}:{port}"


def _obey(cluster: MockCluster, line: str) -> str | None:
    try:
        command = json.loads(line)
        if command["do"] not in _COMMANDS:
            return f"unknown command {command['do']}; there are {', '.join(_COMMANDS)}"
        getattr(cluster, command["do"])(*command.get("arguments", ()))
    except (EmbeddedError, ValueError, TypeError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _say(answer: Mapping[str, object]) -> None:
    print(json.dumps(answer), flush=True)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
