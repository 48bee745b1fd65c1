"""The wall "holds": who still needs old events, said so that the events tables' retention leaves them alone.

A hold is a JSON file `<lake>/holds/<name>.json`, made by an atomic rename and removed when it is over:

    {"schema_version": 1, "reason": "predictions since then are not audited yet",
     "from": "2026-03-01T00:00:00Z", "until": null, "sources": ["readings"]}

It holds the events with `from <= arrival time < until`; `until` null: all later ones, `sources` null: of every event
source. Who makes one makes it first and then looks whether the events are there: a retention that had read the holds
before may have been under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared_features.errors import FormatVersionError
from shared_features.formats.json_document import decode_document, encode_document
from shared_features.kernel.event_time import to_text, to_us

SCHEMA_VERSION = 1
HOLDS = "holds"
_REMEDY = "write the hold again (sources: give a list of names, or null for all), or remove the file"


@dataclass(frozen=True)
class Hold:
    """Events of these sources (None: of all) that arrived in [from_us, until_us) are needed; until_us None: no end."""

    reason: str
    from_us: int
    until_us: int | None = None
    sources: tuple[str, ...] | None = None


class _HoldFile(msgspec.Struct, rename={"from_": "from"}):
    """The file, key by key. Times are texts of ISO 8601 with an offset from UTC."""

    schema_version: int
    reason: str
    from_: str
    until: str | None
    sources: tuple[str, ...] | None


def encode_hold(hold: Hold) -> bytes:
    """The file's content; equal holds have equal bytes."""
    until = None if hold.until_us is None else to_text(hold.until_us)
    file = _HoldFile(SCHEMA_VERSION, hold.reason, to_text(hold.from_us), until, hold.sources)
    return encode_document(msgspec.to_builtins(file), ascii_only=False)


def decode_hold(content: bytes, where: str) -> Hold:
    """The hold in these bytes. Raises FormatVersionError, naming `where`."""
    found = decode_document(content, _HoldFile, SCHEMA_VERSION, where, "a hold", _REMEDY)
    try:
        until_us = None if found.until is None else _instant(found.until)
        hold = Hold(found.reason, _instant(found.from_), until_us, found.sources)
    except ValueError as error:
        raise FormatVersionError(f"{where} is damaged: {error}. Write the hold again, or remove the file.") from error
    if hold.sources == ():
        raise FormatVersionError(
            f"{where} holds the events of no source: `sources` is []. To hold all events, give null; to hold those of "
            "some sources, give a list of names."
        )
    return hold


def _instant(text: str) -> int:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"time {text} has no offset from UTC")
    return to_us(found)
