"""The wall "holds": who still needs old events, said so that the events tables' retention leaves them alone.

A hold is a JSON file `<lake>/holds/<name>.json`, made by an atomic rename and removed when it is over:

    {"schema_version": 1, "reason": "predictions since then are not audited yet",
     "from": "2026-03-01T00:00:00Z", "until": null, "sources": ["readings"]}

It holds the events with `from <= arrival time < until`; `until` null: all later ones, `sources` null: of every event
source. Who makes one makes it first and then looks whether the events are there: a retention that had read the holds
before may have been under way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared_features.errors import FormatVersionError
from shared_features.kernel.event_time import to_datetime, to_us

SCHEMA_VERSION = 1
HOLDS = "holds"


@dataclass(frozen=True)
class Hold:
    """Events of these sources (None: of all) that arrived in [from_us, until_us) are needed; until_us None: no end."""

    reason: str
    from_us: int
    until_us: int | None = None
    sources: tuple[str, ...] | None = None


def encode_hold(hold: Hold) -> bytes:
    """The file's content; equal holds have equal bytes."""
    plain = {
        "schema_version": SCHEMA_VERSION,
        "reason": hold.reason,
        "from": _text(hold.from_us),
        "until": None if hold.until_us is None else _text(hold.until_us),
        "sources": None if hold.sources is None else list(hold.sources),
    }
    return (json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def decode_hold(content: bytes, where: str) -> Hold:
    """The hold in these bytes. Raises FormatVersionError, naming `where`."""
    try:
        plain: dict[str, Any] = json.loads(content)
        if plain["schema_version"] != SCHEMA_VERSION:
            raise FormatVersionError(
                f"{where} was written by schema {plain['schema_version']}, this reader knows {SCHEMA_VERSION}; run the "
                "release that wrote it, or write the hold anew"
            )
        until = plain["until"]
        return Hold(
            str(plain["reason"]),
            _instant(plain["from"]),
            None if until is None else _instant(until),
            _sources(plain["sources"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatVersionError(f"{where} is no hold ({error!r}); write it anew, or remove it") from error


def _sources(found: Any) -> tuple[str, ...] | None:
    if found is None:
        return None
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        raise ValueError(f"sources is {found!r}: give a list of names, or null for all")
    return tuple(found)


def _text(time_us: int) -> str:
    return to_datetime(time_us).isoformat().replace("+00:00", "Z")


def _instant(text: str) -> int:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return to_us(found)
