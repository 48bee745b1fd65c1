"""What the producers send: late, doubled, malformed and early events, equal times, clocks that run ahead."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, deque
from typing import Any

from confluent_kafka import Producer

from shared_features.definitions import EventSource

LATE, DOUBLED, MALFORMED, AHEAD, CONTRADICTED = 0.05, 0.01, 0.005, 0.03, 0.003
_LATENESS_S = (0.3, 2.0, 6.0, 12.0, 25.0, 33.0, 45.0)
_AHEAD_S = (0.4, 1.5, 1.9, 2.3, 4.0, 60.0)
"""Within the tolerated future of 2 s, and beyond it."""
_NOTHING = [b"", b"{", b"\xff\xfe", b'{"id": "x"}', b'{"id":"x","at":1,"plant":"p","machine":"m","heat":"hot"}',
            b'{"id":"x","at":1,"plant":"p","machine":"m","heat":1e9}']  # fmt: skip
_TICK_S = 0.05
_SPREAD_S = 0.2


class Traffic:
    """Events of a seed, sent at a steady rate by a thread of its own. `sent` counts them by what they are.

    recent: the latest readings, each from a moment before it is sent.
    """

    def __init__(
        self, seed: int, bootstrap_servers: str, readings: EventSource, inspections: EventSource, *, rate: float
    ) -> None:
        self.sent: Counter[str] = Counter()
        self.recent: deque[dict[str, Any]] = deque(maxlen=40)
        self._chance = random.Random(f"traffic {seed}")
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "linger.ms": 5,
                "enable.idempotence": True,
                "delivery.timeout.ms": 600_000,  # a broker may take minutes to start on a busy machine
                "log_level": 2,
                "reconnect.backoff.max.ms": 500,
                "partitioner": "murmur2_random",
            }
        )
        self._readings, self._inspections, self._rate = readings, inspections, rate
        self._number = 0
        self._refused: list[str] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further event; returns when the log has all of them. Harmless when stopped."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        left = self._producer.flush(300)
        if left or self._refused:
            raise AssertionError(f"{left} records did not reach the log; refused: {self._refused[:3]}")

    def _run(self) -> None:
        due = 0.0
        while not self._stopped.wait(_TICK_S):
            due += self._rate * _TICK_S
            for _ in range(int(due)):
                self._send_one(int(time.time() * 1000))
            due -= int(due)
            self._producer.poll(0)

    def _send_one(self, now_ms: int) -> None:
        chance = self._chance
        self._number += 1
        drawn = chance.random()
        at_ms = now_ms - int(chance.random() * _SPREAD_S * 1000)
        kind = "plain"
        if drawn < LATE:
            kind, at_ms = "late", now_ms - int(chance.choice(_LATENESS_S) * 1000)
        elif drawn < LATE + AHEAD:
            kind, at_ms = "ahead", now_ms + int(chance.choice(_AHEAD_S) * 1000)
        elif drawn < LATE + AHEAD + MALFORMED:
            self.sent["malformed"] += 1
            self._produce(self._readings.topic, b"bad", chance.choice(_NOTHING))
            return
        if chance.random() < 0.3:
            at_ms = at_ms // 100 * 100  # equal event times
        source = self._readings if chance.random() < 0.75 else self._inspections
        event = self._event(source, at_ms)
        copies = 2 if chance.random() < DOUBLED else 1
        self.sent[kind] += 1
        self.sent["doubled"] += copies - 1
        if source is self._readings:
            self.recent.append(event)
        key = event["plant"].encode()
        for _ in range(copies):
            # A repeated event may come by another partition, as from a producer that was set up anew.
            self._produce(source.topic, key if chance.random() < 0.8 else None, json.dumps(event).encode())
        if chance.random() < CONTRADICTED:
            self.sent["contradicted"] += 1
            other = self._event(source, at_ms)
            self._produce(source.topic, key, json.dumps({**other, "id": event["id"]}).encode())

    def _event(self, source: EventSource, at_ms: int) -> dict[str, Any]:
        chance = self._chance
        event: dict[str, Any] = {"id": f"{source.name[0]}{self._number}", "at": at_ms}
        # Some are busy, some hardly ever seen.
        event["plant"] = f"p{chance.randrange(8)}" if chance.random() < 0.98 else f"q{chance.randrange(40)}"
        if source is self._inspections:
            return {**event, "good": chance.random() < 0.8}
        event["machine"] = f"m{chance.randrange(4)}"
        event["heat"] = round(chance.uniform(-20, 120), 2)
        if chance.random() < 0.6:
            event["note"] = chance.choice(["", "ok", "söso", "n" * 30])
        return event

    def _produce(self, topic: str, key: bytes | None, value: bytes) -> None:
        self._producer.produce(topic, value, key, on_delivery=self._delivered)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._refused.append(str(error))
