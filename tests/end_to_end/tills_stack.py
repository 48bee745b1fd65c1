"""A shop's sales through the real programs: the stream job, and the endpoint with a published model."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.formats.entity_keys import escape
from tests import oracle
from tests.domains.tills import RETURN, RETURNS, SPEND, TILL, WEB
from tests.end_to_end.archived_truth import stored_events
from tests.end_to_end.job import Job, log_ends, produce
from tests.end_to_end.whole_path import endpoint
from tests.serving.published_models import publish
from tests.taken_events import rows_of, taken

TOPICS = {TILL.topic: 1, WEB.topic: 1, RETURNS.topic: 1}
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SALES = 40
NOW_MS = int(time.time() * 1000)
START_MS = NOW_MS - 11 * DAY_MS
"""The first sale of the history."""
OLD_MS = NOW_MS - 10 * DAY_MS
"""Four sales to each of two users then."""
SAME_MS = NOW_MS - 6 * HOUR_MS
"""One sale with the same content at the till and in the web shop."""

Notice = tuple[int, int, int, bool]
"""A label event: the sale that it is about, its event time, its arrival (both milliseconds), what it says."""
Sent = tuple[str, bytes, bytes, int]


def now_ms() -> int:
    return int(time.time() * 1000)


def said(user: str, amount: str = "5", plan: str = "basic", far: str = "0", fine: str = "0") -> str:
    """The members of a sale, as an event and a request have them. Numbers as their text."""
    texts = f'"user": {json.dumps(user)}, "plan": {json.dumps(plan)}'
    return f'{texts}, "amount": {amount}, "far": {far}, "fine": {fine}'


def sale(number: int, at_ms: int, user: str, **members: str) -> bytes:
    return f'{{"sale": {number}, "at": {at_ms}, {said(user, **members)}}}'.encode()


def sold_ms(number: int) -> int:
    return START_MS + number * 6 * HOUR_MS


def notices() -> list[Notice]:
    """Every sale has a label an hour later, and a day after that another one that says the opposite of that hour."""
    known = [(number, sold_ms(number) + HOUR_MS) for number in range(SALES)]
    first = [(number, at_ms, at_ms, number % 2 == 0) for number, at_ms in known]
    every = first + [(number, at_ms, at_ms + DAY_MS, number % 2 == 1) for number, at_ms in known]
    return [each for each in every if each[2] < NOW_MS - HOUR_MS]


def history() -> list[Sent]:
    """What happened before the endpoint is asked anything, in the order of arrival."""
    sent = [(TILL.topic, b"k", sale(number, sold_ms(number), f"u{number}"), sold_ms(number)) for number in range(SALES)]
    for number in range(4):
        at_ms = OLD_MS + number * 1000
        sent += [(TILL.topic, b"k", sale(5_000 + number, at_ms, "öld"), at_ms)]
        sent += [(WEB.topic, b"k", sale(5_000 + number, at_ms, "old|busy"), at_ms)]
    same_topics = (TILL.topic, TILL.topic, WEB.topic)  # the till delivers it twice
    sent += [(topic, b"k", sale(7_000, SAME_MS, "same"), SAME_MS) for topic in same_topics]
    later_ms = SAME_MS + HOUR_MS
    sent += [(TILL.topic, b"k", sale(7_001, later_ms, "same"), later_ms)]
    sent += [(TILL.topic, b"k", sale(7_002, later_ms // 1000, "same"), later_ms)]  # seconds
    for index, (number, at_ms, arrival_ms, returned) in enumerate(notices()):
        notice = {"notice": f"n{index}", "at": at_ms, "sale": number, "returned": returned}
        sent.append((RETURNS.topic, b"k", json.dumps(notice).encode(), arrival_ms))
    return sorted(sent, key=lambda each: each[3])


@dataclass
class TillsStack:
    """kept: the answers about sales, by the sale's number, to be compared with their training rows."""

    job: Job
    url: str
    redis_url: str
    kept: dict[int, dict[str, float | None]] = field(default_factory=dict)

    def send(self, records: Iterable[tuple[str, bytes]], at_ms: int | None = None) -> None:
        """Events that arrive now, or are stamped with a time. Returns when Redis and the lake have them."""
        stamp_ms = now_ms() if at_ms is None else at_ms
        produce(self.job.bootstrap_servers, [(topic, b"k", value, stamp_ms) for topic, value in records])
        self.job.wait_for(log_ends(self.job.bootstrap_servers, TOPICS))

    def ask(self, members: str, as_of: int | str | None = None) -> httpx.Response:
        text = "" if as_of is None else f', "as_of": {json.dumps(as_of)}'
        body = f'{{"instances": [{{{members}}}], "include_features": true{text}}}'
        return httpx.post(f"{self.url}/v1/views/return:predict", content=body.encode())

    def features(self, members: str, as_of: int | str | None = None) -> dict[str, float | None]:
        """The features of an answer, those of the group without its name."""
        answered = self.ask(members, as_of)
        assert answered.status_code == 200, answered.text
        (prediction,) = answered.json()["predictions"]
        return {name.removeprefix("spend__"): value for name, value in prediction["features"].items()}

    def refused(self, members: str, as_of: int | str | None = None) -> Any:
        """The problem of a request that is the sender's fault."""
        answered = self.ask(members, as_of)
        assert answered.status_code == 422, answered.text
        return answered.json()

    def metrics(self) -> dict[str, float]:
        """What the endpoint counts: each line of its metrics by its name and labels."""
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        found = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in found}

    def events(self, user: str) -> list[oracle.Event]:
        """All stored events of a user that the group takes."""
        batches = [(source, rows_of(stored_events(self.job.lake, source).batch)) for source in SPEND.sources]
        found = [each for source, rows in batches for each in taken(SPEND, source, rows)]
        return [event for _, key, event in found if key == escape(user)]


def truth(events: list[oracle.Event], as_of_us: int) -> dict[str, float | None]:
    """The numbers of the group by the oracle, rounded to what a model sees."""
    found = {
        spec.name: oracle.value(SPEND.layout, spec, events, as_of_us)
        for spec, feature in zip(SPEND.layout.features, SPEND.features, strict=True)
        if not feature.is_text
    }
    return {name: None if value != value else float(np.float32(value)) for name, value in found.items()}


def stored(features: dict[str, float | None]) -> dict[str, float | None]:
    """Those of the group alone."""
    names = {each.name for each in SPEND.features}
    return {name: value for name, value in features.items() if name in names}


@contextmanager
def tills_stack(folder: Path, sent: Sequence[Sent]) -> Iterator[TillsStack]:
    """Everything up, with these records applied and archived."""
    with RedisServer(folder / "redis") as store, KafkaSimulator(TOPICS) as kafka:
        also = {"MILLRACE_TOPIC_MODE": "embedded"}
        job = Job(folder, kafka.bootstrap_servers, store.url, definitions="tests.domains.tills", also=also)
        publish(Path(job.environment["MILLRACE_REGISTRY"]), RETURN)
        job.start()
        try:
            produce(kafka.bootstrap_servers, sent)
            with endpoint(job.environment, folder / "serving.log") as url:
                job.wait_for(log_ends(kafka.bootstrap_servers, TOPICS))
                yield TillsStack(job, url, store.url)
        finally:
            job.supervisor.kill()
