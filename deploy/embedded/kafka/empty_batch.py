"""A produce request that moves a partition's end without a record: the simulator's logs then begin where one wants.

The simulator believes the number of records in the head of a batch that says it is compressed. (Read in librdkafka
2.16.0, `rd_kafka_mock_partition_log_append`.) So one empty batch moves the end by any number up to 2^31 - 1.
"""

from __future__ import annotations

import socket
import struct

from deploy.embedded.errors import EmbeddedError

MOST_RECORDS = 2**31 - 1
_PRODUCE, _VERSION, _CORRELATION, _ZSTD = 0, 7, 1, 4
_ANSWER_WITHIN_S = 10.0


def append_without_records(address: tuple[str, int], topic: str, partition: int, records: int) -> None:
    """Move the end of the partition's log by so many offsets. Raises EmbeddedError if the broker refuses."""
    batch = _batch(records)
    head = struct.pack(">hhi", _PRODUCE, _VERSION, _CORRELATION) + _text("millrace")
    body = struct.pack(">hhi", -1, -1, int(_ANSWER_WITHIN_S * 1000))  # no transaction; every replica; time to answer
    body += struct.pack(">i", 1) + _text(topic) + struct.pack(">iii", 1, partition, len(batch)) + batch
    with socket.create_connection(address, timeout=_ANSWER_WITHIN_S) as broker:
        broker.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        answer = _exactly(broker, struct.unpack(">i", _exactly(broker, 4))[0])
    # correlation id, one topic with its name, one partition with its number, then the error
    (error,) = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(topic.encode()) + 4 + 4)
    if error:
        raise EmbeddedError(
            f"moving the end of {topic}[{partition}] by {records}: the simulator answered error {error}"
        )


def _batch(records: int) -> bytes:
    """A record batch of format 2: attributes, last offset's delta, two times, producer id, epoch, sequence, count."""
    body = struct.pack(">hiqqqhii", _ZSTD, records - 1, 0, 0, -1, -1, -1, records)
    rest = struct.pack(">ibI", 0, 2, 0) + body  # leader epoch, format, checksum (nobody ever reads this batch)
    return struct.pack(">qi", 0, len(rest)) + rest


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded


def _exactly(broker: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = broker.recv(count - len(found))
        if not part:
            raise EmbeddedError("the simulator closed the connection on a produce request")
        found += part
    return found
