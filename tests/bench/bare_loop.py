"""The yardstick of streaming: consume and decode, nothing else. One thread, in a process of its own.

`python -m tests.bench.bare_loop BOOTSTRAP_SERVERS` prints one line of JSON.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from operator import methodcaller
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS

_AT_ONCE = 10_000


class Transaction(msgspec.Struct, gc=False):
    transaction_id: int
    event_time: int
    customer_id: int
    terminal_id: int
    amount: float


class Label(msgspec.Struct, gc=False):
    transaction_id: int
    event_time: int
    transaction_time: int
    terminal_id: int
    is_fraud: bool


_DECODERS: dict[str, Any] = {
    CARD_TRANSACTIONS.topic: msgspec.json.Decoder(Transaction).decode,
    CARD_LABELS.topic: msgspec.json.Decoder(Label).decode,
}


@dataclass(frozen=True)
class BareLoop:
    """Events consumed and decoded between a tenth of the events and all of them, in so many seconds of the clock
    and of the processor.
    """

    events: int
    seconds: float
    processor_seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def bare_loop(bootstrap_servers: str) -> BareLoop:
    """Run it in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bare_loop", bootstrap_servers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"the bare loop failed: {done.stderr[-2000:]}")
    return BareLoop(**json.loads(done.stdout))


def _run(bootstrap_servers: str) -> BareLoop:
    gc.disable()  # nothing here makes cycles
    events = seconds = used = 0.0
    for topic, decode in _DECODERS.items():
        consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "bare-loop",
                "enable.auto.commit": False,
                "queued.min.messages": 300_000,
                "fetch.queue.backoff.ms": 2,
            }
        )
        partitions = [
            TopicPartition(topic, number, 0) for number in consumer.list_topics(topic).topics[topic].partitions
        ]
        total = sum(consumer.get_watermark_offsets(each)[1] for each in partitions)
        consumer.assign(partitions)
        done, began, used_before, before = 0, 0.0, 0.0, 0
        while done < total:
            messages = consumer.consume(_AT_ONCE, 1.0)
            list(map(decode, map(methodcaller("value"), messages)))
            done += len(messages)
            if not began and done >= total / 10:
                began, used_before, before = time.perf_counter(), time.process_time(), done
        seconds += time.perf_counter() - began
        used += time.process_time() - used_before
        events += done - before
        consumer.close()
    return BareLoop(int(events), seconds, used)


if __name__ == "__main__":
    print(json.dumps(asdict(_run(sys.argv[1]))))
