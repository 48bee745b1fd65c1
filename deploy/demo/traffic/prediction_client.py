"""The client: asks for a prediction of each new transaction before it is streamed, and keeps what came back."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.demo.errors import DemoError
from deploy.demo.traffic.records import Records
from shared_features.event_sources import CARD_TRANSACTIONS
from shared_features.feature_views import CARD_FRAUD
from shared_features.kernel.event_time import SECOND_US
from streaming.kafka.decoders.registry import decoder_of

PATH = f"/v1/views/{CARD_FRAUD.name}:predict"
_FRESH_US = 3 * SECOND_US
_WITH_FEATURES_EVERY = 10
_ANSWER_S = 5.0
_SHARE_OF_TIME = 0.6


@dataclass(frozen=True)
class Asked:
    """One request that was answered. features: asked for and included."""

    transaction_id: int
    body: Mapping[str, Any]
    answer: Mapping[str, Any]
    seconds: float

    @property
    def prediction(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.answer["predictions"][0]
        return found

    @property
    def as_of_us(self) -> int:
        return int(self.prediction.get("as_of_us", self.answer["as_of_us"]))

    @property
    def score(self) -> float:
        return float(self.prediction["score"])

    @property
    def features(self) -> Mapping[str, Any] | None:
        return self.prediction.get("features")


@dataclass
class PredictionClient:
    """Asks one server, one request at a time, and names each transaction by its time.

    own_times: that time is the request's instant too, which else is the server's clock.
    """

    port: int
    own_times: bool
    answered: list[Asked] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    skipped: int = 0

    def __post_init__(self) -> None:
        self._decoder = decoder_of(CARD_TRANSACTIONS)
        self._seen: set[int] = set()
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)
        self._until_s = 0.0

    def before_sending(self, records: Records) -> None:
        """Ask for each transaction of a batch that has just happened; what came late or again was asked for before."""
        own = [at for at, topic in enumerate(records.topics) if topic == CARD_TRANSACTIONS.topic]
        decoded = self._decoder.decode([records.values[at] for at in own])
        names = [field.name for field in CARD_FRAUD.request_fields]
        columns = {name: column.tolist() for name, column in decoded.columns.items()}
        budget_s = time.monotonic() + _SHARE_OF_TIME * max(0.05, time.monotonic() - self._until_s)
        for row, at in enumerate(decoded.rows.tolist()):
            event_us, stamp_us = columns["event_time"][row], records.timestamps_ms[own[at]] * 1000
            number = columns["transaction_id"][row]
            if number in self._seen or not -_FRESH_US <= stamp_us - event_us <= _FRESH_US:
                continue
            if not self.own_times and time.monotonic() > budget_s:  # the traffic keeps its rate
                self.skipped += 1
                continue
            self._seen.add(number)
            instance = {name: _json_value(name, columns[name][row]) for name in names}
            instance[CARD_TRANSACTIONS.event_time] = event_us  # its unit is microseconds
            self._ask(number, instance, event_us)
        self._until_s = time.monotonic()

    def close(self) -> None:
        self._connection.close()

    def _ask(self, number: int, instance: Mapping[str, Any], event_us: int) -> None:
        body: dict[str, Any] = {"instances": [instance]}
        if self.own_times:
            body["as_of"] = event_us
        if len(self.answered) % _WITH_FEATURES_EVERY == 0:
            body["include_features"] = True
        raw = json.dumps(body).encode()
        began_s = time.perf_counter()
        try:
            self._connection.request("POST", PATH, raw, {"content-type": "application/json"})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # the next request opens another
            reason = f"no answer: {error!r}"
            self.refused[reason] = self.refused.get(reason, 0) + 1
            return
        seconds = time.perf_counter() - began_s
        if response.status != http.client.OK:
            reason = f"{response.status}: {_detail(content)}"
            self.refused[reason] = self.refused.get(reason, 0) + 1
            return
        self.answered.append(Asked(number, body, json.loads(content), seconds))


def _json_value(name: str, steps: int) -> float | int:
    scale = CARD_TRANSACTIONS.field(name).scale
    return steps if scale == 1 else steps / scale


def _detail(content: bytes) -> str:
    try:
        found = json.loads(content)
        return str(found.get("detail") or found.get("title") or found)[:200]
    except (ValueError, AttributeError):
        return content[:200].decode(errors="replace")


def require_answers(client: PredictionClient) -> None:
    """Raise DemoError when no request was answered."""
    if not client.answered:
        why = "; ".join(f"{count} times {reason}" for reason, count in client.refused.items()) or "nothing was asked"
        raise DemoError(f"no prediction was answered: {why}")
