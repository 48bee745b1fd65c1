"""librdkafka's broker simulator as a process of its own: `python -m deploy.embedded.kafka.simulated_kafka`.

    python -m deploy.embedded.kafka.simulated_kafka --topic transactions:4 --topic labels:4

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

import argparse
import json
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.kafka.front_door import FrontDoor
from deploy.embedded.kafka.mock_cluster import MockCluster
from deploy.embedded.ports import LOOPBACK

_COMMANDS = ("create_topic", "delete_records", "broker_down", "broker_up")
_TOPIC = re.compile(r"(?P<name>[^:]+):(?P<partitions>\d+)(:(?P<offsets>\d+(,\d+)*))?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.kafka.simulated_kafka", description=__doc__)
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
