"""The wall "score audit mark": up to where the scores of a view were audited. Retention keeps what the rest needs.

It is a JSON file `<lake>/audited_scores/<view>.json`, written by an audit at its end and replaced by the next one:

    {"schema_version": 1, "topic": "order_scores", "scores": {"0": 2400}, "events": {"0": 2399}}

Every score of the topic below these offsets was audited; by partition. `events`: by partition of the view's source, the
last event whose score was audited. Fields are only added, at the end and optional; a meaning never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from shared_features.formats.json_document import decode_document, encode_document

SCHEMA_VERSION = 1
SCORE_AUDIT_MARKS = "audited_scores"
_REMEDY = "remove the file, and run `python -m training audit --scores`"


class ScoreAuditMark(msgspec.Struct, frozen=True, kw_only=True):
    """scores: partition of the topic -> the offset behind the last score that was audited. events: see above."""

    topic: str
    scores: Mapping[int, int]
    events: Mapping[int, int]
    schema_version: int = SCHEMA_VERSION


def score_audit_mark_file(view: str) -> str:
    """Its path in the lake. view: the name."""
    return f"{SCORE_AUDIT_MARKS}/{view}.json"


def encode_score_audit_mark(mark: ScoreAuditMark) -> bytes:
    """The file's content."""
    return encode_document(msgspec.to_builtins(mark, str_keys=True))


def decode_score_audit_mark(content: bytes, where: str) -> ScoreAuditMark:
    """What the file says. Raises FormatVersionError, naming `where`."""
    plain = decode_document(content, _MarkFile, SCHEMA_VERSION, where, "an audit mark of scores", _REMEDY)
    return ScoreAuditMark(
        topic=plain.topic,
        scores={int(number): offset for number, offset in plain.scores.items()},
        events={int(number): offset for number, offset in plain.events.items()},
    )


_Number = Annotated[str, msgspec.Meta(pattern="^[0-9]+$")]


class _MarkFile(msgspec.Struct):
    """As JSON has it: keys are texts."""

    schema_version: int
    topic: str
    scores: dict[_Number, int]
    events: dict[_Number, int]
