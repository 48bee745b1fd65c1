"""The stored format "verdict": what the gate decided of a version, as it lies in the registry beside the version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from shared_features.formats.json_document import decode_document, encode_document
from training.registry.gate.check import Check

SCHEMA_VERSION = 1
ASK_AGAIN = "publish the model again, which asks the gate again"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`promotion.json`, with when the gate was asked, and by what.

    What was measured beside the champion is None where there is none.
    """

    model: str
    version: int
    champion_before: int | None
    promoted: bool
    reasons: list[str]
    checks: list[Check]
    asked_at: Annotated[datetime, msgspec.Meta(tz=True)]
    asked_by: str
    comparison: dict[str, Any] | None = None
    stability: dict[str, Any] | None = None
    costs: dict[str, Any] | None = None
    schema_version: int = SCHEMA_VERSION


def encode_verdict(promotion: Mapping[str, Any], asked_at: str, asked_by: str) -> bytes:
    """promotion: as `promotion.json`. asked_at: for one that does not say it, of an earlier release."""
    said = {"asked_by": asked_by, "schema_version": SCHEMA_VERSION}
    return encode_document({"asked_at": asked_at, **promotion, **said})


def decode_verdict(content: bytes, where: str) -> dict[str, Any]:
    """A `Verdict` as plain data. Raises FormatVersionError where it is damaged, or of another schema.

    The first verdicts say no schema, and are of the first one.
    """
    found = decode_document(
        content, Verdict, SCHEMA_VERSION, where, "a verdict of the gate", ASK_AGAIN, unsaid_version=1
    )
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain
