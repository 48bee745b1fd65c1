"""The wall "prediction log": what was answered, with all that the answer can be computed again from.

Serving writes a record for each request that got a prediction, through Kafka; the archive stores it as it stores
events, in the table `events_prediction_log`; an audit reads it. One record holds all instances of its request.

`instance` and `counter` number the answers of one process from 0 without a hole: a number that is absent was lost.
Kafka may have a record twice, where a process was killed before it noted that the record was sent: the two are equal,
and the table has one of them. `each_once` does the same to a table that an earlier release wrote. A record whose
content was erased keeps its number.

Fields are only added, at the end and optional; a meaning never changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Boolean, EventSource, Field, Integer, Text, Timestamp
from shared_features.errors import FormatVersionError

SCHEMA_VERSION = 1
SOURCE_NAME = "prediction_log"
LONGEST_RECORD = 1_000_000
"""Bytes: the longest record that Kafka takes by default."""

Hole = tuple[int, int]
"""The first and the last of numbers that follow each other."""

_LONG, _SHORT = Text(max_length=LONGEST_RECORD), Text(max_length=1_000)


class LoggedPrediction(msgspec.Struct, frozen=True, gc=False):
    """One answered request.

    at_us: when the answer was written, by the clock of the process, microseconds since 1970-01-01 UTC. latency_us:
    from the head of the request to that moment. instants: JSON of the instant of each instance, microseconds.
    request: the body as the client sent it. features: `encode_matrix` of what the model saw. scores: JSON of the
    outcome of each instance: a number, or a list of probabilities in the order of the model's classes. receipt: its
    JSON as the answer has it. caller: where the request came from, as far as it is known.
    """

    id: str
    at_us: int
    instance: str
    counter: int
    view: str
    view_fingerprint: str
    model: str
    model_version: int
    model_digest: str
    as_of_us: int
    instants: str
    request: str
    features: str
    scores: str
    receipt: str
    degraded: bool
    latency_us: int
    caller: str
    release: str
    schema_version: int = SCHEMA_VERSION
    digest: str = ""
    """sha256 of the record without it, as `encode_record` writes it, hexadecimal: an altered line is found by it."""


def prediction_source(topic: str) -> EventSource:
    """The records as a source of events: what the archive decodes, checks and stores."""
    fields = (
        Field("id", _SHORT),
        Field("at_us", Timestamp("us")),
        Field("instance", _SHORT),
        Field("counter", Integer()),
        Field("view", _SHORT),
        Field("view_fingerprint", _SHORT),
        Field("model", _SHORT),
        Field("model_version", Integer()),
        Field("model_digest", _SHORT),
        Field("as_of_us", Integer()),
        Field("instants", _LONG),
        Field("request", _LONG),
        Field("features", _LONG),
        Field("scores", _LONG),
        Field("receipt", _LONG),
        Field("degraded", Boolean()),
        Field("latency_us", Integer()),
        Field("caller", _SHORT),
        Field("release", _SHORT),
        Field("schema_version", Integer()),
        Field("digest", _SHORT),
    )
    return EventSource(SOURCE_NAME, topic, fields, "id", "at_us", description="What was answered, with its receipt.")


def record_id(instance: str, counter: int) -> str:
    """The id of a record."""
    return f"{instance}-{counter}"


_encode = msgspec.json.Encoder().encode


def encode_record(logged: LoggedPrediction) -> bytes:
    """The value of its Kafka record: one line of JSON, with its digest."""
    return _encode(_sealed(logged))


def is_altered(logged: LoggedPrediction) -> bool:
    """Whether the record is another one than was written."""
    return logged.digest != _digest(logged)


def erased(logged: LoggedPrediction) -> LoggedPrediction:
    """The record without all that was asked, seen and said. Its number stays, so that no hole is left."""
    nothing = {"instants": "[]", "request": "", "features": "", "scores": "[]", "receipt": ""}
    return _sealed(msgspec.structs.replace(logged, **nothing))


def is_erased(logged: LoggedPrediction) -> bool:
    """Whether its content was erased: every request has a body."""
    return not logged.request


def _sealed(logged: LoggedPrediction) -> LoggedPrediction:
    return msgspec.structs.replace(logged, digest=_digest(logged))


def _digest(logged: LoggedPrediction) -> str:
    return hashlib.sha256(_encode(msgspec.structs.replace(logged, digest=""))).hexdigest()


def decode_record(content: bytes) -> LoggedPrediction:
    """What the bytes say. Raises FormatVersionError."""
    try:
        logged = msgspec.json.decode(content, type=LoggedPrediction)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatVersionError(f"A record of the prediction log cannot be read: {error}. Leave it out.") from error
    return _known(logged)


def logged_prediction(row: dict[str, Any]) -> LoggedPrediction:
    """The same from a row of the table of the archive, of any schema. Raises FormatVersionError."""
    try:
        return LoggedPrediction(**{name: row[name] for name in LoggedPrediction.__struct_fields__})
    except KeyError as error:
        raise FormatVersionError(
            f"A row of the prediction log has no column {error.args[0]}. Read the table events_{SOURCE_NAME}."
        ) from error


def _known(logged: LoggedPrediction) -> LoggedPrediction:
    if logged.schema_version != SCHEMA_VERSION:
        raise FormatVersionError(
            f"Record {logged.id} of the prediction log was written by schema {logged.schema_version}, this reader "
            f"knows {SCHEMA_VERSION}. Run the release that wrote it, or a later one."
        )
    return logged


def each_once(logged: Iterable[LoggedPrediction]) -> list[LoggedPrediction]:
    """The records in their order, each once. Two that differ are two records, also with one id: one was altered."""
    return list(dict.fromkeys(logged))


def missing_counters(logged: Iterable[LoggedPrediction]) -> dict[str, list[Hole]]:
    """By process, the numbers below its highest that no record has. What is lost at the very end does not show."""
    seen: dict[str, set[int]] = {}
    for each in logged:
        seen.setdefault(each.instance, set()).add(each.counter)
    holes = {
        instance: [(left + 1, right - 1) for left, right in pairwise((-1, *sorted(counters))) if right - left > 1]
        for instance, counters in seen.items()
    }
    return {instance: each for instance, each in holes.items() if each}


def encode_matrix(matrix: NDArray[np.float32]) -> str:
    """float32[rows, features] as base64 of its little-endian bytes, row by row: no bit of a NaN is lost."""
    return base64.b64encode(np.ascontiguousarray(matrix, "<f4").tobytes()).decode()


def decode_matrix(text: str, features: int) -> NDArray[np.float32]:
    """float32[rows, features]. Raises FormatVersionError where the text does not hold whole rows."""
    try:
        values: NDArray[np.float32] = np.frombuffer(_matrix_bytes(text), "<f4")
        return values.reshape(-1, features).astype(np.float32)
    except ValueError as error:
        raise FormatVersionError(
            f"The features of a record of the prediction log cannot be cut into rows of {features} numbers ({error}). "
            "The record was altered, or its view was another."
        ) from error


def decode_matrix_bytes(text: str) -> bytes:
    """float32 of an encoded matrix, little-endian, row by row. Raises FormatVersionError."""
    try:
        return _matrix_bytes(text)
    except ValueError as error:
        raise FormatVersionError(
            f"The features of a record of the prediction log are not base64 ({error}). The record was altered."
        ) from error


def _matrix_bytes(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def encode_numbers(numbers: Sequence[Any]) -> str:
    """JSON of scores, or of instants: a float32 comes back as the same float32."""
    return _encode(numbers).decode()
