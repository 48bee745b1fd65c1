"""The wall "scored event": what a model said of one event of a view. The stream writes it to the topic of the scores.

Consumers of scores read it: JSON, one record for each event of the view's source, in the order of the log. The
record of an event lies in the partition of the scores that has the number of the event's own partition. `topic`,
`partition` and `offset` name the event; the last record of a partition says how far the scores have come.

The score is what the endpoint answers to a request with the fields and the time of the event, from the state that
`receipt` names. Where the endpoint would refuse such a request for good, `refused` says why, and there is no score.

Fields are only added, optional and before `digest`, which stays the last; a meaning never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from shared_features.errors import FormatVersionError
from shared_features.formats.receipt import EncodedReceipt, Receipt

SCHEMA_VERSION = 1


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a model says of one row, under the names of an answer of the endpoint."""

    score: float | UnsetType = UNSET
    decision: bool | UnsetType = UNSET
    value: float | UnsetType = UNSET
    class_: str | int | UnsetType = msgspec.field(default=UNSET, name="class")
    probabilities: Mapping[str, float] | UnsetType = UNSET


class ScoredEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event and its score.

    id: of the event. entities: name of an entity -> its key, as the online store spells it. as_of_us: the time of the
    event; events strictly before it count. scored_at_us: by the clock of the process. features: `encode_matrix` of what
    the model saw (`formats.prediction_log`). refused: why there is no score. Times are microseconds since 1970-01-01.
    release, digest: empty in the records of a release that wrote neither.
    """

    id: str | int
    entities: Mapping[str, str]
    as_of_us: int
    score: float | UnsetType = UNSET
    decision: bool | UnsetType = UNSET
    value: float | UnsetType = UNSET
    class_: str | int | UnsetType = msgspec.field(default=UNSET, name="class")
    probabilities: Mapping[str, float] | UnsetType = UNSET
    refused: str | UnsetType = UNSET
    view: str
    view_fingerprint: str
    model: str
    model_version: int
    model_digest: str
    topic: str
    topic_id: str
    partition: int
    offset: int
    scored_at_us: int
    features: str
    receipt: Receipt | EncodedReceipt | msgspec.Raw
    schema_version: int = SCHEMA_VERSION
    release: str = ""
    digest: str = ""
    """sha256 of the line without it, hexadecimal: an altered line is found by it."""


class _Stored(ScoredEvent, frozen=True, gc=False, kw_only=True):
    """As it is read: a receipt is decoded."""

    receipt: Receipt


_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _AsWritten(ScoredEvent, frozen=True, gc=False, kw_only=True):
    """Its receipt is the text that the digest of the receipt is of."""

    receipt: msgspec.Raw
    as_of_us: _Int64
    partition: _Int64
    offset: _Int64
    scored_at_us: _Int64


def outcome_of(task: str, classes: Sequence[str | int], threshold: float | None, given: Any) -> Outcome:
    """given: a score, a value, or a list of probabilities in the order of the classes; see `ModelManifest`."""
    if task == "regression":
        return Outcome(value=given)
    if task == "multiclass":
        most_probable = classes[given.index(max(given))]  # the first of equal ones
        return Outcome(class_=most_probable, probabilities=dict(zip(map(str, classes), given, strict=True)))
    return Outcome(score=given, decision=UNSET if threshold is None else given >= threshold)


_encode = msgspec.json.Encoder().encode
_DIGITS = 64


def encode_scored_event(scored: ScoredEvent) -> bytes:
    """The value of its Kafka record: one line of JSON, with its digest at the end."""
    line = _encode(msgspec.structs.replace(scored, digest="") if scored.digest else scored)
    return line[:-2] + hashlib.sha256(line).hexdigest().encode() + line[-2:]


def is_altered_line(content: bytes) -> bool:
    """Whether a line that has a digest is another one than was written."""
    head, digest, tail = content[: -_DIGITS - 2], content[-_DIGITS - 2 : -2], content[-2:]
    return hashlib.sha256(head + tail).hexdigest().encode() != digest


_decode = msgspec.json.Decoder(_Stored).decode
_decode_as_written = msgspec.json.Decoder(_AsWritten).decode


def decode_scored_event(content: bytes) -> ScoredEvent:
    """What the bytes say. Raises FormatVersionError."""
    try:
        scored = _decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatVersionError(
            f"A record of the scores cannot be read: {error}. Give the scores a topic of their own."
        ) from error
    if scored.schema_version != SCHEMA_VERSION:
        raise FormatVersionError(
            f"Score of event {scored.id} was written by schema {scored.schema_version}, this reader knows "
            f"{SCHEMA_VERSION}. Run the release that wrote it, or a later one."
        )
    return scored


def decode_as_written(content: bytes) -> ScoredEvent:
    """The same of any schema, with the receipt as the text that it is. Raises FormatVersionError."""
    try:
        scored: ScoredEvent = _decode_as_written(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatVersionError(f"it cannot be read: {error}") from error
    return scored
