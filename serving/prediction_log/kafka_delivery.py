"""Delivery to Kafka: each record once, few under way, and the others on the spool until Kafka takes them.

A record that librdkafka holds is not sent again by us: it repeats what it must itself, and the brokers know the repeats
(an idempotent producer). So within the life of a process no record comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from serving.log import get_log
from serving.prediction_log.log_metrics import LogMetrics
from serving.prediction_log.spool import Segment, Spool

_LOG = get_log("serving.prediction_log")
_MOST_UNDER_WAY, _MOST_BYTES_UNDER_WAY = 20_000, 32 << 20
_STALLED_S = 2.0
"""So long without an answer, while records are under way: Kafka does not take them, and later ones go to the spool."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
"""After a refusal, such as of a topic that does not exist."""
_TAKE_OVER_EVERY_S = 30.0
_FLUSH_S = 3.0

_OPTIONS: Mapping[str, Any] = {
    "client.id": "millrace-serving",
    "enable.idempotence": True,
    "message.timeout.ms": 0,  # a record is not given up: it might come after all, and then twice
    "linger.ms": 20,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 4 * _MOST_UNDER_WAY,
    "queue.buffering.max.kbytes": 4 * _MOST_BYTES_UNDER_WAY // 1024,
    "log_level": 2,
    "reconnect.backoff.max.ms": 1_000,
}


class KafkaDelivery:
    """Of one process, used by one thread. options: of librdkafka."""

    def __init__(self, options: Mapping[str, Any], topic: str, spool: Spool, metrics: LogMetrics) -> None:
        self._options = {**_OPTIONS, "error_cb": lambda error: None, **options}
        self._topic, self._spool, self._metrics = topic, spool, metrics
        self._producer = Producer(self._options)
        self._bytes_under_way = 0
        self.under_way = 0
        self._answered_s = time.monotonic()
        self._looked_s = -_TAKE_OVER_EVERY_S
        self._pause_s, self._continues_s = _FIRST_PAUSE_S, 0.0
        self._is_told = self._is_broken = False

    def send(self, key: bytes, record: bytes) -> None:
        """Give a record to Kafka, or to the spool."""
        if self._takes_more():
            self._produce(key, record, None)
        else:
            self._keep(record)

    def work(self, within_s: float) -> None:
        """Hear what Kafka answered, for so long at most, and send what lies on the spool."""
        self._producer.poll(within_s)
        if self._is_broken:
            self._renew()
        now_s = time.monotonic()
        if self._is_stalled:
            self._tell("Kafka does not answer")
        if now_s - self._looked_s > _TAKE_OVER_EVERY_S:
            self._looked_s = now_s
            self._spool.take_over()
        while self._takes_more() and self.under_way < _MOST_UNDER_WAY // 2 and (segment := self._spool.take()):
            if not segment.records:
                self._spool.done(segment)
            for record in segment.records:
                self._produce(segment.path.parent.name.encode(), record, segment)
        self._metrics.spool(self._spool.length)

    @property
    def is_done(self) -> bool:
        """Whether Kafka has everything."""
        return not self.under_way and not self._spool.length

    def close(self) -> None:
        """Wait a moment for Kafka, and keep on the spool what it did not answer for."""
        self._producer.flush(_FLUSH_S)
        if self.under_way:
            self._producer.purge()
            self._producer.flush(_FLUSH_S)
        self._spool.close()
        self._metrics.spool(self._spool.length)

    @property
    def _is_stalled(self) -> bool:
        now_s = time.monotonic()
        return now_s < self._continues_s or (self.under_way > 0 and now_s - self._answered_s > _STALLED_S)

    def _takes_more(self) -> bool:
        return (
            not self._is_stalled and self.under_way < _MOST_UNDER_WAY and self._bytes_under_way < _MOST_BYTES_UNDER_WAY
        )

    def _produce(self, key: bytes, record: bytes, segment: Segment | None) -> None:
        if not self.under_way:
            self._answered_s = time.monotonic()
        try:
            answered = partial(self._answered, record, segment)
            self._producer.produce(self._topic, record, key, on_delivery=answered)
        except (BufferError, KafkaException) as error:
            code = error.args[0].code() if isinstance(error, KafkaException) else None
            self._not_sent(record, segment, str(error), too_large=code == KafkaError.MSG_SIZE_TOO_LARGE)
        else:
            self.under_way += 1
            self._bytes_under_way += len(record)

    def _answered(self, record: bytes, segment: Segment | None, error: KafkaError | None, message: Message) -> None:
        self.under_way -= 1
        self._bytes_under_way -= len(record)
        self._answered_s = time.monotonic()
        if error is None:
            self._metrics.sent()
            self._of_segment(segment)
            self._pause_s = _FIRST_PAUSE_S
            if self._is_told:
                self._is_told = False
                _LOG.info("sending predictions to Kafka again", topic=self._topic)
            return
        if error.fatal():
            self._is_broken = True
        self._not_sent(record, segment, error.str(), too_large=error.code() == KafkaError.MSG_SIZE_TOO_LARGE)

    def _not_sent(self, record: bytes, segment: Segment | None, why: str, *, too_large: bool) -> None:
        if too_large:
            self._metrics.dropped("too large")
        else:
            self._keep(record, counted=segment is None)
            self._pause(why)
        self._of_segment(segment)

    def _of_segment(self, segment: Segment | None) -> None:
        if segment is not None:
            segment.left -= 1
            if not segment.left:
                self._spool.done(segment)

    def _keep(self, record: bytes, *, counted: bool = True) -> None:
        if not self._spool.append(record):
            self._metrics.dropped("spool")
        elif counted:
            self._metrics.spooled()

    def _pause(self, why: str) -> None:
        now_s = time.monotonic()
        if now_s >= self._continues_s:  # not once for each record that was refused with it
            self._continues_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._tell(why)

    def _tell(self, why: str) -> None:
        if not self._is_told:
            self._is_told = True
            _LOG.warning("keeping predictions on disk until Kafka takes them", topic=self._topic, reason=why)

    def _renew(self) -> None:
        """A producer that lost the count of its records sends nothing any more: another one continues."""
        self._producer.purge()
        self._producer.flush(_FLUSH_S)
        self._producer, self._is_broken = Producer(self._options), False
