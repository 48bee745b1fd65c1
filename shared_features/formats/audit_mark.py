"""The wall "audit mark": up to where the prediction log was audited. Retention keeps what the rest of it needs.

It is a JSON file `<lake>/audited.json`, written by an audit at its end and replaced by the next one:

    {"schema_version": 1, "until": "2026-03-01T00:00:00Z"}

Every record of the log that arrived before `until` was audited, and no earlier one comes later.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared_features.errors import FormatVersionError
from shared_features.formats.json_document import decode_document, encode_document
from shared_features.kernel.event_time import to_text, to_us

SCHEMA_VERSION = 1
AUDIT_MARK = "audited.json"
_REMEDY = "remove the file, and run `python -m training audit`"


class _MarkFile(msgspec.Struct):
    schema_version: int
    until: str


def encode_mark(until_us: int) -> bytes:
    """The file's content. until_us: arrival time."""
    return encode_document(msgspec.to_builtins(_MarkFile(SCHEMA_VERSION, to_text(until_us))))


def decode_mark(content: bytes, where: str) -> int:
    """The arrival time, microseconds. Raises FormatVersionError, naming `where`."""
    found = decode_document(content, _MarkFile, SCHEMA_VERSION, where, "an audit mark", _REMEDY)
    try:
        until = datetime.fromisoformat(found.until)
        if until.tzinfo is None:
            raise ValueError(f"time {found.until} has no offset from UTC")
    except ValueError as error:
        raise FormatVersionError(f"{where} is damaged: {error}. Remove the file, and audit again.") from error
    return to_us(until)
