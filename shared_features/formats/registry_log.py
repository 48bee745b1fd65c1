"""The wall "registry log": who changed a model registry, when and why. It lies beside the models.

    <registry>/log.jsonl    one change a line, as a JSON object; the newest last

A line is appended and synced before its change is done, and never rewritten. So a change that nobody logged did not
happen, and a process that is killed in between leaves a line whose change did not happen. Who repeats the change logs
it again. A last line without a line break was never complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import msgspec

from shared_features.errors import FormatVersionError
from shared_features.kernel.event_time import to_text, to_us

SCHEMA_VERSION = 1
LOG_FILE = "log.jsonl"
Action = Literal["publish", "promote", "roll-back", "remove-alias", "delete", "gate"]
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True)
class RegistryChange:
    """One change. alias, before: of an alias that was moved or removed, and the version that it named until then.

    version: the one that the alias names from then on, or that a removed alias named.
    digest: sha256 of the manifest of a version that was published, or is deleted; of the gate, of its verdict.
    """

    at_us: int
    who: str
    action: Action
    model: str
    version: int
    why: str = ""
    alias: str = ""
    before: int | None = None
    digest: str = ""


class _Line(msgspec.Struct):
    """A line, key by key. `at` is a text of ISO 8601 with an offset from UTC."""

    at: str
    who: str
    action: str
    model: str
    version: int
    why: str = ""
    alias: str = ""
    before: int | None = None
    digest: str = ""
    schema_version: int = SCHEMA_VERSION


def encode_change(change: RegistryChange) -> bytes:
    """Its line with the line break; equal changes give equal bytes."""
    line = _Line(
        to_text(change.at_us), change.who, change.action, change.model, change.version, change.why, change.alias,
        change.before, change.digest,
    )  # fmt: skip
    return msgspec.json.encode(line) + b"\n"


def decode_log(content: bytes, where: str = LOG_FILE) -> tuple[list[RegistryChange], list[int]]:
    """The changes in their order, and the numbers of the lines that are damaged, from 1 on.

    Raises FormatVersionError for a line of another schema or with an action that is unknown.
    """
    changes, damaged = [], []
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        if not line:
            continue
        try:
            found = msgspec.json.decode(line, type=_Line)
            at_us = to_us(datetime.fromisoformat(found.at))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            damaged.append(number)
            continue
        action = next((each for each in ACTIONS if each == found.action), None)
        if found.schema_version != SCHEMA_VERSION or action is None:
            raise FormatVersionError(
                f"{where} has a line {number} of schema {found.schema_version} with the action {found.action!r}. This "
                f"reader knows schema {SCHEMA_VERSION}. Run the release that wrote it."
            )
        changes.append(
            RegistryChange(
                at_us, found.who, action, found.model, found.version, found.why, found.alias, found.before, found.digest
            )
        )
    return changes, damaged
